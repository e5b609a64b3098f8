//! Whatever reaches a core, lost, repeated or late, it never claims more than is true.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{domain::dependency::Dependency, limits::LEASE_MAX};

const RULES: Rules =
    Rules { lease: Duration::from_micros(1), drift_percent: 1, margin: Duration::from_nanos(50) };
const QUARANTINE: u64 = 1500;
/// Stands for all there will ever be: whoever holds no lease need not apply anything.
const GONE: i64 = i64::MAX;

/// Whoever was a member once; a row that was deleted comes back when the history does in which it was not.
#[derive(Debug, Clone)]
struct Member {
    row: Listed,
    /// How far it has truly applied the log.
    applied: i64,
}

/// The database, the other members, and the core that is examined.
struct World {
    era: u128,
    log: Vec<Change>,
    members: Vec<Member>,
    named: u128,
    core: Core,
    gate: Gate,
    now: Moment,
    sent: Option<(Moment, Since)>,
    answer: Option<(Moment, Renewal)>,
    acks: Vec<(Uuid, Uuid, i64)>,
    /// What the lease may be at most.
    lease: Moment,
    quarantine: Moment,
    /// The last position that time alone has proven.
    by_time: i64,
}

/// An operation and what it is about; numbers are taken modulo what there is.
type Op = (u8, u8, u8);

impl World {
    fn new() -> Self {
        Self {
            era: 1,
            log: Vec::new(),
            members: Vec::new(),
            named: 0,
            core: Core::new(RULES),
            gate: Gate::new(8),
            now: Moment(1),
            sent: None,
            answer: None,
            acks: Vec::new(),
            lease: Moment::default(),
            quarantine: Moment::default(),
            by_time: 0,
        }
    }

    fn era(&self) -> Uuid {
        Uuid::from_u128(self.era)
    }

    fn head(&self) -> i64 {
        self.log.last().map_or(0, |change| change.position)
    }

    fn name(&mut self) -> Uuid {
        self.named += 1;
        Uuid::from_u128(self.named << 64)
    }

    fn commit(&mut self, dependencies: &[Dependency], joined: &[Uuid], departed: &[Uuid], hole: i64) {
        let change = Change {
            position: self.head() + 1 + hole,
            nonce: self.name(),
            dependencies: dependencies.to_vec(),
            joined: joined.to_vec(),
            departed: departed.to_vec(),
            committed_us: 0,
        };
        self.log.push(change);
    }

    fn after(&self, position: i64) -> Vec<Change> {
        self.log.iter().filter(|change| change.position > position).cloned().collect()
    }

    fn nonce(&self, position: i64) -> Option<Uuid> {
        self.log.iter().find(|change| change.position == position).map(|change| change.nonce)
    }

    /// Who was a member as of a position, by the log alone.
    fn members_at(&self, position: i64) -> BTreeSet<Uuid> {
        let mut members = BTreeSet::new();
        for change in self.log.iter().filter(|change| change.position <= position) {
            members.extend(&change.joined);
            change.departed.iter().for_each(|id| {
                members.remove(id);
            });
        }
        members
    }

    fn take(&mut self, op: Op) {
        let own = self.core.own();
        self.do_take(op);
        if self.core.era() == Some(self.era())
            && let Some(member) = self.members.iter_mut().find(|member| Some(member.row.id) == own)
        {
            member.applied = self.gate.applied();
        }
    }

    fn do_take(&mut self, (op, a, b): Op) {
        let (pick, small) = (usize::from(a), i64::from(b % 4));
        match op % 16 {
            0 | 1 => {
                self.commit(&[Dependency(1 + i64::from(a % 5))], &[], &[], i64::from(b.is_multiple_of(8)));
            }
            2 => self.other_comes_or_goes(pick, b),
            3 | 4 => self.other_applies(pick, small),
            5 | 6 => self.hear(pick, b),
            7 => self.push(pick, b),
            8 => self.pull(pick, small),
            9 => self.renew_sent(),
            10 => self.renew_executed(b),
            11 => self.renew_answered(),
            12 => self.now = self.now.after(Duration::from_nanos(u64::from(a) * 4)),
            13 => self.join_or_be_ejected(b),
            14 => self.ask(small, u64::from(b)),
            _ if b.is_multiple_of(8) => self.promote(pick),
            _ => self.core.lapse(&self.gate),
        }
    }

    /// Members as of a position, but the one examined.
    fn others_at(&self, position: i64) -> Vec<Member> {
        let (listed, own) = (self.members_at(position), self.core.own());
        let others = self.members.iter().filter(|member| Some(member.row.id) != own);
        others.filter(|member| listed.contains(&member.row.id)).cloned().collect()
    }

