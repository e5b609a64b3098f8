//! A fleet behind the load balancers of `deploy/`: instances come, go and die, and no client notices.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};

use crate::support::{
    balancer::{Balancer, free_port, is_installed},
    database,
    database::TestDatabase,
    process::Instance,
    redis::shared_redis,
    waiting::{PATIENCE, wait_until},
};

const TOKEN: &str = "fleet-token-0123456789";

/// Readers beside one editor.
const READERS: usize = 4;

/// How long `nginx.conf` waits for a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// Three instances, each at a port it keeps.
struct Fleet {
    // Ended before their database goes: fields are dropped in order.
    instances: Vec<Instance>,
    ports: [u16; 3],
    database: TestDatabase,
}

impl Fleet {
    fn start() -> Self {
        let mut fleet = Self {
            instances: Vec::new(),
            ports: [free_port(), free_port(), free_port()],
            database: database(),
        };
        for port in fleet.ports {
            let instance = fleet.serve(port);
            fleet.instances.push(instance);
        }
        fleet
    }

    fn serve(&self, port: u16) -> Instance {
        Instance::serve(&[
            ("AISLE_LISTEN", &format!("127.0.0.1:{port}")),
            ("DATABASE_URL", &self.database.url),
            ("REDIS_URL", shared_redis()),
            ("AISLE_ADMIN_TOKEN", TOKEN),
            ("AISLE_WORKERS", "1"),
            ("AISLE_STORE_ACTORS", "2"),
            ("AISLE_LEASE_MS", "1000"),
            ("AISLE_DRAIN_SECONDS", "2"),
        ])
    }

    /// Stops an instance in order and starts it again.
    fn restart(&mut self, at: usize) {
        let status = self.instances[at].stop_and_wait();
        assert!(status.success(), "an orderly end: {status}");
        self.instances[at] = self.serve(self.ports[at]);
    }
}

/// What clients saw.
#[derive(Debug, Default)]
struct Seen {
    reads: AtomicU64,
    /// Version of the last edit that was acknowledged.
    acknowledged: AtomicU64,
    failed_reads: Mutex<Vec<String>>,
    failed_edits: Mutex<Vec<String>>,
}

/// Clients at work until told to stop.
struct Load {
    seen: Arc<Seen>,
    is_over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

fn client() -> Client {
    Client::builder().timeout(Duration::from_secs(20)).build().expect("a client")
}

impl Load {
    /// Readers of one product and an editor of it, all through the balancer.
    fn start(url: &str, id: &str) -> Self {
        let (seen, is_over) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
        let mut threads = Vec::new();
        for _ in 0..READERS {
            let (seen, is_over) = (Arc::clone(&seen), Arc::clone(&is_over));
            let path = format!("{url}/v1/store/products/{id}");
            threads.push(thread::spawn(move || read(&path, &seen, &is_over)));
        }
        let (own, ends) = (Arc::clone(&seen), Arc::clone(&is_over));
        let path = format!("{url}/v1/admin/products/{id}");
        threads.push(thread::spawn(move || edit(&path, &own, &ends)));
        Self { seen, is_over, threads }
    }

    /// Waits until clients have got on by so much.
    fn goes_on(&self) {
        let (reads, edits) =
            (self.seen.reads.load(Ordering::Acquire), self.seen.acknowledged.load(Ordering::Acquire));
        wait_until(PATIENCE, "clients that get answers", || {
            self.seen.reads.load(Ordering::Acquire) >= reads + 100
                && self.seen.acknowledged.load(Ordering::Acquire) >= edits + 5
        });
    }

