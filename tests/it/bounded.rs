//! Searches whose choice may be some seconds old: only for clients that ask, never older than allowed, always labelled, and with
//! current cards.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    database,
    redis::shared_redis,
    waiting::{PATIENCE, wait_until},
};

const STRICT: &str = "/v1/store/products?q=lamp";
const BOUNDED: &str = "/v1/store/products?q=lamp&freshness=bounded";

/// An answer to a search: the titles found, its label, its age in seconds.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    titles: Vec<String>,
    is_unverified: bool,
    age: Option<u64>,
}

fn search(app: &App, path: &str, min_position: i64) -> Found {
    let request = app.request(Method::GET, path).header("Catalog-Min-Position", min_position);
    let answer = request.send().expect("an answer");
    assert_eq!(answer.status(), 200);
    let is_unverified = answer.headers()["cache-status"] == "aisle; hit; detail=unverified";
    let age = answer.headers().get("age").map(|age| age.to_str().expect("text").parse().expect("seconds"));
    let page: Value = answer.json().expect("JSON");
    let title = |item: &Value| item["title"].as_str().expect("a title").to_owned();
    let titles = page["items"].as_array().expect("items").iter().map(title).collect();
    Found { titles, is_unverified, age }
}

fn verified(titles: &[&str]) -> Found {
    let titles = titles.iter().map(|title| (*title).to_owned()).collect();
    Found { titles, is_unverified: false, age: None }
}

fn ready(app: &App) {
    wait_until(PATIENCE, "readiness", || app.get("/readyz").status() == 200);
}

/// Changes the title; gives the position of the change.
fn rename(app: &App, id: &str, title: &str) -> i64 {
    let answer = app.admin_json(Method::PATCH, &format!("/v1/admin/products/{id}"), &json!({"title": title}));
    assert_eq!(answer.status(), 200);
    answer.headers()["catalog-position"].to_str().expect("text").parse().expect("a position")
}

#[test]
fn only_who_asks_gets_an_old_choice_and_is_told_so() {
    let database = database();
    let editor = App::join(&database.url, Some(shared_redis()), |settings| settings.search_age = 60);
    let other = App::join(&database.url, Some(shared_redis()), |settings| settings.search_age = 60);
    ready(&other);
    let shown = editor.create_product(&json!({"title": "Lamp one"}));
    let hidden = editor.create_product(&json!({"title": "Chair"}));
    assert_eq!(search(&other, BOUNDED, 0), verified(&["Lamp one"]), "nothing is cached: as fresh as ever");

    // What comes into the choice is seen later.
    let position = rename(&editor, id(&hidden), "Lamp two");
    let old = search(&other, BOUNDED, 0);
    assert_eq!((&old.titles[..], old.is_unverified), (&["Lamp one".to_owned()][..], true));
    assert!(old.age.is_some_and(|age| (1..=61).contains(&age)), "{:?}", old.age);
    let fresh = search(&other, BOUNDED, position);
    assert_eq!((fresh.titles.len(), fresh.is_unverified), (2, false), "not older than a position asked for");

    // What is said of those that are shown is not.
    rename(&editor, id(&shown), "Lamp three");
    let current = search(&other, BOUNDED, 0);
    assert!(current.titles.contains(&"Lamp three".to_owned()), "{current:?}");

    rename(&editor, id(&editor.create_product(&json!({"title": "Table"}))), "Lamp four");
    assert!(search(&other, BOUNDED, 0).is_unverified);
    assert_eq!(search(&other, STRICT, 0).titles.len(), 3);
    let fresh = search(&other, BOUNDED, 0);
    assert_eq!((fresh.titles.len(), fresh.is_unverified), (3, false), "what is fresh needs no label");
}

#[test]
fn no_choice_is_older_than_the_settings_allow() {
    let app = App::start_with(|settings| settings.search_age = 1);
    ready(&app);
    app.create_product(&json!({"title": "Lamp one"}));
    let hidden = app.create_product(&json!({"title": "Chair"}));
    assert_eq!(search(&app, BOUNDED, 0), verified(&["Lamp one"]));
    rename(&app, id(&hidden), "Lamp two");
    let renamed = Instant::now();
    let mut old = 0;
    wait_until(PATIENCE, "the new title", || {
        let asked = renamed.elapsed();
        let found = search(&app, BOUNDED, 0);
        if found.titles.len() == 2 {
            assert!(!found.is_unverified);
            return true;
        }
        assert_eq!((&found.titles[..], found.is_unverified), (&["Lamp one".to_owned()][..], true));
        assert!(found.age.is_some_and(|age| (1..=2).contains(&age)), "{:?}", found.age);
        assert!(asked.as_secs() < 1, "an answer of before the change, {asked:?} after it");
        old += 1;
        false
    });
    println!("{old} old pages");
}

fn id(made: &Value) -> &str {
    made["id"].as_str().expect("an id")
}

#[test]
fn what_may_be_old_is_kept_by_no_cache() {
    let app = App::start_with(|settings| (settings.search_age, settings.max_age) = (60, 600));
    ready(&app);
    app.create_product(&json!({"title": "Lamp one"}));
    let hidden = app.create_product(&json!({"title": "Chair"}));
    let headers = || {
        let answer = app.get(BOUNDED);
        let keys = answer.headers().contains_key("surrogate-key");
        (answer.headers()["cache-control"].to_str().expect("text").to_owned(), keys)
    };
    let (control, has_keys) = headers();
    assert!(control.starts_with("public, max-age=600") && has_keys, "{control}");
    rename(&app, id(&hidden), "Lamp two");
    assert_eq!(headers(), ("public, no-cache".to_owned(), false));
}

#[test]
fn lists_and_unknown_words_are_refused() {
    let app = App::start();
    for path in ["/v1/store/products?freshness=bounded", "/v1/store/products?q=lamp&freshness=stale"] {
        let answer = app.get(path);
        assert_eq!(answer.status(), 400, "{path}");
        let problem: Value = answer.json().expect("JSON");
        assert_eq!(problem["errors"][0]["parameter"], "freshness");
    }
}
