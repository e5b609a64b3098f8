//! What coherence promises: an acknowledged edit is seen by every later read on every instance, at once.

use std::time::{Duration, Instant};

use aisle::{
    limits::MIN_POSITION_PATIENCE,
    settings::{Consistency, ServeSettings},
};
use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    catalogue::number,
    support::{
        app::App,
        chaos::Relay,
        database,
        database::TestDatabase,
        redis::shared_redis,
        waiting::{PATIENCE, wait_until},
    },
};

fn lamp() -> Value {
    json!({"title": "Floor lamp", "variants": [{"sku": "L", "prices": [{"currency": "USD", "amount": 1}]}]})
}

fn lease(milliseconds: u16) -> impl Fn(&mut ServeSettings) {
    move |settings| settings.lease_ms = milliseconds
}

fn path(product: &Value) -> String {
    format!("/v1/store/products/{}", product["id"].as_str().expect("an id"))
}

fn id(product: &Value) -> &str {
    product["id"].as_str().expect("an id")
}

/// Never waits: what is promised holds at once.
fn every_edit_is_seen_at_once(redis: Option<&str>) {
    let database = database();
    let fleet: Vec<App> = (0..3).map(|_| App::join(&database.url, redis, |_| ())).collect();
    let category = fleet[0].admin_json(Method::POST, "/v1/admin/categories", &json!({"name": "Lamps"}));
    let mut draft = lamp();
    draft["category_ids"] = json!([category.json::<Value>().expect("JSON")["id"]]);
    let made = fleet[0].create_product(&draft);
    let list = "/v1/store/products?category=lamps";
    for round in 0..20 {
        for (number, editor) in fleet.iter().enumerate() {
            let wanted = format!("lamp {round} by {number}");
            editor.patch_product(id(&made), &json!({"title": wanted}));
            for reader in &fleet {
                assert_eq!(reader.get_json(&path(&made))["title"], *wanted);
                assert_eq!(reader.get_json("/v1/store/products/by-sku/L")["title"], *wanted);
                assert_eq!(reader.get_json(list)["items"][0]["title"], *wanted);
            }
        }
    }
}

#[test]
fn an_acknowledged_edit_is_seen_everywhere_at_once() {
    every_edit_is_seen_at_once(Some(shared_redis()));
}

#[test]
fn an_acknowledged_edit_is_seen_everywhere_at_once_without_redis() {
    every_edit_is_seen_at_once(None);
}

#[test]
fn an_edit_by_sql_is_seen_everywhere_once_sync_returns() {
    let database = database();
    let fleet: Vec<App> = (0..3).map(|_| App::join(&database.url, Some(shared_redis()), |_| ())).collect();
    let made = fleet[0].create_product(&lamp());
    let mut connection = database.connect();
    let changes =
        ["UPDATE product SET title = 'By hand'", "UPDATE price SET amount = 2", "TRUNCATE product CASCADE"];
    for change in changes {
        for app in &fleet {
            assert_eq!(app.get(&path(&made)).status(), 200);
        }
        let began = Instant::now();
        connection.batch_execute(change).expect("change");
        connection.batch_execute("SELECT catalog.sync()").expect("sync");
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "acknowledged, not waited out: {:?}",
            began.elapsed()
        );
        for app in &fleet {
            let answer = app.get(&path(&made));
            if change.starts_with("TRUNCATE") {
                assert_eq!(answer.status(), 404);
                continue;
            }
            let product: Value = answer.json().expect("JSON");
            assert_eq!(product["title"], "By hand");
            let price = if change.contains("price") { 2 } else { 1 };
            assert_eq!(product["variants"][0]["price"]["amount"], price);
        }
    }
    // Where it could not keep its promise it says so.
    let mut refusal = |wrong: &str| {
        let refusal = connection.batch_execute(wrong).expect_err(wrong).to_string();
        connection.batch_execute("ROLLBACK").expect("rollback");
        refusal
    };
    let snapshot = refusal("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT catalog.sync()");
    assert!(snapshot.contains("READ COMMITTED"), "{snapshot}");
    let inside = refusal("BEGIN; INSERT INTO product (title) VALUES ('New'); SELECT catalog.sync()");
    assert!(inside.contains("after the COMMIT"), "{inside}");
}

