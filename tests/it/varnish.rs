//! Varnish in front of the fleet, with the file of `deploy/`: answers come from it, and no edit is missed for longer than a purge
//! takes, whatever breaks.

use std::{
    thread,
    time::{Duration, Instant},
};

use diesel::connection::SimpleConnection;
use reqwest::{
    Method,
    blocking::{Client, Response},
};
use serde_json::{Value, json};

use crate::support::{
    app::{App, TOKEN},
    chaos::Relay,
    database,
    database::TestDatabase,
    purger::Purger,
    redis::shared_redis,
    varnish::{Varnish, is_complete},
    waiting::{PATIENCE, wait_until},
};

/// Sooner than everything is purged a second time, which would hide a purge that was missed.
const SOON: Duration = Duration::from_secs(12);

/// Instances behind Varnish, and a purger.
struct Shop {
    // Ended before their database goes: fields are dropped in order.
    purger: Purger,
    varnish: Varnish,
    apps: Vec<App>,
    client: Client,
    database: TestDatabase,
}

/// An instance whose answers caches may keep for an hour.
fn instance(database: &TestDatabase) -> App {
    App::join(&database.url, Some(shared_redis()), |settings| settings.max_age = 3600)
}

impl Shop {
    /// Two instances, Varnish and a purger beside it.
    fn open() -> Self {
        let database = database();
        let apps: Vec<App> = (0..2).map(|_| instance(&database)).collect();
        let varnish = Varnish::start(&[&apps[0].url, &apps[1].url]);
        let purger = Purger::start(&database.url, &varnish.url);
        Self::with(database, apps, varnish, purger)
    }

    fn with(database: TestDatabase, apps: Vec<App>, varnish: Varnish, purger: Purger) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE);
        let client = client.build().expect("a client");
        Self { purger, varnish, apps, client, database }
    }

    fn request(&self, path: &str) -> reqwest::blocking::RequestBuilder {
        self.client.get(format!("{}{path}", self.varnish.url))
    }

    fn get(&self, path: &str) -> Response {
        self.request(path).send().expect("an answer")
    }

    /// Waits until the cache has it; gives its body.
    fn warm(&self, path: &str) -> String {
        let mut text = String::new();
        wait_until(PATIENCE, &format!("a hit of {path}"), || {
            let answer = self.get(path);
            let is_hit = is_hit(&answer);
            text = answer.text().expect("a body");
            is_hit
        });
        text
    }

    /// Waits until all of these say something, and that they are from the cache again.
    fn wait_for(&self, paths: &[String], what: &str) {
        for path in paths {
            wait_until(SOON, &format!("{what} at {path}"), || {
                self.get(path).text().expect("a body").contains(what)
            });
            assert!(self.warm(path).contains(what), "{path}");
        }
    }

    fn wait_for_status(&self, paths: &[String], status: u16) {
        for path in paths {
            wait_until(SOON, &format!("{status} of {path}"), || self.get(path).status() == status);
        }
    }

    /// Makes something by the admin API of the second instance.
    fn made(&self, path: &str, body: &Value) -> Value {
        let app = self.apps.last().expect("an instance");
        let answer = app.admin_json(Method::POST, path, body);
        assert_eq!(answer.status(), 201);
        answer.json().expect("JSON")
    }

    fn patch(&self, path: &str, id: &str, patch: &Value) {
        let app = self.apps.last().expect("an instance");
        let answer = app.admin_json(Method::PATCH, &format!("/v1/admin/{path}/{id}"), patch);
        assert_eq!(answer.status(), 200);
    }

    /// A lamp of a brand in a category; the ids of the three.
    fn lamp(&self) -> [String; 3] {
        let brand = self.made("/v1/admin/brands", &json!({"name": "Acme"}));
        let category = self.made("/v1/admin/categories", &json!({"name": "Lamps"}));
        let product = self.made(
            "/v1/admin/products",
            &json!({"title": "Floor lamp", "brand_id": brand["id"], "category_ids": [category["id"]],
                    "variants": [{"sku": "LAMP-1", "prices": [{"currency": "USD", "amount": 1000}]}]}),
        );
        [product, brand, category].map(|made| made["id"].as_str().expect("an id").to_owned())
    }

    fn reprice(&self, id: &str, amount: u32) {
        let app = self.apps.last().expect("an instance");
        let variants = json!([{"sku": "LAMP-1", "prices": [{"currency": "USD", "amount": amount}]}]);
        app.patch_product(id, &json!({"variants": variants}));
    }
}

fn is_hit(answer: &Response) -> bool {
    header(answer, "cache-status").ends_with(", varnish; hit")
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map(|value| value.to_str().expect("text")).unwrap_or_default()
}

/// As a product and its card in lists say it.
fn price(amount: u32) -> String {
    format!("\"price_range\":{{\"min\":{amount},")
}

