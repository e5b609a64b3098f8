//! Instances, their databases, and the network between them, all of it breakable.
//!
//! ```text
//! clients → aisle serve (three, a fourth at times) ─ relay → Postgres
//!                                                  └ relay → Redis
//! ```

use std::{
    fs,
    path::PathBuf,
    process::ExitStatus,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use aisle::embedded::{Options, Services};
use diesel::{Connection, PgConnection};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use crate::{
    dice::Dice,
    history::{Log, Stage},
    server::Server,
    soak::SPARED,
    support::{
        chaos::Relay,
        database::{TestDatabase, database},
        process::open_folder,
        redis::{OwnRedis, own_redis},
    },
};

/// The token of the writers.
pub(crate) const TOKEN: &str = "histories-token-0123456789";

/// A start is tried again for so long: its database may be back only in a moment.
const START: Duration = Duration::from_mins(1);

/// A server that is told to crash is gone at once.
const CRASH: Duration = Duration::from_secs(10);

/// What a run stands on.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stage: Arc<Stage>,
    /// The network before each instance.
    pub(crate) links: Vec<Links>,
    pub(crate) redis: Option<OwnRedis>,
    pub(crate) postgres: Postgres,
    /// Instances that a fault holds at present.
    pub(crate) busy: Vec<usize>,
    /// An instance that no fault may end.
    spared: Option<usize>,
    /// Whether faults come two at a time.
    pub(crate) mixed: bool,
    /// Edits made in the database.
    pub(crate) log: Log,
    /// What went wrong with the instances themselves.
    pub(crate) troubles: Vec<String>,
    /// What is worth a line in the report.
    pub(crate) notes: Vec<String>,
    servers: Vec<Option<Server>>,
    environment: Vec<(String, String)>,
    folder: TempDir,
}

/// The relays of one instance.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) postgres: Relay,
    pub(crate) redis: Option<Relay>,
    urls: Vec<(String, String)>,
}

/// How the instances of a run are told to behave.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each says what a run has")]
pub(crate) struct Manner {
    /// Instances that are there all the time.
    pub(crate) instances: usize,
    pub(crate) redis: bool,
    /// A Postgres of the run's own, to be broken.
    pub(crate) own_postgres: bool,
    /// Faults come two at a time.
    pub(crate) mixed: bool,
    pub(crate) consistency: &'static str,
    pub(crate) lease: u64,
    /// One instance is never ended, and looked at.
    pub(crate) soak: bool,
    /// How the program is broken, if it is.
    pub(crate) mutant: Option<&'static str>,
}

impl World {
    /// Starts servers, relays and instances.
    pub(crate) fn start(manner: &Manner) -> Result<Self, String> {
        let postgres = if manner.own_postgres { Postgres::own()? } else { Postgres::Shared(database()) };
        let redis = manner.redis.then(own_redis);
        let links = (0..=manner.instances).map(|_| Links::new(postgres.url(), redis.as_ref())).collect();
        let pairs = [
            ("AISLE_LISTEN", "127.0.0.1:0".to_owned()),
            ("AISLE_ADMIN_TOKEN", TOKEN.to_owned()),
            ("AISLE_WORKERS", "2".to_owned()),
            ("AISLE_STORE_ACTORS", "4".to_owned()),
            ("AISLE_SHUTDOWN_TIMEOUT", "5".to_owned()),
            // Full after a short while, so that what grows later is something else.
            ("AISLE_CACHE_MB", "8".to_owned()),
            ("AISLE_LEASE_MS", manner.lease.to_string()),
            ("AISLE_LOG_RETENTION_HOURS", "1".to_owned()),
            ("AISLE_CONSISTENCY", manner.consistency.to_owned()),
            ("AISLE_MUTANT", manner.mutant.unwrap_or_default().to_owned()),
        ];
        let folder = tempfile::Builder::new().prefix("aisle-histories-").tempdir();
        let mut world = Self {
            stage: Arc::new(Stage::new(manner.instances)),
            links,
            redis,
            postgres,
            busy: Vec::new(),
            spared: manner.soak.then_some(SPARED),
            mixed: manner.mixed,
            log: Log::default(),
            troubles: Vec::new(),
            notes: Vec::new(),
            servers: (0..=manner.instances).map(|_| None).collect(),
            environment: pairs.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            folder: folder.map_err(|error| format!("a temporary folder: {error}"))?,
        };
        for instance in 0..manner.instances {
            world.serve(instance)?;
        }
        Ok(world)
    }

