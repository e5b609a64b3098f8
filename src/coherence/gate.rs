//! What a read looks at: lease, era, fence. Atomics only, written by the core, read by everybody without a lock.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};

use super::{clock::Moment, fence::Fence};
use crate::domain::dependency::Dependency;

/// Where an answer was read: the position of the log, and the history that the position belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Ordinal of the era in this process.
    pub era: u32,
    /// It reflects every event on its dependencies up to here.
    pub position: i64,
}

/// Generation of the fence at which something was last found to have missed no change; for [`Gate::admits_again`].
#[derive(Debug, Default)]
pub struct Checked(AtomicU64);

/// The published part of what an instance knows.
#[derive(Debug)]
pub struct Gate {
    /// End of the lease; 0 without one.
    deadline: AtomicU64,
    /// When the last renewal was sent that extended the lease: everything committed before is applied.
    vouched: AtomicU64,
    /// Ordinal of the era: entries of an earlier one are worth nothing.
    era: AtomicU32,
    /// Every event up to here has raised the fence.
    applied: AtomicI64,
    /// Every member has applied, or cannot serve without having applied, the log up to here: as far as is known.
    stable: AtomicI64,
    fence: Fence,
}

impl Gate {
    /// A gate with a fence of `slots` slots, closed: no lease.
    pub fn new(slots: usize) -> Self {
        Self {
            deadline: AtomicU64::new(0),
            vouched: AtomicU64::new(0),
            era: AtomicU32::new(0),
            applied: AtomicI64::new(0),
            stable: AtomicI64::new(0),
            fence: Fence::with_slots(slots),
        }
    }

    /// Whether the lease covers `now`: then everything stable at `now` has raised the fence. A read asks this before it
    /// looks at anything else.
    pub fn is_leased(&self, now: Moment) -> bool {
        now < self.deadline()
    }

    /// End of the lease; [`Moment::default`] without one.
    pub fn deadline(&self) -> Moment {
        Moment(self.deadline.load(Ordering::Acquire))
    }

    /// When the last renewal was sent that extended the lease: everything committed before is applied.
    pub fn vouched(&self) -> Moment {
        Moment(self.vouched.load(Ordering::Acquire))
    }

    /// Ordinal of the era.
    pub fn era(&self) -> u32 {
        self.era.load(Ordering::Acquire)
    }

    /// Every event up to this position has raised the fence.
    pub fn applied(&self) -> i64 {
        self.applied.load(Ordering::Acquire)
    }

    /// The last position known to be stable.
    pub fn stable(&self) -> i64 {
        self.stable.load(Ordering::Acquire)
    }

    /// Whether what was read at `stamp` and has these dependencies has missed no change known here.
    pub fn admits(&self, stamp: Stamp, dependencies: &[Dependency]) -> bool {
        #[cfg(feature = "mutants")]
        if super::mutants::is_active(super::mutants::Mutant::NoChecks) {
            return true;
        }
        #[cfg(feature = "mutants")]
        if super::mutants::is_active(super::mutants::Mutant::NoFence) {
            return stamp.era == self.era();
        }
        // The era is looked at after the fence: a fence that another era has emptied meanwhile must not be believed.
        self.fence.admits(stamp.position, dependencies) && stamp.era == self.era()
    }

    /// The last position known to have touched any of `dependencies`.
    pub fn height(&self, dependencies: &[Dependency]) -> i64 {
        self.fence.height(dependencies)
    }

    /// The same for what is asked about again and again: `checked` remembers the generation of the fence at which it was admitted
    /// last, and as long as that has not changed, the dependencies need not be gone through.
    ///
    /// Every raise that this read must know of (it was over before) is counted in the generation that is loaded here. If that is
    /// the one remembered, whoever remembered it had loaded it before looking at the heights, and so saw that raise too.
    pub fn admits_again(&self, stamp: Stamp, dependencies: &[Dependency], checked: &Checked) -> bool {
        let generation = self.fence.generation();
        if checked.0.load(Ordering::Acquire) == generation {
            return stamp.era == self.era();
        }
        let is_admitted = self.admits(stamp, dependencies);
        if is_admitted {
            checked.0.store(generation, Ordering::Release);
        }
        is_admitted
    }

    pub(super) fn raise(&self, dependencies: &[Dependency], position: i64) {
        self.fence.raise(dependencies, position);
    }

    pub(super) fn set_applied(&self, position: i64) {
        self.applied.store(position, Ordering::Release);
    }

    pub(super) fn raise_stable(&self, position: i64) {
        self.stable.fetch_max(position, Ordering::AcqRel);
    }

    pub(super) fn extend(&self, sent: Moment, deadline: Moment) {
        self.vouched.fetch_max(sent.0, Ordering::AcqRel);
        self.deadline.fetch_max(deadline.0, Ordering::AcqRel);
    }

