//! What a cached answer depends on, as one 64-bit number shared with the database's triggers.

use sha2::{Digest, Sha256};

/// One thing whose change invalidates answers that embed it: a product, a category's page, a slug, …
///
/// The number is the first eight bytes (big endian, signed) of SHA-256 over `kind:key`. The SQL function
/// `catalog.dep(kind, key)` computes the same, so triggers and readers agree without a table.
/// Collisions only cause needless misses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Dependency(pub i64);

impl Dependency {
    /// `*`: everything. Written by TRUNCATE, table rewrites and very large edits.
    pub const ALL: Self = Self(0);

    /// Hashes a kind and key. Kinds in use: see the constructors below.
    pub fn new(kind: &str, key: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(kind.as_bytes());
        hasher.update(b":");
        hasher.update(key.as_bytes());
        let digest = hasher.finalize();
        let mut first = [0_u8; 8];
        for (to, from) in first.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        Self(i64::from_be_bytes(first))
    }

    /// Any visible change of the product's aggregate, its creation and removal.
    pub fn product(id: &uuid::Uuid) -> Self {
        Self::new("product", &id.to_string())
    }

    /// The slug starts, stops or changes what it names.
    pub fn slug(slug: &str) -> Self {
        Self::new("slug", slug)
    }

    /// The SKU starts, stops or changes what it names.
    pub fn sku(sku: &str) -> Self {
        Self::new("sku", sku)
    }

    /// The brand's own fields.
    pub fn brand(id: &uuid::Uuid) -> Self {
        Self::new("brand", &id.to_string())
    }

    /// The category's own fields, its path included.
    pub fn category(id: &uuid::Uuid) -> Self {
        Self::new("category", &id.to_string())
    }

    /// Which products the category (with its subtree) lists, and in what order.
    pub fn listing(category_id: &uuid::Uuid) -> Self {
        Self::new("listing", &category_id.to_string())
    }

    /// Which products the whole catalogue lists, and in what order.
    pub fn listing_all() -> Self {
        Self::new("listing", "*")
    }

    /// Any field by which any product is filtered, counted, sorted or searched.
    pub fn goods() -> Self {
        Self::new("goods", "")
    }

    /// The category tree: any category's creation, removal, move or rename.
    pub fn category_tree() -> Self {
        Self::new("categories", "")
    }

    /// The brand list: any brand's creation, removal or rename.
    pub fn brand_list() -> Self {
        Self::new("brands", "")
    }

    /// The attribute definitions and the product types that have them: any one's creation, removal or change.
    pub fn attribute_list() -> Self {
        Self::new("attributes", "")
    }

    /// The sets of synonyms: any one's creation, removal or change.
    pub fn synonyms() -> Self {
        Self::new("synonyms", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_value_the_database_computes() {
        // SELECT catalog.dep('slug', 'lamp')
        assert_eq!(Dependency::slug("lamp"), Dependency(6_154_092_549_424_344_892));
        assert_eq!(Dependency::new("slug", "lamp"), Dependency::slug("lamp"));
        assert_ne!(Dependency::slug("lamp"), Dependency::sku("lamp"));
    }
}
