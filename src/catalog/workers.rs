//! Supervised pools of threads that may block: admission, deadlines, caught panics, replaced threads.
//!
//! A pool is one `SyncArbiter`: one queue and many threads; any free one takes the next message. actix neither bounds that
//! queue, nor catches a panic, nor replaces a thread it lost: this module does. Nothing else may send to a worker.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Addr, Handler, MailboxError, Message, SyncArbiter, SyncContext};
use arc_swap::ArcSwap;

use super::error::CatalogError;
use crate::{
    limits::REQUEST_DEADLINE,
    supervision::{Backlog, Heal, Permit, Restarts, guard::Panicked, guarded, intensity::Kind},
    telemetry::metrics::{Metrics, PoolMetrics},
};

/// Threads of a new generation are not counted before they have had this long to start.
const GENERATION_SETTLES: Duration = Duration::from_millis(500);

/// What the workers of a pool work with; tells one pool from another.
pub trait Equipment: Clone + Send + Sync + Unpin + 'static {
    /// Kind of actor.
    const KIND: Kind;

    /// Under overload nothing is admitted that would wait for longer: some times what a message takes.
    const WAIT: Duration;

    /// The pool's counters.
    fn metrics(metrics: &Metrics) -> &PoolMetrics;
}

/// A message to the workers of a pool.
pub trait Work<E>: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs and metrics.
    const NAME: &'static str;
    /// Does it on a worker's thread; may block, for less than the request deadline.
    fn run(self, equipment: &E) -> Result<Self::Reply, CatalogError>;
}

/// A message on its way, with its right to be in flight and the time after which nobody waits for it.
struct Envelope<E, W> {
    work: W,
    deadline: Instant,
    _permit: Permit,
    _to: std::marker::PhantomData<fn(E)>,
}

impl<E: Equipment, W: Work<E>> Message for Envelope<E, W> {
    type Result = Result<W::Reply, CatalogError>;
}

/// Works on its own thread.
struct Worker<E> {
    equipment: E,
    restarts: Restarts,
    metrics: Arc<Metrics>,
    backlog: Arc<Backlog>,
    /// Held for as long as the thread lives: the supervisor counts these.
    _alive: Arc<()>,
}

impl<E: Equipment> Actor for Worker<E> {
    type Context = SyncContext<Self>;
}

impl<E: Equipment, W: Work<E>> Handler<Envelope<E, W>> for Worker<E> {
    type Result = Result<W::Reply, CatalogError>;

    fn handle(&mut self, envelope: Envelope<E, W>, context: &mut SyncContext<Self>) -> Self::Result {
        let started = Instant::now();
        let counters = E::metrics(&self.metrics);
        if started >= envelope.deadline {
            counters.expired.inc();
            return Err(CatalogError::DeadlineExceeded);
        }
        let equipment = self.equipment.clone();
        counters.busy.inc();
        // A connection is checked out inside the guard: Diesel drops it when a panic passes by.
        let outcome = guarded(move || envelope.work.run(&equipment));
        counters.busy.dec();
        let took = started.elapsed();
        counters.duration.observe(took.as_secs_f64());
        self.backlog.worked(took);
        outcome.unwrap_or_else(|panicked: Panicked| {
            self.restarts.record_panic(E::KIND, &panicked.what, W::NAME);
            // In a sync context this asks the factory for a fresh actor on the same thread; the queue is untouched.
            actix::ActorContext::stop(context);
            Err(panicked.into())
        })
    }
}

/// A `SyncArbiter` and the count of its living threads.
struct Generation<E: Equipment> {
    address: Addr<Worker<E>>,
    alive: Arc<()>,
    born: Instant,
}

/// The way to the workers. Cheap to clone.
#[derive(Clone)]
pub struct WorkerPool<E: Equipment> {
    inner: Arc<Inner<E>>,
}

struct Inner<E: Equipment> {
    generation: ArcSwap<Generation<E>>,
    threads: usize,
    equipment: E,
    backlog: Arc<Backlog>,
    restarts: Restarts,
    metrics: Arc<Metrics>,
}

