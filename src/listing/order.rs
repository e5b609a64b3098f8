//! A sorted list of ordinals in blocks: four bytes an item, and an insertion moves one block at most.

use std::cmp::Ordering;

/// Items of a block before it is split: moving them costs about as much as finding the place.
const BLOCK_MAX: usize = 512;

/// Items that a full block gets room for at a time.
const ROOM: usize = 32;

/// Ordinals in an order that whoever calls knows; always the same one.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    blocks: Vec<Vec<u32>>,
}

/// A gap between two items.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    block: usize,
    item: usize,
}

/// Makes room for one more, and not for as many again.
fn grow(block: &mut Vec<u32>) {
    if block.len() == block.capacity() {
        block.reserve_exact(ROOM);
    }
}

impl Order {
    /// Of ordinals that are in order.
    pub(super) fn of_sorted(ordinals: &[u32]) -> Self {
        Self { blocks: ordinals.chunks(BLOCK_MAX).map(<[u32]>::to_vec).collect() }
    }

    /// All ordinals.
    pub(super) fn all(&self) -> Vec<u32> {
        self.blocks.concat()
    }

    /// Puts in an ordinal that is not there.
    pub(super) fn insert(&mut self, ordinal: u32, compare: impl Fn(u32, u32) -> Ordering) {
        let gap = self.gap(|other| compare(other, ordinal).is_lt());
        let Some(block) = self.blocks.get_mut(gap.block) else {
            return self.append(ordinal);
        };
        grow(block);
        block.insert(gap.item.min(block.len()), ordinal);
        if block.len() > BLOCK_MAX {
            let upper = block.split_off(block.len() / 2);
            block.shrink_to_fit();
            self.blocks.insert(gap.block + 1, upper);
        }
    }

    /// At the end: a catalogue that is loaded in order leaves full blocks behind, not halves.
    fn append(&mut self, ordinal: u32) {
        match self.blocks.last_mut() {
            Some(block) if block.len() < BLOCK_MAX => {
                grow(block);
                block.push(ordinal);
            }
            _ => self.blocks.push(vec![ordinal]),
        }
    }

    /// Takes out an ordinal; what it is sorted by must still be as it was when it was put in.
    pub(super) fn remove(&mut self, ordinal: u32, compare: impl Fn(u32, u32) -> Ordering) {
        let gap = self.gap(|other| compare(other, ordinal).is_lt());
        let Some(block) = self.blocks.get_mut(gap.block) else { return };
        if block.get(gap.item) == Some(&ordinal) {
            block.remove(gap.item);
        }
        if block.is_empty() {
            self.blocks.remove(gap.block);
        }
    }

    /// The gap after all items that come first; `is_before` is true for a head of the list and false for the rest. The gap
    /// names the item after it, or the end of the list.
    pub(super) fn gap(&self, is_before: impl Fn(u32) -> bool) -> Gap {
        let block = self.blocks.partition_point(|block| block.last().is_some_and(|last| is_before(*last)));
        let item = self.blocks.get(block).map_or(0, |items| items.partition_point(|item| is_before(*item)));
        Gap { block, item }
    }

    /// Items after a gap, in order.
    pub(super) fn after(&self, gap: Gap) -> impl Iterator<Item = u32> {
        let head = self.blocks.get(gap.block).and_then(|block| block.get(gap.item..)).unwrap_or_default();
        let rest = self.blocks.get(gap.block.saturating_add(1)..).unwrap_or_default();
        head.iter().chain(rest.iter().flatten()).copied()
    }

    /// Items before a gap, the nearest first.
    pub(super) fn before(&self, gap: Gap) -> impl Iterator<Item = u32> {
        let tail = self.blocks.get(gap.block).and_then(|block| block.get(..gap.item)).unwrap_or_default();
        let rest = self.blocks.get(..gap.block).unwrap_or_default();
        tail.iter().rev().chain(rest.iter().rev().flat_map(|block| block.iter().rev())).copied()
    }

    /// Whether nothing is in it.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}
