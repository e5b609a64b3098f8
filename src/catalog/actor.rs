//! The catalogue actor: one per HTTP worker, on that worker's own thread; answers every hit.
//!
//! A hit is: lease, clock, local cache, fence. No I/O, no other thread, no lock held beyond a look-up.

use std::sync::Arc;

use actix::{Actor, ActorContext, Context, Handler, Message, Supervised};
use prometheus::IntCounter;

use super::{
    error::CatalogError,
    messages::{Answer, Body, Get, Key, Outcome, Parts, Source},
};
use crate::{
    cache::{Entry, LocalCache, Value},
    coherence::{Coherence, Moment},
    supervision::{Restarts, guarded, intensity::Kind},
};

/// A message to the catalogue actor. [`Get`] is the usual one.
pub trait CatalogMessage: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs.
    const NAME: &'static str;
    /// Does it; must not block.
    fn handle(self, catalog: &mut Reader) -> Self::Reply;
}

/// The reading side of the local cache and of the coherence state.
#[derive(Debug, Clone)]
pub struct Reader {
    /// Cached answers.
    pub local: Arc<LocalCache>,
    /// Lease, era, fence.
    pub coherence: Arc<Coherence>,
    /// Counts entries found below their fence.
    pub fenced: IntCounter,
}

/// What a look-up found.
#[derive(Debug)]
pub enum Lookup {
    /// The answer.
    Hit(Answer),
    /// This key must be filled first.
    Miss {
        /// What is missing.
        key: Key,
        /// The slug or SKU that led there, if it is not the key asked for.
        via: Option<Arc<Entry>>,
    },
    /// There is no lease, so the caches prove nothing.
    Lapsed,
}

impl Reader {
    /// Answers from the local cache, following a slug or SKU to its product.
    ///
    /// The lease is looked at before anything else: then everything stable at that instant has raised the fence, and what
    /// the fence admits afterwards is an answer of now. In another order a lease that lapsed and came back would go unnoticed.
    pub fn look_up(&self, get: &Get) -> Lookup {
        if !self.is_leased() {
            return Lookup::Lapsed;
        }
        self.find(get)
    }

    /// The same without a lease: an answer that nothing known here has overtaken.
    pub fn look_up_unverified(&self, get: &Get) -> Option<Answer> {
        match self.find(get) {
            Lookup::Hit(answer) => Some(Answer { unverified: Some(self.coherence.age()), ..answer }),
            Lookup::Miss { .. } | Lookup::Lapsed => None,
        }
    }

    /// A page of which the choice and order may be overtaken, if the request takes one of its age; its cards are as current as
    /// those of any other answer. Its position is where it was read.
    pub fn look_up_bounded(&self, get: &Get) -> Option<Answer> {
        if !self.is_leased() {
            return None;
        }
        let entry = self.local.get(&get.key)?;
        let Value::Body(body) = &entry.value else { return None };
        let listing = body.listed()?;
        let age = Moment::now().since(listing.read);
        let is_late_enough =
            get.age_max.is_some_and(|most| age <= most) && entry.stamp.position >= get.min_position;
        let of_cards = entry.dependencies.get(listing.dependencies..)?;
        if !is_late_enough || !self.coherence.gate().admits(entry.stamp, of_cards) {
            return None;
        }
        match resolve(&entry, get) {
            Resolved::Outcome(outcome) => {
                let position = entry.stamp.position;
                let parts = Parts { via: None, entry };
                Some(Answer { outcome, position, source: Source::Local, unverified: Some(age), parts })
            }
            Resolved::Follow(_) | Resolved::CodingUnmade => None,
        }
    }

    pub(super) fn is_leased(&self) -> bool {
        #[cfg(feature = "mutants")]
        {
            use crate::coherence::mutants::{Mutant, is_active};
            if is_active(Mutant::NoChecks) || is_active(Mutant::NoLease) {
                return true;
            }
        }
        self.coherence.gate().is_leased(Moment::now())
    }

    fn find(&self, get: &Get) -> Lookup {
        // Whatever is found current below is current at least up to here.
        let applied = self.coherence.gate().applied();
        let Some(mut entry) = self.current(&get.key) else {
            return Lookup::Miss { key: get.key.clone(), via: None };
        };
        let mut via: Option<Arc<Entry>> = None;
        loop {
            match resolve(&entry, get) {
                Resolved::Outcome(outcome) => {
                    // Name and product must hold at one instant: the name may have gone to another product meanwhile.
                    if via.as_ref().is_some_and(|via| !self.admits(via)) {
                        return Lookup::Miss { key: get.key.clone(), via: None };
                    }
                    let position = if via.is_some() { applied } else { applied.max(entry.stamp.position) };
                    return Lookup::Hit(Answer {
                        outcome,
                        position,
                        source: Source::Local,
                        unverified: None,
                        parts: Parts { via, entry },
                    });
                }
                Resolved::Follow(next) => {
                    let Some(product) = self.current(&next) else {
                        return Lookup::Miss { key: next, via: Some(entry) };
                    };
                    via = Some(std::mem::replace(&mut entry, product));
                }
                Resolved::CodingUnmade => {
                    let key = entry_key(via.as_deref(), get);
                    return Lookup::Miss { key, via };
                }
            }
        }
    }

