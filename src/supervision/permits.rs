//! Admission: a cap on what is in flight, because no mailbox refuses anything.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// A cap on messages in flight. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Permits {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    most: usize,
    taken: AtomicUsize,
}

/// The right to be in flight. Travels inside the message, so that a caller who gave up frees nothing that still works.
#[derive(Debug)]
pub struct Permit {
    inner: Arc<Inner>,
}

impl Permits {
    /// At most `most` at once.
    pub fn new(most: usize) -> Self {
        Self { inner: Arc::new(Inner { most, taken: AtomicUsize::new(0) }) }
    }

    /// Takes one, or refuses at once.
    pub fn take(&self) -> Option<Permit> {
        let most = self.inner.most;
        self.inner
            .taken
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |taken| (taken < most).then_some(taken + 1))
            .ok()
            .map(|_| Permit { inner: Arc::clone(&self.inner) })
    }

    /// How many may still be taken.
    pub fn left(&self) -> usize {
        self.inner.most.saturating_sub(self.taken())
    }

    /// How many are in flight.
    pub fn taken(&self) -> usize {
        self.inner.taken.load(Ordering::Acquire)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.inner.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_above_the_cap_and_frees_on_drop() {
        let permits = Permits::new(2);
        let first = permits.take().unwrap();
        let _second = permits.take().unwrap();
        assert!(permits.take().is_none());
        drop(first);
        assert_eq!(permits.taken(), 1);
        assert!(permits.take().is_some());
    }
}
