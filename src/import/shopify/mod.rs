//! Shopify product CSV, as Shopify exports it and as others imitate it.
//!
//! Rows with one handle are one product: the first holds the product, every row may hold a variant, an image, or both.
//! Both generations of header names are read, in any case. A column that the file does not have leaves the value alone; an
//! empty cell empties it. The handle is the slug that a product is found by. Rows are complete: a variant or image that the
//! file does not name (while it has columns for them) is removed.
//!
//! | in the file | here |
//! | --- | --- |
//! | `Status`; without it, `Published` | status; `Published` false makes a draft, and does not hide an active product |
//! | `Vendor`, `Type`, `Product Category`, `Tags` | brand, product type, one category path, tags |
//! | `Option1 Name` = `Title`, `Option1 Value` = `Default Title` | no options |
//! | `Variant Price`, `Variant Compare At Price` | the price in the currency of the import; others stay |
//! | `Variant Inventory Qty` | units at the location `default`; an empty cell leaves the stock as it is |
//! | `Variant Inventory Tracker`, `Variant Inventory Policy` | whether stock is counted; whether it can be bought at zero |
//! | metafield columns | attributes, of the product or of the variant |
//! | `'` before a SKU or barcode, or before `=`, `+`, `-`, `@` | removed: it keeps spreadsheets from calculating |
//! | a barcode such as `9.78E+12` | left out with a warning: its digits are lost |
//! | a row with the option values of an earlier one | an error; the row is left out, the product imported |
//!
//! Everything else wrong with a row is an error, and its product is not imported: never a half-written product.

mod columns;
mod groups;
mod merge;
pub(in crate::import) mod product;
mod table;
mod values;
mod variants;

use std::path::Path;

use self::groups::Groups;
use super::source::{Entry, Source, SourceError};
use crate::domain::money::Currency;

/// Reads products from a Shopify file; memory: see [`groups`].
pub struct ShopifyFile {
    groups: Groups,
    currency: Currency,
}

impl std::fmt::Debug for ShopifyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ShopifyFile").field("currency", &self.currency).finish_non_exhaustive()
    }
}

impl ShopifyFile {
    /// Opens a file whose prices are in `currency`. Reads it once to learn where each product's rows are.
    ///
    /// # Errors
    /// The file cannot be read, or its first line does not name the columns.
    pub fn open(path: &Path, currency: Currency) -> Result<Self, SourceError> {
        Ok(Self { groups: Groups::open(path)?, currency })
    }
}

impl Source for ShopifyFile {
    fn next(&mut self) -> Result<Option<Entry>, SourceError> {
        let group = self.groups.next()?;
        Ok(group.map(|group| product::entry(group, self.groups.header(), self.currency)))
    }

    fn preamble(&self) -> &[u8] {
        self.groups.preamble()
    }

    fn position(&self) -> u64 {
        self.groups.position()
    }

    fn ignored_columns(&self) -> &[String] {
        self.groups.header().ignored()
    }
}
