//! What a shopper may mean who has not finished typing.

use uuid::Uuid;

use super::index::ListingIndex;
use crate::domain::listed::{ListedBrand, ListedCategory};

/// Looked at for each that is wanted: those that have no products are left out.
const SPARE: usize = 4;

/// Suggestions, best first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Suggestions {
    /// Products: ids and titles.
    pub products: Vec<(Uuid, Box<str>)>,
    /// Categories that have products.
    pub categories: Vec<ListedCategory>,
    /// Brands that have products.
    pub brands: Vec<ListedBrand>,
}

impl ListingIndex {
    /// Products, categories and brands whose names have these words, the last of which may be unfinished: at most `limit` of
    /// each.
    pub fn suggest(&self, text: &str, limit: usize) -> Suggestions {
        let products = self.text.complete(text, limit).into_iter();
        let product = |ordinal| (self.columns.id(ordinal), self.columns.title(ordinal).into());
        let looked_at = limit.saturating_mul(SPARE);
        let brands = self.brand_names.complete(text, looked_at);
        let categories = self.category_names.complete(text, looked_at);
        Suggestions {
            products: products.map(|(ordinal, _)| product(ordinal)).collect(),
            categories: categories
                .filter(|category| self.categories.number(&category.id).is_some())
                .take(limit)
                .cloned()
                .collect(),
            brands: brands
                .filter(|brand| self.brands.number(&brand.id).is_some())
                .take(limit)
                .cloned()
                .collect(),
        }
    }
}