    /// Starts an instance, trying again while it ends at once.
    pub(crate) fn serve(&mut self, instance: usize) -> Result<(), String> {
        let mut environment = self.environment.clone();
        environment.extend(self.links[instance].urls.iter().cloned());
        let complaints = self.complaints(instance);
        let deadline = Instant::now() + START;
        let server = loop {
            match Server::start(&environment, &complaints) {
                Ok(server) => break server,
                Err(error) if Instant::now() > deadline => return Err(error),
                Err(_) => pause(Duration::from_millis(50)),
            }
        };
        let endpoint = &self.stage.endpoints[instance];
        endpoint.incarnation.fetch_add(1, Ordering::AcqRel);
        endpoint.port.store(server.port, Ordering::Release);
        self.servers[instance] = Some(server);
        Ok(())
    }

    /// Takes an instance away; clients that do not know yet are refused.
    pub(crate) fn take(&mut self, instance: usize) -> Option<Server> {
        self.note_end(instance);
        self.servers[instance].take()
    }

    /// Sends an instance a signal.
    pub(crate) fn signal(&mut self, instance: usize, signal: Signal) {
        if let Some(server) = &mut self.servers[instance] {
            server.signal(signal);
        }
    }

    /// Process of an instance.
    pub(crate) fn pid(&self, instance: usize) -> Option<i32> {
        self.servers[instance].as_ref().map(|server| server.pid().as_raw_nonzero().get())
    }

    /// Nobody asks the fourth instance any more.
    pub(crate) fn withdraw(&self, instance: usize) {
        self.stage.endpoints[instance].port.store(0, Ordering::Release);
    }

    /// An instance that no other fault holds; held until [`World::release`].
    pub(crate) fn hold(&mut self, dice: &mut Dice) -> usize {
        self.hold_of(0..self.stage.instances(), dice)
    }

    /// The same of those that a fault may end.
    pub(crate) fn hold_to_end(&mut self, dice: &mut Dice) -> usize {
        let spared = self.spared;
        self.hold_of((0..self.stage.instances()).filter(|instance| Some(*instance) != spared), dice)
    }

    fn hold_of(&mut self, these: impl Iterator<Item = usize>, dice: &mut Dice) -> usize {
        let free: Vec<usize> = these.filter(|instance| !self.busy.contains(instance)).collect();
        let held = free[dice.roll(free.len())];
        self.busy.push(held);
        held
    }

    pub(crate) fn release(&mut self, instance: usize) {
        self.busy.retain(|held| *held != instance);
    }

    /// Notes instances that ended by themselves, and starts them again.
    pub(crate) fn look_after(&mut self) -> Result<(), String> {
        for instance in 0..self.stage.instances() {
            if self.note_end(instance) {
                self.servers[instance] = None;
                self.serve(instance)?;
            }
        }
        Ok(())
    }

    fn note_end(&mut self, instance: usize) -> bool {
        let ended: Option<ExitStatus> = self.servers[instance].as_mut().and_then(Server::ended);
        if let Some(status) = ended {
            self.troubles.push(format!("instance {instance} ended without being asked ({status})"));
        }
        ended.is_some()
    }

    /// Where an instance complains, or a command.
    pub(crate) fn complaints(&self, instance: usize) -> PathBuf {
        self.folder.path().join(format!("instance-{instance}.log"))
    }

