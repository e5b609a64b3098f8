//! `aisle purge` tells caches what answers said of themselves: every change once and again, and everything where it cannot know.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use aisle::limits::PURGE_AGAIN_AFTER;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    chaos::Relay,
    database,
    process::aisle,
    purger::Purger,
    waiting::{PATIENCE, wait_until},
};

/// Sooner than anything is purged a second time.
const SOON: Duration = Duration::from_secs(12);

/// A cache that notes what it is told.
struct Cache {
    url: String,
    told: Arc<Mutex<Vec<Told>>>,
}

#[derive(Debug, Clone)]
struct Told {
    keys: Vec<String>,
    position: i64,
    at: Instant,
}

impl Cache {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let told = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&told);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let noted = Arc::clone(&noted);
                thread::spawn(move || note(&stream, &noted));
            }
        });
        Self { url, told }
    }

    /// The purges so far; what says that nothing is missing has no keys.
    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often a key was purged.
    fn count(&self, key: &str) -> usize {
        self.told().iter().filter(|told| told.keys.iter().any(|known| known == key)).count()
    }

    /// Waits until everything was purged so many times, and until it is told afterwards that nothing is missing.
    fn wait_for_everything(&self, times: usize) {
        wait_until(SOON, "everything", || {
            self.count("aisle") >= times && self.told().last().is_some_and(|told| told.keys.is_empty())
        });
    }
}

/// Reads the requests of a connection and answers each.
fn note(stream: &TcpStream, told: &Mutex<Vec<Told>>) -> Option<()> {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let first = lines.next()?.ok()?;
        assert!(first.starts_with("PURGE / HTTP/1.1"), "{first}");
        let (mut keys, mut position) = (Vec::new(), 0);
        while let Some(line) = lines.next()?.ok().filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").expect("a header");
            match name {
                "xkey-purge" => keys = value.split(' ').map(str::to_owned).collect(),
                "catalog-position" => position = value.parse().expect("a position"),
                _ => {}
            }
        }
        told.lock().unwrap_or_else(PoisonError::into_inner).push(Told { keys, position, at: Instant::now() });
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").ok()?;
    }
}

fn app() -> App {
    App::start_with(|settings| settings.max_age = 3600)
}

fn database_url(app: &App) -> &str {
    &app.database.as_ref().expect("its own").url
}

/// The keys of an answer's dependencies: what every answer has and the name for people stand before them.
fn keys(app: &App, path: &str) -> Vec<String> {
    let answer = app.get(path);
    let keys = answer.headers()["surrogate-key"].to_str().expect("text");
    keys.split(' ').skip(2).map(str::to_owned).collect()
}

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

#[test]
fn every_change_is_purged_by_a_key_of_the_answers_it_changes() {
    let app = app();
    let cache = Cache::start();
    let made = |path: &str, body: &Value| -> String {
        id(&app.admin_json(reqwest::Method::POST, path, body).json().expect("JSON"))
    };
    let brand = made("/v1/admin/brands", &json!({"name": "Acme"}));
    let category = made("/v1/admin/categories", &json!({"name": "Lamps"}));
    let lamp = app.create_product(&json!({"title": "Lamp", "brand_id": brand, "category_ids": [category],
        "variants": [{"sku": "LAMP-1", "prices": [{"currency": "USD", "amount": 1}]}]}));
    let _purger = Purger::start(database_url(&app), &cache.url);
    cache.wait_for_everything(1);

    let paths = [
        format!("/v1/store/products/{}", id(&lamp)),
        "/v1/store/products/by-slug/lamp".to_owned(),
        "/v1/store/products/by-sku/LAMP-1".to_owned(),
        "/v1/store/products".to_owned(),
        "/v1/store/products?category=lamps&sort=price".to_owned(),
    ];
    let edits = [
        ("products", id(&lamp), json!({"title": "Lamp two"})),
        ("brands", brand, json!({"name": "Apex"})),
        ("categories", category, json!({"name": "Lights"})),
    ];
    for (noun, id, patch) in edits {
        let before: Vec<Vec<String>> = paths.iter().map(|path| keys(&app, path)).collect();
        let from = cache.told().len();
        let answer = app.admin_json(reqwest::Method::PATCH, &format!("/v1/admin/{noun}/{id}"), &patch);
        let position: i64 = answer.headers()["catalog-position"].to_str().unwrap().parse().unwrap();
        wait_until(PATIENCE, "the purge", || {
            cache.told()[from..].iter().any(|told| told.position >= position)
        });
        let told: Vec<String> = cache.told()[from..].iter().flat_map(|told| told.keys.clone()).collect();
        for (path, keys) in paths.iter().zip(&before) {
            assert!(keys.iter().any(|key| told.contains(key)), "{noun}, {path}: {keys:?}, {told:?}");
        }
        assert!(told.contains(&"aisle-any".to_owned()), "{told:?}");
    }
    let positions: Vec<i64> = cache.told().iter().map(|told| told.position).collect();
    assert!(positions.is_sorted(), "in the order of the log: {positions:?}");
}

