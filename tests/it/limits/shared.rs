//! Counts that instances share over Redis, and what holds while they cannot.

use std::time::{Duration, Instant};

use redis::Connection;

use super::{admitted, ask, limit, told};
use crate::support::{
    app::App,
    chaos::Relay,
    database,
    database::TestDatabase,
    process::Instance,
    redis::{OwnRedis, own_redis},
    waiting::{PATIENCE, wait_until},
};

const LIMIT: u32 = 200;

/// Two instances behind one balancer, their Redis behind a relay.
struct Pair {
    // Ended before what they use: fields are dropped in order.
    instances: [App; 2],
    relay: Relay,
    redis: OwnRedis,
    _database: TestDatabase,
}

fn pair() -> Pair {
    let (database, redis) = (database(), own_redis());
    let (relay, url) = Relay::to_redis(&redis.url);
    let start = || App::join(&database.url, Some(&url), |settings| limit(settings, LIMIT));
    Pair { instances: [start(), start()], relay, redis, _database: database }
}

/// What each instance has told of a client.
fn counts(redis: &mut Connection, client: &str) -> Vec<u32> {
    let keys: Vec<String> =
        redis::cmd("KEYS").arg(format!("aisle:*:address:{client}")).query(redis).expect("keys");
    assert!(keys.len() < 2, "{keys:?}");
    let Some(key) = keys.first() else { return Vec::new() };
    let mut counts: Vec<u32> = redis::cmd("HVALS").arg(key).query(redis).expect("counts");
    counts.sort_unstable();
    counts
}

#[test]
fn instances_count_a_client_together() {
    let Pair { instances: [one, two], redis, .. } = &pair();
    let mut connection = redis.connect();
    let client = "203.0.113.7";
    assert_eq!(admitted(one, client, 1000), 200);
    wait_until(PATIENCE, "all of them told", || counts(&mut connection, client) == [200]);
    assert_eq!(ask(two, super::PATH, client).status(), 200, "it has heard nothing of this client");
    wait_until(PATIENCE, "both counts told", || counts(&mut connection, client) == [1, 200]);
    // What Redis has may not have been heard yet.
    let more = admitted(two, client, 1000);
    assert!(more < 100, "{more} more were admitted");
    let keys: Vec<String> = redis::cmd("KEYS").arg("aisle:*:tally:*").query(&mut connection).expect("keys");
    let lives: Vec<i64> =
        keys.iter().map(|key| redis::cmd("TTL").arg(key).query(&mut connection).expect("a life")).collect();
    assert!(lives.len() == 1 && lives[0] > 0, "nothing stays for ever: {lives:?}");
    assert_eq!(told(&ask(two, super::PATH, "203.0.113.8")).1, LIMIT - 1, "another client");
}

/// Asks until an instance has heard of so many requests of a client elsewhere.
fn hears_of(app: &App, client: &str, elsewhere: u32) {
    let mut own = 0;
    wait_until(PATIENCE, "the counts of others heard", || {
        own += 1;
        Some(told(&ask(app, super::PATH, client)).1) == LIMIT.checked_sub(elsewhere + own)
    });
}

#[test]
fn what_redis_forgets_is_told_again() {
    let Pair { instances: [one, two], redis, .. } = &pair();
    let mut connection = redis.connect();
    let client = "203.0.113.7";
    assert_eq!(admitted(one, client, 20), 20);
    wait_until(PATIENCE, "told", || counts(&mut connection, client) == [20]);
    redis.flush();
    ask(one, super::PATH, client);
    wait_until(PATIENCE, "told again, whole", || counts(&mut connection, client) == [21]);
    hears_of(two, client, 21);
}

#[test]
fn whatever_ails_redis_answers_go_on_and_the_limit_holds_for_each_instance() {
    let pair = pair();
    let [one, two] = &pair.instances;
    let mut connection = pair.redis.connect();
    let faults: [(&str, &dyn Fn()); 3] = [
        ("frozen", &|| pair.relay.freeze()),
        ("slow", &|| pair.relay.delay(500)),
        ("cut", &|| pair.relay.cut()),
    ];
    for (number, (fault, begin)) in faults.into_iter().enumerate() {
        let client = |kind: u8| format!("192.0.{number}.{kind}");
        ask(one, super::PATH, &client(1));
        wait_until(PATIENCE, "counts exchanged", || counts(&mut connection, &client(1)) == [1]);
        let errors = one.shared.metrics.limits.exchange_errors.get();
        begin();
        ask(one, super::PATH, &client(1));
        wait_until(PATIENCE, fault, || one.shared.metrics.limits.exchange_errors.get() > errors);

        let begun = Instant::now();
        assert_eq!(admitted(one, &client(2), 1000), 200, "{fault}");
        assert_eq!(admitted(two, &client(2), 1000), 200, "{fault}");
        // Had each waited for Redis, it would have been 40 s.
        assert!(begun.elapsed() < Duration::from_secs(20), "{fault}: {:?}", begun.elapsed());
        assert_eq!(admitted(one, &client(3), 50), 50);

        pair.relay.heal();
        wait_until(PATIENCE, "what was counted meanwhile told, once", || {
            counts(&mut connection, &client(2)) == [200, 200] && counts(&mut connection, &client(3)) == [50]
        });
        hears_of(two, &client(3), 50);
    }
}

#[test]
fn an_outage_is_told_once() {
    let (database, mut redis) = (database(), own_redis());
    let instance = Instance::serve(&[
        ("DATABASE_URL", &database.url),
        ("REDIS_URL", &redis.url),
        ("AISLE_RATE_LIMIT_ADDRESS", "1000000"),
        ("RUST_LOG", "info"),
    ]);
    let client = reqwest::blocking::Client::new();
    let get = |path: &str| {
        let answer = client.get(format!("{}{path}", instance.url)).send().expect("an answer");
        answer.text().expect("text")
    };
    let errors = || {
        let metrics = get("/metrics");
        let line =
            metrics.lines().find_map(|line| line.strip_prefix("aisle_rate_limit_exchange_errors_total "));
        line.and_then(|count| count.parse::<u64>().ok()).expect("a count")
    };
    redis.stop();
    wait_until(PATIENCE, "several attempts", || {
        get(super::PATH);
        errors() > 2
    });
    let told = |what: &str| instance.log().matches(what).count();
    assert_eq!(told("rate limits hold for this instance alone"), 1);
    redis.start();
    wait_until(PATIENCE, "the end of it told", || {
        get(super::PATH);
        told("rate limits are shared again") == 1
    });
    assert_eq!(told("rate limits hold for this instance alone"), 1);
}
