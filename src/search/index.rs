//! Products by their words: putting in and taking out.

use std::fmt;

use super::{
    fold,
    language::Language,
    lexicon::{CODE_MARK, Lexicon},
    packed::Packed,
    record::{GAP, Record},
    synonyms::Synonyms,
    weights::{Count, Field, impact},
    words::{each_word, plain_code},
};
use crate::domain::locale::Locale;

/// The searchable text of a product.
#[derive(Debug, Clone, Copy)]
pub struct TextFields<'a> {
    /// Its title.
    pub title: &'a str,
    /// Name of its brand.
    pub brand: &'a str,
    /// Name of its product type.
    pub product_type: &'a str,
    /// Names of its categories and those above.
    pub categories: &'a [&'a str],
    /// SKUs and barcodes.
    pub codes: &'a [Box<str>],
    /// Values of attributes, titles of variants.
    pub words: &'a [Box<str>],
    /// Plain text or HTML.
    pub description: &'a str,
}

/// Products by their words, in memory.
///
/// What is put in is found by the next search. A product's score for a text depends on that product, on how many products
/// there are to the next power of two, and so on for each word searched for: an edit of one product hardly ever moves another.
pub struct TextIndex {
    pub(super) lexicon: Lexicon,
    pub(super) synonyms: Synonyms,
    /// By ordinal; empty where no product is.
    pub(super) records: Packed,
    products: u32,
}

impl fmt::Debug for TextIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextIndex").field("products", &self.products).finish_non_exhaustive()
    }
}

/// Where a term was met in the product that is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Occurrence {
    term: u32,
    field: Field,
    /// In the title, from 1; 0 elsewhere.
    position: u8,
}

/// What one product says.
#[derive(Debug, Default)]
struct Reading {
    occurrences: Vec<Occurrence>,
    record: Record,
    /// Words in each field.
    lengths: Vec<(Field, u32)>,
}

/// Most words of title, brand and values in which phrases are found; those behind are found word by word.
const SEQUENCE_MAX: usize = 1024;

impl TextIndex {
    /// An empty index of texts in this language.
    pub fn new(language: &Locale) -> Self {
        Self {
            lexicon: Lexicon::new(Language::new(language)),
            synonyms: Synonyms::default(),
            records: Packed::default(),
            products: 0,
        }
    }

    /// One with synonyms to be set.
    pub(super) fn from_parts(lexicon: Lexicon, records: Packed, products: u32) -> Self {
        Self { lexicon, synonyms: Synonyms::default(), records, products }
    }

    /// Puts a product in, or replaces it. Memory grows with the largest ordinal, so these should be dense.
    pub fn put(&mut self, ordinal: u32, text: &TextFields<'_>) {
        let mut reading = Reading::default();
        self.read(Field::Title, text.title, &mut reading);
        self.read(Field::Brand, text.brand, &mut reading);
        for value in text.words {
            self.read(Field::Words, value, &mut reading);
        }
        self.read(Field::ProductType, text.product_type, &mut reading);
        for category in text.categories {
            self.read(Field::Category, category, &mut reading);
        }
        self.read(Field::Description, &fold::without_tags(text.description), &mut reading);
        for code in text.codes {
            if let Some(code) = plain_code(&fold::fold(code)) {
                let word = self.lexicon.intern(&format!("{CODE_MARK}{code}"));
                self.meet(word, Field::Code, 0, &mut reading);
                reading.record.others.push(word);
            }
        }
        let Reading { mut occurrences, mut record, lengths } = reading;
        record.others.sort_unstable();
        record.others.dedup();
        let words = record.distinct();
        let others = std::mem::take(&mut record.others);
        let mut in_sequence = record.sequence.clone();
        in_sequence.sort_unstable();
        record.others = others.into_iter().filter(|word| in_sequence.binary_search(word).is_err()).collect();
        for word in &words {
            self.lexicon.hold(*word);
        }
        // Only now, so that words which stay keep their ids.
        self.remove(ordinal);
        occurrences.sort_unstable();
        for met in occurrences.chunk_by(|a, b| a.term == b.term) {
            self.post(ordinal, met, &lengths);
        }
        self.records.set(ordinal, &record.packed());
        self.products = self.products.saturating_add(1);
    }

