//! What editors rely on: nothing is lost, nothing is half written, every answer says which version it shows.

use reqwest::{Method, StatusCode, blocking::Response};
use serde_json::{Value, json};

use crate::support::app::App;

fn lamp() -> Value {
    json!({
        "title": "Floor lamp",
        "variants": [{"sku": "LAMP-1", "prices": [{"currency": "USD", "amount": 6999}]}]
    })
}

fn send(app: &App, method: Method, path: &str, version: &str, body: &Value) -> Response {
    app.admin(method, path).header("if-match", version).json(body).send().expect("an answer")
}

fn etag(answer: &Response) -> String {
    answer.headers()["etag"].to_str().expect("text").to_owned()
}

fn product_path(product: &Value) -> String {
    format!("/v1/admin/products/{}", product["id"].as_str().expect("an id"))
}

fn problem(answer: Response, status: u16, code: &str) -> Value {
    let found = answer.status();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let problem: Value = answer.json().expect("JSON");
    assert_eq!((found.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem}");
    problem
}

#[test]
fn a_product_lives_from_creation_to_restore() {
    let app = App::start();
    let created = app.admin(Method::POST, "/v1/admin/products").json(&lamp()).send().expect("an answer");
    assert_eq!(created.status(), StatusCode::CREATED);
    let (location, first) =
        (created.headers()["location"].to_str().expect("text").to_owned(), etag(&created));
    assert!(created.headers().contains_key("catalog-position"));
    assert!(created.headers().contains_key("x-request-id"));
    assert_eq!(created.headers()["cache-control"], "no-store");
    let product: Value = created.json().expect("JSON");
    assert_eq!(location, product_path(&product));
    assert_eq!(first, format!("\"v{}\"", product["version"]));

    let read = app.admin(Method::GET, &location).send().expect("an answer");
    assert_eq!(etag(&read), first);
    assert_eq!(read.json::<Value>().expect("JSON"), product);

    let patched = send(&app, Method::PATCH, &location, &first, &json!({"title": "Lamp", "tags": ["new"]}));
    assert_eq!(patched.status(), 200);
    let second = etag(&patched);
    let patched: Value = patched.json().expect("JSON");
    assert_eq!((&patched["title"], &patched["variants"][0]["sku"]), (&json!("Lamp"), &json!("LAMP-1")));
    assert!(patched["version"].as_i64() > product["version"].as_i64());

    let replaced = send(&app, Method::PUT, &location, &second, &json!({"title": "Lamp", "slug": "lamp"}));
    assert_eq!(replaced.status(), 200);
    let third = etag(&replaced);
    assert_eq!(replaced.json::<Value>().expect("JSON")["variants"], json!([]));

    let deleted = app.admin(Method::DELETE, &location).header("if-match", &third).send().expect("an answer");
    assert_eq!(deleted.status(), 204);
    let fourth = etag(&deleted);
    let id = product["id"].as_str().expect("an id");
    assert_eq!(app.get(&format!("/v1/store/products/{id}")).status(), 404);
    let bin = app.admin(Method::GET, "/v1/admin/products?deleted=true").send().expect("an answer");
    assert_eq!(bin.json::<Value>().expect("JSON")["items"][0]["id"], id);

    let restore = format!("{location}/restore");
    let restored = app.admin(Method::POST, &restore).header("if-match", &fourth).send().expect("an answer");
    assert_eq!(restored.status(), 200);
    assert_eq!(app.get(&format!("/v1/store/products/{id}")).status(), 200);
}

#[test]
fn a_version_that_was_edited_since_is_refused() {
    let app = App::start();
    let product = app.create_product(&lamp());
    let path = product_path(&product);
    let first = format!("\"v{}\"", product["version"]);
    assert_eq!(send(&app, Method::PATCH, &path, &first, &json!({"title": "Mine"})).status(), 200);
    let current = app.admin(Method::GET, &path).send().expect("an answer");
    let current_tag = etag(&current);
    let current: Value = current.json().expect("JSON");
    for stale in [first.as_str(), &format!("W/{current_tag}"), "\"something-else\""] {
        for method in [Method::PATCH, Method::PUT, Method::DELETE] {
            let answer = send(&app, method, &path, stale, &json!({"title": "Theirs"}));
            assert_eq!(etag(&answer), current_tag);
            let problem = problem(answer, 412, "version_conflict");
            assert_eq!(problem["current_version"], current["version"]);
        }
    }
    let missing =
        app.admin(Method::PATCH, &path).json(&json!({"title": "Theirs"})).send().expect("an answer");
    problem(missing, 428, "precondition_required");
    assert_eq!(
        app.admin(Method::GET, &path).send().expect("an answer").json::<Value>().expect("JSON"),
        current
    );
    assert_eq!(send(&app, Method::PATCH, &path, "*", &json!({"title": "Whatever"})).status(), 200);
}

#[test]
fn an_edit_without_effect_raises_nothing() {
    let app = App::start();
    let product = app.create_product(&lamp());
    let again = app.patch_product(product["id"].as_str().expect("an id"), &json!({"title": "Floor lamp"}));
    assert_eq!(again["version"], product["version"]);
    let answer = send(&app, Method::PUT, &product_path(&product), "*", &product);
    assert_eq!(answer.status(), 200, "an answer can be sent back");
    assert_eq!(answer.json::<Value>().expect("JSON")["version"], product["version"]);
}

#[test]
fn nested_variants_and_prices_are_patched_whole() {
    let app = App::start();
    let product = app.create_product(&lamp());
    let id = product["id"].as_str().expect("an id");
    let variants = json!([
        {"sku": "LAMP-1", "options": {"Size": "S"}, "prices": [{"currency": "USD", "amount": 1}, {"currency": "EUR", "amount": 2}]},
        {"sku": "LAMP-2", "options": {"Size": "M"}}
    ]);
    let patched = app.patch_product(id, &json!({"variants": variants}));
    assert_eq!(patched["variants"].as_array().expect("variants").len(), 2);
    assert_eq!(patched["variants"][0]["id"], product["variants"][0]["id"], "matched by SKU");
    assert_eq!(patched["variants"][0]["prices"].as_array().expect("prices").len(), 2);
    let gone = app.patch_product(id, &json!({"variants": null}));
    assert_eq!(gone["variants"], json!([]));
}

#[test]
fn single_variants_prices_and_stock_are_edited() {
    let app = App::start();
    let product = app.create_product(&lamp());
    let variant = product["variants"][0]["id"].as_str().expect("an id");
    let path = format!("/v1/admin/variants/{variant}");
    let read: Value = app.admin(Method::GET, &path).send().expect("an answer").json().expect("JSON");
    assert_eq!((&read["product_id"], &read["version"]), (&product["id"], &product["version"]));
    let patched = send(&app, Method::PATCH, &path, "*", &json!({"barcode": "4006381333931"}));
    assert_eq!(patched.json::<Value>().expect("JSON")["barcode"], "4006381333931");

    let price = format!("{path}/prices/EUR");
    assert_eq!(send(&app, Method::PUT, &price, "*", &json!({"amount": 4200})).status(), 200);
    let store = format!("/v1/store/products/{}?currency=EUR", product["id"].as_str().expect("an id"));
    assert_eq!(app.get_json(&store)["price_range"]["min"], 4200);
    let removed = app.admin(Method::DELETE, &price).header("if-match", "*").send().expect("an answer");
    assert_eq!(removed.status(), 200);
    assert_eq!(app.get_json(&store)["price_range"], Value::Null);

    let stock = format!("{path}/stock/default");
    let set = app.admin(Method::PUT, &stock).json(&json!({"quantity": 3})).send().expect("an answer");
    assert_eq!(set.status(), 200);
    let adjust = |by: i32| {
        let request = app.admin(Method::POST, &format!("{stock}/adjust")).json(&json!({"by": by}));
        let answer = request.send().expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.json::<Value>().expect("JSON")["stock"].clone()
    };
    assert_eq!(adjust(-1), json!([{"location": "default", "quantity": 2}]));
    adjust(-2);
    let status = || app.get_json(&store)["variants"][0]["availability"]["status"].clone();
    assert_eq!(status(), "out_of_stock");
    adjust(100);
    assert_eq!(status(), "in_stock");
}

#[test]
fn categories_and_brands_are_edited_like_products() {
    let app = App::start();
    for (collection, changed) in [("categories", "position"), ("brands", "description")] {
        let path = format!("/v1/admin/{collection}");
        let created = app
            .admin(Method::POST, &path)
            .json(&json!({"name": "Caf\u{e9} & Bar"}))
            .send()
            .expect("an answer");
        assert_eq!(created.status(), 201);
        let (location, first) =
            (created.headers()["location"].to_str().expect("text").to_owned(), etag(&created));
        let made: Value = created.json().expect("JSON");
        assert_eq!(made["slug"], "cafe-bar");
        let value = if changed == "position" { json!(5) } else { json!("Nice") };
        let patched = send(&app, Method::PATCH, &location, &first, &json!({changed: value}));
        assert_eq!(patched.status(), 200);
        let second = etag(&patched);
        assert_ne!(first, second);
        problem(send(&app, Method::PUT, &location, &first, &json!({"name": "Bar"})), 412, "version_conflict");
        let replaced = send(&app, Method::PUT, &location, &second, &json!({"name": "Bar"}));
        assert_eq!(replaced.status(), 200);
        let list = app.admin(Method::GET, &path).send().expect("an answer").json::<Value>().expect("JSON");
        assert_eq!(list["items"][0]["name"], "Bar");
        let duplicate =
            app.admin(Method::POST, &path).json(&json!({"name": "Other", "slug": list["items"][0]["slug"]}));
        problem(duplicate.send().expect("an answer"), 409, "duplicate");
        let deleted = app.admin(Method::DELETE, &location).header("if-match", "*").send().expect("an answer");
        assert_eq!(deleted.status(), 204);
        problem(app.admin(Method::GET, &location).send().expect("an answer"), 404, "not_found");
    }
}

#[test]
fn a_category_cannot_be_below_itself() {
    let app = App::start();
    let make = |body: &Value| -> Value {
        app.admin(Method::POST, "/v1/admin/categories")
            .json(body)
            .send()
            .expect("an answer")
            .json()
            .expect("JSON")
    };
    let above = make(&json!({"name": "Above"}));
    let below = make(&json!({"name": "Below", "parent_id": above["id"]}));
    let path = format!("/v1/admin/categories/{}", above["id"].as_str().expect("an id"));
    let problem =
        problem(send(&app, Method::PATCH, &path, "*", &json!({"parent_id": below["id"]})), 422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "#/parent_id");
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let app = App::start();
    let draft = json!({
        "title": "", "colour": "red",
        "variants": [{"prices": [{"currency": "XTS", "amount": 1}, {"currency": "USD", "amount": -1}]}]
    });
    let answer = app.admin(Method::POST, "/v1/admin/products").json(&draft).send().expect("an answer");
    let problem = problem(answer, 422, "invalid");
    let pointers: Vec<_> =
        problem["errors"].as_array().expect("errors").iter().map(|error| error["pointer"].clone()).collect();
    for pointer in ["#/title", "#/colour", "#/variants/0/prices/0/currency", "#/variants/0/prices/1/amount"] {
        assert!(pointers.contains(&json!(pointer)), "{pointer} in {pointers:?}");
    }
    let list = app.admin(Method::GET, "/v1/admin/products").send().expect("an answer");
    assert_eq!(list.json::<Value>().expect("JSON")["items"], json!([]));
}

#[test]
fn duplicates_are_named() {
    let app = App::start();
    app.create_product(&lamp());
    let draft = json!({"title": "Other", "variants": [{"options": {"Size": "S"}}, {"sku": "LAMP-1", "options": {"Size": "M"}}]});
    let answer = app.admin(Method::POST, "/v1/admin/products").json(&draft).send().expect("an answer");
    assert_eq!(problem(answer, 409, "duplicate")["errors"][0]["pointer"], "#/variants/1/sku");
    let draft = json!({"title": "Other", "slug": "floor-lamp"});
    let answer = app.admin(Method::POST, "/v1/admin/products").json(&draft).send().expect("an answer");
    assert_eq!(problem(answer, 409, "duplicate")["errors"][0]["pointer"], "#/slug");
    let second = app.create_product(&json!({"title": "Floor lamp"}));
    assert_ne!(second["slug"], "floor-lamp", "a derived slug avoids those taken");
}

#[test]
fn editors_lists_have_pages() {
    let app = App::start();
    let made: Vec<_> =
        (0..5).map(|n| app.create_product(&json!({"title": format!("P{n}")}))["id"].clone()).collect();
    let mut met = Vec::new();
    let mut path = "/v1/admin/products?limit=2".to_owned();
    loop {
        let page: Value = app.admin(Method::GET, &path).send().expect("an answer").json().expect("JSON");
        met.extend(page["items"].as_array().expect("items").iter().map(|item| item["id"].clone()));
        assert!(met.len() <= 5);
        let Some(after) = page["next_after"].as_str() else { break };
        path = format!("/v1/admin/products?limit=2&after={after}");
    }
    assert_eq!(met, made.into_iter().rev().collect::<Vec<_>>());
}
