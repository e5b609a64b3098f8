//! Import of one product: find it or make it.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};
use uuid::Uuid;

use super::{load, lock_any, slugs, undelete, write};
use crate::{
    domain::draft::ProductDraft,
    store::{Connection, MissingNames, Precondition, error::StoreError, schema},
};

/// What an import did with one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upserted {
    /// It was new.
    Created(Uuid),
    /// It was there and differed.
    Updated(Uuid),
    /// It was there and was the same: nothing was written.
    Unchanged(Uuid),
}

impl Upserted {
    /// The product.
    pub fn id(self) -> Uuid {
        match self {
            Self::Created(id) | Self::Updated(id) | Self::Unchanged(id) => id,
        }
    }
}

/// Creates the product, or makes the one that is there like the draft; unknown brands and categories are made. Inside a
/// transaction.
///
/// The one that is there has the same `external_id`; a product without any also counts when it has the draft's slug. A draft
/// without `external_id` finds its product by slug, its own or the one its title gives. What the draft leaves out of
/// `external_id` and `slug` is kept; a deleted product is brought back.
pub fn upsert(connection: &mut Connection, draft: &ProductDraft) -> Result<Upserted, StoreError> {
    let Some(id) = existing(connection, draft)? else {
        let id = Uuid::now_v7();
        write(connection, id, None, draft, MissingNames::Create)?;
        return Ok(Upserted::Created(id));
    };
    let deleted = lock_any(connection, id, Precondition::Exists)?.is_some();
    if deleted {
        undelete(connection, id)?;
    }
    let stored = load::load(connection, id)?;
    let known = stored.rows.product.external_id.clone();
    let kept = ProductDraft { external_id: draft.external_id.clone().or(known), ..draft.clone() };
    let written = write(connection, id, Some(&stored), &kept, MissingNames::Create)?;
    Ok(if written.is_some() || deleted { Upserted::Updated(id) } else { Upserted::Unchanged(id) })
}

/// The draft that would make the product with this current slug again, if there is one (deleted ones too), locked until the
/// transaction ends. Inside a transaction.
pub fn draft_by_slug(connection: &mut Connection, slug: &str) -> Result<Option<ProductDraft>, StoreError> {
    let draft = ProductDraft { slug: Some(slug.to_owned()), ..ProductDraft::default() };
    let Some(id) = existing(connection, &draft)? else { return Ok(None) };
    lock_any(connection, id, Precondition::Exists)?;
    super::draft::draft(&load::load(connection, id)?).map(Some)
}

/// The product that [`upsert`] would change, if there is one: see there how it is found.
pub fn existing(connection: &mut Connection, draft: &ProductDraft) -> Result<Option<Uuid>, StoreError> {
    use schema::{product, slug};
    if let Some(external_id) = &draft.external_id {
        let known = product::table
            .filter(product::external_id.eq(external_id))
            .select(product::id)
            .first(connection)
            .optional()?;
        let Some(slug) = draft.slug.as_ref().filter(|_| known.is_none()) else { return Ok(known) };
        return Ok(slug::table
            .inner_join(product::table)
            .filter(slug::slug_.eq(slug))
            .filter(slug::is_current)
            .filter(product::external_id.is_null())
            .select(product::id)
            .first(connection)
            .optional()?);
    }
    let slug = draft.slug.clone().unwrap_or_else(|| slugs::base(&draft.title));
    Ok(slug::table
        .filter(slug::slug_.eq(slug))
        .filter(slug::is_current)
        .select(slug::product_id)
        .first(connection)
        .optional()?)
}

/// The external id and the current slug of a product: what [`existing`] finds it by.
pub fn names(connection: &mut Connection, id: Uuid) -> Result<(Option<String>, Option<String>), StoreError> {
    use schema::{product, slug};
    let external_id = product::table.find(id).select(product::external_id).first(connection)?;
    let current = slug::table
        .filter(slug::product_id.eq(id))
        .filter(slug::is_current)
        .select(slug::slug_)
        .first(connection)
        .optional()?;
    Ok((external_id, current))
}
