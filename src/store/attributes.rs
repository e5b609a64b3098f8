//! Attribute definitions as editors see and change them.

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
    schema,
};
use crate::{
    domain::attribute::AttributeKind,
    limits::{ATTRIBUTE_NAME_LENGTH_MAX, ENUM_VALUES_MAX, NAME_LENGTH_MAX},
};

/// What an editor submits for an attribute definition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own to editors")]
pub struct AttributeDefinitionDraft {
    /// Name of the attribute in products, unique in the catalogue, 1–100 characters. Required; cannot be changed, since
    /// products keep their values under it.
    #[schema(max_length = 100)]
    pub code: String,
    /// Name shown to shoppers, 1–255 characters. Required.
    #[schema(max_length = 255)]
    pub label: String,
    /// Of which kind the values are.
    pub kind: AttributeKind,
    /// What an enum may be, in the order shown: at most 500 different values. Empty for other kinds.
    #[schema(max_items = 500)]
    pub values: Vec<String>,
    /// Whether lists can be filtered by it.
    pub filterable: bool,
    /// Whether its values are searched for text.
    pub searchable: bool,
    /// Whether its values are counted beside lists.
    pub facet: bool,
    /// Whether variants have it, not products.
    pub variant_level: bool,
}

/// An attribute definition as the admin API answers it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminAttributeDefinition {
    /// Identity.
    pub id: Uuid,
    /// Version; the number in the `ETag` (`"v42"`).
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// What can be edited.
    #[serde(flatten)]
    pub draft: AttributeDefinitionDraft,
}

