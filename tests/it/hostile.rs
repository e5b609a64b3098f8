//! Hostile and broken requests: always a client error that names the place, never a server error, never half a product.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::App;

/// Sends a body to create a product and returns status and problem.
fn create(app: &App, body: impl Into<Vec<u8>>) -> (u16, Value) {
    let request = app.admin(Method::POST, "/v1/admin/products").header("content-type", "application/json");
    let answer = request.body(body.into()).send().expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().expect("a problem document"))
}

fn nothing_was_written(app: &App) {
    let list = app.admin(Method::GET, "/v1/admin/products").send().expect("an answer");
    assert_eq!(list.json::<Value>().expect("JSON")["items"], json!([]));
    for collection in ["brands", "categories"] {
        let list = app.admin(Method::GET, &format!("/v1/admin/{collection}")).send().expect("an answer");
        assert_eq!(list.json::<Value>().expect("JSON")["items"], json!([]));
    }
}

#[test]
fn broken_bodies_are_client_errors_with_a_place() {
    let app = App::start();
    let deep = format!("{{\"title\": \"x\", \"attributes\": {}1{}}}", "[".repeat(5000), "]".repeat(5000));
    let cases: Vec<(Vec<u8>, u16)> = vec![
        (b"".to_vec(), 400),
        (b"{\"title\": \"a\xff\"}".to_vec(), 400),
        (b"{\"title\": \"a".to_vec(), 400),
        (b"{\"title\": \"\\ud800\"}".to_vec(), 400),
        (b"\x1f\x8b\x08\x00".to_vec(), 400),
        (deep.into_bytes(), 400),
        (b"null".to_vec(), 422),
        (b"[]".to_vec(), 422),
        (b"{}".to_vec(), 422),
        (b"{\"title\": \"a\\u0000b\"}".to_vec(), 422),
        (b"{\"title\": \"a\", \"attributes\": {\"k\\u0000\": 1}}".to_vec(), 422),
        (b"{\"title\": \"a\", \"attributes\": {\"k\": {\"deep\": 1}}}".to_vec(), 422),
        (b"{\"title\": 1}".to_vec(), 422),
        (b"{\"title\": \"a\", \"unknown\": 1}".to_vec(), 422),
        (format!("{{\"title\": \"{}\"}}", "x".repeat(10_000)).into_bytes(), 422),
        (vec![b' '; 10 << 20], 413),
    ];
    for (body, expected) in cases {
        let shown = String::from_utf8_lossy(&body).chars().take(60).collect::<String>();
        let (status, problem) = create(&app, body);
        assert_eq!(status, expected, "{shown}: {problem}");
        if expected != 413 {
            let place = &problem["errors"][0];
            assert!(place["pointer"].is_string() && place["detail"].is_string(), "{shown}: {problem}");
        }
    }
    nothing_was_written(&app);
}

