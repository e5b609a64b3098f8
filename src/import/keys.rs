//! Which earlier line of a file has the product of a line, or in a dry run its SKU.
//!
//! A second line for a product would make two imports of one file differ. The real run asks the database where a line leads
//! and remembers the products written. A dry run undoes every batch, so it also remembers under which names each product
//! would be found. It does not foresee the number of a slug that two titles of the file make, nor what an earlier line gives
//! up.
//!
//! Memory: the keys of one batch, as hashes of 128 bits. Those of earlier batches are with the catalogue.

use std::collections::HashMap;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::catalogue::Products;
use crate::{
    domain::{draft::ProductDraft, invalid::Invalid},
    store::error::StoreError,
};

/// Lines by the hashes of keys.
pub(super) type Keys = HashMap<Hash, u64>;

/// Half a SHA-256: two keys of one file never have the same.
type Hash = Uuid;

/// What makes a product, or in a dry run a variant, the same in two places of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key<'a> {
    /// The external id that a line gives.
    External(&'a str),
    /// The slug of a line that gives no external id.
    Slug(&'a str),
    /// The SKU that a line gives.
    Sku(&'a str),
    /// The product that was written: two lines can lead to one by different keys.
    Product(Uuid),
    /// The external id of a product written.
    HasExternal(&'a str),
    /// The slug of a product written that has an external id, too.
    HasSlug(&'a str),
    /// The slug of a product written that has no external id: one with an external id can lead to it.
    HasOnlySlug(&'a str),
}

impl Key<'_> {
    fn hash(self) -> Hash {
        let (kind, text) = match &self {
            Self::External(text) => (b'e', text.as_bytes()),
            Self::Slug(text) => (b's', text.as_bytes()),
            Self::Sku(text) => (b'k', text.as_bytes()),
            Self::Product(id) => (b'p', id.as_bytes().as_slice()),
            Self::HasExternal(text) => (b'E', text.as_bytes()),
            Self::HasSlug(text) => (b'S', text.as_bytes()),
            Self::HasOnlySlug(text) => (b'O', text.as_bytes()),
        };
        let digest = Sha256::new().chain_update([kind]).chain_update(text).finalize();
        Uuid::from_u128(digest.iter().take(16).fold(0_u128, |half, byte| (half << 8) | u128::from(*byte)))
    }
}

/// Keys of earlier batches that these drafts can meet.
pub(super) fn known(
    drafts: &[&ProductDraft],
    products: &mut dyn Products,
    dry_run: bool,
) -> Result<Keys, StoreError> {
    let mut keys = Vec::with_capacity(drafts.len() * 3);
    for draft in drafts {
        keys.extend(given(draft, dry_run).into_iter().map(|(_, key)| key.hash()));
        if dry_run {
            let slug = draft.slug.as_deref();
            let by_slug = slug.map(Key::HasSlug).into_iter().chain(slug.map(Key::HasOnlySlug));
            keys.extend(
                draft.external_id.as_deref().map(Key::HasExternal).into_iter().chain(by_slug).map(Key::hash),
            );
        } else {
            keys.extend(products.existing(draft)?.map(|id| Key::Product(id).hash()));
        }
    }
    Ok(products.lines(&keys)?.into_iter().collect())
}

/// Finds keys that an earlier product of the file has.
pub(super) struct Unique<'a> {
    /// Keys of earlier batches, as far as this one can meet them.
    pub(super) known: &'a Keys,
    /// Keys of this batch.
    pub(super) added: &'a mut Keys,
    /// Whether earlier batches are not in the database to be found.
    pub(super) dry_run: bool,
}

impl Unique<'_> {
    /// What the line gives that an earlier line gave.
    pub(super) fn repeated(&self, draft: &ProductDraft) -> Vec<Invalid> {
        let repeated = |(pointer, key): (String, Key<'_>)| {
            let line = self.line(key)?;
            Some(Invalid::new(
                pointer,
                "duplicate",
                format!("must be unique in the file; line {line} has the same"),
            ))
        };
        given(draft, self.dry_run).into_iter().filter_map(repeated).collect()
    }

    /// Whether the line leads to the product of an earlier one by another key, or takes its slug.
    pub(super) fn same_product(
        &self,
        draft: &ProductDraft,
        products: &mut dyn Products,
    ) -> Result<Option<Invalid>, StoreError> {
        if self.dry_run {
            return self.foreseen(draft, products);
        }
        let found = products.existing(draft)?;
        Ok(found.and_then(|id| self.line(Key::Product(id))).map(is_product_of))
    }

    /// What the real run would find in the database, where this one has undone it.
    fn foreseen(
        &self,
        draft: &ProductDraft,
        products: &mut dyn Products,
    ) -> Result<Option<Invalid>, StoreError> {
        let by_external = draft.external_id.as_deref().and_then(|id| self.line(Key::HasExternal(id)));
        if let Some(line) = by_external {
            return Ok(Some(is_product_of(line)));
        }
        let Some(slug) = draft.slug.as_deref() else { return Ok(None) };
        let (alone, beside) = (self.line(Key::HasOnlySlug(slug)), self.line(Key::HasSlug(slug)));
        let Some(line) = alone.or(beside) else { return Ok(None) };
        if draft.external_id.is_none() {
            return Ok(Some(is_product_of(line)));
        }
        let itself = ProductDraft { external_id: draft.external_id.clone(), ..ProductDraft::default() };
        if alone.is_some() && products.existing(&itself)?.is_none() {
            return Ok(Some(is_product_of(line)));
        }
        Ok(Some(Invalid::new("#/slug", "duplicate", "belongs to another product")))
    }

    /// Remembers a product that was written.
    pub(super) fn add(
        &mut self,
        draft: &ProductDraft,
        id: Uuid,
        line: u64,
        products: &mut dyn Products,
    ) -> Result<(), StoreError> {
        for (_, key) in given(draft, self.dry_run) {
            self.added.insert(key.hash(), line);
        }
        if !self.dry_run {
            self.added.insert(Key::Product(id).hash(), line);
            return Ok(());
        }
        let (external_id, slug) = products.names(id)?;
        let by_slug = if external_id.is_some() { Key::HasSlug } else { Key::HasOnlySlug };
        let names = [external_id.as_deref().map(Key::HasExternal), slug.as_deref().map(by_slug)];
        self.added.extend(names.into_iter().flatten().map(|key| (key.hash(), line)));
        Ok(())
    }

    /// The line that has the key, if an earlier one does.
    fn line(&self, key: Key<'_>) -> Option<u64> {
        let hash = key.hash();
        self.added.get(&hash).or_else(|| self.known.get(&hash)).copied()
    }
}

fn is_product_of(line: u64) -> Invalid {
    Invalid::new("#", "duplicate", format!("is the product of line {line}, found by another key"))
}

/// The keys that a line gives, with their places.
fn given(draft: &ProductDraft, with_skus: bool) -> Vec<(String, Key<'_>)> {
    let product = match (&draft.external_id, &draft.slug) {
        (Some(id), _) => Some(("#/external_id".to_owned(), Key::External(id))),
        (None, Some(slug)) => Some(("#/slug".to_owned(), Key::Slug(slug))),
        (None, None) => None,
    };
    let variants = draft.variants.iter().enumerate().filter(|_| with_skus);
    let skus = variants.filter_map(|(index, variant)| {
        Some((format!("#/variants/{index}/sku"), Key::Sku(variant.sku.as_ref()?)))
    });
    product.into_iter().chain(skus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_kind_and_text_and_are_small() {
        let keys =
            [Key::External("a"), Key::Slug("a"), Key::Sku("a"), Key::HasSlug("a"), Key::HasOnlySlug("a")];
        let hashes: std::collections::HashSet<Hash> =
            keys.into_iter().chain([Key::External("b"), Key::Product(Uuid::nil())]).map(Key::hash).collect();
        assert_eq!(hashes.len(), 7);
        assert!(hashes.iter().all(|hash| hash.as_u64_pair().0 != hash.as_u64_pair().1));
    }
}
