//! The catalogue actor: one per HTTP worker, on that worker's own thread; answers every hit.
//!
//! A hit is: applied position, local cache, fence. No I/O, no other thread, no lock held beyond a look-up.

use std::sync::Arc;

use actix::{Actor, ActorContext, Context, Handler, Message, Supervised};
use prometheus::IntCounter;

use super::{
    error::CatalogError,
    messages::{Answer, Body, Get, Key, Outcome, Source},
};
use crate::{
    cache::{Entry, LocalCache, Value},
    coherence::Log,
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
    /// Applied position and fence.
    pub log: Arc<Log>,
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
        /// Position up to which the way to it is true; `i64::MAX` when it is the key asked for.
        up_to: i64,
    },
}

impl Reader {
    /// Answers from the local cache, following a slug or SKU to its product.
    pub fn look_up(&self, get: &Get) -> Lookup {
        // First of all: whatever is found current below is current at least up to here.
        let applied = self.log.applied();
        let mut key = get.key.clone();
        // An answer reached over a slug or SKU is as late as the earlier of the two.
        let mut up_to = i64::MAX;
        loop {
            let Some(entry) = self.current(&key) else { return Lookup::Miss { key, up_to } };
            let vouched = up_to.min(applied.max(entry.stamp));
            match resolve(&entry, get) {
                Resolved::Outcome(outcome) => {
                    return Lookup::Hit(Answer { outcome, position: vouched, source: Source::Local });
                }
                Resolved::Follow(next) => key = next,
                Resolved::CodingUnmade => return Lookup::Miss { key, up_to },
            }
            up_to = vouched;
        }
    }

    /// The entry of `key`, if it has missed no known change.
    pub fn current(&self, key: &Key) -> Option<Arc<Entry>> {
        let entry = self.local.get(key)?;
        if entry.is_current(self.log.fence()) {
            Some(entry)
        } else {
            self.fenced.inc();
            None
        }
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
        Value::Ids { .. } | Value::Absent => Resolved::Outcome(Outcome::Absent),
    }
}

impl CatalogMessage for Get {
    type Reply = Lookup;
    const NAME: &'static str = "get";

    fn handle(self, catalog: &mut Reader) -> Lookup {
        catalog.look_up(&self)
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
