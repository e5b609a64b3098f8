//! Search: which products a text finds, and how well each fits.
//!
//! An inverted index in memory. What is put in is found at once, which a list that must never be stale needs; scores hold
//! still while other products change, which pages in order of relevance need.
//!
//! Pure: no I/O, no clock.

mod alphabet;
mod fold;
mod index;
mod language;
mod lexicon;
mod lists;
mod packed;
mod plan;
mod postings;
mod query;
mod record;
mod repair;
mod run;
mod save;
mod stops;
mod synonyms;
mod typos;
mod weights;
mod words;

use roaring::RoaringBitmap;

pub use index::{TextFields, TextIndex};

use crate::domain::list::SearchNotes;

use self::{
    plan::{Aim, Plan},
    query::Query,
    run::Run,
};

/// Fewest letters of an unfinished word that are looked for as the start of others.
const PREFIX_LETTERS_MIN: usize = 3;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Ordinals and scores, by ordinal; a higher score is a better match.
    pub hits: Vec<(u32, u32)>,
    /// What was done to find anything.
    pub notes: SearchNotes,
}

impl TextIndex {
    /// Products that have all words of the text, in these forms or in others of the same stem.
    ///
    /// What is quoted must stand in the title, brand or values in this order; what a `-` stands before must not be there. The
    /// last word may be unfinished. Where few products have all words, those that have most follow with lower scores; where none
    /// has, the notes say which words were left out.
    pub fn search(&self, text: &str, within: Option<&RoaringBitmap>) -> Found {
        let query = Query::read(text, &self.lexicon.language);
        let plan = Plan::new(self, &query, Aim { in_titles: false, prefix_min: PREFIX_LETTERS_MIN });
        Run::new(self, &plan, within).found()
    }

    /// Products whose titles have these words, the last of which may be unfinished: ordinals and scores, best first.
    pub fn complete(&self, text: &str, limit: usize) -> Vec<(u32, u32)> {
        let mut query = Query::read(text, &self.lexicon.language);
        query.is_open |= query.words.last().is_some_and(|asked| !asked.is_quoted);
        let plan = Plan::new(self, &query, Aim { in_titles: true, prefix_min: 1 });
        let mut hits = Run::new(self, &plan, None).found().hits;
        hits.sort_unstable_by_key(|(ordinal, score)| (u32::MAX - score, *ordinal));
        hits.truncate(limit);
        hits
    }
}
