//! Product types as editors see and change them, and what they say of the products that name them.

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types as sql, upsert::excluded};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Connection, Precondition,
    error::StoreError,
    named::{self, Rules},
    schema,
    statement::{Bind, Statement},
};
use crate::{
    domain::{
        attribute::{AttributeKind, AttributeRule, Level, TypeRules},
        invalid::Invalid,
    },
    limits::{INVALIDS_MAX, MISFITS_EXAMINED_MAX, NAME_LENGTH_MAX, TYPE_ATTRIBUTES_MAX},
};

/// What an editor submits for a product type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProductTypeDraft {
    /// What products of this type have as their `product_type`, letter for letter; unique, 1–255 characters. Required; cannot
    /// be changed.
    #[schema(max_length = 255)]
    pub code: String,
    /// Name shown to editors, 1–255 characters. Required.
    #[schema(max_length = 255)]
    pub name: String,
    /// Whether attributes that the type does not have are refused.
    pub strict: bool,
    /// Codes of the attributes it has, in the order shown; at most 100.
    #[schema(max_items = 100)]
    pub attributes: Vec<String>,
}

/// A product type as the admin API answers it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminProductType {
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
    pub draft: ProductTypeDraft,
}

/// A type's row.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = schema::product_type, check_for_backend(diesel::pg::Pg))]
struct Record {
    id: Uuid,
    version: i64,
    code: String,
    name: String,
    strict: bool,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Record {
    fn with(self, attributes: Vec<String>) -> AdminProductType {
        let Self { id, version, code, name, strict, created_at, updated_at } = self;
        let draft = ProductTypeDraft { code, name, strict, attributes };
        AdminProductType { id, version, created_at, updated_at, draft }
    }
}

/// Reads one.
pub fn get(connection: &mut Connection, id: Uuid) -> Result<AdminProductType, StoreError> {
    let record: Record =
        schema::product_type::table.find(id).select(Record::as_select()).first(connection)?;
    let attributes = attributes(connection, id)?;
    Ok(record.with(attributes))
}

fn attributes(connection: &mut Connection, id: Uuid) -> Result<Vec<String>, StoreError> {
    use schema::{attribute_definition as definition, product_type_attribute as part};
    Ok(part::table
        .inner_join(definition::table)
        .filter(part::product_type_id.eq(id))
        .order((part::position, definition::code))
        .select(definition::code)
        .load(connection)?)
}

/// Reads all, by name.
pub fn list(connection: &mut Connection) -> Result<Vec<AdminProductType>, StoreError> {
    use schema::{
        attribute_definition as definition, product_type as product_types, product_type_attribute as part,
    };
    let records: Vec<Record> = product_types::table
        .order((product_types::name, product_types::id))
        .select(Record::as_select())
        .load(connection)?;
    let parts: Vec<(Uuid, String)> = part::table
        .inner_join(definition::table)
        .order((part::position, definition::code))
        .select((part::product_type_id, definition::code))
        .load(connection)?;
    let of = |id: Uuid| parts.iter().filter(move |(of, _)| *of == id).map(|(_, code)| code.clone());
    Ok(records
        .into_iter()
        .map(|record| {
            let attributes = of(record.id).collect();
            record.with(attributes)
        })
        .collect())
}

/// Creates one. Inside a transaction.
pub fn create(connection: &mut Connection, draft: &ProductTypeDraft) -> Result<AdminProductType, StoreError> {
    use schema::product_type::dsl;
    let draft = checked(draft)?;
    let id = Uuid::now_v7();
    let made = diesel::insert_into(dsl::product_type)
        .values((
            dsl::id.eq(id),
            dsl::code.eq(&draft.code),
            dsl::name.eq(&draft.name),
            dsl::strict.eq(draft.strict),
        ))
        .on_conflict(dsl::code)
        .do_nothing()
        .execute(connection)?;
    if made == 0 {
        return Err(named::code_taken());
    }
    set_attributes(connection, id, &draft.attributes)?;
    get(connection, id)
}

/// Replaces one by the draft. Products stay as they are. Inside a transaction.
pub fn replace(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    draft: &ProductTypeDraft,
) -> Result<AdminProductType, StoreError> {
    let stored = lock(connection, id, precondition)?;
    write(connection, stored, draft)
}

/// Applies a JSON Merge Patch (RFC 7396). Inside a transaction.
pub fn patch(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<AdminProductType, StoreError> {
    let stored = lock(connection, id, precondition)?;
    let draft = named::patched(&stored.draft, patch)?;
    write(connection, stored, &draft)
}

/// Deletes one; products that name it are free from then on. Inside a transaction.
pub fn delete(connection: &mut Connection, id: Uuid, precondition: Precondition) -> Result<(), StoreError> {
    lock(connection, id, precondition)?;
    diesel::delete(schema::product_type::table.find(id)).execute(connection)?;
    Ok(())
}

fn lock(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<AdminProductType, StoreError> {
    let record: Record = schema::product_type::table
        .find(id)
        .select(Record::as_select())
        .for_no_key_update()
        .first(connection)?;
    precondition.check(record.version)?;
    let attributes = attributes(connection, id)?;
    Ok(record.with(attributes))
}

fn write(
    connection: &mut Connection,
    stored: AdminProductType,
    draft: &ProductTypeDraft,
) -> Result<AdminProductType, StoreError> {
    use schema::product_type::dsl;
    let wanted = checked(draft)?;
    named::keep_code(&stored.draft.code, &wanted.code)?;
    if wanted == stored.draft {
        return Ok(stored);
    }
    diesel::update(dsl::product_type.find(stored.id))
        .set((dsl::name.eq(&wanted.name), dsl::strict.eq(wanted.strict)))
        .execute(connection)?;
    if wanted.attributes != stored.draft.attributes {
        set_attributes(connection, stored.id, &wanted.attributes)?;
    }
    get(connection, stored.id)
}

/// Makes these the attributes of a type. Under its lock.
fn set_attributes(connection: &mut Connection, id: Uuid, codes: &[String]) -> Result<(), StoreError> {
    use schema::{attribute_definition as definition, product_type_attribute::dsl};
    let known: Vec<(String, Uuid)> = definition::table
        .filter(definition::code.eq_any(codes))
        .select((definition::code, definition::id))
        .load(connection)?;
    let mut rows = Vec::with_capacity(codes.len());
    let mut unknown = Vec::new();
    for ((index, code), position) in codes.iter().enumerate().zip(0_i32..) {
        match known.iter().find(|(known, _)| known == code) {
            Some((_, attribute)) => rows.push((
                dsl::product_type_id.eq(id),
                dsl::attribute_id.eq(*attribute),
                dsl::position.eq(position),
            )),
            None => unknown.push(Invalid::new(
                format!("#/attributes/{index}"),
                "unknown",
                "is the code of no attribute definition",
            )),
        }
    }
    if !unknown.is_empty() {
        return Err(StoreError::Invalid(unknown));
    }
    let kept: Vec<Uuid> = known.iter().map(|(_, attribute)| *attribute).collect();
    diesel::delete(
        dsl::product_type_attribute
            .filter(dsl::product_type_id.eq(id))
            .filter(diesel::dsl::not(dsl::attribute_id.eq_any(kept))),
    )
    .execute(connection)?;
    diesel::insert_into(dsl::product_type_attribute)
        .values(rows)
        .on_conflict((dsl::product_type_id, dsl::attribute_id))
        .do_update()
        .set(dsl::position.eq(excluded(dsl::position)))
        .execute(connection)?;
    Ok(())
}

fn checked(draft: &ProductTypeDraft) -> Result<ProductTypeDraft, StoreError> {
    let mut rules = Rules::default();
    let code = rules.line("#/code", &draft.code, NAME_LENGTH_MAX);
    let name = rules.name(&draft.name);
    let mut attributes: Vec<String> = Vec::new();
    if draft.attributes.len() > TYPE_ATTRIBUTES_MAX {
        let detail = format!("must be at most {TYPE_ATTRIBUTES_MAX} attributes");
        rules.broken("#/attributes", "too_many", detail);
    } else {
        for (index, attribute) in draft.attributes.iter().enumerate() {
            let pointer = format!("#/attributes/{index}");
            let attribute = rules.line(&pointer, attribute, NAME_LENGTH_MAX);
            if attributes.contains(&attribute) {
                rules.broken(&pointer, "duplicate", "must be unique among the attributes".to_owned());
            }
            attributes.push(attribute);
        }
    }
    rules.finish(ProductTypeDraft { code, name, strict: draft.strict, attributes })
}

/// What the type of this code asks of its products; none for a type that nobody has defined.
pub(super) fn rules(connection: &mut Connection, code: &str) -> Result<Option<TypeRules>, StoreError> {
    type Row = (
        sql::Bool,
        sql::Nullable<sql::Text>,
        sql::Nullable<sql::Text>,
        sql::Nullable<sql::Array<sql::Text>>,
        sql::Nullable<sql::Bool>,
    );
    type Values = (bool, Option<String>, Option<String>, Option<Vec<String>>, Option<bool>);
    let text = "SELECT t.strict, d.code, d.kind, d.enum_values, d.variant_level FROM product_type t \
        LEFT JOIN (product_type_attribute a JOIN attribute_definition d ON d.id = a.attribute_id) ON a.product_type_id = t.id \
        WHERE t.code = $1";
    let rows = Statement::<Row>::new(text, [Bind::Text(code)]).load::<Values>(connection)?;
    let Some(strict) = rows.first().map(|row| row.0) else { return Ok(None) };
    let rule = |(_, code, kind, values, variant_level): Values| {
        Some(AttributeRule {
            code: code?,
            kind: AttributeKind::parse(&kind?).unwrap_or_default(),
            values: values?,
            variant_level: variant_level?,
        })
    };
    Ok(Some(TypeRules { strict, attributes: rows.into_iter().filter_map(rule).collect() }))
}

/// Some products of a type, and which of them hold values that do not fit it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Misfits {
    /// Products that were looked over: at most 1,000, by id.
    pub examined: usize,
    /// How many of them hold values that do not fit.
    pub misfits: usize,
    /// The first of these, as many as were asked for.
    pub items: Vec<Misfit>,
    /// Id after which to look on; absent when there are no more products of the type.
    pub next_after: Option<Uuid>,
}

/// A product that holds values that do not fit its type.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Misfit {
    /// The product.
    pub id: Uuid,
    /// Its version.
    pub version: i64,
    /// What does not fit, at most 200 places.
    pub errors: Vec<Invalid>,
}

/// Looks over products of a type, without those in the bin. A definition that changes lets products stand as they are; this
/// tells which of them are to be mended.
pub fn misfits(
    connection: &mut Connection,
    id: Uuid,
    after: Option<Uuid>,
    limit: u16,
) -> Result<Misfits, StoreError> {
    type Row = (sql::Uuid, sql::BigInt, sql::Jsonb, sql::Nullable<sql::Jsonb>);
    type Values = (Uuid, i64, Value, Option<Value>);
    let code: String =
        schema::product_type::table.find(id).select(schema::product_type::code).first(connection)?;
    let rules = rules(connection, &code)?.unwrap_or_default();
    let text = format!(
        "SELECT p.id, p.version, p.attributes, (SELECT jsonb_agg(v.attributes ORDER BY v.position, v.id) \
           FROM variant v WHERE v.product_id = p.id) \
           FROM product p WHERE p.product_type = $1 AND p.deleted_at IS NULL AND p.id > $2 \
          ORDER BY p.id LIMIT {MISFITS_EXAMINED_MAX}"
    );
    let binds = [Bind::Text(&code), Bind::Id(after.unwrap_or(Uuid::nil()))];
    let rows = Statement::<Row>::new(text, binds).load::<Values>(connection)?;
    let examined = rows.len();
    let is_full = examined >= usize::from(MISFITS_EXAMINED_MAX);
    let next_after = rows.last().map(|row| row.0).filter(|_| is_full);
    let mut found = Misfits { examined, misfits: 0, items: Vec::new(), next_after };
    for (id, version, attributes, variants) in rows {
        let mut errors = misfits_of(&rules, &attributes, variants.as_ref());
        if errors.is_empty() {
            continue;
        }
        found.misfits += 1;
        if found.items.len() < usize::from(limit) {
            errors.truncate(INVALIDS_MAX);
            found.items.push(Misfit { id, version, errors });
        }
    }
    Ok(found)
}

fn misfits_of(rules: &TypeRules, attributes: &Value, variants: Option<&Value>) -> Vec<Invalid> {
    let nothing = Map::new();
    let mut wrong = Vec::new();
    let product = attributes.as_object().unwrap_or(&nothing);
    rules.check(Level::Product, product, None, "#/attributes", &mut wrong);
    for (index, variant) in variants.and_then(Value::as_array).into_iter().flatten().enumerate() {
        let variant = variant.as_object().unwrap_or(&nothing);
        let pointer = format!("#/variants/{index}/attributes");
        rules.check(Level::Variant, variant, None, &pointer, &mut wrong);
    }
    wrong
}
