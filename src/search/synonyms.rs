//! Words and phrases that stand for each other.

use std::collections::HashMap;

use super::{fold::fold, language::Language, words::each_word};

/// Most words of one synonym.
const WORDS_MAX: usize = 8;

/// Stems of a synonym, in order.
type Stems = Vec<Box<str>>;

/// Sets of synonyms, by the first stem of each.
#[derive(Debug, Default)]
pub(super) struct Synonyms {
    sets: Vec<Vec<Stems>>,
    /// Set and place in it.
    by_first: HashMap<Box<str>, Vec<(usize, usize)>>,
}

impl Synonyms {
    pub(super) fn new(sets: &[Vec<Box<str>>], language: &Language) -> Self {
        let mut synonyms = Self::default();
        for set in sets {
            let mut members: Vec<Stems> = set.iter().map(|text| stems(text, language)).collect();
            members.retain(|stems| !stems.is_empty() && stems.len() <= WORDS_MAX);
            let set_index = synonyms.sets.len();
            for (place, member) in members.iter().enumerate() {
                if let Some(first) = member.first() {
                    synonyms.by_first.entry(first.clone()).or_default().push((set_index, place));
                }
            }
            synonyms.sets.push(members);
        }
        synonyms
    }

    /// Synonyms that stand at the start of these stems: how many stems they cover, and the others of their sets.
    pub(super) fn at<'a>(&'a self, stems: &[&str]) -> Vec<(usize, Vec<&'a Stems>)> {
        let Some(candidates) = stems.first().and_then(|first| self.by_first.get(*first)) else {
            return Vec::new();
        };
        let of = |(set, place): &(usize, usize)| {
            let set = self.sets.get(*set)?;
            let member = set.get(*place)?;
            let is_here =
                member.len() <= stems.len() && member.iter().zip(stems).all(|(own, other)| **own == **other);
            is_here.then(|| (member.len(), set.iter().filter(|other| *other != member).collect()))
        };
        candidates.iter().filter_map(of).collect()
    }
}

fn stems(text: &str, language: &Language) -> Stems {
    let mut stems = Vec::new();
    each_word(&fold(text), language.elides, |word, _| stems.push(language.stem(word).as_ref().into()));
    stems
}
