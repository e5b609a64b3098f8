//! The interface description against the running application: what it says is what is answered.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::App;

/// The schema behind references.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("it leads somewhere"),
        None => schema,
    }
}

/// Names of the properties a schema requires, with those of its parts.
fn required(document: &Value, schema: &Value) -> Vec<String> {
    let schema = resolved(document, schema);
    let own =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
    let parts = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| required(document, part));
    own.chain(parts).collect()
}

#[test]
fn answers_have_what_the_description_requires() {
    let app = App::start();
    let product = app.create_product(&json!({
        "title": "Floor lamp",
        "variants": [{"sku": "LAMP-1", "prices": [{"currency": "USD", "amount": 6999}]}]
    }));
    let id = product["id"].as_str().expect("an id");
    let variant = product["variants"][0]["id"].as_str().expect("an id");
    let made = |path: &str, body: &Value| {
        let answer: Value = app.admin_json(Method::POST, path, body).json().expect("JSON");
        answer["id"].as_str().expect("an id").to_owned()
    };
    let attribute = made("/v1/admin/attributes", &json!({"code": "watts", "label": "Power"}));
    let product_type = made("/v1/admin/product-types", &json!({"code": "lamp", "name": "Lamp"}));
    let synonyms = made("/v1/admin/synonyms", &json!({"words": ["sofa", "couch"]}));
    let document = app.get_json("/openapi.json");
    for (template, path) in [
        ("/v1/store/products/{id}", format!("/v1/store/products/{id}")),
        ("/v1/store/products/by-slug/{slug}", "/v1/store/products/by-slug/floor-lamp".to_owned()),
        ("/v1/store/products/by-sku/{sku}", "/v1/store/products/by-sku/LAMP-1".to_owned()),
        ("/v1/store/products", "/v1/store/products".to_owned()),
        ("/v1/store/categories", "/v1/store/categories".to_owned()),
        ("/v1/store/brands", "/v1/store/brands".to_owned()),
        ("/v1/store/attributes", "/v1/store/attributes".to_owned()),
        ("/v1/admin/products", "/v1/admin/products".to_owned()),
        ("/v1/admin/products/{id}", format!("/v1/admin/products/{id}")),
        ("/v1/admin/variants/{id}", format!("/v1/admin/variants/{variant}")),
        ("/v1/admin/categories", "/v1/admin/categories".to_owned()),
        ("/v1/admin/brands", "/v1/admin/brands".to_owned()),
        ("/v1/admin/product-types", "/v1/admin/product-types".to_owned()),
        ("/v1/admin/product-types/{id}", format!("/v1/admin/product-types/{product_type}")),
        ("/v1/admin/product-types/{id}/misfits", format!("/v1/admin/product-types/{product_type}/misfits")),
        ("/v1/admin/attributes", "/v1/admin/attributes".to_owned()),
        ("/v1/admin/attributes/{id}", format!("/v1/admin/attributes/{attribute}")),
        ("/v1/admin/synonyms", "/v1/admin/synonyms".to_owned()),
        ("/v1/admin/synonyms/{id}", format!("/v1/admin/synonyms/{synonyms}")),
        ("/v1/admin/tokens", "/v1/admin/tokens".to_owned()),
        ("/v1/admin/audit-log", "/v1/admin/audit-log?limit=2".to_owned()),
        ("/readyz", "/readyz".to_owned()),
        ("/problems/{code}", "/problems/invalid".to_owned()),
    ] {
        let operation = &document["paths"][template]["get"];
        let answer = app.admin(Method::GET, &path).send().expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        let described = &operation["responses"]["200"];
        for name in answer.headers().keys().map(reqwest::header::HeaderName::as_str) {
            let common =
                ["date", "content-length", "content-type", "x-content-type-options", "cache-control"];
            let known = described["headers"].as_object();
            let listed = known.is_some_and(|known| known.keys().any(|key| key.eq_ignore_ascii_case(name)));
            assert!(listed || common.contains(&name), "{template} does not describe {name}");
        }
        let body: Value = answer.json().expect("JSON");
        let schema = &described["content"]["application/json"]["schema"];
        for name in required(&document, schema) {
            assert!(body.get(&name).is_some(), "{template}: {name} is missing in {body}");
        }
        let schema = resolved(&document, schema);
        if let (Some(properties), Some(body)) = (schema["properties"].as_object(), body.as_object()) {
            for name in body.keys().filter(|_| schema.get("allOf").is_none()) {
                assert!(properties.contains_key(name), "{template}: {name} is not described");
            }
        }
    }
}

#[test]
fn the_viewer_needs_no_network() {
    let app = App::start();
    let index = app.get("/docs/").text().expect("a body");
    assert!(index.contains("swagger-ui"));
    assert!(!index.contains("https://"), "nothing is loaded from elsewhere");
    for file in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-initializer.js"] {
        assert_eq!(app.get(&format!("/docs/{file}")).status(), 200, "{file}");
    }
    assert!(app.get("/docs/swagger-initializer.js").text().expect("a body").contains("/openapi.json"));
}

#[test]
fn operators_see_what_the_application_does() {
    let app = App::start();
    let product = app.create_product(&json!({"title": "Floor lamp"}));
    let path = format!("/v1/store/products/{}", product["id"].as_str().expect("an id"));
    for _ in 0..3 {
        app.get(&path);
    }
    assert_eq!(app.get("/livez").text().expect("a body"), "ok");
    let ready = app.get_json("/readyz");
    assert_eq!(ready["ready"], true);
    assert!(ready["checks"].as_array().expect("checks").iter().any(|check| check["name"] == "postgres"));
    let metrics = app.get("/metrics").text().expect("a body");
    for line in [
        r#"http_requests_total{method="GET",route="/v1/store/products/{id}",status="200"} 3"#,
        r#"http_requests_total{method="POST",route="/v1/admin/products",status="201"} 1"#,
        r#"aisle_cache_requests_total{layer="local",result="hit"} 2"#,
        "aisle_build_info",
    ] {
        assert!(metrics.contains(line), "{line} is missing in {metrics}");
    }
}
