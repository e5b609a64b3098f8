//! What differs between languages: stems, stop words, elision.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};

use super::stops::stop_words;
use crate::domain::locale::Locale;

/// How words of one language are read.
pub(super) struct Language {
    stemmer: Option<Stemmer>,
    /// Folded and sorted.
    stops: Vec<&'static str>,
    /// Whether an apostrophe parts words.
    pub(super) elides: bool,
}

impl Language {
    /// By the language of the tag alone: regions share stems.
    pub(super) fn new(locale: &Locale) -> Self {
        let language = locale.fallbacks().last().unwrap_or_default();
        let algorithm = match language {
            "ar" => Some(Algorithm::Arabic),
            "da" => Some(Algorithm::Danish),
            "de" => Some(Algorithm::German),
            "el" => Some(Algorithm::Greek),
            "en" => Some(Algorithm::English),
            "es" => Some(Algorithm::Spanish),
            "fi" => Some(Algorithm::Finnish),
            "fr" => Some(Algorithm::French),
            "hu" => Some(Algorithm::Hungarian),
            "it" => Some(Algorithm::Italian),
            "nb" | "nn" | "no" => Some(Algorithm::Norwegian),
            "nl" => Some(Algorithm::Dutch),
            "pt" => Some(Algorithm::Portuguese),
            "ro" => Some(Algorithm::Romanian),
            "ru" => Some(Algorithm::Russian),
            "sv" => Some(Algorithm::Swedish),
            "ta" => Some(Algorithm::Tamil),
            "tr" => Some(Algorithm::Turkish),
            _ => None,
        };
        let mut stops: Vec<_> = stop_words(language).split_whitespace().collect();
        stops.sort_unstable();
        Self {
            stemmer: algorithm.map(Stemmer::create),
            stops,
            elides: matches!(language, "fr" | "it" | "ca"),
        }
    }

    /// The stem of a folded word. What has a digit is a size or a model, and stays.
    pub(super) fn stem<'a>(&self, word: &'a str) -> Cow<'a, str> {
        match &self.stemmer {
            Some(stemmer) if !word.contains(|c: char| c.is_numeric()) => {
                let stem = stemmer.stem(word);
                if stem.is_empty() { Cow::Borrowed(word) } else { stem }
            }
            _ => Cow::Borrowed(word),
        }
    }

    /// Whether a folded word says nothing about a product.
    pub(super) fn is_stop(&self, word: &str) -> bool {
        self.stops.binary_search(&word).is_ok()
    }
}
