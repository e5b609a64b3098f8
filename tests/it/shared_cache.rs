//! The cache in Redis: what it refuses costs nobody else anything, and what says nothing does not stay.

use redis::Connection;
use serde_json::json;

use crate::support::{
    app::App,
    database,
    redis::{OwnRedis, own_redis},
    waiting::{PATIENCE, wait_for},
};

/// The one key of this kind, once it is there.
fn key(connection: &mut Connection, pattern: &str) -> String {
    wait_for(PATIENCE, pattern, || {
        let mut keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(connection).expect("keys");
        assert!(keys.len() < 2, "{keys:?}");
        keys.pop()
    })
}

fn milliseconds_left(connection: &mut Connection, key: &str) -> i64 {
    redis::cmd("PTTL").arg(key).query(connection).expect("a life")
}

struct Catalogue {
    redis: OwnRedis,
    database: database::TestDatabase,
    /// Paths of three products; the first two are in Redis.
    paths: [String; 3],
    keys: [String; 2],
}

fn catalogue() -> Catalogue {
    let (redis, database) = (own_redis(), database());
    let app = App::join(&database.url, Some(&redis.url), |_| ());
    let ids = ["a", "b", "c"].map(|title| {
        let made = app.create_product(&json!({ "title": title }));
        made["id"].as_str().expect("an id").to_owned()
    });
    let paths = ids.clone().map(|id| format!("/v1/store/products/{id}"));
    let mut connection = redis.connect();
    let keys = [0, 1].map(|number| {
        app.get_json(&paths[number]);
        key(&mut connection, &format!("aisle:*:p:{}:*", ids[number].replace('-', "")))
    });
    Catalogue { redis, database, paths, keys }
}

/// Another instance with one connection to Redis, whose local cache is empty.
fn cold(catalogue: &Catalogue) -> App {
    App::join(&catalogue.database.url, Some(&catalogue.redis.url), |settings| settings.fill_actors = 1)
}

fn source(app: &App, path: &str) -> String {
    let answer = app.get(path);
    assert_eq!(answer.status(), 200, "{path}");
    answer.headers()["cache-status"].to_str().expect("text").to_owned()
}

const SHARED: &str = "aisle; hit; detail=shared";
const MISS: &str = "aisle; fwd=miss; stored";

#[test]
fn a_key_of_another_type_costs_its_own_readers_a_miss_and_nobody_else_anything() {
    let catalogue = catalogue();
    let mut connection = catalogue.redis.connect();
    redis::cmd("DEL").arg(&catalogue.keys[0]).exec(&mut connection).expect("delete");
    redis::cmd("LPUSH").arg(&catalogue.keys[0]).arg("no entry").exec(&mut connection).expect("push");
    let app = cold(&catalogue);
    assert_eq!(source(&app, &catalogue.paths[0]), MISS);
    assert_eq!(source(&app, &catalogue.paths[1]), SHARED);
    let metrics = &app.shared.metrics;
    assert_eq!((metrics.cache.shared_errors.get(), metrics.redis.breaker_opened.get()), (1, 0));
    // What was read takes the place of what was no entry.
    wait_for(PATIENCE, "the entry in its place", || {
        let kind: String = redis::cmd("TYPE").arg(&catalogue.keys[0]).query(&mut connection).expect("a type");
        (kind == "string").then_some(())
    });
    assert_eq!(source(&cold(&catalogue), &catalogue.paths[0]), SHARED);
}

#[test]
fn a_full_redis_still_answers_what_it_has() {
    let catalogue = catalogue();
    if !catalogue.redis.take_no_more() {
        eprintln!("left out: no Redis of one's own to fill");
        return;
    }
    let app = cold(&catalogue);
    let metrics = &app.shared.metrics;
    assert_eq!(source(&app, &catalogue.paths[2]), MISS);
    wait_for(PATIENCE, "the write refused", || (metrics.cache.shared_errors.get() == 1).then_some(()));
    for path in &catalogue.paths[..2] {
        assert_eq!(source(&app, path), SHARED);
    }
    assert_eq!((metrics.redis.breaker_opened.get(), metrics.redis.breaker_open.get()), (0, 0));
}

#[test]
fn what_is_not_there_is_not_kept_for_long() {
    let catalogue = catalogue();
    let app = cold(&catalogue);
    assert_eq!(app.get("/v1/store/products/by-slug/nothing-here").status(), 404);
    let mut connection = catalogue.redis.connect();
    let absent = key(&mut connection, "aisle:*:s:nothing-here");
    let left = milliseconds_left(&mut connection, &absent);
    assert!((1..=60_000).contains(&left), "{left}");
    assert!(milliseconds_left(&mut connection, &catalogue.keys[0]) > 3_600_000);
}
