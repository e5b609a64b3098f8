//! The catalogue's rules: products, money, locales, slugs, filters and page cursors.
//!
//! Pure: no I/O, no clock, no SQL, no HTTP. Everything else may use this; it uses nothing of the crate.

pub mod attribute;
pub mod category;
pub mod cursor;
pub mod dependency;
pub mod document;
pub mod draft;
pub mod draft_reader;
pub mod invalid;
pub mod list;
pub mod list_body;
pub mod listed;
pub mod locale;
pub mod merge_patch;
pub mod money;
pub mod origin;
pub mod rendering;
pub mod slug;
pub mod surrogate_key;
pub mod synonyms;
pub mod token;
