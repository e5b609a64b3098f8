//! Which products have a term, with 16 bits about each.

use std::borrow::Cow;

/// Up to so many are kept as one list.
const FEW_MAX: usize = 256;

/// Products of a term, ascending. Rare terms are one list of 6 bytes each; others are parted by the upper half of the
/// ordinal, 4 bytes each, so that one more moves little memory.
#[derive(Debug, Clone)]
pub(super) enum Postings {
    /// Upper half, lower half, payload.
    Few(Vec<[u16; 3]>),
    /// The second is the sum of the blocks' lengths.
    Many(Vec<Block>, u32),
}

/// Products with the same upper half of the ordinal.
#[derive(Debug, Clone)]
pub(super) struct Block {
    key: u16,
    /// Lower half of the ordinal above the payload.
    entries: Vec<u32>,
}

impl Default for Postings {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Upper and lower half of an ordinal.
pub(super) fn halves(ordinal: u32) -> (u16, u16) {
    let [a, b, c, d] = ordinal.to_be_bytes();
    (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

/// The ordinal of both halves.
pub(super) fn whole(upper: u16, lower: u16) -> u32 {
    u32::from(upper) << 16 | u32::from(lower)
}

/// Lower half of the ordinal of a block's entry.
pub(super) fn lower(entry: u32) -> u16 {
    halves(entry).0
}

/// Payload of a block's entry.
pub(super) fn payload(entry: u32) -> u16 {
    halves(entry).1
}

impl Postings {
    /// How many products.
    pub(super) fn len(&self) -> u32 {
        match self {
            Self::Few(few) => u32::try_from(few.len()).unwrap_or(u32::MAX),
            Self::Many(_, count) => *count,
        }
    }

    /// Adds a product, or replaces its payload.
    pub(super) fn set(&mut self, ordinal: u32, payload: u16) {
        let (upper, lower) = halves(ordinal);
        match self {
            Self::Few(few) => {
                match few.binary_search_by_key(&(upper, lower), |[u, l, _]| (*u, *l)) {
                    Ok(at) => few.iter_mut().skip(at).take(1).for_each(|entry| entry[2] = payload),
                    Err(at) => insert(few, at, [upper, lower, payload]),
                }
                if few.len() > FEW_MAX {
                    *self = Self::parted(few);
                }
            }
            Self::Many(blocks, count) => {
                let at = blocks.partition_point(|block| block.key < upper);
                if blocks.get(at).is_none_or(|block| block.key != upper) {
                    blocks.insert(at, Block { key: upper, entries: Vec::new() });
                }
                if let Some(block) = blocks.get_mut(at) {
                    *count = count.saturating_add(u32::from(block.set(lower, payload)));
                }
            }
        }
    }

    /// Takes a product out.
    pub(super) fn unset(&mut self, ordinal: u32) {
        let (upper, lower) = halves(ordinal);
        match self {
            Self::Few(few) => {
                if let Ok(at) = few.binary_search_by_key(&(upper, lower), |[u, l, _]| (*u, *l)) {
                    few.remove(at);
                }
            }
            Self::Many(blocks, count) => {
                let at = blocks.partition_point(|block| block.key < upper);
                let Some(block) = blocks.get_mut(at).filter(|block| block.key == upper) else { return };
                *count = count.saturating_sub(u32::from(block.unset(lower)));
                if block.entries.is_empty() {
                    blocks.remove(at);
                }
                if *count == 0 {
                    *self = Self::default();
                }
            }
        }
    }

    /// Whether the product is there.
    pub(super) fn has(&self, ordinal: u32) -> bool {
        let (upper, low) = halves(ordinal);
        match self {
            Self::Few(few) => few.binary_search_by_key(&(upper, low), |[u, l, _]| (*u, *l)).is_ok(),
            Self::Many(..) => self.block(upper).binary_search_by_key(&low, |entry| lower(*entry)).is_ok(),
        }
    }

    /// Entries with this upper half: lower half above the payload, ascending.
    pub(super) fn block(&self, key: u16) -> Cow<'_, [u32]> {
        match self {
            Self::Few(few) => {
                let from = few.partition_point(|[upper, ..]| *upper < key);
                let same = few.iter().skip(from).take_while(|[upper, ..]| *upper == key);
                Cow::Owned(same.map(|[_, lower, payload]| whole(*lower, *payload)).collect())
            }
            Self::Many(blocks, _) => {
                let at = blocks.binary_search_by_key(&key, |block| block.key);
                let block = at.ok().and_then(|at| blocks.get(at));
                Cow::Borrowed(block.map_or(&[], |block| block.entries.as_slice()))
            }
        }
    }

    /// Upper halves that occur.
    pub(super) fn keys(&self) -> Vec<u16> {
        let mut keys: Vec<u16> = match self {
            Self::Few(few) => few.iter().map(|[upper, ..]| *upper).collect(),
            Self::Many(blocks, _) => blocks.iter().map(|block| block.key).collect(),
        };
        keys.dedup();
        keys
    }

    fn parted(few: &[[u16; 3]]) -> Self {
        let mut blocks: Vec<Block> = Vec::new();
        for [upper, lower, payload] in few {
            if blocks.last().is_none_or(|block| block.key != *upper) {
                blocks.push(Block { key: *upper, entries: Vec::new() });
            }
            if let Some(block) = blocks.last_mut() {
                let at = block.entries.len();
                insert(&mut block.entries, at, whole(*lower, *payload));
            }
        }
        Self::Many(blocks, u32::try_from(few.len()).unwrap_or(u32::MAX))
    }
}

impl Block {
    fn set(&mut self, low: u16, payload: u16) -> bool {
        let at = self.entries.partition_point(|entry| lower(*entry) < low);
        if let Some(entry) = self.entries.get_mut(at).filter(|entry| lower(**entry) == low) {
            *entry = whole(low, payload);
            return false;
        }
        insert(&mut self.entries, at, whole(low, payload));
        true
    }

    fn unset(&mut self, low: u16) -> bool {
        let at = self.entries.partition_point(|entry| lower(*entry) < low);
        if self.entries.get(at).is_none_or(|entry| lower(*entry) != low) {
            return false;
        }
        self.entries.remove(at);
        true
    }
}

/// Grows by an eighth, not to the double: there are millions of these.
fn insert<T>(list: &mut Vec<T>, at: usize, item: T) {
    if list.len() == list.capacity() {
        list.reserve_exact(list.len() / 8 + 2);
    }
    list.insert(at, item);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is set and unset, the lists hold what a map holds.
        #[test]
        fn hold_what_a_map_holds(steps in prop::collection::vec((0_u32..4, 0_u32..400, any::<u16>(), 0_u8..8), 0..2000)) {
            let mut map = BTreeMap::new();
            let mut postings = Postings::default();
            for (upper, lower, payload, kind) in steps {
                let ordinal = upper << 16 | lower;
                if kind == 0 {
                    map.remove(&ordinal);
                    postings.unset(ordinal);
                } else {
                    map.insert(ordinal, payload);
                    postings.set(ordinal, payload);
                }
            }
            let mut held = Vec::new();
            for key in postings.keys() {
                held.extend(postings.block(key).iter().map(|entry| (whole(key, lower(*entry)), payload(*entry))));
            }
            prop_assert_eq!(postings.len() as usize, held.len());
            prop_assert_eq!(held, map.into_iter().collect::<Vec<_>>());
        }
    }
}
