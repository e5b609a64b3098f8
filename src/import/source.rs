//! Products as they come out of a file.

use std::io;

use super::{
    problem::{Places, Problem},
    shopify::product::ShopifyProduct,
};
use crate::domain::draft::ProductDraft;

/// A file of products, read one after another, on a thread of its own.
pub trait Source: Send {
    /// The next product or broken row; `None` at the end.
    ///
    /// # Errors
    /// The file cannot be read on.
    fn next(&mut self) -> Result<Option<Entry>, SourceError>;

    /// What stands in the file before its products and what they cannot be read without, such as a header.
    fn preamble(&self) -> &[u8] {
        &[]
    }

    /// Bytes read so far, for a progress bar.
    fn position(&self) -> u64;

    /// Names of the columns that say nothing to a catalogue.
    fn ignored_columns(&self) -> &[String] {
        &[]
    }
}

/// What stands in one place of a file: a product, or why there is none.
#[derive(Debug)]
pub struct Entry {
    /// What is wrong with it. Errors without content: the product is not imported. Errors with content: only a row is not.
    pub problems: Vec<Problem>,
    /// The product, unless it cannot be imported.
    pub content: Option<Content>,
    /// Where its parts came from.
    pub places: Places,
    /// First line of it.
    pub line: u64,
    /// Bytes it had in the file.
    pub size: usize,
    /// The very bytes, whole lines; empty where they are too many to be kept.
    pub raw: Vec<u8>,
}

impl Entry {
    /// How many keys it may change, about: the product, its slug, its SKUs.
    pub(super) fn keys(&self) -> usize {
        2 + match &self.content {
            None => 0,
            Some(Content::Whole(draft)) => draft.variants.len(),
            Some(Content::Shopify(product)) => product.variant_count(),
        }
    }
}

/// A product of a file.
#[derive(Debug)]
pub enum Content {
    /// All of a product: what the draft does not have, the product does not have.
    Whole(Box<ProductDraft>),
    /// The columns of a Shopify file: what the file has no column for stays as it is.
    Shopify(Box<ShopifyProduct>),
}

/// Why a file cannot be read at all, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system refused.
    #[error("cannot read the file: {0}")]
    Io(#[from] io::Error),
    /// The header line does not tell what the columns are.
    #[error("line {line}: {detail}")]
    Header {
        /// Line of the file.
        line: u64,
        /// What is wrong with it.
        detail: String,
    },
}
