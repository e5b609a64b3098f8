//! The visible catalogue in memory: answers pages of lists with their filters, orders, counts and facets.
//!
//! Pure: no I/O, no clock. One writer applies changes in the order of the log; readers see all of a change or nothing of it
//! as long as whoever owns the index keeps them apart.

mod affects;
mod collation;
mod columns;
mod counting;
mod facets;
mod fill;
mod index;
mod key;
mod markets;
mod names;
mod order;
mod page;
mod price_ranges;
mod row;
mod save;
mod save_columns;
mod select;
mod shown;
mod suggest;
mod terms;
mod varint;
mod walk;
mod words;

pub use index::ListingIndex;
pub use save::FORMAT;
pub use shown::Shown;
pub use suggest::Suggestions;

#[cfg(test)]
mod tests;
