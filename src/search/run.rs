//! Finding what fills the slots, and how well.

use std::borrow::Cow;

use roaring::RoaringBitmap;

use super::{
    Found,
    index::TextIndex,
    lists,
    plan::{Phrase, Plan, Slot},
    postings::{halves, lower, whole},
    record::unpacked_sequence,
};
use crate::domain::list::SearchNotes;

/// Where fewer products have all words, those that lack some follow.
const ALL_WORDS_ENOUGH: usize = 48;

/// Share of the words' rarity that a product must have of what the best has, in 256ths.
const SHARE_MIN: u32 = 128;

/// Worth of two words side by side in the title, in units of impact.
const ADJACENT: u32 = 120;

/// Worth of two words near each other in the title.
const NEAR: u32 = 40;

/// Set for what has all words.
const ALL_WORDS: u32 = 1 << 30;

/// Blocks with fewer entries than this are sorted; in others each product has a cell.
const SPARSE: usize = 4096;

/// Products of one block.
const BLOCK: usize = 1 << 16;

/// What a product has of the slots.
#[derive(Debug, Clone, Copy, Default)]
struct Match {
    sum: u32,
    /// Rarity of the slots that it fills.
    covered: u32,
    /// The slots that it fills.
    mask: u32,
    /// Place among the words of the last slot filled, and its position in the title.
    last: (u8, u8),
}

impl Match {
    fn add(&mut self, number: u32, slot: &Slot, payload: u16) {
        let (impact, position) = (lists::impact(payload), lists::position(payload));
        self.sum = self.sum.saturating_add(slot.rarity.saturating_mul(u32::from(impact)));
        self.covered = self.covered.saturating_add(slot.rarity);
        self.mask |= 1_u32.wrapping_shl(number);
        let (place, before) = self.last;
        if before > 0 && position > before {
            let beyond = (position - before).saturating_sub(slot.place.saturating_sub(place));
            let worth = match beyond {
                0 => ADJACENT,
                1..=3 => NEAR,
                _ => 0,
            };
            self.sum = self.sum.saturating_add(slot.rarity.saturating_mul(worth));
        }
        self.last = (slot.place, position);
    }

    fn score(&self, plan: &Plan) -> u32 {
        let full = plan.full.max(1);
        let scaled = u64::from(self.sum) * u64::from(full + self.covered) * 8 / u64::from(full);
        let score = u32::try_from(scaled).unwrap_or(u32::MAX).min(ALL_WORDS - 1);
        if self.covered == plan.full { score | ALL_WORDS } else { score }
    }
}

/// A search under way.
#[derive(Debug)]
pub(super) struct Run<'a> {
    index: &'a TextIndex,
    plan: &'a Plan,
    within: Option<&'a RoaringBitmap>,
}

impl<'a> Run<'a> {
    pub(super) fn new(index: &'a TextIndex, plan: &'a Plan, within: Option<&'a RoaringBitmap>) -> Self {
        Self { index, plan, within }
    }

    /// What was found, by ordinal.
    pub(super) fn found(&self) -> Found {
        let mut notes = SearchNotes { corrected: self.plan.corrected.clone(), ..SearchNotes::default() };
        if self.plan.is_hopeless || self.plan.slots.is_empty() {
            return Found { hits: Vec::new(), notes };
        }
        let mut hits = self.all_words();
        let mut missing = 0;
        if hits.len() < ALL_WORDS_ENOUGH && self.plan.slots.len() > 1 {
            let has_all = !hits.is_empty();
            let some = self.some_words();
            if !has_all && let Some((_, best, _)) = best(&some) {
                missing = !best.mask;
            }
            hits = some.into_iter().map(|(ordinal, _, score)| (ordinal, score)).collect();
        }
        if !hits.is_empty() {
            notes.dropped = self.dropped(missing);
        }
        Found { hits, notes }
    }

    fn dropped(&self, missing: u32) -> Vec<Box<str>> {
        let left_out = |(number, slot): (u32, &Slot)| {
            (missing & 1_u32.wrapping_shl(number) != 0).then(|| slot.text.as_str().into())
        };
        let mut dropped = self.plan.unknown.clone();
        dropped.extend((0..).zip(&self.plan.slots).filter_map(left_out));
        dropped
    }

    fn keys(&self) -> impl Iterator<Item = u16> {
        let last = u32::try_from(self.index.ordinals_end().saturating_sub(1)).unwrap_or(u32::MAX);
        0..=halves(last).0
    }

    /// Products that fill every slot.
    fn all_words(&self) -> Vec<(u32, u32)> {
        let mut hits = Vec::new();
        for key in self.keys() {
            let blocks: Vec<_> = self.blocks(key);
            let mut order: Vec<(usize, &[u32])> = blocks.iter().map(|block| &**block).enumerate().collect();
            order.sort_by_key(|(_, block)| block.len());
            let Some(((first, shortest), others)) = order.split_first_mut() else { continue };
            let mut payloads = vec![0_u16; blocks.len()];
            'products: for entry in *shortest {
                let low = lower(*entry);
                for (number, rest) in others.iter_mut() {
                    let Some(payload) = lists::seek(rest, low) else { continue 'products };
                    payloads.iter_mut().skip(*number).take(1).for_each(|slot| *slot = payload);
                }
                payloads.iter_mut().skip(*first).take(1).for_each(|slot| *slot = halves(*entry).1);
                let ordinal = whole(key, low);
                if !self.accepts(ordinal) {
                    continue;
                }
                let mut found = Match::default();
                for ((number, slot), payload) in (0..).zip(&self.plan.slots).zip(&payloads) {
                    found.add(number, slot, *payload);
                }
                hits.push((ordinal, found.score(self.plan)));
            }
        }
        hits
    }

