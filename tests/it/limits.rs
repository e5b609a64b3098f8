//! Rate limits: who goes too far is refused and told so, nobody else is, and whatever Redis does nobody waits.

mod shared;
mod tokens;

use aisle::settings::ServeSettings;
use reqwest::{Method, blocking::Response};
use serde_json::Value;

use crate::support::{
    app::App,
    balancer::{Balancer, free_port, is_installed},
    database,
    process::Instance,
    waiting::{PATIENCE, wait_until},
};

/// A window that no test sees the end of: some thirty years.
const ENDLESS: u32 = 1_000_000_000;

const PATH: &str = "/v1/store/brands";

/// Limits the requests of an address, behind one balancer.
fn limit(settings: &mut ServeSettings, requests: u32) {
    settings.rate_limit_address = requests;
    settings.rate_limit_window = ENDLESS;
    settings.trusted_proxies = 1;
}

fn ask(app: &App, path: &str, client: &str) -> Response {
    app.request(Method::GET, path).header("X-Forwarded-For", client).send().expect("an answer")
}

/// Requests of a client that are admitted until one is refused.
fn admitted(app: &App, client: &str, most: usize) -> usize {
    (0..most).take_while(|_| ask(app, PATH, client).status() == 200).count()
}

fn text<'a>(answer: &'a Response, header: &str) -> &'a str {
    answer.headers().get(header).map_or("", |value| value.to_str().expect("text"))
}

/// Limit, what is left of it, and seconds until it is whole again.
fn told(answer: &Response) -> (String, u32, u64) {
    let (name, left) = text(answer, "ratelimit").split_once(";r=").expect("what is left");
    let (left, seconds) = left.split_once(";t=").expect("when it is whole again");
    (name.to_owned(), left.parse().expect("a number"), seconds.parse().expect("seconds"))
}

