//! By which words products are found: their own, and the names of their brands and categories.

use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{index::ListingIndex, names::Names, shown::Shown, terms::Terms};
use crate::{
    domain::listed::{ListedBrand, ListedCategory, ListedProduct},
    search::{TextFields, TextIndex},
};

impl ListingIndex {
    /// Whether a product is found by just the words that it would be found by as it is shown now.
    pub(super) fn says_already(&self, ordinal: u32, shown: &Shown) -> bool {
        let Some(row) = self.columns.row(ordinal).filter(|_| !self.reworded.contains(ordinal)) else {
            return false;
        };
        let product = &shown.product;
        let mut categories =
            row.categories().filter_map(|number| self.categories.value(number)).collect::<Vec<_>>();
        categories.sort_unstable();
        self.columns.text(ordinal) == shown.text
            && row.title() == &*product.title
            && row.brand().and_then(|number| self.brands.value(number)) == product.brand.as_ref()
            && categories.into_iter().eq(&product.categories)
    }

    /// Makes a product be found by its words.
    pub(super) fn put_text(&mut self, ordinal: u32, product: &ListedProduct, shown: &Shown) {
        let names = (&self.brand_names, &self.category_names);
        put_words(&mut self.text, names, ordinal, (product, &shown.product.categories));
        self.reworded.remove(ordinal);
    }

    /// Makes a product be found no more.
    pub(super) fn forget_text(&mut self, ordinal: u32) {
        self.text.remove(ordinal);
        self.reworded.remove(ordinal);
    }

    /// Sets the names of all brands. Returns the products whose words have changed with names, by this or an earlier call:
    /// these are to be put again, since the index does not keep their texts.
    pub fn set_brands(&mut self, brands: Vec<ListedBrand>) -> Vec<Uuid> {
        let collation = &self.collation;
        let compare = |a: &ListedBrand, b: &ListedBrand| {
            collation.compare(&a.name, &b.name).then_with(|| a.name.cmp(&b.name))
        };
        let names = Names::new(brands, &self.language, compare);
        let renamed = self.brand_names.renamed(&names);
        self.brand_names = names;
        self.reworded |= having(&self.brands, &renamed);
        self.to_be_put_again()
    }

    /// Sets the names of all categories. Returns what [`Self::set_brands`] does.
    pub fn set_categories(&mut self, categories: Vec<ListedCategory>) -> Vec<Uuid> {
        let names = Names::new(categories, &self.language, |a, b| a.path.cmp(&b.path));
        let renamed = self.category_names.renamed(&names);
        self.category_names = names;
        self.reworded |= having(&self.categories, &renamed);
        self.to_be_put_again()
    }

    fn to_be_put_again(&self) -> Vec<Uuid> {
        self.reworded.iter().map(|ordinal| self.columns.id(ordinal)).collect()
    }

    /// Sets which words stand for each other. Replaces earlier sets.
    pub fn set_synonyms(&mut self, sets: Vec<Vec<Box<str>>>) {
        self.text.set_synonyms(&sets);
        drop(sets);
    }
}

/// Enters a product's words; its categories are given in order.
pub(super) fn put_words(
    text: &mut TextIndex,
    (brands, categories): (&Names<ListedBrand>, &Names<ListedCategory>),
    ordinal: u32,
    (product, of): (&ListedProduct, &[Uuid]),
) {
    let names = of.iter().filter_map(|id| categories.get(*id));
    let names = names.map(|(category, _)| category.name.as_ref()).collect::<Vec<_>>();
    let brand = product.brand.and_then(|id| brands.get(id));
    let fields = TextFields {
        title: &product.title,
        brand: brand.map_or("", |(brand, _)| &brand.name),
        product_type: &product.text.product_type,
        categories: &names,
        codes: &product.text.codes,
        words: &product.text.words,
        description: &product.text.description,
    };
    text.put(ordinal, &fields);
}

/// Products that have any of these values.
fn having(terms: &Terms<Uuid>, values: &[Uuid]) -> RoaringBitmap {
    let sets = values.iter().filter_map(|value| terms.set(terms.number(value)?));
    sets.fold(RoaringBitmap::new(), |all, set| all | set)
}
