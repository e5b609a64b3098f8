//! What cache fills ask: small reads, each one statement, each with the log's head in the same snapshot.
//!
//! The head stamps what was read, also where nothing was found. A head from another snapshot would be wrong: an answer
//! stamped later than it was read would outlive the change it missed.

mod attributes;
pub mod audit;
mod categories;
mod listed;
mod listed_range;
mod listing;
mod named;
mod products;

pub use attributes::{attributes, synonyms};
pub use categories::{CategoryRow, brands, category, category_tree};
pub use listed::{ListedChanges, changes, listed, listed_brands, listed_categories};
pub use listed_range::{listed_range, range_end};
pub use listing::{is_plain, list_ids};
pub use named::{NamedRow, by_skus, by_slugs};
pub use products::{ProductRow, SlugTarget, by_sku, by_slug, product, products};

use super::{Connection, error::StoreError};

/// An answer and the last log position visible to the statement that gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot<T> {
    /// Last position of the log; 0 while it is empty.
    pub head: i64,
    /// What was read.
    pub value: T,
}

/// Runs several reads in one snapshot.
pub fn in_snapshot<T>(
    connection: &mut Connection,
    reads: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.build_transaction().repeatable_read().read_only().run(reads)
}

/// The head of the log as a derived table `h (head)`. Not a function: a volatile one would take a snapshot of its own.
const HEAD: &str = "(SELECT coalesce(max(pos), 0) AS head FROM catalog_event WHERE pos IS NOT NULL) h";
