//! A made-up catalogue to try things with: deterministic, plausible, nobody's data.
//!
//! A product depends on the seed and its number only, so that the first 1,000 of 5,000 are the 1,000 of before, and making
//! the same catalogue again changes nothing. Kinds of products, categories, brands, tags and
//! attributes are skewed as they are in real shops, by Zipf's law: a few are huge, many hardly met. There are more of them the
//! more products there are: some 1,500 categories and as many brands at a million.

mod product;
mod random;
mod rare;
mod variants;
mod words;

use super::{
    problem::Places,
    source::{Content, Entry, Source, SourceError},
};
use crate::domain::draft::ProductDraft;

/// Bytes of a product's document, about; only steers the size of batches.
const PRODUCT_BYTES: usize = 3000;

/// Makes products one after another; memory: one.
#[derive(Debug)]
pub struct DemoCatalogue {
    seed: u64,
    next: u32,
    last: u32,
}

impl DemoCatalogue {
    /// So many products of a seed.
    pub fn new(seed: u64, products: u32) -> Self {
        Self { seed, next: 1, last: products }
    }
}

impl Iterator for DemoCatalogue {
    type Item = ProductDraft;

    fn next(&mut self) -> Option<ProductDraft> {
        let number = Some(self.next).filter(|number| *number <= self.last)?;
        self.next = number.checked_add(1)?;
        Some(product::product(self.seed, number))
    }
}

impl Source for DemoCatalogue {
    fn next(&mut self) -> Result<Option<Entry>, SourceError> {
        let line = u64::from(self.next);
        Ok(Iterator::next(self).map(|draft| Entry {
            problems: Vec::new(),
            content: Some(Content::Whole(Box::new(draft))),
            places: Places::line(line),
            line,
            size: PRODUCT_BYTES,
            raw: Vec::new(),
        }))
    }

    /// Products, in place of bytes.
    fn position(&self) -> u64 {
        u64::from(self.next.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::domain::{draft::Status, draft_reader};

    #[test]
    fn products_keep_every_rule_and_survive_json() {
        for draft in DemoCatalogue::new(1, 2000) {
            let value = serde_json::to_value(&draft).unwrap();
            assert_eq!(draft_reader::read(&value), Ok(draft));
        }
    }

    #[test]
    fn a_product_depends_on_its_seed_and_number_only() {
        let few: Vec<_> = DemoCatalogue::new(7, 50).collect();
        let many: Vec<_> = DemoCatalogue::new(7, 500).take(50).collect();
        assert_eq!(few, many);
        assert_ne!(few, DemoCatalogue::new(8, 50).collect::<Vec<_>>());
        let json = serde_json::to_string(&few[0]).unwrap();
        let title = json.split("\"title\":\"").nth(1).and_then(|rest| rest.split('"').next());
        assert_eq!(title, Some(few[0].title.as_str()));
    }

    #[test]
    fn the_catalogue_is_varied() {
        let products: Vec<_> = DemoCatalogue::new(1, 1000).collect();
        let count = |of: fn(&ProductDraft) -> String| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for product in &products {
                *counts.entry(of(product)).or_default() += 1;
            }
            counts
        };
        let categories = count(|product| product.categories.concat());
        assert!(categories.len() >= 20 && categories.keys().all(|path| path.split(" > ").count() >= 3));
        assert!(categories.len() <= 120, "{} categories", categories.len());
        assert!(categories.values().max() > categories.values().min().map(|least| least * 5).as_ref());
        let roots: BTreeSet<_> = categories.keys().filter_map(|path| path.split(" > ").next()).collect();
        assert!(roots.len() >= 6);
        let brands = count(|product| product.brand.clone().unwrap_or_default()).len();
        assert!((15..=40).contains(&brands), "{brands} brands");
        let variants = count(|product| product.variants.len().to_string());
        assert_eq!(variants.keys().collect::<Vec<_>>(), ["1", "2", "3", "4", "5", "6"], "{variants:?}");
        let all = || products.iter().flat_map(|product| &product.variants);
        let skus: BTreeSet<_> = all().filter_map(|variant| variant.sku.as_ref()).collect();
        assert_eq!(skus.len(), all().count());
        let currencies: BTreeSet<_> = all().flat_map(|v| &v.prices).map(|p| p.currency.code()).collect();
        assert_eq!(currencies.into_iter().collect::<Vec<_>>(), ["EUR", "GBP", "JPY", "USD"]);
        let units = |v: &crate::domain::draft::VariantDraft| {
            v.stock.as_ref().map(|s| s.iter().map(|l| l.quantity).sum::<i32>())
        };
        assert!(all().any(|v| units(v).is_none()) && all().any(|v| units(v) > Some(5)));
        assert!(all().any(|v| (1..=5).contains(&units(v).unwrap_or(0))));
        assert!(all().any(|v| units(v) == Some(0) && v.allow_backorder));
        assert!(all().any(|v| units(v) == Some(0) && !v.allow_backorder));
        assert!(all().flat_map(|v| &v.prices).any(|p| p.compare_at.is_some()));
        let slugs: BTreeSet<_> = products.iter().filter_map(|product| product.slug.as_ref()).collect();
        assert_eq!(slugs.len(), products.len());
        let translated = products.iter().filter(|product| !product.translations.is_empty()).count();
        assert!((200..=500).contains(&translated));
        let shown = products.iter().filter(|product| product.status == Status::Active).count();
        assert!((900..=980).contains(&shown), "{shown} in the store");
    }

    #[test]
    fn a_large_catalogue_has_giants_and_a_long_tail() {
        // The tree of a million, met by a sample of its products.
        let mut paths = BTreeMap::new();
        let mut brands: BTreeMap<String, u32> = BTreeMap::new();
        for number in (1..=50_000).map(|place| 500_000 + place * 10) {
            let product = product::product(1, number);
            *paths.entry(product.categories.concat()).or_insert(0_u32) += 1;
            *brands.entry(product.brand.unwrap_or_default()).or_default() += 1;
        }
        let nodes: BTreeSet<_> = paths
            .keys()
            .flat_map(|path| {
                path.match_indices(" > ").map(|(end, _)| path.get(..end).unwrap()).chain([path.as_str()])
            })
            .collect();
        assert!((1300..=1600).contains(&nodes.len()), "{} categories", nodes.len());
        for counts in [paths.into_values().collect::<Vec<_>>(), brands.into_values().collect()] {
            let (most, few) =
                (counts.iter().max().unwrap(), counts.iter().filter(|count| **count < 20).count());
            assert!(*most > 1500 && few * 2 > counts.len(), "{most} of one, {few} of {} rare", counts.len());
        }
    }
}
