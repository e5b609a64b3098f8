//! What can go wrong in the database, classified in one place.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::domain::invalid::Invalid;

/// A failed database operation, in terms the catalogue understands.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, shutting down, or out of connections. Worth trying again.
    #[error("database unavailable: {0}")]
    Unavailable(String),
    /// The statement was cancelled by its time-out. Worth trying again.
    #[error("database statement timed out")]
    Timeout,
    /// The row does not exist (or is deleted).
    #[error("not found")]
    NotFound,
    /// `If-Match` named another version.
    #[error("version is {current}")]
    VersionConflict {
        /// The version the row has.
        current: i64,
    },
    /// A value that must be unique belongs to something else.
    #[error("duplicate value at {pointer}")]
    Duplicate {
        /// JSON Pointer (fragment form) of the duplicate value, e.g. `#/variants/1/sku`.
        pointer: String,
        /// What must be unique, in words.
        detail: String,
    },
    /// Rules that only the database could check: unknown brand, category cycle, …
    #[error("invalid: {0:?}")]
    Invalid(Vec<Invalid>),
    /// Concurrent edits collided (deadlock, serialisation). Worth trying again.
    #[error("concurrent edits collided")]
    Collision,
    /// Anything else: a defect of ours or of the data.
    #[error("database error: {0}")]
    Internal(String),
}

impl StoreError {
    /// One broken rule at one place.
    pub(super) fn invalid(pointer: impl Into<String>, rule: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![Invalid::new(pointer, rule, detail)])
    }
}

/// Diesel hides the SQLSTATE, and its kinds know neither a deadlock (40P01) nor a cancelled statement (57014). What they do
/// not tell is told by the constraint's name and the message. Connections ask for English ones; a server that speaks
/// another language and lets this role not choose makes these two internal errors, and a deadlock is not tried again.
impl From<DieselError> for StoreError {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "Diesel's enums are open-ended; the rest is classified below"
    )]
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(kind, information) => {
                let message = information.message();
                let constraint = information.constraint_name().unwrap_or_default();
                match kind {
                    DatabaseErrorKind::UniqueViolation => duplicate(constraint, message),
                    DatabaseErrorKind::ForeignKeyViolation
                    | DatabaseErrorKind::CheckViolation
                    | DatabaseErrorKind::NotNullViolation
                    | DatabaseErrorKind::RestrictViolation
                    | DatabaseErrorKind::ExclusionViolation => broken_rule(constraint, message),
                    DatabaseErrorKind::SerializationFailure => Self::Collision,
                    DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::ReadOnlyTransaction => {
                        Self::Unavailable(message.to_owned())
                    }
                    _ => by_message(message),
                }
            }
            DieselError::BrokenTransactionManager => {
                Self::Unavailable("the connection was lost inside a transaction".to_owned())
            }
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            // Text holding a NUL fails before it is sent.
            DieselError::InvalidCString(_) => text_not_storable(),
            other => Self::Internal(other.to_string()),
        }
    }
}

fn duplicate(constraint: &str, message: &str) -> StoreError {
    let (pointer, detail) = match constraint {
        "product_external_id_key" => ("#/external_id", "belongs to another product"),
        "slug_pkey" | "slug_current_key" | "brand_slug_key" | "category_slug_key" => {
            ("#/slug", "belongs to something else")
        }
        "attribute_definition_code_key" | "product_type_code_key" => ("#/code", "belongs to something else"),
        // Which one was found out before the write, unless two edits raced.
        "variant_sku_key" => ("#/variants", "one of the SKUs belongs to another product"),
        _ => return StoreError::Internal(message.to_owned()),
    };
    StoreError::Duplicate { pointer: pointer.to_owned(), detail: detail.to_owned() }
}

