//! Products as editors see and change them.
//!
//! A product is read and written as a whole: load its rows under its lock, compute the rows that the draft wants, write the
//! difference. So a full replacement, a merge patch and a re-import of the same data are one code path, and what did not
//! change is not written. Versions, documents and the log are the database's business.

mod bulk;
mod difference;
mod draft;
mod load;
mod names;
mod patch;
mod plan;
mod rows;
mod save;
mod slugs;
mod types;
mod upsert;
mod words;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, sql_types as sql};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

pub use self::bulk::Batch;
pub use self::upsert::{Upserted, draft_by_slug, existing, names, upsert};
use self::{
    load::Parts,
    rows::{Rows, Stored},
};
pub(super) use self::{
    names::{Named, location_ids, with_free_slug},
    patch::patch_variant,
};
use super::{
    Connection, MissingNames, Precondition,
    error::StoreError,
    schema,
    statement::{Bind, Statement},
};
use crate::domain::draft::{ProductDraft, Status};

/// A product as the admin API answers it: bookkeeping plus the draft that would make it again.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminProduct {
    /// Identity of the product.
    pub id: Uuid,
    /// Aggregate version; the number in the `ETag` (`"v42"`).
    pub version: i64,
    /// When it first became active.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its visible state last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted; absent while it is not.
    pub deleted_at: Option<DateTime<Utc>>,
    /// What can be edited; ids filled in.
    #[serde(flatten)]
    pub draft: ProductDraft,
}

/// A page of products for editors, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminProductPage {
    /// Products without their parts.
    pub items: Vec<AdminProductSummary>,
    /// Id after which the next page starts; absent on the last page.
    pub next_after: Option<Uuid>,
}

/// What an editors' list shows of a product.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminProductSummary {
    /// Identity of the product.
    pub id: Uuid,
    /// Aggregate version.
    pub version: i64,
    /// Name.
    pub title: String,
    /// URL name.
    pub slug: String,
    /// Where it stands in its life.
    pub status: Status,
    /// When its visible state last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was deleted; absent while it is not.
    pub deleted_at: Option<DateTime<Utc>>,
}

/// Reads one product, deleted ones too.
pub fn get(connection: &mut Connection, id: Uuid) -> Result<AdminProduct, StoreError> {
    answer(&load::load(connection, id)?)
}

fn answer(stored: &Stored) -> Result<AdminProduct, StoreError> {
    let kept = &stored.bookkeeping;
    Ok(AdminProduct {
        id: stored.rows.product.id,
        version: kept.version,
        published_at: kept.published_at,
        created_at: kept.created_at,
        updated_at: kept.updated_at,
        deleted_at: kept.deleted_at,
        draft: draft::draft(stored)?,
    })
}

/// Lists products by id, newest first; `deleted` chooses the bin instead.
pub fn list(
    connection: &mut Connection,
    after: Option<Uuid>,
    limit: u16,
    deleted: bool,
) -> Result<AdminProductPage, StoreError> {
    type Row = (
        sql::Uuid,
        sql::BigInt,
        sql::Text,
        sql::Text,
        sql::Text,
        sql::Timestamptz,
        sql::Nullable<sql::Timestamptz>,
    );
    type Values = (Uuid, i64, String, String, String, DateTime<Utc>, Option<DateTime<Utc>>);
    let limit = usize::from(limit.max(1));
    let bin = if deleted { "IS NOT NULL" } else { "IS NULL" };
    let text = format!(
        "SELECT p.id, p.version, p.title, coalesce(s.slug, ''), p.status, p.updated_at, p.deleted_at \
           FROM product p LEFT JOIN slug s ON s.product_id = p.id AND s.is_current \
          WHERE p.deleted_at {bin} AND p.id < $1 ORDER BY p.id DESC LIMIT $2"
    );
    let after = after.unwrap_or(Uuid::max());
    let count = i64::try_from(limit.saturating_add(1)).unwrap_or(i64::MAX);
    let rows =
        Statement::<Row>::new(text, [Bind::Id(after), Bind::Integer(count)]).load::<Values>(connection)?;
    let more = rows.len() > limit;
    let summary = |(id, version, title, slug, status, updated_at, deleted_at): Values| AdminProductSummary {
        id,
        version,
        title,
        slug,
        status: words::read_status(&status),
        updated_at,
        deleted_at,
    };
    let items: Vec<AdminProductSummary> = rows.into_iter().take(limit).map(summary).collect();
    let next_after = items.last().filter(|_| more).map(|item| item.id);
    Ok(AdminProductPage { items, next_after })
}

/// Creates a product. Inside a transaction.
pub fn create(
    connection: &mut Connection,
    draft: &ProductDraft,
    missing: MissingNames,
) -> Result<AdminProduct, StoreError> {
    let id = Uuid::now_v7();
    write(connection, id, None, draft, missing)?;
    get(connection, id)
}

