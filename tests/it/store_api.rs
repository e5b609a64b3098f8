//! What a storefront relies on: products by every name, validators, codings, languages, currencies, pages.

use std::collections::HashSet;

use aisle::domain::{dependency::Dependency, surrogate_key};
use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use crate::support::app::App;

fn lamp() -> Value {
    json!({
        "title": "Floor lamp",
        "description": "A lamp. ".repeat(300),
        "tags": ["light"],
        "variants": [
            {"sku": "LAMP/1", "options": {"Colour": "red"}, "stock": 7, "prices": [
                {"currency": "USD", "amount": 6999, "compare_at": 7999}, {"currency": "JPY", "amount": 9800}
            ]},
            {"sku": "LAMP-2", "options": {"Colour": "blue"}, "stock": 0, "prices": [{"currency": "USD", "amount": 5999}]}
        ],
        "translations": {"de": {"title": "Stehlampe"}}
    })
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer
        .headers()
        .get(name)
        .unwrap_or_else(|| panic!("no {name} in {:?}", answer.headers()))
        .to_str()
        .expect("text")
}

fn path(product: &Value) -> String {
    format!("/v1/store/products/{}", product["id"].as_str().expect("an id"))
}

#[test]
fn a_product_is_found_by_id_slug_and_sku() {
    let app = App::start();
    let made = app.create_product(&lamp());
    let by_id = app.get_json(&path(&made));
    assert_eq!(by_id["slug"], "floor-lamp");
    assert_eq!(
        by_id["variants"][0]["price"],
        json!({"amount": 6999, "currency": "USD", "exponent": 2, "compare_at": 7999})
    );
    assert_eq!(by_id["variants"][1]["availability"]["status"], "out_of_stock");
    assert_eq!(by_id["price_range"], json!({"min": 5999, "max": 6999, "currency": "USD", "exponent": 2}));
    assert_eq!(app.get_json("/v1/store/products/by-slug/floor-lamp"), by_id);
    assert_eq!(app.get_json("/v1/store/products/by-sku/LAMP%2F1"), by_id);
    assert_eq!(app.get_json("/v1/store/products/by-sku/LAMP-2"), by_id);
    for missing in ["by-slug/chair", "by-sku/CHAIR", "01900000-0000-7000-8000-000000000001"] {
        let answer = app.get(&format!("/v1/store/products/{missing}"));
        assert_eq!(answer.status(), 404, "{missing}");
        assert_eq!(header(&answer, "content-type"), "application/problem+json");
        assert_eq!(header(&answer, "cache-control"), "no-store");
        assert!(answer.headers().contains_key("catalog-position"));
    }
}

#[test]
fn what_did_not_exist_is_found_once_it_does() {
    let app = App::start();
    assert_eq!(app.get("/v1/store/products/by-slug/floor-lamp").status(), 404);
    assert_eq!(app.get("/v1/store/products/by-sku/LAMP-2").status(), 404);
    app.create_product(&lamp());
    assert_eq!(app.get("/v1/store/products/by-slug/floor-lamp").status(), 200);
    assert_eq!(app.get("/v1/store/products/by-sku/LAMP-2").status(), 200);
}

#[test]
fn a_retired_slug_leads_to_the_current_one() {
    let app = App::start();
    let made = app.create_product(&lamp());
    app.patch_product(made["id"].as_str().expect("an id"), &json!({"slug": "standing-lamp"}));
    let answer = app.get("/v1/store/products/by-slug/floor-lamp?currency=JPY");
    assert_eq!(answer.status(), 301);
    assert_eq!(header(&answer, "location"), "/v1/store/products/by-slug/standing-lamp?currency=JPY");
    let followed = app.get_json(header(&answer, "location"));
    assert_eq!(followed["price_range"]["currency"], "JPY");
}

