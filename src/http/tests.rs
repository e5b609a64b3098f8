//! All of HTTP that ends before the catalogue is asked: routing, tokens, parameters, bodies, panics. The catalogue itself is
//! missing here, so whatever gets through is an internal problem.

use actix_web::{
    App, HttpServer,
    body::to_bytes,
    dev::{Service, ServiceResponse},
    http::{StatusCode, header},
    test::{TestRequest, init_service},
};
use clap::Parser;
use serde_json::Value;

use super::{problem::Code, *};
use crate::{settings::ServeSettings, supervision::Draining};

const TOKEN: &str = "an-admin-token";
const PRODUCT: &str = "/v1/admin/products/01900000-0000-7000-8000-000000000001";

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    settings: ServeSettings,
}

fn settings() -> HttpSettings {
    let arguments = ["aisle", "--admin-token", TOKEN, "--locales", "en,de"];
    HttpSettings::new(&Arguments::parse_from(arguments).settings, &Draining::default(), None)
}

async fn panics() -> &'static str {
    panic!("on purpose")
}

fn configure_with_panic(config: &mut ServiceConfig) {
    let metrics = Metrics::new().unwrap();
    let state = State::new(&settings(), Arc::clone(&metrics));
    Routes::new(config, &state).at("/panics", |at| at.get(panics));
    configure(config, &settings(), &metrics);
}

/// Path templates and methods of everything declared.
pub(super) fn declared() -> Vec<(&'static str, Vec<Method>)> {
    let mut found = Vec::new();
    let _app = App::new().configure(|config| found = declare(config, &settings(), &Metrics::new().unwrap()));
    found
}

async fn answer(request: TestRequest) -> ServiceResponse {
    let app = init_service(App::new().configure(configure_with_panic)).await;
    app.call(request.to_request()).await.unwrap()
}

/// Code of the problem that a request is answered with; checks what all problems have.
async fn problem(request: TestRequest) -> (Code, Value, header::HeaderMap) {
    let answer = answer(request).await;
    let (status, headers) = (answer.status(), answer.headers().clone());
    assert_eq!(headers.get("content-type").unwrap(), problem::MEDIA_TYPE);
    assert_eq!(headers.get("cache-control").unwrap(), "no-store");
    let document: Value = serde_json::from_slice(&to_bytes(answer.into_body()).await.unwrap()).unwrap();
    assert_eq!(document["status"], status.as_u16());
    assert_eq!(document["request_id"], headers.get("x-request-id").unwrap().to_str().unwrap());
    let code = Code::ALL.iter().find(|code| document["code"] == code.name()).unwrap();
    assert_eq!(code.status(), status);
    assert_eq!(document["type"], code.uri());
    (*code, document, headers)
}

fn admin(request: TestRequest) -> TestRequest {
    request.insert_header((header::AUTHORIZATION, format!("Bearer {TOKEN}")))
}

fn post(content_type: &'static str, body: impl Into<Vec<u8>>) -> TestRequest {
    let request = TestRequest::post().uri("/v1/admin/products").set_payload(body.into());
    admin(request.insert_header((header::CONTENT_TYPE, content_type)))
}

#[actix_web::test]
async fn every_path_and_method_has_an_answer() {
    for uri in
        ["/", "/nothing", "/v1/store", "/v1/store/products/", "/v1/adminx", "/docs/none.js", "/problems/x"]
    {
        assert_eq!(problem(TestRequest::with_uri(uri)).await.0, Code::NotFound, "{uri}");
    }
    for (path, methods) in declared() {
        let uri = path.replace("{file:.*}", "x").replace(['{', '}'], "");
        let request = TestRequest::with_uri(&uri).method(Method::OPTIONS);
        let (code, _, headers) = problem(admin(request)).await;
        assert_eq!(code, Code::MethodNotAllowed, "{uri}");
        let allow: Vec<_> = methods.iter().map(Method::as_str).collect();
        assert_eq!(headers.get("allow").unwrap().to_str().unwrap(), allow.join(", "), "{uri}");
    }
}

