//! Postgres in trouble: cached reads go on, the rest is refused clearly, and everything heals by itself.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    app::App,
    chaos::Relay,
    database,
    process::{Instance, aisle},
    redis::shared_redis,
    waiting::{PATIENCE, wait_until},
};

#[test]
fn terminated_connections_cost_no_reader_and_no_editor_anything() {
    let app = App::start();
    let made = app.create_product(&json!({"title": "Lamp"}));
    let id = made["id"].as_str().expect("an id");
    let paths: Vec<String> =
        (0..20).map(|number| format!("/v1/store/products/by-sku/NONE-{number}")).collect();
    let mut connection = app.database.as_ref().expect("its own").connect();
    for (round, path) in paths.iter().enumerate() {
        connection
            .batch_execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND application_name = 'aisle'",
            )
            .expect("terminate");
        assert_eq!(app.get(path).status(), 404, "a miss finds a living connection");
        app.patch_product(id, &json!({"title": format!("Lamp {round}")}));
        assert_eq!(app.get_json(&format!("/v1/store/products/{id}"))["title"], format!("Lamp {round}"));
    }
    // The follower lost its connection as well: an edit by another client is still seen.
    connection.batch_execute("UPDATE product SET title = 'By hand'").expect("update");
    wait_until(PATIENCE, "the edit by hand", || {
        app.get_json(&format!("/v1/store/products/{id}"))["title"] == "By hand"
    });
}

#[test]
fn without_postgres_hits_are_answered_and_misses_refused() {
    let database = database();
    let (relay, url) = Relay::to_postgres(&database.url);
    let app = App::join(&url, Some(shared_redis()), |_| ());
    let made = app.create_product(&json!({"title": "Lamp"}));
    let id = made["id"].as_str().expect("an id");
    let path = format!("/v1/store/products/{id}");
    app.get_json(&path);
    relay.cut();
    assert_eq!(app.get_json(&path)["title"], "Lamp", "a hit needs no database");
    let miss = app.get("/v1/store/products/by-slug/unknown");
    assert_eq!(miss.status(), 503);
    assert!(miss.headers().contains_key("retry-after"));
    assert_eq!(miss.headers()["content-type"], "application/problem+json");
    let edit = app.admin_json(Method::PATCH, &format!("/v1/admin/products/{id}"), &json!({"title": "New"}));
    assert_eq!(edit.status(), 503);
    assert_eq!(app.get("/livez").status(), 200);
    assert_eq!(app.get("/readyz").status(), 503);
    relay.heal();
    wait_until(PATIENCE, "readiness again", || app.get("/readyz").status() == 200);
    app.patch_product(id, &json!({"title": "New"}));
    assert_eq!(app.get_json(&path)["title"], "New");
    assert_eq!(app.get("/v1/store/products/by-slug/unknown").status(), 404);
}

#[test]
fn an_instance_that_cannot_read_the_log_is_not_ready() {
    let database = database();
    let (relay, url) = Relay::to_postgres(&database.url);
    let app = App::join(&url, None, |_| ());
    let follower = |app: &App| {
        let ready = app.get("/readyz").json::<serde_json::Value>().expect("JSON");
        let checks = ready["checks"].as_array().expect("checks").clone();
        let check = checks.into_iter().find(|check| check["name"] == "lease").expect("a check of it");
        (ready["ready"] == true, check["ok"] == true)
    };
    wait_until(PATIENCE, "readiness", || follower(&app) == (true, true));
    relay.freeze();
    wait_until(PATIENCE, "a follower that is missed", || follower(&app) == (false, false));
    relay.heal();
    wait_until(PATIENCE, "readiness again", || follower(&app) == (true, true));
}

/// What Postgres says when its disk is full, said by a trigger: a full disk of a test would be that of all tests.
const FULL_DISK: &str = "\
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
      RAISE EXCEPTION USING ERRCODE = 'disk_full', \
        MESSAGE = 'could not extend file \"base/16384/16402\": No space left on device'; \
    END $$; \
    CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON product EXECUTE FUNCTION full_disk()";

#[test]
fn a_full_disk_refuses_edits_and_nothing_else() {
    let app = App::start();
    let made = app.create_product(&json!({"title": "Lamp"}));
    let id = made["id"].as_str().expect("an id");
    let mut connection = app.database.as_ref().expect("its own").connect();
    connection.batch_execute(FULL_DISK).expect("a full disk");
    let path = format!("/v1/admin/products/{id}");
    let create = app.admin_json(Method::POST, "/v1/admin/products", &json!({"title": "Desk"}));
    for refused in [create, app.admin_json(Method::PATCH, &path, &json!({"title": "New"}))] {
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
        let problem: serde_json::Value = refused.json().expect("a problem");
        assert_eq!(problem["code"], "unavailable");
        assert!(!problem.to_string().contains("base/"), "inner matters stay in the log: {problem}");
    }
    assert_eq!(app.get_json(&format!("/v1/store/products/{id}"))["title"], "Lamp");
    assert_eq!(app.get("/readyz").status(), 200);
    connection.batch_execute("DROP TRIGGER full_disk ON product").expect("room again");
    app.patch_product(id, &json!({"title": "New"}));
    assert_eq!(app.get_json(&format!("/v1/store/products/{id}"))["title"], "New");
}

/// Everything on a machine starts at once after a power failure: who is first must not matter.
#[test]
fn a_start_waits_for_its_database() {
    let database = database();
    let (relay, url) = Relay::to_postgres(&database.url);
    relay.cut();
    let instance = std::thread::scope(|scope| {
        let started = scope.spawn(|| {
            Instance::serve(&[("DATABASE_URL", url.as_str()), ("AISLE_ADMIN_TOKEN", "any-token-at-all")])
        });
        wait_until(PATIENCE, "several tries", || relay.refused() > 2);
        assert!(!started.is_finished());
        relay.heal();
        started.join().expect("a server that started")
    });
    assert!(instance.log().contains("waiting up to 60 s for postgres"), "{}", instance.log());
}

#[test]
fn a_database_that_does_not_exist_is_told_at_once() {
    let mut url = url::Url::parse(&database().url).expect("a URL");
    url.set_path("there_is_no_such_database");
    let output = aisle().arg("serve").env("DATABASE_URL", url.as_str()).output().expect("its end");
    assert_eq!(output.status.code(), Some(5));
    assert!(!String::from_utf8_lossy(&output.stderr).contains("waiting"), "{output:?}");
}