#[test]
fn impossible_money_is_refused() {
    let app = App::start();
    let price =
        |price: &str| format!(r#"{{"title": "a", "variants": [{{"sku": "S", "prices": [{price}]}}]}}"#);
    for wrong in [
        r#"{"currency": "USD", "amount": -1}"#,
        r#"{"currency": "USD", "amount": 9223372036854775807}"#,
        r#"{"currency": "USD", "amount": 92233720368547758070}"#,
        r#"{"currency": "USD", "amount": 1e400}"#,
        r#"{"currency": "USD", "amount": 10.5}"#,
        r#"{"currency": "JPY", "amount": "10.5"}"#,
        r#"{"currency": "KWD", "amount": "1.2345"}"#,
        r#"{"currency": "XTS", "amount": 1}"#,
        r#"{"currency": "", "amount": 1}"#,
        r#"{"currency": "USD"}"#,
        r#"{"amount": 1}"#,
        r#"{"currency": "USD", "amount": 1}, {"currency": "USD", "amount": 2}"#,
    ] {
        let (status, problem) = create(&app, price(wrong));
        assert!(matches!(status, 400 | 422), "{wrong}: {status} {problem}");
        assert!(problem["errors"][0]["pointer"].is_string(), "{wrong}: {problem}");
    }
    nothing_was_written(&app);
}

#[test]
fn unknown_names_are_refused_and_not_made() {
    let app = App::start();
    let unknown = "01900000-0000-7000-8000-000000000001";
    for (field, value) in [
        ("brand_id", json!(unknown)),
        ("category_ids", json!([unknown])),
        ("brand", json!("Nobody")),
        ("categories", json!(["Nowhere > Near"])),
    ] {
        let (status, problem) = create(&app, json!({"title": "a", field: value}).to_string());
        assert_eq!(status, 422, "{field}: {problem}");
        assert!(
            problem["errors"][0]["pointer"].as_str().expect("a pointer").starts_with(&format!("#/{field}"))
        );
    }
    nothing_was_written(&app);
}

#[test]
fn hostile_addresses_are_client_errors() {
    let app = App::start();
    let long = "x".repeat(5000);
    let paths = [
        "/v1/store/products/%00".to_owned(),
        "/v1/store/products/..%2f..%2fetc".to_owned(),
        "/v1/store/products/by-slug/%FF%FE".to_owned(),
        "/v1/store/products/by-slug/a%00b".to_owned(),
        "/v1/store/products/by-sku/%E0%80%80".to_owned(),
        format!("/v1/store/products/by-sku/{long}"),
        "/v1/store/products/by-sku/'%3B%20DROP%20TABLE%20catalog.product%3B--".to_owned(),
        "/v1/store/products?category=%00".to_owned(),
        "/v1/store/products?category=%27".to_owned(),
        format!("/v1/store/products?cursor={long}"),
        "/v1/store/products?cursor=AAAA".to_owned(),
        "/v1/store/products?limit=-1".to_owned(),
        "/v1/store/products?limit=99999999999999999999".to_owned(),
        "/v1/store/products?%FF=%FF".to_owned(),
        "/v1/store/categories/%00".to_owned(),
        "/v1/store/categories/none".to_owned(),
        format!("/{}", "a/".repeat(3000)),
        format!("/v1/store/brands?locale={}", "x".repeat(9000)),
    ];
    for path in paths {
        let answer = app.get(&path);
        let status = answer.status();
        assert!(status.is_client_error(), "{path:.80}: {status}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path:.80}");
    }
    assert_eq!(app.get("/v1/store/products").status(), 200);
}

#[test]
fn hostile_stock_and_names_are_client_errors() {
    let app = App::start();
    let product = app.create_product(&json!({"title": "a", "variants": [{"sku": "S", "stock": 1}]}));
    let variant = product["variants"][0]["id"].as_str().expect("an id");
    let stock = format!("/v1/admin/variants/{variant}/stock");
    let cases = [
        (Method::PUT, format!("{stock}/default"), json!({"quantity": 3_000_000_000_u64})),
        (Method::PUT, format!("{stock}/default"), json!({"quantity": "5"})),
        (Method::PUT, format!("{stock}/default"), json!({})),
        (Method::PUT, format!("{stock}/a%00b"), json!({"quantity": 5})),
        (Method::PUT, format!("{stock}/{}", "x".repeat(300)), json!({"quantity": 5})),
        (Method::POST, format!("{stock}/default/adjust"), json!({"by": i64::MAX})),
        (Method::POST, "/v1/admin/brands".to_owned(), json!({"name": "a\u{0}"})),
        (Method::POST, "/v1/admin/brands".to_owned(), json!({"name": "a", "slug": "A B"})),
        (Method::POST, "/v1/admin/categories".to_owned(), json!({"name": "a", "parent_id": "x"})),
        (Method::POST, "/v1/admin/categories".to_owned(), json!({"name": "a", "parent_id": variant})),
        (
            Method::POST,
            "/v1/admin/categories".to_owned(),
            json!({"name": "a", "position": 5_000_000_000_u64}),
        ),
        (Method::POST, "/v1/admin/tokens".to_owned(), json!({"name": "a", "scope": "root"})),
        (
            Method::POST,
            "/v1/admin/tokens".to_owned(),
            json!({"name": "a", "scope": "read", "expires_at": "soon"}),
        ),
    ];
    for (method, path, body) in cases {
        let answer = app.admin_json(method, &path, &body);
        let status = answer.status();
        let text = answer.text().expect("a body");
        assert!(status.is_client_error(), "{path:.90} {body}: {status} {text}");
    }
    // Adding up to more than a number of units can be is refused too, by whoever adds.
    for _ in 0..4 {
        let answer =
            app.admin_json(Method::POST, &format!("{stock}/default/adjust"), &json!({"by": 1_000_000_000}));
        let status = answer.status();
        assert!(status.is_success() || status.is_client_error(), "{status}");
    }
}

/// Sends bytes as they are and returns the start of the answer.
fn raw(app: &App, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.url.trim_start_matches("http://")).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    stream.write_all(bytes).expect("sent");
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(length) => answer.extend_from_slice(&chunk[..length]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn malformed_requests_never_reach_a_server_error() {
    let app = App::start();
    for (bytes, status) in [
        (&b"GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n"[..], "400"),
        (b"NONSENSE\r\n\r\n", "400"),
        (b"GET /v1/store/brands HTTP/1.1\r\nHost: x\r\nAccept-Encoding: \xff\xfe\r\nAccept-Language: \xff\r\nIf-None-Match: \xff\r\n\r\n", "200"),
        (b"GET /v1/admin/products HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n\r\n", "401"),
        (b"BREW /v1/store/brands HTTP/1.1\r\nHost: x\r\n\r\n", "405"),
        (b"POST /v1/admin/products HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", "400"),
    ] {
        let answer = raw(&app, bytes);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{:?}: {answer}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(app.get("/livez").status(), 200);
}
