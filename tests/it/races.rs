//! Edits by statements that meet in the dark: neither sees the other's rows, yet what is answered afterwards is right.

use std::thread;

use aisle::{
    domain::dependency::Dependency,
    store::{Connection, reads},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    catalogue::{create, events, last_deps, number, psql, texts, version},
    support::{
        self,
        database::TestDatabase,
        waiting::{PATIENCE, wait_until},
    },
};

/// Runs two transactions that meet: `first` is open when `second` starts, and commits once `second` has come to an end or
/// waits for it.
fn meet(db: &TestDatabase, first: &str, second: &str) {
    meet_between(db, first, second, "");
}

/// The same; `first` goes on with `then` before it commits.
fn meet_between(db: &TestDatabase, first: &str, second: &str, then: &str) {
    let mut conn = db.connect();
    psql(&mut conn, &format!("BEGIN; {first}"));
    let (mut late, statements) = (db.connect(), second.to_owned());
    let pid = number(&mut late, "SELECT pg_backend_pid()::bigint AS number");
    let second = thread::spawn(move || psql(&mut late, &statements));
    let mut watcher = db.connect();
    let waits = format!(
        "SELECT count(*) AS number FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
    );
    wait_until(PATIENCE, "the second ends or waits", || {
        second.is_finished() || number(&mut watcher, &waits) > 0
    });
    psql(&mut conn, &format!("{then}; COMMIT"));
    second.join().expect("the second");
}

/// Both orders of a pair.
fn orders<'a>(one: &'a str, other: &'a str) -> [(&'a str, &'a str); 2] {
    [(one, other), (other, one)]
}

fn body(conn: &mut Connection, id: Uuid) -> String {
    reads::product(conn, id).unwrap().value.expect("a visible product").body
}

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

#[test]
fn a_tag_renamed_while_it_is_given_shows_its_new_name() {
    let give = "INSERT INTO product_tag SELECT p.id, t.id FROM product p, tag t WHERE p.title = 'Mug' AND t.name IN ('Oak', 'Eiche')";
    let exchange = "UPDATE product_tag SET tag_id = (SELECT id FROM tag WHERE name IN ('Oak', 'Eiche')) \
        WHERE product_id = (SELECT id FROM product WHERE title = 'Pen')";
    let rename = "UPDATE tag SET name = 'Eiche' WHERE name = 'Oak'";
    for (title, change) in [("Mug", give), ("Pen", exchange)] {
        for (first, second) in orders(change, rename) {
            let db = support::database();
            let mut conn = db.connect();
            create(&mut conn, &json!({"title": "Lamp", "tags": ["Oak"]}));
            create(&mut conn, &json!({"title": "Mug"}));
            create(&mut conn, &json!({"title": "Pen", "tags": ["Ash"]}));
            meet(&db, first, second);
            let id =
                texts(&mut conn, &format!("SELECT id::text AS text FROM product WHERE title = '{title}'"));
            let id = id[0].parse().unwrap();
            let shown = body(&mut conn, id);
            assert!(shown.contains("Eiche"), "{first}; {second}: {shown}");
            assert!(last_deps(&mut conn).contains(&Dependency::product(&id).0), "{first}; {second}");
        }
    }
}

/// Shoppers found nothing under the slug before; the later of the two events must say that they do now.
#[test]
fn a_slug_retired_while_its_product_is_published_is_in_the_later_event() {
    let add = "INSERT INTO slug (slug, product_id, is_current) SELECT 'old-lamp', id, false FROM product WHERE title = 'Lamp'";
    let lead = "UPDATE slug SET product_id = (SELECT id FROM product WHERE title = 'Lamp') WHERE slug = 'older-lamp'";
    let publish = "UPDATE product SET status = 'active' WHERE title = 'Lamp'";
    for (slug, change) in [("old-lamp", add), ("older-lamp", lead)] {
        for (first, second) in orders(change, publish) {
            let db = support::database();
            let mut conn = db.connect();
            create(&mut conn, &json!({"title": "Lamp", "status": "draft"}));
            create(&mut conn, &json!({"title": "Other", "status": "draft"}));
            psql(
                &mut conn,
                "INSERT INTO slug (slug, product_id, is_current) SELECT 'older-lamp', id, false FROM product WHERE title = 'Other'",
            );
            meet(&db, first, second);
            assert!(reads::by_slug(&mut conn, slug).unwrap().value.is_some(), "{first}; {second}");
            assert!(last_deps(&mut conn).contains(&Dependency::slug(slug).0), "{first}; {second}");
        }
    }
}

/// The same for SKUs, which touch their product.
#[test]
fn a_sku_added_while_its_product_is_published_is_in_the_later_event() {
    let add = "INSERT INTO variant (product_id, sku) SELECT id, 'L-1' FROM product WHERE title = 'Lamp'";
    let publish = "UPDATE product SET status = 'active' WHERE title = 'Lamp'";
    for (first, second) in orders(add, publish) {
        let db = support::database();
        let mut conn = db.connect();
        create(&mut conn, &json!({"title": "Lamp", "status": "draft"}));
        meet(&db, first, second);
        assert!(reads::by_sku(&mut conn, "L-1").unwrap().value.is_some(), "{first}; {second}");
        assert!(last_deps(&mut conn).contains(&Dependency::sku("L-1").0), "{first}; {second}");
    }
}

