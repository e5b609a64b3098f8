//! The schema: migrations, and what the code believes of the tables.

use std::{collections::BTreeMap, thread};

use aisle::{
    domain::{draft::ProductDraft, money::Currency},
    store::{MissingNames, Precondition, edit, era::ExpectedEra, pool, products},
};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use serde_json::json;

use crate::{
    catalogue::{number, psql, texts},
    support,
};

/// `table.column type` lines, `?` for nullable, as `schema.rs` declares them.
fn declared() -> Vec<String> {
    let source = include_str!("../../src/store/schema.rs");
    let mut lines = Vec::new();
    for block in source.split("diesel::table! {").skip(1) {
        let body = block.split("\n}\n").next().unwrap();
        let mut table = "";
        let mut renamed = None;
        for line in body.lines().map(str::trim) {
            if let Some((name, _)) = line.strip_suffix("{").and_then(|line| line.split_once(" (")) {
                table = name;
            } else if let Some(name) = line.strip_prefix("#[sql_name = \"") {
                renamed = name.strip_suffix("\"]");
            } else if let Some((column, kind)) =
                line.strip_suffix(',').and_then(|line| line.split_once(" -> "))
            {
                let column = renamed.take().unwrap_or(column);
                lines.push(format!("{table}.{column} {}", postgres_type(kind)));
            }
        }
    }
    lines.sort();
    lines
}

/// Diesel's name of a type as Postgres says it.
fn postgres_type(kind: &str) -> String {
    if let Some(inner) = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>')) {
        return format!("{}?", postgres_type(inner));
    }
    if let Some(inner) = kind.strip_prefix("Array<Nullable<").and_then(|kind| kind.strip_suffix(">>")) {
        return format!("_{}", postgres_type(inner));
    }
    kind.to_lowercase()
}

#[test]
fn the_generated_schema_is_current() {
    let db = support::database();
    let mut conn = db.connect();
    let mut stored = texts(
        &mut conn,
        "SELECT table_name || '.' || column_name || ' ' || udt_name || CASE is_nullable WHEN 'YES' THEN '?' ELSE '' END AS text \
           FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '__diesel_schema_migrations'",
    );
    stored.sort();
    assert!(stored.len() > 100);
    assert_eq!(declared(), stored, "run `diesel print-schema` against a migrated database");
}

/// Everything a database is made of but its rows.
fn anatomy(conn: &mut aisle::store::Connection) -> Vec<String> {
    texts(
        conn,
        "SELECT x AS text FROM ( \
           SELECT 'column ' || table_name || ' ' || column_name || ' ' || udt_name || ' ' || is_nullable || ' ' || coalesce(column_default, '') \
             FROM information_schema.columns WHERE table_schema IN ('public', 'catalog') \
           UNION ALL SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) \
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace \
           UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' \
           UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal \
           UNION ALL SELECT 'function ' || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'catalog'::regnamespace \
           UNION ALL SELECT 'event trigger ' || evtname || evtenabled::text FROM pg_event_trigger \
         ) AS all_of_it (x) ORDER BY 1",
    )
}

#[test]
fn migrations_go_up_down_and_up_again() {
    let db = support::empty_database();
    let mut conn = db.connect();
    let empty = number(&mut conn, OBJECTS);
    let run = pool::migrate(&db.url).unwrap();
    assert!(run.len() >= 8);
    let first = anatomy(&mut conn);
    let migrations = || FileBasedMigrations::find_migrations_directory().unwrap();
    conn.revert_all_migrations(migrations()).unwrap();
    assert_eq!(number(&mut conn, OBJECTS), empty, "nothing stays behind");
    conn.run_pending_migrations(migrations()).unwrap();
    assert_eq!(anatomy(&mut conn), first);
}

