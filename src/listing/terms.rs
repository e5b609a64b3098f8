//! Values that products share, numbered, with the set of products that have each.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

use roaring::RoaringBitmap;

/// Values by number and numbers by value. A number is free again when no product has its value.
#[derive(Debug)]
pub(super) struct Terms<K> {
    pub(super) numbers: HashMap<K, u32>,
    pub(super) values: Vec<Option<K>>,
    pub(super) sets: Vec<RoaringBitmap>,
    pub(super) free: Vec<u32>,
    /// How many products have each value, summed over all values.
    pub(super) postings: u64,
}

impl<K> Default for Terms<K> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), values: Vec::new(), sets: Vec::new(), free: Vec::new(), postings: 0 }
    }
}

/// An index into a vector.
pub(super) fn at(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<K: Clone + Eq + Hash> Terms<K> {
    /// Notes that a product has a value, and tells the value's number.
    pub(super) fn add(&mut self, value: &K, ordinal: u32) -> u32 {
        let number = self.number(value).unwrap_or_else(|| self.enter(value));
        self.join(number, ordinal);
        number
    }

    /// Notes that a product has the value of a number; whether it had not.
    pub(super) fn join(&mut self, number: u32, ordinal: u32) -> bool {
        let is_new = self.sets.get_mut(at(number)).is_some_and(|set| set.insert(ordinal));
        self.postings += u64::from(is_new);
        is_new
    }

    /// Gives a value that has no number one.
    pub(super) fn enter(&mut self, value: &K) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.values.push(None);
            self.sets.push(RoaringBitmap::new());
            u32::try_from(self.values.len() - 1).unwrap_or(u32::MAX)
        });
        if let Some(slot) = self.values.get_mut(at(number)) {
            *slot = Some(value.clone());
        }
        self.numbers.insert(value.clone(), number);
        number
    }

    /// Notes that a product no longer has a value. Gives the value if no product has it any more: it has no number now.
    pub(super) fn remove(&mut self, number: u32, ordinal: u32) -> Option<K> {
        let set = self.sets.get_mut(at(number))?;
        self.postings -= u64::from(set.remove(ordinal));
        if !set.is_empty() {
            return None;
        }
        // Not an empty set with room.
        *set = RoaringBitmap::new();
        let value = self.values.get_mut(at(number)).and_then(Option::take)?;
        self.numbers.remove(&value);
        self.free.push(number);
        Some(value)
    }

    /// The number of a value that some product has.
    pub(super) fn number<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Option<u32>
    where
        K: Borrow<Q>,
    {
        self.numbers.get(value).copied()
    }

    /// The value of a number.
    pub(super) fn value(&self, number: u32) -> Option<&K> {
        self.values.get(at(number)).and_then(Option::as_ref)
    }

    /// The products that have a value.
    pub(super) fn set(&self, number: u32) -> Option<&RoaringBitmap> {
        self.sets.get(at(number))
    }

    /// One more than the highest number.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// How many products have each value, summed over all values.
    pub(super) fn postings(&self) -> u64 {
        self.postings
    }

    /// How many values have a number.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> usize {
        self.numbers.len()
    }
}
