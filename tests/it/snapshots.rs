//! A restart begins with the saved index of lists and answers as if it had read everything; whatever is wrong with what was
//! saved leads to reading everything.
//!
//! Which of the two happened is seen by an edit that the log does not know of: only who reads everything finds it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    database::{TestDatabase, database},
    waiting::{PATIENCE, wait_until},
};

/// Products of the catalogue.
const PRODUCTS: usize = 12;

fn start(database: &TestDatabase, folder: &Path) -> App {
    let app = App::join(&database.url, None, |settings| settings.snapshot_dir = Some(folder.to_owned()));
    wait_until(PATIENCE, "lists to be read", || {
        app.shared.lists.is_read(app.shared.reader.coherence.era().ordinal)
    });
    app
}

fn file(folder: &Path) -> PathBuf {
    folder.join("lists.snapshot")
}

fn create(app: &App) {
    for number in 0..PRODUCTS {
        let price = json!({"currency": "USD", "amount": 100 + number * 7 % 50});
        app.create_product(&json!({
            "title": format!("Lamp {number} of brass"),
            "description": "Shines.",
            "tags": [format!("tag{}", number % 3)],
            "attributes": {"colour": if number.is_multiple_of(2) { "red" } else { "blue" }},
            "variants": [{"sku": format!("LMP-{number}"), "prices": [price]}],
        }));
    }
}

/// What a shopper sees of lists.
fn lists(app: &App) -> Vec<Value> {
    [
        "sort=newest&include=total",
        "sort=price&limit=5",
        "sort=-price&limit=5",
        "sort=title",
        "tag=tag1&facets=attr.colour,price",
        "attr.colour=red&sort=title",
        "q=brass",
        "q=LMP-3",
        "q=bras",
    ]
    .map(|query| app.get_json(&format!("/v1/store/products?{query}")))
    .into()
}

fn found(app: &App, text: &str) -> usize {
    app.get_json(&format!("/v1/store/products?q={text}"))["items"].as_array().expect("items").len()
}

fn sql(database: &TestDatabase, text: &str) {
    database.connect().batch_execute(text).expect(text);
}

/// Changes a title behind the log's back.
fn hide(database: &TestDatabase) {
    sql(
        database,
        "ALTER TABLE product DISABLE TRIGGER USER; \
         UPDATE product SET title = 'Umbrella' WHERE title = 'Lamp 5 of brass'; \
         ALTER TABLE product ENABLE TRIGGER USER;",
    );
}

#[test]
fn a_restart_begins_with_what_was_saved() {
    let (database, folder) = (database(), tempfile::tempdir().expect("a folder"));
    let mut app = start(&database, folder.path());
    create(&app);
    let before = lists(&app);
    assert_eq!(found(&app, "brass"), PRODUCTS);
    app.stop();
    assert!(file(folder.path()).exists(), "it was saved");

    let mut app = start(&database, folder.path());
    assert_eq!(lists(&app), before);
    app.stop();

    // What changes while nobody runs is seen; what the log does not know of shows that not everything was read.
    hide(&database);
    sql(&database, "UPDATE product SET title = 'Lantern' WHERE title = 'Lamp 3 of brass'");
    sql(&database, "UPDATE product SET status = 'archived' WHERE title = 'Lamp 4 of brass'");
    sql(
        &database,
        "UPDATE price SET amount = 1 WHERE variant_id = (SELECT id FROM variant WHERE sku = 'LMP-7')",
    );
    sql(&database, "INSERT INTO synonym_set (words) VALUES ('{lantern,flambeau}')");
    // A death in the midst of saving leaves something beside the file.
    fs::write(folder.path().join("lists.snapshot.new"), "half").expect("a file");
    let mut app = start(&database, folder.path());
    assert_eq!(found(&app, "umbrella"), 0, "everything was read");
    assert_eq!([found(&app, "lantern"), found(&app, "flambeau"), found(&app, "brass")], [1, 1, PRODUCTS - 2]);
    let cheapest = app.get_json("/v1/store/products?sort=price&limit=1");
    assert_eq!(cheapest["items"][0]["title"], "Lamp 7 of brass");

    // And goes on from there.
    let answer = app.admin_json(
        Method::PATCH,
        &format!("/v1/admin/products/{}", cheapest["items"][0]["id"].as_str().expect("an id")),
        &json!({"title": "Candle"}),
    );
    assert_eq!(answer.status(), 200);
    assert_eq!(found(&app, "candle"), 1);
    app.stop();
    let mut app = start(&database, folder.path());
    assert_eq!([found(&app, "candle"), found(&app, "lantern"), found(&app, "umbrella")], [1, 1, 0]);
    app.stop();
}

/// Spoils what was saved, and expects everything to be read.
fn is_refused(spoil: impl FnOnce(&Path, &TestDatabase)) {
    let (database, folder) = (database(), tempfile::tempdir().expect("a folder"));
    let mut app = start(&database, folder.path());
    create(&app);
    app.stop();
    hide(&database);
    spoil(&file(folder.path()), &database);
    let mut app = start(&database, folder.path());
    assert_eq!([found(&app, "umbrella"), found(&app, "brass")], [1, PRODUCTS - 1]);
    app.stop();
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).expect("a snapshot");
    change(&mut bytes);
    fs::write(path, bytes).expect("written");
}

#[test]
fn damaged_snapshots_are_refused() {
    is_refused(|path, _| change(path, |bytes| bytes[3] ^= 1));
    is_refused(|path, _| change(path, |bytes| bytes[40] ^= 1));
    is_refused(|path, _| {
        change(path, |bytes| {
            let middle = usize::midpoint(512, bytes.len());
            bytes[middle] ^= 16;
        });
    });
    is_refused(|path, _| {
        change(path, |bytes| {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        });
    });
    is_refused(|path, _| change(path, |bytes| bytes.truncate(bytes.len() - 1)));
    is_refused(|path, _| change(path, Vec::clear));
}

#[test]
fn snapshots_of_another_history_are_refused() {
    // Another era.
    is_refused(|_, database| sql(database, "UPDATE catalog_era SET id = gen_random_uuid()"));
    // The same place in the log, with another event there.
    is_refused(|_, database| {
        sql(database, "UPDATE catalog_event SET nonce = gen_random_uuid() WHERE nonce IS NOT NULL");
    });
    // The log does not reach back so far.
    is_refused(|_, database| {
        sql(database, "UPDATE product SET description = 'Glows.' WHERE title LIKE 'Lamp 1 %'");
        sql(database, "DELETE FROM catalog_event WHERE pos < (SELECT max(pos) FROM catalog_event)");
    });
    // Another catalogue.
    let (database, folder) = (database(), tempfile::tempdir().expect("a folder"));
    let mut app = start(&database, folder.path());
    create(&app);
    app.stop();
    is_refused(|path, _| {
        fs::copy(file(folder.path()), path).expect("a copy");
    });
}
