//! An edit made anywhere is seen everywhere: two instances, one Postgres, one Redis or none.

use aisle::{
    coherence::follower::State,
    supervision::{StepMessage, stepper::Envelope},
};
use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    database,
    redis::{own_redis, shared_redis},
    waiting::{PATIENCE, wait_until},
};

fn lamp() -> Value {
    json!({
        "title": "Floor lamp",
        "brand_id": null,
        "variants": [{"sku": "LAMP-1", "prices": [{"currency": "USD", "amount": 6999}]}]
    })
}

fn pair(redis: Option<&str>) -> (App, App) {
    let mut first = App::start_with(|_| ());
    if redis != Some(shared_redis()) {
        let database = first.database.take().expect("its own");
        first.stop();
        first = App::join(&database.url, redis, |_| ());
        first.database = Some(database);
    }
    let url = first.database.as_ref().expect("its own").url.clone();
    let second = App::join(&url, redis, |_| ());
    (first, second)
}

fn title(app: &App, id: &str) -> String {
    app.get_json(&format!("/v1/store/products/{id}"))["title"].as_str().expect("a title").to_owned()
}

fn an_edit_on_one_is_seen_on_the_other(redis: Option<&str>) {
    let (first, second) = pair(redis);
    let made = first.create_product(&lamp());
    let id = made["id"].as_str().expect("an id");
    wait_until(PATIENCE, "the new product on the other instance", || {
        second.get(&format!("/v1/store/products/{id}")).status() == 200
    });
    assert_eq!(title(&first, id), "Floor lamp");
    for (number, (editor, reader)) in
        [(&first, &second), (&second, &first), (&first, &second)].into_iter().enumerate()
    {
        assert!(title(reader, id).contains("lamp"));
        let wanted = format!("lamp {number}");
        editor.patch_product(id, &json!({"title": wanted}));
        assert_eq!(title(editor, id), wanted, "the editor's own instance answers at once");
        wait_until(PATIENCE, "the edit on the other instance", || title(reader, id) == wanted);
    }
}

#[test]
fn edits_travel_with_redis() {
    an_edit_on_one_is_seen_on_the_other(Some(shared_redis()));
}

#[test]
fn edits_travel_without_redis() {
    an_edit_on_one_is_seen_on_the_other(None);
}

#[test]
fn edits_made_in_the_database_travel_too() {
    let (first, second) = pair(Some(shared_redis()));
    let made = first.create_product(&lamp());
    let id = made["id"].as_str().expect("an id");
    let path = format!("/v1/store/products/{id}");
    wait_until(PATIENCE, "the product on the other", || second.get(&path).status() == 200);
    assert_eq!(first.get_json(&path)["variants"][0]["price"]["amount"], 6999);
    let mut connection = first.database.as_ref().expect("its own").connect();
    connection
        .batch_execute(
            "UPDATE price SET amount = 5999 FROM variant WHERE variant_id = variant.id AND sku = 'LAMP-1'",
        )
        .expect("update");
    for app in [&first, &second] {
        wait_until(PATIENCE, "the new price", || {
            app.get_json(&path)["variants"][0]["price"]["amount"] == 5999
        });
    }
    // A price is not part of a category's order: what did not change keeps its version of the list's ids.
    assert!(first.get_json(&path)["version"].as_i64() > made["version"].as_i64());
}

#[test]
fn negative_answers_are_cached_and_end_with_the_creation() {
    let (first, second) = pair(Some(shared_redis()));
    for app in [&first, &second] {
        for path in ["/v1/store/products/by-slug/floor-lamp", "/v1/store/products/by-sku/LAMP-1"] {
            assert_eq!(app.get(path).status(), 404);
            let before = app.store_messages();
            assert_eq!(app.get(path).status(), 404);
            assert_eq!(app.store_messages(), before, "the second answer comes from the cache");
        }
    }
    first.create_product(&lamp());
    for app in [&first, &second] {
        for path in ["/v1/store/products/by-slug/floor-lamp", "/v1/store/products/by-sku/LAMP-1"] {
            wait_until(PATIENCE, path, || app.get(path).status() == 200);
        }
    }
}

#[test]
fn a_retired_slug_leads_to_the_current_one() {
    let app = App::start();
    let made = app.create_product(&lamp());
    let id = made["id"].as_str().expect("an id");
    assert_eq!(app.get("/v1/store/products/by-slug/floor-lamp").status(), 200);
    app.patch_product(id, &json!({"slug": "standing-lamp"}));
    let answer = app.get("/v1/store/products/by-slug/floor-lamp?currency=EUR");
    assert_eq!(answer.status(), 301);
    assert_eq!(answer.headers()["location"], "/v1/store/products/by-slug/standing-lamp?currency=EUR");
    assert_eq!(app.get("/v1/store/products/by-slug/standing-lamp").status(), 200);
}

#[test]
fn a_list_keeps_up_with_its_products() {
    let app = App::start();
    let category = app.admin_json(Method::POST, "/v1/admin/categories", &json!({"name": "Lamps"}));
    assert_eq!(category.status(), 201);
    let category: Value = category.json().expect("JSON");
    let category_id = category["id"].as_str().expect("an id");
    let list = "/v1/store/products?category=lamps";
    assert_eq!(app.get_json(list)["items"].as_array().map(Vec::len), Some(0));
    let mut draft = lamp();
    draft["category_ids"] = json!([category_id]);
    let made = app.create_product(&draft);
    let id = made["id"].as_str().expect("an id");
    let page = app.get_json(list);
    assert_eq!(page["items"][0]["id"], *id);
    assert_eq!(page["items"][0]["price_range"]["min"], 6999);
    let prices = json!({"variants": [{"sku": "LAMP-1", "prices": [{"currency": "USD", "amount": 100}]}]});
    app.patch_product(id, &prices);
    assert_eq!(app.get_json(list)["items"][0]["price_range"]["min"], 100);
    // Once composed, a page is a hit: nothing is asked of the database.
    let before = app.store_messages();
    app.get_json(list);
    assert_eq!(app.store_messages(), before);
    let gone = app.admin(Method::DELETE, &format!("/v1/admin/products/{id}")).header("If-Match", "*").send();
    assert!(gone.expect("an answer").status().is_success());
    assert_eq!(app.get_json(list)["items"].as_array().map(Vec::len), Some(0));
    assert_eq!(app.get("/v1/store/products?category=unknown").status(), 404);
}

