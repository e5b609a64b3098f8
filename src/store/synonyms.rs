//! Sets of synonyms as editors see and change them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Connection, Precondition,
    error::StoreError,
    named::{self, Rules},
    schema,
};
use crate::{
    domain::synonyms::normalised,
    limits::{SYNONYM_LENGTH_MAX, SYNONYM_WORDS_MAX, SYNONYM_WORDS_MIN},
};

/// What an editor submits for a set of synonyms.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SynonymSetDraft {
    /// Words, or a few words each, that are looked for together: 2 to 20 of at most 100 characters. They are kept in lower
    /// case with single spaces, each once. Required.
    #[schema(max_items = 20)]
    pub words: Vec<String>,
}

/// A set of synonyms as the admin API answers it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminSynonymSet {
    /// Identity.
    pub id: Uuid,
    /// Version; the number in the `ETag` (`"v42"`).
    pub version: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// What can be edited.
    #[serde(flatten)]
    pub draft: SynonymSetDraft,
}

/// A set's row.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = schema::synonym_set, check_for_backend(diesel::pg::Pg))]
struct Record {
    id: Uuid,
    version: i64,
    words: Vec<Option<String>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl From<Record> for AdminSynonymSet {
    fn from(record: Record) -> Self {
        let Record { id, version, words, created_at, updated_at } = record;
        let draft = SynonymSetDraft { words: words.into_iter().flatten().collect() };
        Self { id, version, created_at, updated_at, draft }
    }
}

/// Reads one.
pub fn get(connection: &mut Connection, id: Uuid) -> Result<AdminSynonymSet, StoreError> {
    let record: Record = schema::synonym_set::table.find(id).select(Record::as_select()).first(connection)?;
    Ok(record.into())
}

/// Reads all, by their words.
pub fn list(connection: &mut Connection) -> Result<Vec<AdminSynonymSet>, StoreError> {
    use schema::synonym_set::dsl;
    let records: Vec<Record> =
        dsl::synonym_set.order((dsl::words, dsl::id)).select(Record::as_select()).load(connection)?;
    Ok(records.into_iter().map(AdminSynonymSet::from).collect())
}

/// Creates one. Inside a transaction.
pub fn create(connection: &mut Connection, draft: &SynonymSetDraft) -> Result<AdminSynonymSet, StoreError> {
    use schema::synonym_set::dsl;
    let draft = checked(draft)?;
    let id = Uuid::now_v7();
    diesel::insert_into(dsl::synonym_set)
        .values((dsl::id.eq(id), dsl::words.eq(stored_words(&draft))))
        .execute(connection)?;
    get(connection, id)
}

/// Replaces one by the draft. Inside a transaction.
pub fn replace(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    draft: &SynonymSetDraft,
) -> Result<AdminSynonymSet, StoreError> {
    let stored = lock(connection, id, precondition)?;
    write(connection, stored, draft)
}

/// Applies a JSON Merge Patch (RFC 7396). Inside a transaction.
pub fn patch(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<AdminSynonymSet, StoreError> {
    let stored = lock(connection, id, precondition)?;
    let draft = named::patched(&stored.draft, patch)?;
    write(connection, stored, &draft)
}

/// Deletes one. Inside a transaction.
pub fn delete(connection: &mut Connection, id: Uuid, precondition: Precondition) -> Result<(), StoreError> {
    lock(connection, id, precondition)?;
    diesel::delete(schema::synonym_set::table.find(id)).execute(connection)?;
    Ok(())
}

fn lock(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
) -> Result<AdminSynonymSet, StoreError> {
    let record: Record = schema::synonym_set::table
        .find(id)
        .select(Record::as_select())
        .for_no_key_update()
        .first(connection)?;
    precondition.check(record.version)?;
    Ok(record.into())
}

fn write(
    connection: &mut Connection,
    stored: AdminSynonymSet,
    draft: &SynonymSetDraft,
) -> Result<AdminSynonymSet, StoreError> {
    use schema::synonym_set::dsl;
    let wanted = checked(draft)?;
    if wanted == stored.draft {
        return Ok(stored);
    }
    diesel::update(dsl::synonym_set.find(stored.id))
        .set(dsl::words.eq(stored_words(&wanted)))
        .execute(connection)?;
    get(connection, stored.id)
}

/// The array's type lets its items be null; none is.
fn stored_words(draft: &SynonymSetDraft) -> Vec<Option<&str>> {
    draft.words.iter().map(|word| Some(word.as_str())).collect()
}

fn checked(draft: &SynonymSetDraft) -> Result<SynonymSetDraft, StoreError> {
    let mut rules = Rules::default();
    let words = normalised(draft.words.iter().map(String::as_str));
    if draft.words.len() > SYNONYM_WORDS_MAX {
        rules.broken("#/words", "too_many", format!("must be at most {SYNONYM_WORDS_MAX} words"));
    } else {
        for (index, word) in draft.words.iter().enumerate() {
            rules.line(&format!("#/words/{index}"), word, SYNONYM_LENGTH_MAX);
        }
        if words.len() < SYNONYM_WORDS_MIN {
            let detail = format!("must be at least {SYNONYM_WORDS_MIN} different words");
            rules.broken("#/words", "too_few", detail);
        }
    }
    rules.finish(SynonymSetDraft { words })
}
