//! What is to be written of one table.

use std::collections::{BTreeMap, BTreeSet};

/// Rows of one table to write and keys of rows to delete.
#[derive(Debug)]
pub(super) struct Difference<T, K> {
    pub(super) new: Vec<T>,
    pub(super) changed: Vec<T>,
    pub(super) gone: Vec<K>,
}

impl<T, K> Default for Difference<T, K> {
    fn default() -> Self {
        Self { new: Vec::new(), changed: Vec::new(), gone: Vec::new() }
    }
}

impl<T: Clone + PartialEq, K: Ord> Difference<T, K> {
    /// Adds what differs; tells whether anything does.
    pub(super) fn add(&mut self, stored: &[T], wanted: Vec<T>, key: impl Fn(&T) -> K) -> bool {
        let before = self.len();
        if stored.is_empty() {
            self.new.extend(wanted);
            return self.len() > before;
        }
        let known: BTreeMap<K, &T> = stored.iter().map(|row| (key(row), row)).collect();
        let kept: BTreeSet<K> = wanted.iter().map(&key).collect();
        for row in wanted {
            match known.get(&key(&row)) {
                None => self.new.push(row),
                Some(known) if **known != row => self.changed.push(row),
                Some(_) => {}
            }
        }
        self.gone.extend(known.into_keys().filter(|key| !kept.contains(key)));
        self.len() > before
    }

    fn len(&self) -> usize {
        self.new.len() + self.changed.len() + self.gone.len()
    }
}
