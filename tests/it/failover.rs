//! A database that forgot: a promoted replica that lacks the last commits, files restored to an older copy. What was lost
//! must not be answered as if it were there, and positions that are given out again must not pass for the lost ones.

use std::{
    fs,
    os::unix::fs::{MetadataExt, lchown},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use aisle::{
    coherence::keeper,
    embedded::{Options, Services},
    store::{events, pool},
    supervision::{StepMessage, stepper::Envelope},
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
        process::open_folder,
        redis::shared_redis,
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

/// Ends a server as a lost machine does.
fn kill(services: Services, folder: &Path) {
    let text = fs::read_to_string(cluster(folder).join("postmaster.pid")).expect("a running postmaster");
    let pid = Pid::from_raw(text.lines().next().expect("a line").parse().expect("a number"));
    kill_process(pid.expect("a process"), Signal::KILL).expect("kill");
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
        let (path, title) = (&paths[round % PRODUCTS], format!("new {round}"));
        assert_eq!(edit(fleet[round % fleet.len()], path, &title), 200);
        for reader in fleet {
            assert_eq!(reader.get_json(path)["title"], *title);
        }
        round += 1;
    }
    equals_the_database(database_url);
}

fn equals_the_database(database_url: &str) {
    let output = check::run(database_url, &["--samples", "1000"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// The primary dies with commits that the promoted replica lacks. `both_saw`: whether the second instance had applied them.
fn fail_over(redis: Option<&str>, both_saw: bool) {
    let Some(parent) = open_folder() else { return };
    let [old, new] = ["old", "new"].map(|name| parent.path().join(name));
    let primary = start(&old);
    pool::migrate(primary.database_url()).expect("migrate");
    let ((first, first_relay), (second, second_relay)) =
        (instance(primary.database_url(), redis), instance(primary.database_url(), redis));
    let fleet = [&first, &second];
    let mut paths = catalogue(&first);
    base_backup(&primary, &old, &new);
    let backed_up = head(primary.database_url());
    for path in &paths {
        assert_eq!(second.get(path).status(), 200);
    }
    if !both_saw {
        second_relay.freeze();
    }
    for round in 0..4 * LOST {
        let editor = if both_saw { fleet[round % 2] } else { &first };
        let product = round % LOST;
        assert_eq!(edit(editor, &paths[product], &format!("lost {product}")), 200);
    }
    paths.push(create(&first, "lost altogether"));
    let lost_head = head(primary.database_url());
    for app in &fleet[..if both_saw { 2 } else { 1 }] {
        assert!(paths.iter().all(|path| app.get(path).status() == 200));
    }

    let done = AtomicBool::new(false);
    let promoted = std::thread::scope(|scope| {
        let ending = Ending(&done);
        let watching = fleet.map(|app| scope.spawn(|| watch(app, &paths, &done)));
        kill(primary, &old);
        let killed = Instant::now();
        let promoted = start(&new);
        for relay in [&first_relay, &second_relay] {
            relay.cut();
            relay.retarget_to_postgres(promoted.database_url());
            relay.heal();
        }
        ready(&fleet);
        for app in fleet {
            // For the longest lease there is, members of the era that ended may hold one unlisted.
            let restored = wait_for(PATIENCE, "an answer", || vouched(app, 0, &paths[0]));
            assert_eq!(restored.title, "kept 0");
            assert!(restored.position < lost_head, "{} < {lost_head}", restored.position);
            assert!(restored.position >= backed_up);
            assert_eq!(app.get(&paths[PRODUCTS]).status(), 404, "its creation was lost");
        }
        drop(ending);
        let seen: Vec<Seen> =
            watching.into_iter().flat_map(|watching| watching.join().expect("seen")).collect();
        nothing_lost_is_vouched_for(&seen, killed);
        promoted
    });
    edits_work(&fleet, &paths, promoted.database_url(), lost_head);
    by_hand_is_heard(&fleet, &paths, promoted.database_url());
    // Before the database they leave.
    drop((first, second));
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
            assert_eq!(app.get_json(&paths[0])["title"], format!("by hand {number}"));
        }
        took
    };
    let fastest = (0..8).map(&mut round).skip(1).min().expect("rounds");
    assert!(fastest < LEASE / 10, "told, not found at a renewal: {fastest:?}");
}

#[test]
fn commits_that_a_promoted_replica_lacks_are_answered_by_nobody() {
    fail_over(Some(shared_redis()), true);
}

#[test]
fn an_instance_that_never_saw_the_lost_commits_is_right_too() {
    fail_over(None, false);
}

/// Holds the lease keeper up until the other end is gone.
struct Hold(mpsc::Receiver<()>);

impl StepMessage for Hold {
    type State = keeper::State;
    type Reply = ();
    const NAME: &'static str = "hold";

    fn handle(self, _state: &mut keeper::State) {
        self.0.recv().expect_err("dropped");
    }
}

#[expect(clippy::disallowed_methods, reason = "one message")]
fn hold_keeper(app: &App) -> mpsc::Sender<()> {
    let (held, holding) = mpsc::channel();
    app.keeper.address().do_send(Envelope(Hold(holding)));
    held
}

/// A primary with a catalogue and two warm instances, of which the second lost its database before the last edits. Its
/// files are then those of before these edits; nobody is connected.
struct Restored {
    first: (App, Relay),
    second: (App, Relay),
    paths: Vec<String>,
    eras: [u32; 2],
    lost_head: i64,
    services: Services,
    _folder: tempfile::TempDir,
}

fn restored(redis: Option<&str>) -> Option<Restored> {
    let parent = open_folder()?;
    let (folder, kept) = (parent.path().join("data"), parent.path().join("kept"));
    let services = start(&folder);
    pool::migrate(services.database_url()).expect("migrate");
    let url = services.database_url().to_owned();
    let (first, second) = (instance(&url, redis), instance(&url, redis));
    let paths = catalogue(&first.0);
    services.stop();
    copy(&cluster(&folder), &kept);
    let services = start(&folder);
    ready(&[&first.0, &second.0]);
    assert!(paths.iter().all(|path| second.0.get(path).status() == 200));
    second.1.cut();
    for round in 0..4 * LOST {
        let product = round % LOST;
        assert_eq!(edit(&first.0, &paths[product], &format!("lost {product}")), 200);
    }
    assert!(paths.iter().all(|path| first.0.get(path).status() == 200));
    let lost_head = head(&url);
    first.1.cut();
    services.stop();
    fs::remove_dir_all(cluster(&folder)).expect("remove");
    fs::rename(kept, cluster(&folder)).expect("restore");
    let services = start(&folder);
    let eras = [&first, &second].map(|(app, _)| app.shared.reader.coherence.gate().era());
    Some(Restored { first, second, paths, eras, lost_head, services, _folder: parent })
}

impl Restored {
    /// Changes products that nobody's edits were lost of, until all positions that were lost are given out again.
    fn outrun(&self) {
        let mut connection = connect(self.services.database_url());
        while head(self.services.database_url()) <= self.lost_head + 1 {
            let change = "UPDATE product SET title = 'overwritten' WHERE title LIKE 'kept 9'; UPDATE product SET \
                          description = description || '.' WHERE title = 'overwritten'";
            connection.batch_execute(change).expect("change");
        }
    }

    /// Both are in another era, with nothing of the former one.
    fn ends_the_era(self) {
        let fleet = [&self.first.0, &self.second.0];
        for (app, before) in fleet.iter().zip(self.eras) {
            let era = || app.shared.reader.coherence.gate().era();
            wait_until(PATIENCE, "another era", || era() > before);
        }
        ready(&fleet);
        let url = self.services.database_url();
        equals_the_database(url);
        edits_work(&fleet, &self.paths, url, self.lost_head);
        by_hand_is_heard(&fleet, &self.paths, url);
        let Self { first, second, .. } = self;
        drop((first.0, second.0));
    }
}

#[test]
fn files_restored_to_an_older_copy_end_the_era() {
    let Some(restored) = restored(Some(shared_redis())) else { return };
    // The one that has seen nothing of what was lost goes first: nothing looks wrong to it.
    restored.second.1.heal();
    ready(&[&restored.second.0]);
    restored.first.1.heal();
    restored.ends_the_era();
}

#[test]
fn an_older_copy_under_a_fleet_that_was_stopped_begins_an_era_by_hand() {
    let Some(parent) = open_folder() else { return };
    let (folder, kept) = (parent.path().join("data"), parent.path().join("kept"));
    let services = start(&folder);
    pool::migrate(services.database_url()).expect("migrate");
    let (editor, relay) = instance(services.database_url(), Some(shared_redis()));
    let paths = catalogue(&editor);
    services.stop();
    copy(&cluster(&folder), &kept);
    let services = start(&folder);
    ready(&[&editor]);
    for (product, path) in paths.iter().enumerate() {
        assert_eq!(edit(&editor, path, &format!("lost {product}")), 200);
        assert_eq!(editor.get(path).status(), 200, "now in Redis");
    }
    drop((editor, relay));
    services.stop();
    fs::remove_dir_all(cluster(&folder)).expect("remove");
    fs::rename(kept, cluster(&folder)).expect("restore");
    let services = start(&folder);
    let mut connection = connect(services.database_url());
    connection.batch_execute("SELECT catalog.begin_era()").expect("another era");
    let (fresh, _relay) = instance(services.database_url(), Some(shared_redis()));
    // Instances that nobody lists might have gone on with what was lost.
    connection.batch_execute("SELECT catalog.sync()").expect("sync");
    let settled = "SELECT (clock_timestamp() - since > '5 seconds')::text AS text FROM catalog_era";
    assert_eq!(texts(&mut connection, settled), ["true"]);
    for (product, path) in paths.iter().enumerate() {
        assert_eq!(fresh.get_json(path)["title"], format!("kept {product}"));
    }
    drop(fresh);
}

#[test]
fn a_lost_history_is_noticed_though_the_new_one_is_longer() {
    let Some(restored) = restored(None) else { return };
    restored.outrun();
    restored.first.1.heal();
    restored.second.1.heal();
    restored.ends_the_era();
}

#[test]
fn nothing_is_applied_on_top_of_a_lost_history_before_it_is_noticed() {
    let Some(restored) = restored(None) else { return };
    let (first, relay) = &restored.first;
    let held = hold_keeper(first);
    let applied = || first.shared.reader.coherence.gate().applied();
    assert_eq!(applied(), restored.lost_head);
    restored.outrun();
    relay.heal();
    // The follower is back before the keeper, and edits come in.
    let errors = first.shared.metrics.log.errors.get();
    wait_until(PATIENCE, "the follower", || {
        first.shared.metrics.log.errors.get() > errors || applied() != restored.lost_head
    });
    assert_eq!(edit(first, &restored.paths[8], "too early"), 503);
    assert_eq!(applied(), restored.lost_head);
    drop(held);
    restored.second.1.heal();
    restored.ends_the_era();
}
