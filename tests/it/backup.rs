//! A backup and its restoration, as the operator's guide walks through it: `pg_dump`, a new database, instances on it.

use std::process::{Command, Stdio};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    database::{empty_database, number},
    redis::shared_redis,
    waiting::{PATIENCE, wait_until},
};

/// Products in the backup.
const PRODUCTS: usize = 30;

/// Dumps one database into another; false where the tool is missing.
fn copied(from: &str, to: &str) -> bool {
    let dump =
        Command::new("pg_dump").args(["--format=custom", "--dbname", from]).stdout(Stdio::piped()).spawn();
    let Ok(mut dump) = dump else {
        assert!(std::env::var_os("CI").is_none(), "there is no pg_dump");
        eprintln!("left out: there is no pg_dump");
        return false;
    };
    let file = dump.stdout.take().expect("a dump");
    let restore = Command::new("pg_restore")
        .args(["--exit-on-error", "--dbname", to])
        .stdin(file)
        .output()
        .expect("pg_restore beside pg_dump");
    assert!(dump.wait().expect("pg_dump").success(), "pg_dump failed");
    assert!(restore.status.success(), "{}", String::from_utf8_lossy(&restore.stderr));
    true
}

fn draft(place: usize) -> Value {
    json!({
        "title": format!("thing {place}"),
        "brand": "acme",
        "variants": [{ "sku": format!("sku-{place}"), "prices": [{ "currency": "USD", "amount": 1200 }] }],
    })
}

#[test]
fn a_restored_backup_is_the_catalogue_as_it_was_and_takes_edits() {
    let app = App::start();
    let brand = app.admin_json(Method::POST, "/v1/admin/brands", &json!({ "name": "Acme" }));
    assert_eq!(brand.status(), 201);
    let ids: Vec<String> = (0..PRODUCTS)
        .map(|place| app.create_product(&draft(place))["id"].as_str().expect("an id").to_owned())
        .collect();
    let product = |id: &str| format!("/v1/store/products/{id}");
    let list = "/v1/store/products?sort=title&facets=brand";
    let answers = |app: &App| -> Vec<Value> {
        let products = ids.iter().map(|id| app.get_json(&product(id)));
        products.chain([app.get_json(list), app.get_json("/v1/store/products?q=thing")]).collect()
    };
    let before = answers(&app);
    let restored = empty_database();
    let source = app.database.as_ref().expect("its own database").url.clone();
    if !copied(&source, &restored.url) {
        return;
    }
    let events = "SELECT count(*)::int AS number FROM catalog_event";
    let logged = number(&mut restored.connect(), events);
    // Both go on, apart from each other, with one Redis.
    app.patch_product(&ids[0], &json!({ "title": "edited after the backup" }));
    let copy = App::join(&restored.url, Some(shared_redis()), |_| ());
    wait_until(PATIENCE, "readiness", || copy.get("/readyz").status() == 200);
    assert_eq!(answers(&copy), before);
    copy.patch_product(&ids[1], &json!({ "title": "edited in the copy" }));
    assert_eq!(copy.get_json(&product(&ids[1]))["title"], "edited in the copy");
    assert_eq!(app.get_json(&product(&ids[1]))["title"], "thing 1");
    assert_eq!(app.get_json(&product(&ids[0]))["title"], "edited after the backup");
    assert_eq!(copy.get_json(&product(&ids[0]))["title"], "thing 0");
    // The edit is an event, once; joining may be others.
    let own =
        format!("SELECT count(*)::int AS number FROM catalog_event WHERE '{}' = ANY (products)", ids[1]);
    assert_eq!(
        number(&mut restored.connect(), &own),
        number(&mut app.database.as_ref().unwrap().connect(), &own) + 1
    );
    assert!(number(&mut restored.connect(), events) > logged);
}