/// A definition's row.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = schema::attribute_definition, check_for_backend(diesel::pg::Pg))]
#[expect(clippy::struct_excessive_bools, reason = "as the row")]
struct Record {
    id: Uuid,
    version: i64,
    code: String,
    label: String,
    kind: String,
    enum_values: Vec<Option<String>>,
    filterable: bool,
    searchable: bool,
    facet: bool,
    variant_level: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Record> for AdminAttributeDefinition {
    fn from(record: Record) -> Self {
        let Record { id, version, created_at, updated_at, .. } = record;
        let draft = AttributeDefinitionDraft {
            code: record.code,
            label: record.label,
            // The table knows no other words.
            kind: AttributeKind::parse(&record.kind).unwrap_or_default(),
            values: record.enum_values.into_iter().flatten().collect(),
            filterable: record.filterable,
            searchable: record.searchable,
            facet: record.facet,
            variant_level: record.variant_level,
        };
        Self { id, version, created_at, updated_at, draft }
    }
}

/// Reads one.
pub fn get(connection: &mut Connection, id: Uuid) -> Result<AdminAttributeDefinition, StoreError> {
    let found = schema::attribute_definition::table.find(id).select(Record::as_select()).first(connection)?;
    Ok(found.into())
}

/// Reads all, by code.
pub fn list(connection: &mut Connection) -> Result<Vec<AdminAttributeDefinition>, StoreError> {
    use schema::attribute_definition::dsl;
    let records =
        dsl::attribute_definition.order(dsl::code).select(Record::as_select()).load::<Record>(connection)?;
    Ok(records.into_iter().map(AdminAttributeDefinition::from).collect())
}

/// Creates one. Inside a transaction.
pub fn create(
    connection: &mut Connection,
    draft: &AttributeDefinitionDraft,
) -> Result<AdminAttributeDefinition, StoreError> {
    use schema::attribute_definition::dsl;
    let draft = checked(draft)?;
    let id = Uuid::now_v7();
    let made = diesel::insert_into(dsl::attribute_definition)
        .values((
            dsl::id.eq(id),
            dsl::code.eq(&draft.code),
            dsl::label.eq(&draft.label),
            dsl::kind.eq(draft.kind.word()),
            dsl::enum_values.eq(stored_values(&draft)),
            dsl::filterable.eq(draft.filterable),
            dsl::searchable.eq(draft.searchable),
            dsl::facet.eq(draft.facet),
            dsl::variant_level.eq(draft.variant_level),
        ))
        .on_conflict(dsl::code)
        .do_nothing()
        .execute(connection)?;
    if made == 1 { get(connection, id) } else { Err(named::code_taken()) }
}

/// Replaces one by the draft. What products hold stays as it is. Inside a transaction.
pub fn replace(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    draft: &AttributeDefinitionDraft,
) -> Result<AdminAttributeDefinition, StoreError> {
    let stored = lock(connection, id, precondition)?;
    write(connection, stored, draft)
}

/// Applies a JSON Merge Patch (RFC 7396). Inside a transaction.
pub fn patch(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<AdminAttributeDefinition, StoreError> {
    let stored = lock(connection, id, precondition)?;
    let draft = named::patched(&stored.draft, patch)?;
    write(connection, stored, &draft)
}

/// Deletes one; refused while a product type has it. Inside a transaction.
pub fn delete(connection: &mut Connection, id: Uuid, precondition: Precondition) -> Result<(), StoreError> {
    lock(connection, id, precondition)?;
    let deleted = diesel::delete(schema::attribute_definition::table.find(id)).execute(connection);
    named::refuse_in_use(deleted, "product types have this attribute")
}

fn lock(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<AdminAttributeDefinition, StoreError> {
    let record: Record = schema::attribute_definition::table
        .find(id)
        .select(Record::as_select())
        .for_no_key_update()
        .first(connection)?;
    precondition.check(record.version)?;
    Ok(record.into())
}

fn write(
    connection: &mut Connection,
    stored: AdminAttributeDefinition,
    draft: &AttributeDefinitionDraft,
) -> Result<AdminAttributeDefinition, StoreError> {
    use schema::attribute_definition::dsl;
    let wanted = checked(draft)?;
    named::keep_code(&stored.draft.code, &wanted.code)?;
    if wanted == stored.draft {
        return Ok(stored);
    }
    diesel::update(dsl::attribute_definition.find(stored.id))
        .set((
            dsl::label.eq(&wanted.label),
            dsl::kind.eq(wanted.kind.word()),
            dsl::enum_values.eq(stored_values(&wanted)),
            dsl::filterable.eq(wanted.filterable),
            dsl::searchable.eq(wanted.searchable),
            dsl::facet.eq(wanted.facet),
            dsl::variant_level.eq(wanted.variant_level),
        ))
        .execute(connection)?;
    get(connection, stored.id)
}

/// The array's type lets its items be null; none is.
fn stored_values(draft: &AttributeDefinitionDraft) -> Vec<Option<&str>> {
    draft.values.iter().map(|value| Some(value.as_str())).collect()
}

fn checked(draft: &AttributeDefinitionDraft) -> Result<AttributeDefinitionDraft, StoreError> {
    let mut rules = Rules::default();
    let code = rules.line("#/code", &draft.code, ATTRIBUTE_NAME_LENGTH_MAX);
    let label = rules.line("#/label", &draft.label, NAME_LENGTH_MAX);
    let mut values: Vec<String> = Vec::with_capacity(draft.values.len().min(ENUM_VALUES_MAX));
    if draft.values.len() > ENUM_VALUES_MAX {
        rules.broken("#/values", "too_many", format!("must be at most {ENUM_VALUES_MAX} values"));
    } else {
        for (index, value) in draft.values.iter().enumerate() {
            let pointer = format!("#/values/{index}");
            let value = rules.line(&pointer, value, NAME_LENGTH_MAX);
            if values.contains(&value) {
                rules.broken(&pointer, "duplicate", "must be unique among the values".to_owned());
            }
            values.push(value);
        }
    }
    match draft.kind {
        AttributeKind::Enum if draft.values.is_empty() => {
            rules.broken("#/values", "required", "an enum needs values".to_owned());
        }
        AttributeKind::Text | AttributeKind::Number | AttributeKind::Boolean | AttributeKind::Date
            if !draft.values.is_empty() =>
        {
            rules.broken("#/values", "not_allowed", "only an enum has values".to_owned());
        }
        AttributeKind::Text
        | AttributeKind::Number
        | AttributeKind::Boolean
        | AttributeKind::Date
        | AttributeKind::Enum => {}
    }
    rules.finish(AttributeDefinitionDraft { code, label, values, ..draft.clone() })
}
