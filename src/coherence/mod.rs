//! Keeping cached answers true: the fence that every change raises, the stamps that answers carry, the log that brings changes.
//!
//! [`fence`] and [`log`] are pure state without I/O; the actor that drives them is [`follower`]. A cached entry carries the
//! log position it was read at (its *stamp*) and what it depends on; it may be answered while no dependency was touched
//! after the stamp. Nothing here knows what is cached, and nothing here talks to Redis.

pub mod fence;
pub mod follower;
pub mod log;

pub use fence::Fence;
pub use log::{Log, Push};
