//! Merge patches of products.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{draft, lock_and_load, write};
use crate::{
    domain::{draft::ProductDraft, draft_reader, invalid::Invalid, merge_patch},
    store::{Connection, MissingNames, Precondition, error::StoreError},
};

/// The draft with the patch applied. What the patch gives in one of two ways that exclude each other replaces the other
/// way; options that the patched variants do not fit are derived from them.
pub(super) fn patched(draft: &ProductDraft, patch: &Value) -> Result<ProductDraft, StoreError> {
    let mut document = json(draft)?;
    let gives = |name: &str| patch.get(name).is_some_and(|value| !value.is_null());
    if let Some(members) = document.as_object_mut() {
        for (given, replaced) in [("brand", "brand_id"), ("categories", "category_ids")] {
            if gives(given) && patch.get(replaced).is_none() {
                members.shift_remove(replaced);
            }
        }
        if patch.get("options").is_none() && options_change(draft, patch) {
            members.shift_remove("options");
        }
    }
    merge_patch::apply(&mut document, patch);
    draft_reader::read(&document).map_err(StoreError::Invalid)
}

/// Whether the patch gives variants with other option names than the product's.
fn options_change(draft: &ProductDraft, patch: &Value) -> bool {
    let names = |variant: &Value| -> Vec<String> {
        let options = variant.get("options").and_then(Value::as_object);
        options.map(|options| options.keys().map(|name| name.trim().to_owned()).collect()).unwrap_or_default()
    };
    let variants = patch.get("variants").and_then(Value::as_array);
    variants.is_some_and(|variants| {
        variants.iter().map(names).any(|names| {
            names.len() != draft.options.len() || draft.options.iter().any(|o| !names.contains(&o.name))
        })
    })
}

pub(super) fn json(value: &impl Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(value).map_err(|error| StoreError::Internal(error.to_string()))
}

/// Applies a merge patch to one variant of a product. Inside a transaction.
pub(in crate::store) fn patch_variant(
    connection: &mut Connection,
    product_id: Uuid,
    variant_id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<(), StoreError> {
    let stored = lock_and_load(connection, product_id, precondition)?;
    let mut product = draft::draft(&stored)?;
    let place = product.variants.iter().position(|variant| variant.id == Some(variant_id));
    let place = place.ok_or(StoreError::NotFound)?;
    let variant = product.variants.get_mut(place).ok_or(StoreError::NotFound)?;
    let mut document = json(variant)?;
    merge_patch::apply(&mut document, patch);
    let patched = draft_reader::read_variant(&document).map_err(StoreError::Invalid)?;
    if patched.id != Some(variant_id) {
        return Err(StoreError::invalid("#/id", "read_only", "cannot be changed"));
    }
    *variant = patched;
    // The rules that span the product: a value for every option, media among the product's.
    let read = draft_reader::read(&json(&product)?).map_err(StoreError::Invalid);
    let written =
        read.and_then(|draft| write(connection, product_id, Some(&stored), &draft, MissingNames::Refuse));
    written.map(|_| ()).map_err(|error| within(error, &format!("#/variants/{place}")))
}

/// The error with its pointers taken from the product to the variant at `place`.
fn within(error: StoreError, place: &str) -> StoreError {
    let shorten = |pointer: String| match pointer.strip_prefix(place) {
        Some(rest) => format!("#{rest}"),
        None => pointer,
    };
    match error {
        StoreError::Invalid(all) => StoreError::Invalid(
            all.into_iter().map(|one| Invalid { pointer: shorten(one.pointer), ..one }).collect(),
        ),
        StoreError::Duplicate { pointer, detail } => {
            StoreError::Duplicate { pointer: shorten(pointer), detail }
        }
        StoreError::Unavailable(_)
        | StoreError::Timeout
        | StoreError::NotFound
        | StoreError::VersionConflict { .. }
        | StoreError::Collision
        | StoreError::Internal(_) => error,
    }
}
