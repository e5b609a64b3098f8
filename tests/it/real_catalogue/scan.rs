//! The same products as plain records, and a plain scan over them: what a list or a search must answer, found without any index.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A product, as far as lists and searches here ask.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// Its external id, or its slug where it has none.
    pub(super) key: String,
    pub(super) title: String,
    /// In lower case, as names of brands and categories are compared.
    pub(super) brand: Option<String>,
    /// From the root, in lower case.
    pub(super) paths: Vec<String>,
    pub(super) tags: BTreeSet<String>,
    pub(super) colour: Option<String>,
    /// Lowest and highest price by currency, and every one.
    pub(super) prices: BTreeMap<String, Vec<i64>>,
    /// Everything that a search reads, each piece by itself.
    pub(super) texts: Vec<String>,
}

/// Text in minor units of two decimals.
pub(super) fn cents(amount: &str) -> i64 {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    format!("{whole}{fraction:0<2}").parse().unwrap()
}

impl Record {
    /// Reads a line of ours.
    pub(super) fn of(line: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
        let mut prices = BTreeMap::<String, Vec<i64>>::new();
        let mut texts = vec![
            text(&line["title"]),
            text(&line["description"]),
            text(&line["brand"]),
            text(&line["attributes"]["colour"]),
        ];
        for variant in line["variants"].as_array().unwrap() {
            for price in variant["prices"].as_array().unwrap() {
                prices
                    .entry(text(&price["currency"]))
                    .or_default()
                    .push(cents(price["amount"].as_str().unwrap()));
            }
            let options = variant["options"].as_object().into_iter().flat_map(|options| options.values());
            texts.extend(options.map(text));
        }
        let paths: Vec<String> = list(&line["categories"]).iter().map(|path| path.to_lowercase()).collect();
        texts.extend(paths.iter().flat_map(|path| path.split(" > ").map(str::to_owned)));
        Self {
            key: text(&line["external_id"]),
            title: text(&line["title"]),
            brand: line["brand"].as_str().map(|brand| brand.trim().to_lowercase()),
            paths,
            tags: list(&line["tags"]).into_iter().collect(),
            colour: line["attributes"]["colour"].as_str().map(str::to_owned),
            prices,
            texts,
        }
    }

    pub(super) fn lowest(&self, currency: &str) -> Option<i64> {
        self.prices.get(currency)?.iter().min().copied()
    }

    /// Whether one price lies between.
    pub(super) fn costs(&self, currency: &str, from: i64, to: i64) -> bool {
        self.prices.get(currency).is_some_and(|all| all.iter().any(|price| (from..=to).contains(price)))
    }

    pub(super) fn is_below(&self, path: &str) -> bool {
        let path = &path.to_lowercase();
        self.paths.iter().any(|own| own == path || own.starts_with(&format!("{path} > ")))
    }

    /// Whether these words follow each other in one of its texts, each in one of the forms given, `|` between.
    pub(super) fn says(&self, phrase: &[&str]) -> bool {
        let is_form = |word: &String, forms: &&str| forms.split('|').any(|form| form == word);
        self.texts.iter().any(|text| {
            let words = words(text);
            words
                .windows(phrase.len())
                .any(|window| window.iter().zip(phrase).all(|(word, forms)| is_form(word, forms)))
        })
    }
}

/// Runs of letters and digits in lower case.
fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
