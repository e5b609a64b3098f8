//! The private Postgres: made once per folder, on a Unix socket only, gone with its owner.

use std::{
    fs, io,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::{
    account::Account,
    binaries::{PostgresPrograms, find_postgres},
    error::EmbeddedError,
    folder::DataFolder,
    guardian::{Guarded, Launch},
    waiting::{POLL, wait_for},
};
use crate::limits::{PRIVATE_POSTGRES_START_TIMEOUT, PRIVATE_SERVER_STOP_TIMEOUT};

/// Character types tried for a new cluster: sorting is always by bytes ("C"), but upper and lower case, word
/// boundaries and trigrams must know more than ASCII wherever the system has such a locale.
const CHARACTER_TYPES: [&str; 4] = ["C.UTF-8", "C.utf8", "en_US.UTF-8", "C"];

/// User and database of the private cluster.
const NAME: &str = "aisle";

/// The port is part of a socket's name only.
const PORT: &str = "5432";

/// What every private server is told.
const ALWAYS: [&str; 14] = [
    "listen_addresses=",
    "port=5432",
    "unix_socket_permissions=0700",
    "cluster_name=aisle",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    "logging_collector=off",
    "log_destination=stderr",
    "log_line_prefix=%m [%p] ",
    // The database is on an SSD or in the page cache.
    "random_page_cost=1.1",
    // Statements are short; compiling them costs more than it saves.
    "jit=off",
    // Sorting by bytes everywhere, also for messages the program reads.
    "lc_messages=C",
    "max_prepared_transactions=0",
];

/// A server whose data matters.
const DURABLE: [&str; 6] = [
    "max_connections=100",
    "shared_buffers=256MB",
    "effective_cache_size=1GB",
    "maintenance_work_mem=128MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
];

/// A server whose data is thrown away: nothing waits for the disk.
const SCRATCH: [&str; 8] = [
    "max_connections=300",
    "shared_buffers=128MB",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "checkpoint_timeout=1h",
];

/// Time between two starts while processes of a killed Postgres are still there.
const ORPHANS_POLL: Duration = Duration::from_millis(200);

/// A running private Postgres; dropping it stops it.
#[derive(Debug)]
pub(super) struct PostgresServer {
    server: Guarded,
    url: String,
}

impl PostgresServer {
    /// Starts the server of a data folder, making its cluster first if there is none.
    pub(super) fn start(folder: &DataFolder, sockets: &Path, durable: bool) -> Result<Self, EmbeddedError> {
        let cluster = folder.database();
        let account = folder.account();
        let programs = find_postgres(cluster_version(&cluster)?, &cluster)?;
        if cluster.exists() {
            end_leftover(&cluster)?;
        } else {
            make_cluster(&programs, account, &cluster, durable)?;
        }
        let profile: &[&str] = if durable { &DURABLE } else { &SCRATCH };
        let mut arguments = vec!["-D".to_owned(), cluster.display().to_string()];
        arguments.extend(["-c".to_owned(), format!("unix_socket_directories={}", sockets.display())]);
        for setting in ALWAYS.iter().chain(profile) {
            arguments.extend(["-c".to_owned(), (*setting).to_owned()]);
        }
        let launch = || {
            Guarded::launch(Launch {
                name: "postgres",
                program: &programs.postgres,
                arguments: arguments.clone(),
                account,
                folder: &cluster,
                log: folder.home().join("postgres.log"),
                stop: Signal::INT,
                abort: Signal::QUIT,
                remove: (!durable).then(|| folder.home()),
            })
        };
        let server = launch_after_orphans(&launch, &cluster)?;
        Ok(Self { server, url: url(sockets) })
    }

    /// Address as libpq takes it.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Disconnects every client and shuts down; returns when the server has ended.
    pub(super) fn stop(&mut self) {
        self.server.stop();
    }
}

/// `postgres:///aisle?host=%2Fdir&port=5432&user=aisle`: everything said, so no `PG*` variable can change it.
///
/// Paths of socket folders have no other character that an address must encode.
fn url(sockets: &Path) -> String {
    let host = sockets.display().to_string().replace('/', "%2F");
    format!("postgres:///{NAME}?host={host}&port={PORT}&user={NAME}")
}

/// Major version that made the cluster, if there is a cluster.
fn cluster_version(cluster: &Path) -> Result<Option<u32>, EmbeddedError> {
    if !cluster.exists() {
        return Ok(None);
    }
    let path = cluster.join("PG_VERSION");
    let text = fs::read_to_string(&path).map_err(EmbeddedError::io(format!("read {}", path.display())))?;
    Ok(text.trim().parse().ok())
}

/// Makes the cluster beside its place and moves it there when it is whole, so a killed start leaves nothing half.
fn make_cluster(
    programs: &PostgresPrograms,
    account: &Account,
    cluster: &Path,
    durable: bool,
) -> Result<(), EmbeddedError> {
    log::info!("making a database cluster in {} (PostgreSQL {})", cluster.display(), programs.major);
    if account.is_switched() {
        log::info!("running as root, which Postgres refuses: it runs as user {}", account.name);
    }
    let new = cluster.with_extension("new");
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(EmbeddedError::Io { doing: format!("remove {}", new.display()), source: error });
        }
        _ => {}
    }
    fs::create_dir(&new).map_err(EmbeddedError::io(format!("make {}", new.display())))?;
    account.own(&new)?;
    initialise(programs, account, &new, durable)?;
    create_database(programs, account, &new, durable)?;
    fs::rename(&new, cluster).map_err(EmbeddedError::io(format!("make {}", cluster.display())))
}

