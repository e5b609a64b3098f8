//! Settings: flag = `AISLE_*` variable = default. Read once, at the command line; passed on as values.

use std::path::PathBuf;

use clap::{Args, builder::NonEmptyStringValueParser};

use crate::{
    domain::{locale::Locale, money::Currency},
    limits::RATE_LIMIT_WINDOW_SECONDS,
};

/// Where Postgres and Redis are; shared by every command that needs them.
#[derive(Debug, Clone, Args)]
pub struct ServiceSettings {
    /// Postgres to use; absent: a private one is started in the data folder
    // Empty it is a mistake, not a wish for a private one: a secret that is missing must not begin an empty catalogue.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = NonEmptyStringValueParser::new())]
    pub database_url: Option<String>,

    /// Redis to use; absent: a private one beside the private Postgres, if installed
    #[arg(long, env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,

    /// Folder of the private Postgres and Redis
    #[arg(long, env = "AISLE_DATA_DIR", default_value = "./aisle-data")]
    pub data_dir: PathBuf,
}

/// Bounds of the lease's length; see [`crate::limits::LEASE_MIN`] and [`crate::limits::LEASE_MAX`].
const LEASE_MS: std::ops::RangeInclusive<i64> = 200..=5000;

/// What is answered while there is no lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Consistency {
    /// What is cached, labelled as unverified.
    Available,
    /// Nothing.
    Strict,
}

/// Everything `aisle serve` can be told.
#[derive(Debug, Clone, Args)]
pub struct ServeSettings {
    // No doc comment: clap would take it for the whole group's.
    #[command(flatten)]
    #[expect(missing_docs, reason = "a doc comment would end up in the help text")]
    pub services: ServiceSettings,

    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "AISLE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// Address for the admin API and the metrics, which are then nowhere else; absent: beside the store
    #[arg(long, env = "AISLE_ADMIN_LISTEN")]
    pub admin_listen: Option<String>,

    /// PEM file of a certificate, with the chain up to its root: everything is served over TLS; a renewed file is noticed
    #[arg(long, env = "AISLE_TLS_CERT", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of the certificate's private key
    #[arg(long, env = "AISLE_TLS_KEY", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// An admin token to accept besides the stored ones
    #[arg(long, env = "AISLE_ADMIN_TOKEN", hide_env_values = true)]
    pub admin_token: Option<String>,

    /// Currency of store prices when a request names none
    #[arg(long, env = "AISLE_CURRENCY", default_value = "USD", value_parser = parse_currency)]
    pub currency: Currency,

    /// Languages served, comma-separated; the first is that of the untranslated texts
    #[arg(long, env = "AISLE_LOCALES", default_value = "en", value_delimiter = ',', value_parser = parse_locale)]
    pub locales: Vec<Locale>,

    /// Seconds a cache may keep a store answer without asking; 0 means it must revalidate always
    #[arg(long, env = "AISLE_MAX_AGE", default_value_t = 0)]
    pub max_age: u32,

    /// Seconds that a search may be old where its client asks with `freshness=bounded`
    #[arg(long, env = "AISLE_SEARCH_AGE", default_value_t = 5, value_parser = clap::value_parser!(u8).range(1..=60))]
    pub search_age: u8,

    /// HTTP worker threads; 0: one per core
    #[arg(long, env = "AISLE_WORKERS", default_value_t = 0)]
    pub workers: usize,

    /// Fill actors: threads that load what the local cache misses
    #[arg(long, env = "AISLE_FILL_ACTORS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub fill_actors: u8,

    /// Store actors: threads that read for the store, with a Postgres connection each
    #[arg(long, env = "AISLE_STORE_ACTORS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub store_actors: u8,

    /// Admin actors: threads that read and edit for the admin API, with a Postgres connection each
    #[arg(long, env = "AISLE_ADMIN_ACTORS", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub admin_actors: u8,

    /// List actors: threads that make pages of lists, without a connection
    #[arg(long, env = "AISLE_LIST_ACTORS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub list_actors: u8,

    /// Bound of the local cache in MiB
    #[arg(long, env = "AISLE_CACHE_MB", default_value_t = 256)]
    pub cache_mb: u32,

