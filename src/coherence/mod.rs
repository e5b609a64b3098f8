//! Coherence: what makes cached answers never older than an acknowledged edit, on any instance.
//!
//! [`core`] is the protocol as a pure state machine; [`gate`] is what a read looks at; [`shared`] puts both between the
//! threads of a process. Three actors drive it: the [`follower`] reads the log, the [`keeper`] holds the lease, the
//! [`messenger`] exchanges changes and acknowledgements over Redis, which saves time and proves nothing. The [`pruner`]
//! deletes what nobody will ask the log for again.

pub mod change;
pub mod clock;
pub mod clock_watch;
pub mod core;
pub mod fence;
pub mod follower;
pub mod gate;
pub mod keeper;
pub mod members;
pub mod messenger;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod pruner;
pub mod rules;
pub mod shared;
pub mod watch;

pub use change::Change;
pub use clock::Moment;
pub use fence::Fence;
pub use gate::{Checked, Gate, Stamp};
pub use shared::{Coherence, Era};
