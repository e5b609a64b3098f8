//! Edits that wait for each other: ordered where there is an order, else tried again; nobody is answered an error.

use std::thread::{self, JoinHandle};

use aisle::{
    import::{
        catalogue::StoredCatalogue,
        jsonl::JsonLines,
        problem::Problem,
        report::{Observer, Report},
        run::run,
    },
    store::{Connection, Precondition, categories, pool, products},
};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::{
    catalogue::{create, draft, number, psql, retried, texts},
    support::{
        self,
        app::App,
        waiting::{PATIENCE, wait_until},
    },
};

fn pid(conn: &mut Connection) -> i64 {
    number(conn, "SELECT pg_backend_pid()::bigint AS number")
}

/// Returns once a session that `who` selects waits for a lock.
fn wait_for_lock(conn: &mut Connection, who: &str) {
    let waiting = format!(
        "SELECT count(*) AS number FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND {who}"
    );
    wait_until(PATIENCE, "a session waits", || number(conn, &waiting) > 0);
}

/// An import that holds what an edit of a category waits for asks for the names that this edit holds: it must not wait.
#[test]
fn an_import_that_makes_a_category_while_another_is_edited_waits_for_nobody() {
    let db = support::database();
    let (mut conn, mut editor) = (db.connect(), db.connect());
    // The database must not be the one that finds out.
    let patient = "SET deadlock_timeout = '1h'; SET statement_timeout = '15s'";
    psql(&mut conn, patient);
    psql(&mut editor, patient);
    create(&mut conn, &json!({"title": "Lamp", "categories": ["Home"]}));
    let home: Uuid = texts(&mut conn, "SELECT id::text AS text FROM category")[0].parse().unwrap();
    let (mut attempts, mut moving) = (0, None::<JoinHandle<_>>);
    let editor_pid = pid(&mut editor);
    let mut editor = Some(editor);
    let imported = retried(&mut conn, |conn| {
        attempts += 1;
        products::upsert(conn, &draft(&json!({"title": "Desk", "categories": ["Home"]})))?;
        if let Some(mut editor) = editor.take() {
            moving = Some(thread::spawn(move || {
                let patch = json!({"name": "House", "slug": "house"});
                retried(&mut editor, |conn| categories::patch(conn, home, Precondition::Exists, &patch))
            }));
            wait_for_lock(&mut db.connect(), &format!("pid = {editor_pid}"));
        }
        products::upsert(conn, &draft(&json!({"title": "Mug", "categories": ["House > New", "Home > New"]})))
    });
    moving.unwrap().join().unwrap().unwrap();
    imported.unwrap();
    assert_eq!(attempts, 2);
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM product"), 3);
}

struct Nobody;

impl Observer for Nobody {
    fn problem(&mut self, _problem: &Problem) {}

    fn progress(&mut self, _position: u64, _report: &Report) {}
}

/// However long somebody else makes names: the batch that met them queues, and its attempts are not used up.
#[test]
fn an_import_queues_for_names() {
    let db = support::database();
    let mut conn = db.connect();
    create(&mut conn, &json!({"title": "Lamp", "categories": ["Home"]}));
    psql(&mut conn, "BEGIN; INSERT INTO category (slug, name) VALUES ('garden', 'Garden')");
    let mut importer = db.connect();
    let importer_pid = pid(&mut importer);
    let import = thread::spawn(move || {
        let lines = "{\"title\":\"Desk\",\"categories\":[\"Home\"]}\n{\"title\":\"Mug\",\"categories\":[\"Garden > New\"]}";
        run(
            &mut JsonLines::new(lines.as_bytes()),
            &mut StoredCatalogue::new(&mut importer),
            false,
            &mut Nobody,
        )
    });
    wait_until(PATIENCE, "the import waits or has ended", || {
        import.is_finished()
            || number(
                &mut conn,
                &format!(
                    "SELECT count(*) AS number FROM pg_stat_activity WHERE pid = {importer_pid} AND wait_event = 'advisory'"
                ),
            ) > 0
    });
    psql(&mut conn, "COMMIT");
    let report = import.join().unwrap().unwrap();
    assert_eq!((report.created, report.failed), (2, 0));
    let made = "SELECT count(*) AS number FROM category WHERE slug = 'garden'";
    assert_eq!(number(&mut conn, made), 1, "the one that was being made is used");
}

/// Statements from outside follow no order: here they hold a price and want its product, as an edit does the other way
/// round. The database ends the edit, and it is tried again.
#[test]
fn an_edit_that_the_database_ended_for_another_is_tried_again() {
    let app = App::start();
    let product = app.create_product(
        &json!({"title": "Lamp", "variants": [{"sku": "L", "prices": [{"currency": "USD", "amount": 1}]}]}),
    );
    let variant = product["variants"][0]["id"].as_str().unwrap();
    let mut conn = app.database.as_ref().unwrap().connect();
    // The edit looks for a deadlock after its second, this one not at all: so it is the edit that ends.
    psql(&mut conn, "SET deadlock_timeout = '1h'; SET statement_timeout = '15s'");
    psql(&mut conn, "BEGIN; SELECT FROM price FOR UPDATE");
    let path = format!("/v1/admin/variants/{variant}/prices/USD");
    let status = thread::scope(|scope| {
        let edit = scope.spawn(|| app.admin_json(Method::PUT, &path, &json!({"amount": 4200})).status());
        wait_for_lock(&mut conn, "application_name = 'aisle'");
        psql(&mut conn, "UPDATE product SET title = 'New'; COMMIT");
        edit.join().unwrap()
    });
    assert_eq!(status, 200);
    let product = app.get_json("/v1/store/products/by-sku/L");
    assert_eq!((product["title"].as_str(), &product["price_range"]["min"]), (Some("New"), &json!(4200)));
    assert_eq!(product["version"], 3);
}

/// Time-outs and deadlocks are told by their messages, so these must be in English; a role that may not choose can connect
/// all the same.
#[test]
fn messages_are_in_english_where_the_server_allows_it() {
    let db = support::database();
    let mut conn = db.connect();
    let name = texts(&mut conn, "SELECT current_database()::text AS text").remove(0);
    psql(&mut conn, &format!("ALTER DATABASE {name} SET lc_messages = 'POSIX'"));
    let messages = "SELECT current_setting('lc_messages') AS text";
    assert_eq!(texts(&mut db.connect(), messages), ["POSIX"]);
    assert_eq!(texts(&mut pool::connect(&db.url).unwrap(), messages), ["C"]);

    let role = format!("aisle_it_{}", Uuid::new_v4().simple());
    psql(&mut conn, &format!("CREATE ROLE {role}"));
    let separator = if db.url.contains('?') { '&' } else { '?' };
    let plain = pool::connect(&format!("{}{separator}options=-crole%3D{role}", db.url));
    let answer = plain.map(|mut conn| {
        texts(&mut conn, "SELECT concat_ws(' ', current_user, current_setting('lc_messages'), current_setting('application_name')) AS text")
    });
    psql(&mut conn, &format!("DROP ROLE {role}"));
    assert_eq!(answer.unwrap(), [format!("{role} POSIX aisle")]);
}
