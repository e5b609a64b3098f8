//! Whether the attributes of a product fit the type it names.

use std::collections::BTreeMap;

use serde_json::Map;

use super::rows::{Rows, VariantRecord};
use crate::{
    domain::attribute::{Level, TypeRules},
    limits::INVALIDS_MAX,
    store::{Connection, error::StoreError, product_types},
};

/// The rules of types that were asked for: a batch asks for each once.
#[derive(Debug, Default)]
pub(super) struct KnownTypes(BTreeMap<String, Option<TypeRules>>);

impl KnownTypes {
    /// See [`fit`].
    pub(super) fn fit(
        &mut self,
        connection: &mut Connection,
        before: &Rows,
        wanted: &Rows,
    ) -> Result<(), StoreError> {
        let Some(code) = &wanted.product.product_type else { return Ok(()) };
        if !self.0.contains_key(code) {
            self.0.insert(code.clone(), product_types::rules(connection, code)?);
        }
        match self.0.get(code).and_then(Option::as_ref) {
            Some(rules) => check(rules, code, before, wanted),
            None => Ok(()),
        }
    }
}

/// Refuses attributes that do not fit. Values that the product has already, of the same type, are left alone: a changed
/// definition must not stand in the way of an edit that has nothing to do with it.
pub(super) fn fit(connection: &mut Connection, before: &Rows, wanted: &Rows) -> Result<(), StoreError> {
    let Some(code) = &wanted.product.product_type else { return Ok(()) };
    if are_kept(before, wanted) {
        return Ok(());
    }
    let Some(rules) = product_types::rules(connection, code)? else { return Ok(()) };
    check(&rules, code, before, wanted)
}

/// Whether all attributes are as they are stored, of the same type.
fn are_kept(before: &Rows, wanted: &Rows) -> bool {
    let (stored, product) = (&before.product, &wanted.product);
    let is_kept = |variant: &VariantRecord| {
        before
            .variants
            .iter()
            .any(|stored| stored.id == variant.id && stored.attributes == variant.attributes)
    };
    stored.product_type == product.product_type
        && stored.attributes == product.attributes
        && wanted.variants.iter().all(is_kept)
}

fn check(rules: &TypeRules, code: &String, before: &Rows, wanted: &Rows) -> Result<(), StoreError> {
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
