//! Values that products share, numbered, with the set of products that have each.

use std::{borrow::Borrow, collections::HashMap, hash::Hash};

use roaring::RoaringBitmap;

/// Values by number and numbers by value. A number is free again when no product has its value.
#[derive(Debug)]
pub(super) struct Terms<K> {
    numbers: HashMap<K, u32>,
    values: Vec<Option<K>>,
    sets: Vec<RoaringBitmap>,
    free: Vec<u32>,
}

impl<K> Default for Terms<K> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), values: Vec::new(), sets: Vec::new(), free: Vec::new() }
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
        if let Some(set) = self.sets.get_mut(at(number)) {
            set.insert(ordinal);
        }
        number
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

    /// Notes that a product no longer has a value.
    pub(super) fn remove(&mut self, number: u32, ordinal: u32) {
        let Some(set) = self.sets.get_mut(at(number)) else { return };
        set.remove(ordinal);
        if set.is_empty()
            && let Some(value) = self.values.get_mut(at(number)).and_then(Option::take)
        {
            self.numbers.remove(&value);
            self.free.push(number);
        }
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

    /// How many products have each value, by number.
    pub(super) fn sizes(&self) -> impl Iterator<Item = u64> {
        self.sets.iter().map(RoaringBitmap::len)
    }

    /// How many values have a number.
    #[cfg(test)]
    pub(super) fn in_use(&self) -> usize {
        self.numbers.len()
    }
}