#[test]
fn an_edit_that_changes_nothing_rests_on_what_is_seen_everywhere() {
    let database = database();
    let editor = App::join(&database.url, None, lease(500));
    let made = editor.create_product(&lamp());
    let (relay, url) = Relay::to_postgres(&database.url);
    let cut_off = App::join(&url, None, lease(500));
    cut_off.get_json(&path(&made));
    relay.freeze();
    database.connect().batch_execute("UPDATE product SET title = 'By hand'").expect("update");
    editor.patch_product(id(&made), &json!({"title": "By hand"}));
    let other = cut_off.get(&path(&made));
    let is_labelled = other.headers()["cache-status"].to_str().expect("text").contains("unverified");
    assert!(is_labelled, "the other has lost its lease by the time the edit is acknowledged");
    relay.heal();
    wait_until(PATIENCE, "the lease", || cut_off.get("/readyz").status() == 200);
}

#[test]
fn the_first_edit_after_a_death_waits_a_lease_and_no_other_does() {
    let database = database();
    let editor = App::join(&database.url, Some(shared_redis()), |_| ());
    let made = editor.create_product(&lamp());
    let other = editor.create_product(&json!({"title": "Another"}));
    // A member that never renews: an instance that was killed just after it joined.
    database
        .connect()
        .batch_execute("INSERT INTO catalog_member (id, lease_ms) VALUES (gen_random_uuid(), 2000)")
        .expect("a member");
    let began = Instant::now();
    std::thread::scope(|scope| {
        let edit = scope.spawn(|| editor.patch_product(id(&made), &json!({"title": "First"})));
        // Reads of what is not edited go on meanwhile.
        while !edit.is_finished() {
            let read = Instant::now();
            assert_eq!(editor.get_json(&path(&other))["title"], "Another");
            assert!(read.elapsed() < Duration::from_secs(1), "{:?}", read.elapsed());
        }
    });
    let first = began.elapsed();
    assert!(first < Duration::from_secs(3), "{first:?}");
    wait_until(PATIENCE, "its ejection", || {
        number(&mut database.connect(), "SELECT count(*) AS number FROM catalog_member") == 1
    });
    let began = Instant::now();
    editor.patch_product(id(&made), &json!({"title": "Second"}));
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    assert_eq!(editor.shared.metrics.coherence.ejections.get(), 1);
}

