//! Watching the others' renewals, to tell who is dead without a common clock.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{clock::Moment, members::Listed, rules::Rules};

/// A member that may be ejected, on the condition that it has not renewed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Overdue {
    /// The member.
    pub id: Uuid,
    /// The renewal it was last seen at; whoever ejects it compares.
    pub renewals: i64,
}

/// For each member the renewal it was last seen at, and when this instance saw that first on its own clock. A member whose
/// lease has run out since is dead: that renewal was made before it was seen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Watch {
    seen: BTreeMap<Uuid, (i64, Moment, std::time::Duration)>,
}

impl Watch {
    /// Notes what a list shows that arrived at `now`.
    pub fn see(&mut self, own: Option<&Uuid>, listed: &[Listed], now: Moment) {
        self.seen.retain(|id, _| listed.iter().any(|listed| listed.id == *id));
        for member in listed.iter().filter(|member| Some(&member.id) != own) {
            match self.seen.get_mut(&member.id) {
                Some(seen) if seen.0 == member.renewals => seen.2 = member.lease,
                Some(seen) => *seen = (member.renewals, now, member.lease),
                None => {
                    self.seen.insert(member.id, (member.renewals, now, member.lease));
                }
            }
        }
    }

    /// Members whose lease has surely ended.
    pub fn overdue(&self, rules: &Rules, now: Moment) -> Vec<Overdue> {
        self.seen
            .iter()
            .filter(|(_, (_, since, lease))| now >= rules.outlived(*lease, *since))
            .map(|(id, (renewals, ..))| Overdue { id: *id, renewals: *renewals })
            .collect()
    }

    /// Forgets everything: after a reconnect the database may be one that lost renewals.
    pub fn forget(&mut self) {
        self.seen.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_a_renewal_seen_for_a_whole_lease_makes_a_member_overdue() {
        let rules = Rules { lease: Duration::from_nanos(10), drift_percent: 0, margin: Duration::ZERO };
        let id = Uuid::from_u128(1);
        let listed = |renewals| [Listed { id, acked: 0, renewals, lease: Duration::from_nanos(10) }];
        let mut watch = Watch::default();
        watch.see(None, &listed(1), Moment(0));
        watch.see(None, &listed(1), Moment(9));
        assert!(watch.overdue(&rules, Moment(9)).is_empty());
        assert_eq!(watch.overdue(&rules, Moment(10)), [Overdue { id, renewals: 1 }]);
        watch.see(None, &listed(2), Moment(10));
        assert!(watch.overdue(&rules, Moment(19)).is_empty());
        watch.forget();
        assert!(watch.overdue(&rules, Moment(100)).is_empty());
        watch.see(Some(&id), &listed(3), Moment(100));
        assert!(watch.overdue(&rules, Moment(1000)).is_empty());
    }
}
