//! The log of changes, as followers read it.

use diesel::{RunQueryDsl, sql_types as sql};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

/// One committed change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Event {
    /// Place in the log: whoever sees it sees all committed smaller ones. Numbers may be missing.
    pub pos: i64,
    /// `edit`, `join` or `leave`.
    pub kind: String,
    /// Tells this event from another one that had the same position before a restore.
    pub nonce: Uuid,
    /// What changed, as [`crate::domain::dependency::Dependency`] numbers; 0 is everything.
    pub deps: Vec<i64>,
    /// Members that joined with it.
    pub joined: Vec<Uuid>,
    /// Members that left with it.
    pub departed: Vec<Uuid>,
    /// When it got its position, just before its commit, by the database's clock in microseconds since 1970.
    pub committed_us: i64,
}

/// Part of the log, read in one snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// Events by position. When there are as many as asked for, there may be more.
    pub events: Vec<Event>,
    /// The last position of the log in the same snapshot.
    pub head: i64,
}

type EventRow = (
    sql::BigInt,
    sql::Nullable<sql::BigInt>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::Array<sql::BigInt>>,
    sql::Nullable<sql::Array<sql::Uuid>>,
    sql::Nullable<sql::Array<sql::Uuid>>,
    sql::Nullable<sql::BigInt>,
);
type EventValues = (
    i64,
    Option<i64>,
    Option<String>,
    Option<Uuid>,
    Option<Vec<i64>>,
    Option<Vec<Uuid>>,
    Option<Vec<Uuid>>,
    Option<i64>,
);

/// What followers read of an event.
const COLUMNS: &str = "pos, kind, nonce, deps, joined, departed, \
    coalesce((extract(epoch FROM stamped_at) * 1000000)::bigint, 0) AS committed_us";

/// Reads events after a position, at most `limit`, with the head of the same snapshot.
pub fn pull(connection: &mut Connection, after: i64, limit: i64) -> Result<Pulled, StoreError> {
    let rows = Statement::<EventRow>::new(
        format!(
            "SELECT h.head, e.* \
               FROM (SELECT coalesce(max(pos), 0) AS head FROM catalog_event WHERE pos IS NOT NULL) h \
               LEFT JOIN (SELECT {COLUMNS} FROM catalog_event WHERE pos > $1 ORDER BY pos LIMIT $2) e ON true \
              ORDER BY e.pos"
        ),
        [Bind::Integer(after), Bind::Integer(limit)],
    )
    .load::<EventValues>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    Ok(Pulled { events: rows.into_iter().filter_map(event).collect(), head })
}

fn event((_, pos, kind, nonce, deps, joined, departed, committed_us): EventValues) -> Option<Event> {
    Some(Event {
        pos: pos?,
        kind: kind?,
        nonce: nonce?,
        deps: deps?,
        joined: joined?,
        departed: departed?,
        committed_us: committed_us?,
    })
}

/// The last position of the log; 0 while it is empty.
pub fn head(connection: &mut Connection) -> Result<i64, StoreError> {
    let head = Statement::<sql::BigInt>::new(
        "SELECT coalesce(max(pos), 0) FROM catalog_event WHERE pos IS NOT NULL",
        [],
    );
    Ok(head.get_result(connection)?)
}

/// The event that a transaction wrote, if it changed anything.
pub(super) fn of_transaction(connection: &mut Connection, xid: &str) -> Result<Option<Event>, StoreError> {
    let rows = Statement::<EventRow>::new(
        format!("SELECT 0::bigint, {COLUMNS} FROM catalog_event WHERE xid = $1::xid8 AND pos IS NOT NULL"),
        [Bind::Text(xid)],
    )
    .load::<EventValues>(connection)?;
    Ok(rows.into_iter().find_map(event))
}

/// Names this catalogue among others that share a cache server. Copies of a database (a restored dump, a clone of a
/// template) have names of their own; copies of the files have not, but another era once they are promoted.
pub fn catalog_identity(connection: &mut Connection) -> Result<Uuid, StoreError> {
    let database = Statement::<sql::Text>::new(
        "SELECT concat_ws(':', i.id, d.oid) FROM catalog_identity i, pg_database d \
          WHERE d.datname = current_database()",
        [],
    )
    .get_result::<String>(connection)?;
    let digest = <[u8; 32]>::from(Sha256::digest(format!("{database}:{}", server(connection)?)));
    let half = digest.first_chunk().ok_or_else(|| StoreError::Internal("a short digest".to_owned()))?;
    Ok(Uuid::from_bytes(*half))
}

/// The cluster's own number; nothing where this user may not ask.
fn server(connection: &mut Connection) -> Result<String, StoreError> {
    let number = Statement::<sql::Text>::new("SELECT system_identifier::text FROM pg_control_system()", []);
    match number.get_result::<String>(connection).map_err(StoreError::from) {
        Ok(number) => Ok(number),
        // Another time the answer may come: the name must not depend on that.
        Err(error @ (StoreError::Unavailable(_) | StoreError::Timeout | StoreError::Collision)) => Err(error),
        Err(error) => {
            log::warn!(
                "a copy of this database on another server needs a Redis server of its own reason={error}"
            );
            Ok(String::new())
        }
    }
}
