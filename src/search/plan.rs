//! What is looked for in the index: a slot for each word, with everything that may stand for it.

use super::{
    index::TextIndex,
    lexicon::CODE_MARK,
    query::{Asked, Query},
    repair::Repair,
    weights::rarity,
    words::plain_code,
};

/// Most words that an unfinished one may become.
const PREFIX_WORDS_MAX: usize = 24;

/// The same for one or two letters, which nearly every product has somewhere.
const SHORT_PREFIX_WORDS_MAX: usize = 8;

/// Most words of a code that is written in parts.
const CODE_WORDS_MAX: usize = 6;

/// Weight of what was asked for, in 256ths.
pub(super) const EXACT: u32 = 256;

/// Weight of a synonym.
const SYNONYM: u32 = 224;

/// Weight of a word that only begins as asked.
const PREFIX: u32 = 112;

/// One way to fill a slot: all of these terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alternative {
    pub(super) terms: Vec<u32>,
    /// In 256ths.
    pub(super) weight: u32,
}

/// A word that is looked for.
#[derive(Debug)]
pub(super) struct Slot {
    /// As it was asked for.
    pub(super) text: String,
    pub(super) alternatives: Vec<Alternative>,
    /// See [`rarity`].
    pub(super) rarity: u32,
    /// Without it nothing is an answer.
    pub(super) is_required: bool,
    /// Its place among the words.
    pub(super) place: u8,
}

/// Words that must stand one behind the other.
#[derive(Debug)]
pub(super) struct Phrase {
    pub(super) terms: Vec<u32>,
    /// A code of this name does as well.
    pub(super) code: Option<u32>,
}

/// All that is looked for.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) slots: Vec<Slot>,
    pub(super) phrases: Vec<Phrase>,
    pub(super) excluded: Vec<Phrase>,
    /// Words that nothing in the index stands for.
    pub(super) unknown: Vec<Box<str>>,
    pub(super) corrected: Vec<(Box<str>, Box<str>)>,
    /// Something that must be there is in no product.
    pub(super) is_hopeless: bool,
    /// Sum of the slots' rarity.
    pub(super) full: u32,
    /// Only titles count.
    pub(super) in_titles: bool,
}

/// How a plan is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Aim {
    /// Only titles count.
    pub(super) in_titles: bool,
    /// Letters of an unfinished word that say enough.
    pub(super) prefix_min: usize,
}

impl Plan {
    pub(super) fn new(index: &TextIndex, query: &Query, aim: Aim) -> Self {
        let mut plan = Self { in_titles: aim.in_titles, ..Self::default() };
        let words = &query.words;
        let has_sense = words.iter().any(|asked| !index.lexicon.language.is_stop(&asked.text));
        let repair = Repair::new(index, words, query.is_open, aim.prefix_min);
        let mut filled = repair.alternatives;
        add_codes(index, words, &mut filled);
        add_synonyms(index, words, &repair.stems, &mut filled);
        for (place, (asked, mut alternatives)) in words.iter().zip(filled).enumerate() {
            if has_sense && !asked.is_quoted && index.lexicon.language.is_stop(&asked.text) {
                continue;
            }
            let mut frequency =
                alternatives.iter().map(|way| frequency(index, way)).max().unwrap_or_default();
            let is_open = query.is_open && place.saturating_add(1) == words.len();
            if is_open && asked.text.chars().count() >= aim.prefix_min {
                let is_short = asked.text.chars().nth(2).is_none();
                let limit = if is_short { SHORT_PREFIX_WORDS_MAX } else { PREFIX_WORDS_MAX };
                let prefixed = index.lexicon.prefixed(&asked.text, limit);
                for term in
                    prefixed.into_iter().filter(|term| !covers(&alternatives, *term)).collect::<Vec<_>>()
                {
                    alternatives.push(Alternative { terms: vec![term], weight: PREFIX });
                }
                frequency = frequency.max(
                    alternatives.iter().map(|way| self::frequency(index, way)).max().unwrap_or_default(),
                );
            }
            plan.add(asked, alternatives, rarity(frequency, index.products()), place);
        }
        plan.corrected = repair.corrected;
        plan.phrases = query.phrases.iter().filter_map(|words| phrase(index, words, None)).collect();
        plan.is_hopeless |= plan.phrases.len() < query.phrases.len();
        plan.excluded =
            query.excluded.iter().filter_map(|(words, code)| phrase(index, words, code.as_deref())).collect();
        plan.full = plan.slots.iter().map(|slot| slot.rarity).sum();
        plan
    }