#[test]
fn a_renamed_brand_shows_on_its_products() {
    let app = App::start();
    let brand = app.admin_json(Method::POST, "/v1/admin/brands", &json!({"name": "Acme"}));
    let brand: Value = brand.json().expect("JSON");
    let brand_id = brand["id"].as_str().expect("an id");
    let mut draft = lamp();
    draft["brand_id"] = json!(brand_id);
    let made = app.create_product(&draft);
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    let first = app.get(&path);
    let tag = first.headers()["etag"].clone();
    assert_eq!(first.json::<Value>().expect("JSON")["brand"]["name"], "Acme");
    let renamed =
        app.admin_json(Method::PATCH, &format!("/v1/admin/brands/{brand_id}"), &json!({"name": "Ajax"}));
    assert_eq!(renamed.status(), 200);
    let second = app.get(&path);
    assert_ne!(second.headers()["etag"], tag, "another body has another tag");
    assert_eq!(second.json::<Value>().expect("JSON")["brand"]["name"], "Ajax");
}

#[test]
fn redis_lost_slows_nothing_down_and_makes_nothing_wrong() {
    let mut redis = own_redis();
    let (first, second) = pair(Some(&redis.url));
    let made = first.create_product(&lamp());
    let id = made["id"].as_str().expect("an id").to_owned();
    wait_until(PATIENCE, "the product on the other", || {
        second.get(&format!("/v1/store/products/{id}")).status() == 200
    });
    redis.pause();
    for number in 0..5 {
        let wanted = format!("without redis {number}");
        first.patch_product(&id, &json!({"title": wanted}));
        wait_until(PATIENCE, "the edit without Redis", || title(&second, &id) == wanted);
    }
    wait_until(PATIENCE, "readiness that names Redis", || {
        let ready = second.get_json("/readyz");
        let checks = ready["checks"].as_array().expect("checks").clone();
        ready["ready"] == true && checks.iter().any(|check| check["name"] == "redis" && check["ok"] == false)
    });
    redis.resume();
    first.patch_product(&id, &json!({"title": "redis is back"}));
    wait_until(PATIENCE, "the edit with Redis", || title(&second, &id) == "redis is back");
}

#[test]
fn a_cold_instance_refuses_what_redis_kept_from_before_an_edit() {
    let redis = own_redis();
    let database = database();
    let first = App::join(&database.url, Some(&redis.url), |_| ());
    let made = first.create_product(&lamp());
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    first.get_json(&path);
    let shared_hit = |app: &App| app.get(&path).headers()["cache-status"] == "aisle; hit; detail=shared";
    wait_until(PATIENCE, "the product in Redis", || {
        let second = App::join(&database.url, Some(&redis.url), |_| ());
        shared_hit(&second)
    });
    // Nobody reads it after the edit, so Redis still has the old one.
    drop(first);
    database.connect().batch_execute("UPDATE product SET title = 'By hand'").expect("update");
    let cold = App::join(&database.url, Some(&redis.url), |_| ());
    assert_eq!(cold.get_json(&path)["title"], "By hand");
}

/// Keeps the log follower busy until the other end is dropped.
struct Hold(std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>);

impl StepMessage for Hold {
    type State = State;
    type Reply = ();
    const NAME: &'static str = "hold";

    fn handle(self, _state: &mut State) {
        self.0.send(()).expect("the test waits");
        let _released = self.1.recv();
    }
}

#[test]
fn what_one_answer_shows_no_other_misses() {
    let app = App::start_with(|_| ());
    let made = app.create_product(&lamp());
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    assert_eq!(app.get("/v1/store/products/by-slug/floor-lamp").status(), 200);
    let (release, held) = std::sync::mpsc::channel();
    let (started, starting) = std::sync::mpsc::channel();
    let follower = app.follower.address();
    #[expect(clippy::disallowed_methods, reason = "the test stops the actor on purpose")]
    let holding = std::thread::spawn(move || {
        actix_rt::System::new()
            .block_on(follower.send(Envelope(Hold(started, held))))
            .expect("its mailbox lives")
    });
    let mut connection = app.database.as_ref().expect("its own").connect();
    let rename = "UPDATE slug SET slug = 'retired'; \
                  UPDATE slug SET is_current = false; \
                  INSERT INTO slug (slug, product_id) SELECT 'new', product_id FROM slug WHERE slug = 'retired'; \
                  UPDATE slug SET slug = 'floor-lamp' WHERE slug = 'retired'";
    starting.recv().expect("the follower hears nothing from here on");
    connection.batch_execute(rename).expect("rename");
    // Not cached in this currency: read at the new position, though nobody has told this instance of it.
    assert_eq!(app.get_json(&format!("{path}?currency=EUR"))["slug"], "new");
    assert_eq!(app.get("/v1/store/products/by-slug/floor-lamp").status(), 301);
    assert_eq!(app.get_json(&path)["slug"], "new");
    drop(release);
    holding.join().expect("a thread").expect("held and released");
}
