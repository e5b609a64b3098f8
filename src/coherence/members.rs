//! The members as of the applied position, and how far each has applied the log.

use std::{collections::BTreeMap, time::Duration};

use uuid::Uuid;

use crate::limits::LEASE_MAX;

/// One member as the database lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Listed {
    /// Its incarnation.
    pub id: Uuid,
    /// It has applied the log up to here.
    pub acked: i64,
    /// Counts its renewals.
    pub renewals: i64,
    /// Length of its lease.
    pub lease: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Member {
    acked: i64,
    lease: Duration,
}

/// Built from the log: whoever has applied position p knows every member that joined before p, and whoever joined after p
/// has read a head of at least p.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Members {
    known: BTreeMap<Uuid, Member>,
}

impl Members {
    /// The members listed in the snapshot whose head is the applied position.
    pub fn new(listed: &[Listed]) -> Self {
        let member = |listed: &Listed| (listed.id, Member { acked: listed.acked, lease: listed.lease });
        Self { known: listed.iter().map(member).collect() }
    }

    /// A member joined at `position`: it reads the log up to there before it serves anything.
    pub fn join(&mut self, id: Uuid, position: i64) {
        // How long its lease is shows with the next renewal; until then, the longest there is.
        let member = self.known.entry(id).or_insert(Member { acked: position, lease: LEASE_MAX });
        member.acked = member.acked.max(position);
    }

    /// A member left, or was ejected after its lease had ended.
    pub fn leave(&mut self, id: &Uuid) {
        self.known.remove(id);
    }

    /// A member has applied the log up to `position`. Nothing when it is not known: it joins with the log, not with an ack.
    pub fn ack(&mut self, id: &Uuid, position: i64) {
        if let Some(member) = self.known.get_mut(id) {
            member.acked = member.acked.max(position);
        }
    }

    /// Takes over acks and lengths of leases from a list, for the members that are known.
    pub fn refresh(&mut self, listed: &[Listed]) {
        for listed in listed {
            if let Some(member) = self.known.get_mut(&listed.id) {
                member.acked = member.acked.max(listed.acked);
                member.lease = listed.lease;
            }
        }
    }

    /// Position that every member but `own` has acknowledged; `None` when there is no other.
    pub fn acked_by_all(&self, own: Option<&Uuid>) -> Option<i64> {
        self.others(own).map(|member| member.acked).min()
    }

    /// The longest lease among the members but `own` that have not acknowledged `position`; `None` when all have.
    pub fn longest_silent(&self, own: Option<&Uuid>, position: i64) -> Option<Duration> {
        self.others(own).filter(|member| member.acked < position).map(|member| member.lease).max()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Who they are.
    #[cfg(test)]
    pub(super) fn ids(&self) -> impl Iterator<Item = &Uuid> {
        self.known.keys()
    }

    fn others(&self, own: Option<&Uuid>) -> impl Iterator<Item = &Member> {
        self.known.iter().filter(move |(id, _)| Some(*id) != own).map(|(_, member)| member)
    }
}
