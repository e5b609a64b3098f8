//! Products, external ids and SKUs that a batch meets.

use std::collections::{BTreeSet, HashMap};

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{load::load_many, slugs::KnownSlugs};
use crate::{
    domain::draft::ProductDraft,
    store::{
        Connection,
        error::StoreError,
        products::rows::{Rows, Stored},
        statement::{Bind, Statement},
    },
};

/// External id and current slug.
pub(super) type ProductNames = (Option<String>, Option<String>);

/// What the database holds, and what the batch makes of it.
#[derive(Debug)]
pub(super) struct Known {
    locks: bool,
    /// As they were read.
    products: HashMap<Uuid, Stored>,
    /// Names of those that the batch writes.
    written: HashMap<Uuid, ProductNames>,
    /// Products by external id; `None`: there is none.
    external: HashMap<String, Option<Uuid>>,
    /// The product that has a SKU; `None`: it is free.
    skus: HashMap<String, Option<Uuid>>,
}

impl Known {
    pub(super) fn new(locks: bool) -> Self {
        Self {
            locks,
            products: HashMap::new(),
            written: HashMap::new(),
            external: HashMap::new(),
            skus: HashMap::new(),
        }
    }

    /// Reads the products that have these slugs (known already) or external ids.
    pub(super) fn read_products<'a>(
        &mut self,
        connection: &mut Connection,
        slugs: &mut KnownSlugs,
        wanted: impl Iterator<Item = &'a str>,
        external: &[&str],
    ) -> Result<(), StoreError> {
        self.read_external(connection, external)?;
        let by_external = external.iter().filter_map(|id| self.external.get(*id).copied().flatten());
        let ids = wanted.filter_map(|slug| slugs.holder(slug)).chain(by_external).collect();
        self.read_stored(connection, slugs, ids)
    }

    fn read_external(&mut self, connection: &mut Connection, ids: &[&str]) -> Result<(), StoreError> {
        let new: Vec<String> =
            ids.iter().filter(|id| !self.external.contains_key(**id)).map(|id| (*id).to_owned()).collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = Statement::<(sql::Text, sql::Uuid)>::new(
            "SELECT external_id, id FROM product WHERE external_id = ANY ($1)",
            [Bind::Texts(&new)],
        )
        .load::<(String, Uuid)>(connection)?;
        self.external.extend(new.into_iter().map(|id| (id, None)));
        self.external.extend(found.into_iter().map(|(external_id, id)| (external_id, Some(id))));
        Ok(())
    }

    fn read_stored(
        &mut self,
        connection: &mut Connection,
        slugs: &mut KnownSlugs,
        ids: BTreeSet<Uuid>,
    ) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = ids.into_iter().filter(|id| !self.products.contains_key(id)).collect();
        if ids.is_empty() {
            return Ok(());
        }
        if self.locks {
            Statement::<sql::Uuid>::new(
                "SELECT id FROM product WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
                [Bind::Ids(&ids)],
            )
            .load::<Uuid>(connection)?;
        }
        let found = load_many(connection, &ids)?;
        for (id, stored) in found {
            slugs.holds(id, &stored.slug);
            let skus = stored.rows.variants.iter().filter_map(|variant| variant.sku.clone());
            self.skus.extend(skus.map(|sku| (sku, Some(id))));
            self.products.insert(id, stored);
        }
        Ok(())
    }

    pub(super) fn by_external(
        &mut self,
        connection: &mut Connection,
        external_id: &str,
    ) -> Result<Option<Uuid>, StoreError> {
        self.read_external(connection, &[external_id])?;
        Ok(self.external.get(external_id).copied().flatten())
    }

    /// A product as it was read.
    pub(super) fn product(
        &mut self,
        connection: &mut Connection,
        slugs: &mut KnownSlugs,
        id: Uuid,
    ) -> Result<&Stored, StoreError> {
        if self.written.contains_key(&id) {
            return Err(StoreError::Internal("a batch takes a product once".to_owned()));
        }
        self.read_stored(connection, slugs, BTreeSet::from([id]))?;
        // Found a moment ago: somebody removes it meanwhile.
        self.products.get(&id).ok_or(StoreError::Collision)
    }

    /// The same, taken out of the batch until it is given back.
    pub(super) fn take_product(
        &mut self,
        connection: &mut Connection,
        slugs: &mut KnownSlugs,
        id: Uuid,
    ) -> Result<Stored, StoreError> {
        self.product(connection, slugs, id)?;
        self.products.remove(&id).ok_or(StoreError::Collision)
    }

    pub(super) fn give_back(&mut self, stored: Stored) {
        self.products.insert(stored.rows.product.id, stored);
    }

    /// Names that a product has once the batch is written.
    pub(super) fn names(
        &mut self,
        connection: &mut Connection,
        slugs: &mut KnownSlugs,
        id: Uuid,
    ) -> Result<ProductNames, StoreError> {
        if let Some(names) = self.written.get(&id) {
            return Ok(names.clone());
        }
        let stored = self.product(connection, slugs, id)?;
        let slug = Some(stored.slug.clone()).filter(|slug| !slug.is_empty());
        Ok((stored.rows.product.external_id.clone(), slug))
    }

    /// Notes the names that a product gets.
    pub(super) fn note(&mut self, id: Uuid, external_id: Option<String>, slug: Option<String>) {
        if let Some(external_id) = &external_id {
            self.external.insert(external_id.clone(), Some(id));
        }
        self.written.insert(id, (external_id, slug));
    }

    /// Reads who has these SKUs.
    pub(super) fn read_skus<'a>(
        &mut self,
        connection: &mut Connection,
        skus: impl Iterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let new: Vec<String> = skus.filter(|sku| !self.skus.contains_key(*sku)).map(str::to_owned).collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = Statement::<(sql::Text, sql::Uuid)>::new(
            "SELECT sku, product_id FROM variant WHERE sku = ANY ($1)",
            [Bind::Texts(&new)],
        )
        .load::<(String, Uuid)>(connection)?;
        self.skus.extend(new.into_iter().map(|sku| (sku, None)));
        self.skus.extend(found.into_iter().map(|(sku, id)| (sku, Some(id))));
        Ok(())
    }

    /// Finds a SKU that another product has, with its place.
    pub(super) fn skus_are_free(
        &mut self,
        connection: &mut Connection,
        before: &Rows,
        draft: &ProductDraft,
    ) -> Result<(), StoreError> {
        let skus = draft.variants.iter().filter_map(|variant| variant.sku.as_deref());
        self.read_skus(connection, skus)?;
        let id = before.product.id;
        let of_another = |sku: &str| self.skus.get(sku).copied().flatten().is_some_and(|owner| owner != id);
        let place = draft.variants.iter().position(|variant| variant.sku.as_deref().is_some_and(of_another));
        place.map_or(Ok(()), |place| Err(super::super::sku_taken(place)))
    }

    /// Notes which SKUs a product gives up and gets.
    pub(super) fn skus_change(&mut self, before: &Rows, wanted: &Rows) {
        let skus = |rows: &Rows| -> Vec<String> {
            rows.variants.iter().filter_map(|variant| variant.sku.clone()).collect()
        };
        self.skus.extend(skus(before).into_iter().map(|sku| (sku, None)));
        self.skus.extend(skus(wanted).into_iter().map(|sku| (sku, Some(wanted.product.id))));
    }
}
