//! The words of all products, their stems, and who has them.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{
    alphabet::Alphabet,
    language::Language,
    packed::Packed,
    postings::Postings,
    typos::{self, Signature},
};

/// Starts the name of a code, so that no word of a text equals it.
pub(super) const CODE_MARK: char = '\u{1}';

/// Most words that are looked at for one prefix.
const PREFIX_SCAN_MAX: usize = 20_000;

/// What a word is searched for by: its stem; or a code.
#[derive(Debug, Default)]
pub(super) struct Term {
    /// How many words have it.
    pub(super) words: u32,
    pub(super) postings: Postings,
}

/// All words, as they are written, folded; and codes. Ids of words and terms are used again when no product has them any more.
///
/// A catalogue has more codes than words, each in one product: a code takes its text, a few numbers and no allocation.
pub(super) struct Lexicon {
    pub(super) language: Language,
    /// Texts of the words, by id; empty where the id is free.
    pub(super) texts: Packed,
    /// Terms of the words.
    pub(super) word_terms: Vec<u32>,
    /// How many products have each word.
    pub(super) holders: Vec<u32>,
    pub(super) signatures: Vec<Signature>,
    pub(super) free_words: Vec<u32>,
    by_text: HashTable<u32>,
    /// Words without the codes.
    pub(super) alphabet: Alphabet,
    pub(super) terms: Vec<Term>,
    /// Stems of the terms, by id; empty for a code, which is found by its word alone.
    pub(super) stems: Packed,
    pub(super) free_terms: Vec<u32>,
    by_stem: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Lexicon {
    pub(super) fn new(language: Language) -> Self {
        Self {
            language,
            texts: Packed::default(),
            word_terms: Vec::new(),
            holders: Vec::new(),
            signatures: Vec::new(),
            free_words: Vec::new(),
            by_text: HashTable::new(),
            alphabet: Alphabet::default(),
            terms: Vec::new(),
            stems: Packed::default(),
            free_terms: Vec::new(),
            by_stem: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// Sets the order of words that were entered otherwise.
    pub(super) fn set_alphabet(&mut self, words: &[u32]) {
        self.alphabet = Alphabet::of_sorted(words);
    }

    /// Makes words and stems that were entered otherwise be found.
    pub(super) fn hash_all(&mut self) {
        let Self { texts, stems, by_text, by_stem, hasher, .. } = self;
        for (items, by_item) in [(texts, by_text), (stems, by_stem)] {
            by_item.clear();
            let hash = |id: &u32| hasher.hash_one(items.get(*id));
            by_item.reserve(items.len(), hash);
            for id in (0..id_of(items.len())).filter(|id| !items.get(*id).is_empty()) {
                by_item.insert_unique(hash(&id), id, hash);
            }
        }
    }

    /// The id of a word, new if need be. Whoever asks holds it (see [`Self::hold`]) before anything is released.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text.as_bytes());
        if let Some(word) = self.by_text.find(hash, |word| self.texts.get(*word) == text.as_bytes()) {
            return *word;
        }
        let is_code = text.starts_with(CODE_MARK);
        let (term, signature) = if is_code {
            (self.new_term(), Signature::NONE)
        } else {
            let stem = self.language.stem(text).into_owned();
            (self.intern_stem(&stem), Signature::of(text))
        };
        let id = self.free_words.pop().unwrap_or_else(|| {
            self.word_terms.push(u32::MAX);
            self.holders.push(0);
            self.signatures.push(Signature::NONE);
            id_of(self.word_terms.len().saturating_sub(1))
        });
        self.texts.set(id, text.as_bytes());
        put(&mut self.word_terms, id, term);
        put(&mut self.holders, id, 0);
        put(&mut self.signatures, id, signature);
        let (texts, hasher) = (&self.texts, &self.hasher);
        self.by_text.insert_unique(hash, id, |word| hasher.hash_one(texts.get(*word)));
        if !is_code {
            self.alphabet.insert(id, |other| texts.get(other) < text.as_bytes());
        }
        id
    }

    fn new_term(&mut self) -> u32 {
        let term = Term { words: 1, postings: Postings::default() };
        if let Some(id) = self.free_terms.pop() {
            put(&mut self.terms, id, term);
            id
        } else {
            self.terms.push(term);
            id_of(self.terms.len().saturating_sub(1))
        }
    }

    fn intern_stem(&mut self, stem: &str) -> u32 {
        if let Some(id) = self.term_of_stem(stem) {
            if let Some(term) = self.terms.get_mut(index(id)) {
                term.words = term.words.saturating_add(1);
            }
            return id;
        }
        let id = self.new_term();
        self.stems.set(id, stem.as_bytes());
        let (stems, hasher) = (&self.stems, &self.hasher);
        let hash = hasher.hash_one(stem.as_bytes());
        self.by_stem.insert_unique(hash, id, |term| hasher.hash_one(stems.get(*term)));
        id
    }

    /// One more product has the word.
    pub(super) fn hold(&mut self, word: u32) {
        if let Some(holders) = self.holders.get_mut(index(word)) {
            *holders = holders.saturating_add(1);
        }
    }

    /// One product less has the word. The term's postings must be free of that product already.
    pub(super) fn release(&mut self, id: u32) {
        let Some(holders) = self.holders.get_mut(index(id)) else { return };
        *holders = holders.saturating_sub(1);
        if *holders > 0 {
            return;
        }
        let text = self.texts.get(id);
        if let Ok(entry) = self.by_text.find_entry(self.hasher.hash_one(text), |word| *word == id) {
            entry.remove();
        }
        let texts = &self.texts;
        self.alphabet.remove(id, |other| texts.get(other) < text);
        self.texts.set(id, &[]);
        put(&mut self.signatures, id, Signature::NONE);
        self.free_words.push(id);
        let Some(term_id) = self.term_of_word(id) else { return };
        let Some(term) = self.terms.get_mut(index(term_id)) else { return };
        term.words = term.words.saturating_sub(1);
        if term.words == 0 {
            let hash = self.hasher.hash_one(self.stems.get(term_id));
            if let Ok(entry) = self.by_stem.find_entry(hash, |term| *term == term_id) {
                entry.remove();
                self.stems.set(term_id, &[]);
            }
            self.free_terms.push(term_id);
        }
    }

    /// How the word of this id is written.
    fn text(&self, word: u32) -> &str {
        self.texts.text(word)
    }

    /// The term of the word of this id.
    pub(super) fn term_of_word(&self, id: u32) -> Option<u32> {
        self.word_terms.get(index(id)).copied()
    }

    /// The word written like this.
    pub(super) fn find(&self, text: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(text.as_bytes());
        self.by_text.find(hash, |word| self.texts.get(*word) == text.as_bytes()).copied()
    }

    /// The term of a word that some product has in this or another form.
    pub(super) fn term_of(&self, text: &str) -> Option<u32> {
        match self.find(text) {
            Some(word) => self.term_of_word(word),
            None => self.term_of_stem(self.language.stem(text).as_ref()),
        }
    }

    /// The term of a stem.
    pub(super) fn term_of_stem(&self, stem: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(stem.as_bytes());
        self.by_stem.find(hash, |term| self.stems.get(*term) == stem.as_bytes()).copied()
    }

    /// Products that have the term.
    pub(super) fn postings(&self, term: u32) -> Option<&Postings> {
        self.terms.get(index(term)).map(|term| &term.postings)
    }

    /// Products that have the term, to change them.
    pub(super) fn postings_mut(&mut self, term: u32) -> Option<&mut Postings> {
        self.terms.get_mut(index(term)).map(|term| &mut term.postings)
    }

    /// How many products have the term.
    pub(super) fn frequency(&self, term: u32) -> u32 {
        self.postings(term).map_or(0, Postings::len)
    }

    /// How many products have the word.
    fn holders(&self, word: u32) -> u32 {
        self.holders.get(index(word)).copied().unwrap_or_default()
    }

    /// Terms of the words that begin like this, those that most products have first.
    pub(super) fn prefixed(&self, prefix: &str, limit: usize) -> Vec<u32> {
        let prefix = prefix.as_bytes();
        let words = self.alphabet.from(|word| self.texts.get(word) < prefix);
        let mut found: Vec<(u32, &[u8], u32)> = words
            .map(|word| (word, self.texts.get(word)))
            .take_while(|(_, text)| text.starts_with(prefix))
            .take(PREFIX_SCAN_MAX)
            .filter_map(|(word, text)| Some((u32::MAX - self.holders(word), text, self.term_of_word(word)?)))
            .collect();
        found.sort_unstable();
        let mut terms = Vec::with_capacity(limit);
        for (_, _, term) in found {
            if terms.len() == limit {
                break;
            }
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        terms
    }

    /// The word most likely meant by one that no product has, and its term: fewest edits, then most products.
    pub(super) fn corrected(&self, text: &str) -> Option<(u32, &str)> {
        let sought = typos::Sought::new(text)?;
        let near = (0_u32..).zip(&self.signatures).filter(|(_, signature)| sought.is_near(**signature));
        let word = near.filter_map(|(word, _)| {
            let text = self.text(word);
            Some((sought.distance(text)?, u32::MAX - self.holders(word), text, word))
        });
        let (_, _, text, word) = word.min()?;
        Some((self.term_of_word(word)?, text))
    }
}

/// An id for the item at an index.
fn id_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

fn put<T>(column: &mut [T], id: u32, value: T) {
    if let Some(slot) = column.get_mut(index(id)) {
        *slot = value;
    }
}

/// An id as an index.
pub(super) fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}
