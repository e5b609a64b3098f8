//! Entries that fill a slot within one block of ordinals.

use std::borrow::Cow;

use super::{
    index::TextIndex,
    plan::{Alternative, EXACT, Slot},
    postings::{lower, payload, whole},
};

/// Most entries that are united by sorting.
const SORTED_MAX: usize = 8192;

/// Entries of a slot: lower half of the ordinal, impact, position in the title; ascending, each ordinal once.
pub(super) fn block<'a>(index: &'a TextIndex, slot: &Slot, key: u16, in_titles: bool) -> Cow<'a, [u32]> {
    let mut found = match slot.alternatives.as_slice() {
        [only] => way(index, only, key),
        ways => {
            let blocks: Vec<_> = ways.iter().map(|one| way(index, one, key)).collect();
            Cow::Owned(united(&blocks))
        }
    };
    if in_titles {
        found.to_mut().retain(|entry| position(payload(*entry)) > 0);
    }
    found
}

/// Impact of a payload.
pub(super) fn impact(payload: u16) -> u8 {
    payload.to_be_bytes()[0]
}

/// Position in the title of a payload, from 1; 0 when it is elsewhere.
pub(super) fn position(payload: u16) -> u8 {
    payload.to_be_bytes()[1]
}

/// Entries of all; of one product that with the greatest impact.
fn united(blocks: &[Cow<'_, [u32]>]) -> Vec<u32> {
    let count: usize = blocks.iter().map(|block| block.len()).sum();
    if count > SORTED_MAX {
        // No payload is 0: every impact is at least 1.
        let mut cells = vec![0_u16; 1 << 16];
        for entry in blocks.iter().flat_map(|block| block.iter()) {
            if let Some(cell) = cells.get_mut(usize::from(lower(*entry))) {
                *cell = payload(*entry).max(*cell);
            }
        }
        let filled = (0..=u16::MAX).zip(cells).filter(|(_, payload)| *payload > 0);
        return filled.map(|(low, payload)| whole(low, payload)).collect();
    }
    let mut all: Vec<u32> = blocks.iter().flat_map(|block| block.iter()).copied().collect();
    all.sort_unstable();
    all.dedup_by(|next, kept| {
        let is_same = lower(*next) == lower(*kept);
        if is_same {
            *kept = *next;
        }
        is_same
    });
    all
}

fn way<'a>(index: &'a TextIndex, way: &Alternative, key: u16) -> Cow<'a, [u32]> {
    let term = |term: &u32| index.lexicon.postings(*term).map(|found| found.block(key)).unwrap_or_default();
    let Some((first, others)) = way.terms.split_first() else { return Cow::Borrowed(&[]) };
    let mut found = term(first);
    for other in others {
        let other = term(other);
        let mut rest: &[u32] = &other;
        let both = found.iter().filter_map(|entry| Some((*entry, seek(&mut rest, lower(*entry))?)));
        let together = both.map(|(entry, other)| {
            let (own, start) = (payload(entry), position(payload(entry)));
            let least = impact(own).min(impact(other));
            let is_adjacent = start > 0 && position(other) == start.saturating_add(1);
            let impact = if is_adjacent { least } else { least / 2 };
            whole(lower(entry), u16::from_be_bytes([impact.max(1), start]))
        });
        found = Cow::Owned(together.collect());
    }
    if way.weight != EXACT {
        for entry in found.to_mut() {
            let own = payload(*entry);
            let scaled = u32::from(impact(own)) * way.weight / EXACT;
            let scaled = u8::try_from(scaled).unwrap_or(u8::MAX).max(1);
            *entry = whole(lower(*entry), u16::from_be_bytes([scaled, position(own)]));
        }
    }
    found
}

/// The payload of this lower half; `rest` then begins there. Looks ahead in doubling steps, so that few steps in a short
/// list cost few in a long one.
pub(super) fn seek(rest: &mut &[u32], low: u16) -> Option<u16> {
    let mut step = 1_usize;
    while rest.get(step).is_some_and(|entry| lower(*entry) < low) {
        step = step.saturating_mul(2);
    }
    let window = rest.get(..step.saturating_add(1)).unwrap_or(rest);
    *rest = rest.get(window.partition_point(|entry| lower(*entry) < low)..).unwrap_or_default();
    rest.first().filter(|entry| lower(**entry) == low).map(|entry| payload(*entry))
}
