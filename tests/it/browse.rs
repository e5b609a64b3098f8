//! Lists as shoppers narrow, order and page them; and that an edit through one instance is in the lists of another at once.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    database,
    redis::shared_redis,
    waiting::{PATIENCE, wait_until},
};

fn ready(app: &App) {
    wait_until(PATIENCE, "readiness", || app.get("/readyz").status() == 200);
}

/// Ten lamps: every second of brand Acme, every third green, prices 10.00 to 19.00, the last two not in stock.
fn lamps(app: &App) -> Vec<Value> {
    let made = |path: &str, body: Value| -> Value {
        let answer = app.admin_json(Method::POST, path, &body);
        assert_eq!(answer.status(), 201, "{path}");
        answer.json().expect("JSON")
    };
    let acme = made("/v1/admin/brands", json!({"name": "Acme"}))["id"].clone();
    let bolt = made("/v1/admin/brands", json!({"name": "Bolt"}))["id"].clone();
    let home = made("/v1/admin/categories", json!({"name": "Home"}))["id"].clone();
    let lamps = made("/v1/admin/categories", json!({"name": "Lamps", "parent_id": home}))["id"].clone();
    let lamp = |number: usize| {
        let stock = if number < 8 { 50 } else { 0 };
        app.create_product(&json!({
            "title": format!("Lamp {number}"),
            "brand_id": if number.is_multiple_of(2) { &acme } else { &bolt },
            "category_ids": [if number < 5 { &lamps } else { &home }],
            "tags": if number == 3 { json!(["Sale"]) } else { json!([]) },
            "attributes": {"colour": if number.is_multiple_of(3) { "green" } else { "white" }, "watts": number},
            "variants": [{"sku": format!("LAMP-{number}"), "stock": stock, "track_inventory": true,
                          "prices": [{"currency": "USD", "amount": 1000 + 100 * number}]}],
        }))
    };
    (0..10).map(lamp).collect()
}

fn titles(app: &App, query: &str) -> Vec<String> {
    let page = app.get_json(&format!("/v1/store/products?{query}"));
    let items = page["items"].as_array().unwrap_or_else(|| panic!("{query}: {page}"));
    items.iter().map(|item| item["title"].as_str().expect("a title").replace("Lamp ", "")).collect()
}

#[test]
fn filters_narrow_and_orders_order() {
    let app = App::start();
    ready(&app);
    lamps(&app);
    for (query, expected) in [
        ("", "9876543210"),
        ("category=lamps", "43210"),
        ("category=home&brand=acme", "86420"),
        ("brand=acme&brand=bolt&category=lamps&sort=title", "01234"),
        ("brand=nobody", ""),
        ("tag=sale", "3"),
        ("tag=SALE&tag=unknown", "3"),
        ("price_min=1200&price_max=1400&sort=price", "234"),
        ("price_min=1800&sort=-price", "98"),
        ("price_max=1100&currency=EUR", ""),
        ("in_stock=true&price_min=1600", "76"),
        ("attr.colour=green&sort=title", "0369"),
        ("attr.colour=green&attr.watts=3&attr.watts=4", "3"),
        ("attr.colour=green&brand=bolt&category=lamps", "3"),
        // Few have both words: those that have one follow.
        ("q=lamp+7&limit=1", "7"),
        ("q=LAMP-4&limit=1", "4"),
        ("q=lmap&brand=acme&category=lamps&sort=price", "024"),
    ] {
        assert_eq!(titles(&app, query).concat(), expected, "{query}");
    }
    let unknown = app.get("/v1/store/products?category=nowhere&brand=acme");
    assert_eq!(unknown.status(), 404);
}

