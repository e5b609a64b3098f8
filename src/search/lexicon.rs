//! The words of all products, their stems, and who has them.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
    sync::Arc,
};

use super::{
    language::Language,
    postings::Postings,
    typos::{self, Signature},
};

/// Starts the name of a code, so that no word of a text equals it.
pub(super) const CODE_MARK: char = '\u{1}';

/// Most words that are looked at for one prefix.
const PREFIX_SCAN_MAX: usize = 20_000;

/// A word as it is written, folded; or a code.
#[derive(Debug)]
pub(super) struct Word {
    pub(super) text: Arc<str>,
    /// What is searched for in its stead: its stem.
    pub(super) term: u32,
    /// How many products have it.
    pub(super) products: u32,
}

/// A stem, or a code.
#[derive(Debug)]
pub(super) struct Term {
    stem: Arc<str>,
    /// How many words have it.
    words: u32,
    pub(super) postings: Postings,
}

/// All words. Ids of words and terms are used again when no product has them any more.
pub(super) struct Lexicon {
    pub(super) language: Language,
    words: Vec<Word>,
    /// Terms of the words, by id: phrases look many up.
    word_terms: Vec<u32>,
    /// Of the words, by id.
    signatures: Vec<Signature>,
    free_words: Vec<u32>,
    by_text: BTreeMap<Arc<str>, u32>,
    terms: Vec<Term>,
    free_terms: Vec<u32>,
    by_stem: HashMap<Arc<str>, u32>,
}

impl Lexicon {
    pub(super) fn new(language: Language) -> Self {
        Self {
            language,
            words: Vec::new(),
            word_terms: Vec::new(),
            signatures: Vec::new(),
            free_words: Vec::new(),
            by_text: BTreeMap::new(),
            terms: Vec::new(),
            free_terms: Vec::new(),
            by_stem: HashMap::new(),
        }
    }

    /// The id of a word, new if need be. Whoever asks holds it (see [`Self::hold`]) before anything is released.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        if let Some(word) = self.by_text.get(text) {
            return *word;
        }
        let text: Arc<str> = text.into();
        let is_code = text.starts_with(CODE_MARK);
        let stem: Arc<str> = if is_code { Arc::clone(&text) } else { self.language.stem(&text).into() };
        let term = self.intern_term(if *stem == *text { Arc::clone(&text) } else { stem });
        let signature = if is_code { Signature::NONE } else { Signature::of(&text) };
        let word = Word { text: Arc::clone(&text), term, products: 0 };
        let id = place(&mut self.words, &mut self.free_words, word);
        let index = index(id);
        if self.signatures.len() <= index {
            self.signatures.resize(index.saturating_add(1), Signature::NONE);
            self.word_terms.resize(index.saturating_add(1), u32::MAX);
        }
        if let Some(slot) = self.word_terms.get_mut(index) {
            *slot = term;
        }
        if let Some(slot) = self.signatures.get_mut(index) {
            *slot = signature;
        }
        self.by_text.insert(text, id);
        id
    }

    fn intern_term(&mut self, stem: Arc<str>) -> u32 {
        let id = if let Some(id) = self.by_stem.get(&stem) {
            *id
        } else {
            let term = Term { stem: Arc::clone(&stem), words: 0, postings: Postings::default() };
            let id = place(&mut self.terms, &mut self.free_terms, term);
            self.by_stem.insert(stem, id);
            id
        };
        if let Some(term) = self.terms.get_mut(index(id)) {
            term.words = term.words.saturating_add(1);
        }
        id
    }

    /// One more product has the word.
    pub(super) fn hold(&mut self, word: u32) {
        if let Some(word) = self.words.get_mut(index(word)) {
            word.products = word.products.saturating_add(1);
        }
    }

    /// One product less has the word. The term's postings must be free of that product already.
    pub(super) fn release(&mut self, id: u32) {
        let Some(word) = self.words.get_mut(index(id)) else { return };
        word.products = word.products.saturating_sub(1);
        if word.products > 0 {
            return;
        }
        let term_id = word.term;
        self.by_text.remove(&std::mem::replace(&mut word.text, "".into()));
        if let Some(signature) = self.signatures.get_mut(index(id)) {
            *signature = Signature::NONE;
        }
        self.free_words.push(id);
        let Some(term) = self.terms.get_mut(index(term_id)) else { return };
        term.words = term.words.saturating_sub(1);
        if term.words == 0 {
            self.by_stem.remove(&std::mem::replace(&mut term.stem, "".into()));
            self.free_terms.push(term_id);
        }
    }

    /// The word of this id.
    pub(super) fn word(&self, id: u32) -> Option<&Word> {
        self.words.get(index(id))
    }

    /// The term of the word of this id.
    pub(super) fn term_of_word(&self, id: u32) -> Option<u32> {
        self.word_terms.get(index(id)).copied()
    }

    /// The word written like this.
    pub(super) fn find(&self, text: &str) -> Option<&Word> {
        self.by_text.get(text).and_then(|id| self.word(*id))
    }

    /// The term of a word that some product has in this or another form.
    pub(super) fn term_of(&self, text: &str) -> Option<u32> {
        match self.find(text) {
            Some(word) => Some(word.term),
            None => self.by_stem.get(self.language.stem(text).as_ref()).copied(),
        }
    }

    /// The term of a stem.
    pub(super) fn term_of_stem(&self, stem: &str) -> Option<u32> {
        self.by_stem.get(stem).copied()
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

    /// Terms of the words that begin like this, those that most products have first.
    pub(super) fn prefixed(&self, prefix: &str, limit: usize) -> Vec<u32> {
        let range = self.by_text.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let mut found: Vec<(u32, &str, u32)> = range
            .take_while(|(text, _)| text.starts_with(prefix))
            .take(PREFIX_SCAN_MAX)
            .filter_map(|(_, id)| self.word(*id))
            .map(|word| (u32::MAX - word.products, word.text.as_ref(), word.term))
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

    /// The word most likely meant by one that no product has: fewest edits, then most products.
    pub(super) fn corrected(&self, text: &str) -> Option<&Word> {
        let sought = typos::Sought::new(text)?;
        let near =
            self.signatures.iter().zip(&self.words).filter(|(signature, _)| sought.is_near(**signature));
        near.filter_map(|(_, word)| Some((sought.distance(&word.text)?, u32::MAX - word.products, word)))
            .min_by(|a, b| (a.0, a.1, &a.2.text).cmp(&(b.0, b.1, &b.2.text)))
            .map(|(_, _, word)| word)
    }
}

/// Puts an item where one was freed, or at the end.
fn place<T>(items: &mut Vec<T>, free: &mut Vec<u32>, item: T) -> u32 {
    let freed = free.pop();
    if let Some((id, slot)) = freed.and_then(|id| Some((id, items.get_mut(index(id))?))) {
        *slot = item;
        return id;
    }
    items.push(item);
    u32::try_from(items.len().saturating_sub(1)).unwrap_or(u32::MAX)
}

/// An id as an index.
pub(super) fn index(id: u32) -> usize {
    usize::try_from(id).unwrap_or(usize::MAX)
}
