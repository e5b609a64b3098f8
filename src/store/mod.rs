//! The only SQL: everything asked of Postgres, as plain functions over one connection.

pub mod attributes;
pub mod audit_log;
pub mod brands;
pub mod categories;
pub mod edit;
pub mod era;
pub mod error;
pub mod events;
pub mod lines;
pub mod listener;
pub mod members;
mod named;
pub mod pool;
pub mod product_types;
pub mod products;
pub mod pruning;
pub mod reads;
#[expect(unreachable_pub, missing_debug_implementations, reason = "generated")]
// Clippy looks for this one outside of tests only.
#[cfg_attr(not(test), expect(clippy::wildcard_imports, reason = "generated"))]
mod schema;
mod statement;
pub mod synonyms;
pub mod tokens;
pub mod variants;

/// A Postgres connection.
pub type Connection = diesel::pg::PgConnection;

/// What an editor requires of the row before it is changed (`If-Match`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// It must exist (`*`).
    Exists,
    /// It must be at this version.
    Version(i64),
}

impl Precondition {
    /// Compares with the version the row has, read under its lock.
    fn check(self, current: i64) -> Result<(), error::StoreError> {
        match self {
            Self::Version(wanted) if wanted != current => Err(error::StoreError::VersionConflict { current }),
            Self::Version(_) | Self::Exists => Ok(()),
        }
    }
}

/// Whether names that are not known yet are made or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingNames {
    /// Unknown brands and categories are an error (admin API).
    Refuse,
    /// Unknown brands and categories are made (import).
    Create,
}