    fn stop(mut self) -> Arc<Seen> {
        self.is_over.store(true, Ordering::Release);
        for thread in self.threads.drain(..) {
            thread.join().expect("a client");
        }
        Arc::clone(&self.seen)
    }
}

/// A test that failed leaves nobody who goes on asking: that would starve the tests beside it.
impl Drop for Load {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}

fn read(path: &str, seen: &Seen, is_over: &AtomicBool) {
    let client = client();
    while !is_over.load(Ordering::Acquire) {
        let least = seen.acknowledged.load(Ordering::Acquire);
        let trouble = match client.get(path).send().and_then(|answer| Ok((answer.status(), answer.text()?))) {
            Ok((status, text)) if status == 200 => {
                let product: Value = serde_json::from_str(&text).expect("a product");
                let version = product["version"].as_u64().expect("a version");
                (version < least).then(|| format!("version {version} after {least} was acknowledged"))
            }
            Ok((status, text)) => Some(format!("{status}: {text}")),
            Err(error) => Some(format!("{error:?}")),
        };
        seen.failed_reads.lock().unwrap().extend(trouble);
        seen.reads.fetch_add(1, Ordering::AcqRel);
    }
}

fn edit(path: &str, seen: &Seen, is_over: &AtomicBool) {
    let client = client();
    for number in 0.. {
        if is_over.load(Ordering::Acquire) {
            return;
        }
        let request = client.patch(path).bearer_auth(TOKEN).header("If-Match", "*");
        let answer = request.json(&json!({"title": format!("Lamp {number}")})).send();
        let trouble = match answer.and_then(|answer| Ok((answer.status(), answer.text()?))) {
            Ok((status, text)) if status == 200 => {
                let product: Value = serde_json::from_str(&text).expect("a product");
                seen.acknowledged.store(product["version"].as_u64().expect("a version"), Ordering::Release);
                None
            }
            Ok((status, text)) => Some(format!("{status}: {text}")),
            Err(error) => Some(format!("{error:?}")),
        };
        seen.failed_edits.lock().unwrap().extend(trouble);
    }
}

fn create(url: &str) -> String {
    let request = client().post(format!("{url}/v1/admin/products")).bearer_auth(TOKEN);
    let answer = request.json(&json!({"title": "Lamp"})).send().expect("an answer");
    let product: Value = answer.json().expect("a product");
    product["id"].as_str().expect("an id").to_owned()
}

fn all_up(balancer: &Balancer) -> bool {
    let states = balancer.states();
    states.len() == 3 && states.iter().all(|state| state == "UP")
}

#[test]
fn a_rolling_restart_behind_haproxy_fails_no_request() {
    if !is_installed("haproxy") {
        return;
    }
    let mut fleet = Fleet::start();
    let balancer = Balancer::haproxy(fleet.ports);
    wait_until(PATIENCE, "three instances up", || all_up(&balancer));
    let load = Load::start(&balancer.url, &create(&balancer.url));
    load.goes_on();
    for at in 0..3 {
        fleet.restart(at);
        wait_until(PATIENCE, "it is up again", || all_up(&balancer));
        load.goes_on();
    }
    let seen = load.stop();
    assert_eq!(*seen.failed_reads.lock().unwrap(), [""; 0], "of {:?} reads", seen.reads);
    assert_eq!(*seen.failed_edits.lock().unwrap(), [""; 0], "of {:?} edits", seen.acknowledged);
}

/// The editor may lose the one request that was under way on it; readers lose nothing.
#[test]
fn an_instance_killed_behind_haproxy_costs_no_read() {
    if !is_installed("haproxy") {
        return;
    }
    let mut fleet = Fleet::start();
    let balancer = Balancer::haproxy(fleet.ports);
    wait_until(PATIENCE, "three instances up", || all_up(&balancer));
    let load = Load::start(&balancer.url, &create(&balancer.url));
    load.goes_on();
    for at in 0..3 {
        fleet.instances[at].kill9();
        load.goes_on();
        fleet.instances[at] = fleet.serve(fleet.ports[at]);
        wait_until(PATIENCE, "it is up again", || all_up(&balancer));
        load.goes_on();
    }
    let seen = load.stop();
    assert_eq!(*seen.failed_reads.lock().unwrap(), [""; 0], "of {:?} reads", seen.reads);
    let failed = seen.failed_edits.lock().unwrap();
    assert!(failed.len() <= 3, "one editor has one request under way: {failed:?}");
}

#[test]
fn a_rolling_restart_behind_nginx_fails_no_request() {
    if !is_installed("nginx") {
        return;
    }
    let mut fleet = Fleet::start();
    let balancer = Balancer::nginx(fleet.ports);
    let load = Load::start(&balancer.url, &create(&balancer.url));
    load.goes_on();
    for at in 0..3 {
        fleet.restart(at);
        load.goes_on();
    }
    let seen = load.stop();
    assert_eq!(*seen.failed_reads.lock().unwrap(), [""; 0], "of {:?} reads", seen.reads);
    assert_eq!(*seen.failed_edits.lock().unwrap(), [""; 0], "of {:?} edits", seen.acknowledged);
}

/// A machine that is gone refuses nothing. A connection that is never made carried no edit, so another instance may have it.
#[test]
fn an_instance_that_takes_no_connection_behind_nginx_costs_no_edit() {
    if !is_installed("nginx") {
        return;
    }
    let mut fleet = Fleet::start();
    fleet.instances[0].kill9();
    // The queue of a socket that nobody accepts from has one place.
    let deaf = TcpListener::bind(("127.0.0.1", fleet.ports[0])).expect("the port of the dead");
    rustix::net::listen(&deaf, 0).expect("a short queue");
    let address = deaf.local_addr().expect("its address");
    let _queued = TcpStream::connect_timeout(&address, PATIENCE).expect("the place in it");
    assert!(TcpStream::connect_timeout(&address, Duration::from_millis(100)).is_err(), "it is full");

    let balancer = Balancer::nginx(fleet.ports);
    // The first request goes to the first instance, and the others have their turn.
    let began = Instant::now();
    let path = format!("{}/v1/admin/products/{}", balancer.url, create(&balancer.url));
    assert!(began.elapsed() > CONNECT / 2, "it waited for the deaf one");
    for number in 0..3 {
        let request = client().patch(&path).bearer_auth(TOKEN).header("If-Match", "*");
        let answer = request.json(&json!({"title": format!("Lamp {number}")})).send().expect("an answer");
        assert_eq!(answer.status(), 200, "edit {number}: {:?}", answer.text());
    }
}

fn serve_alone(database: &TestDatabase, drain: &str) -> Instance {
    Instance::serve(&[
        ("DATABASE_URL", &database.url),
        ("REDIS_URL", shared_redis()),
        ("AISLE_ADMIN_TOKEN", TOKEN),
        ("AISLE_DRAIN_SECONDS", drain),
    ])
}

/// Until the drain is over everything is answered, but readiness says no and connections are closed.
#[test]
fn a_draining_instance_answers_and_sends_its_clients_elsewhere() {
    let database = database();
    let mut instance = serve_alone(&database, "3");
    let client = client();
    let get = |path: &str| client.get(format!("{}{path}", instance.url)).send();
    let closes = |answer: &Response| {
        answer.headers().get("connection").is_some_and(|value| value.as_bytes() == b"close")
    };
    wait_until(PATIENCE, "it is ready", || get("/readyz").is_ok_and(|answer| answer.status() == 200));
    assert!(!closes(&get("/v1/store/products").expect("an answer")));
    instance.terminate();
    wait_until(PATIENCE, "readiness says no", || get("/readyz").is_ok_and(|answer| answer.status() == 503));
    let health: Value = get("/readyz").expect("an answer").json().expect("its state");
    let draining = health["checks"].as_array().and_then(|checks| {
        checks.iter().find(|check| check["name"] == "draining").map(|check| check["ok"] == false)
    });
    assert_eq!(draining, Some(true), "{health}");
    for path in ["/v1/store/products", "/livez"] {
        let answer = get(path).expect("an answer");
        assert_eq!(answer.status(), 200);
        assert!(closes(&answer), "{path}: {:?}", answer.headers());
    }
    assert!(instance.wait().success());
}

#[test]
fn a_second_signal_ends_the_drain() {
    let database = database();
    // Longer than the test waits.
    let mut instance = serve_alone(&database, "600");
    let client = client();
    let ready = || client.get(format!("{}/readyz", instance.url)).send();
    wait_until(PATIENCE, "it is ready", || ready().is_ok_and(|answer| answer.status() == 200));
    instance.terminate();
    wait_until(PATIENCE, "readiness says no", || ready().is_ok_and(|answer| answer.status() == 503));
    instance.terminate();
    assert!(instance.wait().success());
}

/// Asks on a connection of its own each time, until none is let in.
fn ask_until_refused(address: &SocketAddr, answered: &AtomicU64) {
    while let Ok(mut connection) = TcpStream::connect_timeout(address, PATIENCE) {
        let request = b"GET /livez HTTP/1.1\r\nHost: aisle\r\nConnection: close\r\n\r\n";
        connection.write_all(request).expect("a request that is taken");
        let mut answer = String::new();
        connection.read_to_string(&mut answer).expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
        answered.fetch_add(1, Ordering::AcqRel);
    }
}

/// Whoever is let in is answered, up to the last moment: no balancer may send an edit elsewhere whose connection was reset.
#[test]
fn a_stop_resets_no_connection() {
    let database = database();
    let mut instance = serve_alone(&database, "0");
    let address: SocketAddr = instance.url.trim_start_matches("http://").parse().expect("an address");
    let answered = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| ask_until_refused(&address, &answered));
        }
        wait_until(PATIENCE, "clients at work", || answered.load(Ordering::Acquire) > 100);
        assert!(instance.stop_and_wait().success());
    });
}
