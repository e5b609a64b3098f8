//! What small nouns have in common: a name, a slug, a description, and how a patch and a deletion of them go.

use diesel::{
    QueryResult, RunQueryDsl,
    result::{DatabaseErrorKind, Error as DieselError},
    sql_types as sql,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Connection, error::StoreError, statement::Statement};
use crate::{
    domain::{
        invalid::Invalid,
        merge_patch,
        slug::{SLUG_LENGTH_MAX, is_slug},
    },
    limits::{DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX},
};

/// Collects the rules a draft breaks.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<Invalid>);

impl Rules {
    /// The name without white space around it.
    pub(super) fn name(&mut self, name: &str) -> String {
        self.line("#/name", name, NAME_LENGTH_MAX)
    }

    /// A text that must be there, without white space around it.
    pub(super) fn line(&mut self, pointer: &str, text: &str, length_max: usize) -> String {
        let text = text.trim();
        if text.is_empty() {
            self.broken(pointer, "required", "is required".to_owned());
        } else if text.chars().count() > length_max {
            self.broken(pointer, "too_long", format!("must have at most {length_max} characters"));
        }
        self.storable(pointer, text);
        text.to_owned()
    }

    /// The slug, if one is given.
    pub(super) fn slug(&mut self, slug: Option<&str>) -> Option<String> {
        let slug = slug.map(str::trim).filter(|slug| !slug.is_empty())?;
        if !is_slug(slug) {
            let detail = format!(
                "must be lowercase letters and digits with hyphens, dots or underscores between them, at most {SLUG_LENGTH_MAX} bytes"
            );
            self.broken("#/slug", "not_a_slug", detail);
        }
        Some(slug.to_owned())
    }

    /// The description.
    pub(super) fn description(&mut self, description: &str) {
        if description.chars().count() > DESCRIPTION_LENGTH_MAX {
            let detail = format!("must have at most {DESCRIPTION_LENGTH_MAX} characters");
            self.broken("#/description", "too_long", detail);
        }
        self.storable("#/description", description);
    }

    fn storable(&mut self, pointer: &str, text: &str) {
        if text.contains('\0') {
            self.broken(pointer, "nul", "must not hold NUL".to_owned());
        }
    }

    pub(super) fn broken(&mut self, pointer: &str, rule: &'static str, detail: String) {
        self.0.push(Invalid::new(pointer, rule, detail));
    }

    /// The draft, if no rule is broken.
    pub(super) fn finish<T>(self, draft: T) -> Result<T, StoreError> {
        if self.0.is_empty() { Ok(draft) } else { Err(StoreError::Invalid(self.0)) }
    }
}

/// A draft with a merge patch applied.
pub(super) fn patched<T: Serialize + DeserializeOwned>(draft: &T, patch: &Value) -> Result<T, StoreError> {
    let mut document =
        serde_json::to_value(draft).map_err(|error| StoreError::Internal(error.to_string()))?;
    merge_patch::apply(&mut document, patch);
    serde_path_to_error::deserialize(document).map_err(|error| {
        let place = error.path().to_string();
        let pointer = if place == "." { "#".to_owned() } else { format!("#/{}", place.replace('.', "/")) };
        StoreError::invalid(pointer, "malformed", error.inner().to_string())
    })
}

/// Tells "something refers to it" from other failures of a deletion.
pub(super) fn refuse_in_use(deleted: QueryResult<usize>, reason: &'static str) -> Result<(), StoreError> {
    match deleted {
        Ok(_) => Ok(()),
        Err(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {
            Err(StoreError::invalid("#", "in_use", reason))
        }
        Err(error) => Err(error.into()),
    }
}

/// A slug that was asked for has an owner.
pub(super) fn slug_taken() -> StoreError {
    taken("#/slug")
}

/// A code that was asked for has an owner.
pub(super) fn code_taken() -> StoreError {
    taken("#/code")
}

fn taken(pointer: &str) -> StoreError {
    StoreError::Duplicate { pointer: pointer.to_owned(), detail: "belongs to something else".to_owned() }
}

/// Refuses another code than the stored one: what products say would no longer lead here.
pub(super) fn keep_code(stored: &str, wanted: &str) -> Result<(), StoreError> {
    if stored == wanted {
        return Ok(());
    }
    let detail = "cannot be changed: products name it so; make another one and let them name that";
    Err(StoreError::invalid("#/code", "read_only", detail))
}

/// Makes those who make or move brands and categories wait for each other. It is the category tree's own lock, so there
/// is one order only: before products, so a transaction that has locked some asks with [`lock_names_late`].
pub(super) fn lock_names(connection: &mut Connection) -> Result<(), StoreError> {
    Statement::<sql::Bool>::new("SELECT pg_advisory_xact_lock(4202) IS NOT NULL", [])
        .get_result::<bool>(connection)?;
    Ok(())
}

/// The same for a transaction that may have locks of products: it must not wait, since who has the lock may wait for one of
/// these. When somebody has it the change collides, and is made again with this lock first (see [`super::edit::retried`]).
pub(super) fn lock_names_late(connection: &mut Connection) -> Result<(), StoreError> {
    let free = Statement::<sql::Bool>::new("SELECT pg_try_advisory_xact_lock(4202)", [])
        .get_result::<bool>(connection)?;
    if free { Ok(()) } else { Err(StoreError::Collision) }
}
