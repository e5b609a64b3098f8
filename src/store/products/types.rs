//! Whether the attributes of a product fit the type it names.

use serde_json::Map;

use super::rows::{Rows, VariantRecord};
use crate::{
    domain::attribute::Level,
    limits::INVALIDS_MAX,
    store::{Connection, error::StoreError, product_types},
};

/// Refuses attributes that do not fit. Values that the product has already, of the same type, are left alone: a changed
/// definition must not stand in the way of an edit that has nothing to do with it.
pub(super) fn fit(connection: &mut Connection, before: &Rows, wanted: &Rows) -> Result<(), StoreError> {
    let Some(code) = &wanted.product.product_type else { return Ok(()) };
    let Some(rules) = product_types::rules(connection, code)? else { return Ok(()) };
    let is_same_type = before.product.product_type.as_ref() == Some(code);
    let nothing = Map::new();
    let mut wrong = Vec::new();
    let stored = before.product.attributes.as_object().filter(|_| is_same_type);
    let attributes = wanted.product.attributes.as_object().unwrap_or(&nothing);
    rules.check(Level::Product, attributes, stored, "#/attributes", &mut wrong);
    for (index, variant) in wanted.variants.iter().enumerate() {
        let known = |stored: &&VariantRecord| stored.id == variant.id;
        let stored = before.variants.iter().find(known).filter(|_| is_same_type);
        let stored = stored.and_then(|stored| stored.attributes.as_object());
        let attributes = variant.attributes.as_object().unwrap_or(&nothing);
        let pointer = format!("#/variants/{index}/attributes");
        rules.check(Level::Variant, attributes, stored, &pointer, &mut wrong);
    }
    wrong.truncate(INVALIDS_MAX);
    if wrong.is_empty() { Ok(()) } else { Err(StoreError::Invalid(wrong)) }
}