#[test]
fn the_answer_says_where_it_came_from_and_how_long_it_is_right() {
    let app = App::start();
    let made = app.create_product(&lamp());
    app.get(&path(&made));
    let mut hits = 0;
    // Two workers share the local cache: the second answer is a hit on either.
    for _ in 0..4 {
        let answer = app.get(&path(&made));
        hits += i32::from(header(&answer, "cache-status") == "aisle; hit; detail=local");
        assert_eq!(header(&answer, "cache-control"), "public, no-cache");
        assert_eq!(header(&answer, "vary"), "Accept-Encoding");
        assert_eq!(header(&answer, "content-language"), "en");
        assert_eq!(header(&answer, "content-type"), "application/json");
        assert!(header(&answer, "catalog-position").parse::<i64>().expect("a number") > 0);
        assert!(!answer.headers().contains_key("surrogate-key"));
    }
    assert_eq!(hits, 4);
}

#[test]
fn a_maximum_age_comes_with_keys_to_purge_by() {
    let app = App::start_with(|settings| settings.max_age = 60);
    let made = app.create_product(&lamp());
    let answer = app.get(&path(&made));
    assert!(header(&answer, "cache-control").starts_with("public, max-age=60, stale-while-revalidate="));
    let id = made["id"].as_str().expect("an id");
    let key = surrogate_key::of(Dependency::product(&id.parse().expect("an id")));
    assert_eq!(header(&answer, "surrogate-key"), format!("aisle product-{id} {key}"));
    let by_slug = app.get("/v1/store/products/by-slug/floor-lamp");
    let keys = header(&by_slug, "surrogate-key");
    for dependency in [Dependency::slug("floor-lamp"), Dependency::product(&id.parse().expect("an id"))] {
        assert!(keys.contains(&surrogate_key::of(dependency)), "{keys}");
    }

    // That nothing is there may be kept for a minute; what is no address of the store at all by nobody.
    let absent = app.get("/v1/store/products/by-slug/chair");
    let key = surrogate_key::of(Dependency::slug("chair"));
    assert_eq!(header(&absent, "surrogate-key"), format!("aisle slug-chair {key}"));
    assert_eq!(header(&absent, "cache-control"), "public, max-age=60");
    assert_eq!(header(&app.get("/v1/store/chairs"), "cache-control"), "no-store");
    app.patch_product(id, &json!({"slug": "tall-lamp"}));
    let moved = app.get("/v1/store/products/by-slug/floor-lamp");
    assert_eq!(moved.status(), 301);
    assert!(header(&moved, "surrogate-key").contains(&surrogate_key::of(Dependency::slug("floor-lamp"))));
}

#[test]
fn validators_differ_by_coding_and_change_with_the_product() {
    let app = App::start();
    let made = app.create_product(&lamp());
    let id = made["id"].as_str().expect("an id");
    let with = |coding: &str| {
        app.request(Method::GET, &path(&made)).header("accept-encoding", coding).send().expect("an answer")
    };
    let mut tags = HashSet::new();
    for (accepted, coding) in
        [("identity", None), ("gzip", Some("gzip")), ("br, gzip", Some("br")), ("zstd", Some("zstd"))]
    {
        let answer = with(accepted);
        assert_eq!(answer.headers().get("content-encoding").map(|v| v.to_str().expect("text")), coding);
        let tag = header(&answer, "etag").to_owned();
        assert!(tag.starts_with('"'), "{tag} is strong");
        assert_eq!(header(&with(accepted), "etag"), tag, "stable");
        let again = app.request(Method::GET, &path(&made)).header("accept-encoding", accepted);
        let again = again.header("if-none-match", format!("\"other\", W/{tag}")).send().expect("an answer");
        assert_eq!(again.status(), 304);
        assert_eq!(header(&again, "etag"), tag);
        assert_eq!(header(&again, "vary"), "Accept-Encoding");
        assert_eq!(again.bytes().expect("a body").len(), 0);
        tags.insert(tag);
    }
    assert_eq!(tags.len(), 4, "one tag per coding");
    app.patch_product(id, &json!({"title": "Another lamp"}));
    assert!(!tags.contains(header(&with("gzip"), "etag")));
    assert_eq!(with("*;q=0").status(), 406);
}

