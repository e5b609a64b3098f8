//! Sets of words that mean the same to who searches.

use std::collections::BTreeSet;

/// A set of synonyms as it is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SynonymSet {
    /// Identity of the set.
    pub id: uuid::Uuid,
    /// Its words, normalised, each once, in the order given.
    pub words: Vec<String>,
}

/// Words without white space around them and with single spaces inside, in lower case, each once. Those that are blank are
/// left out.
pub fn normalised<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut normalised = Vec::new();
    for word in words {
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if !word.is_empty() && seen.insert(word.clone()) {
            normalised.push(word);
        }
    }
    normalised
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_normalised_and_kept_in_order() {
        let words = normalised(["  Sofa ", "couch", "SOFA", "love \t  seat", " ", "Größe"]);
        assert_eq!(words, ["sofa", "couch", "love seat", "größe"]);
        assert_eq!(normalised(words.iter().map(String::as_str)), words);
    }
}