    /// Store messages at work or waiting before more are refused with 503; fewer where there has been a queue for long
    #[arg(long, env = "AISLE_STORE_QUEUE", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    pub store_queue: u16,

    /// Admin messages at work or waiting before more are refused with 503
    #[arg(long, env = "AISLE_ADMIN_QUEUE", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    pub admin_queue: u16,

    /// Pages of lists being made or waiting before more are refused with 503; fewer where there has been a queue for long
    #[arg(long, env = "AISLE_LIST_QUEUE", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..))]
    pub list_queue: u16,

    /// Cache misses under way or waiting before more are refused with 503
    #[arg(long, env = "AISLE_MISS_QUEUE", default_value_t = 4096, value_parser = clap::value_parser!(u16).range(1..))]
    pub miss_queue: u16,

    /// Length of the lease on the caches, in milliseconds: how long answers go on without the database, and how long the
    /// first edit may wait after an instance died
    #[arg(long, env = "AISLE_LEASE_MS", default_value_t = 2000, value_parser = clap::value_parser!(u16).range(LEASE_MS))]
    pub lease_ms: u16,

    /// Hours for which the log of changes is kept: how long a saved index of lists can be taken up again, and how far back
    /// the log tells what changed
    #[arg(long, env = "AISLE_LOG_RETENTION_HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8760))]
    pub log_retention_hours: u32,

    /// Days for which the audit log is kept; 0: for ever
    #[arg(long, env = "AISLE_AUDIT_RETENTION_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub audit_retention_days: u32,

    /// What is answered without a lease: `available` answers from the cache and labels it, `strict` refuses
    #[arg(long, env = "AISLE_CONSISTENCY", default_value = "available", value_enum)]
    pub consistency: Consistency,

    /// Address at which others reach this instance, as the table of members shows it; absent: the one it listens on
    #[arg(long, env = "AISLE_ADVERTISE")]
    pub advertise: Option<String>,

    /// Folder in which the index of lists is saved, so that a restart reads what changed since and not everything; absent:
    /// one in the data folder if Postgres is the private one, else none
    #[arg(long, env = "AISLE_SNAPSHOT_DIR")]
    pub snapshot_dir: Option<PathBuf>,

    /// Requests per minute of one client address to the store API; 0: no limit
    #[arg(long, env = "AISLE_RATE_LIMIT_ADDRESS", default_value_t = 0)]
    pub rate_limit_address: u32,

    /// Requests per minute of one token to the admin API; 0: no limit
    #[arg(long, env = "AISLE_RATE_LIMIT_TOKEN", default_value_t = 0)]
    pub rate_limit_token: u32,

    /// Seconds of a window of rate limits; not for operators, who think in minutes
    #[arg(long, hide = true, default_value_t = RATE_LIMIT_WINDOW_SECONDS, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_limit_window: u32,

    /// Balancers in front that add to `X-Forwarded-For`: the client's address is so many from its end; 0: the header is not
    /// believed, the client is who connects
    #[arg(long, env = "AISLE_TRUSTED_PROXIES", default_value_t = 0)]
    pub trusted_proxies: u8,

    /// Log every request, not only errors and slow ones
    #[arg(long, env = "AISLE_ACCESS_LOG", default_value_t = false)]
    pub access_log: bool,

    /// Seconds for which a start waits for a Postgres that is not there yet
    #[arg(long, env = "AISLE_START_TIMEOUT", default_value_t = 60)]
    pub start_timeout: u32,

    /// Seconds after SIGTERM during which everything is still answered, `/readyz` says no and connections are closed after
    /// their answer: as long as load balancers need to notice
    #[arg(long, env = "AISLE_DRAIN_SECONDS", default_value_t = 0)]
    pub drain_seconds: u32,

    /// Seconds an orderly stop may take to finish accepted requests
    #[arg(long, env = "AISLE_SHUTDOWN_TIMEOUT", default_value_t = 30)]
    pub shutdown_timeout: u64,
}

/// Reads a currency of the command line.
pub fn parse_currency(code: &str) -> Result<Currency, &'static str> {
    Currency::parse(code).ok_or("not an ISO 4217 currency with a minor unit")
}

fn parse_locale(tag: &str) -> Result<Locale, String> {
    Locale::parse(tag).ok_or_else(|| "not a BCP 47 language tag".to_owned())
}
