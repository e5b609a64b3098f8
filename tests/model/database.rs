//! Postgres as the protocol sees it: a log in commit order, and the members' rows.

use std::time::Duration;

use aisle::{
    coherence::{
        change::Change,
        core::{Renewal, Since},
        members::Listed,
    },
    domain::dependency::Dependency,
};
use uuid::Uuid;

use crate::config::Config;

/// The one thing that is edited and read.
pub(crate) const KEY: Dependency = Dependency(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// The key got this value.
    Edit(u8),
    /// A member's row was inserted.
    Join(Uuid),
    /// A member's row was deleted.
    Departure(Uuid),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Database {
    /// Which history this is.
    pub(crate) era: u8,
    /// Tick at which a member first entered it; before that it has no name.
    pub(crate) entered: Option<u64>,
    /// The event at position p is at index p - 1, with the era that wrote it.
    log: Vec<(Event, u8)>,
    rows: Vec<Listed>,
}

/// How an era is called.
pub(crate) fn era_id(era: u8) -> Uuid {
    Uuid::from_u128(0xE00 + u128::from(era))
}

impl Database {
    /// Empty, in its first era.
    pub(crate) fn new() -> Self {
        Self { era: 1, entered: Some(0), log: Vec::new(), rows: Vec::new() }
    }

    /// The last position.
    pub(crate) fn head(&self) -> i64 {
        i64::try_from(self.log.len()).unwrap_or(i64::MAX)
    }

    /// The key's value as of a position.
    pub(crate) fn value(&self, position: i64) -> u8 {
        let upto = usize::try_from(position).unwrap_or(0);
        let edits = self.log.iter().take(upto).rev();
        let mut values =
            edits.filter_map(|(event, _)| if let Event::Edit(value) = event { Some(*value) } else { None });
        values.next().unwrap_or(0)
    }

    /// Events after a position up to another, as a pull returns them.
    pub(crate) fn changes(&self, after: i64, upto: i64) -> Vec<Change> {
        (after + 1..=upto).filter_map(|position| self.change(position)).collect()
    }

    /// The event at a position.
    pub(crate) fn change(&self, position: i64) -> Option<Change> {
        let index = usize::try_from(position - 1).ok()?;
        let (event, _) = *self.log.get(index)?;
        let nonce = self.nonce(position)?;
        let mut change = Change {
            position,
            nonce,
            dependencies: Vec::new(),
            joined: Vec::new(),
            departed: Vec::new(),
            committed_us: 0,
        };
        match event {
            Event::Edit(_) => change.dependencies.push(KEY),
            Event::Join(id) => change.joined.push(id),
            Event::Departure(id) => change.departed.push(id),
        }
        Some(change)
    }

    fn nonce(&self, position: i64) -> Option<Uuid> {
        let index = usize::try_from(position - 1).ok()?;
        let (_, era) = self.log.get(index)?;
        Some(Uuid::from_u128((u128::from(*era) << 64) + u128::try_from(position).unwrap_or(0)))
    }

    /// Commits an edit; its position.
    pub(crate) fn edit(&mut self, value: u8) -> i64 {
        self.log.push((Event::Edit(value), self.era));
        self.head()
    }

    /// Commits a member's row.
    pub(crate) fn join(&mut self, id: Uuid, lease: Duration) {
        self.rows.push(Listed { id, acked: 0, renewals: 0, lease });
        self.log.push((Event::Join(id), self.era));
    }

    /// Deletes a member's row, if it is there and, when asked for, still at this renewal.
    pub(crate) fn remove(&mut self, id: Uuid, renewals: Option<i64>) -> bool {
        let is_it = |row: &Listed| row.id == id && renewals.is_none_or(|renewals| row.renewals == renewals);
        let Some(index) = self.rows.iter().position(is_it) else { return false };
        self.rows.remove(index);
        self.log.push((Event::Departure(id), self.era));
        true
    }

    /// Renews a member's row and reads the log and the rows, all in one snapshot. What nobody looks at in this
    /// configuration is not noted: renewals where nobody is ejected, acknowledgements where everybody hears them at once.
    pub(crate) fn renew(&mut self, config: &Config, id: Uuid, since: Since) -> Renewal {
        let row = self.rows.iter_mut().find(|row| row.id == id);
        let is_member = row.is_some();
        if let Some(row) = row {
            row.renewals += i64::from(config.ejects);
            if config.is_fine {
                row.acked = row.acked.max(since.position);
            }
        }
        Renewal { is_member, ..self.snapshot(since) }
    }

    /// What a renewal reads, without a row to renew.
    pub(crate) fn snapshot(&self, since: Since) -> Renewal {
        Renewal {
            is_member: true,
            era: self.entered.map(|_| era_id(self.era)),
            since,
            nonce: self.nonce(since.position),
            head: self.head(),
            changes: self.changes(since.position, self.head()),
            is_complete: true,
            members: self.rows.clone(),
        }
    }

    /// This database promoted in place of another: a history of its own from here on.
    pub(crate) fn promoted(self, era: u8) -> Self {
        Self { era, entered: None, ..self }
    }
}
