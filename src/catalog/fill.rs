//! Fill actors: load what the local cache misses, one flight per key and process.
//!
//! Chosen by key hash, each on its own thread, so everything about one key happens in one place without a lock. A fill
//! actor holds its keys' flights and a Redis connection; it alone writes its keys into the local cache. Waiting for
//! Redis or a store actor happens in tasks beside the actor, so its mailbox never stands still.

use std::{collections::HashMap, sync::Arc};

use actix::{Actor, ActorContext, Addr, AsyncContext, Context, Handler, Message, Supervised};
use futures_util::FutureExt;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    error::CatalogError,
    loader::{Loaded, Loader},
    messages::{Coding, Key, Source},
};
use crate::{
    cache::{Entry, SharedCache},
    supervision::{Permit, Restarts, guard::describe, guarded, intensity::Kind},
};

/// A message to a fill actor. [`Fill`] is the usual one.
pub trait FillMessage: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs.
    const NAME: &'static str;
    /// Does it; must not block.
    fn handle(self, filler: &mut Filler, own: &Addr<FillActor>) -> Self::Reply;
}

/// What a fill gives.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The entry, in the coding asked for.
    pub entry: Arc<Entry>,
    /// Log position up to which it is true.
    pub position: i64,
    /// Where it came from.
    pub source: Source,
}

/// Answer of a fill.
pub type FillResult = Result<Filled, CatalogError>;

/// Asks for a key to be loaded.
#[derive(Debug)]
pub struct Fill {
    /// What to load.
    pub key: Key,
    /// In which coding the answer will be sent.
    pub coding: Coding,
    /// The right to be in flight; held until the flight is over.
    pub permit: Permit,
}

/// Asks Redis whether it is there: `None` when there is none configured.
#[derive(Debug)]
pub struct PingShared;

/// A flight has landed.
struct Landed {
    key: Key,
    /// Which flight of the actor: one that took off before a restart has no waiters any more.
    number: u64,
    loaded: Result<Loaded, CatalogError>,
}

/// A load under way.
struct Flight {
    number: u64,
    waiters: Vec<Waiter>,
}

struct Waiter {
    coding: Coding,
    reply: oneshot::Sender<FillResult>,
    /// Whether the flight started for it: what was read since is an answer to it, whatever changed meanwhile.
    started_flight: bool,
    _permit: Permit,
}

/// The state of a fill actor: flights and the shared cache.
pub struct Filler {
    loader: Loader,
    shared: Option<SharedCache>,
    flights: HashMap<Key, Flight>,
    /// Flights that took off so far; goes on over restarts.
    taken_off: u64,
}

impl std::fmt::Debug for Filler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Filler").field("flights", &self.flights.len()).finish_non_exhaustive()
    }
}

impl FillMessage for Fill {
    type Reply = oneshot::Receiver<FillResult>;
    const NAME: &'static str = "fill";

    fn handle(self, filler: &mut Filler, own: &Addr<FillActor>) -> Self::Reply {
        let (reply, receiver) = oneshot::channel();
        let Self { key, coding, permit } = self;
        // Before the look: a change applied after it may be missing in what is found.
        let applied = filler.loader.reader.coherence.gate().applied();
        if let Some(entry) = filler.loader.reader.current(&key) {
            // Filled since it was missed, or only the coding is missing.
            let made = with_coding(entry, coding);
            filler.keep(key, &made);
            let position = applied.max(made.stamp.position);
            let _gone = reply.send(Ok(Filled { entry: made, position, source: Source::Local }));
            return receiver;
        }
        let waiter = Waiter { coding, reply, started_flight: false, _permit: permit };
        match filler.flights.get_mut(&key) {
            Some(flight) => {
                filler.loader.metrics.flights.joined.inc();
                flight.waiters.push(waiter);
            }
            None => filler.take_off(key, vec![waiter], own),
        }
        receiver
    }
}

impl FillMessage for Landed {
    type Reply = ();
    const NAME: &'static str = "landed";

    fn handle(self, filler: &mut Filler, own: &Addr<FillActor>) {
        if filler.flights.get(&self.key).is_none_or(|flight| flight.number != self.number) {
            return;
        }
        let waiters = filler.flights.remove(&self.key).map_or_else(Vec::new, |flight| flight.waiters);
        filler.loader.metrics.flights.in_flight.dec();
        match self.loaded {
            Ok(loaded) => filler.land(self.key, loaded, waiters, own),
            Err(error) => {
                for waiter in waiters {
                    let _gone = waiter.reply.send(Err(error.clone()));
                }
            }
        }
    }
}

impl FillMessage for PingShared {
    type Reply = Option<oneshot::Receiver<Option<std::time::Duration>>>;
    const NAME: &'static str = "ping_shared";

    fn handle(self, filler: &mut Filler, _own: &Addr<FillActor>) -> Self::Reply {
        let shared = filler.shared.clone()?;
        let (reply, receiver) = oneshot::channel();
        actix_rt::spawn(async move {
            let _gone = reply.send(shared.ping().await);
        });
        Some(receiver)
    }
}

impl Filler {
    pub(super) fn loader(&self) -> &Loader {
        &self.loader
    }