    fn others(&self) -> Vec<Member> {
        self.others_at(self.head())
    }

    fn other_comes_or_goes(&mut self, pick: usize, b: u8) {
        let others = self.others();
        if b.is_multiple_of(3) && !others.is_empty() {
            self.commit(&[], &[], &[others[pick % others.len()].row.id], 0);
        } else if others.len() < 3 {
            let id = self.name();
            self.commit(&[], &[id], &[], 0);
            let lease = Duration::from_nanos(500 + u64::from(b) * 10);
            // It reads the log after its row before it serves anything.
            let row = Listed { id, acked: 0, renewals: 0, lease };
            self.members.push(Member { row, applied: self.head() });
        }
    }

    fn other_applies(&mut self, pick: usize, by: i64) {
        let (head, era, others) = (self.head(), self.era(), self.others());
        let picked = others.get(pick % others.len().max(1)).map(|other| other.row.id);
        let is_picked = |member: &&mut Member| Some(member.row.id) == picked && member.applied < GONE;
        if let Some(other) = self.members.iter_mut().find(is_picked) {
            other.applied = head.min(other.applied + by);
            if by == 3 {
                other.row.acked = other.row.acked.max(other.applied);
            }
            self.acks.push((era, other.row.id, other.applied));
        }
    }

    fn hear(&mut self, pick: usize, b: u8) {
        let count = self.acks.len().max(1);
        if let Some((era, id, position)) = self.acks.get(pick % count).copied() {
            // One of an era that never was says nothing, however far it goes.
            let (era, position) =
                if b.is_multiple_of(5) { (Uuid::from_u128(999), 1_000_000) } else { (era, position) };
            self.core.acked(&self.gate, era, &id, position, self.now);
        }
        if b.is_multiple_of(4) {
            let listed: Vec<Listed> = self.others().into_iter().map(|other| other.row).collect();
            self.core.listed(&self.gate, self.era(), &listed, self.now);
        }
    }

    fn push(&mut self, pick: usize, b: u8) {
        let count = self.log.len().max(1);
        // Mostly the last ones.
        let index = if b.is_multiple_of(3) { pick % count } else { count.saturating_sub(1 + pick % 3) };
        if let Some(change) = self.log.get(index) {
            self.core.pushed(&self.gate, self.era(), change, self.now);
        }
    }

    fn pull(&mut self, pick: usize, ahead: i64) {
        // From a place that may not be reached, up to a place that may be long past.
        let after = self.gate.applied() - 2 + ahead;
        let changes: Vec<Change> = self.after(after).into_iter().take(pick % 6).collect();
        self.core.pulled(&self.gate, Some(self.era()), after, &changes, self.now);
    }

    fn renew_sent(&mut self) {
        if self.core.own().is_some() && self.sent.is_none() && self.answer.is_none() {
            self.sent = Some((self.now, self.core.since(&self.gate)));
        }
    }

    fn renew_executed(&mut self, b: u8) {
        let Some((sent, since)) = self.sent.take() else { return };
        let (own, listed) = (self.core.own(), self.members_at(self.head()));
        let is_member = own.is_some_and(|own| listed.contains(&own));
        if let Some(member) = self.members.iter_mut().find(|member| is_member && Some(member.row.id) == own) {
            member.row.renewals += 1;
            member.row.acked = member.row.acked.max(since.position);
            if self.core.era() != Some(Uuid::from_u128(self.era)) {
                // It tells of another history, and learns of this one: it will get no lease here under this name, and
                // nothing of what it had outlives the quarantine.
                member.applied = GONE;
            }
        }
        let changes = self.after(since.position);
        let limit = if b.is_multiple_of(3) { usize::from(b % 4) } else { usize::MAX };
        let is_complete = changes.len() <= limit;
        let renewal = Renewal {
            is_member,
            era: Some(self.era()),
            since,
            nonce: self.nonce(since.position),
            head: self.head(),
            changes: changes.into_iter().take(limit).collect(),
            is_complete,
            members: self
                .members
                .iter()
                .map(|member| member.row)
                .filter(|row| listed.contains(&row.id))
                .collect(),
        };
        self.answer = Some((sent, renewal));
    }

