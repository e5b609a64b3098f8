//! Edits by statements that meet in the dark: neither sees the other's rows, yet what is answered afterwards is right.

use aisle::store::{Connection, reads};
use serde_json::json;

use crate::{
    catalogue::{create, events, number, psql, version},
    support,
};

/// Statements in a transaction whose id the rows of a table bring from another cluster, with a restored dump.
fn as_if_restored(table: &str, statements: &str) -> String {
    format!(
        "BEGIN; ALTER TABLE {table} DISABLE TRIGGER USER; \
         UPDATE {table} SET touched_xid = pg_current_xact_id(), updated_at = now() - interval '1 day'; \
         ALTER TABLE {table} ENABLE TRIGGER USER; {statements}; COMMIT"
    )
}

#[test]
fn rows_of_another_cluster_are_edited_like_any_other() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(
        &mut conn,
        &json!({"title": "Lamp", "brand": "Acme", "categories": ["Home"], "variants": [{"sku": "L", "stock": 9}]}),
    );
    let body = |conn: &mut Connection| reads::product(conn, lamp.id).unwrap().value.unwrap().body;
    let mut expected = (version(&mut conn, lamp.id), events(&mut conn));
    for (statement, shows) in [
        ("UPDATE product SET title = 'New'", "\"New\""),
        ("INSERT INTO price SELECT id, 'USD', 77 FROM variant", "77"),
        ("UPDATE product SET title = 'Newer'; UPDATE product SET title = 'Newest'", "Newest"),
        ("UPDATE stock_level SET quantity = 0", "out_of_stock"),
        ("TRUNCATE price", "\"prices\" : []"),
    ] {
        psql(&mut conn, &as_if_restored("product", statement));
        expected = (expected.0 + 1, expected.1 + 1);
        assert_eq!((version(&mut conn, lamp.id), events(&mut conn)), expected, "{statement}");
        assert!(body(&mut conn).contains(shows), "{statement}: {}", body(&mut conn));
    }
    for table in ["brand", "category"] {
        psql(&mut conn, &as_if_restored(table, &format!("UPDATE {table} SET name = 'Other'")));
        let raised = format!("SELECT version AS number FROM {table}");
        assert_eq!(number(&mut conn, &raised), 2, "{table}");
    }
}

/// What a transaction touched once, it does not touch again, nor does a statement that only claims to.
#[test]
fn a_version_rises_once_for_rows_of_another_cluster_too() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(&mut conn, &json!({"title": "Lamp"}));
    let nothing = "UPDATE product SET title = title, updated_at = '2020-01-01'";
    psql(&mut conn, &as_if_restored("product", nothing));
    assert_eq!((version(&mut conn, lamp.id), events(&mut conn)), (1, 1));
    let twice = "UPDATE product SET title = 'A'; UPDATE product SET title = 'B'";
    psql(&mut conn, &as_if_restored("product", twice));
    assert_eq!((version(&mut conn, lamp.id), events(&mut conn)), (2, 2));
}
