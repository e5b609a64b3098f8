//! How long leases last, and when they have surely ended.

use std::time::Duration;

use super::clock::Moment;
use crate::limits::LEASE_MAX;

/// The terms of the lease. One instance counts its own from before it asked, everybody else from after they learned of it;
/// clocks may run at different rates, so each side also gives away a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Length of this instance's lease.
    pub lease: Duration,
    /// Parts of a hundred by which a clock may run wrong over a lease.
    pub drift_percent: u32,
    /// What others wait beyond that.
    pub margin: Duration,
}

impl Rules {
    /// Rules for a lease of this length, with the drift and margin of production.
    pub fn of(lease: Duration) -> Self {
        Self { lease, drift_percent: 1, margin: Duration::from_millis(50) }
    }

    /// When a lease ends whose renewal was sent at `sent`.
    pub fn ends(&self, sent: Moment) -> Moment {
        sent.after(self.lease.saturating_sub(self.drift(self.lease)))
    }

    /// From when on no lease of this length can be alive that was granted before `since`.
    pub fn outlived(&self, lease: Duration, since: Moment) -> Moment {
        since.after(lease).after(self.drift(lease)).after(self.margin)
    }

    /// The same for a lease whose length is not known.
    pub fn outlived_by_all(&self, since: Moment) -> Moment {
        self.outlived(self.lease.max(LEASE_MAX), since)
    }

    fn drift(&self, lease: Duration) -> Duration {
        lease.saturating_mul(self.drift_percent) / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_outlives_a_lease_before_its_owner_gave_it_up() {
        let rules = Rules::of(Duration::from_secs(2));
        let sent = Moment(1_000);
        assert_eq!(rules.ends(sent), sent.after(Duration::from_millis(1980)));
        assert_eq!(rules.outlived(rules.lease, sent), sent.after(Duration::from_millis(2070)));
        assert!(rules.outlived_by_all(sent) >= sent.after(LEASE_MAX));
    }
}
