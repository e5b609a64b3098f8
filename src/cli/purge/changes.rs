//! What changed and is yet to be purged.

use std::{collections::BTreeSet, time::Instant};

use crate::{
    domain::{dependency::Dependency, surrogate_key},
    limits::{PURGE_DEPENDENCIES_MAX, PURGE_HEADER_BYTES_MAX},
};

/// Changes of a stretch of the log, up to a position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    touched: Touched,
    position: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Touched {
    Everything,
    Only(BTreeSet<Dependency>),
}

impl Default for Touched {
    fn default() -> Self {
        Self::Only(BTreeSet::new())
    }
}

/// What a reading of the log brought. That nothing changed is worth telling, too.
#[derive(Debug, Clone)]
pub(super) struct News {
    /// What changed since the reading before.
    pub(super) changes: Changes,
    /// Everything committed before this moment is in it.
    pub(super) as_of: Instant,
}

impl News {
    /// Adds later news.
    pub(super) fn merge(&mut self, later: Self) {
        self.changes.merge(later.changes);
        self.as_of = later.as_of;
    }
}

impl Changes {
    /// Anything may have changed up to `position`.
    pub(super) fn everything(position: i64) -> Self {
        Self { touched: Touched::Everything, position }
    }

    /// Adds an event of the log.
    pub(super) fn add(&mut self, dependencies: impl IntoIterator<Item = Dependency>, position: i64) {
        let touched = Touched::Only(dependencies.into_iter().collect());
        self.merge(Self { touched, position });
    }

    /// Adds later changes. A position may be smaller in them: then another history has begun, and they are everything.
    pub(super) fn merge(&mut self, later: Self) {
        self.position = later.position;
        match (&mut self.touched, later.touched) {
            (Touched::Everything, _) => {}
            (Touched::Only(_), Touched::Everything) => self.touched = Touched::Everything,
            (Touched::Only(known), Touched::Only(more)) => known.extend(more),
        }
        if let Touched::Only(known) = &self.touched
            && (known.contains(&Dependency::ALL) || known.len() > PURGE_DEPENDENCIES_MAX)
        {
            self.touched = Touched::Everything;
        }
    }

    /// Whether nothing changed.
    pub(super) fn is_none(&self) -> bool {
        matches!(&self.touched, Touched::Only(known) if known.is_empty())
    }

    /// The last position.
    pub(super) fn position(&self) -> i64 {
        self.position
    }

    /// The keys to purge by, in portions that fit a header.
    pub(super) fn keys(&self) -> Vec<String> {
        let known = match &self.touched {
            Touched::Everything => return vec![surrogate_key::EVERYTHING.to_owned()],
            Touched::Only(known) if known.is_empty() => return Vec::new(),
            Touched::Only(known) => known,
        };
        let mut portions = Vec::new();
        let mut portion = surrogate_key::ANYTHING.to_owned();
        for key in known.iter().copied().map(surrogate_key::of) {
            if portion.len() + 1 + key.len() > PURGE_HEADER_BYTES_MAX {
                portions.push(std::mem::take(&mut portion));
            }
            if !portion.is_empty() {
                portion.push(' ');
            }
            portion.push_str(&key);
        }
        portions.push(portion);
        portions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn touched(numbers: std::ops::Range<i64>, position: i64) -> Changes {
        let mut changes = Changes::default();
        changes.add(numbers.map(Dependency), position);
        changes
    }

    #[test]
    fn changes_are_purged_by_what_they_touched_and_as_some_change() {
        let mut changes = touched(1..3, 7);
        changes.merge(touched(2..4, 9));
        let keys = ["aisle-any 0000000000000001 0000000000000002 0000000000000003"];
        assert_eq!((changes.keys(), changes.position()), (keys.map(str::to_owned).to_vec(), 9));
        assert!(Changes::default().keys().is_empty() && Changes::default().is_none());
    }

    #[test]
    fn everything_stays_everything() {
        let mut changes = touched(1..3, 7);
        changes.add([Dependency::ALL], 8);
        changes.merge(touched(5..6, 9));
        assert_eq!((changes.keys(), changes.position()), (vec!["aisle".to_owned()], 9));
        let most = i64::try_from(PURGE_DEPENDENCIES_MAX).unwrap();
        assert_ne!(touched(1..most + 1, 1).keys(), ["aisle"]);
        assert_eq!(touched(1..most + 2, 1).keys(), ["aisle"]);
    }

    #[test]
    fn many_keys_are_sent_in_portions() {
        let portions = touched(1..2001, 1).keys();
        assert!(portions.len() > 1 && portions.iter().all(|portion| portion.len() <= PURGE_HEADER_BYTES_MAX));
        let sent: Vec<&str> = portions.iter().flat_map(|portion| portion.split(' ')).collect();
        assert_eq!(sent.len(), 2001);
        assert!(sent.iter().all(|key| *key == "aisle-any" || key.len() == 16), "none is cut");
    }
}