#[test]
fn an_instance_that_stops_is_not_waited_for() {
    let database = database();
    let editor = App::join(&database.url, None, lease(5000));
    let mut leaving = App::join(&database.url, None, lease(5000));
    let made = editor.create_product(&lamp());
    leaving.stop();
    assert_eq!(number(&mut database.connect(), "SELECT count(*) AS number FROM catalog_member"), 1);
    let began = Instant::now();
    editor.patch_product(id(&made), &json!({"title": "New"}));
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn an_ejected_instance_joins_again_with_its_caches_warm() {
    let database = database();
    let app = App::join(&database.url, None, lease(1000));
    let made = app.create_product(&lamp());
    app.get_json(&path(&made));
    let before = app.shared.reader.coherence.own();
    database.connect().batch_execute("DELETE FROM catalog_member").expect("eject");
    wait_until(PATIENCE, "another incarnation", || {
        let own = app.shared.reader.coherence.own();
        own.is_some() && own != before && app.get("/readyz").status() == 200
    });
    let reads = app.store_messages();
    let answer = app.get(&path(&made));
    assert_eq!(answer.headers()["cache-status"], "aisle; hit; detail=local");
    assert_eq!(app.store_messages(), reads);
}

/// Cut off from Postgres for longer than a lease.
fn without_a_lease(consistency: Consistency) -> (App, Relay, Value, TestDatabase) {
    let database = database();
    let (relay, url) = Relay::to_postgres(&database.url);
    let app = App::join(&url, Some(shared_redis()), |settings| {
        settings.lease_ms = 500;
        settings.consistency = consistency;
    });
    let made = app.create_product(&lamp());
    app.get_json(&path(&made));
    assert_eq!(app.get("/v1/store/products/by-slug/nothing").status(), 404);
    relay.cut();
    wait_until(PATIENCE, "the end of the lease", || {
        let labels = app.get(&path(&made)).headers().get("cache-status").cloned();
        labels.is_none_or(|labels| labels.to_str().expect("text").contains("unverified"))
    });
    (app, relay, made, database)
}

#[test]
fn without_a_lease_cached_answers_say_so_and_others_are_refused() {
    let (app, relay, made, _database) = without_a_lease(Consistency::Available);
    let answer = app.get(&path(&made));
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["cache-status"], "aisle; hit; detail=unverified");
    let age: u64 = answer.headers()["age"].to_str().expect("text").parse().expect("seconds");
    assert!((1..60).contains(&age), "{age}");
    let absent = app.get("/v1/store/products/by-slug/nothing");
    assert_eq!(absent.status(), 404);
    assert_eq!(absent.headers()["cache-status"], "aisle; hit; detail=unverified");
    assert!(absent.headers().contains_key("age"));
    let uncached = app.get("/v1/store/categories");
    assert_eq!(uncached.status(), 503);
    assert!(uncached.headers().contains_key("retry-after"));
    assert_eq!(uncached.json::<Value>().expect("JSON")["code"], "unvouched");
    let edit =
        app.admin_json(Method::PATCH, &format!("/v1/admin/products/{}", id(&made)), &json!({"title": "New"}));
    assert_eq!(edit.status(), 503);
    assert!(app.shared.metrics.coherence.unverified.get() > 0);
    relay.heal();
    wait_until(PATIENCE, "the lease", || app.get("/readyz").status() == 200);
    let reads = app.shared.metrics.flights.started.get();
    assert_eq!(app.get(&path(&made)).headers()["cache-status"], "aisle; hit; detail=local", "still warm");
    assert_eq!(app.shared.metrics.flights.started.get(), reads);
    app.patch_product(id(&made), &json!({"title": "New"}));
    assert_eq!(app.get_json(&path(&made))["title"], "New");
}

#[test]
fn without_a_lease_a_strict_instance_refuses() {
    let (app, relay, made, _database) = without_a_lease(Consistency::Strict);
    let answer = app.get(&path(&made));
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(answer.json::<Value>().expect("JSON")["code"], "unvouched");
    relay.heal();
    wait_until(PATIENCE, "the lease", || app.get(&path(&made)).status() == 200);
    assert_eq!(app.get(&path(&made)).headers()["cache-status"], "aisle; hit; detail=local", "still warm");
}

#[test]
fn without_a_lease_a_batch_is_labelled_or_refused_as_a_whole() {
    const BATCH: &str = "/v1/store/products:batch-get";
    for consistency in [Consistency::Available, Consistency::Strict] {
        let (app, relay, made, _database) = without_a_lease(consistency);
        let ask = |ids: &[&str]| {
            app.request(Method::POST, BATCH).json(&json!({"ids": ids})).send().expect("an answer")
        };
        let cached = ask(&[id(&made)]);
        if consistency == Consistency::Available {
            assert_eq!(cached.status(), 200);
            assert_eq!(cached.headers()["cache-status"], "aisle; hit; detail=unverified");
            let age: u64 = cached.headers()["age"].to_str().expect("text").parse().expect("seconds");
            assert!((1..60).contains(&age), "{age}");
            assert_eq!(cached.json::<Value>().expect("JSON")["items"][0]["status"], "found");
        } else {
            assert_eq!(cached.status(), 503);
        }
        let partly = ask(&[id(&made), "0190163d-8694-739b-aea5-966c26f8ad91"]);
        assert_eq!(partly.status(), 503, "what is not cached cannot be answered");
        assert!(partly.headers().contains_key("retry-after"));
        assert_eq!(partly.json::<Value>().expect("JSON")["code"], "unvouched");
        relay.heal();
        wait_until(PATIENCE, "the lease", || app.get("/readyz").status() == 200);
        assert_eq!(ask(&[id(&made)]).headers()["cache-status"], "aisle; hit; detail=local", "still warm");
    }
}

