//! Every price is of a variant and in a currency, whoever writes it and whatever happens beside it: no foreign key holds
//! that, the triggers of the statements do.

use std::thread;

use aisle::store::Connection;
use diesel::connection::SimpleConnection;
use serde_json::json;

use crate::{
    catalogue::{create, number, psql, texts},
    support::{
        self,
        database::TestDatabase,
        waiting::{PATIENCE, wait_until},
    },
};

const UNKNOWN: &str = "gen_random_uuid()";

fn lamps(conn: &mut Connection) {
    for title in ["Lamp", "Mug"] {
        let price = json!({"currency": "USD", "amount": 1});
        create(conn, &json!({"title": title, "variants": [{"sku": title, "prices": [price]}]}));
    }
}

/// What the database says against statements; empty when nothing.
fn refusal(conn: &mut Connection, statements: &str) -> String {
    conn.batch_execute(statements).err().map(|error| error.to_string()).unwrap_or_default()
}

/// Prices of no variant or in no currency.
const STRAY: &str = "SELECT count(*) AS number FROM price p WHERE NOT EXISTS (SELECT FROM variant v WHERE v.id = p.variant_id) \
    OR NOT EXISTS (SELECT FROM currency c WHERE c.code = p.currency)";

#[test]
fn a_price_needs_a_variant_and_a_currency() {
    let db = support::database();
    let mut conn = db.connect();
    lamps(&mut conn);
    let some = "(SELECT id FROM variant WHERE sku = 'Lamp')";
    for (statement, word) in [
        (format!("INSERT INTO price VALUES ({UNKNOWN}, 'USD', 1)"), "variant"),
        (format!("INSERT INTO price VALUES ({some}, 'EUR', 1), ({UNKNOWN}, 'EUR', 1)"), "variant"),
        (format!("UPDATE price SET variant_id = {UNKNOWN} WHERE variant_id = {some}"), "variant"),
        (format!("INSERT INTO price VALUES ({some}, 'XYZ', 1)"), "currency"),
        (format!("INSERT INTO price VALUES ({some}, 'EUR', 1), ({some}, 'XYZ', 1)"), "currency"),
        ("UPDATE price SET currency = 'XYZ'".to_owned(), "currency"),
        (
            format!(
                "INSERT INTO price VALUES ({some}, 'USD', 1) ON CONFLICT (variant_id, currency) DO UPDATE SET currency = 'XYZ'"
            ),
            "currency",
        ),
        ("DELETE FROM currency WHERE code = 'USD'".to_owned(), "currency"),
        ("UPDATE currency SET code = 'XYZ' WHERE code = 'USD'".to_owned(), "currency"),
        ("TRUNCATE currency".to_owned(), "currency"),
        (format!("UPDATE variant SET id = {UNKNOWN} WHERE sku = 'Lamp'"), "variant"),
    ] {
        let said = refusal(&mut conn, &statement);
        assert!(said.contains(word), "{statement}: {said:?}");
    }
    psql(
        &mut conn,
        "DELETE FROM currency WHERE code = 'EUR'; UPDATE currency SET exponent = 2 WHERE code = 'USD'",
    );
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM price"), 2);
}

#[test]
fn prices_go_with_their_variant() {
    for (statement, left) in [
        ("DELETE FROM variant WHERE sku = 'Lamp'", "1"),
        ("DELETE FROM product WHERE title = 'Lamp'", "1"),
        ("SET session_replication_role = replica; DELETE FROM variant WHERE sku = 'Lamp'", "1"),
        ("DELETE FROM product", "0"),
        ("TRUNCATE variant CASCADE", "0"),
        ("TRUNCATE product CASCADE", "0"),
        ("DELETE FROM price WHERE variant_id = (SELECT id FROM variant WHERE sku = 'Lamp')", "1"),
        ("UPDATE variant SET sku = 'New' WHERE sku = 'Lamp'", "2"),
    ] {
        let db = support::database();
        let mut conn = db.connect();
        lamps(&mut conn);
        psql(&mut conn, statement);
        assert_eq!(texts(&mut conn, "SELECT count(*)::text AS text FROM price"), [left], "{statement}");
        assert_eq!(number(&mut conn, STRAY), 0, "{statement}");
    }
}

/// Runs `second` while the transaction of `first` is open; `first` commits once `second` waits or has ended. What the second
/// was told.
fn meet(db: &TestDatabase, first: &str, second: &str) -> String {
    let mut conn = db.connect();
    psql(&mut conn, &format!("BEGIN; {first}"));
    let (mut late, statements) = (db.connect(), second.to_owned());
    let pid = number(&mut late, "SELECT pg_backend_pid()::bigint AS number");
    let second = thread::spawn(move || refusal(&mut late, &statements));
    let waits = format!(
        "SELECT count(*) AS number FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
    );
    let mut watcher = db.connect();
    wait_until(PATIENCE, "the second ends or waits", || {
        second.is_finished() || number(&mut watcher, &waits) > 0
    });
    psql(&mut conn, "COMMIT");
    second.join().expect("the second")
}

#[test]
fn no_price_is_left_by_who_removes_its_variant_or_currency_meanwhile() {
    let insert = "INSERT INTO price SELECT id, 'EUR', 1 FROM variant WHERE sku = 'Lamp'";
    let change = "UPDATE price SET amount = 2, currency = 'EUR' WHERE variant_id = (SELECT id FROM variant WHERE sku = 'Lamp')";
    for write in [insert, change] {
        for remove in [
            "DELETE FROM variant WHERE sku = 'Lamp'",
            "DELETE FROM product WHERE title = 'Lamp'",
            "DELETE FROM currency WHERE code = 'EUR'",
        ] {
            for (first, second) in [(write, remove), (remove, write)] {
                let db = support::database();
                let mut conn = db.connect();
                lamps(&mut conn);
                let said = meet(&db, first, second);
                assert_eq!(number(&mut conn, STRAY), 0, "{first}; {second}: {said}");
                let refuses = remove.contains("currency") || second == insert;
                assert!(!refuses || said.contains("price"), "{first}; {second}: {said:?}");
            }
        }
    }
}
