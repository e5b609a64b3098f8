//! Where a command finds Postgres and Redis: the settings, a server that runs already, or private ones it starts.

use std::time::{Duration, Instant};

use super::error::CliError;
use crate::{
    application::Backends,
    embedded::{self, EmbeddedError, Options, Services},
    settings::ServiceSettings,
    store::{error::StoreError, pool},
    supervision::Backoff,
};

/// Postgres and perhaps Redis.
#[derive(Debug)]
pub(super) struct Opened {
    /// Where they are.
    pub(super) backends: Backends,
    /// The private servers, if this command started them: they stop with this value.
    pub(super) private: Option<Services>,
}

/// For a server: takes the data folder for itself, or fails because another process has it. A Postgres of the settings is
/// waited for.
pub(super) fn own(settings: &ServiceSettings, patience: Duration) -> Result<Opened, CliError> {
    match &settings.database_url {
        Some(database_url) => {
            let opened = external(settings, database_url);
            migrate_when_there(database_url, patience)?;
            Ok(opened)
        }
        None => private(settings, redis_url(settings).is_none()),
    }
}

/// For every other command: uses the servers of the data folder, started by us or by a running server.
///
/// Leaves the schema of a database of the settings as it is: changing that is for `serve` and `migrate`.
pub(super) fn join(settings: &ServiceSettings) -> Result<Opened, CliError> {
    if let Some(database_url) = &settings.database_url {
        return Ok(external(settings, database_url));
    }
    match private(settings, false) {
        Err(CliError::Embedded(in_use @ EmbeddedError::InUse { .. })) => {
            let running = embedded::running(&settings.data_dir).ok_or(in_use)?;
            let redis_url = redis_url(settings).or(running.redis_url);
            Ok(Opened { backends: Backends { database_url: running.database_url, redis_url }, private: None })
        }
        other => other,
    }
}

/// Brings the schema up to date as soon as Postgres is there: after a power failure everything starts at once, in any order.
fn migrate_when_there(database_url: &str, patience: Duration) -> Result<(), CliError> {
    let deadline = Instant::now() + patience;
    let (mut backoff, mut waits) = (Backoff::default(), false);
    loop {
        match pool::migrate(database_url) {
            Err(StoreError::Unavailable(why)) if may_pass(&why) && Instant::now() < deadline => {
                if !std::mem::replace(&mut waits, true) {
                    log::warn!("waiting up to {} s for postgres reason={}", patience.as_secs(), why.trim());
                }
                std::thread::park_timeout(backoff.failed());
            }
            outcome => return Ok(outcome.map(drop)?),
        }
    }
}

/// Whether waiting may mend it: a wrong name or password stays one.
fn may_pass(why: &str) -> bool {
    !["authentication failed", "does not exist", "no pg_hba.conf entry", "invalid "]
        .iter()
        .any(|lasting| why.contains(lasting))
}

/// The Redis of the settings; an empty variable, as `${REDIS_URL:-}` leaves it, names none.
fn redis_url(settings: &ServiceSettings) -> Option<String> {
    settings.redis_url.clone().filter(|url| !url.is_empty())
}

fn external(settings: &ServiceSettings, database_url: &str) -> Opened {
    let backends = Backends { database_url: database_url.to_owned(), redis_url: redis_url(settings) };
    Opened { backends, private: None }
}

fn private(settings: &ServiceSettings, redis: bool) -> Result<Opened, CliError> {
    let options = Options { data_dir: settings.data_dir.clone(), durable: true, redis };
    let services = Services::start(&options)?;
    let redis_url = redis_url(settings).or_else(|| services.redis_url().map(str::to_owned));
    let backends = Backends { database_url: services.database_url().to_owned(), redis_url };
    pool::migrate(&backends.database_url)?;
    Ok(Opened { backends, private: Some(services) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_redis_address_names_none() {
        let settings = |redis: Option<&str>| ServiceSettings {
            database_url: None,
            redis_url: redis.map(str::to_owned),
            data_dir: "data".into(),
        };
        assert_eq!(redis_url(&settings(Some(""))), None);
        assert_eq!(redis_url(&settings(Some("redis://r"))).as_deref(), Some("redis://r"));
    }
}