#[test]
fn the_last_migration_goes_back_to_what_was_there_before_it() {
    let db = support::empty_database();
    let mut conn = db.connect();
    let migrations = || FileBasedMigrations::find_migrations_directory().unwrap();
    let mut states = Vec::new();
    while conn.has_pending_migration(migrations()).unwrap() {
        states.push(if states.is_empty() { Vec::new() } else { anatomy(&mut conn) });
        conn.run_next_migration(migrations()).unwrap();
    }
    conn.revert_last_migration(migrations()).unwrap();
    assert_eq!(anatomy(&mut conn), states.pop().unwrap());
}

const OBJECTS: &str = "SELECT (SELECT count(*) FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace \
        AND relname NOT LIKE '%diesel%') + (SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
        WHERE n.nspname = 'catalog') + (SELECT count(*) FROM pg_event_trigger) AS number";

#[test]
fn instances_that_start_together_migrate_once() {
    let db = support::empty_database();
    let runs: Vec<_> = (0..4)
        .map(|_| {
            let url = db.url.clone();
            thread::spawn(move || pool::migrate(&url).unwrap().len())
        })
        .collect();
    let mut run: Vec<usize> = runs.into_iter().map(|run| run.join().unwrap()).collect();
    run.sort_unstable();
    assert_eq!(run[..3], [0, 0, 0]);
    assert!(run[3] > 0);
    assert!(pool::pending(&mut db.connect()).unwrap().is_empty());
}

#[test]
fn every_trigger_fires_always_and_only_the_stamp_is_deferred() {
    let db = support::database();
    let mut conn = db.connect();
    let sleepy = "SELECT tgrelid::regclass || '.' || tgname AS text FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'A'";
    assert_eq!(texts(&mut conn, sleepy), Vec::<String>::new());
    let deferred = "SELECT conname::text AS text FROM pg_constraint WHERE condeferred \
        UNION ALL SELECT tgname::text FROM pg_trigger WHERE tginitdeferred AND NOT tgisinternal";
    let found = texts(&mut conn, deferred);
    assert!(!found.is_empty() && found.iter().all(|name| name == "stamp"), "{found:?}");
    // Replication sessions fire them too.
    psql(&mut conn, "SET session_replication_role = replica; INSERT INTO product (title) VALUES ('Lamp')");
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM catalog_event WHERE pos IS NOT NULL"), 1);
}

#[test]
fn the_database_knows_the_currencies_of_the_domain() {
    let db = support::database();
    let mut conn = db.connect();
    let stored: BTreeMap<String, String> =
        texts(&mut conn, "SELECT code || ' ' || exponent AS text FROM currency")
            .iter()
            .map(|line| {
                line.split_once(' ').map(|(code, exponent)| (code.to_owned(), exponent.to_owned())).unwrap()
            })
            .collect();
    let letters = || b'A'..=b'Z';
    let mut known = BTreeMap::new();
    for (a, b, c) in letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| (a, b, c)))) {
        let code = String::from_utf8(vec![a, b, c]).unwrap();
        if let Some(currency) = Currency::parse(&code) {
            known.insert(code, currency.exponent().to_string());
        }
    }
    assert_eq!(stored, known);
}

#[test]
fn a_connection_that_the_server_closed_is_not_lent_again() {
    let db = support::database();
    let pool = pool::Pool::new(&db.url, 2, ExpectedEra::default());
    assert_eq!(pool.state().open, 0, "nothing is connected before it is asked for");
    let pid = |conn: &mut aisle::store::Connection| number(conn, "SELECT pg_backend_pid()::bigint AS number");
    let first = pid(&mut pool.get().unwrap());
    psql(&mut db.connect(), &format!("SELECT pg_terminate_backend({first}, 10000)"));
    let second = pid(&mut pool.get().unwrap());
    assert_ne!(first, second);
    let name = "SELECT current_setting('application_name') AS text";
    assert_eq!(texts(&mut pool.get().unwrap(), name), ["aisle"]);
}

