//! Makes drafts from JSON, reporting every broken rule at once.
//!
//! Hand-written rather than derived: serde stops at the first error and knows no rule beyond types. Each rule is reported
//! with its place as a JSON pointer, in the words of the field, never repeating the value. What a draft may hold is
//! documented at [`ProductDraft`]; the numbers stand in [`crate::limits`].
//!
//! What is forgiven: `null` and a blank optional text mean *not given*; white space around names is removed; tags,
//! categories and media references given twice count once; read-only fields of an answer are ignored, so that an answer
//! can be sent back as it is. Everything else unknown is refused, with the name it resembles.
//!
//! A barcode may be any text of 64 characters: real catalogues are full of codes that fail the GTIN check digit.

mod attributes;
mod media;
mod nearest;
mod options;
mod price;
mod product;
#[cfg(test)]
mod property_tests;
mod reader;
#[cfg(test)]
mod tests;
mod variant;

use serde_json::Value;

use self::reader::Reader;
use super::{
    draft::{PriceDraft, ProductDraft, StockDraft, VariantDraft},
    invalid::Invalid,
};

/// Reads a product; on success its options are complete: each variant has one value for each of them.
///
/// # Errors
/// Every broken rule (at most [`crate::limits::INVALIDS_MAX`] are listed), in the order of the reader's walk.
pub fn read(value: &Value) -> Result<ProductDraft, Vec<Invalid>> {
    read_with(value, product::product)
}

/// Reads one variant by itself. Whether its options and media fit the product is not known here.
///
/// # Errors
/// Every broken rule, with pointers relative to the variant.
pub fn read_variant(value: &Value) -> Result<VariantDraft, Vec<Invalid>> {
    read_with(value, |reader, value| Some(variant::variant(reader, value)?.draft))
}

/// Reads one price.
///
/// # Errors
/// Every broken rule, with pointers relative to the price.
pub fn read_price(value: &Value) -> Result<PriceDraft, Vec<Invalid>> {
    read_with(value, price::price)
}

/// Reads all prices of a variant: a list with each currency once.
///
/// # Errors
/// Every broken rule, with pointers relative to the list.
pub fn read_prices(value: &Value) -> Result<Vec<PriceDraft>, Vec<Invalid>> {
    read_with(value, price::prices)
}

/// Reads the stock of a variant: a number of units at the default location, or a list of locations.
///
/// # Errors
/// Every broken rule, with pointers relative to the number or list.
pub fn read_stock(value: &Value) -> Result<Vec<StockDraft>, Vec<Invalid>> {
    read_with(value, variant::stock)
}

fn read_with<T>(
    value: &Value,
    read: impl FnOnce(&mut Reader, &Value) -> Option<T>,
) -> Result<T, Vec<Invalid>> {
    let mut reader = Reader::new();
    let result = read(&mut reader, value);
    reader.finish(result)
}
