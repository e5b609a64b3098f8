//! An actor on an arbiter of its own, behind an address that is replaced should the actor be found dead.

use std::sync::Arc;

use actix::{Actor, Addr, Arbiter, ArbiterHandle, Context, Supervised, Supervisor};
use arc_swap::ArcSwap;

use super::intensity::{Kind, Restarts};

/// One supervised actor. A caught panic restarts it in place (actix' own supervisor does that when the context stops);
/// this replaces one that died all the same.
pub struct Slot<A: Actor> {
    address: ArcSwap<Addr<A>>,
    arbiter: ArbiterHandle,
    make: Arc<dyn Fn() -> A + Send + Sync>,
    kind: Kind,
    restarts: Restarts,
}

impl<A> std::fmt::Debug for Slot<A>
where
    A: Actor,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<A> Slot<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    /// Starts the actor on a new thread. `make` must be infallible. Needs a running system.
    pub fn start(kind: Kind, restarts: Restarts, make: impl Fn() -> A + Send + Sync + 'static) -> Self {
        let make: Arc<dyn Fn() -> A + Send + Sync> = Arc::new(make);
        let arbiter = Arbiter::new().handle();
        let address = ArcSwap::from_pointee(begin(&arbiter, &make));
        Self { address, arbiter, make, kind, restarts }
    }

    /// The address of the actor that lives.
    pub fn address(&self) -> Arc<Addr<A>> {
        self.address.load_full()
    }
}

/// Something that can be found broken and mended.
pub trait Heal: Send + Sync {
    /// Mends what is broken; does nothing otherwise. Must not block.
    fn heal(&self);
}

impl<A> Heal for Slot<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    fn heal(&self) {
        if !self.address.load().connected() {
            self.restarts.record(self.kind, "found dead");
            self.address.store(Arc::new(begin(&self.arbiter, &self.make)));
        }
    }
}

fn begin<A>(arbiter: &ArbiterHandle, make: &Arc<dyn Fn() -> A + Send + Sync>) -> Addr<A>
where
    A: Supervised + Actor<Context = Context<A>>,
{
    let make = Arc::clone(make);
    Supervisor::start_in_arbiter(arbiter, move |_: &mut Context<A>| make())
}
