//! The log follower: owns the LISTEN connection, pulls the log, raises fences.
//!
//! Three ways lead here, each good enough alone: an announcement over Redis (fast), the database's doorbell (edits by any
//! client), and a pull at intervals (whatever was lost). The actor has a thread of its own and works in short blocking
//! steps; libpq offers no wait with a time limit that Diesel passes on, so the doorbell is looked at every few milliseconds.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Supervised};
use uuid::Uuid;

use super::log::{Change, Log, Push};
use crate::{
    cache::announcements::{self, Heard},
    catalog::CatalogError,
    limits::{DOORBELL_POLL, LOG_PULL_INTERVAL, LOG_PULL_MAX},
    store::{error::StoreError, listener::Listener},
    supervision::{Restarts, guarded, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// First wait before connecting again; doubles up to [`RECONNECT_MAX`].
const RECONNECT_MIN: Duration = Duration::from_millis(50);

/// Longest wait before connecting again.
const RECONNECT_MAX: Duration = Duration::from_secs(2);

/// Where announcements are heard.
#[derive(Debug, Clone)]
pub struct Subscription {
    /// Redis URL.
    pub url: String,
    /// Identity of the catalogue, which names the channel.
    pub catalogue: Uuid,
}

/// What the follower needs to start, and to start again.
#[derive(Debug, Clone)]
pub struct FollowerSettings {
    /// Postgres URL.
    pub database_url: String,
    /// Redis, if there is one.
    pub subscription: Option<Subscription>,
}

/// A message to the follower.
pub trait FollowerMessage: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs.
    const NAME: &'static str;
    /// Does it.
    fn handle(self, state: &mut State) -> Self::Reply;
}

/// Something was heard over Redis.
struct Announced(Heard);

impl FollowerMessage for Announced {
    type Reply = ();
    const NAME: &'static str = "announced";

    fn handle(self, state: &mut State) {
        state.metrics.redis.received.inc();
        match self.0 {
            Heard::Change(change) => match state.log.apply_pushed(&change) {
                Push::Applied => state.metrics.log.applied.set(state.log.applied()),
                Push::Gap => state.rung = true,
            },
            Heard::Doorbell => state.rung = true,
        }
    }
}

/// What the follower knows between two steps.
pub struct State {
    settings: FollowerSettings,
    log: Arc<Log>,
    metrics: Arc<Metrics>,
    listener: Option<Listener>,
    /// Whether the log is to be pulled at the next step.
    rung: bool,
    pulled_at: Instant,
    retry_at: Instant,
    patience: Duration,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("connected", &self.listener.is_some()).finish_non_exhaustive()
    }
}

impl State {
    fn new(settings: FollowerSettings, log: Arc<Log>, metrics: Arc<Metrics>) -> Self {
        let now = Instant::now();
        Self {
            settings,
            log,
            metrics,
            listener: None,
            rung: true,
            pulled_at: now,
            retry_at: now,
            patience: RECONNECT_MIN,
        }
    }

    /// One look at the doorbell, and a pull if it rang or the time has come.
    fn step(&mut self) {
        if self.listener.is_none() && Instant::now() < self.retry_at {
            return;
        }
        if let Err(error) = self.try_step() {
            self.metrics.log.errors.inc();
            if self.listener.take().is_some() {
                log::warn!("log follower lost its connection reason={error}");
            } else {
                log::debug!("log follower cannot connect reason={error}");
            }
            self.retry_at = Instant::now() + self.patience;
            self.patience = (self.patience * 2).min(RECONNECT_MAX);
        }
    }

    fn try_step(&mut self) -> Result<(), StoreError> {
        if self.listener.is_none() {
            self.listener = Some(Listener::connect(&self.settings.database_url)?);
            log::info!("log follower connected");
            // What rang while nobody listened is unknown.
            self.rung = true;
        }
        let Some(listener) = self.listener.as_mut() else { return Ok(()) };
        if listener.has_rung()? {
            self.rung = true;
        }
        if self.rung || self.pulled_at.elapsed() >= LOG_PULL_INTERVAL {
            self.rung = false;
            let (log, metrics) = (Arc::clone(&self.log), Arc::clone(&self.metrics));
            let pulled = pull_all(listener, &log, &metrics);
            // A failed pull is owed.
            self.rung = pulled.is_err();
            self.pulled_at = Instant::now();
            pulled?;
            // Not at the connect: a log that cannot be read must not be asked for without pause.
            self.patience = RECONNECT_MIN;
        }
        Ok(())
    }
}

