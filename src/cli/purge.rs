//! `aisle purge`: tells caches in front of the store what has changed.
//!
//! It reads the log as instances do and is none of them: no edit waits for it. So what caches answer may be older than an
//! edit that was acknowledged, by the time that a purge takes.

mod again;
mod cache;
mod changes;
mod follower;

use std::{io, sync::Arc, thread};

use actix_rt::System;
use clap::Args;
use tokio::sync::Notify;

use self::{cache::Mailbox, follower::Log};
use super::{error::CliError, output, plain_http, services, signals::Signals};
use crate::{limits::DOORBELL_POLL, settings::ServiceSettings};

/// What the help says below the options.
const AFTER_HELP: &str = "\
The caches must take what `deploy/varnish/default.vcl` takes: PURGE with the keys to forget in `xkey-purge`, and once a second \
one that says that nothing is missing. Everything is purged at the start, when a cache is back after it could not be reached, \
and when the log does not lead on from where it was read last. Several may run at once.

Runs until Ctrl-C or SIGTERM and ends with 0 then; 5 when Postgres cannot be reached at the start. Later losses of Postgres or \
of a cache are waited out. Others as in `aisle --help`.";

/// Purge HTTP caches in front of the store by the log of changes
///
/// For instances with a maximum age, `AISLE_MAX_AGE`: their answers name what they depend on, and whatever is changed, by the
/// API, an import or SQL, is purged some milliseconds after its commit.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Purge {
    /// Address of a cache, http only; may be repeated, or separated by commas
    #[arg(long = "cache", value_name = "URL", env = "AISLE_CACHES", required = true, value_delimiter = ',', value_parser = plain_http::parse_url)]
    caches: Vec<String>,

    #[command(flatten)]
    services: ServiceSettings,
}

impl Purge {
    pub(super) fn run(self) -> Result<(), CliError> {
        let opened = services::join(&self.services)?;
        let log = Log::open(&opened.backends.database_url)?;
        let ended = Arc::new(Notify::new());
        let started = self.caches.iter().map(|url| cache::start(url, Alive(Arc::clone(&ended))));
        let caches = started.collect::<io::Result<Vec<_>>>().map_err(CliError::io("start a thread"))?;
        follow(log, caches, Alive(Arc::clone(&ended))).map_err(CliError::io("start a thread"))?;
        output::line(format_args!("purging {}", self.caches.join(", ")))?;
        System::new().block_on(async {
            let mut signals = Signals::catch().map_err(CliError::io("catch signals"))?;
            tokio::select! {
                _ = signals.next() => Ok(()),
                () = ended.notified() => Err(CliError::Failed("a thread has ended".to_owned())),
            }
        })?;
        log::info!("stopped");
        Ok(())
    }
}

/// Held by a thread for as long as it runs: they end by a panic only, and the command with them.
#[derive(Debug)]
struct Alive(Arc<Notify>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Starts the thread that reads the log and hands on what it says.
fn follow(mut log: Log, caches: Vec<Arc<Mailbox>>, alive: Alive) -> io::Result<()> {
    let run = move || {
        let _alive = alive;
        loop {
            if let Some(news) = log.look() {
                for cache in &caches {
                    cache.put(news.clone());
                }
            }
            thread::park_timeout(DOORBELL_POLL);
        }
    };
    thread::Builder::new().name("follower".to_owned()).spawn(run).map(drop)
}