#[test]
fn every_change_is_purged_a_second_time_when_no_older_answer_is_under_way() {
    let app = app();
    let cache = Cache::start();
    let lamp = app.create_product(&json!({"title": "Lamp"}));
    let _purger = Purger::start(database_url(&app), &cache.url);
    cache.wait_for_everything(1);
    let key = keys(&app, &format!("/v1/store/products/{}", id(&lamp))).remove(0);
    app.patch_product(&id(&lamp), &json!({"title": "Lamp two"}));
    // With what was purged within the same second: everything, perhaps.
    let times = || -> Vec<Instant> {
        let told = cache.told();
        let first = told.iter().position(|told| told.keys.contains(&key)).unwrap_or(told.len());
        let purges = told[first..].iter().filter(|told| told.keys.contains(&key) || told.keys == ["aisle"]);
        purges.map(|told| told.at).collect()
    };
    wait_until(PATIENCE, "the second purge", || times().len() >= 2);
    let first = times()[0];
    wait_until(PATIENCE, "a purge late enough", || {
        times().iter().any(|at| at.duration_since(first) >= PURGE_AGAIN_AFTER)
    });
}

#[test]
fn everything_is_purged_where_the_log_does_not_lead_on() {
    let (database, cache) = (database(), Cache::start());
    let mut connection = database.connect();
    connection.batch_execute("INSERT INTO product (title) VALUES ('Lamp')").expect("a product");
    let (relay, through) = Relay::to_postgres(&database.url);
    let _purger = Purger::start(&through, &cache.url);
    cache.wait_for_everything(1);
    connection.batch_execute("SELECT catalog.begin_era()").expect("another era");
    cache.wait_for_everything(2);

    // What happened while it was away is in the log …
    relay.cut();
    connection.batch_execute("UPDATE product SET title = 'Lamp two'").expect("an edit");
    let from = cache.told().len();
    relay.heal();
    wait_until(PATIENCE, "the purge", || {
        cache.told()[from..].iter().any(|told| told.keys.first().is_some_and(|key| key == "aisle-any"))
    });
    // … unless that was pruned.
    relay.cut();
    for statement in [
        "UPDATE product SET title = 'Lamp three'",
        "DELETE FROM catalog_event",
        "UPDATE product SET title = 'Lamp four'",
    ] {
        connection.batch_execute(statement).expect("an edit");
    }
    let times = cache.count("aisle");
    relay.heal();
    cache.wait_for_everything(times + 1);
}

#[test]
fn it_ends_as_other_commands_do() {
    let run = |arguments: &[&str]| {
        let mut command = aisle();
        command.arg("purge").args(arguments).env("DATABASE_URL", "postgres://127.0.0.1:1/none");
        command.output().expect("aisle").status.code()
    };
    assert_eq!(run(&[]), Some(2), "without a cache");
    assert_eq!(run(&["--cache", "https://cache.example"]), Some(2));
    assert_eq!(run(&["--cache", "http://127.0.0.1:1"]), Some(5), "no database");
    let (database, cache) = (database(), Cache::start());
    let mut purger = Purger::start(&database.url, &cache.url);
    cache.wait_for_everything(1);
    assert!(purger.stop().success());
}