impl<E: Equipment> std::fmt::Debug for WorkerPool<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WorkerPool")
            .field("kind", &E::KIND)
            .field("threads", &self.inner.threads)
            .finish_non_exhaustive()
    }
}

impl<E: Equipment> WorkerPool<E> {
    /// Starts `threads` workers; at most `queue` messages are at work or waiting, fewer when a queue stands. Needs a running
    /// system.
    pub fn start(
        equipment: E,
        threads: usize,
        queue: usize,
        restarts: Restarts,
        metrics: Arc<Metrics>,
    ) -> Self {
        let backlog = Arc::new(Backlog::new(queue, threads, E::WAIT));
        let generation = start_generation(&equipment, threads, &backlog, &restarts, &metrics);
        E::metrics(&metrics).most.set(i64::try_from(threads).unwrap_or(i64::MAX));
        let inner = Inner {
            generation: ArcSwap::from_pointee(generation),
            threads,
            equipment,
            backlog,
            restarts,
            metrics,
        };
        Self { inner: Arc::new(inner) }
    }

    /// Sends a message and waits for its answer, at most until the request deadline.
    pub async fn ask<W: Work<E>>(&self, work: W) -> Result<W::Reply, CatalogError> {
        let Some(permit) = self.inner.backlog.admit() else {
            E::metrics(&self.inner.metrics).refused.inc();
            E::KIND.metrics(&self.inner.metrics).refusals.inc();
            return Err(CatalogError::Overloaded);
        };
        self.send(work, permit, REQUEST_DEADLINE).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the handle that admits: the permit bounds the queue"
    )]
    async fn send<W: Work<E>>(
        &self,
        work: W,
        permit: Permit,
        patience: Duration,
    ) -> Result<W::Reply, CatalogError> {
        let deadline = Instant::now() + patience;
        let envelope = Envelope { work, deadline, _permit: permit, _to: std::marker::PhantomData };
        let generation = self.inner.generation.load_full();
        match generation.address.send(envelope).timeout(patience).await {
            Ok(answer) => answer,
            Err(MailboxError::Timeout) => Err(CatalogError::DeadlineExceeded),
            Err(MailboxError::Closed) => {
                Err(CatalogError::Unavailable(format!("{} actor lost", E::KIND.name())))
            }
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

    /// Messages in flight or waiting.
    pub fn in_flight(&self) -> usize {
        self.inner.backlog.taken()
    }

    /// Brings the gauges up to date that nothing else moves.
    pub(super) fn observe(&self) {
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let counters = E::metrics(&self.inner.metrics);
        counters.permits_available.set(gauge(self.inner.backlog.left()));
        counters.threads.set(gauge(self.alive()));
    }
}

impl<E: Equipment> Heal for WorkerPool<E> {
    /// Replaces a generation that lost a thread; the old one finishes its queue and ends by itself.
    fn heal(&self) {
        let alive = self.alive();
        let settled = self.inner.generation.load().born.elapsed() > GENERATION_SETTLES;
        if settled && alive < self.inner.threads {
            let Inner { equipment, threads, backlog, restarts, metrics, .. } = &*self.inner;
            restarts.record(E::KIND, &format!("{alive} of {threads} threads alive"));
            let next = start_generation(equipment, *threads, backlog, restarts, metrics);
            self.inner.generation.store(Arc::new(next));
        }
    }
}

fn start_generation<E: Equipment>(
    equipment: &E,
    threads: usize,
    backlog: &Arc<Backlog>,
    restarts: &Restarts,
    metrics: &Arc<Metrics>,
) -> Generation<E> {
    let alive = Arc::new(());
    let (equipment, restarts, metrics) = (equipment.clone(), restarts.clone(), Arc::clone(metrics));
    let (token, backlog) = (Arc::clone(&alive), Arc::clone(backlog));
    // The factory must be infallible: it clones handles and connects to nothing.
    let address = SyncArbiter::start(threads, move || Worker {
        equipment: equipment.clone(),
        restarts: restarts.clone(),
        metrics: Arc::clone(&metrics),
        backlog: Arc::clone(&backlog),
        _alive: Arc::clone(&token),
    });
    Generation { address, alive, born: Instant::now() }
}