    /// Takes a product out, if it is there.
    pub fn remove(&mut self, ordinal: u32) {
        let Some(bytes) = self.record(ordinal) else { return };
        let words = Record::unpacked(bytes).distinct();
        self.records.set(ordinal, &[]);
        self.products = self.products.saturating_sub(1);
        let mut terms: Vec<u32> = words.iter().filter_map(|word| self.lexicon.term_of_word(*word)).collect();
        terms.sort_unstable();
        terms.dedup();
        for term in terms {
            if let Some(postings) = self.lexicon.postings_mut(term) {
                postings.unset(ordinal);
            }
        }
        for word in words {
            self.lexicon.release(word);
        }
    }

    /// Sets of words and phrases of which each is found by the others too. Replaces earlier sets.
    pub fn set_synonyms(&mut self, sets: &[Vec<Box<str>>]) {
        self.synonyms = Synonyms::new(sets, &self.lexicon.language);
    }

    /// How many products there are.
    pub(super) fn products(&self) -> u32 {
        self.products
    }

    /// One more than the largest ordinal ever put in.
    pub(super) fn ordinals_end(&self) -> usize {
        self.records.len()
    }

    /// The packed record of a product.
    pub(super) fn record(&self, ordinal: u32) -> Option<&[u8]> {
        Some(self.records.get(ordinal)).filter(|record| !record.is_empty())
    }

    fn read(&mut self, field: Field, text: &str, reading: &mut Reading) {
        let is_sequence = matches!(field, Field::Title | Field::Brand | Field::Words);
        let mut previous = String::new();
        let mut length = 0_u32;
        let mut last_position = 0_u8;
        each_word(&fold::fold(text), self.lexicon.language.elides, |text, is_joined| {
            if field == Field::Description && self.lexicon.language.is_stop(text) {
                return previous.clear();
            }
            length = length.saturating_add(1);
            let position = if field == Field::Title { last_position.saturating_add(1) } else { 0 };
            let word = self.lexicon.intern(text);
            self.meet(word, field, position, reading);
            if is_sequence && reading.record.sequence.len() < SEQUENCE_MAX {
                reading.record.sequence.push(word);
            } else {
                reading.record.others.push(word);
            }
            // `t-shirt` is found as `tshirt` too.
            if is_joined && !previous.is_empty() {
                let joined = self.lexicon.intern(&format!("{previous}{text}"));
                self.meet(joined, field, last_position, reading);
                reading.record.others.push(joined);
            }
            text.clone_into(&mut previous);
            last_position = position;
        });
        if is_sequence && length > 0 {
            reading.record.sequence.push(GAP);
        }
        match reading.lengths.iter_mut().find(|(of, _)| *of == field) {
            Some((_, sum)) => *sum = sum.saturating_add(length),
            None => reading.lengths.push((field, length)),
        }
    }

    fn meet(&self, word: u32, field: Field, position: u8, reading: &mut Reading) {
        if let Some(term) = self.lexicon.term_of_word(word) {
            reading.occurrences.push(Occurrence { term, field, position });
        }
    }

    /// `met` is of one term, sorted.
    fn post(&mut self, ordinal: u32, met: &[Occurrence], lengths: &[(Field, u32)]) {
        let Some(first) = met.first() else { return };
        let counts = met.chunk_by(|a, b| a.field == b.field).filter_map(|same| {
            let field = same.first()?.field;
            let length = lengths.iter().find(|(of, _)| *of == field).map_or(1, |(_, length)| *length);
            Some(Count { field, times: u32::try_from(same.len()).unwrap_or(u32::MAX), length })
        });
        let payload = u16::from_be_bytes([impact(counts), first.position]);
        if let Some(postings) = self.lexicon.postings_mut(first.term) {
            postings.set(ordinal, payload);
        }
    }
}
