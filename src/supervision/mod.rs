//! What actix does not do: catching panics, counting restarts, replacing the dead, giving up in time.

pub mod guard;
pub mod intensity;
pub mod permits;
pub mod slot;
pub mod supervisor;

pub use guard::guarded;
pub use intensity::Restarts;
pub use permits::{Permit, Permits};
pub use slot::{Heal, Slot};
pub use supervisor::CatalogSupervisor;