/// Wherever the product of [`Shop::lamp`] is shown.
fn places(id: &str) -> Vec<String> {
    let list = "/v1/store/products";
    let ends = [
        format!("/{id}"),
        "/by-slug/floor-lamp".to_owned(),
        "/by-sku/LAMP-1".to_owned(),
        "?limit=50".to_owned(),
        "?category=lamps".to_owned(),
        "?brand=acme&facets=category,price".to_owned(),
        "?q=lamp".to_owned(),
    ];
    ends.iter().map(|end| format!("{list}{end}")).collect()
}

#[test]
fn an_edit_is_seen_wherever_it_is_shown() {
    if !is_complete() {
        return;
    }
    let shop = Shop::open();
    let [id, brand, category] = shop.lamp();
    let places = places(&id);
    shop.wait_for(&places, &price(1000));

    shop.reprice(&id, 1100);
    shop.wait_for(&places, &price(1100));
    let batch = shop.client.post(format!("{}/v1/store/products:batch-get", shop.varnish.url));
    let batch = batch.json(&json!({"ids": [id]})).send().and_then(Response::text).expect("a batch");
    assert!(batch.contains(&price(1100)), "{batch}");

    let by_hand = "UPDATE price SET amount = 1200 WHERE amount = 1100";
    shop.database.connect().batch_execute(by_hand).expect("an edit by SQL");
    shop.wait_for(&places, &price(1200));

    let lists = ["/v1/store/brands", "/v1/store/categories", "/v1/store/categories/lamps"].map(str::to_owned);
    shop.wait_for(&lists[..1], "Acme");
    shop.wait_for(&lists[1..], "Lamps");
    shop.patch("brands", &brand, &json!({"name": "Apex"}));
    shop.wait_for(&places[..1], "Apex");
    shop.wait_for(&places[3..], "Apex");
    shop.wait_for(&lists[..1], "Apex");
    shop.patch("categories", &category, &json!({"name": "Lights"}));
    shop.wait_for(&places[..3], "Lights");
    shop.wait_for(&lists[1..], "Lights");
}

#[test]
fn what_comes_goes_and_moves_is_seen() {
    if !is_complete() {
        return;
    }
    let shop = Shop::open();
    let [id, ..] = shop.lamp();
    let places = places(&id);
    let single = &places[..3];
    shop.wait_for(&places, &price(1000));

    shop.patch("products", &id, &json!({"status": "draft"}));
    shop.wait_for_status(single, 404);
    for path in single {
        // That it is not there is kept, too.
        assert!(shop.warm(path).contains("not_found"), "{path}");
    }
    for list in &places[3..] {
        wait_until(SOON, list, || !shop.get(list).text().expect("a body").contains(&id));
    }
    shop.patch("products", &id, &json!({"status": "active"}));
    shop.wait_for_status(single, 200);
    shop.wait_for(&places, &price(1000));

    let unknown = "/v1/store/products/by-slug/desk-lamp".to_owned();
    assert!(shop.warm(&unknown).contains("not_found"));
    shop.made("/v1/admin/products", &json!({"title": "Desk lamp"}));
    shop.wait_for(&[unknown, "/v1/store/products?limit=50".to_owned()], "Desk lamp");

    shop.patch("products", &id, &json!({"slug": "tall-lamp"}));
    wait_until(SOON, "the move", || header(&shop.get(&single[1]), "location").ends_with("/tall-lamp"));
    shop.warm(&single[1]);
    shop.patch("products", &id, &json!({"slug": "taller-lamp"}));
    wait_until(SOON, "the next move", || header(&shop.get(&single[1]), "location").ends_with("/taller-lamp"));
    shop.wait_for(&["/v1/store/products/by-slug/taller-lamp".to_owned()], &price(1000));
}

#[test]
fn an_edit_is_seen_within_milliseconds() {
    if !is_complete() {
        return;
    }
    let shop = Shop::open();
    let [id, ..] = shop.lamp();
    let path = &places(&id)[0];
    let mut times = Vec::new();
    for amount in 2001..=2100 {
        shop.warm(path);
        shop.reprice(&id, amount);
        let acknowledged = Instant::now();
        wait_until(SOON, "the new price", || shop.get(path).text().expect("a body").contains(&price(amount)));
        times.push(acknowledged.elapsed());
    }
    times.sort_unstable();
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "old answers after an acknowledged edit: p50 {median:.1?}, max {longest:.1?}, {} edits",
        times.len()
    );
    assert!(longest < SOON);
}