#[test]
fn head_is_get_without_a_body() {
    let app = App::start();
    let made = app.create_product(&lamp());
    let get = app.get(&path(&made));
    let head = app.request(Method::HEAD, &path(&made)).send().expect("an answer");
    assert_eq!(head.status(), 200);
    for name in ["etag", "content-type", "cache-control", "vary", "content-language", "content-length"] {
        assert_eq!(header(&head, name), header(&get, name), "{name}");
    }
    assert_eq!(head.bytes().expect("a body").len(), 0);
    let missing = app.request(Method::HEAD, "/v1/store/products/by-sku/none").send().expect("an answer");
    assert_eq!(missing.status(), 404);
}

#[test]
fn prices_and_texts_follow_the_view() {
    let app = App::start_with(|settings| {
        settings.locales =
            ["en", "de"].map(|tag| aisle::domain::locale::Locale::parse(tag).expect("a tag")).to_vec();
    });
    let made = app.create_product(&lamp());
    let yen = app.get_json(&format!("{}?currency=jpy", path(&made)));
    assert_eq!(yen["variants"][0]["price"]["amount"], 9800);
    assert_eq!(yen["variants"][0]["price"]["exponent"], 0);
    assert_eq!(yen["variants"][1]["price"], Value::Null);

    let answer =
        app.request(Method::GET, &path(&made)).header("accept-language", "fr, de-CH;q=0.8, en;q=0.1");
    let answer = answer.send().expect("an answer");
    assert_eq!(header(&answer, "content-language"), "de");
    assert_eq!(header(&answer, "vary"), "Accept-Encoding, Accept-Language");
    assert_eq!(answer.json::<Value>().expect("JSON")["title"], "Stehlampe");

    let answer = app.get(&format!("{}?locale=de-AT", path(&made)));
    assert_eq!((header(&answer, "content-language"), header(&answer, "vary")), ("de", "Accept-Encoding"));
    assert_eq!(app.get_json(&format!("{}?locale=fr", path(&made)))["title"], "Floor lamp");
    for wrong in ["currency=XTS", "currency=", "locale=english", "locale=de&locale=en", "curency=EUR"] {
        assert_eq!(app.get(&format!("{}?{wrong}", path(&made))).status(), 400, "{wrong}");
    }
    assert_eq!(app.get(&format!("{}?utm_source=mail", path(&made))).status(), 200);
}

/// Follows `Link` from page to page and returns the titles met.
fn walk(app: &App, first: &str) -> Vec<String> {
    let mut titles = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let answer = app.get(&path);
        assert_eq!(answer.status(), 200, "{path}");
        let links =
            answer.headers().get_all("link").iter().map(|link| link.to_str().expect("text").to_owned());
        let link = links.into_iter().find(|link| link.ends_with("rel=\"next\""));
        let page: Value = answer.json().expect("JSON");
        let items = page["items"].as_array().expect("items");
        titles.extend(items.iter().map(|item| item["title"].as_str().expect("a title").to_owned()));
        assert!(titles.len() <= 100, "the walk ends");
        next = link.map(|link| {
            let cursor = page["next_cursor"].as_str().expect("a cursor beside the link");
            let (target, rel) = link.split_once('>').expect("a target");
            assert_eq!(rel, "; rel=\"next\"");
            assert!(target.contains(cursor));
            target.trim_start_matches('<').to_owned()
        });
        if next.is_none() {
            assert_eq!(page["next_cursor"], Value::Null);
        }
    }
    titles
}

