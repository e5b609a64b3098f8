//! The test tools do what they say: a broken tool would make every other test worthless.

use std::time::{Duration, Instant};

use diesel::{Connection, PgConnection, connection::SimpleConnection};

use super::{
    chaos::Relay,
    database::{connect, database, empty_database, number},
    redis::{own_redis, shared_redis},
    waiting::{PATIENCE, wait_until},
};

#[test]
fn each_test_has_a_database_of_its_own() {
    let (first, second) = (database(), database());
    first.connect().batch_execute("CREATE TABLE only_here ()").unwrap();
    let there = "SELECT (to_regclass('only_here') IS NOT NULL)::int AS number";
    assert_eq!(number(&mut first.connect(), there), 1);
    assert_eq!(number(&mut second.connect(), there), 0);
    let url = first.url.clone();
    drop(first);
    assert!(PgConnection::establish(&url).is_err(), "dropped with its test");
}

#[test]
fn a_relay_cuts_freezes_delays_and_heals_postgres() {
    let database = empty_database();
    let (relay, url) = Relay::to_postgres(&database.url);
    let mut session = connect(&url);
    session.batch_execute("SELECT 1").unwrap();
    assert_eq!(relay.connections(), 1);

    relay.cut();
    assert!(session.batch_execute("SELECT 1").is_err());
    assert!(PgConnection::establish(&url).is_err());
    assert_eq!(relay.connections(), 0);

    relay.heal();
    let mut session = connect(&url);
    relay.delay(50);
    let asked = Instant::now();
    session.batch_execute("SELECT 1").unwrap();
    assert!(asked.elapsed() >= Duration::from_millis(100), "there and back");

    relay.freeze();
    let asking = std::thread::spawn(move || session.batch_execute("SELECT 1"));
    let mut direct = database.connect();
    let running = "SELECT count(*)::int AS number FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'";
    assert_eq!(number(&mut direct, running), 0, "nothing arrives");
    assert!(!asking.is_finished());
    relay.heal();
    asking.join().unwrap().unwrap();
}

#[test]
fn a_redis_of_ones_own_can_be_broken() {
    let mut redis = own_redis();
    assert_ne!(redis.url, shared_redis());
    let ping = |connection: &mut redis::Connection| redis::cmd("PING").exec(connection);
    let mut session = redis.connect();
    redis::cmd("SET").arg("key").arg("value").exec(&mut session).unwrap();
    redis.flush();
    let left: Option<String> = redis::cmd("GET").arg("key").query(&mut session).unwrap();
    assert_eq!(left, None);

    redis.pause();
    session.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(ping(&mut session).is_err(), "a paused Redis answers nobody");
    redis.resume();
    ping(&mut redis.connect()).unwrap();

    let client = redis::Client::open(redis.url.as_str()).unwrap();
    redis.stop();
    assert!(client.get_connection().is_err(), "a stopped Redis refuses");
    redis.start();
    ping(&mut redis.connect()).unwrap();

    let (relay, url) = Relay::to_redis(&redis.url);
    let mut through = super::redis::connect(&url);
    ping(&mut through).unwrap();
    relay.cut();
    assert!(ping(&mut through).is_err());
    relay.heal();
    wait_until(PATIENCE, "redis through the relay", || ping(&mut super::redis::connect(&url)).is_ok());
}
