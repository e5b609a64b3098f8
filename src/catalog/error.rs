//! What a catalogue message can be answered with besides its reply.

use super::lists::ListsError;
use crate::{domain::invalid::Invalid, store::error::StoreError};

/// A refused or failed catalogue message.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CatalogError {
    /// Nothing there.
    #[error("not found")]
    NotFound,
    /// The submitted document breaks rules; all of them.
    #[error("invalid: {0:?}")]
    Invalid(Vec<Invalid>),
    /// `If-Match` named another version.
    #[error("version is {current}")]
    VersionConflict {
        /// The version it has.
        current: i64,
    },
    /// A value that must be unique belongs to something else.
    #[error("duplicate value at {pointer}")]
    Duplicate {
        /// JSON Pointer (fragment form) of the duplicate value.
        pointer: String,
        /// What must be unique, in words.
        detail: String,
    },
    /// Refused before any work: too much in flight.
    #[error("overloaded")]
    Overloaded,
    /// The deadline passed before an answer.
    #[error("deadline exceeded")]
    DeadlineExceeded,
    /// A dependency (Postgres) or an actor is away for the moment.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// There is no lease, so no cached answer can be vouched for.
    #[error("no lease")]
    Unvouched,
    /// The position asked for was not reached in time.
    #[error("position not reached")]
    PositionAhead,
    /// A defect: a caught panic or an unexpected database answer. The text goes to the log, never to a client.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<ListsError> for CatalogError {
    fn from(error: ListsError) -> Self {
        match error {
            ListsError::Unread => Self::Unavailable(error.to_string()),
            ListsError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for CatalogError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(why) => Self::Unavailable(why),
            StoreError::Timeout => Self::Unavailable("statement timed out".to_owned()),
            StoreError::Collision => Self::Unavailable("concurrent edits collided".to_owned()),
            StoreError::NotFound => Self::NotFound,
            StoreError::VersionConflict { current } => Self::VersionConflict { current },
            StoreError::Duplicate { pointer, detail } => Self::Duplicate { pointer, detail },
            StoreError::Invalid(all) => Self::Invalid(all),
            StoreError::Internal(why) => Self::Internal(why),
        }
    }
}
