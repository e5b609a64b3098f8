//! Which products have a term, with 16 bits about each.

use std::borrow::Cow;

/// Up to so many are kept as one list.
const FEW_MAX: usize = 256;

/// Most entries of a block (4 KiB): one more moves little memory, and memory that is let go fits the next.
const BLOCK_MAX: usize = 1024;

/// Products of a term, ascending. Rare terms are one list of 6 bytes each; others are parted into blocks, 4 bytes each. Most
/// terms are codes, which one product has: those take no memory of their own.
#[derive(Debug, Clone)]
pub(super) enum Postings {
    /// As one of the next.
    One([u16; 3]),
    /// Upper half, lower half, payload.
    Few(Vec<[u16; 3]>),
    /// Parted.
    Many(Box<Blocks>),
}

/// Blocks in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    pub(super) blocks: Vec<Block>,
    /// Sum of their lengths.
    pub(super) count: u32,
}

/// Neighbouring products with the same upper half of the ordinal.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) key: u16,
    /// Lower half of the ordinal above the payload.
    pub(super) entries: Vec<u32>,
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
            Self::One(_) => 1,
            Self::Few(few) => u32::try_from(few.len()).unwrap_or(u32::MAX),
            Self::Many(many) => many.count,
        }
    }

    /// Those that are one list.
    pub(super) fn few(&self) -> &[[u16; 3]] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Few(few) => few,
            Self::Many(_) => &[],
        }
    }

    /// Adds a product, or replaces its payload.
    pub(super) fn set(&mut self, ordinal: u32, payload: u16) {
        let (upper, lower) = halves(ordinal);
        match self {
            Self::One([u, l, old]) if (*u, *l) == (upper, lower) => *old = payload,
            Self::One(one) => {
                *self = Self::Few(vec![*one]);
                self.set(ordinal, payload);
            }
            Self::Few(few) if few.is_empty() => *self = Self::One([upper, lower, payload]),
            Self::Few(few) => {
                match few.binary_search_by_key(&(upper, lower), |[u, l, _]| (*u, *l)) {
                    Ok(at) => few.iter_mut().skip(at).take(1).for_each(|entry| entry[2] = payload),
                    Err(at) => insert(few, at, [upper, lower, payload]),
                }
                if few.len() > FEW_MAX {
                    *self = Self::parted(few);
                }
            }
            Self::Many(many) => {
                let is_new = set(&mut many.blocks, (upper, lower), payload);
                many.count = many.count.saturating_add(u32::from(is_new));
            }
        }
    }

    /// Takes a product out.
    pub(super) fn unset(&mut self, ordinal: u32) {
        let (upper, lower) = halves(ordinal);
        match self {
            Self::One([u, l, _]) if (*u, *l) == (upper, lower) => *self = Self::default(),
            Self::One(_) => {}
            Self::Few(few) => {
                if let Ok(at) = few.binary_search_by_key(&(upper, lower), |[u, l, _]| (*u, *l)) {
                    few.remove(at);
                }
            }
            Self::Many(many) => {
                let Blocks { blocks, count } = &mut **many;
                let at = place(blocks, (upper, lower));
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
            Self::One(_) | Self::Few(_) => {
                self.few().binary_search_by_key(&(upper, low), |[u, l, _]| (*u, *l)).is_ok()
            }
            Self::Many(many) => {
                let blocks = &many.blocks;
                let block = blocks.get(place(blocks, (upper, low))).filter(|block| block.key == upper);
                block.is_some_and(|block| {
                    block.entries.binary_search_by_key(&low, |entry| lower(*entry)).is_ok()
                })
            }
        }
    }

    /// Entries with this upper half: lower half above the payload, ascending.
    pub(super) fn block(&self, key: u16) -> Cow<'_, [u32]> {
        match self {
            Self::One(_) | Self::Few(_) => {
                let few = self.few();
                let from = few.partition_point(|[upper, ..]| *upper < key);
                let same = few.iter().skip(from).take_while(|[upper, ..]| *upper == key);
                Cow::Owned(same.map(|[_, lower, payload]| whole(*lower, *payload)).collect())
            }
            Self::Many(many) => {
                let blocks = &many.blocks;
                let from = blocks.partition_point(|block| block.key < key);
                let blocks = blocks.get(from..).unwrap_or_default();
                let same = blocks.get(..blocks.partition_point(|block| block.key == key)).unwrap_or_default();
                match same {
                    [] => Cow::Borrowed(&[]),
                    [one] => Cow::Borrowed(&one.entries),
                    several => {
                        let mut all =
                            Vec::with_capacity(several.iter().map(|block| block.entries.len()).sum());
                        for block in several {
                            all.extend_from_slice(&block.entries);
                        }
                        Cow::Owned(all)
                    }
                }
            }
        }
    }

    /// Upper halves that occur.
    pub(super) fn keys(&self) -> Vec<u16> {
        let mut keys: Vec<u16> = match self {
            Self::One(_) | Self::Few(_) => self.few().iter().map(|[upper, ..]| *upper).collect(),
            Self::Many(many) => many.blocks.iter().map(|block| block.key).collect(),
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
        Self::Many(Box::new(Blocks { blocks, count: u32::try_from(few.len()).unwrap_or(u32::MAX) }))
    }
}

/// The block that has or would have a product: the last that does not begin behind it, if that is of the same upper half.
fn place(blocks: &[Block], (upper, low): (u16, u16)) -> usize {
    let begins = |block: &Block| (block.key, block.entries.first().map_or(0, |entry| lower(*entry)));
    let after = blocks.partition_point(|block| begins(block) <= (upper, low));
    let before = after.saturating_sub(1);
    if blocks.get(before).is_some_and(|block| block.key == upper) { before } else { after }
}

/// Whether it was not there yet. A full block is parted; at its end, where new products go, the next one begins.
fn set(blocks: &mut Vec<Block>, (upper, low): (u16, u16), payload: u16) -> bool {
    // New products mostly have the highest ordinal: no search then.
    if let Some(block) = blocks.last_mut()
        && block.key == upper
        && block.entries.len() < BLOCK_MAX
        && block.entries.last().is_some_and(|last| lower(*last) < low)
    {
        let end = block.entries.len();
        insert(&mut block.entries, end, whole(low, payload));
        return true;
    }
    let at = place(blocks, (upper, low));
    let Some(block) = blocks.get_mut(at).filter(|block| block.key == upper) else {
        insert(blocks, at, Block { key: upper, entries: vec![whole(low, payload)] });
        return true;
    };
    if block.entries.len() < BLOCK_MAX {
        return block.set(low, payload);
    }
    let is_behind = block.entries.last().is_some_and(|last| lower(*last) < low);
    let entries = if is_behind { Vec::new() } else { block.entries.split_off(BLOCK_MAX / 2) };
    let mut next = Block { key: upper, entries };
    let is_next = next.entries.first().is_none_or(|first| lower(*first) <= low);
    let is_new = if is_next { next.set(low, payload) } else { block.set(low, payload) };
    insert(blocks, at.saturating_add(1), next);
    is_new
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
        fn hold_what_a_map_holds(steps in prop::collection::vec((0_u32..3, 0_u32..3000, any::<u16>(), 0_u8..8), 0..8000)) {
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
            prop_assert_eq!(usize::try_from(postings.len()).unwrap(), held.len());
            prop_assert_eq!(held, map.into_iter().collect::<Vec<_>>());
        }
    }
}
