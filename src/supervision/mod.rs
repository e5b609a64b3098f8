//! What actix does not do: catching panics, counting restarts, replacing the dead, giving up in time.

pub mod backlog;
pub mod backoff;
pub mod draining;
pub mod guard;
pub mod intensity;
pub mod permits;
pub mod slot;
pub mod stepper;
pub mod supervisor;

pub use backlog::Backlog;
pub use backoff::Backoff;
pub use draining::Draining;
pub use guard::guarded;
pub use intensity::Restarts;
pub use permits::{Permit, Permits};
pub use slot::{Heal, Slot};
pub use stepper::{Step, StepMessage, Stepper};
pub use supervisor::CatalogSupervisor;