    fn take_off(&mut self, key: Key, mut waiters: Vec<Waiter>, own: &Addr<FillActor>) {
        for waiter in &mut waiters {
            waiter.started_flight = true;
        }
        self.taken_off += 1;
        let number = self.taken_off;
        self.flights.insert(key.clone(), Flight { number, waiters });
        self.loader.metrics.flights.started.inc();
        self.loader.metrics.flights.in_flight.inc();
        let (loader, shared, own) = (self.loader.clone(), self.shared.clone(), own.clone());
        actix_rt::spawn(async move {
            let flight = std::panic::AssertUnwindSafe(loader.load(&key, shared.as_ref()));
            let loaded = flight.catch_unwind().await.unwrap_or_else(|payload| {
                Err(CatalogError::Internal(format!("panic while filling: {}", describe(payload.as_ref()))))
            });
            tell(&own, Landed { key, number, loaded });
        });
    }

    fn land(&mut self, key: Key, loaded: Loaded, waiters: Vec<Waiter>, own: &Addr<FillActor>) {
        let Loaded { mut entry, source } = loaded;
        let gate = self.loader.reader.coherence.gate();
        let applied = gate.applied();
        let current = entry.is_current(gate);
        let position = if current { applied.max(entry.stamp.position) } else { entry.stamp.position };
        let mut overtaken = Vec::new();
        let mut served = Vec::new();
        for waiter in waiters {
            if current || waiter.started_flight {
                entry = with_coding(entry, waiter.coding);
                served.push(waiter);
            } else {
                // Came while the read was under way, and a change has overtaken that read: ask again.
                overtaken.push(waiter);
            }
        }
        if current {
            self.keep(key.clone(), &entry);
            if source == Source::Database {
                self.share(&key, &entry);
            }
        }
        for waiter in served {
            let source = if waiter.started_flight { source } else { Source::Collapsed };
            let _gone = waiter.reply.send(Ok(Filled { entry: Arc::clone(&entry), position, source }));
        }
        if !overtaken.is_empty() {
            self.take_off(key, overtaken, own);
        }
    }

    fn keep(&self, key: Key, entry: &Arc<Entry>) {
        self.loader.reader.local.insert(key, Arc::clone(entry));
    }

    fn share(&self, key: &Key, entry: &Arc<Entry>) {
        let Some(shared) = self.shared.clone() else { return };
        let (loader, key, entry) = (self.loader.clone(), key.clone(), Arc::clone(entry));
        actix_rt::spawn(async move { loader.share(&key, &entry, &shared).await });
    }
}

/// The entry with `coding` made, if it has a body that lacks it.
fn with_coding(entry: Arc<Entry>, coding: Coding) -> Arc<Entry> {
    use crate::cache::Value;
    let value = match &entry.value {
        Value::Product { body, card } if body.body(coding).is_none() => {
            Value::Product { body: body.with(coding), card: card.clone() }
        }
        Value::Body(body) if body.body(coding).is_none() => Value::Body(body.with(coding)),
        Value::Product { .. }
        | Value::Body(_)
        | Value::Names(_)
        | Value::Moved(_)
        | Value::Ids(_)
        | Value::Absent => return entry,
    };
    Arc::new(Entry::new(entry.stamp, entry.dependencies.clone(), value))
}

/// Where a fill actor's Redis is.
#[derive(Debug, Clone)]
pub struct SharedSettings {
    /// Redis URL.
    pub url: String,
    /// Identity of the catalogue, to keep several apart in one Redis.
    pub catalogue: Uuid,
}

/// Loads keys; see the module.
#[derive(Debug)]
pub struct FillActor {
    filler: Filler,
    settings: Option<SharedSettings>,
    restarts: Restarts,
}

impl FillActor {
    /// An actor that loads through `loader`; connects to Redis when first needed.
    pub fn new(loader: Loader, settings: Option<SharedSettings>, restarts: Restarts) -> Self {
        let filler = Filler { loader, shared: None, flights: HashMap::new(), taken_off: 0 };
        Self { filler, settings, restarts }
    }

    fn connect(&mut self) {
        let Some(settings) = &self.settings else { return };
        let metrics = Arc::clone(&self.filler.loader.metrics);
        match SharedCache::new(&settings.url, settings.catalogue, metrics) {
            Ok(shared) => self.filler.shared = Some(shared),
            Err(error) => log::error!("redis url unusable, going on without redis reason={error}"),
        }
    }
}

impl Actor for FillActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(usize::from(u16::MAX));
        self.connect();
    }
}

impl Supervised for FillActor {
    fn restarting(&mut self, _context: &mut Self::Context) {
        // Fresh state. Waiters see their channel close and ask again.
        self.filler.flights.clear();
        self.filler.loader.metrics.flights.in_flight.set(0);
        self.filler.shared = None;
        self.connect();
    }
}

/// A message on its way to the actor.
#[derive(Debug)]
pub struct Envelope<M>(pub M);

impl<M: FillMessage> Message for Envelope<M> {
    type Result = Result<M::Reply, CatalogError>;
}

impl<M: FillMessage> Handler<Envelope<M>> for FillActor {
    type Result = Result<M::Reply, CatalogError>;

    fn handle(&mut self, envelope: Envelope<M>, context: &mut Context<Self>) -> Self::Result {
        let own = context.address();
        let outcome = guarded(|| envelope.0.handle(&mut self.filler, &own));
        outcome.map_err(|panicked| {
            self.restarts.record_panic(Kind::Fill, &panicked.what, M::NAME);
            context.stop();
            panicked.into()
        })
    }
}

/// Sends without waiting for an answer; the receiver's flights are bounded by the permits their waiters hold.
#[expect(clippy::disallowed_methods, reason = "one message per admitted flight")]
fn tell<M: FillMessage>(to: &Addr<FillActor>, message: M) {
    to.do_send(Envelope(message));
}
