//! Cold keys and crowds: one query per key, refusals at once, and nothing that hangs.

use std::sync::Arc;

use actix::Addr;
use aisle::{
    catalog::{
        CatalogError,
        fill::{FillActor, FillMessage, Filler},
        lists::ListDesk,
        messages::Key,
        pool::StoreMessage,
        workers::Work,
    },
    store::pool::Pool,
};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::{
    app::App,
    waiting::{PATIENCE, wait_until},
};

/// Sends `count` requests at once and returns their statuses and bodies.
fn crowd(app: &App, path: &str, count: usize) -> Vec<(u16, String)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = format!("{}{path}", app.url);
    runtime.block_on(async {
        let client = reqwest::Client::new();
        let start = Arc::new(Barrier::new(count));
        let requests = (0..count).map(|_| {
            let (client, url, start) = (client.clone(), url.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                let answer = client.get(url).send().await.expect("an answer");
                (answer.status().as_u16(), answer.text().await.expect("a body"))
            })
        });
        let requests: Vec<_> = requests.collect();
        let mut answers = Vec::with_capacity(count);
        for request in requests {
            answers.push(request.await.expect("a task"));
        }
        answers
    })
}

#[test]
fn a_thousand_requests_for_a_cold_product_cost_one_query() {
    // One worker and fill actor more or less does not matter: the flight is per process.
    let app = App::start();
    let made = app.create_product(&json!({"title": "Cold lamp"}));
    let id = made["id"].as_str().expect("an id");
    let before = app.store_messages();
    let answers = crowd(&app, &format!("/v1/store/products/{id}"), 1000);
    assert_eq!(app.store_messages() - before, 1, "one query for all");
    assert!(answers.iter().all(|(status, body)| *status == 200 && *body == answers[0].1));
    assert_eq!(serde_json::from_str::<Value>(&answers[0].1).expect("JSON")["title"], "Cold lamp");
}

/// Holds a store actor until told to let go.
struct Hold(std::sync::mpsc::Receiver<()>);

impl StoreMessage for Hold {
    type Reply = ();
    const NAME: &'static str = "hold";

    fn run(self, _pool: &Pool) -> Result<(), CatalogError> {
        // Ends with the sender's drop as well.
        let _released = self.0.recv();
        Ok(())
    }
}

impl Work<ListDesk> for Hold {
    type Reply = ();
    const NAME: &'static str = "hold";

    fn run(self, _desk: &ListDesk) -> Result<(), CatalogError> {
        let _released = self.0.recv();
        Ok(())
    }
}

#[test]
fn lists_in_the_making_hold_up_no_product_and_too_many_are_refused() {
    let app = App::start_with(|settings| {
        settings.store_actors = 1;
        settings.list_actors = 1;
        settings.list_queue = 2;
    });
    let made = app.create_product(&json!({"title": "Cold lamp"}));
    let era = app.shared.reader.coherence.gate().era();
    wait_until(PATIENCE, "lists", || app.shared.lists.is_read(era));
    let (release, held) = std::sync::mpsc::channel();
    let lists = app.shared.list_actors.clone();
    let holder = std::thread::spawn(move || actix_rt::System::new().block_on(lists.ask(Hold(held))));
    wait_until(PATIENCE, "the list actor held", || app.shared.list_actors.in_flight() == 1);
    let url = format!("{}/v1/store/products?sort=price", app.url);
    let waiting =
        std::thread::spawn(move || reqwest::blocking::get(url).expect("an answer").status().as_u16());
    wait_until(PATIENCE, "a list that waits", || app.shared.list_actors.in_flight() == 2);
    // Nothing of a list waits on the only store actor.
    app.get_json(&format!("/v1/store/products/{}", made["id"].as_str().expect("an id")));
    let refused = app.get("/v1/store/products?sort=price&facets=price");
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    assert_eq!(app.shared.metrics.actors.list.refusals.get(), 1);
    release.send(()).expect("the holder waits");
    assert_eq!(waiting.join().expect("a thread"), 200);
    holder.join().expect("a thread").expect("released");
}

