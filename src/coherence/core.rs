//! The rules of coherence as a state machine: no input or output, time is handed in.
//!
//! One [`Core`] knows the log, the members and the era as one instance sees them, and writes what readers need into a
//! [`Gate`]. The server's actors drive it, and so do the model checker and the property tests: what is checked is what runs.
//!
//! A position is *stable* when every member has applied the log up to it, or has lost every lease that could have been
//! granted before. Answers reflect stable events only, and edits are acknowledged once theirs is stable; placed at the
//! instant they become stable, all operations happen in one order.

use uuid::Uuid;

use super::{
    change::Change,
    clock::Moment,
    gate::Gate,
    members::{Listed, Members},
    rules::Rules,
    watch::{Overdue, Watch},
};

/// What a pushed event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Push {
    /// It was the next one, or known already.
    Applied,
    /// Events before it are missing, or it is of another era: pull.
    Gap,
}

/// How far the log was applied when something was asked of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Since {
    /// The applied position.
    pub position: i64,
    /// Nonce of the event there, where it is known.
    pub nonce: Option<Uuid>,
}

/// What a renewal brought: one snapshot of the database, taken when it was renewed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Renewal {
    /// Whether the member's row was there to be renewed.
    pub is_member: bool,
    /// The era of the database.
    pub era: Option<Uuid>,
    /// From where the log was asked for.
    pub since: Since,
    /// Nonce of the event at `since`, if it is still there.
    pub nonce: Option<Uuid>,
    /// The last position.
    pub head: i64,
    /// Events after `since`, in order.
    pub changes: Vec<Change>,
    /// Whether these are all.
    pub is_complete: bool,
    /// The members.
    pub members: Vec<Listed>,
}

/// What came of a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewed {
    /// The lease was extended.
    Extended,
    /// There is more to read first: renew again.
    Partial,
    /// This instance is a member no more: join again.
    Ejected,
    /// The database is in another era, or has pruned what is needed to go on: join again, with nothing of what was known.
    AnotherEra,
    /// The database has lost events that were applied here, within one era: name another, then join again.
    HistoryLost,
}

/// Whether a position is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stability {
    /// It is.
    Stable,
    /// It may be at this moment, if no acknowledgement proves it before.
    Until(Moment),
}

/// What one instance knows; see the module.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Core {
    rules: Rules,
    era: Option<Uuid>,
    /// This incarnation, while it is a member as far as it knows.
    own: Option<Uuid>,
    /// Nonce of the event at the applied position, if that was an event.
    applied_nonce: Option<Uuid>,
    /// The members as of the applied position; unknown until a renewal has told.
    members: Option<Members>,
    watch: Watch,
    /// Before this, members of an era that ended may hold leases without being listed: acks prove nothing.
    quarantined_until: Moment,
}

