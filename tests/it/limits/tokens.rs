//! Limits of the admin API: requests by token, and tokens that do not work by address.

use aisle::limits::FAILED_AUTHORIZATIONS_MAX;
use reqwest::{Method, blocking::Response};
use serde_json::{Value, json};

use super::{ENDLESS, told};
use crate::support::app::{App, TOKEN};

const PATH: &str = "/v1/admin/brands";

fn app(requests: u32) -> App {
    App::start_with(|settings| {
        settings.rate_limit_token = requests;
        settings.rate_limit_window = ENDLESS;
        settings.trusted_proxies = 1;
    })
}

/// Asks with a token from an address.
fn ask(app: &App, token: &str, client: &str) -> Response {
    let request = app.request(Method::GET, PATH).header("X-Forwarded-For", client);
    request.bearer_auth(token).send().expect("an answer")
}

fn make_token(app: &App, scope: &str) -> String {
    let answer = app.admin_json(Method::POST, "/v1/admin/tokens", &json!({"name": scope, "scope": scope}));
    let made: Value = answer.json().expect("JSON");
    made["secret"].as_str().expect("a token").to_owned()
}

#[test]
fn each_token_has_a_limit_of_its_own_wherever_it_comes_from() {
    let app = app(5);
    let stored = make_token(&app, "write");
    for (number, left) in [3, 2, 1, 0].into_iter().enumerate() {
        let answer = ask(&app, TOKEN, &format!("203.0.113.{number}"));
        assert_eq!((answer.status().as_u16(), told(&answer).1), (200, left));
        assert_eq!(told(&answer).0, r#""token""#);
    }
    let refused = ask(&app, TOKEN, "203.0.113.9");
    assert_eq!((refused.status().as_u16(), told(&refused).1), (429, 0));
    assert!(refused.headers().contains_key("retry-after"));
    assert_eq!(refused.json::<Value>().expect("JSON")["code"], "rate_limited");
    // Nothing was done for it.
    let edit = app.admin_json(Method::POST, PATH, &json!({"name": "Acme"}));
    assert_eq!(edit.status(), 429);
    assert_eq!(ask(&app, &stored, "203.0.113.9").json::<Value>().expect("JSON")["items"], json!([]));
    // Paths that do not exist count too.
    let answer =
        app.request(Method::GET, "/v1/admin/nothing").bearer_auth(&stored).send().expect("an answer");
    assert_eq!((answer.status().as_u16(), told(&answer).1), (404, 3));
    let store = app.get("/v1/store/brands");
    assert!(!store.headers().contains_key("ratelimit"), "the store has another limit");
    assert_eq!(app.shared.metrics.limits.token.refused.get(), 2);
}

#[test]
fn who_guesses_tokens_is_not_heard_for_long() {
    let app = app(1000);
    let stored = make_token(&app, "read");
    let guess = |number: u32| format!("{stored}{number}");
    let (guesser, other) = ("203.0.113.7", "203.0.113.8");
    // Without a token, nothing is guessed.
    for _ in 0..FAILED_AUTHORIZATIONS_MAX + 5 {
        let request = app.request(Method::GET, PATH).header("X-Forwarded-For", guesser);
        assert_eq!(request.send().expect("an answer").status(), 401);
    }
    for number in 0..FAILED_AUTHORIZATIONS_MAX {
        let answer = ask(&app, &guess(number), guesser);
        assert_eq!(answer.status(), 401);
        assert_eq!(told(&answer).1, FAILED_AUTHORIZATIONS_MAX - 1 - number);
        assert_eq!(told(&answer).0, r#""failure""#);
    }
    let asked = || app.shared.metrics.admin.duration.get_sample_count();
    let before = asked();
    // The right one is not told from the others any more, nor does the database hear of any.
    for token in [&guess(9999), TOKEN, &stored] {
        let answer = ask(&app, token, guesser);
        assert_eq!(answer.status(), 429, "{token}");
        assert_eq!(told(&answer).0, r#""failure""#);
        assert!(answer.headers().contains_key("retry-after"));
    }
    assert_eq!(asked(), before);
    for token in [TOKEN, &stored] {
        let answer = ask(&app, token, other);
        assert_eq!((answer.status().as_u16(), told(&answer).0.as_str()), (200, r#""token""#), "{token}");
    }
    assert_eq!(app.shared.metrics.limits.failure.refused.get(), 3);
}
