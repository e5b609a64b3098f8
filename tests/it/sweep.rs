//! The n-th message to Postgres, or to Redis, goes wrong, for n = 1, 2, … until a whole story passes untouched.
//!
//! The story: create a product, edit it, read it by id and SKU, import two more, list them. Whatever goes wrong in it, an answer says
//! so; afterwards everything is there as a whole or not at all, an instance that nothing happened to says the same, and the
//! story told again comes to its usual end.
//!
//! `AISLE_SWEEP=all` tries every n; otherwise a few, others in every run.

use std::{
    io::Write,
    process::Stdio,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::{
    app::App,
    chaos::Relay,
    database,
    process::aisle,
    redis::shared_redis,
    trap::Ill,
    waiting::{PATIENCE, wait_for, wait_until},
};

/// A command that hears nothing waits for ever: after this long its network heals.
const IMPORT_PATIENCE: Duration = Duration::from_secs(5);

/// A story has fewer messages: it surely passes.
const MESSAGES_MAX: usize = 400;

/// Where a story is told, and what is seen of it from elsewhere.
struct Stage {
    /// The instance behind the relay.
    app: App,
    /// One that nothing happens to.
    witness: App,
    postgres: Relay,
    redis: Relay,
    url: String,
}

/// What was acknowledged of a story.
#[derive(Debug, Default)]
struct Told {
    created: bool,
    edited: bool,
    imported: bool,
    /// Statuses of everything that was asked.
    statuses: Vec<u16>,
}

impl Stage {
    fn set() -> Self {
        let database = database();
        let (postgres, url) = Relay::to_postgres(&database.url);
        let (redis, redis_url) = Relay::to_redis(shared_redis());
        let mut witness = App::join(&database.url, Some(shared_redis()), |_| ());
        let app = App::join(&url, Some(&redis_url), |settings| settings.lease_ms = 500);
        witness.database = Some(database);
        let stage = Self { app, witness, postgres, redis, url };
        stage.wait();
        stage
    }

    fn wait(&self) {
        for app in [&self.app, &self.witness] {
            wait_until(PATIENCE, "readiness", || app.get("/readyz").status() == 200);
        }
    }

    /// Tells story `number`; nothing in it stops at what goes wrong.
    fn tell(&self, number: usize) -> Told {
        let mut told = Told::default();
        let mut ask = |method: Method, path: &str, body: Option<Value>| {
            let request = self.app.admin(method, path).header("If-Match", "*");
            let request = if let Some(body) = body { request.json(&body) } else { request };
            let answer = request.send().expect("an answer, whatever it says");
            let status = answer.status().as_u16();
            told.statuses.push(status);
            (status, answer.json::<Value>().expect("JSON"))
        };
        let (status, _) = ask(Method::POST, "/v1/admin/products", Some(draft(number, 0)));
        told.created = status == 201;
        let by_sku = format!("/v1/store/products/by-sku/SWEPT-{number}-0");
        let (_, found) = ask(Method::GET, &by_sku, None);
        if let Some(id) = found["id"].as_str() {
            let edit = json!({"title": format!("Edited lamp {number}"), "tags": ["edited"]});
            let (status, _) = ask(Method::PATCH, &format!("/v1/admin/products/{id}"), Some(edit));
            told.edited = status == 200;
            ask(Method::GET, &format!("/v1/store/products/{id}"), None);
        }
        told.imported = self.import(number);
        ask(Method::GET, &format!("/v1/store/products?tag=swept-{number}&sort=title"), None);
        told
    }

    fn import(&self, number: usize) -> bool {
        let mut file = NamedTempFile::with_suffix(".jsonl").expect("a file");
        for part in 1..=2 {
            writeln!(file, "{}", draft(number, part)).expect("a line");
        }
        let mut command = aisle();
        command.args(["import", "jsonl"]).arg(file.path()).env("DATABASE_URL", &self.url);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a process");
        let began = Instant::now();
        let status = wait_for(PATIENCE, "the end of an import", || {
            if began.elapsed() > IMPORT_PATIENCE {
                self.postgres.trap().clear();
            }
            child.try_wait().expect("a process")
        });
        status.success()
    }

    /// Holds what is there against what was told.
    fn look(&self, number: usize, told: &Told) {
        let title = |part: usize| -> Option<String> {
            let path = format!("/v1/store/products/by-sku/SWEPT-{number}-{part}");
            let answers = [&self.app, &self.witness].map(|app| {
                let answer = app.get(&path);
                (answer.status().as_u16(), answer.json::<Value>().expect("JSON"))
            });
            let [(status, product), (other_status, other)] = answers;
            assert!([200, 404].contains(&status), "{path}: {product}");
            assert_eq!(status, other_status, "the instances differ at {path}");
            if status == 404 {
                return None;
            }
            assert_eq!(product, other);
            assert_eq!(product["variants"][0]["price"]["amount"], 100 + part, "half a product: {product}");
            Some(product["title"].as_str().expect("a title").to_owned())
        };
        let (first, edited) = (format!("Lamp {number}-0"), format!("Edited lamp {number}"));
        match title(0) {
            None => assert!(!told.created, "an acknowledged product is lost"),
            Some(title) if title == first => assert!(!told.edited, "an acknowledged edit is lost"),
            Some(title) => assert_eq!(title, edited),
        }
        let imported = [title(1).is_some(), title(2).is_some()];
        assert!(imported == [told.imported; 2] || !told.imported, "an import that succeeded is lost");
        let list = format!("/v1/store/products?tag=swept-{number}&sort=title");
        assert_eq!(self.app.get_json(&list), self.witness.get_json(&list));
    }

    /// One story with an ill at a message, and the same story again; whether there was such a message.
    fn suffer(&self, relay: &Relay, number: usize, at: usize, ill: Ill) -> (bool, Told) {
        relay.trap().set(at, ill);
        let told = self.tell(number);
        let has_sprung = relay.trap().has_sprung();
        relay.trap().clear();
        self.wait();
        self.look(number, &told);
        let again = self.tell(number);
        assert!(again.imported && again.edited, "{again:?} after {told:?}");
        self.look(number, &again);
        (has_sprung, told)
    }
}

fn draft(number: usize, part: usize) -> Value {
    json!({
        "title": format!("Lamp {number}-{part}"), "slug": format!("swept-{number}-{part}"),
        "tags": [format!("swept-{number}")],
        "variants": [{"sku": format!("SWEPT-{number}-{part}"), "prices": [{"currency": "USD", "amount": 100 + part}]}]
    })
}

/// Tries messages of one relay, all or some; the last that there was. What others send meanwhile is counted along.
fn sweep(stage: &Stage, relay: &Relay, apart: usize, judge: impl Fn(&Told)) -> usize {
    let is_whole = std::env::var_os("AISLE_SWEEP").is_some_and(|value| value == "all");
    let chance = usize::try_from(std::process::id()).expect("a number");
    let mut number = 0;
    let mut most = 0;
    let step = if is_whole { 1 } else { apart };
    for ill in [Ill::Unheard, Ill::Unanswered, Ill::Held] {
        let mut at = 1 + chance % step;
        loop {
            number += 1;
            let (has_sprung, told) = stage.suffer(relay, number, at, ill);
            eprintln!("{ill:?} at message {at}: {told:?}");
            if !has_sprung {
                break;
            }
            judge(&told);
            most = most.max(at);
            at += step;
            assert!(at < MESSAGES_MAX, "a story that never passes");
        }
    }
    most
}

#[test]
fn any_message_to_postgres_may_be_lost() {
    let stage = Stage::set();
    let messages = sweep(&stage, &stage.postgres, 40, |told| {
        let is_clear = |status: &u16| [200, 201, 404, 409, 503].contains(status);
        assert!(told.statuses.iter().all(is_clear), "{told:?}");
    });
    assert!(messages > 10, "only {messages} messages: the relay is passed by");
}

#[test]
fn any_message_to_redis_may_be_lost_and_nobody_notices() {
    let stage = Stage::set();
    let messages = sweep(&stage, &stage.redis, 8, |told| {
        assert!(told.created && told.edited && told.imported, "{told:?}");
        assert!(told.statuses.iter().all(|status| [200, 201].contains(status)), "{told:?}");
    });
    assert!(messages > 0, "the relay is passed by");
}