#[actix_web::test]
async fn strangers_learn_nothing_of_the_admin_api() {
    let strangers = [None, Some("Bearer wrong"), Some("Basic YTpi"), Some("Bearer"), Some("Bearer \u{e9}")];
    for (path, methods) in declared().into_iter().filter(|(path, _)| path.starts_with("/v1/admin")) {
        for method in methods.into_iter().chain([Method::OPTIONS]) {
            for stranger in strangers {
                let request = TestRequest::with_uri(path).method(method.clone()).set_payload("{");
                let request = match stranger {
                    Some(value) => request.insert_header((header::AUTHORIZATION, value)),
                    None => request,
                };
                let (code, _, headers) = problem(request).await;
                assert_eq!(code, Code::Unauthorized, "{method} {path} {stranger:?}");
                assert!(headers.get("www-authenticate").unwrap().to_str().unwrap().starts_with("Bearer "));
            }
        }
    }
    for uri in ["/v1/admin", "/v1/admin/", "/v1/admin/nothing"] {
        assert_eq!(problem(TestRequest::with_uri(uri)).await.0, Code::Unauthorized);
        assert_eq!(problem(admin(TestRequest::with_uri(uri))).await.0, Code::NotFound);
    }
}

#[actix_web::test]
async fn wrong_parameters_are_named() {
    let cases = [
        ("/v1/store/products/42", "id"),
        ("/v1/store/products/by-sku/a%00b", "sku"),
        ("/v1/store/products/by-slug/%FF", "slug"),
        ("/v1/store/categories/a%0Ab", "category"),
        ("/v1/store/products/01900000-0000-7000-8000-000000000001?currency=XTS", "currency"),
        ("/v1/store/products/by-sku/x?locale=english", "locale"),
        ("/v1/store/brands?page=2", "page"),
        ("/v1/store/products?limit=201", "limit"),
        ("/v1/store/products?sort=cheapest", "sort"),
        ("/v1/store/products?price_min=-1", "price_min"),
        ("/v1/store/products?facets=colour", "facets"),
        ("/v1/store/search/suggest", "q"),
        ("/v1/store/products?cursor=%00", "cursor"),
        ("/v1/store/products?colour=red", "colour"),
        ("/v1/admin/products?after=1", "after"),
        ("/v1/admin/products/1", "id"),
        ("/v1/admin/audit-log?limit=201", "limit"),
        ("/v1/admin/audit-log?path=%00", "path"),
        ("/v1/admin/audit-log?cursor=x", "cursor"),
    ];
    for (uri, name) in cases {
        let (code, document, _) = problem(admin(TestRequest::with_uri(uri))).await;
        assert_eq!(
            (code, document["errors"][0]["parameter"].as_str()),
            (Code::InvalidParameter, Some(name)),
            "{uri}"
        );
    }
    let (code, document, _) =
        problem(TestRequest::with_uri("/v1/store/products?limit=0&sort=x&currency=ZZZ&foo=1")).await;
    assert_eq!((code, document["errors"].as_array().unwrap().len()), (Code::InvalidParameter, 4));
}

#[actix_web::test]
async fn refuses_what_no_coding_can_satisfy_and_endless_addresses() {
    let request = TestRequest::with_uri("/v1/store/brands").insert_header(("accept-encoding", "*;q=0"));
    assert_eq!(problem(request).await.0, Code::NotAcceptable);
    let uri = format!("/v1/store/brands?locale={}", "x".repeat(9000));
    assert_eq!(problem(TestRequest::with_uri(&uri)).await.0, Code::UriTooLong);
}

