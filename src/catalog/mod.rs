//! The heart: messages, the actors that answer them, admission, reads, edits and lists.
//!
//! Read path: [`handle`] → [`actor`] (hit) → [`fill`] (one flight per key) → [`loader`] → store actors ([`pool`], products [`together`]); for pages of
//! lists also list actors ([`lists`]). Both are pools of [`workers`].
//! Edit path: [`handle`] → [`pool`] → commit → fence raised here, announced to the others.

pub mod actor;
pub mod batch;
mod compose;
pub mod cursor;
pub mod edits;
pub mod error;
pub mod fill;
pub mod fillers;
pub mod handle;
pub mod health;
pub mod lists;
pub mod loader;
mod loads;
pub mod messages;
mod pages;
pub mod pool;
pub mod together;
pub mod token_uses;
pub mod workers;

pub use error::CatalogError;
pub use handle::Catalog;