#[test]
fn facets_count_without_their_own_filter() {
    let app = App::start();
    ready(&app);
    lamps(&app);
    let page = app.get_json(
        "/v1/store/products?brand=acme&attr.colour=green&facets=brand,category,attr.colour,price&include=total&limit=1",
    );
    let counts = |name: &str, key: &str| -> Vec<(String, u64)> {
        let all = page["facets"][name].as_array().unwrap_or_else(|| panic!("{name}: {page}"));
        let one = |count: &Value| {
            (count[key].as_str().expect("a name").to_owned(), count["count"].as_u64().expect("a count"))
        };
        all.iter().map(one).collect()
    };
    let named = |expected: &[(&str, u64)]| -> Vec<(String, u64)> {
        expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    };
    // Green ones: 0, 3, 6, 9; of Acme: 0, 2, 4, 6, 8.
    assert_eq!(counts("brand", "slug"), named(&[("acme", 2), ("bolt", 2)]));
    assert_eq!(counts("attr.colour", "value"), named(&[("white", 3), ("green", 2)]));
    assert_eq!(counts("category", "path"), named(&[("home", 2), ("home/lamps", 1)]));
    let prices = page["facets"]["price"].as_array().expect("ranges");
    assert_eq!(prices.iter().filter_map(|range| range["count"].as_u64()).sum::<u64>(), 2);
    assert_eq!(page["total"], json!({"count": 2, "is_capped": false}));
    assert_eq!(page["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn pages_lead_forth_and_back() {
    let app = App::start();
    ready(&app);
    lamps(&app);
    for order in ["newest", "price", "-price", "title", "relevance", "position"] {
        let list = format!("category=home&sort={order}&limit=3&q=lamp");
        let (mut forth, mut back) = (Vec::new(), Vec::new());
        let mut query = list.clone();
        let last = loop {
            let page = app.get_json(&format!("/v1/store/products?{query}"));
            forth.push(titles(&app, &query));
            match page["next_cursor"].as_str() {
                Some(cursor) => query = format!("{list}&cursor={cursor}"),
                None => break query,
            }
        };
        let mut query = last;
        loop {
            let page = app.get_json(&format!("/v1/store/products?{query}"));
            back.push(titles(&app, &query));
            match page["previous_cursor"].as_str() {
                Some(cursor) => query = format!("{list}&cursor={cursor}"),
                None => break,
            }
        }
        let mut all: Vec<String> = forth.concat();
        assert_eq!(back.iter().rev().flatten().cloned().collect::<Vec<_>>(), all, "{order}");
        all.sort();
        assert_eq!(all.concat(), "0123456789", "{order}");
    }
}

#[test]
fn a_search_answers_something_and_says_what_it_did() {
    let app = App::start();
    ready(&app);
    lamps(&app);
    let page = app.get_json("/v1/store/products?q=green+lamp+unobtainium");
    assert!(!page["items"].as_array().expect("items").is_empty());
    assert_eq!(page["search"]["dropped"], json!(["unobtainium"]), "{page}");
    let synonyms = json!({"words": ["lamp", "luminaire"]});
    assert_eq!(app.admin_json(Method::POST, "/v1/admin/synonyms", &synonyms).status(), 201);
    assert_eq!(titles(&app, "q=luminaire&limit=200").len(), 10);
    let suggested = app.get_json("/v1/store/search/suggest?q=la");
    assert_eq!(suggested["categories"][0]["slug"], "lamps");
    assert!(suggested["products"].as_array().is_some_and(|all| all.len() == 8));
    assert_eq!(app.get_json("/v1/store/search/suggest?q=acm")["brands"][0]["name"], "Acme");
    for wrong in ["", "?q=", "?q=a&limit=21"] {
        assert_eq!(app.get(&format!("/v1/store/search/suggest{wrong}")).status(), 400, "{wrong}");
    }
}

/// What is edited through one instance stands in the lists of another, with Redis and without.
fn seen_at_once(redis: Option<&str>) {
    let database = database();
    let editor = App::join(&database.url, redis, |_| ());
    let reader = App::join(&database.url, redis, |_| ());
    ready(&editor);
    ready(&reader);
    let made = lamps(&editor);
    let id = |number: usize| made[number]["id"].as_str().expect("an id");
    let variant = |number: usize| made[number]["variants"][0]["id"].as_str().expect("an id");
    let check = |queries: &[(&str, &str)]| {
        for (query, expected) in queries {
            assert_eq!(titles(&reader, query).concat(), *expected, "{query}");
            assert_eq!(titles(&editor, query).concat(), *expected, "{query}");
        }
    };
    check(&[("price_max=1100&sort=price", "01"), ("in_stock=false&attr.colour=red", ""), ("q=lantern", "")]);
    let price = format!("/v1/admin/variants/{}/prices/USD", variant(9));
    assert_eq!(editor.admin_json(Method::PUT, &price, &json!({"amount": 900})).status(), 200);
    check(&[("price_max=1100&sort=price", "901"), ("sort=-price&limit=2", "87")]);
    editor.patch_product(id(4), &json!({"attributes": {"colour": "red"}}));
    check(&[("attr.colour=red", "4"), ("attr.colour=white&category=lamps", "21")]);
    editor.patch_product(id(2), &json!({"title": "Lantern"}));
    check(&[("q=lantern", "Lantern"), ("sort=title&limit=1&category=lamps", "0")]);
    editor.patch_product(id(1), &json!({"status": "archived"}));
    check(&[("brand=bolt&category=lamps", "3"), ("price_max=1100&sort=price", "90")]);
    let brand = made[0]["brand_id"].clone();
    let brand = format!("/v1/admin/brands/{}", brand.as_str().expect("an id"));
    let renamed = editor.admin_json(Method::PATCH, &brand, &json!({"name": "Zenith", "slug": "zenith"}));
    assert_eq!(renamed.status(), 200);
    check(&[
        ("brand=acme", ""),
        ("brand=zenith&category=lamps", "4Lantern0"),
        ("q=zenith&sort=price", "0Lantern468"),
    ]);
}

#[test]
fn edits_stand_in_the_lists_of_others_at_once() {
    seen_at_once(Some(shared_redis()));
    seen_at_once(None);
}

/// A page that an edit cannot have changed is looked at, not made anew.
#[test]
fn edits_leave_other_pages_alone() {
    let app = App::start();
    ready(&app);
    let made = lamps(&app);
    let untouched = ["brand=bolt&sort=title", "category=lamps&facets=brand", "q=lamp&brand=bolt&sort=newest"];
    let touched = "brand=acme&sort=price";
    for query in untouched.iter().chain([&touched]) {
        titles(&app, query);
    }
    let lists = &app.shared.metrics.lists;
    let before = (lists.kept.get(), lists.remade.get(), lists.remade_in_vain.get());
    // The eighth is of Acme and not among the lamps.
    let price =
        format!("/v1/admin/variants/{}/prices/USD", made[8]["variants"][0]["id"].as_str().expect("an id"));
    assert_eq!(app.admin_json(Method::PUT, &price, &json!({"amount": 1})).status(), 200);
    for query in untouched {
        titles(&app, query);
    }
    assert_eq!(titles(&app, touched)[0], "8");
    let after = (lists.kept.get(), lists.remade.get(), lists.remade_in_vain.get());
    assert_eq!(after, (before.0 + 3, before.1 + 1, before.2));
}
