//! Whether the process is about to stop: it still answers, and asks its clients to go elsewhere.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// A sign that everybody sees: readiness says no, and every answer closes its connection, so that load balancers move their
/// requests before the port is closed. Cheap to clone and to look at.
#[derive(Debug, Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// Begins; there is no way back.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