    pub(super) fn drop_lease(&self) {
        self.deadline.store(0, Ordering::Release);
    }

    /// Begins another era at `position`. In this order: no lease, the position (whoever finds the new era must not find one of
    /// the old with it), nothing of the old era, then the new fence.
    pub(super) fn reset(&self, position: i64) {
        self.drop_lease();
        self.applied.store(position, Ordering::Release);
        self.era.fetch_add(1, Ordering::AcqRel);
        self.fence.reset(position);
        self.stable.store(0, Ordering::Release);
    }
}

/// The values as they are at the moment.
impl Clone for Gate {
    fn clone(&self) -> Self {
        Self {
            deadline: AtomicU64::new(self.deadline().0),
            vouched: AtomicU64::new(self.vouched().0),
            era: AtomicU32::new(self.era()),
            applied: AtomicI64::new(self.applied()),
            stable: AtomicI64::new(self.stable()),
            fence: self.fence.clone(),
        }
    }
}

impl PartialEq for Gate {
    fn eq(&self, other: &Self) -> bool {
        (self.deadline(), self.era(), self.applied(), self.stable())
            == (other.deadline(), other.era(), other.applied(), other.stable())
            && self.fence == other.fence
    }
}

impl Eq for Gate {}

impl std::hash::Hash for Gate {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (self.deadline(), self.era(), self.applied(), self.stable()).hash(state);
        self.fence.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    #[test]
    fn an_emptied_fence_admits_nothing_of_the_era_before() {
        const ERAS: u32 = 200_000;
        let gate = Gate::new(64);
        let dependencies = [Dependency(1)];
        let raised_in = AtomicU32::new(0);
        let is_over = AtomicBool::new(false);
        let believed = std::thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let mut believed = 0;
                while !is_over.load(Ordering::Acquire) {
                    // Read at 5 in an era in which it was touched at 7.
                    let stamp = Stamp { era: raised_in.load(Ordering::Acquire), position: 5 };
                    believed += u32::from(stamp.era > 0 && gate.admits(stamp, &dependencies));
                }
                believed
            });
            for _ in 0..ERAS {
                gate.reset(0);
                gate.raise(&dependencies, 7);
                raised_in.store(gate.era(), Ordering::Release);
            }
            is_over.store(true, Ordering::Release);
            reader.join().unwrap()
        });
        assert_eq!(believed, 0);
    }

    #[test]
    fn what_was_admitted_before_is_refused_after_a_touch() {
        const TOUCHES: i64 = 300_000;
        let gate = Gate::new(1 << 10);
        let dependencies = [Dependency(1), Dependency(2), Dependency(3)];
        let entries: Vec<Checked> = (0..=TOUCHES).map(|_| Checked::default()).collect();
        // Everything up to here has raised the fence.
        let touched = AtomicI64::new(0);
        let read = || {
            let mut believed = 0;
            let mut position = 0;
            while position < TOUCHES {
                position = touched.load(Ordering::Acquire);
                // The last that is right, and the one that the last touch made wrong: both readers meet at these.
                for stamp in position.saturating_sub(1).max(0)..=position {
                    let before = touched.load(Ordering::Acquire);
                    let checked = &entries[usize::try_from(stamp).unwrap()];
                    let is_admitted =
                        gate.admits_again(Stamp { era: 0, position: stamp }, &dependencies, checked);
                    believed += u32::from(is_admitted && before > stamp);
                }
            }
            believed
        };
        let believed = std::thread::scope(|scope| {
            let readers = [scope.spawn(read), scope.spawn(read)];
            for position in 1..=TOUCHES {
                gate.raise(&dependencies[usize::try_from(position % 3).unwrap()..], position);
                touched.store(position, Ordering::Release);
            }
            readers.map(|reader| reader.join().unwrap())
        });
        assert_eq!(believed, [0, 0]);
    }

    #[test]
    fn a_check_is_remembered_until_the_fence_is_raised() {
        let (gate, checked) = (Gate::new(8), Checked::default());
        let stamp = Stamp { era: 0, position: 5 };
        assert!(gate.admits_again(stamp, &[Dependency(1)], &checked));
        // With other dependencies it would not be: they are not looked at again.
        gate.raise(&[Dependency(2)], 9);
        assert!(gate.admits_again(stamp, &[Dependency(1)], &checked));
        assert!(gate.admits_again(stamp, &[Dependency(2)], &checked));
        gate.raise(&[Dependency(1)], 6);
        assert!(!gate.admits_again(stamp, &[Dependency(1)], &checked));
        gate.reset(0);
        assert!(!gate.admits_again(stamp, &[Dependency(1)], &checked), "of an era that is over");
    }
}