fn broken_rule(constraint: &str, message: &str) -> StoreError {
    let (pointer, rule, detail) = match constraint {
        "category_cycle_check" => ("#/parent_id", "cycle", "a category cannot be below itself"),
        "category_depth_check" => ("#/parent_id", "too_deep", "at most 32 levels of categories"),
        "category_parent_fkey" => ("#/parent_id", "unknown", "no such category"),
        "product_brand_fkey" => ("#/brand_id", "unknown", "no such brand"),
        "product_category_category_fkey" => ("#/category_ids", "unknown", "no such category"),
        "price_currency_fkey" => ("#/currency", "unknown", "no such currency"),
        "price_amount_check" => ("#/amount", "out_of_range", "0 to 10^15 minor units"),
        "price_compare_at_check" => ("#/compare_at", "out_of_range", "0 to 10^15 minor units"),
        "product_type_attribute_attribute_fkey" => {
            ("#/attributes", "unknown", "no such attribute definition")
        }
        "synonym_set_count_check" => ("#", "too_many", "there are 1000 sets of synonyms already"),
        "brand_name_check" | "category_name_check" | "product_type_name_check" => {
            ("#/name", "length", "1 to 255 characters")
        }
        "brand_slug_check" | "category_slug_check" | "slug_slug_check" => {
            ("#/slug", "length", "1 to 200 bytes")
        }
        "product_title_check" => ("#/title", "length", "1 to 255 characters"),
        "" => return StoreError::Internal(message.to_owned()),
        other => return StoreError::invalid("#", "constraint", format!("breaks the rule {other}")),
    };
    StoreError::invalid(pointer, rule, detail)
}

/// What Postgres says where its machine has no room left (SQLSTATE class 53): until somebody makes some, it is away for
/// whoever needs it.
const LACKS: [&str; 4] =
    ["No space left on device", "could not extend file", "out of memory", "out of shared memory"];

fn by_message(message: &str) -> StoreError {
    let says = |part: &str| message.contains(part);
    if says("statement timeout") || says("lock timeout") || says("canceling statement due to user request") {
        StoreError::Timeout
    } else if says("deadlock detected") {
        StoreError::Collision
    } else if says("the database system is")
        || says("terminating connection")
        || says("too many clients")
        || says("remaining connection slots")
        || says("server closed the connection")
        || says("could not connect")
        || says("connection to server")
        || says("no connection to the server")
        || LACKS.iter().any(|lack| says(lack))
    {
        StoreError::Unavailable(message.to_owned())
    } else if says("invalid byte sequence") || says("Unicode escape") || says("Unicode surrogate") {
        text_not_storable()
    } else if says("out of range") {
        StoreError::invalid("#", "out_of_range", "a number is out of the range that can be stored")
    } else {
        StoreError::Internal(message.to_owned())
    }
}

fn text_not_storable() -> StoreError {
    StoreError::invalid("#", "nul", "text must not hold NUL or broken characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classifies_by_kind_name_and_message() {
        let database = |kind, message: &str| {
            StoreError::from(DieselError::DatabaseError(kind, Box::new(message.to_owned())))
        };
        let unknown = |message| database(DatabaseErrorKind::Unknown, message);
        assert!(matches!(unknown("canceling statement due to statement timeout"), StoreError::Timeout));
        assert!(matches!(unknown("deadlock detected"), StoreError::Collision));
        assert!(matches!(unknown("the database system is starting up"), StoreError::Unavailable(_)));
        assert!(matches!(unknown("no connection to the server\n"), StoreError::Unavailable(_)));
        assert!(matches!(
            unknown("invalid byte sequence for encoding \"UTF8\": 0x00"),
            StoreError::Invalid(_)
        ));
        let full = "could not extend file \"base/5/1259\": No space left on device";
        assert!(matches!(unknown(full), StoreError::Unavailable(_)));
        assert!(matches!(unknown("something else"), StoreError::Internal(_)));
        assert!(matches!(database(DatabaseErrorKind::ClosedConnection, ""), StoreError::Unavailable(_)));
        assert!(matches!(database(DatabaseErrorKind::SerializationFailure, ""), StoreError::Collision));
        let StoreError::Duplicate { pointer, .. } = duplicate("slug_pkey", "") else {
            panic!("not a duplicate")
        };
        assert_eq!(pointer, "#/slug");
        let StoreError::Invalid(all) = broken_rule("category_cycle_check", "") else { panic!("not invalid") };
        assert_eq!(all[0].rule, "cycle");
    }
}
