//! The private servers: private, exclusive, durable, and gone with their owner.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use aisle::embedded::{self, EmbeddedError, Options, Services};
use diesel::{Connection, PgConnection, connection::SimpleConnection};
use rustix::process::{Pid, Signal, geteuid, getpgid, getpgrp, kill_process, test_kill_process};

use crate::support::{
    database::{connect, number},
    process::open_folder,
    redis,
    services::scratch_folder,
    waiting::{PATIENCE, wait_for, wait_until},
};

/// Tells the test program to be the owner of servers in that folder, and nothing else.
const OWNER: &str = "AISLE_IT_OWNER";

fn durable(folder: &Path) -> Options {
    Options { data_dir: folder.to_owned(), durable: true, redis: true }
}

fn start(folder: &Path) -> Services {
    Services::start(&durable(folder)).unwrap_or_else(|error| panic!("{error}"))
}

fn postmaster(folder: &Path) -> Pid {
    let text = fs::read_to_string(folder.join("postgres/postmaster.pid")).expect("a running postmaster");
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap()).unwrap()
}

/// Whether that process runs; one that has ended but whose parent has not noticed does not.
fn runs(process: Pid) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    test_kill_process(process).is_ok() && !status.contains(") Z ")
}

fn refuses_connections(url: &str) -> bool {
    PgConnection::establish(url).is_err()
}

/// Another process that owns servers until it is killed.
struct Owner {
    process: Child,
    database_url: String,
    redis_url: String,
}

impl Owner {
    fn start(folder: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["embedded::owns_servers_when_told", "--exact", "--nocapture"]).env(OWNER, folder);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        let addresses = wait_for(PATIENCE, "servers of another process", || embedded::running(folder));
        Self { process, database_url: addresses.database_url, redis_url: addresses.redis_url.unwrap() }
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Not a test by itself: the other process of the tests below.
#[test]
fn owns_servers_when_told() {
    let Some(folder) = std::env::var_os(OWNER) else { return };
    let _services = start(Path::new(&folder));
    loop {
        thread::park();
    }
}

#[test]
fn servers_answer_until_they_are_stopped() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let services = start(&folder);
    let (database_url, redis_url) =
        (services.database_url().to_owned(), services.redis_url().unwrap().to_owned());
    let mut database = connect(&database_url);
    assert_eq!(number(&mut database, "SELECT 1 AS number"), 1);
    let tcp =
        "SELECT count(*)::int AS number FROM pg_settings WHERE name = 'listen_addresses' AND setting <> ''";
    assert_eq!(number(&mut database, tcp), 0, "private servers listen on no network");
    ::redis::cmd("PING").exec(&mut redis::connect(&redis_url)).unwrap();
    let postmaster = postmaster(&folder);
    assert_ne!(getpgid(Some(postmaster)).unwrap(), getpgrp(), "a Ctrl-C for us must not reach the database");
    services.stop();
    assert!(!runs(postmaster), "postgres has ended");
    assert!(refuses_connections(&database_url));
    assert!(::redis::Client::open(redis_url).unwrap().get_connection().is_err());
    assert_eq!(embedded::running(&folder), None);
}

#[test]
fn text_is_unicode_and_sorted_by_bytes() {
    let Some(parent) = open_folder() else { return };
    let services = start(&parent.path().join("data"));
    let mut database = connect(services.database_url());
    assert_eq!(number(&mut database, "SELECT (lower('ÄÉ') = 'äé')::int AS number"), 1);
    assert_eq!(number(&mut database, "SELECT ('Z' < 'a')::int AS number"), 1);
}

#[test]
fn a_second_start_keeps_the_data() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let services = start(&folder);
    connect(services.database_url()).batch_execute("CREATE TABLE kept AS SELECT 42 AS number").unwrap();
    services.stop();
    let services = start(&folder);
    assert_eq!(number(&mut connect(services.database_url()), "SELECT number FROM kept"), 42);
}

#[test]
fn a_folder_in_use_is_refused_naming_its_holder() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let services = start(&folder);
    let refused = Services::start(&durable(&folder)).unwrap_err();
    assert!(
        matches!(refused, EmbeddedError::InUse { holder: Some(pid), .. } if pid == std::process::id()),
        "{refused}"
    );
    assert_eq!(embedded::running(&folder).as_ref(), Some(services.addresses()));
    assert_eq!(number(&mut connect(services.database_url()), "SELECT 1 AS number"), 1, "it is not disturbed");
}