#[test]
fn what_exceeds_the_queue_is_refused_at_once() {
    let app = App::start_with(|settings| {
        settings.store_actors = 1;
        settings.store_queue = 4;
        settings.miss_queue = 64;
    });
    let ids: Vec<String> = (0..20)
        .map(|number| {
            let made = app.create_product(&json!({"title": format!("Lamp {number}")}));
            made["id"].as_str().expect("an id").to_owned()
        })
        .collect();
    let cached = format!("/v1/store/products/{}", ids[0]);
    app.get_json(&cached);
    let (release, held) = std::sync::mpsc::channel();
    let store = app.shared.store.clone();
    let holder = std::thread::spawn(move || actix_rt::System::new().block_on(store.ask(Hold(held))));
    wait_until(PATIENCE, "the store actor held", || app.shared.store.in_flight() == 1);
    // Different keys, so each needs a store message: three may wait, the rest is refused while nothing moves.
    let url = app.url.clone();
    let asking: Vec<_> = ids[1..]
        .iter()
        .map(|id| {
            let url = format!("{url}/v1/store/products/{id}");
            std::thread::spawn(move || {
                let answer = reqwest::blocking::get(url).expect("an answer");
                (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
            })
        })
        .collect();
    wait_until(PATIENCE, "refusals", || asking.iter().filter(|request| request.is_finished()).count() == 16);
    // Hits do not queue behind misses.
    app.get_json(&cached);
    release.send(()).expect("the holder waits");
    let answers: Vec<_> = asking.into_iter().map(|request| request.join().expect("a thread")).collect();
    assert_eq!(answers.iter().filter(|answer| **answer == (503, true)).count(), 16);
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 3);
    holder.join().expect("a thread").expect("released");
}

#[test]
fn editors_and_misses_do_not_wait_for_each_other() {
    let app = App::start_with(|settings| {
        settings.store_actors = 1;
        settings.admin_actors = 1;
        settings.admin_queue = 1;
    });
    let made = app.create_product(&json!({"title": "Cold lamp"}));
    let id = made["id"].as_str().expect("an id").to_owned();
    let product = format!("/v1/store/products/{id}");
    let (release, held) = std::sync::mpsc::channel();
    let admin = app.shared.admin.clone();
    let holder = std::thread::spawn(move || actix_rt::System::new().block_on(admin.ask(Hold(held))));
    wait_until(PATIENCE, "the admin actor held", || app.shared.admin.in_flight() == 1);
    // A miss is answered although no edit is.
    assert_eq!(app.get_json(&product)["title"], "Cold lamp");
    let edit = || {
        let request = app.admin(reqwest::Method::PATCH, &format!("/v1/admin/products/{id}"));
        request.header("if-match", "*").json(&json!({"title": "Lamp"})).send().expect("an answer")
    };
    assert_eq!(edit().status(), 503, "the queue of one is full");
    assert_eq!(app.shared.metrics.actors.admin.refusals.get(), 1);
    release.send(()).expect("the holder waits");
    holder.join().expect("a thread").expect("released");
    // An edit is answered although no miss is.
    let (release, holder) = hold(&app);
    assert_eq!(edit().status(), 200);
    drop(release);
    holder.join().expect("a thread").expect("released");
    assert_eq!(app.get_json(&product)["title"], "Lamp");
}

/// Holds a store actor of this application until what is given back is dropped.
pub(crate) fn hold(
    app: &App,
) -> (std::sync::mpsc::Sender<()>, std::thread::JoinHandle<Result<(), CatalogError>>) {
    let (release, held) = std::sync::mpsc::channel();
    let (store, queued) = (app.shared.store.clone(), app.shared.store.in_flight() + 1);
    let holder = std::thread::spawn(move || actix_rt::System::new().block_on(store.ask(Hold(held))));
    wait_until(PATIENCE, "the hold in the queue", || app.shared.store.in_flight() == queued);
    (release, holder)
}

