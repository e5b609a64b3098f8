//! Texts and other bytes by number, one after the other: no allocation for each, and they are written to a file as they are.

use super::lexicon::index;

/// Bytes of many items.
#[derive(Debug, Default)]
pub(super) struct Packed {
    data: Vec<u8>,
    /// Where each item begins.
    starts: Vec<u64>,
    lengths: Vec<u32>,
    /// Bytes of items that were replaced.
    unused: usize,
}

/// Unused bytes that are worth moving everything for.
const UNUSED_MIN: usize = 1 << 18;

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Packed {
    /// Writes an item.
    pub(super) fn set(&mut self, number: u32, item: &[u8]) {
        let at = index(number);
        if self.starts.len() <= at {
            self.starts.resize(at.saturating_add(1), 0);
            self.lengths.resize(at.saturating_add(1), 0);
        }
        let begin = u64::try_from(self.data.len()).unwrap_or(u64::MAX);
        let (Some(start), Some(length)) = (self.starts.get_mut(at), self.lengths.get_mut(at)) else { return };
        let old = index(*length);
        // What becomes no longer stays where it is.
        let reused = place(*start)..place(*start).saturating_add(item.len());
        *length = u32::try_from(item.len()).unwrap_or(u32::MAX);
        if item.len() <= old
            && let Some(room) = self.data.get_mut(reused)
        {
            room.copy_from_slice(item);
            self.unused = self.unused.saturating_add(old.saturating_sub(item.len()));
        } else {
            *start = begin;
            self.data.extend_from_slice(item);
            self.unused = self.unused.saturating_add(old);
        }
        if self.unused > UNUSED_MIN.max(self.data.len() / 2) {
            self.compact();
        }
    }

    /// An item; empty when it was never written.
    pub(super) fn get(&self, number: u32) -> &[u8] {
        let at = index(number);
        let (Some(start), Some(length)) = (self.starts.get(at), self.lengths.get(at)) else { return &[] };
        let start = place(*start);
        self.data.get(start..start.saturating_add(index(*length))).unwrap_or_default()
    }

    /// An item that is text.
    pub(super) fn text(&self, number: u32) -> &str {
        std::str::from_utf8(self.get(number)).unwrap_or_default()
    }

    /// One more than the highest number ever written.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Bytes, where each item begins, lengths, unused bytes.
    pub(super) fn parts(&self) -> (&[u8], &[u64], &[u32], usize) {
        (&self.data, &self.starts, &self.lengths, self.unused)
    }

    /// Of the same; `None` where they do not belong together.
    pub(super) fn from_parts(
        data: Vec<u8>,
        starts: Vec<u64>,
        lengths: Vec<u32>,
        unused: usize,
    ) -> Option<Self> {
        (starts.len() == lengths.len()).then_some(Self { data, starts, lengths, unused })
    }

    fn compact(&mut self) {
        let mut data = Vec::with_capacity(self.data.len().saturating_sub(self.unused));
        for (start, length) in self.starts.iter_mut().zip(&self.lengths) {
            let from = place(*start);
            let item = self.data.get(from..from.saturating_add(index(*length))).unwrap_or_default();
            *start = u64::try_from(data.len()).unwrap_or(u64::MAX);
            data.extend_from_slice(item);
        }
        (self.data, self.unused) = (data, 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hold_what_was_written_last(steps in prop::collection::vec((0_u32..20, prop::collection::vec(any::<u8>(), 0..9), 0_u8..9), 0..90)) {
            let mut map = BTreeMap::new();
            let mut packed = Packed::default();
            for (number, item, kind) in steps {
                packed.set(number, &item);
                map.insert(number, item);
                if kind == 0 {
                    packed.compact();
                }
            }
            for number in 0..25 {
                prop_assert_eq!(packed.get(number), map.get(&number).map_or(&[][..], Vec::as_slice));
            }
        }
    }
}
