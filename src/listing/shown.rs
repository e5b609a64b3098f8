//! A product as the index keeps it.

use std::hash::{DefaultHasher, Hash, Hasher};

use uuid::Uuid;

use crate::domain::{
    listed::{ListedProduct, ListedText},
    money::Currency,
};

/// What lists know of a product, with a digest in place of its texts: enough to tell which pages a change can touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Lists in order, tags in small letters, places only in categories that it is in, no texts.
    pub(super) product: ListedProduct,
    /// Digest of the texts.
    pub(super) text: u64,
}

impl Shown {
    /// The product's id.
    pub fn id(&self) -> Uuid {
        self.product.id
    }

    /// Whether it is found by the same words as another.
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.product, &other.product);
        self.text == other.text
            && (&ours.title, ours.brand, &ours.categories)
                == (&theirs.title, theirs.brand, &theirs.categories)
    }

    /// The lowest price in a currency.
    pub(super) fn lowest(&self, currency: Option<Currency>) -> Option<i64> {
        self.amounts(currency).first().copied()
    }

    /// All prices in a currency.
    pub(super) fn amounts(&self, currency: Option<Currency>) -> &[i64] {
        let prices = self.product.prices.iter();
        prices
            .filter(|(of, _)| Some(*of) == currency)
            .map(|(_, amounts)| amounts.as_ref())
            .next()
            .unwrap_or(&[])
    }

    /// The place in a category.
    pub(super) fn place(&self, category: Option<Uuid>) -> Option<i32> {
        self.product.positions.iter().find(|(of, _)| Some(*of) == category).map(|(_, place)| *place)
    }
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Box<[T]> {
    let mut items = items.into_iter().collect::<Vec<_>>();
    items.sort_unstable();
    items.dedup();
    items.into()
}

/// As tags are compared.
pub(super) fn folded(tag: &str) -> Box<str> {
    tag.to_lowercase().into()
}

impl From<&ListedProduct> for Shown {
    fn from(product: &ListedProduct) -> Self {
        let mut digest = DefaultHasher::new();
        let ListedText { description, product_type, codes, words } = &product.text;
        (description, product_type, codes, words).hash(&mut digest);
        let categories = sorted(product.categories.iter().copied());
        let mut positions = product.positions.to_vec();
        positions.retain(|(category, _)| categories.binary_search(category).is_ok());
        positions.sort_unstable();
        positions.dedup_by_key(|(category, _)| *category);
        let mut prices =
            product.prices.iter().filter(|(_, amounts)| !amounts.is_empty()).cloned().collect::<Vec<_>>();
        for (_, amounts) in &mut prices {
            *amounts = sorted(amounts.iter().copied());
        }
        prices.sort_unstable();
        prices.dedup_by_key(|(currency, _)| *currency);
        let product = ListedProduct {
            id: product.id,
            published_at_us: product.published_at_us,
            title: product.title.clone(),
            brand: product.brand,
            categories,
            positions: positions.into(),
            tags: sorted(product.tags.iter().map(|tag| folded(tag))),
            prices: prices.into(),
            in_stock: product.in_stock,
            attributes: sorted(product.attributes.iter().cloned()),
            text: ListedText::default(),
        };
        Self { product, text: digest.finish() }
    }
}
