//! The caches: this process' own and the one in Redis, and the messages that travel over Redis.
//!
//! Neither decides whether an entry may be answered: that is the fence's. A broken cache may cost time, never an answer.

pub mod announcements;
pub mod breaker;
pub mod encode;
pub mod entry;
pub mod local;
pub mod shared;
pub mod tallies;

pub use entry::{Encoded, Entry, Listing, Value};
pub use local::LocalCache;
pub use shared::SharedCache;
