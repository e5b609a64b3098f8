//! What HTTP handlers hold: the only way to the actors.

use std::{cell::RefCell, rc::Rc, sync::Arc};

use actix::{Addr, MailboxError, Supervisor};

use super::{
    actor::{self, CatalogActor, CatalogMessage, Lookup, Reader, Resolved, resolve},
    edits::{Edit, Query},
    error::CatalogError,
    fill::{Announce, Fill, FillResult},
    fillers::Fillers,
    health::{self, Health},
    loads::{Run, RunEdit},
    messages::{Answer, Get, Key},
    pool::StorePool,
};
use crate::{
    limits::{CATALOG_INFLIGHT_MAX, REQUEST_DEADLINE},
    supervision::{Permits, Restarts, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// What all handles of a process share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Local cache and coherence state.
    pub reader: Reader,
    /// The fill actors.
    pub fillers: Fillers,
    /// The store actors.
    pub store: StorePool,
    /// Misses that may be under way or waiting.
    pub misses: Permits,
    /// Restart counts.
    pub restarts: Restarts,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// Handle of the catalogue on one HTTP worker: this worker's catalogue actor and the way to the others.
/// Cheap to clone; stays on its thread.
#[derive(Debug, Clone)]
pub struct Catalog {
    shared: Shared,
    /// This worker's actor; replaced here, on its own thread, should it ever be found dead.
    actor: Rc<RefCell<Addr<CatalogActor>>>,
    in_flight: Permits,
}

/// A committed edit.
#[derive(Debug, Clone)]
pub struct Acknowledged<T> {
    /// What the edit answers.
    pub reply: T,
    /// Position of its event in the log; absent when nothing visible changed.
    pub position: Option<i64>,
}

impl Catalog {
    /// Starts this thread's catalogue actor. Called once on each HTTP worker.
    pub fn start(shared: Shared) -> Self {
        let actor = Rc::new(RefCell::new(start_actor(&shared)));
        Self { shared, actor, in_flight: Permits::new(CATALOG_INFLIGHT_MAX) }
    }

    /// Answers a store read: a hit by this worker's actor, a miss within the request deadline.
    pub async fn get(&self, get: Get) -> Result<Answer, CatalogError> {
        match self.look_up(&get).await? {
            Lookup::Hit(answer) => Ok(answer),
            Lookup::Miss { key, up_to } => {
                let filling = self.get_missing(get, key, up_to);
                tokio::time::timeout(REQUEST_DEADLINE, filling)
                    .await
                    .unwrap_or(Err(CatalogError::DeadlineExceeded))
            }
        }
    }

    async fn look_up(&self, get: &Get) -> Result<Lookup, CatalogError> {
        let found = self.ask(get.clone()).await?;
        match found {
            Lookup::Hit(_) => self.shared.metrics.cache.local_hits.inc(),
            Lookup::Miss { .. } => self.shared.metrics.cache.local_misses.inc(),
        }
        Ok(found)
    }

    /// Fills what is missing: a slug or SKU first, then what it names.
    async fn get_missing(
        &self,
        mut get: Get,
        mut missing: Key,
        mut up_to: i64,
    ) -> Result<Answer, CatalogError> {
        loop {
            let Some(permit) = self.shared.misses.take() else {
                self.shared.metrics.flights.refused.inc();
                return Err(CatalogError::Overloaded);
            };
            let filled = self.fill(Fill { key: missing, coding: get.coding, permit }).await?;
            up_to = up_to.min(filled.position);
            match resolve(&filled.entry, &get) {
                Resolved::Outcome(outcome) => {
                    return Ok(Answer { outcome, position: up_to, source: filled.source });
                }
                Resolved::Follow(key) => get.key = key,
                Resolved::CodingUnmade => {
                    return Err(CatalogError::Internal("a fill without the coding asked for".to_owned()));
                }
            }
            match self.look_up(&get).await? {
                Lookup::Hit(answer) => return Ok(Answer { position: up_to.min(answer.position), ..answer }),
                Lookup::Miss { key, up_to: way } => {
                    up_to = up_to.min(way);
                    missing = key;
                }
            }
        }
    }

    /// Answers an admin read.
    pub async fn query<M: Query>(&self, query: M) -> Result<M::Reply, CatalogError> {
        self.shared.store.ask(Run(query)).await
    }

    /// Commits an edit and invalidates what it changed: here before this returns, elsewhere at once by message and
    /// for certain by the log.
    pub async fn edit<M: Edit>(&self, edit: M) -> Result<Acknowledged<M::Reply>, CatalogError> {
        let (reply, change) = self.shared.store.ask(RunEdit(edit)).await?;
        let position = change.as_ref().map(|change| change.position);
        if let Some(change) = change {
            self.shared.reader.log.apply_pushed(&change);
            self.shared.fillers.tell(Announce(change));
        }
        Ok(Acknowledged { reply, position })
    }

    /// Brings the gauges up to date that nothing else moves, for `/metrics`.
    pub fn observe(&self) {
        let Shared { reader, store, metrics, .. } = &self.shared;
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        metrics.cache.local_bytes.set(i64::try_from(reader.local.weight()).unwrap_or(i64::MAX));
        metrics.cache.local_entries.set(gauge(reader.local.len()));
        metrics.store.permits_available.set(gauge(store.permits_left()));
        metrics.store.threads.set(gauge(store.alive()));
        metrics.log.applied.set(reader.log.applied());
        let lag = reader.log.read_at().map_or(f64::INFINITY, |at| at.elapsed().as_secs_f64());
        metrics.log.lag_seconds.set(lag);
    }

    /// State of the dependencies, for `/readyz`.
    pub async fn health(&self) -> Health {
        health::examine(&self.shared).await
    }

    /// Sends a message to this worker's catalogue actor.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the handle that admits: the permit bounds the mailbox"
    )]
    pub async fn ask<M: CatalogMessage>(&self, message: M) -> Result<M::Reply, CatalogError> {
        let Some(_permit) = self.in_flight.take() else {
            Kind::Catalog.metrics(&self.shared.metrics).refusals.inc();
            return Err(CatalogError::Overloaded);
        };
        let sent = self.actor.borrow().send(actor::Envelope(message));
        match sent.await {
            Ok(answer) => answer,
            Err(MailboxError::Closed) => {
                self.revive();
                Err(CatalogError::Unavailable("catalogue actor lost".to_owned()))
            }
            Err(MailboxError::Timeout) => Err(CatalogError::DeadlineExceeded),
        }
    }

    async fn fill(&self, fill: Fill) -> FillResult {
        let (key, coding) = (fill.key.clone(), fill.coding);
        match self.await_flight(fill).await {
            // The fill actor started over while this waited: nothing was done, so ask the fresh one once.
            None => {
                let permit = self.shared.misses.take().ok_or(CatalogError::Overloaded)?;
                let again = self.await_flight(Fill { key, coding, permit }).await;
                again.unwrap_or_else(|| Err(CatalogError::Unavailable("fill actor lost".to_owned())))
            }
            Some(result) => result,
        }
    }

    async fn await_flight(&self, fill: Fill) -> Option<FillResult> {
        let key = fill.key.clone();
        let landing = match self.shared.fillers.ask(&key, fill).await {
            Ok(landing) => landing,
            Err(CatalogError::Unavailable(_)) => return None,
            Err(error) => return Some(Err(error)),
        };
        // An error means the channel closed: the actor started over.
        landing.await.ok()
    }

    fn revive(&self) {
        let mut actor = self.actor.borrow_mut();
        if !actor.connected() {
            self.shared.restarts.record(Kind::Catalog, "found dead");
            *actor = start_actor(&self.shared);
        }
    }
}

fn start_actor(shared: &Shared) -> Addr<CatalogActor> {
    let Shared { reader, restarts, .. } = shared.clone();
    Supervisor::start(|_| CatalogActor::new(reader, restarts))
}