/// The product that a variant or an option moves to shows what changed in it meanwhile.
#[test]
fn a_part_changed_while_it_moves_to_another_product_is_shown_there() {
    let to_mug = "SET product_id = (SELECT id FROM product WHERE title = 'Mug')";
    let price = "UPDATE price SET amount = 4711";
    let value = "UPDATE option_value SET value = '4711'";
    for (change, table) in [(price, "variant"), (value, "product_option")] {
        let move_it = format!("UPDATE {table} {to_mug}");
        for (first, second) in orders(change, &move_it) {
            let db = support::database();
            let mut conn = db.connect();
            let variant =
                json!({"sku": "L", "options": {"Size": "S"}, "prices": [{"currency": "USD", "amount": 1}]});
            create(&mut conn, &json!({"title": "Lamp", "variants": [variant]}));
            let mug = create(&mut conn, &json!({"title": "Mug", "variants": []}));
            meet(&db, first, second);
            let shown = body(&mut conn, mug.id);
            assert!(shown.contains("4711"), "{first}; {second}: {shown}");
            assert!(last_deps(&mut conn).contains(&Dependency::product(&mug.id).0), "{first}; {second}");
        }
    }
}

/// Rows of lists that are there and should not be, or the other way round.
const MISPLACED: &str = "WITH wanted AS (SELECT DISTINCT p.id, above, p.published_at, p.title FROM product p \
    JOIN product_category pc ON pc.product_id = p.id JOIN category c ON c.id = pc.category_id, unnest(c.lineage) AS above \
    WHERE p.status = 'active' AND p.deleted_at IS NULL), \
  stored AS (SELECT product_id, category_id, published_at, title FROM product_listing) \
  SELECT count(*) AS number FROM ((TABLE wanted EXCEPT TABLE stored) UNION ALL (TABLE stored EXCEPT TABLE wanted)) d";

/// Products of the categories in the way `a`, `a > c`, `a > c > d`; `b` and `e` are empty.
fn shelves(conn: &mut Connection) {
    psql(
        conn,
        "INSERT INTO category (slug, name) VALUES ('a', 'A'), ('b', 'B'), ('e', 'E'); \
         INSERT INTO category (slug, name, parent_id) SELECT 'c', 'C', id FROM category WHERE slug = 'a'; \
         INSERT INTO category (slug, name, parent_id) SELECT 'd', 'D', id FROM category WHERE slug = 'c'; \
         INSERT INTO product (title) VALUES ('Lamp'), ('Mug'), ('Pen'); \
         INSERT INTO product (title, status) VALUES ('Draft', 'draft'); \
         INSERT INTO product_category SELECT p.id, c.id FROM product p, category c \
          WHERE (p.title, c.slug) IN (('Lamp', 'c'), ('Draft', 'c'), ('Pen', 'd'))",
    );
    assert_eq!(number(conn, MISPLACED), 0);
}

fn category(conn: &mut Connection, slug: &str) -> Uuid {
    texts(conn, &format!("SELECT id::text AS text FROM category WHERE slug = '{slug}'"))[0].parse().unwrap()
}

const MOVES: [&str; 2] = [
    "UPDATE category SET parent_id = (SELECT id FROM category WHERE slug = 'b') WHERE slug = 'c'",
    "UPDATE category SET parent_id = (SELECT id FROM category WHERE slug = 'b'), slug = 'aa' WHERE slug = 'a'",
];

/// Lists show what is in a category and below it, whatever became of the product while the category was moved; and those
/// above the new place are named by the later event.
#[test]
fn lists_are_right_when_products_change_while_categories_move() {
    let changes = [
        "DELETE FROM product_category USING category c WHERE category_id = c.id AND c.slug = 'c'",
        "UPDATE product_category SET category_id = (SELECT id FROM category WHERE slug = 'e') WHERE product_id IN (SELECT id FROM product WHERE title = 'Lamp')",
        "INSERT INTO product_category SELECT p.id, c.id FROM product p, category c WHERE p.title = 'Mug' AND c.slug = 'd'",
        "UPDATE product SET status = 'archived' WHERE title IN ('Lamp', 'Pen')",
        "UPDATE product SET status = 'active' WHERE title = 'Draft'",
        "UPDATE product SET title = title || '!', external_id = title",
        "DELETE FROM product WHERE title IN ('Lamp', 'Pen')",
    ];
    for change in changes {
        for (first, second) in MOVES.iter().flat_map(|move_it| orders(change, move_it)) {
            let db = support::database();
            let mut conn = db.connect();
            shelves(&mut conn);
            let above = category(&mut conn, "b");
            meet(&db, first, second);
            assert_eq!(number(&mut conn, MISPLACED), 0, "{first}; {second}");
            assert!(last_deps(&mut conn).contains(&Dependency::listing(&above).0), "{first}; {second}");
        }
    }
}

/// A batch of an import changes product after product; a category moved in between waits for it or goes before it, whatever
/// the order, and neither is ended by the database.
#[test]
fn a_category_moves_while_a_batch_of_products_changes() {
    let renamed = |title: &str| {
        format!("UPDATE product SET title = 'New', external_id = '{title}' WHERE title = '{title}'")
    };
    let numbered =
        |title: &str| format!("UPDATE product SET external_id = '{title}' WHERE title = '{title}'");
    for (first, then) in [
        (renamed("Lamp"), renamed("Pen")),
        (renamed("Pen"), renamed("Lamp")),
        (numbered("Lamp"), renamed("Pen")),
        (numbered("Pen"), renamed("Lamp")),
    ] {
        for move_it in MOVES {
            let db = support::database();
            let mut conn = db.connect();
            shelves(&mut conn);
            meet_between(&db, &first, move_it, &then);
            assert_eq!(number(&mut conn, MISPLACED), 0, "{first}; {move_it}; {then}");
        }
    }
}
