//! The fence: for every dependency, the last log position known to have touched it.

use std::{
    hash::{Hash, Hasher},
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
};

use crate::{domain::dependency::Dependency, limits::FENCE_SLOTS};

/// Last touching positions by hash slot. Readers and the log share it without a lock.
///
/// A slot is shared by many dependencies: a collision raises more than was touched, which costs a miss and never an answer.
#[derive(Debug)]
pub struct Fence {
    slots: Box<[AtomicI64]>,
    /// Position below which nothing may be trusted: what touched everything, or history that was never seen.
    floor: AtomicI64,
    /// How often it was raised or reset, and one more: every touch that is over is counted.
    generation: AtomicU64,
}

impl Default for Fence {
    fn default() -> Self {
        Self::with_slots(FENCE_SLOTS)
    }
}

/// The values as they are at the moment: for whoever examines states, such as a model checker. The generation is no part of
/// a state: it only tells two looks at one fence apart.
impl Clone for Fence {
    fn clone(&self) -> Self {
        Self {
            slots: self.heights().map(AtomicI64::new).collect(),
            floor: AtomicI64::new(self.floor.load(Ordering::Acquire)),
            generation: AtomicU64::new(self.generation()),
        }
    }
}

impl PartialEq for Fence {
    fn eq(&self, other: &Self) -> bool {
        self.floor.load(Ordering::Acquire) == other.floor.load(Ordering::Acquire)
            && self.heights().eq(other.heights())
    }
}

impl Eq for Fence {}

impl Hash for Fence {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.floor.load(Ordering::Acquire).hash(state);
        self.heights().for_each(|height| height.hash(state));
    }
}

impl Fence {
    /// A fence of `slots` slots, all at position 0. At least one slot.
    pub fn with_slots(slots: usize) -> Self {
        let slots = (0..slots.max(1)).map(|_| AtomicI64::new(0)).collect();
        Self { slots, floor: AtomicI64::new(0), generation: AtomicU64::new(1) }
    }

    /// Records that `dependencies` were touched at `position`. Positions may come in any order and repeatedly.
    pub fn raise(&self, dependencies: &[Dependency], position: i64) {
        for dependency in dependencies {
            let height = if *dependency == Dependency::ALL { &self.floor } else { self.slot(*dependency) };
            height.fetch_max(position, Ordering::AcqRel);
        }
        // Even where nothing rose: another thread may have raised it just now and not have counted it yet, and whoever called
        // this relies on it from here on.
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    /// Number of the state of the fence, never 0: while it stays the same, what was admitted after it was read still is.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The last position known to have touched any of `dependencies`.
    pub fn height(&self, dependencies: &[Dependency]) -> i64 {
        dependencies
            .iter()
            .map(|dependency| self.slot(*dependency).load(Ordering::Acquire))
            .fold(self.floor.load(Ordering::Acquire), i64::max)
    }

    /// Whether an answer stamped `stamp` with these dependencies has missed no change known here.
    pub fn admits(&self, stamp: i64, dependencies: &[Dependency]) -> bool {
        stamp >= self.height(dependencies)
    }

    /// Forgets every height: positions now belong to another history, of which nothing before `floor` is known.
    pub fn reset(&self, floor: i64) {
        for slot in &self.slots {
            slot.store(0, Ordering::Release);
        }
        self.floor.store(floor, Ordering::Release);
        self.generation.fetch_add(1, Ordering::AcqRel);
    }

    fn heights(&self) -> impl Iterator<Item = i64> {
        self.slots.iter().map(|slot| slot.load(Ordering::Acquire))
    }

    fn slot(&self, dependency: Dependency) -> &AtomicI64 {
        let hash = u64::from_ne_bytes(dependency.0.to_ne_bytes());
        let count = u64::try_from(self.slots.len()).unwrap_or(1);
        let index = usize::try_from(hash % count).unwrap_or(0);
        // The remainder is below the length and the array is never empty, so the floor is never taken here.
        self.slots.get(index).unwrap_or(&self.floor)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn everything_is_below_a_raised_floor() {
        let fence = Fence::with_slots(8);
        let dependency = Dependency::slug("lamp");
        assert!(fence.admits(0, &[dependency]));
        fence.raise(&[Dependency::ALL], 7);
        assert!(!fence.admits(6, &[dependency]));
        assert!(!fence.admits(6, &[]));
        assert!(fence.admits(7, &[dependency]));
    }

    proptest! {
        /// After the fence stands at p, nothing stamped before p is admitted: whatever the order, repeats and collisions.
        #[test]
        fn refuses_what_was_read_before_a_touch(
            touches in prop::collection::vec((any::<i64>(), 1_i64..1000), 1..50),
            slots in 1_usize..64,
        ) {
            let fence = Fence::with_slots(slots);
            for (key, position) in &touches {
                fence.raise(&[Dependency(*key)], *position);
            }
            for (key, position) in &touches {
                prop_assert!(!fence.admits(position - 1, &[Dependency(*key)]));
                let last = touches.iter().map(|(_, p)| *p).max().unwrap_or(0);
                prop_assert!(fence.admits(last, &[Dependency(*key)]));
            }
        }
    }
}
