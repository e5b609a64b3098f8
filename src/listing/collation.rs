//! The order of titles in the catalogue's language.

use std::cmp::Ordering;

use icu_collator::{Collator, CollatorBorrowed, options::CollatorOptions};

use crate::domain::locale::Locale;

/// Compares titles as readers of a language expect.
pub(super) struct Collation {
    /// `None` where the data of the collator cannot be had: code points then.
    collator: Option<CollatorBorrowed<'static>>,
}

impl std::fmt::Debug for Collation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Collation").finish_non_exhaustive()
    }
}

impl Collation {
    /// Of a language; what has no rules of its own is collated as the Unicode standard says.
    pub(super) fn new(language: &Locale) -> Self {
        let locale = icu_locale_core::Locale::try_from_str(language.as_str())
            .unwrap_or(icu_locale_core::Locale::UNKNOWN);
        Self { collator: Collator::try_new((&locale).into(), CollatorOptions::default()).ok() }
    }

    /// Which of two texts comes first.
    pub(super) fn compare(&self, a: &str, b: &str) -> Ordering {
        match &self.collator {
            Some(collator) => collator.compare(a, b),
            None => a.cmp(b),
        }
    }

    /// The first bytes of a text's sort key as a number: of two texts with different numbers, the lower comes first.
    pub(super) fn head(&self, text: &str) -> i64 {
        let mut key = Vec::with_capacity(64);
        match &self.collator {
            Some(collator) => {
                let Ok(()) = collator.write_sort_key_to(text, &mut key);
            }
            None => key.extend_from_slice(text.as_bytes()),
        }
        let mut head = [0_u8; 8];
        for (to, from) in head.iter_mut().zip(key) {
            *to = from;
        }
        // The top bit turned: signed numbers then compare as the bytes do.
        (u64::from_be_bytes(head) ^ (1 << 63)).cast_signed()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn languages_differ() {
        let order = |tag: &str, a: &str, b: &str| Collation::new(&Locale::parse(tag).unwrap()).compare(a, b);
        assert_eq!(order("en", "Öl", "Zange"), Ordering::Less);
        assert_eq!(order("sv", "Öl", "Zange"), Ordering::Greater);
        assert_eq!(order("de", "apfel", "Apfelsaft"), Ordering::Less);
    }

    proptest! {
        #[test]
        fn heads_agree_with_the_whole(a in "[a-cA-Cäöß \\-0-9]{0,12}|\\PC{0,6}", b in "[a-cA-Cäöß \\-0-9]{0,12}|\\PC{0,6}") {
            for tag in ["en", "de", "sv", "ja"] {
                let collation = Collation::new(&Locale::parse(tag).unwrap());
                let heads = collation.head(&a).cmp(&collation.head(&b));
                let whole = collation.compare(&a, &b);
                prop_assert!(heads == Ordering::Equal || heads == whole, "{tag}: {heads:?} {whole:?}");
            }
        }
    }
}