    fn renew_answered(&mut self) {
        let Some((sent, renewal)) = self.answer.take() else { return };
        let before = self.gate.deadline();
        match self.core.renewed(&self.gate, sent, &renewal, self.now) {
            Renewed::Extended => {
                assert!(self.gate.applied() >= renewal.head, "a lease means that the log is applied");
                self.lease = self.lease.max(sent.after(RULES.lease * 99 / 100));
            }
            Renewed::Partial => assert_eq!(self.gate.deadline(), before, "part of the log is not enough"),
            Renewed::Ejected | Renewed::AnotherEra | Renewed::HistoryLost => {
                assert_eq!(self.gate.deadline(), Moment::default());
                self.core.depart(&self.gate);
            }
        }
    }

    fn join_or_be_ejected(&mut self, b: u8) {
        if let Some(own) = self.core.own() {
            if b.is_multiple_of(4) && self.members_at(self.head()).contains(&own) {
                self.commit(&[], &[], &[own], 0);
            }
        } else if self.sent.is_none() && self.answer.is_none() {
            let id = self.name();
            self.commit(&[], &[id], &[], 0);
            let row = Listed { id, acked: 0, renewals: 0, lease: RULES.lease };
            self.members.push(Member { row, applied: 0 });
            if self.core.era() != Some(self.era()) {
                let quarantine = if self.era > 1 { QUARANTINE } else { 0 };
                self.quarantine = self.quarantine.max(self.now.after(Duration::from_nanos(quarantine)));
                self.by_time = 0;
            }
            self.core.joined(&self.gate, id, self.era(), 0, self.quarantine);
            assert_eq!(self.gate.deadline(), Moment::default(), "who joins has no lease yet");
            self.lease = Moment::default();
        }
    }

    /// A replica takes over that lacks the last events.
    fn promote(&mut self, pick: usize) {
        let lost = pick % 3;
        self.log.truncate(self.log.len().saturating_sub(lost));
        self.era += 1;
        let head = self.head();
        for member in &mut self.members {
            member.row.acked = member.row.acked.min(head);
            member.applied = member.applied.min(head);
        }
    }

    fn ask(&mut self, behind: i64, age: u64) {
        let position = (self.head() - behind).max(0);
        let since = Moment(self.now.0.saturating_sub(age * 30));
        let (ordinal, is_known) = (self.gate.era(), self.core.era() == Some(self.era()));
        if self.core.stability(&self.gate, ordinal, position, since, self.now) != Stability::Stable
            || !is_known
        {
            return;
        }
        let applied = self.gate.applied();
        let others = self.others_at(applied);
        let silent = others.iter().filter(|other| other.applied < position);
        let outlived =
            silent.clone().map(|other| other.row.lease * 101 / 100 + RULES.margin).max().unwrap_or_default();
        let age = self.now.since(since);
        if applied < position || (self.now < self.quarantine && position > self.by_time) {
            assert!(age >= LEASE_MAX, "nothing is proven about it but by time");
        }
        if position <= applied && silent.count() > 0 {
            assert!(position <= self.by_time || age >= outlived, "{position} is not stable yet");
            self.by_time = self.by_time.max(position);
        }
    }

    fn examine(&self) {
        let (applied, stable) = (self.gate.applied(), self.gate.stable());
        let deadline = self.gate.deadline();
        assert!(deadline == Moment::default() || deadline <= self.lease, "the lease is too long");
        if self.core.era() != Some(self.era()) {
            return;
        }
        for change in self.log.iter().filter(|change| change.position <= applied) {
            let is_raised = |dependency| self.gate.height(&[dependency]) >= change.position;
            assert!(change.dependencies.iter().copied().all(is_raised), "applied outran the fence");
        }
        assert!(stable <= applied, "stable outran applied");
        assert!(
            self.now >= self.quarantine || stable <= self.by_time,
            "acknowledgements counted in quarantine"
        );
        let listed = self.members_at(applied);
        for other in self.others_at(applied) {
            assert!(
                stable <= self.by_time.max(other.applied),
                "stable without an acknowledgement of {other:?}"
            );
        }
        if let Some(own) = self.core.own() {
            assert!(listed.contains(&own) || applied < self.head(), "its own leave event was overlooked");
        } else {
            assert_eq!(deadline, Moment::default(), "no member, no lease");
        }
        if let Some(members) = &self.core.members {
            assert_eq!(members.ids().copied().collect::<BTreeSet<_>>(), listed, "members as of {applied}");
        }
    }
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    prop::collection::vec(any::<Op>(), 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn claims_nothing_that_is_not_true(ops in ops()) {
        let mut world = World::new();
        // Something to begin with: a member that has its lease.
        for op in [13, 9, 10, 11].map(|op| (op, 1, 1)).into_iter().chain(ops) {
            world.take(op);
            world.examine();
        }
    }
}
