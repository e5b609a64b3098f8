//! Admin tokens: stored as SHA-256 of the secret, shown once.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Connection, error::StoreError, schema};

/// What a token may do. Each scope includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read the catalogue.
    Read,
    /// Read and edit the catalogue.
    Write,
    /// Also make, list and revoke tokens, and read the audit log.
    Manage,
}

impl Scope {
    /// All scopes, from the least.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Manage];

    /// Its name, as documents and the database have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Manage => "manage",
        }
    }

    /// The scope of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// A token without its secret.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Token {
    /// Identity.
    pub id: Uuid,
    /// Label given by its maker.
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working, if ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it was used last, up to a minute and a little behind.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Length of a token's secret hash.
pub type SecretHash = [u8; 32];

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = schema::api_token, check_for_backend(diesel::pg::Pg))]
struct Record {
    id: Uuid,
    name: String,
    scope: String,
    manages: bool,
    hash: Vec<u8>,
    created_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl From<Record> for Token {
    fn from(record: Record) -> Self {
        // The database allows only these; anything else would get the least right.
        let scope = match (record.scope.as_str(), record.manages) {
            ("write", true) => Scope::Manage,
            ("write", false) => Scope::Write,
            _ => Scope::Read,
        };
        let Record { id, name, created_at, expires_at, revoked_at, last_used_at, .. } = record;
        Self { id, name, scope, created_at, expires_at, revoked_at, last_used_at }
    }
}

/// Stores a new token.
pub fn create(
    connection: &mut Connection,
    name: &str,
    scope: Scope,
    hash: &SecretHash,
    expires_at: Option<DateTime<Utc>>,
) -> Result<Token, StoreError> {
    use schema::api_token::dsl;
    let record: Record = diesel::insert_into(dsl::api_token)
        .values((
            dsl::id.eq(Uuid::now_v7()),
            dsl::name.eq(name),
            dsl::scope.eq(scope.min(Scope::Write).name()),
            dsl::manages.eq(scope == Scope::Manage),
            dsl::hash.eq(hash.as_slice()),
            dsl::expires_at.eq(expires_at),
        ))
        .returning(Record::as_returning())
        .get_result(connection)?;
    Ok(record.into())
}

/// All tokens, newest first.
pub fn list(connection: &mut Connection) -> Result<Vec<Token>, StoreError> {
    use schema::api_token::dsl;
    let records: Vec<Record> = dsl::api_token
        .order((dsl::created_at.desc(), dsl::id.desc()))
        .select(Record::as_select())
        .load(connection)?;
    Ok(records.into_iter().map(Token::from).collect())
}

/// Revokes a token; one that was revoked before keeps its time.
pub fn revoke(connection: &mut Connection, id: Uuid) -> Result<Token, StoreError> {
    use schema::api_token::dsl;
    diesel::update(dsl::api_token.find(id).filter(dsl::revoked_at.is_null()))
        .set(dsl::revoked_at.eq(diesel::dsl::now))
        .execute(connection)?;
    let record: Record = dsl::api_token.find(id).select(Record::as_select()).first(connection)?;
    Ok(record.into())
}

/// Notes that a token is used now. No event and no entry of the audit log: nothing is edited.
pub fn note_use(connection: &mut Connection, id: Uuid) -> Result<(), StoreError> {
    use schema::api_token::dsl;
    diesel::update(dsl::api_token.find(id))
        .set(dsl::last_used_at.eq(diesel::dsl::now))
        .execute(connection)?;
    Ok(())
}

/// The working token with this id and its stored hash, to be compared in constant time by the caller;
/// `None` when unknown, expired or revoked.
pub fn find(connection: &mut Connection, id: Uuid) -> Result<Option<(Token, SecretHash)>, StoreError> {
    use schema::api_token::dsl;
    let record: Option<Record> = dsl::api_token
        .find(id)
        .filter(dsl::revoked_at.is_null())
        .filter(dsl::expires_at.is_null().or(dsl::expires_at.gt(diesel::dsl::now)))
        .select(Record::as_select())
        .first(connection)
        .optional()?;
    let Some(record) = record else { return Ok(None) };
    let hash = SecretHash::try_from(record.hash.as_slice())
        .map_err(|error| StoreError::Internal(format!("token hash: {error}")))?;
    Ok(Some((record.into(), hash)))
}
