//! Words that no product has: what was meant by them.

use super::{
    index::TextIndex,
    plan::{Alternative, EXACT},
    postings::{lower, payload},
    query::Asked,
};

/// Fewest letters of the parts of a word that is parted.
const PART_LETTERS_MIN: usize = 3;

/// Most ways to part a word that are tried on products.
const PARTINGS_MAX: usize = 3;

/// What each word stands for.
#[derive(Debug, Default)]
pub(super) struct Repair {
    /// For each word; synonyms and prefixes are not among them.
    pub(super) alternatives: Vec<Vec<Alternative>>,
    /// Stem of each word, after correction.
    pub(super) stems: Vec<String>,
    pub(super) corrected: Vec<(Box<str>, Box<str>)>,
}

impl Repair {
    pub(super) fn new(index: &TextIndex, words: &[Asked], is_open: bool, prefix_min: usize) -> Self {
        let lexicon = &index.lexicon;
        let mut repair = Self::default();
        for asked in words {
            let exact =
                lexicon.term_of(&asked.text).map(|term| Alternative { terms: vec![term], weight: EXACT });
            repair.alternatives.push(exact.into_iter().collect());
            repair.stems.push(lexicon.language.stem(&asked.text).into_owned());
        }
        repair.join(index, words);
        for (place, asked) in words.iter().enumerate() {
            let is_known = repair.alternatives.get(place).is_none_or(|ways| !ways.is_empty());
            if is_known || asked.is_quoted {
                continue;
            }
            let is_unfinished = is_open && place.saturating_add(1) == words.len();
            if is_unfinished
                && asked.text.chars().count() >= prefix_min
                && !lexicon.prefixed(&asked.text, 1).is_empty()
            {
                continue;
            }
            repair.replace(index, place, &asked.text);
        }
        repair
    }

    /// `head phones` is `headphones` too.
    fn join(&mut self, index: &TextIndex, words: &[Asked]) {
        for (place, pair) in words.windows(2).enumerate() {
            let [left, right] = pair else { continue };
            if left.is_quoted || right.is_quoted {
                continue;
            }
            let joined = format!("{}{}", left.text, right.text);
            let Some(term) = index.lexicon.term_of(&joined) else { continue };
            let two = self.alternatives.iter_mut().skip(place).take(2);
            let mut is_needed = false;
            for ways in two {
                is_needed |= ways.is_empty();
                ways.push(Alternative { terms: vec![term], weight: EXACT });
            }
            if is_needed {
                self.corrected.push((format!("{} {}", left.text, right.text).into(), joined.into()));
            }
        }
    }

    fn replace(&mut self, index: &TextIndex, place: usize, text: &str) {
        let parted = parted(index, text);
        let corrected = index.lexicon.corrected(text);
        let (terms, instead) = match (parted, corrected) {
            (Some(parting), None) => (vec![parting.left, parting.right], parting.text),
            (Some(parting), _) if parting.is_seen => (vec![parting.left, parting.right], parting.text),
            (_, Some((term, text))) => (vec![term], text.to_owned()),
            (None, None) => return,
        };
        if let (Some(stem), 1) = (self.stems.get_mut(place), terms.len()) {
            *stem = index.lexicon.language.stem(&instead).into_owned();
        }
        if let Some(ways) = self.alternatives.get_mut(place) {
            ways.push(Alternative { terms, weight: EXACT });
        }
        self.corrected.push((text.into(), instead.into()));
    }
}

/// A word as two.
#[derive(Debug)]
struct Parting {
    left: u32,
    right: u32,
    text: String,
    /// Some title has the two side by side.
    is_seen: bool,
}

/// The best way to part a word into two that products have: one that a title has, else that of the most frequent parts.
fn parted(index: &TextIndex, text: &str) -> Option<Parting> {
    let lexicon = &index.lexicon;
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let mut partings: Vec<(u32, Parting)> = Vec::new();
    for (count, pair) in (1_usize..).zip(letters.windows(2)) {
        let [(_, before), (at, after)] = pair else { continue };
        let is_long = count >= PART_LETTERS_MIN && letters.len().saturating_sub(count) >= PART_LETTERS_MIN;
        if !is_long && before.is_numeric() == after.is_numeric() {
            continue;
        }
        let Some((left_text, right_text)) = text.split_at_checked(*at) else { continue };
        let (Some(left), Some(right)) = (lexicon.term_of(left_text), lexicon.term_of(right_text)) else {
            continue;
        };
        let frequency = lexicon.frequency(left).min(lexicon.frequency(right));
        let text = format!("{left_text} {right_text}");
        partings.push((frequency, Parting { left, right, text, is_seen: false }));
    }
    partings.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.text.cmp(&b.1.text)));
    let seen = partings.iter().take(PARTINGS_MAX).position(|(_, parting)| is_seen(index, parting));
    let (_, mut best) = partings.into_iter().nth(seen.unwrap_or_default())?;
    best.is_seen = seen.is_some();
    Some(best)
}

fn is_seen(index: &TextIndex, parting: &Parting) -> bool {
    let (Some(left), Some(right)) =
        (index.lexicon.postings(parting.left), index.lexicon.postings(parting.right))
    else {
        return false;
    };
    left.keys().into_iter().any(|key| {
        let right = right.block(key);
        let mut rest = right.iter().peekable();
        left.block(key).iter().any(|entry| {
            while rest.next_if(|other| lower(**other) < lower(*entry)).is_some() {}
            let [_, position] = payload(*entry).to_be_bytes();
            rest.peek().is_some_and(|other| {
                let [_, next] = payload(**other).to_be_bytes();
                lower(**other) == lower(*entry) && position > 0 && next == position.saturating_add(1)
            })
        })
    })
}
