//! A catalogue in memory with the rules of the real one that an import meets.

use std::collections::HashMap;

use aisle::{
    domain::draft::ProductDraft,
    import::catalogue::{Catalogue, How, Products, Upserted, Work},
    store::error::StoreError,
};
use serde_json::Value;
use uuid::Uuid;

/// Products in the order they came.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) products: Vec<(Uuid, ProductDraft)>,
    /// Transactions that were kept.
    pub(super) commits: usize,
    /// Lines by key.
    pub(super) lines: HashMap<Uuid, u64>,
    /// Transactions that collide before one succeeds.
    pub(super) collisions: usize,
}

impl Memory {
    pub(super) fn product(&self, slug: &str) -> &ProductDraft {
        let found = self.products.iter().find(|(_, draft)| draft.slug.as_deref() == Some(slug));
        &found.unwrap_or_else(|| panic!("no product {slug}")).1
    }
}

impl Catalogue for Memory {
    fn begin(&mut self) {
        self.lines.clear();
    }

    fn transaction(&mut self, how: How, work: &mut Work<'_>) -> Result<(), StoreError> {
        let before = self.products.clone();
        let mut done = work(self);
        if done.is_ok() && self.collisions > 0 {
            self.collisions -= 1;
            done = Err(StoreError::Collision);
        }
        if done.is_err() || !how.keep {
            self.products = before;
        } else {
            self.commits += 1;
        }
        done
    }

    fn remember(&mut self, keys: &[Uuid], lines: &[u64]) -> Result<(), StoreError> {
        self.lines.extend(keys.iter().copied().zip(lines.iter().copied()));
        Ok(())
    }
}

impl Products for Memory {
    fn expect_slugs(&mut self, _slugs: &[&str]) -> Result<(), StoreError> {
        Ok(())
    }

    fn expect(&mut self, _drafts: &[&ProductDraft]) -> Result<(), StoreError> {
        Ok(())
    }

    fn lines(&mut self, keys: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
        Ok(keys.iter().filter_map(|key| Some((*key, *self.lines.get(key)?))).collect())
    }

    fn find(&mut self, slug: &str) -> Result<Option<Value>, StoreError> {
        let found = self.products.iter().find(|(_, draft)| draft.slug.as_deref() == Some(slug));
        Ok(found.map(|(_, draft)| serde_json::to_value(draft).unwrap()))
    }

    fn existing(&mut self, draft: &ProductDraft) -> Result<Option<Uuid>, StoreError> {
        let same = |other: &ProductDraft| match &draft.external_id {
            Some(id) => other.external_id.as_ref() == Some(id),
            None => other.slug == draft.slug,
        };
        Ok(self.products.iter().find(|(_, other)| same(other)).map(|(id, _)| *id))
    }

    fn names(&mut self, id: Uuid) -> Result<(Option<String>, Option<String>), StoreError> {
        let found = self.products.iter().find(|(known, _)| *known == id).ok_or(StoreError::NotFound)?;
        Ok((found.1.external_id.clone(), found.1.slug.clone()))
    }

    fn upsert(&mut self, draft: &ProductDraft) -> Result<Upserted, StoreError> {
        let known = self.existing(draft)?;
        let mut draft = draft.clone();
        let place = self.products.iter().position(|(id, _)| Some(*id) == known);
        for (index, variant) in draft.variants.iter().enumerate().filter(|(_, variant)| variant.sku.is_some())
        {
            let others = self.products.iter().enumerate().filter(|(other, _)| Some(*other) != place);
            if others.flat_map(|(_, (_, other))| &other.variants).any(|other| other.sku == variant.sku) {
                let detail = "belongs to a variant of another product".to_owned();
                return Err(StoreError::Duplicate { pointer: format!("#/variants/{index}/sku"), detail });
            }
        }
        let Some(place) = place else {
            let id = Uuid::new_v4();
            self.products.push((id, draft));
            return Ok(Upserted::Created(id));
        };
        let (id, before) = &mut self.products[place];
        for variant in draft.variants.iter_mut().filter(|variant| variant.stock.is_none()) {
            let same = before.variants.iter().find(|before| before.options == variant.options);
            variant.stock = same.and_then(|before| before.stock.clone());
        }
        if *before == draft {
            return Ok(Upserted::Unchanged(*id));
        }
        *before = draft;
        Ok(Upserted::Updated(*id))
    }
}