#[test]
fn a_position_asked_for_is_waited_for() {
    let database = database();
    let (relay, url) = Relay::to_postgres(&database.url);
    let [first, second] = [&database.url, &url].map(|url| App::join(url, None, lease(500)));
    let made = first.create_product(&lamp());
    second.get_json(&path(&made));
    let at = |app: &App, position: &str| {
        let request = app.request(Method::GET, &path(&made)).header("Catalog-Min-Position", position);
        request.send().expect("an answer")
    };
    relay.freeze();
    database.connect().batch_execute("UPDATE product SET title = 'By hand'").expect("update");
    let head = number(&mut database.connect(), "SELECT max(pos) AS number FROM catalog_event").to_string();
    assert_eq!(at(&first, &head).json::<Value>().expect("JSON")["title"], "By hand");
    let late = at(&second, &head);
    assert_eq!(late.status(), 503);
    assert_eq!(late.json::<Value>().expect("JSON")["code"], "position_not_reached");
    relay.heal();
    wait_until(PATIENCE, "the position", || {
        let answer = at(&second, &head);
        answer.status() == 200 && answer.json::<Value>().expect("JSON")["title"] == "By hand"
    });
    let began = Instant::now();
    assert_eq!(at(&first, "9223372036854775807").status(), 503);
    assert!(began.elapsed() >= MIN_POSITION_PATIENCE);
    for wrong in ["", "-1", "one", "9223372036854775808"] {
        assert_eq!(at(&first, wrong).status(), 400, "{wrong}");
    }
}

#[test]
fn a_page_is_answered_however_fast_its_products_change() {
    let database = database();
    let app = App::join(&database.url, None, |_| ());
    let (relay, url) = Relay::to_postgres(&database.url);
    // Every edit, and every read of a fresh edit, waits for this one.
    let _slow = App::join(&url, None, |_| ());
    let products: Vec<Value> =
        (0..6).map(|number| app.create_product(&json!({"title": format!("Lamp {number}")}))).collect();
    relay.delay(5);
    std::thread::scope(|scope| {
        let editors: Vec<_> = (0..4)
            .map(|editor| {
                let (app, products) = (&app, &products);
                scope.spawn(move || {
                    for number in 0..30 {
                        let product = &products[(editor + number) % products.len()];
                        app.patch_product(id(product), &json!({"title": format!("Lamp {editor}/{number}")}));
                    }
                })
            })
            .collect();
        while !editors.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            let page = app.get_json("/v1/store/products");
            assert_eq!(page["items"].as_array().map(Vec::len), Some(6));
        }
    });
}

#[test]
fn the_meters_move() {
    let database = database();
    let fleet: Vec<App> = (0..2).map(|_| App::join(&database.url, Some(shared_redis()), |_| ())).collect();
    let made = fleet[0].create_product(&lamp());
    fleet[1].get_json(&path(&made));
    let meter = |app: &App, name: &str| -> f64 {
        let text = app.get("/metrics").text().expect("text");
        let line = text.lines().find(|line| line.split(' ').next() == Some(name));
        line.and_then(|line| line.split(' ').nth(1)?.parse().ok())
            .unwrap_or_else(|| panic!("{name} in {text}"))
    };
    let head = number(&mut database.connect(), "SELECT max(pos) AS number FROM catalog_event");
    let head: f64 = head.to_string().parse().expect("a small number");
    for app in &fleet {
        wait_until(PATIENCE, "both to know all", || {
            meter(app, "aisle_log_stable_position") >= head && meter(app, "aisle_members") >= 2.0
        });
        assert!(meter(app, "aisle_log_applied_position") >= head);
        assert!((0.0..2.0).contains(&meter(app, "aisle_lease_remaining_seconds")));
        assert!(meter(app, "aisle_propagation_seconds_count") >= 1.0);
        assert!(meter(app, "aisle_lease_renewal_seconds_count") >= 1.0);
        for quiet in
            ["aisle_ejections_total", "aisle_clock_anomalies_total", "aisle_unverified_answers_total"]
        {
            assert!(meter(app, quiet) < 1.0, "{quiet}");
        }
    }
    assert!(meter(&fleet[0], "aisle_ack_wait_seconds_count") >= 1.0);
}
