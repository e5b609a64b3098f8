//! What a run explores.

use std::time::Duration;

use aisle::{
    coherence::{clock::Moment, rules::Rules},
    limits::LEASE_MAX,
};

use crate::{coverage::Path, mistakes::Mistake};

/// Instances.
pub(crate) const INSTANCES: usize = 2;
/// Clients that write once each, and clients that read.
pub(crate) const CLIENTS: usize = 2;
/// Clocks of different machines have nothing in common.
const ORIGINS_APART: u64 = 100;

/// One configuration.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "switches that go together in any way")]
pub(crate) struct Config {
    /// Its name.
    pub(crate) id: &'static str,
    /// What it is.
    pub(crate) what: &'static str,
    /// Seconds after which it is cut off.
    pub(crate) seconds: u64,
    /// All short runs first, rather than a few long ones: for what is cut off, and for what should be caught.
    pub(crate) is_broad: bool,
    /// What the driver does wrong.
    pub(crate) mistakes: &'static [Mistake],
    /// Steps that must have been taken, else the run shows nothing.
    pub(crate) covers: &'static [Path],
    /// Writes through the API, by one client each.
    pub(crate) writes: usize,
    /// Edits made in the database behind the API's back.
    pub(crate) edits: u8,
    /// Reads of each client, one after the other.
    pub(crate) reads: [u8; CLIENTS],
    /// Length of each instance's lease in ticks; the longer one is as long as a lease may be.
    pub(crate) leases: [u32; INSTANCES],
    /// What others wait beyond a lease, in ticks.
    pub(crate) margin: u32,
    /// Ticks by which the clocks may be apart at any time.
    pub(crate) skew: u64,
    /// No clock goes beyond this tick.
    pub(crate) ticks: u64,
    /// Which instances have cached the first value.
    pub(crate) warm: [bool; INSTANCES],
    /// There is a shared cache: it may give back any entry it was ever given.
    pub(crate) is_shared: bool,
    /// Silent members are ejected.
    pub(crate) ejects: bool,
    /// Instances that may be killed and started again.
    pub(crate) kills: u8,
    /// Instances that may leave in order.
    pub(crate) leaves: u8,
    /// Answers of the database that may be lost on their way.
    pub(crate) losses: u8,
    /// Times a fill actor may start over in the middle of a flight.
    pub(crate) drops: u8,
    /// Times a replica may be promoted that lacks the last commits.
    pub(crate) failovers: u8,
    /// Events of the log that a joining instance reads back.
    pub(crate) tail: i64,
    /// No steps are joined into one, and acknowledgements travel one by one.
    pub(crate) is_fine: bool,
    /// Whether answers must be linearizable, or only never older than an acknowledged write.
    pub(crate) is_linearizable: bool,
}

impl Config {
    /// Perfect clocks, a lease of one tick, one write.
    pub(crate) const BASE: Self = Self {
        id: "",
        what: "",
        seconds: 60,
        is_broad: false,
        mistakes: &[],
        covers: &[],
        writes: 1,
        edits: 0,
        reads: [1, 1],
        leases: [1, 1],
        margin: 0,
        skew: 0,
        ticks: 2,
        warm: [true, true],
        is_shared: false,
        ejects: false,
        kills: 0,
        leaves: 0,
        losses: 0,
        drops: 0,
        failovers: 0,
        tail: 100,
        is_fine: false,
        is_linearizable: true,
    };

    /// Whether the driver makes this mistake.
    pub(crate) fn errs(&self, mistake: Mistake) -> bool {
        self.mistakes.contains(&mistake)
    }

    fn tick(&self) -> Duration {
        // The longest lease is the longest there is, so that waits for an unknown lease are not longer than needed.
        LEASE_MAX / self.leases.iter().copied().max().unwrap_or(1)
    }

    /// The rules of an instance. Drift is a matter of the ticks here: clocks go apart by whole ones.
    pub(crate) fn rules(&self, instance: usize) -> Rules {
        let margin = if self.errs(Mistake::NoMargin) { 0 } else { self.margin };
        Rules { lease: self.tick() * self.leases[instance], drift_percent: 0, margin: self.tick() * margin }
    }

    /// The reading of an instance's clock at a tick of its own.
    pub(crate) fn moment(&self, instance: usize, tick: u64) -> Moment {
        let origin = ORIGINS_APART * u64::try_from(instance).unwrap_or(0);
        let nanoseconds = u64::try_from(self.tick().as_nanos()).unwrap_or(0);
        Moment((origin + tick) * nanoseconds)
    }

    /// Whether nothing tells one instance from the other at the beginning.
    pub(crate) fn is_symmetric(&self) -> bool {
        !self.ejects && self.warm[0] == self.warm[1] && self.leases[0] == self.leases[1]
    }

    /// Ticks after which an edit that nobody waited for must be seen by everybody.
    pub(crate) fn bound(&self) -> u64 {
        u64::from(self.leases.iter().copied().max().unwrap_or(1) + self.margin)
    }
}