    /// Products that fill much of what the best fills.
    fn some_words(&self) -> Vec<(u32, Match, u32)> {
        let required = (0..).zip(&self.plan.slots).filter(|(_, slot)| slot.is_required);
        let required: u32 = required.fold(0, |mask, (number, _)| mask | 1_u32.wrapping_shl(number));
        let mut hits = Vec::new();
        let mut best = 1_u32;
        let mut cells = Vec::new();
        for key in self.keys() {
            let blocks = self.blocks(key);
            let entries: usize = blocks.iter().map(|block| block.len()).sum();
            let matches =
                if entries < SPARSE { self.sparse(&blocks) } else { self.dense(&blocks, &mut cells) };
            for (low, found) in matches {
                let is_enough = found.covered * 256 >= best * SHARE_MIN && found.mask & required == required;
                if is_enough && self.accepts(whole(key, low)) {
                    best = best.max(found.covered);
                    hits.push((whole(key, low), found, found.score(self.plan)));
                }
            }
        }
        hits.retain(|(_, found, _)| found.covered * 256 >= best * SHARE_MIN);
        hits
    }

    /// What each product of a block has, by sorting the entries.
    fn sparse(&self, blocks: &[Cow<'_, [u32]>]) -> Vec<(u16, Match)> {
        let numbered = (0_u32..).zip(blocks);
        let entries =
            numbered.flat_map(|(number, block)| block.iter().map(move |entry| (halves(*entry), number)));
        let mut entries: Vec<(u16, u32, u16)> =
            entries.map(|((low, payload), number)| (low, number, payload)).collect();
        entries.sort_unstable();
        let of_one = entries.chunk_by(|a, b| a.0 == b.0);
        of_one
            .filter_map(|same| {
                let mut found = Match::default();
                let mut slots = (0..).zip(&self.plan.slots);
                for (_, number, payload) in same {
                    if let Some((_, slot)) = slots.find(|(of, _)| of == number) {
                        found.add(*number, slot, *payload);
                    }
                }
                Some((same.first()?.0, found))
            })
            .collect()
    }

    /// The same with a cell for each product that a block may have; `cells` are used again.
    fn dense(&self, blocks: &[Cow<'_, [u32]>], cells: &mut Vec<Match>) -> Vec<(u16, Match)> {
        cells.clear();
        cells.resize(BLOCK, Match::default());
        for ((number, slot), block) in (0..).zip(&self.plan.slots).zip(blocks) {
            for entry in block.iter() {
                let (low, payload) = halves(*entry);
                if let Some(cell) = cells.get_mut(usize::from(low)) {
                    cell.add(number, slot, payload);
                }
            }
        }
        (0..=u16::MAX)
            .zip(&*cells)
            .filter(|(_, cell)| cell.mask != 0)
            .map(|(low, cell)| (low, *cell))
            .collect()
    }

    fn blocks(&self, key: u16) -> Vec<Cow<'a, [u32]>> {
        let slots = self.plan.slots.iter();
        slots.map(|slot| lists::block(self.index, slot, key, self.plan.in_titles)).collect()
    }

    fn accepts(&self, ordinal: u32) -> bool {
        self.within.is_none_or(|within| within.contains(ordinal))
            && self.plan.phrases.iter().all(|phrase| self.stands(ordinal, phrase))
            && !self.plan.excluded.iter().any(|phrase| self.has(ordinal, phrase))
    }

    fn has(&self, ordinal: u32, phrase: &Phrase) -> bool {
        phrase.code.is_some_and(|term| self.has_term(ordinal, term))
            || (phrase.terms.iter().all(|term| self.has_term(ordinal, *term))
                && self.is_in_order(ordinal, phrase))
    }

    /// The same for a product that fills the slots of the phrase's words.
    fn stands(&self, ordinal: u32, phrase: &Phrase) -> bool {
        phrase.code.is_some_and(|term| self.has_term(ordinal, term)) || self.is_in_order(ordinal, phrase)
    }

    fn has_term(&self, ordinal: u32, term: u32) -> bool {
        self.index.lexicon.postings(term).is_some_and(|found| found.has(ordinal))
    }

    fn is_in_order(&self, ordinal: u32, phrase: &Phrase) -> bool {
        let [_, _, ..] = phrase.terms.as_slice() else { return true };
        let Some(bytes) = self.index.record(ordinal) else { return false };
        let term_of = |word: u32| self.index.lexicon.term_of_word(word);
        let terms: Vec<Option<u32>> = unpacked_sequence(bytes).0.into_iter().map(term_of).collect();
        terms.windows(phrase.terms.len()).any(|window| window.iter().flatten().eq(&phrase.terms))
    }
}

/// What fills most; among equals what fills it best, then the first.
fn best(hits: &[(u32, Match, u32)]) -> Option<&(u32, Match, u32)> {
    hits.iter().max_by_key(|(ordinal, found, score)| (found.covered, *score, u32::MAX - ordinal))
}