#[test]
fn who_must_see_the_truth_passes_the_cache() {
    if !is_complete() {
        return;
    }
    let shop = Shop::open();
    let [id, ..] = shop.lamp();
    let path = &places(&id)[0];
    shop.warm(path);
    let hit = |request: reqwest::blocking::RequestBuilder| is_hit(&request.send().expect("an answer"));
    assert!(!hit(shop.request(path).bearer_auth(TOKEN)));
    assert!(!hit(shop.request(path).header("catalog-min-position", "1")));
    assert!(!hit(shop.request(path).header("accept-encoding", "identity;q=0, br")));
    assert!(hit(shop.request(path).header("cookie", "session=1")), "cookies change nothing");
    assert!(hit(shop.request(path).header("host", "another.example")));
    let admin = shop.request(&format!("/v1/admin/products/{id}"));
    assert_eq!(admin.bearer_auth(TOKEN).send().expect("an answer").status(), 200);

    let with = |coding: &str| shop.request(path).header("accept-encoding", coding).send().expect("an answer");
    for (first, second, coding) in [
        ("gzip, br", "br;q=0.9, gzip", "br"),
        ("gzip", "br;q=0, gzip;q=1.0", "gzip"),
        ("deflate", "br;q=0", ""),
    ] {
        wait_until(PATIENCE, "a hit", || is_hit(&with(first)));
        let answer = with(second);
        assert!(is_hit(&answer), "{second} gets what {first} got");
        assert_eq!(header(&answer, "content-encoding"), coding);
    }

    let answer = with("gzip");
    assert_eq!(header(&answer, "cache-control"), "public, no-cache", "nobody purges browsers");
    for hidden in ["surrogate-key", "xkey"] {
        assert!(!answer.headers().contains_key(hidden));
    }
    let tag = header(&answer, "etag").to_owned();
    let again = shop.request(path).header("accept-encoding", "gzip").header("if-none-match", tag);
    let again = again.send().expect("an answer");
    assert_eq!((again.status().as_u16(), is_hit(&again)), (304, true));

    for operators in ["/metrics", "/readyz"] {
        assert_eq!(shop.get(operators).status(), 404);
    }
    let purge = shop.client.request(Method::from_bytes(b"PURGE").expect("a method"), &shop.varnish.url);
    let purge = purge.header("xkey-purge", "aisle").header("x-forwarded-for", "192.0.2.1");
    assert_eq!(purge.send().expect("an answer").status(), 403, "a proxy's clients purge nothing");
    assert!(is_hit(&shop.get(path)));
}

#[test]
fn an_answer_that_was_under_way_during_the_edit_is_not_kept() {
    if !is_complete() {
        return;
    }
    let database = database();
    let app = instance(&database);
    let (relay, through) = Relay::to_http(&app.url);
    let varnish = Varnish::start(&[&through]);
    let purger = Purger::start(&database.url, &varnish.url);
    let shop = Shop::with(database, vec![app], varnish, purger);
    let [id, ..] = shop.lamp();
    let path = &places(&id)[0];
    shop.warm("/v1/store/brands");
    let answered = || {
        let metrics = shop.apps[0].get("/metrics").text().expect("metrics");
        let counter = "http_requests_total{method=\"GET\",route=\"/v1/store/products/{id}\",status=\"200\"}";
        metrics.lines().any(|line| line.starts_with(counter))
    };
    assert!(!answered());
    relay.delay(700);
    thread::scope(|scope| {
        let reader = scope.spawn(|| shop.get(path).text().expect("a body"));
        wait_until(PATIENCE, "the instance's answer", answered);
        shop.reprice(&id, 1100);
        let old = reader.join().expect("a reader");
        assert!(old.contains(&price(1000)), "it was read before the edit: {old}");
    });
    relay.heal();
    shop.wait_for(std::slice::from_ref(path), &price(1100));
}

#[test]
fn without_a_purger_nothing_is_answered_from_the_cache() {
    if !is_complete() {
        return;
    }
    let mut shop = Shop::open();
    let [id, ..] = shop.lamp();
    let path = &places(&id)[0];
    shop.warm(path);
    shop.purger.kill9();
    shop.reprice(&id, 1100);
    wait_until(SOON, "the truth", || {
        let answer = shop.get(path);
        !is_hit(&answer) && answer.text().expect("a body").contains(&price(1100))
    });
    assert!(!is_hit(&shop.get(path)));
    // The old answer is there still: another purger begins with everything.
    shop.purger = Purger::start(&shop.database.url, &shop.varnish.url);
    assert!(shop.warm(path).contains(&price(1100)));
}

#[test]
fn a_cache_that_was_away_is_emptied() {
    if !is_complete() {
        return;
    }
    let database = database();
    let apps = vec![instance(&database)];
    let varnish = Varnish::start(&[&apps[0].url]);
    let (relay, through) = Relay::to_http(&varnish.url);
    let purger = Purger::start(&database.url, &through);
    let mut shop = Shop::with(database, apps, varnish, purger);
    let [id, ..] = shop.lamp();
    let path = &places(&id)[0];
    assert!(shop.warm(path).contains(&price(1000)));

    relay.cut();
    shop.reprice(&id, 1100);
    wait_until(SOON, "the truth without a purge", || {
        shop.get(path).text().expect("a body").contains(&price(1100))
    });
    relay.heal();
    assert!(shop.warm(path).contains(&price(1100)), "what it missed");

    relay.freeze();
    shop.reprice(&id, 1200);
    wait_until(SOON, "the truth without a purge", || {
        shop.get(path).text().expect("a body").contains(&price(1200))
    });
    relay.heal();
    assert!(shop.warm(path).contains(&price(1200)), "what it missed");

    shop.varnish.restart();
    shop.reprice(&id, 1300);
    wait_until(SOON, "the new price", || shop.get(path).text().expect("a body").contains(&price(1300)));
    assert!(shop.warm(path).contains(&price(1300)));
}
