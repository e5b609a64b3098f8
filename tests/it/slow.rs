//! Slow networks and slow clients: they wait themselves, and nobody waits for them.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
};

use reqwest::Method;
use serde_json::json;

use crate::support::{
    app::App,
    chaos::Relay,
    database,
    waiting::{PATIENCE, wait_until},
};

/// Clients of one kind.
const CLIENTS: usize = 200;

fn connect(app: &App) -> TcpStream {
    let stream = TcpStream::connect(app.url.trim_start_matches("http://")).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    stream
}

fn is_served(app: &App, path: &str) {
    for _ in 0..20 {
        assert_eq!(app.get(path).status(), 200);
    }
    assert_eq!(app.get("/readyz").status(), 200);
    assert_eq!(app.admin(Method::GET, "/v1/admin/products?limit=1").send().expect("an answer").status(), 200);
}

#[test]
fn a_slow_network_to_postgres_starves_neither_hits_nor_admin_nor_health() {
    let database = database();
    let (relay, url) = Relay::to_postgres(&database.url);
    let app = App::join(&url, None, |settings| settings.store_actors = 2);
    let made: Vec<String> = (0..20)
        .map(|number| {
            let made = app.create_product(&json!({"title": format!("Lamp {number}")}));
            format!("/v1/store/products/{}", made["id"].as_str().expect("an id"))
        })
        .collect();
    app.get_json(&made[0]);
    wait_until(PATIENCE, "readiness", || app.get("/readyz").status() == 200);
    relay.delay(50);
    let misses: Vec<_> = made[1..]
        .iter()
        .map(|path| {
            let url = format!("{}{path}", app.url);
            thread::spawn(move || reqwest::blocking::get(url).expect("an answer").status().as_u16())
        })
        .collect();
    wait_until(PATIENCE, "misses that wait", || app.shared.store.in_flight() > 4);
    is_served(&app, &made[0]);
    for miss in misses {
        assert_eq!(miss.join().expect("a thread"), 200, "late, but there");
    }
    relay.heal();
}

#[test]
fn clients_that_never_finish_a_request_are_told_and_closed() {
    let app = App::start();
    let made = app.create_product(&json!({"title": "Lamp"}));
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(&app)).collect();
    for client in &mut clients {
        client.write_all(b"GET /v1/store/products HTTP/1.1\r\nHost: slow").expect("a piece");
    }
    is_served(&app, &path);
    for mut client in clients {
        let mut said = String::new();
        client.read_to_string(&mut said).expect("an end");
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408 "), "{said}");
    }
    is_served(&app, &path);
}

#[test]
fn clients_that_never_read_hold_up_nobody() {
    let app = App::start();
    for number in 0..40 {
        app.create_product(&json!({"title": format!("Lamp {number}"), "description": "long ".repeat(400)}));
    }
    let made = app.create_product(&json!({"title": "Lamp"}));
    let path = format!("/v1/store/products/{}", made["id"].as_str().expect("an id"));
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| connect(&app)).collect();
    for client in &mut clients {
        // Many at once on each connection: more than its socket takes.
        let asked = "GET /v1/store/products?limit=40 HTTP/1.1\r\nHost: slow\r\n\r\n".repeat(16);
        client.write_all(asked.as_bytes()).expect("requests");
    }
    is_served(&app, &path);
    wait_until(PATIENCE, "nothing that is held for them", || app.shared.misses.taken() == 0);
}