    /// The last lines of every instance's complaints, and its first errors.
    pub(crate) fn last_complaints(&self) -> Vec<String> {
        let mut shown = Vec::new();
        for instance in 0..=self.stage.instances() {
            let text = fs::read(self.complaints(instance)).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
            // The pool's errors are the faults themselves.
            let is_error = |line: &str| {
                line.contains("code=internal") || (line.contains("ERROR") && !line.contains("r2d2"))
            };
            let errors = lines.iter().filter(|line| is_error(line)).take(8);
            let last = lines.iter().skip(lines.len().saturating_sub(4));
            shown.extend(errors.chain(last).map(|line| format!("instance {instance}: {line}")));
        }
        shown
    }

    /// A connection of the test's own, by no relay.
    pub(crate) fn connect(&self) -> Result<PgConnection, String> {
        PgConnection::establish(self.postgres.url()).map_err(|error| error.to_string())
    }
}

impl Links {
    fn new(postgres_url: &str, redis: Option<&OwnRedis>) -> Self {
        let (postgres, url) = Relay::to_postgres(postgres_url);
        let mut urls = vec![("DATABASE_URL".to_owned(), url)];
        let redis = redis.map(|redis| {
            let (relay, url) = Relay::to_redis(&redis.url);
            urls.push(("REDIS_URL".to_owned(), url));
            relay
        });
        Self { postgres, redis, urls }
    }
}

/// The database: one among others, or a server of the run's own.
#[derive(Debug)]
pub(crate) enum Postgres {
    Shared(TestDatabase),
    Own { folder: TempDir, services: Option<Box<Services>>, url: String },
}

impl Postgres {
    fn own() -> Result<Self, String> {
        let folder = open_folder().ok_or("no Postgres is installed that could be broken")?;
        let services = start(&folder)?;
        let url = services.database_url().to_owned();
        aisle::store::pool::migrate(&url).map_err(|error| format!("migrate: {error}"))?;
        Ok(Self::Own { folder, services: Some(Box::new(services)), url })
    }

    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Shared(database) => &database.url,
            Self::Own { url, .. } => url,
        }
    }

    /// Ends it, in order or as a crash does; to be started again.
    pub(crate) fn end(&mut self, crash: bool) -> Result<(), String> {
        let Self::Own { folder, services, .. } = self else {
            return Err("the shared Postgres must not be broken".to_owned());
        };
        if crash {
            let postmaster = postmaster(folder)?;
            kill_process(postmaster, Signal::QUIT).map_err(|error| format!("postmaster: {error}"))?;
            let deadline = Instant::now() + CRASH;
            while test_kill_process(postmaster).is_ok() && Instant::now() < deadline {
                pause(Duration::from_millis(2));
            }
        }
        *services = None;
        Ok(())
    }

    /// Starts it again at the same address, with what was committed.
    pub(crate) fn start_again(&mut self) -> Result<(), String> {
        let Self::Own { folder, services, url } = self else { return Ok(()) };
        if services.is_none() {
            let started = start(folder)?;
            if started.database_url() != url {
                return Err("Postgres came back at another address".to_owned());
            }
            *services = Some(Box::new(started));
        }
        Ok(())
    }
}

fn start(folder: &TempDir) -> Result<Services, String> {
    let options = Options { data_dir: folder.path().join("data"), durable: true, redis: false };
    Services::start(&options).map_err(|error| format!("private servers: {error}"))
}

/// Process of a running Postgres, whose data may live elsewhere when its user cannot reach the folder.
fn postmaster(folder: &TempDir) -> Result<Pid, String> {
    let data = folder.path().join("data");
    let home = fs::read_to_string(data.join("location")).map_or(data, |place| PathBuf::from(place.trim()));
    let file = home.join("postgres/postmaster.pid");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let pid = text.lines().next().and_then(|line| Pid::from_raw(line.trim().parse().ok()?));
    pid.ok_or_else(|| format!("{} names no process", file.display()))
}

/// Lets time pass that is part of a scenario; what must hold is waited for elsewhere.
pub(crate) fn pause(time: Duration) {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        std::thread::park_timeout(left);
    }
}
