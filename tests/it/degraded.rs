//! Postgres in trouble: cached reads go on, the rest is refused clearly, and everything heals by itself.

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::json;

use crate::support::{
    app::App,
    chaos::Relay,
    database,
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
