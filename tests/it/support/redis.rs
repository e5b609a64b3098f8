//! Redis for tests: the shared one, or one of their own to break.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use aisle::embedded::RedisServer;
use redis::{Client, Connection};
use rustix::process::{Signal, kill_process};

use super::{chaos::Relay, services::services};

/// Databases of a Redis as it comes, without the first, which the tests share.
const DATABASES: u32 = 15;

/// The Redis all tests share: never flush it, keep to keys of your own.
pub(crate) fn shared_redis() -> &'static str {
    services().redis_url.as_deref().expect("redis-server installed, or REDIS_URL")
}

/// A Redis of this test alone.
#[derive(Debug)]
pub(crate) struct OwnRedis {
    /// Its address, the same after every restart.
    pub(crate) url: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// A server of its own.
    Private { folder: PathBuf, server: Option<RedisServer>, paused: bool },
    /// Where none is installed: a database of the given server, behind a relay that breaks as a server does.
    Relayed { relay: Relay, direct: String },
}

/// A Redis that the test may stop, start, pause, resume and flush.
pub(crate) fn own_redis() -> OwnRedis {
    let folder =
        tempfile::Builder::new().prefix("aisle-redis-").tempdir().expect("a temporary folder").keep();
    let Some(server) = start_in(&folder) else {
        std::fs::remove_dir_all(folder).expect("an empty folder");
        return relayed();
    };
    let url = server.url().to_owned();
    OwnRedis { url, kind: Kind::Private { folder, server: Some(server), paused: false } }
}

fn start_in(folder: &Path) -> Option<RedisServer> {
    RedisServer::start(folder).unwrap_or_else(|error| panic!("private redis: {error}"))
}

fn relayed() -> OwnRedis {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = 1 + NEXT.fetch_add(1, Ordering::Relaxed) % DATABASES;
    let mut direct = url::Url::parse(shared_redis()).expect("a Redis URL");
    direct.set_path(&number.to_string());
    let (relay, url) = Relay::to_redis(direct.as_str());
    let mut redis = OwnRedis { url, kind: Kind::Relayed { relay, direct: direct.to_string() } };
    redis.start();
    redis
}

impl OwnRedis {
    /// Stops it; connections break and new ones fail.
    pub(crate) fn stop(&mut self) {
        self.resume();
        match &mut self.kind {
            Kind::Private { server, .. } => *server = None,
            Kind::Relayed { relay, .. } => relay.cut(),
        }
    }

    /// Starts it again, empty, at the same address.
    pub(crate) fn start(&mut self) {
        match &mut self.kind {
            Kind::Private { folder, server, .. } if server.is_none() => *server = start_in(folder),
            Kind::Private { .. } => {}
            Kind::Relayed { relay, direct } => {
                redis::cmd("FLUSHDB").exec(&mut connect(direct)).expect("flush");
                relay.heal();
            }
        }
    }

    /// Lets it hang: connections are taken, nothing is answered.
    pub(crate) fn pause(&mut self) {
        match &mut self.kind {
            Kind::Private { server, paused, .. } => {
                signal(server.as_ref(), Signal::STOP);
                *paused = true;
            }
            Kind::Relayed { relay, .. } => relay.freeze(),
        }
    }

    /// Ends the pause.
    pub(crate) fn resume(&mut self) {
        match &mut self.kind {
            Kind::Private { server, paused, .. } if *paused => {
                signal(server.as_ref(), Signal::CONT);
                *paused = false;
            }
            Kind::Private { .. } => {}
            Kind::Relayed { relay, .. } => relay.heal(),
        }
    }

    /// Empties it.
    pub(crate) fn flush(&self) {
        redis::cmd("FLUSHDB").exec(&mut self.connect()).expect("flush");
    }

    /// Lets it be full: reads go on, writes are refused. False where it is not this test's to fill.
    pub(crate) fn take_no_more(&self) -> bool {
        let full = matches!(self.kind, Kind::Private { .. });
        if full {
            let mut settings = redis::cmd("CONFIG");
            settings.arg("SET").arg(&["maxmemory-policy", "noeviction", "maxmemory", "1"]);
            settings.exec(&mut self.connect()).expect("settings");
        }
        full
    }

    /// A connection of the test's own.
    pub(crate) fn connect(&self) -> Connection {
        connect(&self.url)
    }
}

fn signal(server: Option<&RedisServer>, signal: Signal) {
    kill_process(server.expect("a running redis").pid(), signal).expect("signal redis");
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.stop();
        if let Kind::Private { folder, .. } = &self.kind
            && let Err(error) = std::fs::remove_dir_all(folder)
        {
            eprintln!("{} stays: {error}", folder.display());
        }
    }
}

/// Connects, or fails the test saying where.
pub(crate) fn connect(url: &str) -> Connection {
    let client = Client::open(url).unwrap_or_else(|error| panic!("{url}: {error}"));
    client.get_connection().unwrap_or_else(|error| panic!("connect to {url}: {error}"))
}