#[test]
fn servers_end_with_a_killed_owner() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let mut owner = Owner::start(&folder);
    let postmaster = postmaster(&folder);
    connect(&owner.database_url).batch_execute("CREATE TABLE kept AS SELECT 42 AS number").unwrap();
    let mut session = connect(&owner.database_url);
    owner.kill();
    wait_until(PATIENCE, "end of the database", || !runs(postmaster));
    assert!(session.batch_execute("SELECT 1").is_err(), "open sessions do not keep it alive");
    let redis = ::redis::Client::open(owner.redis_url.as_str()).unwrap();
    wait_until(PATIENCE, "end of redis", || redis.get_connection().is_err());
    let services = start(&folder);
    assert_eq!(number(&mut connect(services.database_url()), "SELECT number FROM kept"), 42);
}

#[test]
#[cfg(target_os = "linux")]
fn servers_left_without_guardian_are_ended_by_the_next_start() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let mut owner = Owner::start(&folder);
    let left = postmaster(&folder);
    for guardian in children(owner.process.id()) {
        // The guardian and the shell that waits for the owner's end.
        for shell in
            children(guardian).into_iter().filter(|child| command_name(*child) == "sh").chain([guardian])
        {
            kill_process(Pid::from_raw(shell.cast_signed()).unwrap(), Signal::KILL).unwrap();
        }
    }
    owner.kill();
    assert!(runs(left), "nobody has ended it");
    let services = start(&folder);
    assert_ne!(postmaster(&folder), left);
    assert!(!runs(left));
    assert_eq!(number(&mut connect(services.database_url()), "SELECT 1 AS number"), 1);
    ::redis::cmd("PING").exec(&mut redis::connect(services.redis_url().unwrap())).unwrap();
}

#[cfg(target_os = "linux")]
fn children(process: u32) -> Vec<u32> {
    let parent = |entry: &Path| {
        let status = fs::read_to_string(entry.join("status")).ok()?;
        status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse::<u32>().ok())
    };
    let entries = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    entries
        .filter(|entry| parent(entry) == Some(process))
        .filter_map(|entry| entry.file_name()?.to_str()?.parse().ok())
        .collect()
}

#[cfg(target_os = "linux")]
fn command_name(process: u32) -> String {
    fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default().trim().to_owned()
}

#[test]
fn a_long_or_odd_path_is_no_obstacle() {
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("a folder, with 'everything'").join("x".repeat(120));
    for _ in 0..2 {
        let services = start(&folder);
        assert_eq!(number(&mut connect(services.database_url()), "SELECT 1 AS number"), 1);
        ::redis::cmd("PING").exec(&mut redis::connect(services.redis_url().unwrap())).unwrap();
        let sockets = sockets_of(&services);
        assert!(!sockets.starts_with(&folder));
        assert_eq!(fs::metadata(sockets).unwrap().mode() & 0o777, 0o700);
    }
    let services = start(&folder);
    let sockets = sockets_of(&services);
    drop(services);
    fs::remove_dir_all(sockets).unwrap();
}

fn sockets_of(services: &Services) -> PathBuf {
    let socket = services.redis_url().unwrap().strip_prefix("unix://").unwrap();
    Path::new(socket).parent().unwrap().to_owned()
}

#[test]
fn scratch_servers_leave_nothing() {
    if open_folder().is_none() {
        return;
    }
    let folder = scratch_folder();
    let options = Options { data_dir: folder.clone(), durable: false, redis: true };
    let services = Services::start(&options).unwrap();
    assert_eq!(number(&mut connect(services.database_url()), "SELECT 1 AS number"), 1);
    services.stop();
    assert!(!folder.exists());
}

#[test]
fn root_steps_down() {
    if !geteuid().is_root() {
        return;
    }
    let Some(parent) = open_folder() else { return };
    let folder = parent.path().join("data");
    let _services = start(&folder);
    assert_ne!(fs::metadata(folder.join("postgres")).unwrap().uid(), 0);
    #[cfg(target_os = "linux")]
    assert_ne!(fs::metadata(format!("/proc/{}", postmaster(&folder))).unwrap().uid(), 0);
}

#[test]
fn root_may_serve_from_a_folder_only_root_can_enter() {
    if !geteuid().is_root() {
        return;
    }
    let Some(parent) = open_folder() else { return };
    fs::set_permissions(parent.path(), Permissions::from_mode(0o700)).unwrap();
    let folder = parent.path().join("data");
    let services = start(&folder);
    connect(services.database_url()).batch_execute("CREATE TABLE kept AS SELECT 42 AS number").unwrap();
    let home = PathBuf::from(fs::read_to_string(folder.join("location")).unwrap().trim());
    assert!(home.join("postgres").exists() && !folder.join("postgres").exists());
    services.stop();
    let services = start(&folder);
    assert_eq!(number(&mut connect(services.database_url()), "SELECT number FROM kept"), 42);
    services.stop();
    fs::remove_dir_all(home).unwrap();
}
