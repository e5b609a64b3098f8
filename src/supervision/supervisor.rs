//! The supervisor: looks at its children, has the dead replaced, and gives up when they die too often.

use std::sync::Arc;

use actix::{Actor, AsyncContext, Context, System};

use super::{guard::guarded, intensity::Restarts, slot::Heal};
use crate::limits::SUPERVISION_INTERVAL;

/// Exit code of a process whose actors broke more often than the restart intensity allows.
pub const EXIT_RESTART_STORM: i32 = 70;

/// One per process. Owns nothing: children mend themselves when told to look.
pub struct CatalogSupervisor {
    children: Vec<Arc<dyn Heal>>,
    restarts: Restarts,
}

impl std::fmt::Debug for CatalogSupervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CatalogSupervisor").field("children", &self.children.len()).finish_non_exhaustive()
    }
}

impl CatalogSupervisor {
    /// A supervisor of these children.
    pub fn new(children: Vec<Arc<dyn Heal>>, restarts: Restarts) -> Self {
        Self { children, restarts }
    }

    fn look(&self) {
        for child in &self.children {
            child.heal();
        }
        if let Some(kind) = self.restarts.exceeded() {
            log::error!(
                "restart intensity exceeded, the process ends so that its supervisor takes over kind={}",
                kind.name()
            );
            System::current().stop_with_code(EXIT_RESTART_STORM);
        }
    }
}

impl Actor for CatalogSupervisor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(SUPERVISION_INTERVAL, |supervisor, _context| {
            // Nobody watches the watcher: without one the process must not go on.
            if let Err(panicked) = guarded(|| supervisor.look()) {
                log::error!("the supervisor panicked, the process ends reason={}", panicked.what);
                System::current().stop_with_code(EXIT_RESTART_STORM);
            }
        });
    }
}
