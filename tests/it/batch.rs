//! Many products in one request: as fresh as single reads, true at one moment, and cheap when cold.

use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::{
    catalogue::psql,
    flights::hold,
    support::{
        app::App,
        redis::shared_redis,
        waiting::{PATIENCE, wait_until},
    },
};

const PATH: &str = "/v1/store/products:batch-get";

fn ask(app: &App, body: &Value) -> Response {
    app.request(Method::POST, PATH).json(body).send().expect("an answer")
}

/// The items of an answer, and its position.
fn items(app: &App, body: &Value) -> (Vec<Value>, i64) {
    let answer = ask(app, body);
    let status = answer.status();
    let position = answer.headers()["catalog-position"].to_str().expect("text").parse().expect("a number");
    let answer: Value = answer.json().expect("JSON");
    assert_eq!(status, 200, "{answer}");
    (answer["items"].as_array().expect("items").clone(), position)
}

fn id(made: &Value) -> &str {
    made["id"].as_str().expect("an id")
}

fn words(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["status"].as_str().expect("a status")).collect()
}

/// Products with a slug and a SKU each, in one statement of many.
fn many(app: &App, count: usize) {
    let mut conn = app.database.as_ref().expect("its own").connect();
    psql(
        &mut conn,
        &format!(
            "INSERT INTO product (title) SELECT 'Lamp ' || n FROM generate_series(1, {count}) n; \
             INSERT INTO slug (slug, product_id) SELECT replace(lower(title), ' ', '-'), id FROM product; \
             INSERT INTO variant (sku, product_id) SELECT replace(title, ' ', '-'), id FROM product"
        ),
    );
    psql(&mut conn, "SELECT catalog.sync()");
}

#[test]
fn every_name_has_its_item_in_the_order_asked() {
    let app = App::start();
    let lamp = app.create_product(&json!({"title": "Lamp", "brand": null, "variants": [{"sku": "L-1"}]}));
    let chair = app.create_product(&json!({"title": "Chair"}));
    let hidden = app.create_product(&json!({"title": "Hidden", "status": "draft"}));
    app.patch_product(id(&chair), &json!({"slug": "seat"}));
    let single = |product: &Value| app.get_json(&format!("/v1/store/products/{}", id(product)));
    let nobody = "01900000-0000-7000-8000-000000000001";
    for round in ["cold", "warm"] {
        let by_id =
            json!({"ids": [id(&chair), nobody, {"id": id(&lamp), "version": 1}, id(&hidden), id(&lamp)]});
        let (found, _) = items(&app, &by_id);
        assert_eq!(words(&found), ["found", "absent", "unchanged", "absent", "found"], "{round}");
        assert_eq!(found[0]["product"], single(&chair));
        assert_eq!(found[1], json!({"id": nobody, "status": "absent"}));
        assert_eq!((&found[2]["product"], &found[2]["version"]), (&Value::Null, &json!(1)));
        assert_eq!(found[4]["product"], single(&lamp));
        let stale = json!({"id": id(&chair), "version": 1});
        assert_eq!(words(&items(&app, &json!({"ids": [stale]})).0), ["found"], "the client's is older");

        let by_slug = json!({"slugs": ["lamp", "chair", "nothing", "seat", {"slug": "lamp", "etag": found[4]["etag"]}]});
        let (found, _) = items(&app, &by_slug);
        assert_eq!(words(&found), ["found", "moved", "absent", "found", "unchanged"], "{round}");
        assert_eq!(found[1], json!({"slug": "chair", "status": "moved", "moved_to": "seat"}));
        assert_eq!((&found[3]["slug"], &found[3]["product"]), (&json!("seat"), &single(&chair)));

        let (found, _) = items(&app, &json!({"skus": ["L-2", "L-1"]}));
        assert_eq!(words(&found), ["absent", "found"], "{round}");
        assert_eq!(found[1]["product"], single(&lamp));
    }
    let euros =
        app.request(Method::POST, &format!("{PATH}?currency=EUR")).json(&json!({"skus": ["L-1"]})).send();
    let euros: Value = euros.expect("an answer").json().expect("JSON");
    let alone = app.get_json("/v1/store/products/by-sku/L-1?currency=EUR");
    assert_eq!(euros["items"][0]["product"], alone);
}

