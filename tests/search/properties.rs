//! What holds of every index and every text. A failure prints what it takes to see it again.

use std::collections::BTreeMap;

use aisle::{
    domain::locale::Locale,
    search::{Found, TextIndex},
};
use proptest::prelude::*;
use roaring::RoaringBitmap;

use super::{Product, indexed};

/// Words of which none is a stop word, the stem or start of another, or a typo away from one.
const WORDS: [&str; 12] = [
    "amber", "bicycle", "curtain", "dragon", "elephant", "fountain", "guitar", "hammock", "island", "jacket",
    "kettle", "lantern",
];

/// Texts that need all that can be done to a text.
const TEXTS: [&str; 16] = [
    "amber",
    "amber bicycle",
    "guitar hammock island jacket",
    "amber xyzzy",
    "elefant lantren",
    "ele",
    "kettle lan",
    "foun tain",
    "amberguitar",
    "ab-1 x",
    "\"amber bicycle\"",
    "amber -guitar",
    "the bicycles",
    "dragon-curtain",
    "dragoncurtain",
    "\"dragon\" -\"amber kettle\" jacket",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => prop::sample::select(WORDS.as_slice()).prop_map(str::to_owned),
        1 => Just("the".to_owned()),
        1 => Just("bicycles".to_owned()),
        1 => Just("dragon-curtain".to_owned()),
        1 => Just("elefant".to_owned()),
    ]
}

fn text(words: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 0..words).prop_map(|words| words.join(" "))
}

fn product() -> impl Strategy<Value = Product> {
    let codes = prop::option::of(prop::sample::select(vec!["AB-1-X", "amber", "0001112223334"]));
    (text(5), text(2), text(2), text(2), codes, text(3), text(8)).prop_map(
        |(title, brand, kind, category, code, value, description)| Product {
            title,
            brand,
            kind,
            categories: vec![category],
            codes: code.into_iter().map(Box::from).collect(),
            words: vec![value.into()],
            description,
        },
    )
}

/// Ordinals in several blocks.
fn ordinal() -> impl Strategy<Value = u32> {
    (0_u32..12).prop_map(|number| number * 15_000)
}

fn answers(index: &TextIndex) -> Vec<(Found, Vec<(u32, u32)>)> {
    TEXTS.iter().map(|text| (index.search(text, None), index.complete(text, 5))).collect()
}

/// Whether a product has the word anywhere that it counts.
fn has(product: &Product, word: &str) -> bool {
    let values = product.words.iter().map(|value| &**value);
    let texts = [&product.title, &product.brand, &product.kind, &product.description];
    let mut all = texts.into_iter().chain(&product.categories).map(String::as_str).chain(values);
    let stem = |word: &str| word.trim_end_matches('s').to_owned();
    let in_text = all.any(|text| text.split([' ', '-']).any(|own| stem(own) == word));
    in_text || product.codes.iter().any(|code| &**code == word)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// However an index came about, it answers as one built afresh from what is in it.
    #[test]
    fn history_leaves_no_trace(steps in prop::collection::vec((ordinal(), prop::option::weighted(0.7, product())), 0..40)) {
        let mut index = indexed(&[]);
        let mut held = BTreeMap::new();
        for (ordinal, product) in steps {
            if let Some(product) = product {
                product.put(ordinal, &mut index);
                held.insert(ordinal, product);
            } else {
                index.remove(ordinal);
                held.remove(&ordinal);
            }
        }
        let mut fresh = indexed(&[]);
        for (ordinal, product) in held.iter().rev() {
            product.put(*ordinal, &mut fresh);
        }
        prop_assert_eq!(answers(&index), answers(&fresh));
    }

    /// Products with all words are found, and come before all others; if there are many, nothing else is found. Nothing outside
    /// is found. If one word is found within, all of them are.
    #[test]
    fn finds_what_has_all_words(
        products in prop::collection::vec(product(), 1..120),
        within in prop::option::of(prop::collection::btree_set(0_u32..120, 0..120)),
        words in prop::collection::btree_set(prop::sample::select(WORDS.as_slice()), 1..4),
    ) {
        // Every word is known, so none is corrected.
        let mut products = products;
        products.push(Product::titled(&WORDS.join(" ")));
        let index = indexed(&products);
        let within: Option<RoaringBitmap> = within.map(|within| within.into_iter().collect());
        let is_within = |ordinal: u32| within.as_ref().is_none_or(|within| within.contains(ordinal));
        let words: Vec<&str> = words.into_iter().collect();
        let count = |product: &Product| words.iter().filter(|word| has(product, word)).count();
        let found = index.search(&format!("{} ", words.join(" ")), within.as_ref());
        prop_assert!(found.hits.is_sorted_by_key(|(ordinal, _)| *ordinal));
        let mut hits = found.hits.clone();
        hits.sort_by_key(|(_, score)| u32::MAX - score);
        let complete: Vec<u32> = (0..)
            .zip(&products)
            .filter(|(ordinal, product)| is_within(*ordinal) && count(product) == words.len())
            .map(|(ordinal, _)| ordinal)
            .collect();
        let mut first: Vec<u32> = hits.iter().take(complete.len()).map(|(ordinal, _)| *ordinal).collect();
        first.sort_unstable();
        prop_assert_eq!(&first, &complete);
        prop_assert!(complete.len() < 48 || hits.len() == complete.len());
        for (ordinal, _) in &hits {
            prop_assert!(is_within(*ordinal));
            prop_assert!(count(&products[*ordinal as usize]) > 0);
        }
        let some = (0..).zip(&products).any(|(ordinal, product)| is_within(ordinal) && count(product) > 0);
        prop_assert_eq!(some, !hits.is_empty());
        prop_assert_eq!(found.notes.dropped.is_empty(), hits.is_empty() || !complete.is_empty());
    }

    /// No text makes it fail, neither searched for nor put in, in any language.
    #[test]
    fn any_text_will_do(
        texts in prop::collection::vec("\\PC*", 3),
        language in prop::sample::select(vec![
            "ar", "da", "de", "el", "en", "es", "fi", "fr", "hu", "it", "ja", "nl", "no", "pt", "ro", "ru", "sv", "ta", "tr",
        ]),
    ) {
        let mut index = TextIndex::new(&Locale::parse(language).unwrap());
        index.set_synonyms(&[texts.iter().map(|text| text.as_str().into()).collect()]);
        for (ordinal, text) in (0..).zip(&texts) {
            let mut product = Product::titled(text);
            product.description.clone_from(text);
            product.codes = vec![text.as_str().into()];
            product.put(ordinal, &mut index);
        }
        for text in &texts {
            index.search(text, None);
            index.complete(text, 3);
            index.search(&format!("\"{text}\" -\"{text}\" -{text}"), None);
        }
        for ordinal in 0..3 {
            index.remove(ordinal);
        }
        prop_assert!(texts.iter().all(|text| index.search(text, None).hits.is_empty()));
    }
}

#[test]
fn hostile_texts_cost_little() {
    let products: Vec<Product> = WORDS.iter().map(|word| Product::titled(&word.repeat(3))).collect();
    let index = indexed(&products);
    let long =
        ["a".repeat(1 << 20), "\"".repeat(1 << 20), "- ".repeat(1 << 19), "abcdefghij ".repeat(1 << 17)];
    for text in long {
        assert!(index.search(&text, None).hits.is_empty());
        assert!(index.complete(&text, 10).len() <= 10);
    }
}
