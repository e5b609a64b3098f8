//! The log is pruned from its low end: never what somebody has yet to read, and nobody notices.

use std::time::Duration;

use aisle::store::{
    Connection,
    pruning::{Pruned, Retention, prune},
};
use serde_json::json;

use crate::{
    catalogue::{create, number, psql, texts},
    support::{
        self,
        app::App,
        redis::shared_redis,
        waiting::{PATIENCE, wait_until},
    },
};

const KEEP: Retention =
    Retention { age: Duration::from_hours(1), positions_max: 1_000_000, positions_min: 1, batch: 100 };

/// A log of six events, all of them old.
fn six_old_events(connection: &mut Connection) {
    for title in ["One", "Two", "Three", "Four", "Five", "Six"] {
        create(connection, &json!({"title": title}));
    }
    psql(connection, "UPDATE catalog_event SET stamped_at = now() - interval '2 hours'");
    assert_eq!(positions(connection), ["1", "2", "3", "4", "5", "6"]);
}

fn positions(connection: &mut Connection) -> Vec<String> {
    texts(connection, "SELECT pos::text AS text FROM catalog_event ORDER BY pos")
}

#[test]
fn what_is_old_goes_in_batches_and_the_head_stays() {
    let db = support::database();
    let mut conn = db.connect();
    six_old_events(&mut conn);
    let keep = Retention { batch: 3, ..KEEP };
    assert_eq!(prune(&mut conn, keep).unwrap(), Pruned { rows: 3, has_more: true });
    assert_eq!(positions(&mut conn), ["4", "5", "6"]);
    assert_eq!(prune(&mut conn, keep).unwrap(), Pruned { rows: 2, has_more: false });
    assert_eq!(prune(&mut conn, keep).unwrap(), Pruned { rows: 0, has_more: false });
    assert_eq!(positions(&mut conn), ["6"]);
    assert_eq!(number(&mut conn, "SELECT pos AS number FROM catalog_pruned"), 5);
}

#[test]
fn the_young_stay_with_all_that_follows_them() {
    let db = support::database();
    let mut conn = db.connect();
    six_old_events(&mut conn);
    // The clock was set back afterwards: a younger event before older ones.
    psql(&mut conn, "UPDATE catalog_event SET stamped_at = now() WHERE pos IN (3, 5)");
    assert_eq!(prune(&mut conn, KEEP).unwrap().rows, 2);
    assert_eq!(positions(&mut conn), ["3", "4", "5", "6"]);
    let few = Retention { positions_max: 2, ..KEEP };
    assert_eq!(prune(&mut conn, few).unwrap().rows, 2, "however young, no more than so many");
    assert_eq!(positions(&mut conn), ["5", "6"]);
}

#[test]
fn what_a_member_has_yet_to_apply_stays() {
    let db = support::database();
    let mut conn = db.connect();
    six_old_events(&mut conn);
    psql(
        &mut conn,
        "INSERT INTO catalog_member (id, url, lease_ms, acked) VALUES (gen_random_uuid(), 'http://slow', 2000, 4), \
         (gen_random_uuid(), 'http://fast', 2000, 6)",
    );
    assert_eq!(prune(&mut conn, KEEP).unwrap().rows, 3);
    // The event at which the slow one stands tells it that this is still the log it knows.
    assert_eq!(positions(&mut conn), ["4", "5", "6", "7"]);
}

#[test]
fn one_prunes_at_a_time() {
    let db = support::database();
    let mut conn = db.connect();
    six_old_events(&mut conn);
    let mut other = db.connect();
    psql(&mut other, "BEGIN; SELECT pg_advisory_xact_lock(4205)");
    assert_eq!(prune(&mut conn, KEEP).unwrap(), Pruned { rows: 0, has_more: false });
    psql(&mut other, "COMMIT");
    assert_eq!(prune(&mut conn, KEEP).unwrap().rows, 5);
}

/// An instance that starts finds a long, old log and prunes it; one that was there before goes on, edits and lists too.
#[test]
fn instances_prune_and_nobody_notices() {
    let mut first = App::start();
    let database = first.database.take().expect("its own");
    let made = first.create_product(&json!({"title": "Floor lamp"}));
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    let list = || first.get_json("/v1/store/products?facets=brand");
    assert_eq!(list()["items"][0]["title"], "Floor lamp");
    let mut conn = database.connect();
    psql(
        &mut conn,
        "UPDATE catalog_event SET stamped_at = now() - interval '2 days'; SELECT setval('catalog_pos', 20000)",
    );
    first.patch_product(made["id"].as_str().expect("an id"), &json!({"title": "Desk lamp"}));
    let joins = number(&mut conn, "SELECT count(*) AS number FROM catalog_event WHERE kind = 'join'");
    assert_eq!(joins, 1);
    let second = App::join(&database.url, Some(shared_redis()), |_| ());
    wait_until(PATIENCE, "the old events pruned", || {
        number(&mut conn, "SELECT count(*) AS number FROM catalog_event WHERE pos < 20000") == 0
    });
    let pruned = |app: &App| app.shared.metrics.log.pruned.get();
    wait_until(PATIENCE, "their number told", || pruned(&first) + pruned(&second) == 2);
    first.patch_product(made["id"].as_str().expect("an id"), &json!({"title": "Wall lamp"}));
    for app in [&first, &second] {
        assert_eq!(app.get_json(&path)["title"], "Wall lamp");
        let listed = app.get_json("/v1/store/products?facets=brand");
        assert_eq!(listed["items"][0]["title"], "Wall lamp");
    }
    let joins = number(&mut conn, "SELECT count(*) AS number FROM catalog_event WHERE kind = 'join'");
    assert_eq!(joins, 1, "only the second joined since: the first was not thrown back to its start");
    assert_eq!(first.shared.metrics.coherence.ejected.get(), 0);
}
