//! The audit log: who edited what, and when.
//!
//! An entry is written by the statement that ends the transaction of an edit: it costs no round trip, and is there exactly if
//! the edit is. It says where the edit came from and what it is called, not what it changed, and never holds a secret.

use chrono::{DateTime, Utc};
use diesel::{RunQueryDsl, sql_types as sql};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};
use crate::domain::{
    list::{Place, SortKey},
    origin::Origin,
};

/// What an edit leaves in the audit log.
#[derive(Debug, Clone, Copy)]
pub struct NewEntry<'a> {
    /// Where the edit comes from.
    pub origin: &'a Origin,
    /// What it is called, e.g. `create_product`.
    pub action: &'static str,
}

/// A committed edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AuditEntry {
    /// Identity of the entry.
    pub id: Uuid,
    /// When the edit was made, by the database's clock.
    pub at: DateTime<Utc>,
    /// Name of the token as it was then; without a `token_id`, `settings` for the token of the settings and `command` for
    /// `aisle token`.
    #[schema(example = "storefront build")]
    pub actor: String,
    /// The token, if it is a stored one.
    pub token_id: Option<Uuid>,
    /// What was done.
    #[schema(example = "patch_product")]
    pub action: String,
    /// Method of the request; absent for a command.
    #[schema(example = "PATCH")]
    pub method: Option<String>,
    /// What was edited, as a path of the admin API.
    #[schema(example = "/v1/admin/products/01900000-0000-7000-8000-000000000001")]
    pub path: String,
    /// Id of the request, as its answer carried it; absent for a command.
    pub request_id: Option<String>,
    /// Address that the request came from; absent for a command.
    #[schema(example = "203.0.113.7")]
    pub address: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// Newest first.
    pub items: Vec<AuditEntry>,
    /// Place after which the next page starts, if there is one.
    pub next: Option<Place>,
}

type RowSql = (
    sql::Uuid,
    sql::Timestamptz,
    sql::Nullable<sql::Uuid>,
    sql::Text,
    sql::Text,
    sql::Nullable<sql::Text>,
    sql::Text,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Text>,
);
type RowValues = (
    Uuid,
    DateTime<Utc>,
    Option<Uuid>,
    String,
    String,
    Option<String>,
    String,
    Option<String>,
    Option<String>,
);

/// Asks for the number of the transaction before the entry itself would give it one: an edit that wrote nothing leaves nothing.
const WRITE: &str = "\
    WITH written AS MATERIALIZED (SELECT pg_current_xact_id_if_assigned() AS xid), \
         entry AS (INSERT INTO audit_entry (id, token_id, actor, action, method, path, request_id, address, xid) \
                   SELECT $1, $2, $3, $4, $5, $6, $7, $8, xid FROM written WHERE xid IS NOT NULL) \
    SELECT xid::text FROM written";

/// Writes the entry of the transaction, if that wrote anything, and gives its number. The last statement before the commit.
pub(super) fn write(connection: &mut Connection, entry: NewEntry<'_>) -> Result<Option<String>, StoreError> {
    let NewEntry { origin, action } = entry;
    let request = origin.request.as_ref();
    let binds = [
        Bind::Id(Uuid::now_v7()),
        Bind::OptionalId(origin.token_id),
        Bind::Text(&origin.actor),
        Bind::Text(action),
        Bind::OptionalText(request.map(|request| request.method.as_str())),
        Bind::Text(&origin.path),
        Bind::OptionalText(request.map(|request| request.id.as_str())),
        Bind::OptionalText(request.and_then(|request| request.address.as_deref())),
    ];
    let written = Statement::<sql::Nullable<sql::Text>>::new(WRITE, binds);
    Ok(written.get_result::<Option<String>>(connection)?)
}

/// Reads a page of entries, of one path if one is given, after a place.
pub fn page(
    connection: &mut Connection,
    path: Option<&str>,
    after: Option<&Place>,
    limit: u16,
) -> Result<AuditPage, StoreError> {
    let limit = usize::from(limit.max(1));
    let mut binds = vec![Bind::Integer(i64::try_from(limit + 1).unwrap_or(i64::MAX))];
    let of_path = path.map_or("true", |path| {
        binds.push(Bind::Text(path));
        "hashtextextended(path, 0) = hashtextextended($2, 0) AND path = $2"
    });
    let beyond = match after {
        Some(place) => {
            binds.extend([Bind::Instant(time_of(place)?), Bind::Id(place.id)]);
            format!("(at, id) < (${}, ${})", binds.len() - 1, binds.len())
        }
        None => "true".to_owned(),
    };
    let text = format!(
        "SELECT id, at, token_id, actor, action, method, path, request_id, address FROM audit_entry \
          WHERE {of_path} AND {beyond} ORDER BY at DESC, id DESC LIMIT $1"
    );
    let rows = Statement::<RowSql>::new(text, binds).load::<RowValues>(connection)?;
    let mut items: Vec<AuditEntry> = rows.into_iter().map(entry).collect();
    let has_next = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| has_next).map(place_of);
    Ok(AuditPage { items, next })
}

fn entry(row: RowValues) -> AuditEntry {
    let (id, at, token_id, actor, action, method, path, request_id, address) = row;
    AuditEntry { id, at, actor, token_id, action, method, path, request_id, address }
}

fn place_of(entry: &AuditEntry) -> Place {
    Place { key: SortKey::Time(entry.at.timestamp_micros()), id: entry.id }
}

fn time_of(place: &Place) -> Result<DateTime<Utc>, StoreError> {
    let time = match place.key {
        SortKey::Time(time_us) => DateTime::from_timestamp_micros(time_us),
        SortKey::Amount(_) | SortKey::Title(_) | SortKey::Position(..) | SortKey::Score(..) => None,
    };
    time.ok_or_else(|| StoreError::invalid("#", "out_of_range", "a place that no entry can have"))
}
