//! Wires the actors to the HTTP server, and stops them in order.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use actix::Actor;
use actix_web::{App, HttpServer, dev::ServerHandle, web};

use crate::{
    cache::LocalCache,
    catalog::{
        Catalog, actor::Reader, fill::SharedSettings, fillers::Fillers, handle::Shared, loader::Loader,
        pool::StorePool,
    },
    coherence::{
        Log,
        follower::{FollowerSettings, LogFollower, Subscription},
        log::Change,
    },
    http,
    limits::{LOG_PULL_MAX, LOG_TAIL_MAX, RESTARTS_MAX, RESTARTS_WITHIN},
    settings::ServeSettings,
    store::{
        error::StoreError,
        events,
        pool::{self, Pool},
    },
    supervision::{CatalogSupervisor, Heal, Permits, Restarts, Slot, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Where Postgres and Redis are, once known.
#[derive(Debug, Clone)]
pub struct Backends {
    /// Postgres, migrated.
    pub database_url: String,
    /// Redis, if there is one.
    pub redis_url: Option<String>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Postgres did not answer.
    #[error("cannot read the catalogue: {0}")]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address asked for.
        address: String,
        /// Why not.
        error: std::io::Error,
    },
    /// A metric was refused: a defect.
    #[error("cannot make metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// A running server.
pub struct Application {
    address: SocketAddr,
    shared: Shared,
    follower: Arc<Slot<LogFollower>>,
    server: actix_web::dev::Server,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Application {
    /// Starts actors and listens. Needs a running actix system; blocks for a few round trips to Postgres.
    pub fn start(settings: &ServeSettings, backends: &Backends) -> Result<Self, StartError> {
        let metrics = Metrics::new()?;
        let (catalogue, log) = join_log(&backends.database_url)?;
        let shared_settings = backends.redis_url.clone().map(|url| SharedSettings { url, catalogue });
        let restarts = Restarts::new(RESTARTS_MAX, RESTARTS_WITHIN, Arc::clone(&metrics));
        let shared = start_actors(settings, backends, log, shared_settings.as_ref(), &restarts, metrics);
        let follower = Arc::new(start_follower(backends, shared_settings, &shared));
        let children: Vec<Arc<dyn Heal>> = vec![
            Arc::new(shared.store.clone()),
            Arc::new(shared.fillers.clone()),
            Arc::<Slot<LogFollower>>::clone(&follower),
        ];
        CatalogSupervisor::new(children, restarts).start();
        let (address, server) = listen(settings, &shared)?;
        Ok(Self { address, shared, follower, server })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The actors' handles, for whoever stands beside the HTTP server: tests, commands.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The log follower.
    pub fn follower(&self) -> &Arc<Slot<LogFollower>> {
        &self.follower
    }

    /// Stops the server: `stop(true)` finishes accepted requests first.
    pub fn handle(&self) -> ServerHandle {
        self.server.handle()
    }

    /// Serves until stopped.
    pub async fn run(self) -> std::io::Result<()> {
        self.server.await
    }
}

/// Reads the catalogue's identity and the end of its log, so that entries of the shared cache can be judged from the start.
fn join_log(database_url: &str) -> Result<(uuid::Uuid, Arc<Log>), StoreError> {
    let mut connection = pool::connect(database_url)?;
    let catalogue = events::catalog_identity(&mut connection)?;
    let log = Log::default();
    let head = events::head(&mut connection)?;
    log.start_after(head.saturating_sub(LOG_TAIL_MAX).max(0));
    loop {
        let began = Instant::now();
        let pulled = events::pull(&mut connection, log.applied(), LOG_PULL_MAX)?;
        let changes: Vec<Change> = pulled.events.into_iter().map(Change::from).collect();
        log.apply_pulled(&changes);
        if changes.is_empty() {
            log.read_to_end(began);
            return Ok((catalogue, Arc::new(log)));
        }
    }
}

fn start_actors(
    settings: &ServeSettings,
    backends: &Backends,
    log: Arc<Log>,
    shared: Option<&SharedSettings>,
    restarts: &Restarts,
    metrics: Arc<Metrics>,
) -> Shared {
    let local = Arc::new(LocalCache::new(u64::from(settings.cache_mb) << 20));
    let reader = Reader { local, log, fenced: metrics.cache.local_fenced.clone() };
    let connections = Pool::new(&backends.database_url, u32::from(settings.store_actors));
    let store = StorePool::start(
        connections,
        usize::from(settings.store_actors),
        usize::from(settings.store_queue),
        restarts.clone(),
        Arc::clone(&metrics),
    );
    let loader = Loader {
        reader: reader.clone(),
        store: store.clone(),
        locales: settings.locales.clone().into(),
        metrics: Arc::clone(&metrics),
    };
    let fillers = Fillers::start(usize::from(settings.fill_actors), &loader, shared, restarts);
    let misses = Permits::new(usize::from(settings.miss_queue));
    Shared { reader, fillers, store, misses, restarts: restarts.clone(), metrics }
}

fn start_follower(
    backends: &Backends,
    shared_settings: Option<SharedSettings>,
    shared: &Shared,
) -> Slot<LogFollower> {
    let subscription =
        shared_settings.map(|SharedSettings { url, catalogue }| Subscription { url, catalogue });
    let settings = FollowerSettings { database_url: backends.database_url.clone(), subscription };
    let (log, restarts, metrics) =
        (Arc::clone(&shared.reader.log), shared.restarts.clone(), Arc::clone(&shared.metrics));
    Slot::start(Kind::LogFollower, shared.restarts.clone(), move || {
        LogFollower::new(settings.clone(), Arc::clone(&log), restarts.clone(), Arc::clone(&metrics))
    })
}

fn listen(
    settings: &ServeSettings,
    shared: &Shared,
) -> Result<(SocketAddr, actix_web::dev::Server), StartError> {
    let cannot = |error| StartError::Listen { address: settings.listen.clone(), error };
    let (own, settings_of_http) = (shared.clone(), http::HttpSettings::new(settings));
    let mut server = HttpServer::new(move || {
        // Runs once on each worker's thread: the catalogue actor lives there.
        let catalog = Catalog::start(own.clone());
        App::new()
            .app_data(web::Data::new(catalog))
            .configure(|services| http::configure(services, &settings_of_http, &own.metrics))
    })
    .tcp_nodelay(true)
    .disable_signals()
    .shutdown_timeout(settings.shutdown_timeout);
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let server = server.bind(&settings.listen).map_err(cannot)?;
    let address =
        server.addrs().first().copied().ok_or_else(|| cannot(std::io::ErrorKind::AddrNotAvailable.into()))?;
    Ok((address, server.run()))
}
