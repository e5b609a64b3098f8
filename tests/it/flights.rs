//! Cold keys and crowds: one query per key, refusals at once, and nothing that hangs.

use std::sync::Arc;

use aisle::{catalog::CatalogError, catalog::pool::StoreMessage, store::pool::Pool};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::support::app::App;

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
    crate::support::waiting::wait_until(crate::support::waiting::PATIENCE, "the store actor held", || {
        app.shared.store.in_flight() == 1
    });
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
    crate::support::waiting::wait_until(crate::support::waiting::PATIENCE, "refusals", || {
        asking.iter().filter(|request| request.is_finished()).count() == 16
    });
    // Hits do not queue behind misses.
    app.get_json(&cached);
    release.send(()).expect("the holder waits");
    let answers: Vec<_> = asking.into_iter().map(|request| request.join().expect("a thread")).collect();
    assert_eq!(answers.iter().filter(|answer| **answer == (503, true)).count(), 16);
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 3);
    holder.join().expect("a thread").expect("released");
}