#[test]
fn pages_cover_a_category_and_what_is_below_it() {
    let app = App::start();
    let category = |name: &str, parent: Option<&Value>| -> Value {
        let body = json!({"name": name, "parent_id": parent.map(|parent| parent["id"].clone())});
        let answer = app.admin_json(Method::POST, "/v1/admin/categories", &body);
        assert_eq!(answer.status(), 201);
        answer.json().expect("JSON")
    };
    let home = category("Home", None);
    let lamps = category("Lamps", Some(&home));
    category("Garden", None);
    for number in 0..7 {
        let parent = if number % 2 == 0 { &lamps } else { &home };
        app.create_product(&json!({"title": format!("Product {number}"), "category_ids": [parent["id"]]}));
    }
    app.create_product(&json!({"title": "Hidden", "status": "draft", "category_ids": [home["id"]]}));
    app.create_product(&json!({"title": "Elsewhere"}));

    let by_title: Vec<_> = (0..7).map(|number| format!("Product {number}")).collect();
    assert_eq!(walk(&app, "/v1/store/products?category=home&sort=title&limit=3"), by_title);
    let newest: Vec<_> = by_title.iter().rev().cloned().collect();
    assert_eq!(walk(&app, "/v1/store/products?category=home&limit=2"), newest);
    let id = lamps["id"].as_str().expect("an id");
    assert_eq!(walk(&app, &format!("/v1/store/products?category={id}&limit=2")).len(), 4);
    assert_eq!(walk(&app, "/v1/store/products?category=garden"), Vec::<String>::new());
    assert_eq!(walk(&app, "/v1/store/products?limit=200").len(), 8);
    assert_eq!(app.get("/v1/store/products?category=nowhere").status(), 404);

    let tree = app.get_json("/v1/store/categories");
    let home =
        tree["items"].as_array().expect("items").iter().find(|node| node["slug"] == "home").expect("home");
    assert_eq!(home["children"][0]["path"], "home/lamps");
    assert_eq!(app.get_json("/v1/store/categories/lamps")["id"], lamps["id"]);
    assert_eq!(app.get_json(&format!("/v1/store/categories/{id}"))["slug"], "lamps");
}

#[test]
fn a_card_in_a_list_is_as_fresh_as_the_product() {
    let app = App::start();
    let made = app.create_product(&lamp());
    assert_eq!(app.get_json("/v1/store/products")["items"][0]["price_range"]["max"], 6999);
    let variant = made["variants"][0]["id"].as_str().expect("an id");
    let price = format!("/v1/admin/variants/{variant}/prices/USD");
    assert_eq!(app.admin_json(Method::PUT, &price, &json!({"amount": 8999})).status(), 200);
    assert_eq!(app.get_json("/v1/store/products")["items"][0]["price_range"]["max"], 8999);
    app.patch_product(made["id"].as_str().expect("an id"), &json!({"status": "archived"}));
    assert_eq!(app.get_json("/v1/store/products")["items"], json!([]));
    assert_eq!(app.get(&path(&made)).status(), 404);
}

#[test]
fn a_cursor_belongs_to_its_list() {
    let app = App::start();
    for number in 0..3 {
        app.create_product(&json!({"title": format!("Product {number}")}));
    }
    let page = app.get_json("/v1/store/products?limit=1");
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    assert_eq!(app.get(&format!("/v1/store/products?limit=2&cursor={cursor}")).status(), 200);
    let cut = cursor.split_at(cursor.len() - 1).0;
    for wrong in [format!("sort=title&cursor={cursor}"), format!("cursor={cut}"), "cursor=%00".to_owned()] {
        let answer = app.get(&format!("/v1/store/products?{wrong}"));
        assert_eq!(answer.status(), 400, "{wrong}");
        let problem: Value = answer.json().expect("JSON");
        assert_eq!(problem["errors"][0]["parameter"], "cursor");
    }
}

#[test]
fn brands_are_listed_by_name() {
    let app = App::start();
    for name in ["Zeta", "Alpha"] {
        assert_eq!(app.admin_json(Method::POST, "/v1/admin/brands", &json!({"name": name})).status(), 201);
    }
    let brands = app.get_json("/v1/store/brands");
    let names: Vec<_> =
        brands["items"].as_array().expect("items").iter().map(|brand| &brand["name"]).collect();
    assert_eq!(names, ["Alpha", "Zeta"]);
}
