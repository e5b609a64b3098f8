//! A database that forgot: a promoted replica that lacks the last commits, files restored to an older copy. What was lost
//! must not be answered as if it were there, and positions that are given out again must not pass for the lost ones.

mod promoted;
mod restored;

use std::{
    fs,
    os::unix::fs::{MetadataExt, lchown},
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use aisle::{
    cli::Exit,
    embedded::{Options, Services},
    store::events,
};
use diesel::connection::SimpleConnection;
use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::{
    catalogue::texts,
    check,
    support::{
        app::App,
        chaos::Relay,
        database::connect,
        waiting::{PATIENCE, wait_for, wait_until},
    },
};

/// Short, so that the tests are; long enough for a loaded machine to renew in time.
const LEASE: Duration = Duration::from_millis(1500);

/// Products of the catalogue.
const PRODUCTS: usize = 10;

/// The first of them are edited, and the edits lost.
const LOST: usize = 6;

fn start(folder: &Path) -> Services {
    let options = Options { data_dir: folder.to_owned(), durable: true, redis: false };
    Services::start(&options).unwrap_or_else(|error| panic!("{error}"))
}

fn cluster(folder: &Path) -> PathBuf {
    folder.join("postgres")
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}

/// Copies the files of a stopped cluster, with their owners.
fn copy(from: &Path, to: &Path) {
    succeed(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// Gives everything below `path` to the owner of `like`.
fn own(path: &Path, like: &Path) {
    let owner = fs::metadata(like).expect("an owner");
    lchown(path, Some(owner.uid()), Some(owner.gid())).expect("chown");
    if path.is_dir() {
        fs::read_dir(path).expect("a folder").for_each(|entry| own(&entry.expect("an entry").path(), like));
    }
}

/// A replica of a running cluster as of now, which will be promoted by its first start.
fn base_backup(services: &Services, from: &Path, to: &Path) {
    let binaries = "SELECT setting AS text FROM pg_config WHERE name = 'BINDIR'";
    let binaries = texts(&mut connect(services.database_url()), binaries).remove(0);
    fs::create_dir(to).expect("a folder");
    let cluster_to = cluster(to);
    let mut command = Command::new(Path::new(&binaries).join("pg_basebackup"));
    command.args(["--wal-method=fetch", "--checkpoint=fast", "--no-sync", "--dbname"]);
    succeed(command.arg(services.database_url()).arg("--pgdata").arg(&cluster_to));
    fs::write(cluster_to.join("recovery.signal"), "").expect("write");
    let settings = cluster_to.join("postgresql.auto.conf");
    let text = fs::read_to_string(&settings).expect("settings") + "restore_command = 'false'\n";
    fs::write(settings, text).expect("write");
    own(&cluster_to, &cluster(from));
}

/// Ends a server as a lost machine does, all its processes at once: without their postmaster they would go on for a moment, and
/// on a busy machine renew leases in it.
fn kill(services: Services, folder: &Path) {
    let text = fs::read_to_string(cluster(folder).join("postmaster.pid")).expect("a running postmaster");
    let postmaster = text.lines().next().expect("a line");
    let signal = |pid: &str, signal| {
        let pid = Pid::from_raw(pid.parse().expect("a number")).expect("a process");
        kill_process(pid, signal)
    };
    // From now on it starts no others. Where there is no such file, they are left to notice.
    signal(postmaster, Signal::STOP).expect("stop");
    let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
    signal(postmaster, Signal::KILL).expect("kill");
    for child in children.unwrap_or_default().split_whitespace() {
        // It may have ended by itself.
        let _ended = signal(child, Signal::KILL);
    }
    drop(services);
}

/// An instance behind a network of its own.
fn instance(database_url: &str, redis: Option<&str>) -> (App, Relay) {
    let (relay, url) = Relay::to_postgres(database_url);
    let lease_ms = u16::try_from(LEASE.as_millis()).expect("a lease");
    (App::join(&url, redis, |settings| settings.lease_ms = lease_ms), relay)
}

fn create(app: &App, title: &str) -> String {
    let made = app.create_product(&json!({"title": title, "variants": [{"sku": title}]}));
    format!("/v1/store/products/{}", made["id"].as_str().expect("an id"))
}

fn catalogue(app: &App) -> Vec<String> {
    (0..PRODUCTS).map(|number| create(app, &format!("kept {number}"))).collect()
}

fn edit(app: &App, path: &str, title: &str) -> StatusCode {
    let path = path.replace("/store/", "/admin/");
    app.admin_json(Method::PATCH, &path, &json!({"title": title})).status()
}

fn head(url: &str) -> i64 {
    events::head(&mut connect(url)).expect("a head")
}

/// What an instance answered.
#[derive(Debug)]
struct Seen {
    asked: Instant,
    answered: Instant,
    product: usize,
    title: String,
    position: i64,
}

/// Asks for a product; `None` when nobody vouches for an answer.
fn vouched(app: &App, product: usize, path: &str) -> Option<Seen> {
    let asked = Instant::now();
    let answer = app.get(path);
    let header =
        |name: &str| answer.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
    let labels = header("cache-status").unwrap_or_default();
    if answer.status() == 503 || labels.contains("unverified") {
        return None;
    }
    let position = header("catalog-position").expect("a position").parse().expect("a number");
    let title = match answer.status() {
        StatusCode::NOT_FOUND => "nothing".to_owned(),
        _ => answer.json::<Value>().expect("JSON")["title"].as_str().expect("a title").to_owned(),
    };
    Some(Seen { asked, answered: Instant::now(), product, title, position })
}

/// The title of a product, or `nothing`, once somebody vouches for it: in a moment without a lease, as a busy disk makes them
/// by holding renewals up, nobody does and says so.
fn title(app: &App, path: &str) -> String {
    wait_for(PATIENCE, "an answer", || vouched(app, 0, path)).title
}

fn all_are_there(app: &App, paths: &[String]) {
    for path in paths {
        assert_ne!(title(app, path), "nothing", "{path}");
    }
}

/// Reads all products again and again; what nobody vouched for is left out.
fn watch(app: &App, paths: &[String], done: &AtomicBool) -> Vec<Seen> {
    let mut seen = Vec::new();
    while !done.load(Ordering::Acquire) {
        seen.extend(paths.iter().enumerate().filter_map(|(product, path)| vouched(app, product, path)));
    }
    seen
}

/// Ends the watching, also of a test that fails.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// After the leases have ended, or once somebody saw the database's own state, nothing lost is answered for true.
fn nothing_lost_is_vouched_for(seen: &[Seen], killed: Instant) {
    let is_lost = |seen: &&Seen| seen.title.starts_with("lost");
    for lost in seen.iter().filter(is_lost) {
        assert!(lost.asked <= killed + LEASE, "after every lease: {lost:?}");
        let newer = |other: &&Seen| {
            other.product == lost.product && other.asked > killed && other.answered < lost.asked
        };
        let newer = seen.iter().filter(newer).find(|other| !is_lost(other));
        assert!(newer.is_none(), "{lost:?} after {newer:?}");
    }
    assert!(
        seen.iter().any(|seen| seen.asked > killed && is_lost(&seen)),
        "something was lost, and was warm"
    );
}

fn ready(fleet: &[&App]) {
    for app in fleet {
        wait_until(PATIENCE, "readiness", || app.get("/readyz").status() == 200);
    }
}

/// Edits through every instance are seen on the others at once, until every position that was lost is given out again.
fn edits_work(fleet: &[&App], paths: &[String], database_url: &str, lost_head: i64) {
    let mut round = 0;
    while round < 2 * PRODUCTS || head(database_url) <= lost_head + 3 {
        let (path, edited) = (&paths[round % PRODUCTS], format!("new {round}"));
        assert_eq!(edit(fleet[round % fleet.len()], path, &edited), 200);
        for reader in fleet {
            assert_eq!(title(reader, path), edited);
        }
        round += 1;
    }
    equals_the_database(database_url);
}

fn equals_the_database(database_url: &str) {
    // On a busy machine a lease may lapse for a moment, and then nobody vouches for an answer.
    let unvouched = Some(i32::from(Exit::NotVerified.code()));
    let output = wait_for(PATIENCE, "instances that vouch for their answers", || {
        Some(check::run(database_url, &["--samples", "1000"]))
            .filter(|output| output.status.code() != unvouched)
    });
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The doorbell of the new database is heard, not only the renewal: at a renewal, every round would take as long as the next.
fn by_hand_is_heard(fleet: &[&App], paths: &[String], database_url: &str) {
    let mut connection = connect(database_url);
    let mut round = |number: usize| {
        let began = Instant::now();
        connection.batch_execute(&format!("UPDATE product SET title = 'by hand {number}'")).expect("update");
        connection.batch_execute("SELECT catalog.sync()").expect("sync");
        let took = began.elapsed();
        for app in fleet {
            assert_eq!(title(app, &paths[0]), format!("by hand {number}"));
        }
        took
    };
    let fastest = (0..8).map(&mut round).skip(1).min().expect("rounds");
    assert!(fastest < LEASE / 10, "told, not found at a renewal: {fastest:?}");
}