#[actix_web::test]
async fn bodies_are_bounded_typed_and_json() {
    let json = "application/json";
    let cases = [
        (post(json, ""), Code::MalformedBody),
        (post(json, "{"), Code::MalformedBody),
        (post(json, [b'"', 0xff, b'"']), Code::MalformedBody),
        (post(json, "[".repeat(100_000)), Code::MalformedBody),
        (post("application/json; charset=latin1", "{}"), Code::UnsupportedMediaType),
        (post("text/plain", "{}"), Code::UnsupportedMediaType),
        (post("application/merge-patch+json", "{}"), Code::UnsupportedMediaType),
        (post(json, "{}").insert_header(("content-encoding", "gzip")), Code::UnsupportedMediaType),
        (post(json, "[]"), Code::Invalid),
        (post(json, r#"{"title": "a\u0000"}"#), Code::Invalid),
        (post(json, vec![b' '; 10 << 20]), Code::BodyTooLarge),
        (post(json, vec![b' '; 40 << 20]), Code::BodyTooLarge),
        (post("Application/JSON; Charset=\"UTF-8\"", "{"), Code::MalformedBody),
    ];
    for (index, (request, expected)) in cases.into_iter().enumerate() {
        assert_eq!(problem(request).await.0, expected, "case {index}");
    }
}

#[actix_web::test]
async fn edits_name_the_version_they_start_from() {
    let edit = |method: Method| admin(TestRequest::with_uri(PRODUCT).method(method));
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        assert_eq!(problem(edit(method.clone())).await.0, Code::PreconditionRequired);
        let (code, document, _) = problem(edit(method).insert_header(("if-match", "v1"))).await;
        assert_eq!(
            (code, document["errors"][0]["header"].as_str()),
            (Code::InvalidParameter, Some("If-Match"))
        );
    }
    let request =
        edit(Method::PATCH).insert_header(("if-match", "*")).insert_header(("content-type", "text/csv"));
    let (code, _, headers) = problem(request).await;
    assert_eq!(code, Code::UnsupportedMediaType);
    assert_eq!(headers.get("accept-patch").unwrap(), body::PATCH_TYPES);
}

#[actix_web::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let (code, document, _) = problem(TestRequest::with_uri("/panics")).await;
    assert_eq!(code, Code::Internal);
    assert!(!document.to_string().contains("on purpose"));
}

#[actix_web::test]
async fn request_ids_are_taken_over() {
    let request = TestRequest::with_uri("/nothing").insert_header(("x-request-id", "abc-1"));
    assert_eq!(problem(request).await.1["request_id"], "abc-1");
}

#[actix_web::test]
async fn operators_are_answered() {
    let metrics = Metrics::new().unwrap();
    let app = init_service(App::new().configure(|config| configure(config, &settings(), &metrics))).await;
    for (uri, expected) in [
        ("/livez", "ok"),
        ("/v1/nothing", "not_found"),
        ("/openapi.json", "\"openapi\": \"3.1.0\""),
        ("/docs/", "swagger"),
        ("/problems/version_conflict", "412"),
    ] {
        let answer = app.call(TestRequest::with_uri(uri).to_request()).await.unwrap();
        let nosniff = answer.headers().get("x-content-type-options").cloned();
        let body = to_bytes(answer.into_body()).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains(expected), "{uri}: {body:?}");
        assert_eq!(nosniff.unwrap(), "nosniff", "{uri}");
    }
    let answer = app.call(TestRequest::with_uri("/docs").to_request()).await.unwrap();
    assert_eq!(
        (answer.status(), answer.headers().get("location").unwrap().as_bytes()),
        (StatusCode::MOVED_PERMANENTLY, &b"/docs/"[..])
    );
}

/// Over a real connection: what depends on how the server writes and reads.
#[test]
fn connections_survive_panics_and_large_bodies() {
    let (sender, started) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = HttpServer::new(|| App::new().configure(configure_with_panic)).workers(1);
            let server = server.disable_signals().bind(("127.0.0.1", 0)).unwrap();
            let address = server.addrs()[0];
            let server = server.run();
            sender.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    let (address, handle) = started.recv().unwrap();
    let client = reqwest::blocking::Client::new();
    let url = |path: &str| format!("http://{address}{path}");

    let answer = client.get(url("/panics")).send().unwrap();
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.headers()["content-type"], problem::MEDIA_TYPE);

    let head = client.head(url("/livez")).send().unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "2"));
    assert_eq!(head.text().unwrap(), "");

    for megabytes in [5, 10, 30] {
        let request = client.post(url("/v1/admin/products")).bearer_auth(TOKEN);
        let request = request.header("content-type", "application/json");
        let answer = request.body(vec![b' '; megabytes << 20]).send().unwrap();
        assert_eq!(answer.status(), 413, "{megabytes} MiB");
    }
    let stranger = client.post(url("/v1/admin/products")).body(vec![b' '; 10 << 20]).send().unwrap();
    assert_eq!(stranger.status(), 401);

    actix_web::rt::System::new().block_on(handle.stop(false));
    server.join().unwrap();
}
