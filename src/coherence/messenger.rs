//! The messenger: exchanges changes and acknowledgements with the other instances over Redis.
//!
//! It saves the others the round trip to the database, and edits the wait for it; nothing is proven by it. Its thread never
//! blocks, whatever the databases do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Supervised};
use uuid::Uuid;

use super::{Change, Coherence, core::Push};
use crate::{
    cache::{
        SharedCache,
        announcements::{self, Heard},
    },
    catalog::CatalogError,
    limits::ACK_INTERVAL,
    supervision::{Backoff, Restarts, Slot, guarded, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// A subscription that held this long was a good one.
const SETTLED: Duration = Duration::from_secs(2);

/// Where the messages travel.
#[derive(Debug, Clone)]
pub struct MessengerSettings {
    /// Redis URL.
    pub url: String,
    /// Identity of the catalogue, which names the channel.
    pub catalogue: Uuid,
}

/// A message to the messenger.
pub trait MessengerMessage: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs.
    const NAME: &'static str;
    /// Does it; must not block.
    fn handle(self, state: &mut State) -> Self::Reply;
}

/// Tells the other instances of a change that was committed here.
#[derive(Debug)]
pub struct Announce {
    /// The era of its position.
    pub era: Uuid,
    /// The change.
    pub change: Change,
}

impl MessengerMessage for Announce {
    type Reply = ();
    const NAME: &'static str = "announce";

    fn handle(self, state: &mut State) {
        if let Some(message) = announcements::change(self.era, &self.change) {
            state.publish(message);
        }
    }
}

impl MessengerMessage for Heard {
    type Reply = ();
    const NAME: &'static str = "heard";

    fn handle(self, state: &mut State) {
        state.metrics.redis.received.inc();
        let coherence = &state.coherence;
        match self {
            Self::Change(era, change) => {
                if coherence.pushed(era, &change) == Push::Gap {
                    coherence.ring_doorbell();
                }
            }
            Self::Ack { era, member, position } => coherence.acked(era, &member, position),
            Self::Doorbell => coherence.ring_doorbell(),
        }
    }
}

/// The log was applied further.
struct Applied;

impl MessengerMessage for Applied {
    type Reply = ();
    const NAME: &'static str = "applied";

    fn handle(self, state: &mut State) {
        if let Some((era, own, applied)) = state.coherence.acknowledgement()
            && let Some(message) = announcements::ack(era, own, applied)
        {
            state.publish(message);
        }
    }
}

/// What the messenger works with.
pub struct State {
    settings: MessengerSettings,
    coherence: Arc<Coherence>,
    metrics: Arc<Metrics>,
    redis: Option<SharedCache>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("settings", &self.settings.catalogue).finish_non_exhaustive()
    }
}

impl State {
    fn publish(&self, message: Vec<u8>) {
        let Some(redis) = self.redis.clone() else { return };
        let channel = announcements::channel(self.settings.catalogue);
        actix_rt::spawn(async move { redis.publish(&channel, message).await });
    }
}

/// Talks to the other instances; see the module.
#[derive(Debug)]
pub struct Messenger {
    state: State,
    restarts: Restarts,
}

impl Messenger {
    /// A messenger for `coherence`.
    pub fn new(
        settings: MessengerSettings,
        coherence: Arc<Coherence>,
        restarts: Restarts,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { state: State { settings, coherence, metrics, redis: None }, restarts }
    }

    fn begin(&mut self, context: &mut Context<Self>) {
        let State { settings, coherence, metrics, redis } = &mut self.state;
        match SharedCache::new(&settings.url, settings.catalogue, Arc::clone(metrics)) {
            Ok(connection) => *redis = Some(connection),
            Err(error) => log::error!("redis url unusable, going on without messages reason={error}"),
        }
        let own = context.address().downgrade();
        // Both belong to this context: a restart drops them and begins anew.
        context.spawn(actix::fut::wrap_future(listen(settings.clone(), own.clone())));
        context.spawn(actix::fut::wrap_future(acknowledge(Arc::clone(coherence), own)));
    }
}

async fn listen(settings: MessengerSettings, messenger: actix::WeakAddr<Messenger>) {
    let channel = announcements::channel(settings.catalogue);
    let mut backoff = Backoff::default();
    while let Some(messenger) = messenger.upgrade() {
        let started = Instant::now();
        let why =
            announcements::listen(&settings.url, &channel, |heard| tell_address(&messenger, heard)).await;
        log::debug!("messages not heard reason={why}");
        drop(messenger);
        if started.elapsed() > SETTLED {
            backoff.succeeded();
        }
        tokio::time::sleep(backoff.failed()).await;
    }
}

/// Acknowledges whatever is applied, several changes at a time when they come fast.
async fn acknowledge(coherence: Arc<Coherence>, messenger: actix::WeakAddr<Messenger>) {
    let mut last = 0;
    loop {
        last = coherence.applied_beyond(last).await;
        let Some(messenger) = messenger.upgrade() else { return };
        tell_address(&messenger, Applied);
        drop(messenger);
        tokio::time::sleep(ACK_INTERVAL).await;
    }
}

impl Actor for Messenger {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(1024);
        self.begin(context);
    }
}

impl Supervised for Messenger {
    fn restarting(&mut self, context: &mut Self::Context) {
        self.begin(context);
    }
}

/// A message on its way to the actor.
#[derive(Debug)]
pub struct Envelope<M>(pub M);

impl<M: MessengerMessage> Message for Envelope<M> {
    type Result = Result<M::Reply, CatalogError>;
}

impl<M: MessengerMessage> Handler<Envelope<M>> for Messenger {
    type Result = Result<M::Reply, CatalogError>;

    fn handle(&mut self, envelope: Envelope<M>, context: &mut Context<Self>) -> Self::Result {
        guarded(|| envelope.0.handle(&mut self.state)).map_err(|panicked| {
            self.restarts.record_panic(Kind::Messenger, &panicked.what, M::NAME);
            context.stop();
            panicked.into()
        })
    }
}

/// Sends without waiting for an answer.
pub fn tell<M: MessengerMessage>(to: &Slot<Messenger>, message: M) {
    tell_address(&to.address(), message);
}

#[expect(clippy::disallowed_methods, reason = "messages arrive no faster than edits commit")]
fn tell_address<M: MessengerMessage>(to: &actix::Addr<Messenger>, message: M) {
    to.do_send(Envelope(message));
}
