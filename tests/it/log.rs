//! The log: positioned at commit, in the order in which commits become visible.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use aisle::{
    domain::dependency::Dependency,
    store::{Connection, events, products},
};
use diesel::{RunQueryDsl, sql_query, sql_types as sql};
use serde_json::json;
use uuid::Uuid;

use crate::{
    catalogue::{create, edit, events as count, last_deps, number, psql, texts},
    support,
};

const WRITERS: u64 = 8;
const EDITS: u64 = 40;

/// A small generator, so that a failing order can be run again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Writers change products and hold their transactions open for a random time, so that commits overtake each other; the
/// follower only ever asks for what is above the last position it saw.
#[test]
fn a_follower_never_skips_an_event() {
    let db = support::database();
    let mut conn = db.connect();
    let ids: Vec<Uuid> =
        (0..WRITERS).map(|n| create(&mut conn, &json!({"title": format!("Lamp {n}")})).id).collect();
    let start = events::head(&mut conn).unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let follower = {
        let (done, mut conn) = (Arc::clone(&done), db.connect());
        thread::spawn(move || {
            let (mut seen, mut last) = (BTreeSet::new(), start);
            loop {
                // Read before the pull: what is committed by then must be in it.
                let finished = done.load(Ordering::Acquire);
                let pulled = events::pull(&mut conn, last, 7).unwrap();
                let full = pulled.events.len() == 7;
                for event in pulled.events {
                    assert!(event.pos > last && event.pos <= pulled.head);
                    assert!(seen.insert(event.pos));
                    last = event.pos;
                }
                if finished && !full {
                    return seen;
                }
            }
        })
    };
    let barrier = Arc::new(Barrier::new(usize::try_from(WRITERS).unwrap()));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (mut conn, ids, barrier) = (db.connect(), ids.clone(), Arc::clone(&barrier));
            thread::spawn(move || {
                barrier.wait();
                write_out_of_order(&mut conn, &ids, &mut Dice(writer))
            })
        })
        .collect();
    let committed: BTreeSet<i64> =
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect();
    done.store(true, Ordering::Release);
    let seen = follower.join().expect("the follower");
    assert_eq!(committed.len(), usize::try_from(WRITERS * EDITS).unwrap());
    assert_eq!(seen, committed, "every committed position, and nothing else");
    let stored =
        number(&mut conn, &format!("SELECT count(*) AS number FROM catalog_event WHERE pos > {start}"));
    assert_eq!(usize::try_from(stored).unwrap(), committed.len());
}

/// Commits edits, one in ten rolled back, and gives the positions of the committed ones.
fn write_out_of_order(conn: &mut Connection, ids: &[Uuid], dice: &mut Dice) -> Vec<i64> {
    let mut positions = Vec::new();
    while positions.len() < usize::try_from(EDITS).unwrap() {
        let id = ids[usize::try_from(dice.roll(WRITERS)).unwrap()];
        let (hold_ms, title, fails) = (dice.roll(6), dice.roll(1_000_000_000), dice.roll(10) == 0);
        let edited = aisle::store::edit::transaction(conn, |conn| {
            sql_query("UPDATE product SET title = 'Lamp ' || $1 WHERE id = $2")
                .bind::<sql::BigInt, _>(i64::try_from(title).unwrap())
                .bind::<sql::Uuid, _>(id)
                .execute(conn)?;
            thread::park_timeout(Duration::from_millis(hold_ms));
            if fails { Err(aisle::store::error::StoreError::NotFound) } else { Ok(()) }
        });
        match edited {
            Ok(((), event)) => positions.push(event.expect("a new title makes an event").pos),
            Err(error) => assert!(fails, "{error}"),
        }
    }
    positions
}

#[test]
fn one_transaction_is_one_event() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(
        &mut conn,
        &json!({"title": "Lamp", "variants": [{"sku": "L", "prices": [{"currency": "USD", "amount": 1}]}]}),
    );
    assert_eq!(count(&mut conn), 1);
    let deps = last_deps(&mut conn);
    let expected = [
        Dependency::product(&lamp.id),
        Dependency::slug("lamp"),
        Dependency::sku("L"),
        Dependency::listing_all(),
        Dependency::goods(),
    ];
    let expected: BTreeSet<i64> = expected.iter().map(|dependency| dependency.0).collect();
    assert_eq!(deps.iter().copied().collect::<BTreeSet<_>>(), expected);
    psql(
        &mut conn,
        "BEGIN; UPDATE price SET amount = 2; UPDATE product SET title = 'A'; UPDATE product SET title = 'B'; COMMIT",
    );
    assert_eq!(count(&mut conn), 2);
    psql(&mut conn, "BEGIN; UPDATE price SET amount = 3; ROLLBACK");
    assert_eq!(count(&mut conn), 2);
    psql(
        &mut conn,
        "BEGIN; SAVEPOINT a; UPDATE price SET amount = 3; ROLLBACK TO a; UPDATE product SET title = 'C'; COMMIT",
    );
    assert_eq!(count(&mut conn), 3);
    assert_eq!(number(&mut conn, "SELECT version AS number FROM product"), 3);
}

#[test]
fn very_large_edits_and_truncate_change_everything() {
    let db = support::database();
    let mut conn = db.connect();
    psql(&mut conn, "INSERT INTO product (title) SELECT 'Lamp ' || n FROM generate_series(1, 9000) n");
    assert_eq!(last_deps(&mut conn), [0]);
    assert_eq!(
        texts(&mut conn, "SELECT coalesce(products::text, 'many') AS text FROM catalog_event"),
        ["many"]
    );
    psql(&mut conn, "TRUNCATE price");
    assert_eq!((count(&mut conn), last_deps(&mut conn)), (2, vec![0]));
    assert_eq!(number(&mut conn, "SELECT min(version) AS number FROM product"), 2);
    psql(&mut conn, "TRUNCATE product CASCADE");
    assert_eq!((count(&mut conn), last_deps(&mut conn)), (3, vec![0]));
    psql(&mut conn, "SELECT catalog.flush()");
    assert_eq!((count(&mut conn), last_deps(&mut conn)), (4, vec![0]));
}

