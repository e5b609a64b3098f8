//! The servers of a test run: those of the environment, or scratch ones that end with this process.
//!
//! A static is never dropped: it is the guardian of the scratch servers (see `aisle::embedded`) that notices the end
//! of this process, however it ends, stops them and removes their folder.

use std::{path::PathBuf, sync::LazyLock};

use aisle::embedded::{Options, Services};

/// Addresses of the servers every test shares.
#[derive(Debug)]
pub(crate) struct Shared {
    /// A database whose user may create databases.
    pub(crate) database_url: String,
    /// Redis, shared by all tests: keys must not collide.
    pub(crate) redis_url: Option<String>,
    _services: Option<Services>,
}

/// The servers, started at the first call.
pub(crate) fn services() -> &'static Shared {
    static SHARED: LazyLock<Shared> = LazyLock::new(start);
    &SHARED
}

fn start() -> Shared {
    // A thousand clients and their server live in this one process.
    aisle::cli::open_files::raise_limit();
    let variable = |name: &str| std::env::var_os(name).map(|value| value.into_string().expect("a URL"));
    let (database_url, redis_url) = (variable("DATABASE_URL"), variable("REDIS_URL"));
    if let Some(database_url) = database_url {
        return Shared { database_url, redis_url, _services: None };
    }
    let options = Options { data_dir: scratch_folder(), durable: false, redis: redis_url.is_none() };
    let services = Services::start(&options).unwrap_or_else(|error| panic!("private servers: {error}"));
    Shared {
        database_url: services.database_url().to_owned(),
        redis_url: redis_url.or_else(|| services.redis_url().map(str::to_owned)),
        _services: Some(services),
    }
}

/// A fresh folder that stays: whoever starts servers in it lets them remove it.
pub(crate) fn scratch_folder() -> PathBuf {
    tempfile::Builder::new().prefix("aisle-it-").tempdir().expect("a temporary folder").keep()
}
