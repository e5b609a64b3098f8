//! The follower's side of the log: which position is applied, and how changes become fences.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use super::fence::Fence;
use crate::{domain::dependency::Dependency, store::events::Event};

/// What a pushed event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// It was the next one, or known already.
    Applied,
    /// Its fences are raised, but events before it are missing: pull.
    Gap,
}

/// One change as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its position.
    pub position: i64,
    /// What it touched.
    pub dependencies: Vec<Dependency>,
}

impl From<Event> for Change {
    fn from(event: Event) -> Self {
        Self { position: event.pos, dependencies: event.deps.into_iter().map(Dependency).collect() }
    }
}

/// The applied prefix of the log and the fence it has raised.
///
/// Positions are drawn at commit under a lock, so whoever sees one sees all smaller ones; aborted edits leave holes.
/// A pushed event therefore extends the prefix only when it follows it directly; a pull extends it to what the pull saw.
#[derive(Debug, Default)]
pub struct Log {
    fence: Fence,
    applied: AtomicI64,
    /// Serialises appliers. Readers never take it.
    applying: Mutex<()>,
    /// When the log was last read to its end.
    read_at: Mutex<Option<Instant>>,
}

impl Log {
    /// The fence, for readers.
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// Every event up to this position has raised the fence.
    pub fn applied(&self) -> i64 {
        self.applied.load(Ordering::Acquire)
    }

    /// Starts at `position` without knowing the history before it: nothing older may be trusted.
    pub fn start_after(&self, position: i64) {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        self.fence.raise_floor(position);
        self.applied.fetch_max(position, Ordering::AcqRel);
    }

    /// Notes that a pull which began at `began` has read the log to its end.
    pub fn read_to_end(&self, began: Instant) {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(began);
    }

    /// When the last pull that read the log to its end began: what was committed before is applied.
    pub fn read_at(&self) -> Option<Instant> {
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies what a pull returned: all events after [`Log::applied`] as it was before the pull, in order.
    pub fn apply_pulled(&self, changes: &[Change]) {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        for change in changes {
            self.raise(change);
        }
        if let Some(last) = changes.last() {
            self.applied.fetch_max(last.position, Ordering::AcqRel);
        }
    }

    /// Applies one event that a message brought, in whatever order.
    pub fn apply_pushed(&self, change: &Change) -> Push {
        let _applying = self.applying.lock().unwrap_or_else(PoisonError::into_inner);
        // Raising early is always allowed: it only causes misses.
        self.raise(change);
        let applied = self.applied();
        if change.position <= applied {
            Push::Applied
        } else if change.position == applied.saturating_add(1) {
            self.applied.store(change.position, Ordering::Release);
            Push::Applied
        } else {
            Push::Gap
        }
    }

    fn raise(&self, change: &Change) {
        for dependency in &change.dependencies {
            self.fence.raise(*dependency, change.position);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn change(position: i64, key: i64) -> Change {
        Change { position, dependencies: vec![Dependency(key)] }
    }

    #[test]
    fn a_gap_raises_fences_but_not_the_prefix() {
        let log = Log::default();
        assert_eq!(log.apply_pushed(&change(1, 10)), Push::Applied);
        assert_eq!(log.apply_pushed(&change(3, 30)), Push::Gap);
        assert_eq!(log.applied(), 1);
        assert!(!log.fence().admits(2, &[Dependency(30)]));
        log.apply_pulled(&[change(2, 20), change(3, 30)]);
        assert_eq!(log.applied(), 3);
        assert_eq!(log.apply_pushed(&change(2, 20)), Push::Applied);
        assert_eq!(log.applied(), 3);
    }

    proptest! {
        /// Whatever is lost, repeated or reordered among the messages, the prefix covers only what has raised the fence.
        #[test]
        fn the_applied_prefix_never_outruns_the_fence(
            order in prop::collection::vec((1_i64..30, any::<bool>()), 0..100),
        ) {
            let log = Log::default();
            for (position, pull) in order {
                if pull {
                    let from = log.applied();
                    let changes: Vec<_> = (from + 1..=position).map(|p| change(p, p)).collect();
                    log.apply_pulled(&changes);
                } else {
                    log.apply_pushed(&change(position, position));
                }
                for applied in 1..=log.applied() {
                    prop_assert!(!log.fence().admits(applied - 1, &[Dependency(applied)]));
                }
            }
        }
    }
}