    /// The entry of `key`, if it has missed no known change.
    pub fn current(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.local.get(key)?;
        if self.admits(&entry) {
            Some(entry)
        } else {
            self.fenced.inc();
            None
        }
    }

    /// Whether an entry has missed no known change.
    pub fn admits(&self, entry: &Entry) -> bool {
        entry.is_current(self.coherence.gate())
    }
}

/// The key of what a look-up arrived at: what the slug or SKU names, or what was asked for.
fn entry_key(via: Option<&Entry>, get: &Get) -> Key {
    match via.map(|via| resolve(via, get)) {
        Some(Resolved::Follow(key)) => key,
        Some(Resolved::Outcome(_) | Resolved::CodingUnmade) | None => get.key.clone(),
    }
}

/// What an entry means for a read.
pub(super) enum Resolved {
    /// The answer.
    Outcome(Outcome),
    /// It names another key.
    Follow(Key),
    /// It has the answer, not yet in the coding asked for.
    CodingUnmade,
}

/// Reads an entry for a request.
pub(super) fn resolve(entry: &Entry, get: &Get) -> Resolved {
    let found = |body: Option<Body>| {
        body.map_or(Resolved::CodingUnmade, |body| Resolved::Outcome(Outcome::Found(body)))
    };
    match &entry.value {
        Value::Product { body, .. } | Value::Body(body) => found(body.body(get.coding)),
        Value::Names(id) => Resolved::Follow(Key::Product(*id, get.view)),
        Value::Moved(slug) => Resolved::Outcome(Outcome::MovedTo(Arc::clone(slug))),
        // Ids are only ever asked for by a page's flight.
        Value::Ids(_) | Value::Absent => Resolved::Outcome(Outcome::Absent),
    }
}

impl CatalogMessage for Get {
    type Reply = Lookup;
    const NAME: &'static str = "get";

    fn handle(self, catalog: &mut Reader) -> Lookup {
        catalog.look_up(&self)
    }
}

/// Asks for what is cached, though there is no lease.
#[derive(Debug, Clone)]
pub struct GetUnverified(pub Get);

impl CatalogMessage for GetUnverified {
    type Reply = Option<Answer>;
    const NAME: &'static str = "get_unverified";

    fn handle(self, catalog: &mut Reader) -> Option<Answer> {
        catalog.look_up_unverified(&self.0)
    }
}

/// Asks for a page of which the choice may be old: [`Get::age_max`].
#[derive(Debug, Clone)]
pub struct GetBounded(pub Get);

impl CatalogMessage for GetBounded {
    type Reply = Option<Answer>;
    const NAME: &'static str = "get_bounded";

    fn handle(self, catalog: &mut Reader) -> Option<Answer> {
        catalog.look_up_bounded(&self.0)
    }
}

/// A message on its way to the actor.
#[derive(Debug)]
pub struct Envelope<M>(pub M);

impl<M: CatalogMessage> Message for Envelope<M> {
    type Result = Result<M::Reply, CatalogError>;
}

/// One per HTTP worker.
#[derive(Debug)]
pub struct CatalogActor {
    reader: Reader,
    restarts: Restarts,
}

impl CatalogActor {
    /// An actor that reads through `reader`.
    pub fn new(reader: Reader, restarts: Restarts) -> Self {
        Self { reader, restarts }
    }
}

impl Actor for CatalogActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(crate::limits::CATALOG_INFLIGHT_MAX);
    }
}

// Nothing to clear on a restart: the reader holds handles to shared state and no state of its own.
impl Supervised for CatalogActor {}

impl<M: CatalogMessage> Handler<Envelope<M>> for CatalogActor {
    type Result = Result<M::Reply, CatalogError>;

    fn handle(&mut self, envelope: Envelope<M>, context: &mut Context<Self>) -> Self::Result {
        let outcome = guarded(|| envelope.0.handle(&mut self.reader));
        outcome.map_err(|panicked| {
            self.restarts.record_panic(Kind::Catalog, &panicked.what, M::NAME);
            context.stop();
            panicked.into()
        })
    }
}