#[test]
fn rewriting_a_table_changes_everything() {
    let db = support::database();
    let mut conn = db.connect();
    let price = json!({"title": "Lamp", "variants": [{"prices": [{"currency": "USD", "amount": 1}]}]});
    let lamp = create(&mut conn, &price);
    psql(
        &mut conn,
        "ALTER TABLE price ALTER COLUMN amount TYPE bigint USING amount * 7, ALTER COLUMN compare_at TYPE numeric",
    );
    assert_eq!(last_deps(&mut conn), [0]);
    let row = aisle::store::reads::product(&mut conn, lamp.id).unwrap().value.unwrap();
    assert!(row.body.contains("\"amount\" : 7"), "no outdated document: {}", row.body);
}

/// A dump restored into another cluster brings events whose transaction ids come round again.
#[test]
fn an_event_of_another_cluster_is_not_merged_into() {
    let db = support::database();
    let mut conn = db.connect();
    create(&mut conn, &json!({"title": "Lamp"}));
    psql(
        &mut conn,
        "BEGIN; \
         INSERT INTO catalog_event (xid, pos, deps, at) VALUES (pg_current_xact_id(), 1000, '{42}', now() - interval '1 day'); \
         UPDATE product SET title = 'New'; COMMIT",
    );
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM catalog_event WHERE 42 = ANY (deps)"), 0);
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM catalog_event WHERE pos IS NULL"), 0);
    assert_eq!(count(&mut conn), 2);
}

#[test]
fn the_doorbell_rings_at_commit_unless_muted() {
    let db = support::database();
    let (mut conn, mut listener) = (db.connect(), db.connect());
    psql(&mut listener, "LISTEN catalog");
    let rings = |listener: &mut Connection| {
        sql_query("SELECT 1").execute(listener).unwrap();
        listener.notifications_iter().map(|ring| ring.unwrap().channel).collect::<Vec<_>>()
    };
    create(&mut conn, &json!({"title": "Lamp"}));
    assert_eq!(rings(&mut listener), ["catalog"]);
    psql(&mut conn, "BEGIN; SET LOCAL aisle.doorbell = off; UPDATE product SET title = 'Quiet'; COMMIT");
    assert!(rings(&mut listener).is_empty());
    psql(&mut conn, "UPDATE product SET title = title");
    assert!(rings(&mut listener).is_empty(), "nothing changed");
    psql(&mut conn, "UPDATE product SET title = 'Loud'");
    assert_eq!(rings(&mut listener), ["catalog"]);
}

/// Constraints made immediate stamp in the middle of the transaction; what follows is still in the event, and no document
/// built too early survives.
#[test]
fn an_early_stamp_loses_nothing() {
    let db = support::database();
    let mut conn = db.connect();
    let price = json!({"title": "Lamp", "variants": [{"prices": [{"currency": "USD", "amount": 1}]}]});
    let lamp = create(&mut conn, &price);
    psql(
        &mut conn,
        "BEGIN; UPDATE price SET amount = 2; SET CONSTRAINTS ALL IMMEDIATE; \
         UPDATE price SET amount = 3; UPDATE product SET title = 'After'; COMMIT",
    );
    assert_eq!(count(&mut conn), 2);
    assert!(last_deps(&mut conn).contains(&Dependency::listing_all().0), "the title moved lists");
    let row = aisle::store::reads::product(&mut conn, lamp.id).unwrap().value.unwrap();
    assert_eq!(row.version, 2);
    assert!(row.body.contains("\"amount\" : 3") && row.body.contains("After"), "{}", row.body);
}

#[test]
fn numbers_of_dependencies_agree_with_the_database() {
    let db = support::database();
    let mut conn = db.connect();
    let id = Uuid::now_v7();
    for (dependency, kind, key) in [
        (Dependency::product(&id), "product", id.to_string()),
        (Dependency::slug("lampe-ä"), "slug", "lampe-ä".to_owned()),
        (Dependency::listing_all(), "listing", "*".to_owned()),
        (Dependency::category_tree(), "categories", String::new()),
        (Dependency::brand_list(), "brands", String::new()),
        (Dependency::attribute_list(), "attributes", String::new()),
        (Dependency::synonyms(), "synonyms", String::new()),
    ] {
        assert_eq!(
            number(&mut conn, &format!("SELECT catalog.dep('{kind}', '{key}') AS number")),
            dependency.0
        );
    }
}

#[test]
fn an_edit_gives_its_event_and_a_no_op_none() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(&mut conn, &json!({"title": "Lamp"}));
    let (_, event) = edit(&mut conn, |conn| {
        products::patch(conn, lamp.id, aisle::store::Precondition::Exists, &json!({"title": "New"}))
    });
    let event = event.unwrap();
    assert_eq!((event.pos, event.kind.as_str()), (2, "edit"));
    assert_eq!(events::pull(&mut conn, 1, 10).unwrap().events, [event]);
    let (_, event) = edit(&mut conn, |conn| {
        products::patch(conn, lamp.id, aisle::store::Precondition::Exists, &json!({"title": "New"}))
    });
    assert_eq!(event, None);
    let (_, event) = edit(&mut conn, |conn| products::get(conn, lamp.id));
    assert_eq!(event, None);
    assert_ne!(
        events::catalog_identity(&mut conn).unwrap(),
        events::catalog_identity(&mut support::database().connect()).unwrap()
    );
}
