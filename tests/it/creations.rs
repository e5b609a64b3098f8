//! Editors who do the same thing at the same moment: each gets what it asked for, or an error about what it sent.

use std::{collections::BTreeSet, sync::Barrier};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::App;

const EDITORS: usize = 8;

/// What `EDITORS` threads get for the same document at once.
fn at_once(app: &App, path: &str, document: &Value) -> Vec<(u16, Value)> {
    let start = Barrier::new(EDITORS);
    std::thread::scope(|scope| {
        let editors: Vec<_> = (0..EDITORS)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let answer = app.admin_json(Method::POST, path, document);
                    (answer.status().as_u16(), answer.json().expect("JSON"))
                })
            })
            .collect();
        editors.into_iter().map(|editor| editor.join().expect("an editor")).collect()
    })
}

#[test]
fn the_same_name_at_once_gives_each_a_slug_of_its_own() {
    let app = App::start_with(|settings| settings.admin_actors = 8);
    for (path, field) in
        [("/v1/admin/products", "title"), ("/v1/admin/brands", "name"), ("/v1/admin/categories", "name")]
    {
        for round in 0..10 {
            let answers = at_once(&app, path, &json!({ field: format!("Lamp {round}") }));
            assert!(answers.iter().all(|(status, _)| *status == 201), "{path}: {answers:?}");
            let slugs: BTreeSet<&str> =
                answers.iter().map(|(_, made)| made["slug"].as_str().expect("a slug")).collect();
            let name = format!("lamp-{round}");
            let mut expected = BTreeSet::from([name.clone()]);
            expected.extend((2..=EDITORS).map(|number| format!("{name}-{number}")));
            assert_eq!(slugs, expected.iter().map(String::as_str).collect(), "{path}");
        }
    }
}