#[test]
fn products_that_wait_are_read_by_one_statement() {
    let app = App::start_with(|settings| settings.store_actors = 1);
    let create = |number| app.create_product(&json!({"title": format!("Lamp {number}")}));
    let mut ids: Vec<String> =
        (0..20).map(|number| create(number)["id"].as_str().expect("an id").to_owned()).collect();
    // One that is not there is nobody else's trouble.
    ids.push(uuid::Uuid::nil().to_string());
    let (release, holder) = hold(&app);
    let client = reqwest::blocking::Client::new();
    let read = |id: &String| {
        let request = client.get(format!("{}/v1/store/products/{id}", app.url));
        std::thread::spawn(move || request.send().expect("an answer"))
    };
    let readers: Vec<_> = ids.iter().map(read).collect();
    wait_until(PATIENCE, "all in the queue", || app.shared.store.in_flight() == ids.len() + 1);
    let before = app.shared.metrics.flights.statements.get();
    drop(release);
    for (number, reader) in readers.into_iter().enumerate() {
        let answer = reader.join().expect("a reader");
        if number == 20 {
            assert_eq!(answer.status(), 404);
        } else {
            assert_eq!(answer.json::<Value>().expect("JSON")["title"], format!("Lamp {number}"));
        }
    }
    assert_eq!(app.shared.metrics.flights.statements.get() - before, 2, "sixteen, and the other five");
    holder.join().expect("a thread").expect("released");
}

/// Breaks the fill actor.
struct Boom;

impl FillMessage for Boom {
    type Reply = ();
    const NAME: &'static str = "boom";

    fn handle(self, _filler: &mut Filler, _own: &Addr<FillActor>) {
        panic!("boom in a fill actor")
    }
}

#[test]
fn a_flight_from_before_a_restart_answers_nobody_after_it() {
    let app = App::start_with(|settings| {
        settings.store_actors = 1;
        settings.fill_actors = 1;
    });
    // A category: products that wait are read together, so one flight's message may read for another.
    app.admin_json(reqwest::Method::POST, "/v1/admin/categories", &json!({"name": "Old", "slug": "lamps"}));
    let url = format!("{}/v1/store/categories/lamps", app.url);
    let flights = &app.shared.metrics.flights;
    let read = || {
        let url = url.clone();
        std::thread::spawn(move || {
            reqwest::blocking::get(url).expect("an answer").json::<Value>().expect("JSON")
        })
    };
    let queue = |messages: usize| {
        wait_until(PATIENCE, "messages in the queue", || app.shared.store.in_flight() == messages);
    };
    let mut connection = app.database.as_ref().expect("its own").connect();
    // The store actor works on one after the other: held, the first flight's read, held, the second flight's read.
    let (release_first, first_hold) = hold(&app);
    let first = read();
    queue(2);
    let (release_second, second_hold) = hold(&app);
    let worked = app.store_messages();
    let broken = actix_rt::System::new().block_on(app.shared.fillers.ask(&Key::Tree, Boom));
    assert!(matches!(broken, Err(CatalogError::Internal(_))), "{broken:?}");
    // Its flight forgotten, the first reader has asked again.
    queue(4);
    let second = read();
    wait_until(PATIENCE, "the second reader on the same flight", || flights.joined.get() == 1);
    drop(release_first);
    wait_until(PATIENCE, "the first flight's read", || app.store_messages() == worked + 2);
    connection.batch_execute("UPDATE category SET name = 'New'").expect("update");
    drop(release_second);
    for reader in [first, second] {
        assert_eq!(reader.join().expect("a reader")["name"], "New", "read after the restart");
    }
    for holder in [first_hold, second_hold] {
        holder.join().expect("a thread").expect("released");
    }
    wait_until(PATIENCE, "the last landing", || flights.in_flight.get() == 0);
    assert_eq!((flights.started.get(), flights.joined.get()), (2, 1));
    assert_eq!(app.shared.metrics.actors.fill.restarts.get(), 1);
}
