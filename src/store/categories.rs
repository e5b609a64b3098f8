//! Category rows as editors see and change them.

use chrono::{DateTime, Utc};
use diesel::{dsl::sql, prelude::*, sql_types};
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

/// What an editor submits for a category.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CategoryDraft {
    /// Name shown to shoppers, 1–255 characters. Required.
    #[schema(max_length = 255)]
    pub name: String,
    /// URL name, unique among categories; derived from the name when absent.
    #[schema(min_length = 1, max_length = 200)]
    pub slug: Option<String>,
    /// Text shown to shoppers.
    #[schema(max_length = 100_000)]
    pub description: String,
    /// The category above; absent: a root.
    pub parent_id: Option<Uuid>,
    /// Place among its siblings, ascending.
    pub position: i32,
}

/// A category as the admin API answers it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminCategory {
    /// Identity.
    pub id: Uuid,
    /// Version; the number in the `ETag` (`"v42"`).
    pub version: i64,
    /// Slugs from the root to this category, joined by `/`.
    pub path: String,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its visible state last changed.
    pub updated_at: DateTime<Utc>,
    /// What can be edited.
    #[serde(flatten)]
    pub draft: CategoryDraft,
}

/// A category's row.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = schema::category, check_for_backend(diesel::pg::Pg))]
struct Record {
    id: Uuid,
    version: i64,
    parent_id: Option<Uuid>,
    slug: String,
    name: String,
    description: String,
    position: i32,
    path: String,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Record> for AdminCategory {
    fn from(record: Record) -> Self {
        let Record {
            id,
            version,
            parent_id,
            slug,
            name,
            description,
            position,
            path,
            created_at,
            updated_at,
        } = record;
        let draft = CategoryDraft { name, slug: Some(slug), description, parent_id, position };
        Self { id, version, path, created_at, updated_at, draft }
    }
}

/// Reads one.
pub fn get(connection: &mut Connection, id: Uuid) -> Result<AdminCategory, StoreError> {
    Ok(schema::category::table.find(id).select(Record::as_select()).first(connection)?.into())
}

/// Reads all: parents before children, siblings by position, then name.
pub fn list(connection: &mut Connection) -> Result<Vec<AdminCategory>, StoreError> {
    use schema::category::dsl;
    let records = dsl::category
        .order((sql::<sql_types::Integer>("cardinality(lineage)"), dsl::position, dsl::name, dsl::id))
        .select(Record::as_select())
        .load(connection)?;
    Ok(records.into_iter().map(AdminCategory::from).collect())
}

/// Creates one. Inside a transaction.
pub fn create(connection: &mut Connection, draft: &CategoryDraft) -> Result<AdminCategory, StoreError> {
    use schema::category::dsl;
    let draft = checked(draft)?;
    let id = Uuid::now_v7();
    let insert = |connection: &mut Connection, slug: &str| {
        let written = diesel::insert_into(dsl::category)
            .values((
                dsl::id.eq(id),
                dsl::slug.eq(slug),
                dsl::name.eq(&draft.name),
                dsl::description.eq(&draft.description),
                dsl::parent_id.eq(draft.parent_id),
                dsl::position.eq(draft.position),
            ))
            .on_conflict(dsl::slug)
            .do_nothing()
            .execute(connection)?;
        Ok(written == 1)
    };
    match &draft.slug {
        Some(slug) if insert(connection, slug)? => {}
        Some(_) => return Err(named::slug_taken()),
        None => with_free_slug(connection, Named::Category, &draft.name, draft.parent_id, insert)?,
    }
    get(connection, id)
}

/// Replaces one by the draft; without a slug it keeps its own. Inside a transaction.
pub fn replace(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    draft: &CategoryDraft,
) -> Result<AdminCategory, StoreError> {
    let stored = lock(connection, id, precondition)?;
    write(connection, stored, draft)
}

/// Applies a JSON Merge Patch (RFC 7396). Inside a transaction.
pub fn patch(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<AdminCategory, StoreError> {
    let stored = lock(connection, id, precondition)?;
    let draft = named::patched(&stored.draft, patch)?;
    write(connection, stored, &draft)
}

/// Deletes one; refused while products or other categories are in it, deleted products included. Inside a transaction.
pub fn delete(connection: &mut Connection, id: Uuid, precondition: Precondition) -> Result<(), StoreError> {
    lock(connection, id, precondition)?;
    let deleted = diesel::delete(schema::category::table.find(id)).execute(connection);
    named::refuse_in_use(deleted, "products or categories are in this category")
}

/// Locks the row. The lock of the tree comes first, as it does for every statement that changes a category.
fn lock(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<AdminCategory, StoreError> {
    named::lock_names(connection)?;
    let record: Record =
        schema::category::table.find(id).select(Record::as_select()).for_no_key_update().first(connection)?;
    precondition.check(record.version)?;
    Ok(record.into())
}

fn write(
    connection: &mut Connection,
    stored: AdminCategory,
    draft: &CategoryDraft,
) -> Result<AdminCategory, StoreError> {
    use schema::category::dsl;
    let draft = checked(draft)?;
    let wanted = CategoryDraft { slug: draft.slug.or_else(|| stored.draft.slug.clone()), ..draft };
    if wanted == stored.draft {
        return Ok(stored);
    }
    diesel::update(dsl::category.find(stored.id))
        .set((
            dsl::slug.eq(wanted.slug.unwrap_or_default()),
            dsl::name.eq(wanted.name),
            dsl::description.eq(wanted.description),
            dsl::parent_id.eq(wanted.parent_id),
            dsl::position.eq(wanted.position),
        ))
        .execute(connection)?;
    get(connection, stored.id)
}

fn checked(draft: &CategoryDraft) -> Result<CategoryDraft, StoreError> {
    let mut rules = Rules::default();
    let name = rules.name(&draft.name);
    let slug = rules.slug(draft.slug.as_deref());
    rules.description(&draft.description);
    rules.finish(CategoryDraft { name, slug, ..draft.clone() })
}