#[test]
fn a_tag_tells_what_a_version_does_not_count() {
    let app = App::start();
    let brand: Value =
        app.admin_json(Method::POST, "/v1/admin/brands", &json!({"name": "Acme"})).json().expect("JSON");
    let lamp = app.create_product(&json!({"title": "Lamp", "brand_id": brand["id"]}));
    let (found, _) = items(&app, &json!({"ids": [id(&lamp)]}));
    let known = json!({"id": id(&lamp), "version": found[0]["version"], "etag": found[0]["etag"]});
    let tag = app.get(&format!("/v1/store/products/{}", id(&lamp))).headers()["etag"].clone();
    assert_eq!(found[0]["etag"], tag.to_str().expect("text"), "the tag of the single answer");
    assert_eq!(words(&items(&app, &json!({"ids": [known]})).0), ["unchanged"]);
    let path = format!("/v1/admin/brands/{}", id(&brand));
    assert_eq!(app.admin_json(Method::PATCH, &path, &json!({"name": "Apex"})).status(), 200);
    let (found, _) = items(&app, &json!({"ids": [known]}));
    assert_eq!((words(&found), &found[0]["product"]["brand"]["name"]), (vec!["found"], &json!("Apex")));
}

#[test]
fn what_is_no_batch_is_refused_with_its_places() {
    let app = App::start();
    let many = |count: usize| vec!["x"; count];
    for (body, places) in [
        (json!({}), vec!["#"]),
        (json!({"ids": [], "slugs": []}), vec!["#"]),
        (json!([]), vec!["#"]),
        (json!({"slugs": "x"}), vec!["#/slugs"]),
        (json!({"slugs": many(201)}), vec!["#/slugs"]),
        (
            json!({"ids": ["x", {"id": "y"}, {"version": 7}], "colour": 1}),
            vec!["#/colour", "#/ids/0", "#/ids/1/id", "#/ids/2/id"],
        ),
        (
            json!({"skus": ["", "a\u{1}b", "x".repeat(256), {"sku": "a", "version": "7"}]}),
            vec!["#/skus/0", "#/skus/1", "#/skus/2", "#/skus/3/version"],
        ),
    ] {
        let answer = ask(&app, &body);
        assert_eq!(answer.status(), 422, "{body}");
        let problem: Value = answer.json().expect("JSON");
        let found: Vec<_> = problem["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|one| one["pointer"].as_str().expect("text"))
            .collect();
        assert_eq!(found, places, "{body}");
    }
    assert_eq!(items(&app, &json!({"ids": []})).0, Vec::<Value>::new());
    assert_eq!(words(&items(&app, &json!({"slugs": many(200)})).0), vec!["absent"; 200]);
    let unknown = app.request(Method::POST, &format!("{PATH}?colour=red")).json(&json!({"ids": []})).send();
    assert_eq!(unknown.expect("an answer").status(), 400);
    assert_eq!(app.get(PATH).status(), 405);
}

#[test]
fn two_hundred_cold_products_cost_one_statement() {
    let app = App::start();
    many(&app, 200);
    let mut conn = app.database.as_ref().expect("its own").connect();
    let ids = crate::catalogue::texts(&mut conn, "SELECT id::text AS text FROM product ORDER BY id");
    let slugs: Vec<String> = (1..=200).map(|number| format!("lamp-{number}")).collect();
    let skus: Vec<String> = (1..=200).map(|number| format!("Lamp-{number}")).collect();
    for body in [json!({"ids": ids}), json!({"slugs": slugs}), json!({"skus": skus})] {
        let before = app.store_messages();
        let cold = ask(&app, &body);
        assert_eq!(cold.headers()["cache-status"], "aisle; fwd=miss; stored");
        assert_eq!(app.store_messages() - before, 1, "all in one");
        let cold = cold.text().expect("a body");
        let warm = ask(&app, &body);
        assert_eq!(warm.headers()["cache-status"], "aisle; hit; detail=local");
        assert_eq!(warm.text().expect("a body"), cold);
        assert_eq!(app.store_messages() - before, 1, "then none");
    }
    // One that changed is read alone, and single reads find what a batch has read.
    psql(
        &mut conn,
        "UPDATE product SET title = 'New' WHERE id = (SELECT product_id FROM slug WHERE slug = 'lamp-7')",
    );
    psql(&mut conn, "SELECT catalog.sync()");
    let before = app.store_messages();
    let (found, _) = items(&app, &json!({"slugs": slugs}));
    assert_eq!((&found[6]["product"]["title"], app.store_messages() - before), (&json!("New"), 1));
    let alone = app.get("/v1/store/products/by-sku/Lamp-7");
    assert_eq!(alone.headers()["cache-status"], "aisle; hit; detail=local");
}

#[test]
fn an_edit_through_another_instance_is_seen_at_once() {
    let app = App::start();
    let other = App::join(&app.database.as_ref().expect("its own").url, Some(shared_redis()), |_| ());
    let made: Vec<Value> = (0..3)
        .map(|number| {
            app.create_product(
                &json!({"title": format!("P{number}"), "variants": [{"sku": format!("S{number}")}]}),
            )
        })
        .collect();
    let ids: Vec<&str> = made.iter().map(id).collect();
    let bodies =
        [json!({"ids": ids}), json!({"slugs": ["p0", "p1", "p2"]}), json!({"skus": ["S0", "S1", "S2"]})];
    for round in 0..10 {
        for body in &bodies {
            items(&other, body);
        }
        let title = format!("T{round}");
        let answer = app.admin_json(
            Method::PATCH,
            &format!("/v1/admin/products/{}", ids[1]),
            &json!({"title": title}),
        );
        let edited: i64 =
            answer.headers()["catalog-position"].to_str().expect("text").parse().expect("a number");
        for body in &bodies {
            let (found, position) = items(&other, body);
            assert_eq!(found[1]["product"]["title"], title, "round {round}: {body}");
            assert!(position >= edited, "{position} names what it shows, the edit at {edited}");
        }
    }
    // Names follow too.
    app.patch_product(ids[0], &json!({"slug": "new"}));
    app.admin(Method::DELETE, &format!("/v1/admin/products/{}", ids[2]))
        .header("if-match", "*")
        .send()
        .expect("an answer");
    let (found, _) = items(&other, &json!({"slugs": ["p0", "new", "p2"]}));
    assert_eq!(words(&found), ["moved", "found", "absent"]);
    assert_eq!(words(&items(&other, &json!({"skus": ["S0", "S2"]})).0), ["found", "absent"]);
}

#[test]
fn the_items_of_an_answer_hold_at_one_moment() {
    let app = App::start_with(|settings| settings.store_actors = 1);
    let made: Vec<Value> =
        ["A", "B"].iter().map(|title| app.create_product(&json!({"title": title}))).collect();
    app.get_json(&format!("/v1/store/products/{}", id(&made[0])));
    let mut conn = app.database.as_ref().expect("its own").connect();
    // The first is cached, the second is about to be read; before it is, both change, the first one first.
    let (release, holder) = hold(&app);
    let found = std::thread::scope(|scope| {
        let asking = scope.spawn(|| items(&app, &json!({"ids": [id(&made[0]), id(&made[1])]})).0);
        wait_until(PATIENCE, "the read in the queue", || app.shared.store.in_flight() == 2);
        psql(&mut conn, "UPDATE product SET title = 'A2' WHERE title = 'A'");
        psql(&mut conn, "UPDATE product SET title = 'B2' WHERE title = 'B'");
        let head = aisle::store::events::head(&mut conn).expect("the head");
        wait_until(PATIENCE, "the events", || app.shared.reader.coherence.gate().applied() >= head);
        drop(release);
        asking.join().expect("an answer")
    });
    holder.join().expect("a thread").expect("released");
    let titles: Vec<_> = found.iter().map(|item| item["product"]["title"].clone()).collect();
    assert_eq!(titles, ["A2", "B2"], "never was there an old first and a new second one");
}
