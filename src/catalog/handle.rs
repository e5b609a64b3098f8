//! What HTTP handlers hold: the only way to the actors.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Instant};

use actix::{Addr, MailboxError, Supervisor};
use uuid::Uuid;

use super::{
    actor::{
        self, CatalogActor, CatalogMessage, GetBounded, GetUnverified, Lookup, Reader, Resolved, resolve,
    },
    batch::{self, Batch, BatchAnswer, FillBatch, LookUp, LookedUp},
    edits::{Edit, Query},
    error::CatalogError,
    fill::{Fill, FillResult, Filled},
    fillers::Fillers,
    health::{self, Health},
    lists::{ListPool, Lists},
    loads::{self, Committed, Run, RunEdit},
    messages::{Answer, Coding, Get, Key, Parts},
    pool::{AdminPool, StorePool},
    token_uses::{NoteUse, TokenUses},
};
use crate::{
    cache::Entry,
    coherence::{
        Moment,
        messenger::{self, Announce, Messenger},
    },
    domain::origin::Origin,
    limits::{CATALOG_INFLIGHT_MAX, MIN_POSITION_PATIENCE, REQUEST_DEADLINE},
    settings::Consistency,
    supervision::{Draining, Permits, Restarts, Slot, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Times a name and what it names are read before an edit storm is told apart from bad luck.
const ATTEMPTS: usize = 8;

/// What all handles of a process share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Local cache and coherence state.
    pub reader: Reader,
    /// The fill actors.
    pub fillers: Fillers,
    /// The store actors.
    pub store: StorePool,
    /// The admin actors.
    pub admin: AdminPool,
    /// The index of lists.
    pub lists: Arc<Lists>,
    /// The list actors.
    pub list_actors: ListPool,
    /// Misses that may be under way or waiting.
    pub misses: Permits,
    /// The way to the other instances, if there is a Redis.
    pub messenger: Option<Arc<Slot<Messenger>>>,
    /// What is answered without a lease.
    pub consistency: Consistency,
    /// Restart counts.
    pub restarts: Restarts,
    /// Whether the process is about to stop.
    pub draining: Draining,
    /// Which uses of tokens were noted lately.
    pub token_uses: Arc<TokenUses>,
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
        if get.min_position > self.shared.reader.coherence.gate().applied() {
            self.reach(get.min_position).await?;
        }
        let found = self.look_up(&get).await?;
        if get.age_max.is_some()
            && !matches!(found, Lookup::Hit(_))
            && let Some(answer) = self.ask(GetBounded(get.clone())).await?
        {
            self.shared.metrics.coherence.bounded.inc();
            return Ok(answer);
        }
        match found {
            Lookup::Hit(answer) => Ok(answer),
            Lookup::Miss { key, via } => self.within_deadline(self.get_missing(get, key, via)).await,
            Lookup::Lapsed => self.within_deadline(self.get_lapsed(get)).await,
        }
    }

    /// Answers a store read of many products.
    pub async fn get_many(&self, batch: Batch) -> Result<BatchAnswer, CatalogError> {
        if batch.min_position > self.shared.reader.coherence.gate().applied() {
            self.reach(batch.min_position).await?;
        }
        match self.look_up_many(&batch, true).await? {
            LookedUp::Hit(answer) => Ok(answer),
            LookedUp::Miss => self.within_deadline(self.fill_many(batch)).await,
            LookedUp::Lapsed => self.within_deadline(self.get_many_lapsed(batch)).await,
        }
    }

    async fn look_up_many(&self, batch: &Batch, verified: bool) -> Result<LookedUp, CatalogError> {
        let found = self.ask(LookUp { batch: batch.clone(), verified }).await?;
        batch::count(&self.shared.metrics, &found);
        Ok(found)
    }

    async fn fill_many(&self, batch: Batch) -> Result<BatchAnswer, CatalogError> {
        let Some(permit) = self.shared.misses.take() else {
            self.shared.metrics.flights.refused.inc();
            return Err(CatalogError::Overloaded);
        };
        let key = batch::first_key(&batch);
        let landing = self.shared.fillers.ask(&key, FillBatch { batch, permit }).await?;
        landing.await.unwrap_or_else(|_| Err(CatalogError::Unavailable("fill actor lost".to_owned())))
    }

    /// As [`Self::get_lapsed`], for many.
    async fn get_many_lapsed(&self, batch: Batch) -> Result<BatchAnswer, CatalogError> {
        if self.shared.reader.coherence.regains_lease().await {
            match self.look_up_many(&batch, true).await? {
                LookedUp::Hit(answer) => return Ok(answer),
                LookedUp::Miss => return self.fill_many(batch).await,
                LookedUp::Lapsed => {}
            }
        }
        let metrics = &self.shared.metrics.coherence;
        if self.shared.consistency == Consistency::Available
            && let LookedUp::Hit(answer) = self.look_up_many(&batch, false).await?
        {
            metrics.unverified.inc();
            return Ok(answer);
        }
        metrics.unvouched.inc();
        Err(CatalogError::Unvouched)
    }

    async fn within_deadline<T>(
        &self,
        answer: impl Future<Output = Result<T, CatalogError>>,
    ) -> Result<T, CatalogError> {
        let answer = tokio::time::timeout(REQUEST_DEADLINE, answer).await;
        answer.unwrap_or(Err(CatalogError::DeadlineExceeded))
    }

    async fn look_up(&self, get: &Get) -> Result<Lookup, CatalogError> {
        let found = self.ask(get.clone()).await?;
        match found {
            Lookup::Hit(_) => self.shared.metrics.cache.local_hits.inc(),
            Lookup::Miss { .. } | Lookup::Lapsed => self.shared.metrics.cache.local_misses.inc(),
        }
        Ok(found)
    }

    /// Waits until the log is applied up to a position that another answer named.
    async fn reach(&self, position: i64) -> Result<(), CatalogError> {
        let coherence = &self.shared.reader.coherence;
        coherence.ring_doorbell();
        let is_reached = coherence.until(MIN_POSITION_PATIENCE, |gate| gate.applied() >= position).await;
        is_reached.then_some(()).ok_or(CatalogError::PositionAhead)
    }

    /// Fills what is missing: a slug or SKU first, then what it names. Both must hold at one instant.
    async fn get_missing(
        &self,
        get: Get,
        mut missing: Key,
        mut via: Option<Arc<Entry>>,
    ) -> Result<Answer, CatalogError> {
        for _ in 0..ATTEMPTS {
            let filled = self.fill(missing, get.coding).await?;
            match resolve(&filled.entry, &get) {
                Resolved::Outcome(outcome)
                    if via.as_ref().is_none_or(|via| self.shared.reader.admits(via)) =>
                {
                    let Filled { position, source, entry } = filled;
                    let parts = Parts { via, entry };
                    return Ok(Answer { outcome, position, source, unverified: None, parts });
                }
                // The name has gone elsewhere while its product was read.
                Resolved::Outcome(_) => (missing, via) = (get.key.clone(), None),
                Resolved::Follow(key) => (missing, via) = (key, Some(filled.entry)),
                Resolved::CodingUnmade => {
                    return Err(CatalogError::Internal("a fill without the coding asked for".to_owned()));
                }
            }
        }
        Err(CatalogError::Unavailable("what was asked for changes faster than it can be read".to_owned()))
    }

    /// There is no lease: waits for it if it is about to come back, else answers from the cache and says so, if it may.
    async fn get_lapsed(&self, get: Get) -> Result<Answer, CatalogError> {
        if self.shared.reader.coherence.regains_lease().await {
            match self.look_up(&get).await? {
                Lookup::Hit(answer) => return Ok(answer),
                Lookup::Miss { key, via } => return self.get_missing(get, key, via).await,
                Lookup::Lapsed => {}
            }
        }
        let metrics = &self.shared.metrics.coherence;
        if self.shared.consistency == Consistency::Available
            && let Some(answer) = self.ask(GetUnverified(get)).await?
        {
            metrics.unverified.inc();
            return Ok(answer);
        }
        metrics.unvouched.inc();
        Err(CatalogError::Unvouched)
    }

    /// Answers an admin read.
    pub async fn query<M: Query>(&self, query: M) -> Result<M::Reply, CatalogError> {
        self.shared.admin.ask(Run(query)).await
    }

    /// Commits an edit, invalidates what it changed, here and by message elsewhere, and returns once no instance answers
    /// with anything older. A crash in between leaves the outcome unknown to the caller, and nothing stuck: the log has it.
    /// The audit log tells where it came from.
    pub async fn edit<M: Edit>(
        &self,
        origin: Origin,
        edit: M,
    ) -> Result<Acknowledged<M::Reply>, CatalogError> {
        let coherence = &self.shared.reader.coherence;
        let era = coherence.era();
        let Committed { reply, change, seen } = self.shared.admin.ask(RunEdit { origin, edit }).await?;
        // After the commit: leases granted from here on include it.
        let since = Moment::now();
        let position = change.as_ref().map(|change| change.position);
        if let (Some(change), Some(id)) = (change, era.id) {
            if let Some(messenger) = &self.shared.messenger {
                messenger::tell(messenger, Announce { era: id, change: change.clone() });
            }
            coherence.pushed(id, &change);
        }
        // An edit that changed nothing may rest on one that is not seen everywhere yet.
        let seen = position.unwrap_or(seen);
        if let Err(error) = loads::apply_up_to(coherence, &self.shared.admin, era, seen).await {
            // Committed all the same: then time alone proves that nobody answers with anything older, here neither.
            log::warn!("the log cannot be read after an edit reason={error}");
        }
        coherence.stable(era.ordinal, seen, since).await;
        self.shared.metrics.coherence.ack_wait.observe(Moment::now().since(since).as_secs_f64());
        if coherence.gate().era() != era.ordinal {
            // The database that took it may be gone, and the edit with it.
            return Err(CatalogError::Unavailable("another era began during the edit".to_owned()));
        }
        Ok(Acknowledged { reply, position })
    }

    /// Notes that a token is used, beside whatever the caller does: it does not wait for that, nor fail with it.
    pub fn note_use(&self, token: Uuid) {
        if !self.shared.token_uses.take_due(token, Instant::now()) {
            return;
        }
        let admin = self.shared.admin.clone();
        actix_rt::spawn(async move {
            if let Err(error) = admin.ask(NoteUse(token)).await {
                log::debug!("the use of a token was not noted reason={error}");
            }
        });
    }

    /// Brings the gauges up to date that nothing else moves, for `/metrics`.
    pub fn observe(&self) {
        let Shared { reader, store, admin, lists, list_actors, metrics, .. } = &self.shared;
        let gauge = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        metrics.cache.local_bytes.set(i64::try_from(reader.local.weight()).unwrap_or(i64::MAX));
        metrics.cache.local_entries.set(gauge(reader.local.len()));
        store.observe();
        admin.observe();
        list_actors.observe();
        let (coherence, now) = (&reader.coherence, Moment::now());
        metrics.lists.products.set(gauge(lists.len()));
        metrics.lists.position.set(lists.position(coherence.gate().era()).unwrap_or(0));
        metrics.log.applied.set(coherence.gate().applied());
        metrics.log.lag_seconds.set(coherence.age().as_secs_f64());
        metrics.coherence.stable.set(coherence.gate().stable());
        metrics.coherence.members.set(gauge(coherence.members()));
        metrics.coherence.lease_seconds.set(coherence.gate().deadline().since(now).as_secs_f64());
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

    async fn fill(&self, key: Key, coding: Coding) -> FillResult {
        match self.await_flight(&key, coding).await {
            // The fill actor started over while this waited: nothing was done, so ask the fresh one once.
            None => {
                let again = self.await_flight(&key, coding).await;
                again.unwrap_or_else(|| Err(CatalogError::Unavailable("fill actor lost".to_owned())))
            }
            Some(result) => result,
        }
    }

    async fn await_flight(&self, key: &Key, coding: Coding) -> Option<FillResult> {
        let Some(permit) = self.shared.misses.take() else {
            self.shared.metrics.flights.refused.inc();
            return Some(Err(CatalogError::Overloaded));
        };
        let fill = Fill { key: key.clone(), coding, permit };
        let landing = match self.shared.fillers.ask(key, fill).await {
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
