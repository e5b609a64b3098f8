//! The supervised pool of store actors: admission, deadlines, caught panics, replaced threads.
//!
//! One `SyncArbiter` has one queue and many threads; any free one takes the next message. actix neither bounds that
//! queue, nor catches a panic, nor replaces a thread it lost: this module does. Nothing else may send to a store actor.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Addr, Handler, MailboxError, Message, SyncArbiter, SyncContext};
use arc_swap::ArcSwap;

use super::error::CatalogError;
use crate::{
    limits::REQUEST_DEADLINE,
    store::pool::Pool,
    supervision::{Heal, Permit, Permits, Restarts, guard::Panicked, guarded, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Threads of a new generation are not counted before they have had this long to start.
const GENERATION_SETTLES: Duration = Duration::from_millis(500);

/// A message to a store actor. [`super::edits::Query`] and [`super::edits::Edit`] are the usual ones.
pub trait StoreMessage: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs and metrics.
    const NAME: &'static str;
    /// Does it on the actor's thread; may block, within the statement time-out.
    fn run(self, pool: &Pool) -> Result<Self::Reply, CatalogError>;
}

/// A message on its way, with its right to be in flight and the time after which nobody waits for it.
struct Envelope<M> {
    message: M,
    deadline: Instant,
    _permit: Permit,
}

impl<M: StoreMessage> Message for Envelope<M> {
    type Result = Result<M::Reply, CatalogError>;
}

/// Runs queries and edits on its own thread, with a pooled connection per message.
struct StoreActor {
    pool: Pool,
    restarts: Restarts,
    metrics: Arc<Metrics>,
    /// Held for as long as the thread lives: the supervisor counts these.
    _alive: Arc<()>,
}

impl Actor for StoreActor {
    type Context = SyncContext<Self>;
}

impl<M: StoreMessage> Handler<Envelope<M>> for StoreActor {
    type Result = Result<M::Reply, CatalogError>;

    fn handle(&mut self, envelope: Envelope<M>, context: &mut SyncContext<Self>) -> Self::Result {
        let started = Instant::now();
        let counters = &self.metrics.store;
        if started >= envelope.deadline {
            counters.expired.inc();
            return Err(CatalogError::DeadlineExceeded);
        }
        let pool = self.pool.clone();
        counters.connections_in_use.inc();
        // The connection is checked out inside the guard: Diesel drops it when a panic passes by.
        let outcome = guarded(move || envelope.message.run(&pool));
        counters.connections_in_use.dec();
        counters.duration.observe(started.elapsed().as_secs_f64());
        outcome.unwrap_or_else(|panicked: Panicked| {
            self.restarts.record_panic(Kind::Store, &panicked.what, M::NAME);
            // In a sync context this asks the factory for a fresh actor on the same thread; the queue is untouched.
            actix::ActorContext::stop(context);
            Err(panicked.into())
        })
    }
}

/// A `SyncArbiter` and the count of its living threads.
struct Generation {
    address: Addr<StoreActor>,
    alive: Arc<()>,
    born: Instant,
}

/// The way to the store actors. Cheap to clone.
#[derive(Clone)]
pub struct StorePool {
    inner: Arc<Inner>,
}

struct Inner {
    generation: ArcSwap<Generation>,
    threads: usize,
    pool: Pool,
    permits: Permits,
    restarts: Restarts,
    metrics: Arc<Metrics>,
}

impl std::fmt::Debug for StorePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StorePool").field("threads", &self.inner.threads).finish_non_exhaustive()
    }
}

impl StorePool {
    /// Starts `threads` store actors; at most `queue` messages are in flight or waiting. Needs a running system.
    pub fn start(
        pool: Pool,
        threads: usize,
        queue: usize,
        restarts: Restarts,
        metrics: Arc<Metrics>,
    ) -> Self {
        let generation = start_generation(&pool, threads, &restarts, &metrics);
        metrics.store.connections_max.set(i64::try_from(threads).unwrap_or(i64::MAX));
        let inner = Inner {
            generation: ArcSwap::from_pointee(generation),
            threads,
            pool,
            permits: Permits::new(queue),
            restarts,
            metrics,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Sends a message and waits for its answer, at most until the request deadline.
    pub async fn ask<M: StoreMessage>(&self, message: M) -> Result<M::Reply, CatalogError> {
        let Some(permit) = self.inner.permits.take() else {
            self.inner.metrics.store.refused.inc();
            self.inner.metrics.actors.store.refusals.inc();
            return Err(CatalogError::Overloaded);
        };
        self.send(message, permit, REQUEST_DEADLINE).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the handle that admits: the permit bounds the queue"
    )]
    async fn send<M: StoreMessage>(
        &self,
        message: M,
        permit: Permit,
        patience: Duration,
    ) -> Result<M::Reply, CatalogError> {
        let envelope = Envelope { message, deadline: Instant::now() + patience, _permit: permit };
        let generation = self.inner.generation.load_full();
        match generation.address.send(envelope).timeout(patience).await {
            Ok(answer) => answer,
            Err(MailboxError::Timeout) => Err(CatalogError::DeadlineExceeded),
            Err(MailboxError::Closed) => Err(CatalogError::Unavailable("store actor lost".to_owned())),
        }
    }

    /// Threads that live, of the current generation.
    pub fn alive(&self) -> usize {
        // One count is the generation's own; the factory's is gone with the threads it served.
        Arc::strong_count(&self.inner.generation.load().alive).saturating_sub(2).min(self.inner.threads)
    }

    /// Threads that should live.
    pub fn threads(&self) -> usize {
        self.inner.threads
    }

    /// Messages that may still be admitted.
    pub fn permits_left(&self) -> usize {
        self.inner.permits.left()
    }

    /// Messages in flight or waiting.
    pub fn in_flight(&self) -> usize {
        self.inner.permits.taken()
    }
}

impl Heal for StorePool {
    /// Replaces a generation that lost a thread; the old one finishes its queue and ends by itself.
    fn heal(&self) {
        let alive = self.alive();
        let settled = self.inner.generation.load().born.elapsed() > GENERATION_SETTLES;
        if settled && alive < self.inner.threads {
            let Inner { pool, threads, restarts, metrics, .. } = &*self.inner;
            restarts.record(Kind::Store, &format!("{alive} of {threads} threads alive"));
            self.inner.generation.store(Arc::new(start_generation(pool, *threads, restarts, metrics)));
        }
    }
}

fn start_generation(pool: &Pool, threads: usize, restarts: &Restarts, metrics: &Arc<Metrics>) -> Generation {
    let alive = Arc::new(());
    let (pool, restarts, metrics) = (pool.clone(), restarts.clone(), Arc::clone(metrics));
    let token = Arc::clone(&alive);
    // The factory must be infallible: it clones handles and connects to nothing.
    let address = SyncArbiter::start(threads, move || StoreActor {
        pool: pool.clone(),
        restarts: restarts.clone(),
        metrics: Arc::clone(&metrics),
        _alive: Arc::clone(&token),
    });
    Generation { address, alive, born: Instant::now() }
}