    fn add(&mut self, asked: &Asked, mut alternatives: Vec<Alternative>, rarity: u32, place: usize) {
        alternatives.retain(|way| !way.terms.is_empty());
        if alternatives.is_empty() {
            self.is_hopeless |= asked.is_quoted;
            self.unknown.push(asked.text.as_str().into());
            return;
        }
        let first = alternatives.first();
        if let Some(same) = self.slots.iter_mut().find(|slot| slot.alternatives.first() == first) {
            same.is_required |= asked.is_quoted;
            return;
        }
        let place = u8::try_from(place).unwrap_or(u8::MAX);
        let slot =
            Slot { text: asked.text.clone(), alternatives, rarity, is_required: asked.is_quoted, place };
        self.slots.push(slot);
    }
}

/// How many products fill a slot this way, at most.
fn frequency(index: &TextIndex, way: &Alternative) -> u32 {
    way.terms.iter().map(|term| index.lexicon.frequency(*term)).min().unwrap_or_default()
}

fn covers(alternatives: &[Alternative], term: u32) -> bool {
    alternatives.iter().any(|way| way.terms == [term])
}

/// Neighbouring words that together are a code.
fn add_codes(index: &TextIndex, words: &[Asked], filled: &mut [Vec<Alternative>]) {
    for start in 0..words.len() {
        let mut together = String::new();
        for (count, asked) in words.iter().skip(start).take(CODE_WORDS_MAX).enumerate() {
            together.push_str(&asked.text);
            let Some(term) = code_term(index, &together) else { continue };
            for alternatives in filled.iter_mut().skip(start).take(count.saturating_add(1)) {
                if !covers(alternatives, term) {
                    alternatives.push(Alternative { terms: vec![term], weight: EXACT });
                }
            }
        }
    }
}

fn code_term(index: &TextIndex, text: &str) -> Option<u32> {
    let code = plain_code(text)?;
    index.lexicon.term_of_word(index.lexicon.find(&format!("{CODE_MARK}{code}"))?)
}

/// Synonyms of what is not quoted; each stands for every word it replaces.
fn add_synonyms(index: &TextIndex, words: &[Asked], stems: &[String], filled: &mut [Vec<Alternative>]) {
    let stems: Vec<&str> = stems.iter().map(String::as_str).collect();
    for start in 0..stems.len() {
        for (count, others) in index.synonyms.at(stems.get(start..).unwrap_or_default()) {
            let covered = words.iter().zip(filled.iter_mut()).skip(start).take(count);
            for (_, alternatives) in covered.filter(|(asked, _)| !asked.is_quoted) {
                for other in &others {
                    let terms: Option<Vec<u32>> =
                        other.iter().map(|stem| index.lexicon.term_of_stem(stem)).collect();
                    let Some(terms) = terms else { continue };
                    if alternatives.iter().all(|way| way.terms != terms) {
                        alternatives.push(Alternative { terms, weight: SYNONYM });
                    }
                }
            }
        }
    }
}

/// `None` where a word of it is in no product, and no product has the code.
fn phrase(index: &TextIndex, words: &[String], code: Option<&str>) -> Option<Phrase> {
    let together = words.concat();
    let code = code_term(index, code.unwrap_or(&together));
    let terms: Option<Vec<u32>> = words.iter().map(|word| index.lexicon.term_of(word)).collect();
    match (terms, code) {
        (Some(terms), code) => Some(Phrase { terms, code }),
        (None, Some(code)) => Some(Phrase { terms: vec![code], code: Some(code) }),
        (None, None) => None,
    }
}
