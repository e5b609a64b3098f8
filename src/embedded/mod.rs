//! The private Postgres and Redis of `serve` without settings, and of the tests.
//!
//! Started from the installed programs, reachable by Unix socket only, stopped with the process that started them,
//! also when that is killed (see [`guardian`]). One process at a time serves from a data folder; other commands find
//! its servers by [`running`]. Knows nothing of the catalogue: no schema, no SQL beyond making an empty database.

mod account;
mod binaries;
mod error;
mod folder;
mod guardian;
mod postgres_server;
mod redis_server;
mod waiting;

use std::path::{Path, PathBuf};

pub use self::{error::EmbeddedError, folder::Addresses, redis_server::RedisServer};
use self::{folder::DataFolder, postgres_server::PostgresServer};

/// What to start, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the data; made if missing.
    pub data_dir: PathBuf,
    /// False: scratch servers for a test, whose data a crash may lose and which remove the folder at their end.
    pub durable: bool,
    /// Whether to start a Redis beside the Postgres.
    pub redis: bool,
}

/// Running private servers; dropping them stops them.
#[derive(Debug)]
pub struct Services {
    redis: Option<RedisServer>,
    postgres: PostgresServer,
    addresses: Addresses,
    folder: DataFolder,
}

impl Services {
    /// Locks the folder, ends what a killed process left in it, starts the servers and waits until they answer.
    pub fn start(options: &Options) -> Result<Self, EmbeddedError> {
        let folder = DataFolder::open(&options.data_dir, !options.durable)?;
        let sockets = folder.sockets()?;
        let postgres = PostgresServer::start(&folder, &sockets, options.durable)?;
        let redis = if options.redis {
            RedisServer::start_as(folder.account(), folder.home(), &sockets)?
        } else {
            None
        };
        if options.redis && redis.is_none() {
            log::info!("redis-server is not installed: no shared cache, everything else works");
        }
        let addresses = Addresses {
            database_url: postgres.url().to_owned(),
            redis_url: redis.as_ref().map(|redis| redis.url().to_owned()),
        };
        folder.announce(&addresses)?;
        Ok(Self { redis, postgres, addresses, folder })
    }

    /// Where the servers are.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Postgres, as libpq takes it.
    pub fn database_url(&self) -> &str {
        &self.addresses.database_url
    }

    /// Redis, as the `redis` crate takes it; `None` when not wanted or not installed.
    pub fn redis_url(&self) -> Option<&str> {
        self.addresses.redis_url.as_deref()
    }

    /// Disconnects every client and stops the servers; returns when they have ended.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.folder.withdraw();
        if let Some(redis) = &mut self.redis {
            redis.stop();
        }
        self.postgres.stop();
    }
}

/// Whether a Postgres is installed from which private servers could be started; the error says what to install.
pub fn installed() -> Result<(), EmbeddedError> {
    binaries::find_postgres(None, Path::new("")).map(drop)
}

/// The servers that another process runs from this data folder, if one does and they are up.
pub fn running(data_dir: &Path) -> Option<Addresses> {
    folder::addresses_of_running(data_dir)
}