fn pull_all(listener: &mut Listener, log: &Log, metrics: &Metrics) -> Result<(), StoreError> {
    loop {
        let began = Instant::now();
        let pulled = listener.pull(log.applied(), LOG_PULL_MAX)?;
        metrics.log.pulls.inc();
        metrics.log.position.set(pulled.head);
        let changes: Vec<Change> = pulled.events.into_iter().map(Change::from).collect();
        let more = i64::try_from(changes.len()).unwrap_or(i64::MAX) >= LOG_PULL_MAX;
        metrics.log.events.inc_by(u64::try_from(changes.len()).unwrap_or(0));
        log.apply_pulled(&changes);
        metrics.log.applied.set(log.applied());
        if !more {
            log.read_to_end(began);
            return Ok(());
        }
    }
}

/// Follows the log; see the module.
#[derive(Debug)]
pub struct LogFollower {
    state: State,
    restarts: Restarts,
}

impl LogFollower {
    /// A follower that raises the fences of `log`.
    pub fn new(settings: FollowerSettings, log: Arc<Log>, restarts: Restarts, metrics: Arc<Metrics>) -> Self {
        Self { state: State::new(settings, log, metrics), restarts }
    }

    fn begin(&mut self, context: &mut Context<Self>) {
        context.run_interval(DOORBELL_POLL, |follower, context| {
            if let Err(panicked) = guarded(|| follower.state.step()) {
                follower.restarts.record_panic(Kind::LogFollower, &panicked.what, "step");
                context.stop();
            }
        });
        if let Some(subscription) = self.state.settings.subscription.clone() {
            let own = context.address().downgrade();
            // Belongs to this context: a restart drops it and begins anew.
            context.spawn(actix::fut::wrap_future(subscribe(subscription, own)));
        }
    }
}

async fn subscribe(subscription: Subscription, follower: actix::WeakAddr<LogFollower>) {
    let channel = announcements::channel(subscription.catalogue);
    let mut patience = RECONNECT_MIN;
    while let Some(follower) = follower.upgrade() {
        let started = Instant::now();
        let why =
            announcements::listen(&subscription.url, &channel, |heard| tell(&follower, Announced(heard)))
                .await;
        log::debug!("announcements not heard reason={why}");
        drop(follower);
        patience =
            if started.elapsed() > RECONNECT_MAX { RECONNECT_MIN } else { (patience * 2).min(RECONNECT_MAX) };
        tokio::time::sleep(patience).await;
    }
}

impl Actor for LogFollower {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(1024);
        self.begin(context);
    }
}

impl Supervised for LogFollower {
    fn restarting(&mut self, context: &mut Self::Context) {
        let State { settings, log, metrics, .. } = &self.state;
        self.state = State::new(settings.clone(), Arc::clone(log), Arc::clone(metrics));
        self.begin(context);
    }
}

/// A message on its way to the actor.
#[derive(Debug)]
pub struct Envelope<M>(pub M);

impl<M: FollowerMessage> Message for Envelope<M> {
    type Result = Result<M::Reply, CatalogError>;
}

impl<M: FollowerMessage> Handler<Envelope<M>> for LogFollower {
    type Result = Result<M::Reply, CatalogError>;

    fn handle(&mut self, envelope: Envelope<M>, context: &mut Context<Self>) -> Self::Result {
        guarded(|| envelope.0.handle(&mut self.state)).map_err(|panicked| {
            self.restarts.record_panic(Kind::LogFollower, &panicked.what, M::NAME);
            context.stop();
            panicked.into()
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "announcements arrive no faster than edits commit")]
fn tell<M: FollowerMessage>(to: &actix::Addr<LogFollower>, message: M) {
    to.do_send(Envelope(message));
}
