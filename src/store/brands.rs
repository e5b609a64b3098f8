//! Brand rows as editors see and change them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Connection, Precondition,
    error::StoreError,
    named::{self, Rules},
    products::{Named, with_free_slug},
    schema,
};

/// What an editor submits for a brand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BrandDraft {
    /// Name shown to shoppers, 1–255 characters. Required.
    #[schema(max_length = 255)]
    pub name: String,
    /// URL name, unique among brands; derived from the name when absent.
    #[schema(min_length = 1, max_length = 200)]
    pub slug: Option<String>,
    /// Text shown to shoppers.
    #[schema(max_length = 100_000)]
    pub description: String,
}

/// A brand as the admin API answers it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminBrand {
    /// Identity.
    pub id: Uuid,
    /// Version; the number in the `ETag` (`"v42"`).
    pub version: i64,

    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its visible state last changed.
    pub updated_at: DateTime<Utc>,
    /// What can be edited.
    #[serde(flatten)]
    pub draft: BrandDraft,
}

/// A brand's row.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = schema::brand, check_for_backend(diesel::pg::Pg))]
struct Record {
    id: Uuid,
    version: i64,
    slug: String,
    name: String,
    description: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Record> for AdminBrand {
    fn from(record: Record) -> Self {
        let Record { id, version, slug, name, description, created_at, updated_at } = record;
        let draft = BrandDraft { name, slug: Some(slug), description };
        Self { id, version, created_at, updated_at, draft }
    }
}

/// Reads one.
pub fn get(connection: &mut Connection, id: Uuid) -> Result<AdminBrand, StoreError> {
    Ok(schema::brand::table.find(id).select(Record::as_select()).first(connection)?.into())
}

/// Reads all, by name.
pub fn list(connection: &mut Connection) -> Result<Vec<AdminBrand>, StoreError> {
    use schema::brand::dsl;
    let records = dsl::brand.order((dsl::name, dsl::id)).select(Record::as_select()).load(connection)?;
    Ok(records.into_iter().map(AdminBrand::from).collect())
}

/// Creates one. Inside a transaction.
pub fn create(connection: &mut Connection, draft: &BrandDraft) -> Result<AdminBrand, StoreError> {
    use schema::brand::dsl;
    let draft = checked(draft)?;
    let id = Uuid::now_v7();
    let insert = |connection: &mut Connection, slug: &str| {
        let written = diesel::insert_into(dsl::brand)
            .values((
                dsl::id.eq(id),
                dsl::slug.eq(slug),
                dsl::name.eq(&draft.name),
                dsl::description.eq(&draft.description),
            ))
            .on_conflict(dsl::slug)
            .do_nothing()
            .execute(connection)?;
        Ok(written == 1)
    };
    match &draft.slug {
        Some(slug) if insert(connection, slug)? => {}
        Some(_) => return Err(named::slug_taken()),
        None => with_free_slug(connection, Named::Brand, &draft.name, None, insert)?,
    }
    get(connection, id)
}

/// Replaces one by the draft; without a slug it keeps its own. Inside a transaction.
pub fn replace(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    draft: &BrandDraft,
) -> Result<AdminBrand, StoreError> {
    let stored = lock(connection, id, precondition)?;
    write(connection, stored, draft)
}

/// Applies a JSON Merge Patch (RFC 7396). Inside a transaction.
pub fn patch(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<AdminBrand, StoreError> {
    let stored = lock(connection, id, precondition)?;
    let draft = named::patched(&stored.draft, patch)?;
    write(connection, stored, &draft)
}

/// Deletes one; refused while a product has it, deleted products included. Inside a transaction.
pub fn delete(connection: &mut Connection, id: Uuid, precondition: Precondition) -> Result<(), StoreError> {
    lock(connection, id, precondition)?;
    let deleted = diesel::delete(schema::brand::table.find(id)).execute(connection);
    named::refuse_in_use(deleted, "products have this brand")
}

fn lock(connection: &mut Connection, id: Uuid, precondition: Precondition) -> Result<AdminBrand, StoreError> {
    let record: Record =
        schema::brand::table.find(id).select(Record::as_select()).for_no_key_update().first(connection)?;
    precondition.check(record.version)?;
    Ok(record.into())
}

fn write(
    connection: &mut Connection,
    stored: AdminBrand,
    draft: &BrandDraft,
) -> Result<AdminBrand, StoreError> {
    use schema::brand::dsl;
    let draft = checked(draft)?;
    let wanted = BrandDraft { slug: draft.slug.or_else(|| stored.draft.slug.clone()), ..draft };
    if wanted == stored.draft {
        return Ok(stored);
    }
    diesel::update(dsl::brand.find(stored.id))
        .set((
            dsl::slug.eq(wanted.slug.unwrap_or_default()),
            dsl::name.eq(wanted.name),
            dsl::description.eq(wanted.description),
        ))
        .execute(connection)?;
    get(connection, stored.id)
}

fn checked(draft: &BrandDraft) -> Result<BrandDraft, StoreError> {
    let mut rules = Rules::default();
    let name = rules.name(&draft.name);
    let slug = rules.slug(draft.slug.as_deref());
    rules.description(&draft.description);
    rules.finish(BrandDraft { name, slug, description: draft.description.clone() })
}
