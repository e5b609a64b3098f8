//! Search: what is found, what is not, and in which order.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by panicking; the lint settings spare only #[test] functions"
)]

mod behaviour;
mod properties;
mod quality;

use aisle::{
    domain::locale::Locale,
    search::{TextFields, TextIndex},
};

/// A product of few words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) title: String,
    pub(crate) brand: String,
    pub(crate) kind: String,
    pub(crate) categories: Vec<String>,
    pub(crate) codes: Vec<Box<str>>,
    pub(crate) words: Vec<Box<str>>,
    pub(crate) description: String,
}

impl Product {
    pub(crate) fn titled(title: &str) -> Self {
        Self { title: title.to_owned(), ..Self::default() }
    }

    pub(crate) fn put(&self, ordinal: u32, index: &mut TextIndex) {
        let categories: Vec<&str> = self.categories.iter().map(String::as_str).collect();
        let text = TextFields {
            title: &self.title,
            brand: &self.brand,
            product_type: &self.kind,
            categories: &categories,
            codes: &self.codes,
            words: &self.words,
            description: &self.description,
        };
        index.put(ordinal, &text);
    }
}

/// An index of these, numbered from 0.
pub(crate) fn indexed(products: &[Product]) -> TextIndex {
    let mut index = TextIndex::new(&Locale::default());
    for (ordinal, product) in (0..).zip(products) {
        product.put(ordinal, &mut index);
    }
    index
}

/// An index of products with these titles.
pub(crate) fn titled(titles: &[&str]) -> TextIndex {
    indexed(&titles.iter().map(|title| Product::titled(title)).collect::<Vec<_>>())
}

/// Ordinals, best first.
pub(crate) fn ranked(index: &TextIndex, text: &str) -> Vec<u32> {
    let mut hits = index.search(text, None).hits;
    hits.sort_by_key(|(ordinal, score)| (u32::MAX - score, *ordinal));
    hits.into_iter().map(|(ordinal, _)| ordinal).collect()
}
