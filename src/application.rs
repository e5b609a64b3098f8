//! Wires the actors to the HTTP server, and stops them in order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use actix::Actor;
use actix_web::{App, HttpServer, dev::ServerHandle, web};

use crate::{
    cache::LocalCache,
    catalog::{
        Catalog,
        actor::Reader,
        fill::SharedSettings,
        fillers::Fillers,
        handle::Shared,
        lists::{
            ListDesk, ListPool, Lists, SnapshotFile,
            feeder::{self, ListFeeder},
        },
        loader::Loader,
        pool::{AdminDesk, AdminPool, StorePool},
        together::Together,
    },
    closing::Doors,
    coherence::{
        Coherence, Era,
        follower::{self, LogFollower},
        keeper::{self, KeeperSettings, LeaseKeeper, Leave},
        messenger::{Messenger, MessengerSettings},
        pruner::{self, LogPruner},
        rules::Rules,
    },
    http::{self, certificate::CertificateError},
    limiting::{
        Limits,
        exchanger::{self, Exchange},
    },
    limits::{LEAVE_TIMEOUT, RESTARTS_MAX, RESTARTS_WITHIN, SNAPSHOT_TIMEOUT},
    listeners::{Listeners, cannot_listen},
    settings::ServeSettings,
    store::{
        era::ExpectedEra,
        error::StoreError,
        events,
        pool::{self, Pool},
    },
    supervision::{
        CatalogSupervisor, Draining, Heal, Permits, Restarts, Slot, Stepper, intensity::Kind, stepper,
    },
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
    /// Certificate or key cannot be used.
    #[error("cannot serve TLS: {0}")]
    Certificate(#[from] CertificateError),
    /// A metric was refused: a defect.
    #[error("cannot make metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// A running server.
pub struct Application {
    address: SocketAddr,
    admin_address: Option<SocketAddr>,
    scheme: &'static str,
    doors: Option<Doors>,
    shared: Shared,
    follower: Arc<Slot<LogFollower>>,
    keeper: Arc<Slot<LeaseKeeper>>,
    server: actix_web::dev::Server,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Application {
    /// Joins the members, starts actors and listens. Needs a running actix system; blocks for a few round trips to Postgres.
    pub fn start(settings: &ServeSettings, backends: &Backends) -> Result<Self, StartError> {
        let listeners = Listeners::open(settings)?;
        let address = listeners.address;
        let scheme = listeners.scheme();
        let metrics = Metrics::new()?;
        let catalogue = events::catalog_identity(&mut pool::connect(&backends.database_url)?)?;
        let rules = Rules::of(Duration::from_millis(u64::from(settings.lease_ms)));
        let expected_era = ExpectedEra::default();
        let coherence = Coherence::new(rules, expected_era.clone(), Arc::clone(&metrics.coherence));
        let coherence = Arc::new(coherence);
        let restarts = Restarts::new(RESTARTS_MAX, RESTARTS_WITHIN, Arc::clone(&metrics));
        let url = settings.advertise.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
        let keeper = KeeperSettings { database_url: backends.database_url.clone(), url };
        let keeper = Arc::new(start_keeper(&keeper, &coherence, &restarts, &metrics)?);
        let pools = start_pools(settings, &backends.database_url, &expected_era, &restarts, &metrics);
        let redis = backends.redis_url.clone().map(|url| SharedSettings { url, catalogue });
        let language = settings.locales.first().cloned().unwrap_or_default();
        let folder = settings.snapshot_dir.clone();
        let file = folder.map(|folder| SnapshotFile::new(folder, catalogue, language.clone()));
        let lists = Arc::new(Lists::new(language, file));
        let limits = Limits::new(settings, &metrics.limits);
        let shared = start_actors(settings, pools, (coherence, lists), redis.as_ref(), &restarts, metrics);
        let follower = Arc::new(start_follower(backends, &shared));
        let mut children: Vec<Arc<dyn Heal>> = vec![
            Arc::new(shared.store.clone()),
            Arc::new(shared.admin.clone()),
            Arc::new(shared.list_actors.clone()),
            Arc::new(shared.fillers.clone()),
            Arc::<Slot<LogFollower>>::clone(&follower),
            Arc::<Slot<LeaseKeeper>>::clone(&keeper),
        ];
        children.push(Arc::new(start_feeder(backends, &shared)));
        children.push(Arc::new(start_pruner(settings, backends, &shared)));
        if let Some(limits) = &limits {
            let (limits, redis_url) = (Arc::clone(limits), backends.redis_url.clone());
            let exchange = Exchange { limits, redis_url, catalogue, metrics: Arc::clone(&shared.metrics) };
            children.push(Arc::new(exchanger::start(exchange, &restarts)));
        }
        if let Some(messenger) = &shared.messenger {
            children.push(Arc::<Slot<Messenger>>::clone(messenger));
        }
        CatalogSupervisor::new(children, restarts).start();
        let (admin_address, doors) = (listeners.admin_address, Some(listeners.doors(settings)?));
        let server = serve(settings, listeners, &shared, limits)?;
        Ok(Self { address, admin_address, scheme, doors, shared, follower, keeper, server })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address that the admin API has for itself, if it has one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin_address
    }

    /// `http`, or `https` where a certificate was given.
    pub fn scheme(&self) -> &'static str {
        self.scheme
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

    /// What is to be closed before the server is stopped; once.
    pub fn take_doors(&mut self) -> Option<Doors> {
        self.doors.take()
    }

    /// The lease keeper.
    pub fn keeper(&self) -> &Arc<Slot<LeaseKeeper>> {
        &self.keeper
    }

    /// Serves until stopped, then leaves the members, so that no edit elsewhere waits for this instance, and saves its lists.
    pub async fn run(self) -> std::io::Result<()> {
        let outcome = self.server.await;
        let era = self.shared.reader.coherence.era();
        leave(&self.keeper).await;
        save_lists(&self.shared, era).await;
        outcome
    }
}

/// On a thread that nobody waits for longer than this: what is not written by then is not missed at the next start.
async fn save_lists(shared: &Shared, era: Era) {
    let lists = Arc::clone(&shared.lists);
    let (done, saved) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        lists.save(era);
        done.send(())
    });
    if tokio::time::timeout(SNAPSHOT_TIMEOUT, saved).await.is_err() {
        log::warn!("could not save lists in time; the next start reads more");
    }
}

#[expect(clippy::disallowed_methods, reason = "one message in the life of the process")]
async fn leave(keeper: &Slot<LeaseKeeper>) {
    // A keeper that hangs on the database is not waited for: its lease runs out by itself.
    let left = keeper.address().send(stepper::Envelope(Leave)).timeout(LEAVE_TIMEOUT).await;
    if left.is_err() {
        log::warn!("could not leave the members in time; they will notice");
    }
}

/// Starts the lease keeper after it has joined: nothing is served without a first lease.
fn start_keeper(
    settings: &KeeperSettings,
    coherence: &Arc<Coherence>,
    restarts: &Restarts,
    metrics: &Arc<Metrics>,
) -> Result<Slot<LeaseKeeper>, StoreError> {
    let make = {
        let (settings, coherence, metrics) = (settings.clone(), Arc::clone(coherence), Arc::clone(metrics));
        move || keeper::State::new(settings.clone(), Arc::clone(&coherence), Arc::clone(&metrics))
    };
    make().begin()?;
    let own = restarts.clone();
    Ok(Slot::start(Kind::LeaseKeeper, restarts.clone(), move || Stepper::new(make(), own.clone())))
}

/// The threads that may block, each class with a queue of its own.
fn start_pools(
    settings: &ServeSettings,
    url: &str,
    era: &ExpectedEra,
    restarts: &Restarts,
    metrics: &Arc<Metrics>,
) -> (StorePool, AdminPool, ListPool) {
    let connections = |actors: u8| Pool::new(url, u32::from(actors), era.clone());
    let store = StorePool::start(
        connections(settings.store_actors),
        usize::from(settings.store_actors),
        usize::from(settings.store_queue),
        restarts.clone(),
        Arc::clone(metrics),
    );
    let admin = AdminPool::start(
        AdminDesk(connections(settings.admin_actors)),
        usize::from(settings.admin_actors),
        usize::from(settings.admin_queue),
        restarts.clone(),
        Arc::clone(metrics),
    );
    let lists = ListPool::start(
        ListDesk,
        usize::from(settings.list_actors),
        usize::from(settings.list_queue),
        restarts.clone(),
        Arc::clone(metrics),
    );
    (store, admin, lists)
}

fn start_actors(
    settings: &ServeSettings,
    (store, admin, list_actors): (StorePool, AdminPool, ListPool),
    (coherence, lists): (Arc<Coherence>, Arc<Lists>),
    redis: Option<&SharedSettings>,
    restarts: &Restarts,
    metrics: Arc<Metrics>,
) -> Shared {
    let local = Arc::new(LocalCache::new(u64::from(settings.cache_mb) << 20));
    let messenger = redis.map(|redis| Arc::new(start_messenger(redis, &coherence, restarts, &metrics)));
    let reader = Reader { local, coherence, fenced: metrics.cache.local_fenced.clone() };
    let loader = Loader {
        reader: reader.clone(),
        store: store.clone(),
        together: Together::default(),
        lists: Arc::clone(&lists),
        list_actors: list_actors.clone(),
        locales: settings.locales.clone().into(),
        metrics: Arc::clone(&metrics),
    };
    let fillers = Fillers::start(usize::from(settings.fill_actors), &loader, redis, restarts);
    let misses = Permits::new(usize::from(settings.miss_queue));
    let (consistency, restarts, draining) = (settings.consistency, restarts.clone(), Draining::default());
    Shared {
        reader,
        fillers,
        store,
        admin,
        lists,
        list_actors,
        misses,
        messenger,
        consistency,
        restarts,
        draining,
        token_uses: Arc::default(),
        metrics,
    }
}

fn start_messenger(
    redis: &SharedSettings,
    coherence: &Arc<Coherence>,
    restarts: &Restarts,
    metrics: &Arc<Metrics>,
) -> Slot<Messenger> {
    let settings = MessengerSettings { url: redis.url.clone(), catalogue: redis.catalogue };
    let (coherence, own, metrics) = (Arc::clone(coherence), restarts.clone(), Arc::clone(metrics));
    Slot::start(Kind::Messenger, restarts.clone(), move || {
        Messenger::new(settings.clone(), Arc::clone(&coherence), own.clone(), Arc::clone(&metrics))
    })
}

fn start_follower(backends: &Backends, shared: &Shared) -> Slot<LogFollower> {
    let url = backends.database_url.clone();
    let (coherence, restarts, metrics) =
        (Arc::clone(&shared.reader.coherence), shared.restarts.clone(), Arc::clone(&shared.metrics));
    Slot::start(Kind::LogFollower, shared.restarts.clone(), move || {
        let state = follower::State::new(&url, Arc::clone(&coherence), Arc::clone(&metrics));
        Stepper::new(state, restarts.clone())
    })
}

fn start_feeder(backends: &Backends, shared: &Shared) -> Slot<ListFeeder> {
    let url = backends.database_url.clone();
    let (lists, coherence, restarts) =
        (Arc::clone(&shared.lists), Arc::clone(&shared.reader.coherence), shared.restarts.clone());
    Slot::start(Kind::ListFeeder, shared.restarts.clone(), move || {
        let state = feeder::State::new(&url, Arc::clone(&lists), Arc::clone(&coherence));
        Stepper::new(state, restarts.clone())
    })
}

fn start_pruner(settings: &ServeSettings, backends: &Backends, shared: &Shared) -> Slot<LogPruner> {
    let retention = Duration::from_secs(u64::from(settings.log_retention_hours) * 3600);
    let days = u64::from(settings.audit_retention_days);
    let audit = (days > 0).then(|| Duration::from_secs(days * 24 * 3600));
    let (url, restarts, metrics) =
        (backends.database_url.clone(), shared.restarts.clone(), Arc::clone(&shared.metrics));
    Slot::start(Kind::LogPruner, shared.restarts.clone(), move || {
        Stepper::new(pruner::State::new(&url, retention, audit, Arc::clone(&metrics)), restarts.clone())
    })
}

fn serve(
    settings: &ServeSettings,
    listeners: Listeners,
    shared: &Shared,
    limits: Option<Arc<Limits>>,
) -> Result<actix_web::dev::Server, StartError> {
    let admin_address = listeners.admin_address;
    let of_http = http::HttpSettings::new(settings, &shared.draining, admin_address).with_limits(limits);
    let own = shared.clone();
    let mut server = HttpServer::new(move || {
        // Runs once on each worker's thread: the catalogue actor lives there.
        let catalog = Catalog::start(own.clone());
        App::new()
            .app_data(web::Data::new(catalog))
            .configure(|services| http::configure(services, &of_http, &own.metrics))
    })
    .tcp_nodelay(true)
    .disable_signals()
    .shutdown_timeout(settings.shutdown_timeout);
    if settings.workers > 0 {
        server = server.workers(settings.workers);
    }
    let Listeners { sockets, certificate, .. } = listeners;
    for (socket, address) in sockets {
        server = match &certificate {
            None => server.listen(socket),
            Some(certificate) => server.listen_rustls_0_23(socket, certificate.server_config()?),
        }
        .map_err(cannot_listen(&address))?;
    }
    if let Some(certificate) = certificate {
        actix_rt::spawn(certificate.keep_current());
    }
    Ok(server.run())
}