/// Replaces a product by the draft; writes only what differs. Inside a transaction.
pub fn replace(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    draft: &ProductDraft,
    missing: MissingNames,
) -> Result<AdminProduct, StoreError> {
    let stored = lock_and_load(connection, id, precondition)?;
    let written = write(connection, id, Some(&stored), draft, missing)?;
    answer_written(connection, stored, written)
}

/// Applies a JSON Merge Patch (RFC 7396) to the product's draft under its row lock. Inside a transaction.
pub fn patch(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<AdminProduct, StoreError> {
    let stored = lock_and_load(connection, id, precondition)?;
    let draft = patch::patched(&draft::draft(&stored)?, patch)?;
    let written = write(connection, id, Some(&stored), &draft, MissingNames::Refuse)?;
    answer_written(connection, stored, written)
}

/// The product of which this was written since it was read.
fn answer_written(
    connection: &mut Connection,
    stored: Stored,
    written: Option<Parts>,
) -> Result<AdminProduct, StoreError> {
    match written {
        Some(written) => answer(&load::reload(connection, stored, written)?),
        None => answer(&stored),
    }
}

/// Moves a product to the bin: absent from the store, restorable. Its slugs and SKUs stay its own. Inside a transaction.
pub fn delete(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<AdminProduct, StoreError> {
    use schema::product::dsl;
    lock(connection, id, precondition)?;
    diesel::update(dsl::product.find(id)).set(dsl::deleted_at.eq(diesel::dsl::now)).execute(connection)?;
    get(connection, id)
}

/// Brings a deleted product back; one that is not deleted stays as it is. Inside a transaction.
pub fn restore(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<AdminProduct, StoreError> {
    if lock_any(connection, id, precondition)?.is_some() {
        undelete(connection, id)?;
    }
    get(connection, id)
}

fn undelete(connection: &mut Connection, id: Uuid) -> Result<(), StoreError> {
    use schema::product::dsl;
    diesel::update(dsl::product.find(id))
        .set(dsl::deleted_at.eq(None::<DateTime<Utc>>))
        .execute(connection)?;
    Ok(())
}

/// Locks a product that is not deleted and checks the precondition.
pub(super) fn lock(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<(), StoreError> {
    match lock_any(connection, id, precondition)? {
        None => Ok(()),
        Some(_) => Err(StoreError::NotFound),
    }
}

/// Locks a product, checks the precondition and gives when it was deleted.
fn lock_any(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    use schema::product::dsl;
    let (version, deleted_at) = dsl::product
        .find(id)
        .select((dsl::version, dsl::deleted_at))
        .for_no_key_update()
        .first::<(i64, Option<DateTime<Utc>>)>(connection)?;
    precondition.check(version)?;
    Ok(deleted_at)
}

fn lock_and_load(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<Stored, StoreError> {
    lock(connection, id, precondition)?;
    load::load(connection, id)
}

/// Writes what the draft wants and `stored` (under its lock; `None`: new) has not. Gives the parts that were written; `None` if
/// nothing was.
fn write(
    connection: &mut Connection,
    id: Uuid,
    stored: Option<&Stored>,
    draft: &ProductDraft,
    missing: MissingNames,
) -> Result<Option<Parts>, StoreError> {
    let nothing = plan::nothing(id);
    let before: &Rows = stored.map_or(&nothing, |stored| &stored.rows);
    let names = names::resolve(connection, stored, draft, missing)?;
    let wanted = plan::plan(before, draft, &names).map_err(StoreError::Invalid)?;
    types::fit(connection, before, &wanted)?;
    skus_are_free(connection, before, draft)?;
    let mut changes = save::Changes::default();
    let saved = changes.add(stored.map(|stored| &stored.rows), wanted);
    changes.write(connection)?;
    let current = stored.map(|stored| stored.slug.as_str()).filter(|slug| !slug.is_empty());
    let renamed = slugs::claim(connection, id, draft.slug.as_deref(), current, &draft.title)?;
    Ok(saved.or_else(|| renamed.then(Parts::default)))
}

/// Finds a SKU that another product has, with its place; one taken in the same moment is left to the constraint.
fn skus_are_free(connection: &mut Connection, before: &Rows, draft: &ProductDraft) -> Result<(), StoreError> {
    let had = |sku: &String| before.variants.iter().any(|variant| variant.sku.as_ref() == Some(sku));
    let new: Vec<String> =
        draft.variants.iter().filter_map(|variant| variant.sku.clone()).filter(|sku| !had(sku)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let taken = Statement::<sql::Text>::new(
        "SELECT sku FROM variant WHERE sku = ANY ($1) AND product_id <> $2",
        [Bind::Texts(&new), Bind::Id(before.product.id)],
    )
    .load::<String>(connection)?;
    let place =
        draft.variants.iter().position(|variant| variant.sku.as_ref().is_some_and(|s| taken.contains(s)));
    match place {
        None => Ok(()),
        Some(place) => Err(sku_taken(place)),
    }
}

/// The variant at this place has a SKU of another product.
fn sku_taken(place: usize) -> StoreError {
    StoreError::Duplicate {
        pointer: format!("#/variants/{place}/sku"),
        detail: "belongs to a variant of another product".to_owned(),
    }
}