fn initialise(
    programs: &PostgresPrograms,
    account: &Account,
    new: &Path,
    durable: bool,
) -> Result<(), EmbeddedError> {
    let mut said = String::new();
    for character_type in CHARACTER_TYPES {
        let mut initdb = account.command(&programs.initdb);
        // Without LC_ALL, which would win over --lc-ctype in what initdb checks.
        initdb.env_remove("LC_ALL").arg("-D").arg(new).args(["--username", NAME, "--auth=trust"]);
        initdb.args(["--encoding=UTF8", "--locale=C", "--no-instructions", "--lc-ctype", character_type]);
        if !durable {
            initdb.arg("--no-sync");
        }
        let output = run(&mut initdb, "initdb")?;
        if output.status.success() {
            return Ok(());
        }
        said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !said.contains("locale") {
            break;
        }
    }
    Err(EmbeddedError::Failed { program: "initdb", problem: "failed".to_owned(), said })
}

/// Creates the database in single-user mode: no server, no connection, no moment in which it is missing.
fn create_database(
    programs: &PostgresPrograms,
    account: &Account,
    new: &Path,
    durable: bool,
) -> Result<(), EmbeddedError> {
    let mut single = account.command(&programs.postgres);
    single.arg("--single").arg("-D").arg(new).args(["-c", "exit_on_error=on"]);
    if !durable {
        single.args(["-c", "fsync=off"]);
    }
    single.arg("postgres").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = single.spawn().map_err(EmbeddedError::io("start postgres"))?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "CREATE DATABASE {NAME}").map_err(EmbeddedError::io("talk to postgres"))?;
    }
    let output = child.wait_with_output().map_err(EmbeddedError::io("wait for postgres"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(EmbeddedError::Failed {
        program: "postgres",
        problem: "could not make the database".to_owned(),
        said,
    })
}

fn run(command: &mut Command, name: &str) -> Result<Output, EmbeddedError> {
    command.output().map_err(EmbeddedError::io(format!("run {name}")))
}

/// What the postmaster writes into its folder: its process, and in line 8 whether it takes connections.
fn postmaster(cluster: &Path) -> Option<(Pid, bool)> {
    let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let mut lines = text.lines();
    let pid = Pid::from_raw(lines.next()?.trim().parse().ok()?)?;
    Some((pid, lines.nth(6).is_some_and(|status| status.trim() == "ready")))
}

/// Launches a server and waits until it is ready. When a postmaster is killed, its processes live on until they notice, and
/// Postgres refuses to start beside them: that is waited for.
fn launch_after_orphans(
    launch: &impl Fn() -> Result<Guarded, EmbeddedError>,
    cluster: &Path,
) -> Result<Guarded, EmbeddedError> {
    let deadline = Instant::now() + PRIVATE_SERVER_STOP_TIMEOUT;
    loop {
        let server = launch()?;
        match wait_until_ready(&server, cluster) {
            Ok(()) => return Ok(server),
            Err(EmbeddedError::Failed { said, .. })
                if said.contains("pre-existing shared memory block") && Instant::now() < deadline =>
            {
                log::info!("waiting for the end of what a killed Postgres left");
                std::thread::park_timeout(ORPHANS_POLL);
            }
            Err(error) => return Err(error),
        }
    }
}

fn wait_until_ready(server: &Guarded, cluster: &Path) -> Result<(), EmbeddedError> {
    let deadline = Instant::now() + PRIVATE_POSTGRES_START_TIMEOUT;
    let mut told = Instant::now() + POLL * 250;
    while Instant::now() < deadline {
        server.check()?;
        if postmaster(cluster).is_some_and(|(pid, ready)| ready && pid == server.pid()) {
            return Ok(());
        }
        if Instant::now() > told {
            log::info!("waiting for Postgres to recover what an unclean stop left");
            told = deadline;
        }
        std::thread::park_timeout(POLL);
    }
    Err(server.not_ready())
}

/// Ends a server that a killed owner left in this folder; its guardian is normally already at it.
fn end_leftover(cluster: &Path) -> Result<(), EmbeddedError> {
    let Some((pid, _)) = postmaster(cluster) else { return Ok(()) };
    if !is_server_of(pid, cluster) {
        return Ok(());
    }
    log::info!("stopping the Postgres (process {pid}) that a killed server left");
    for signal in [Signal::INT, Signal::QUIT, Signal::KILL] {
        if let Err(error) = kill_process(pid, signal) {
            log::debug!("process {pid} could not be signalled: {error}");
        }
        if wait_for(PRIVATE_SERVER_STOP_TIMEOUT, || !is_server_of(pid, cluster)) {
            return Ok(());
        }
    }
    let problem = format!("left by a killed server (process {pid}) could not be ended");
    Err(EmbeddedError::Failed { program: "postgres", problem, said: String::new() })
}

/// Whether that process lives and is the postmaster of this cluster, not a stranger that got its number.
fn is_server_of(pid: Pid, cluster: &Path) -> bool {
    if test_kill_process(pid).is_err() {
        return false;
    }
    let command_line = if Path::new("/proc/self/cmdline").exists() {
        fs::read(PathBuf::from(format!("/proc/{pid}/cmdline"))).unwrap_or_default()
    } else {
        let mut ps = Command::new("ps");
        ps.args(["-ww", "-o", "command=", "-p", &pid.to_string()]);
        ps.output().map(|output| output.stdout).unwrap_or_default()
    };
    let wanted = cluster.as_os_str().as_encoded_bytes();
    command_line.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_everything() {
        assert_eq!(url(Path::new("/r-1/run")), "postgres:///aisle?host=%2Fr-1%2Frun&port=5432&user=aisle");
    }

    #[test]
    fn a_stranger_with_the_same_number_is_no_server() {
        let this = rustix::process::getpid();
        assert!(!is_server_of(this, Path::new("/nowhere/postgres")));
    }
}