/// Cached reads: the server parses each of them once per connection, whatever is asked.
#[test]
fn reads_are_prepared_once() {
    let db = support::database();
    let mut conn = pool::connect(&db.url).unwrap();
    let read = |conn: &mut aisle::store::Connection| {
        use aisle::store::{events, reads};
        let id = uuid::Uuid::now_v7();
        reads::product(conn, id).unwrap();
        reads::products(conn, &[id]).unwrap();
        reads::by_slug(conn, &id.to_string()).unwrap();
        reads::by_sku(conn, &id.to_string()).unwrap();
        reads::by_slugs(conn, &[id.to_string()]).unwrap();
        reads::by_skus(conn, &[id.to_string()]).unwrap();
        reads::category(conn, &id.to_string()).unwrap();
        reads::category_tree(conn).unwrap();
        reads::brands(conn).unwrap();
        reads::attributes(conn).unwrap();
        reads::synonyms(conn).unwrap();
        events::pull(conn, 5, 10).unwrap();
        events::head(conn).unwrap();
    };
    read(&mut conn);
    let prepared = |conn: &mut aisle::store::Connection| {
        number(conn, "SELECT count(*) AS number FROM pg_prepared_statements")
    };
    let once = prepared(&mut conn);
    for _ in 0..3 {
        read(&mut conn);
    }
    assert_eq!((once, prepared(&mut conn)), (13, 13));
}

/// A product's parts are read by one statement, and what it has already is not looked up.
#[test]
fn an_edit_of_a_title_sends_few_statements_and_plans_each_once() {
    let db = support::database();
    let mut conn = pool::connect(&db.url).unwrap();
    let draft: ProductDraft = serde_json::from_value(json!({
        "title": "Lamp", "brand": "Acme", "categories": ["Home > Lamps"], "tags": ["new", "oak"],
        "product_type": "lamp", "attributes": {"watts": 5},
        "variants": [{"sku": "L", "attributes": {"size": "S"}, "stock": [{"location": "berlin", "quantity": 1}]}]
    }))
    .unwrap();
    let create = |conn: &mut aisle::store::Connection| products::create(conn, &draft, MissingNames::Create);
    let (made, _event) = edit::transaction(&mut conn, create).unwrap();
    let patch = |conn: &mut aisle::store::Connection, title: &str| {
        let patch = json!({"title": title});
        edit::transaction(conn, |conn| products::patch(conn, made.id, Precondition::Exists, &patch)).unwrap();
    };
    let prepared = |conn: &mut aisle::store::Connection, what: &str| {
        number(conn, &format!("SELECT ({what})::bigint AS number FROM pg_prepared_statements"))
    };
    patch(&mut conn, "One");
    let (known, sent) =
        (prepared(&mut conn, "count(*)"), prepared(&mut conn, "sum(generic_plans + custom_plans)"));
    patch(&mut conn, "Two");
    // Lock, product, update, product again, number of the transaction, event.
    assert_eq!(prepared(&mut conn, "sum(generic_plans + custom_plans)") - sent, 6);
    assert_eq!(prepared(&mut conn, "count(*)"), known);
    assert_eq!(prepared(&mut conn, "sum(custom_plans)"), 0);
}

/// Without this setting Postgres plans their statements anew for each edit, which takes longer than running them.
#[test]
fn what_an_edit_calls_with_arrays_is_planned_once() {
    let db = support::database();
    let planned_anew = texts(
        &mut db.connect(),
        "SELECT p.oid::regprocedure::text AS text FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang \
          WHERE p.pronamespace = 'catalog'::regnamespace AND l.lanname = 'plpgsql' \
            AND EXISTS (SELECT FROM unnest(p.proargtypes) AS a (type) JOIN pg_type t ON t.oid = a.type WHERE t.typcategory = 'A') \
            AND NOT coalesce('plan_cache_mode=force_generic_plan' = ANY (p.proconfig), false)",
    );
    assert!(planned_anew.is_empty(), "{planned_anew:?}");
}
