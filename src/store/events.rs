//! The log of changes, as followers read it.

use diesel::{RunQueryDsl, sql_types as sql};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

/// One committed change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Place in the log: whoever sees it sees all committed smaller ones. Numbers may be missing.
    pub pos: i64,
    /// `edit`, `join` or `leave`.
    pub kind: String,
    /// Tells this event from another one that had the same position before a restore.
    pub nonce: Uuid,
    /// What changed, as [`crate::domain::dependency::Dependency`] numbers; 0 is everything.
    pub deps: Vec<i64>,
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
);
type EventValues = (i64, Option<i64>, Option<String>, Option<Uuid>, Option<Vec<i64>>);

/// Reads events after a position, at most `limit`, with the head of the same snapshot.
pub fn pull(connection: &mut Connection, after: i64, limit: i64) -> Result<Pulled, StoreError> {
    let rows = Statement::<EventRow>::new(
        "SELECT h.head, e.pos, e.kind, e.nonce, e.deps \
           FROM (SELECT coalesce(max(pos), 0) AS head FROM catalog_event WHERE pos IS NOT NULL) h \
           LEFT JOIN (SELECT pos, kind, nonce, deps FROM catalog_event WHERE pos > $1 ORDER BY pos LIMIT $2) e ON true \
          ORDER BY e.pos",
        [Bind::Integer(after), Bind::Integer(limit)],
    )
    .load::<EventValues>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    Ok(Pulled { events: rows.into_iter().filter_map(event).collect(), head })
}

fn event((_, pos, kind, nonce, deps): EventValues) -> Option<Event> {
    Some(Event { pos: pos?, kind: kind?, nonce: nonce?, deps: deps? })
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
        "SELECT 0::bigint, pos, kind, nonce, deps FROM catalog_event WHERE xid = $1::xid8 AND pos IS NOT NULL",
        [Bind::Text(xid)],
    )
    .load::<EventValues>(connection)?;
    Ok(rows.into_iter().find_map(event))
}

/// What tells servers apart that were once one: the cluster's own number, and how often a copy of it was promoted. The
/// last checkpoint knows a promotion only after a while, so the name of the log file is asked first.
const SERVER: [&[&str]; 2] = [
    &["SELECT system_identifier FROM pg_control_system()"],
    &[
        "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint",
        "SELECT timeline_id::bigint FROM pg_control_checkpoint()",
    ],
];

/// Names this catalogue among others that share a cache server. Copies of a database (a restored dump, a clone of a
/// template, a promoted standby) have names of their own; a copy of the files that was not promoted has not.
pub fn catalog_identity(connection: &mut Connection) -> Result<Uuid, StoreError> {
    let mut parts = vec![
        Statement::<sql::Text>::new(
            "SELECT concat_ws(':', i.id, d.oid) FROM catalog_identity i, pg_database d \
              WHERE d.datname = current_database()",
            [],
        )
        .get_result::<String>(connection)?,
    ];
    for ways in SERVER {
        let number = first_readable(connection, ways)?;
        if number.is_none() {
            log::warn!("a copy of this database cannot be told from it: it needs a Redis server of its own");
        }
        parts.push(number.map_or_else(String::new, |number| number.to_string()));
    }
    let digest = <[u8; 32]>::from(Sha256::digest(parts.join(":")));
    let half = digest.first_chunk().ok_or_else(|| StoreError::Internal("a short digest".to_owned()))?;
    Ok(Uuid::from_bytes(*half))
}

/// The answer of the first statement that this user may run on this server.
fn first_readable(connection: &mut Connection, ways: &[&'static str]) -> Result<Option<i64>, StoreError> {
    for way in ways {
        let answer = Statement::<sql::BigInt>::new(*way, []).get_result::<i64>(connection);
        match answer.map_err(StoreError::from) {
            Ok(number) => return Ok(Some(number)),
            // Another time the answer may come: the name must not depend on that.
            Err(error @ (StoreError::Unavailable(_) | StoreError::Timeout | StoreError::Collision)) => {
                return Err(error);
            }
            Err(error) => log::info!("not told by this server: {error}"),
        }
    }
    Ok(None)
}
