//! What the derived schemas leave open: documents that contain another's fields, and that one type serves both directions.
//!
//! A document that clients send may leave out what has a default, or send null for it, and may hold no unknown field. An
//! answer has every field. Each direction gets schemas of its own, `…Draft` and `…Fields`.

use std::collections::BTreeMap;

use utoipa::openapi::{
    AllOf, Object, RefOr, Schema,
    schema::{AdditionalProperties, ArrayItems, ObjectBuilder, OneOfBuilder, SchemaType, Type},
};

use crate::limits::STOCK_MAX;

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Documents that clients send, the parts of such documents too. An unknown field in one is an error.
const SENT: &[&str] = &[
    "ProductDraft",
    "OptionDraft",
    "VariantDraft",
    "PriceDraft",
    "StockDraft",
    "MediaDraft",
    "SeoDraft",
    "TranslationDraft",
    "BrandDraft",
    "CategoryDraft",
    "ProductTypeDraft",
    "AttributeDefinitionDraft",
    "SynonymSetDraft",
    "BatchRequest",
    "KnownEntry",
    "NewToken",
    "PriceEdit",
    "StockLevel",
    "StockAdjustment",
];

/// Fields without which a document is refused, although the type behind it has an empty default.
const REQUIRED: &[(&str, &str)] = &[
    ("ProductDraft", "title"),
    ("OptionDraft", "name"),
    ("MediaDraft", "url"),
    ("BrandDraft", "name"),
    ("CategoryDraft", "name"),
    ("ProductTypeDraft", "code"),
    ("ProductTypeDraft", "name"),
    ("AttributeDefinitionDraft", "code"),
    ("AttributeDefinitionDraft", "label"),
    ("SynonymSetDraft", "words"),
];

/// Completes the schemas.
pub(super) fn complete(schemas: &mut Schemas) {
    for (name, field) in REQUIRED {
        if let Some(object) = object(schemas, name) {
            require(object, field);
        }
    }
    split(schemas);
    flatten(schemas);
    if let Some(variant) = object(schemas, "VariantDraft") {
        take_bare_stock(variant);
    }
    for name in SENT {
        if let Some(object) = object(schemas, name) {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            let Object { properties, required, .. } = object;
            let optional = properties.iter_mut().filter(|(field, _)| !required.contains(field));
            optional.for_each(|(_, schema)| take_null(schema));
        }
    }
}

/// Gives answers schemas of their own for what they share with documents that are sent.
fn split(schemas: &mut Schemas) {
    let drafts = schemas.iter().filter(|(name, _)| SENT.contains(&name.as_str()));
    let answers: Vec<_> = drafts
        .filter_map(|(name, schema)| Some((format!("{}Fields", name.strip_suffix("Draft")?), schema.clone())))
        .collect();
    for (name, schema) in schemas.iter_mut() {
        if !SENT.contains(&name.as_str()) {
            refer_to_fields(schema);
        }
    }
    for (name, mut schema) in answers {
        refer_to_fields(&mut schema);
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required = object.properties.keys().cloned().collect();
            object.additional_properties = None;
        }
        schemas.insert(name, schema);
    }
}

fn refer_to_fields(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::Ref(reference) => {
            if let Some(noun) = reference.ref_location.strip_suffix("Draft") {
                reference.ref_location = format!("{noun}Fields");
            }
        }
        RefOr::T(Schema::Object(object)) => {
            object.properties.values_mut().for_each(refer_to_fields);
            if let Some(AdditionalProperties::RefOr(value)) = object.additional_properties.as_deref_mut() {
                refer_to_fields(value);
            }
        }
        RefOr::T(Schema::Array(array)) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                refer_to_fields(items);
            }
        }
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(refer_to_fields),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(refer_to_fields),
        RefOr::T(_) => {}
    }
}

/// Null means the same as leaving the field out.
fn take_null(schema: &mut RefOr<Schema>) {
    let schema_type = match schema {
        RefOr::T(Schema::Object(object)) => &mut object.schema_type,
        RefOr::T(Schema::Array(array)) => &mut array.schema_type,
        RefOr::T(_) => return,
        RefOr::Ref(_) => {
            let null = ObjectBuilder::new().schema_type(Type::Null);
            *schema = OneOfBuilder::new().item(schema.clone()).item(null).into();
            return;
        }
    };
    if let SchemaType::Type(only) = schema_type {
        *schema_type = SchemaType::from_iter([only.clone(), Type::Null]);
    }
}

fn object<'a>(schemas: &'a mut Schemas, name: &str) -> Option<&'a mut Object> {
    match schemas.get_mut(name)? {
        RefOr::T(Schema::Object(object)) => Some(object),
        RefOr::T(_) | RefOr::Ref(_) => None,
    }
}

fn require(object: &mut Object, field: &str) {
    if !object.required.iter().any(|known| known == field) {
        object.required.push(field.to_owned());
    }
    if let Some(RefOr::T(Schema::Object(text))) = object.properties.get_mut(field) {
        text.default = None;
        text.min_length = Some(1);
    }
}

/// `"stock": 12` is short for twelve units at the default location.
fn take_bare_stock(variant: &mut Object) {
    let Some(stock) = variant.properties.get_mut("stock") else { return };
    let RefOr::T(Schema::Array(levels)) = &*stock else { return };
    let mut levels = levels.clone();
    let description = levels.description.take();
    levels.schema_type = SchemaType::new(Type::Array);
    levels.default = None;
    let units =
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(-STOCK_MAX)).maximum(Some(STOCK_MAX));
    let null = ObjectBuilder::new().schema_type(Type::Null);
    let any = OneOfBuilder::new().item(units).item(Schema::Array(levels)).item(null).description(description);
    *stock = RefOr::T(Schema::OneOf(any.build()));
}

/// Writes out documents that contain the fields of another. As a conjunction of schemas they could not be read by tools that
/// refuse unknown fields: each part would refuse the fields of the others.
fn flatten(schemas: &mut Schemas) {
    let parts = schemas.clone();
    for schema in schemas.values_mut() {
        if let RefOr::T(Schema::AllOf(all)) = schema
            && let Some(merged) = merged(all, &parts)
        {
            *schema = RefOr::T(Schema::Object(merged));
        }
    }
}

fn merged(all: &AllOf, parts: &Schemas) -> Option<Object> {
    let mut merged = ObjectBuilder::new().schema_type(Type::Object).build();
    merged.description.clone_from(&all.description);
    for item in &all.items {
        let part = match item {
            RefOr::T(part) => part,
            RefOr::Ref(reference) => match parts.get(reference.ref_location.rsplit('/').next()?)? {
                RefOr::T(part) => part,
                RefOr::Ref(_) => return None,
            },
        };
        let Schema::Object(part) = part else { return None };
        merged.properties.extend(part.properties.clone());
        merged.required.extend(part.required.iter().cloned());
    }
    Some(merged)
}