impl Core {
    /// Knows nothing yet.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            era: None,
            own: None,
            applied_nonce: None,
            members: None,
            watch: Watch::default(),
            quarantined_until: Moment::default(),
        }
    }

    /// The era it is in.
    pub fn era(&self) -> Option<Uuid> {
        self.era
    }

    /// This incarnation, while it is a member.
    pub fn own(&self) -> Option<Uuid> {
        self.own
    }

    /// The rules it goes by.
    pub fn rules(&self) -> Rules {
        self.rules
    }

    /// Before this, acknowledgements prove nothing.
    pub fn quarantined_until(&self) -> Moment {
        self.quarantined_until
    }

    /// How many members are known.
    pub fn members(&self) -> usize {
        self.members.as_ref().map_or(0, Members::len)
    }

    /// From where to ask for the log.
    pub fn since(&self, gate: &Gate) -> Since {
        Since { position: gate.applied(), nonce: self.applied_nonce }
    }

    /// The member row `id` was committed in `era`. In another era than before everything known is dropped: the log is
    /// taken up at `start`, of which nothing earlier is known, and until `quarantine` acks prove nothing.
    ///
    /// The row comes first, the log after it: whoever commits later waits for this member.
    pub fn joined(&mut self, gate: &Gate, id: Uuid, era: Uuid, start: i64, quarantine: Moment) {
        gate.drop_lease();
        if self.era != Some(era) {
            gate.reset(start);
            self.applied_nonce = None;
            self.era = Some(era);
        }
        self.quarantined_until = self.quarantined_until.max(quarantine);
        self.own = Some(id);
        self.members = None;
        self.watch.forget();
    }

    /// Takes up what a renewal brought that was sent at `sent` and answered at `now`.
    pub fn renewed(&mut self, gate: &Gate, sent: Moment, renewal: &Renewal, now: Moment) -> Renewed {
        if let Some(ended) = self.ended_era(renewal) {
            gate.drop_lease();
            self.era = None;
            self.members = None;
            return ended;
        }
        if !renewal.is_member {
            self.depart(gate);
            return Renewed::Ejected;
        }
        self.pulled(gate, renewal.era, renewal.since.position, &renewal.changes, now);
        if self.own.is_none() {
            return Renewed::Ejected;
        }
        if !renewal.is_complete {
            return Renewed::Partial;
        }
        match &mut self.members {
            Some(members) => members.refresh(&renewal.members),
            None if gate.applied() == renewal.head => self.members = Some(Members::new(&renewal.members)),
            // The log went on meanwhile: the list is older than what is applied.
            None => return Renewed::Partial,
        }
        self.watch.see(self.own.as_ref(), &renewal.members, now);
        gate.extend(sent, self.rules.ends(sent));
        self.settle(gate, now);
        Renewed::Extended
    }

    /// Whether positions mean something else than when the renewal was asked for.
    fn ended_era(&self, renewal: &Renewal) -> Option<Renewed> {
        let Since { position, nonce } = renewal.since;
        if renewal.era.is_none() || renewal.era != self.era {
            return Some(Renewed::AnotherEra);
        }
        match (nonce, renewal.nonce) {
            _ if renewal.head < position => Some(Renewed::HistoryLost),
            (Some(known), Some(stored)) if known != stored => Some(Renewed::HistoryLost),
            (Some(_), None) => Some(Renewed::AnotherEra),
            (Some(_) | None, _) => None,
        }
    }

    /// Applies events that a pull returned: all after the position `after`, in order. Nothing when that is not reached here:
    /// the log was taken up anew meanwhile.
    pub fn pulled(&mut self, gate: &Gate, era: Option<Uuid>, after: i64, changes: &[Change], now: Moment) {
        if era.is_none() || era != self.era || after > gate.applied() {
            return;
        }
        for change in changes {
            gate.raise(&change.dependencies, change.position);
            if change.position > gate.applied() {
                self.advance(gate, change);
            }
        }
        self.settle(gate, now);
    }

    /// Applies one event that a message brought, in whatever order.
    pub fn pushed(&mut self, gate: &Gate, era: Uuid, change: &Change, now: Moment) -> Push {
        if self.era != Some(era) {
            return Push::Gap;
        }
        // Raising early is always allowed: it only causes misses.
        gate.raise(&change.dependencies, change.position);
        let applied = gate.applied();
        if change.position <= applied {
            return Push::Applied;
        }
        // Before the members are known the log is taken from renewals alone, so that their list fits it.
        if change.position == applied.saturating_add(1) && self.members.is_some() {
            self.advance(gate, change);
            self.settle(gate, now);
            Push::Applied
        } else {
            Push::Gap
        }
    }

    /// The next event: its fences are raised, then who came and went, then the position.
    fn advance(&mut self, gate: &Gate, change: &Change) {
        if let Some(members) = &mut self.members {
            change.joined.iter().for_each(|id| members.join(*id, change.position));
            change.departed.iter().for_each(|id| members.leave(id));
        }
        if self.own.is_some_and(|own| change.departed.contains(&own)) {
            self.depart(gate);
        }
        self.applied_nonce = Some(change.nonce);
        gate.set_applied(change.position);
    }

    /// A member has applied the log up to `position`. Acks of another era do not count.
    pub fn acked(&mut self, gate: &Gate, era: Uuid, id: &Uuid, position: i64, now: Moment) {
        if self.era == Some(era)
            && let Some(members) = &mut self.members
        {
            members.ack(id, position);
            self.settle(gate, now);
        }
    }

    /// The table of members as it was read between two renewals: acks, and who has renewed.
    pub fn listed(&mut self, gate: &Gate, era: Uuid, listed: &[Listed], now: Moment) {
        if self.era == Some(era)
            && let Some(members) = &mut self.members
        {
            members.refresh(listed);
            self.watch.see(self.own.as_ref(), listed, now);
            self.settle(gate, now);
        }
    }

    /// The lease is given up; this instance stays a member and may renew.
    pub fn lapse(&self, gate: &Gate) {
        gate.drop_lease();
    }

    /// This instance serves no more from its caches: before its row is deleted, or when it finds itself ejected.
    pub fn depart(&mut self, gate: &Gate) {
        gate.drop_lease();
        self.own = None;
    }

    /// Publishes what the acks prove.
    fn settle(&self, gate: &Gate, now: Moment) {
        if let Some(members) = &self.members
            && now >= self.quarantined_until
        {
            let applied = gate.applied();
            let acked = members.acked_by_all(self.own.as_ref());
            gate.raise_stable(acked.map_or(applied, |acked| acked.min(applied)));
        }
    }

    /// Whether `position` of the era with this ordinal is stable at `now`, for a caller who learned at `since` that it was
    /// committed, and has applied it.
    pub fn stability(&self, gate: &Gate, era: u32, position: i64, since: Moment, now: Moment) -> Stability {
        let until = if era == gate.era() && gate.applied() >= position {
            self.settle(gate, now);
            if position <= gate.stable() {
                return Stability::Stable;
            }
            self.proven_by_time(position, since, now)
        } else {
            // What the acks are about is not what was committed.
            self.rules.outlived_by_all(since)
        };
        if now < until {
            let acks_count = self.quarantined_until;
            return Stability::Until(if now < acks_count { until.min(acks_count) } else { until });
        }
        if era == gate.era() && gate.applied() >= position {
            gate.raise_stable(position);
        }
        Stability::Stable
    }

    /// When nobody can hold a lease any more that was granted before `since`, of those who have not acknowledged.
    fn proven_by_time(&self, position: i64, since: Moment, now: Moment) -> Moment {
        match &self.members {
            Some(members) if now >= self.quarantined_until => {
                let silent = members.longest_silent(self.own.as_ref(), position);
                self.rules.outlived(silent.unwrap_or(self.rules.lease), since)
            }
            Some(_) | None => self.rules.outlived_by_all(since),
        }
    }

    /// Members whose lease has surely ended; whoever ejects one compares its renewals.
    pub fn overdue(&self, now: Moment) -> Vec<Overdue> {
        self.watch.overdue(&self.rules, now)
    }

    /// The connection to the database is another one: what it shows may be older than what was seen.
    pub fn reconnected(&mut self) {
        self.watch.forget();
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;