#[test]
fn who_goes_too_far_is_refused_until_the_window_ends_and_nobody_else_is() {
    let app = App::start_with(|settings| limit(settings, 5));
    let client = "203.0.113.7";
    // Whatever is asked for counts, be it there or not.
    let paths = [PATH, "/v1/store/products", "/v1/store/products/by-sku/none", "/v1/store/nothing", PATH];
    for (path, left) in paths.into_iter().zip([4, 3, 2, 1, 0]) {
        let answer = ask(&app, path, client);
        assert_ne!(answer.status(), 429, "{path}");
        let (name, remaining, seconds) = told(&answer);
        assert_eq!((name.as_str(), remaining), (r#""address""#, left), "{path}");
        assert!((1..=u64::from(ENDLESS)).contains(&seconds), "{seconds}");
        assert_eq!(text(&answer, "ratelimit-policy"), format!(r#""address";q=5;w={ENDLESS}"#));
    }
    for method in [Method::GET, Method::HEAD, Method::POST] {
        let answer = app.request(method, PATH).header("X-Forwarded-For", client).send().expect("an answer");
        assert_eq!(answer.status(), 429);
        let (name, remaining, seconds) = told(&answer);
        assert_eq!((name.as_str(), remaining), (r#""address""#, 0));
        let retry_after: u64 = text(&answer, "retry-after").parse().expect("seconds");
        assert!(retry_after.abs_diff(seconds) <= 1, "{retry_after} and {seconds}");
        assert_eq!(text(&answer, "cache-control"), "no-store");
    }
    let problem: Value = ask(&app, "/v1/store/nothing", client).json().expect("JSON");
    assert_eq!((&problem["code"], &problem["status"]), (&"rate_limited".into(), &429.into()));

    assert_eq!(told(&ask(&app, PATH, "203.0.113.8")).1, 4, "another client");
    for path in ["/livez", "/readyz", "/metrics", "/openapi.json", "/docs/", "/problems/rate_limited"] {
        let answer = ask(&app, path, client);
        assert_eq!((answer.status().as_u16(), text(&answer, "ratelimit")), (200, ""), "{path}");
    }
    assert_eq!(app.admin(Method::GET, "/v1/admin/brands").send().expect("an answer").status(), 200);
    let metrics = &app.shared.metrics.limits.address;
    assert_eq!((metrics.refused.get(), metrics.uncounted.get()), (4, 0));
    wait_until(PATIENCE, "both clients in the metrics", || metrics.keys.get() == 2);
}

#[test]
fn all_addresses_of_a_network_are_one_client() {
    let app = App::start_with(|settings| limit(settings, 5));
    for (number, left) in [4, 3, 2].into_iter().enumerate() {
        assert_eq!(told(&ask(&app, PATH, &format!("2001:db8:1:2::{number}"))).1, left);
    }
    assert_eq!(told(&ask(&app, PATH, "2001:db8:1:3::1")).1, 4);
}

#[test]
fn an_unchanged_answer_says_what_is_left_too() {
    let app = App::start_with(|settings| limit(settings, 5));
    let tag = text(&ask(&app, PATH, "203.0.113.7"), "etag").to_owned();
    let request = app.request(Method::GET, PATH).header("X-Forwarded-For", "203.0.113.7");
    let answer = request.header("If-None-Match", tag).send().expect("an answer");
    assert_eq!((answer.status().as_u16(), told(&answer).1), (304, 3));
}

#[test]
fn nobody_becomes_somebody_else_by_a_made_up_header() {
    let app = App::start_with(|settings| {
        limit(settings, 3);
        settings.trusted_proxies = 0;
    });
    let others = (0..10).filter(|number| ask(&app, PATH, &format!("203.0.113.{number}")).status() == 200);
    assert_eq!(others.count(), 3);

    let behind = App::start_with(|settings| limit(settings, 3));
    let made_up = |number: &u32| format!("203.0.113.{number}, 198.51.100.1");
    let others = (0..10).filter(|number| ask(&behind, PATH, &made_up(number)).status() == 200);
    assert_eq!(others.count(), 3);
}

#[test]
fn a_new_window_begins_anew() {
    let app = App::start_with(|settings| {
        limit(settings, 3);
        settings.rate_limit_window = 1;
    });
    for _ in 0..3 {
        wait_until(PATIENCE, "a refusal", || ask(&app, PATH, "203.0.113.7").status() == 429);
        wait_until(PATIENCE, "another window", || ask(&app, PATH, "203.0.113.7").status() == 200);
    }
    wait_until(PATIENCE, "old windows dropped", || app.shared.metrics.limits.address.keys.get() == 0);
}

#[test]
fn what_a_cache_may_give_to_others_does_not_say_what_is_left_for_one() {
    let app = App::start_with(|settings| {
        limit(settings, 4);
        settings.max_age = 60;
    });
    let client = "203.0.113.7";
    app.create_product(&serde_json::json!({"title": "Lamp", "slug": "lamp"}));
    for path in [PATH, "/v1/store/products/by-slug/lamp"] {
        let answer = ask(&app, path, client);
        assert!(text(&answer, "cache-control").contains("max-age=60"), "{path}");
        assert_eq!((text(&answer, "ratelimit"), text(&answer, "ratelimit-policy")), ("", ""), "{path}");
    }
    assert_eq!(told(&ask(&app, "/v1/store/products?limit=none", client)).1, 1, "no cache keeps this one");
    assert_eq!(admitted(&app, client, 10), 1);
}

#[test]
fn without_limits_nothing_is_counted_nor_said() {
    let app = App::start();
    for _ in 0..50 {
        let answer = ask(&app, PATH, "203.0.113.7");
        assert_eq!((answer.status().as_u16(), text(&answer, "ratelimit")), (200, ""));
    }
    let admin = app.admin(Method::GET, "/v1/admin/brands").send().expect("an answer");
    assert_eq!((admin.status().as_u16(), text(&admin, "ratelimit")), (200, ""));
    assert_eq!(app.shared.metrics.limits.address.keys.get(), 0);
}

/// Starts a balancer in front of instances at these ports.
type Start = fn([u16; 3]) -> Balancer;

/// With the balancers' files as they are: what they add is the client, whatever came before it.
#[test]
fn the_balancers_say_who_the_client_is() {
    let database = database();
    let port = free_port();
    let instance = Instance::serve(&[
        ("AISLE_LISTEN", &format!("127.0.0.1:{port}")),
        ("DATABASE_URL", &database.url),
        ("AISLE_RATE_LIMIT_ADDRESS", "1000000"),
        ("AISLE_TRUSTED_PROXIES", "1"),
    ]);
    let client = reqwest::blocking::Client::new();
    let left = |url: &str, forwarded: &str| {
        let request = client.get(format!("{url}{PATH}")).header("X-Forwarded-For", forwarded);
        let answer = request.send().expect("an answer");
        (answer.status() == 200).then(|| 1_000_000 - told(&answer).1)
    };
    let balancers: [(&str, Start); 2] = [("haproxy", Balancer::haproxy), ("nginx", Balancer::nginx)];
    for (program, start) in balancers {
        if !is_installed(program) {
            continue;
        }
        let balancer = start([port; 3]);
        wait_until(PATIENCE, "the instance behind it", || left(&balancer.url, "192.0.2.1").is_some());
        // Somebody else would have counted 1 at each.
        let counts: Vec<_> =
            (0..20).map(|number| left(&balancer.url, &format!("192.0.2.{number}"))).collect();
        let own = counts.iter().filter(|count| **count > Some(1)).count();
        assert!(own >= 18, "{program}: {counts:?}");
    }
    drop(instance);
}
