//! An actor that works in short blocking steps on a thread of its own: those that hold a connection to Postgres, whose
//! client offers no wait with a time limit.

use std::time::Duration;

use actix::{Actor, ActorContext, AsyncContext, Context, Handler, Message, Supervised};

use super::{
    guard::guarded,
    intensity::{Kind, Restarts},
};
use crate::catalog::CatalogError;

/// What such an actor does.
pub trait Step: Unpin + Send + 'static {
    /// What it is.
    const KIND: Kind;
    /// Time between two steps.
    const INTERVAL: Duration;
    /// Does what is due; may block for a round trip.
    fn step(&mut self);
    /// A fresh state with the same settings, after a panic.
    #[must_use]
    fn fresh(&self) -> Self;
}

/// A message to such an actor.
pub trait StepMessage: Send + 'static {
    /// The state it is handled by.
    type State: Step;
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs.
    const NAME: &'static str;
    /// Does it.
    fn handle(self, state: &mut Self::State) -> Self::Reply;
}

/// The actor; see the module.
#[derive(Debug)]
pub struct Stepper<S> {
    state: S,
    restarts: Restarts,
}

impl<S: Step> Stepper<S> {
    /// An actor with this state.
    pub fn new(state: S, restarts: Restarts) -> Self {
        Self { state, restarts }
    }

    fn begin(context: &mut Context<Self>) {
        context.run_interval(S::INTERVAL, |stepper, context| {
            if let Err(panicked) = guarded(|| stepper.state.step()) {
                stepper.restarts.record_panic(S::KIND, &panicked.what, "step");
                context.stop();
            }
        });
    }
}

impl<S: Step> Actor for Stepper<S> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        Self::begin(context);
    }
}

impl<S: Step> Supervised for Stepper<S> {
    fn restarting(&mut self, context: &mut Self::Context) {
        self.state = self.state.fresh();
        Self::begin(context);
    }
}

/// A message on its way to the actor.
#[derive(Debug)]
pub struct Envelope<M>(pub M);

impl<M: StepMessage> Message for Envelope<M> {
    type Result = Result<M::Reply, CatalogError>;
}

impl<S, M> Handler<Envelope<M>> for Stepper<S>
where
    S: Step,
    M: StepMessage<State = S>,
{
    type Result = Result<M::Reply, CatalogError>;

    fn handle(&mut self, envelope: Envelope<M>, context: &mut Context<Self>) -> Self::Result {
        guarded(|| envelope.0.handle(&mut self.state)).map_err(|panicked| {
            self.restarts.record_panic(S::KIND, &panicked.what, M::NAME);
            context.stop();
            panicked.into()
        })
    }
}
