//! Where a command finds Postgres and Redis: the settings, a server that runs already, or private ones it starts.

use super::error::CliError;
use crate::{
    application::Backends,
    embedded::{self, EmbeddedError, Options, Services},
    settings::ServiceSettings,
    store::pool,
};

/// Postgres and perhaps Redis.
#[derive(Debug)]
pub(super) struct Opened {
    /// Where they are.
    pub(super) backends: Backends,
    /// The private servers, if this command started them: they stop with this value.
    pub(super) private: Option<Services>,
}

/// For a server: takes the data folder for itself, or fails because another process has it.
pub(super) fn own(settings: &ServiceSettings) -> Result<Opened, CliError> {
    match &settings.database_url {
        Some(database_url) => {
            let opened = external(settings, database_url);
            pool::migrate(database_url)?;
            Ok(opened)
        }
        None => private(settings, settings.redis_url.is_none()),
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
            let redis_url = settings.redis_url.clone().or(running.redis_url);
            Ok(Opened { backends: Backends { database_url: running.database_url, redis_url }, private: None })
        }
        other => other,
    }
}

fn external(settings: &ServiceSettings, database_url: &str) -> Opened {
    let backends = Backends { database_url: database_url.to_owned(), redis_url: settings.redis_url.clone() };
    Opened { backends, private: None }
}

fn private(settings: &ServiceSettings, redis: bool) -> Result<Opened, CliError> {
    let options = Options { data_dir: settings.data_dir.clone(), durable: true, redis };
    let services = Services::start(&options)?;
    let redis_url = settings.redis_url.clone().or_else(|| services.redis_url().map(str::to_owned));
    let backends = Backends { database_url: services.database_url().to_owned(), redis_url };
    pool::migrate(&backends.database_url)?;
    Ok(Opened { backends, private: Some(services) })
}
