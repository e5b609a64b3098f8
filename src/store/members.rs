//! The members: instances that hold leases. Joining, renewing with the log in one statement, ejecting by comparison.

use std::time::Duration;

use diesel::{Connection as _, RunQueryDsl, connection::SimpleConnection, sql_types as sql};
use serde::Deserialize;
use uuid::Uuid;

use super::{
    Connection,
    error::StoreError,
    events::Event,
    statement::{Bind, Statement},
};
use crate::limits::SYNC_TIMEOUT;

/// The era that was joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Joined {
    /// Its name.
    pub era: Uuid,
    /// How long ago it began; absent for the first, which began with the catalogue.
    pub age: Option<Duration>,
}

/// A member as the table shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MemberRow {
    /// Its incarnation.
    pub id: Uuid,
    /// Where it can be reached.
    pub url: String,
    /// It has applied the log up to here.
    pub acked: i64,
    /// Counts its renewals.
    pub renew_seq: i64,
    /// Length of its lease in milliseconds.
    pub lease_ms: u64,
}

/// What a renewal answers, all of one snapshot.
#[derive(Debug, Clone)]
pub struct RenewalRow {
    /// Whether the member's row is there.
    pub is_member: bool,
    /// The era; absent when it has no name yet.
    pub era: Option<Uuid>,
    /// Nonce of the event at the position asked from.
    pub nonce: Option<Uuid>,
    /// The last position.
    pub head: i64,
    /// Events after the position asked from, in order.
    pub events: Vec<Event>,
    /// The members.
    pub members: Vec<MemberRow>,
    /// The database's clock, in microseconds since 1970.
    pub time_us: i64,
}

/// Makes a member row. The era is named first, should it have no name yet. Returns once both are durable.
pub fn join(connection: &mut Connection, id: Uuid, url: &str, lease: Duration) -> Result<Joined, StoreError> {
    connection.transaction(|connection| {
        // Two statements: one does not see what a function has changed in it.
        let era = Statement::<sql::Nullable<sql::Uuid>>::new("SELECT catalog.enter_era()", [])
            .get_result::<Option<Uuid>>(connection)?
            .ok_or_else(|| StoreError::Internal("the database is in no era".to_owned()))?;
        let age_ms = Statement::<sql::Nullable<sql::BigInt>>::new(
            "SELECT CASE WHEN isfinite(since) \
               THEN (extract(epoch FROM clock_timestamp() - since) * 1000)::bigint END \
               FROM catalog_era",
            [],
        )
        .get_result::<Option<i64>>(connection)?;
        let lease_ms = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        Statement::<()>::new(
            "INSERT INTO catalog_member (id, url, lease_ms) VALUES ($1, $2, $3::integer)",
            [Bind::Id(id), Bind::Text(url), Bind::Integer(lease_ms)],
        )
        .execute(connection)?;
        let age = age_ms.map(|age| Duration::from_millis(u64::try_from(age).unwrap_or(0)));
        Ok(Joined { era, age })
    })
}

type RenewalSql = (
    sql::Bool,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::Uuid>,
    sql::BigInt,
    sql::Text,
    sql::Text,
    sql::BigInt,
);
type RenewalValues = (bool, Option<Uuid>, Option<Uuid>, i64, String, String, i64);

/// One statement, hence one snapshot. No volatile function may read tables in it: that would see a newer one.
const RENEW: &str = "\
    WITH me AS (UPDATE catalog_member SET renew_seq = renew_seq + 1, acked = greatest(acked, $2) \
                 WHERE id = $1 RETURNING renew_seq), \
         ev AS (SELECT pos, kind, nonce, deps, joined, departed, stamped_at FROM catalog_event \
                 WHERE pos > $2 ORDER BY pos LIMIT $3) \
    SELECT EXISTS (SELECT FROM me), \
           catalog.era(), \
           (SELECT nonce FROM catalog_event WHERE pos = $2), \
           (SELECT coalesce(max(pos), 0) FROM catalog_event WHERE pos IS NOT NULL), \
           (SELECT coalesce(json_agg(json_build_object('pos', pos, 'kind', kind, 'nonce', nonce, 'deps', deps, \
                     'joined', joined, 'departed', departed, \
                     'committed_us', coalesce((extract(epoch FROM stamped_at) * 1000000)::bigint, 0)) ORDER BY pos), \
                   '[]')::text FROM ev), \
           (SELECT coalesce(json_agg(json_build_object('id', id, 'url', url, 'acked', acked, 'renew_seq', renew_seq, \
                     'lease_ms', lease_ms)), '[]')::text FROM catalog_member), \
           (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Renews a member that has applied the log up to `applied`, and reads on from there, at most `limit` events.
pub fn renew(
    connection: &mut Connection,
    id: Uuid,
    applied: i64,
    limit: i64,
) -> Result<RenewalRow, StoreError> {
    let binds = [Bind::Id(id), Bind::Integer(applied), Bind::Integer(limit)];
    let (is_member, era, nonce, head, events, members, time_us) =
        Statement::<RenewalSql>::new(RENEW, binds).get_result::<RenewalValues>(connection)?;
    let unreadable = |error: serde_json::Error| StoreError::Internal(format!("renewal unreadable: {error}"));
    Ok(RenewalRow {
        is_member,
        era,
        nonce,
        head,
        events: serde_json::from_str(&events).map_err(unreadable)?,
        members: serde_json::from_str(&members).map_err(unreadable)?,
        time_us,
    })
}

/// Notes that a member has applied the log up to `applied`, for those whom no message reaches.
pub fn acknowledge(connection: &mut Connection, id: Uuid, applied: i64) -> Result<(), StoreError> {
    Statement::<()>::new(
        "UPDATE catalog_member SET acked = $2 WHERE id = $1 AND acked < $2",
        [Bind::Id(id), Bind::Integer(applied)],
    )
    .execute(connection)?;
    Ok(())
}

/// Removes a member, unless it has renewed since it was seen at `renewals`. Whether it was removed: not either when it would
/// have to wait longer than `patience` for other commits, for whoever ejects has a lease of its own to renew.
pub fn eject(
    connection: &mut Connection,
    id: Uuid,
    renewals: i64,
    patience: Duration,
) -> Result<bool, StoreError> {
    let milliseconds = patience.as_millis().max(1);
    let ejected = connection.transaction(|connection| {
        connection.batch_execute(&format!("SET LOCAL lock_timeout = {milliseconds}"))?;
        let delete = Statement::<()>::new(
            "DELETE FROM catalog_member WHERE id = $1 AND renew_seq = $2",
            [Bind::Id(id), Bind::Integer(renewals)],
        );
        Ok(delete.execute(connection)? > 0)
    });
    match ejected {
        Err(StoreError::Timeout) => Ok(false),
        ejected => ejected,
    }
}

/// Removes this member's own row. It must not answer from its caches any more.
pub fn leave(connection: &mut Connection, id: Uuid) -> Result<(), StoreError> {
    Statement::<()>::new("DELETE FROM catalog_member WHERE id = $1", [Bind::Id(id)]).execute(connection)?;
    Ok(())
}

/// Gives an era another name whose history turned out to be lost in part. Nothing when somebody else did.
pub fn end_era(connection: &mut Connection, era: Uuid) -> Result<(), StoreError> {
    Statement::<()>::new(
        "UPDATE catalog_era SET id = gen_random_uuid(), since = clock_timestamp() WHERE id = $1",
        [Bind::Id(era)],
    )
    .execute(connection)?;
    Ok(())
}

/// Waits until every member has seen everything that was committed before, or has lost its lease. Gives that position.
/// Not inside of a transaction.
pub fn sync(connection: &mut Connection) -> Result<i64, StoreError> {
    let milliseconds = SYNC_TIMEOUT.as_millis();
    connection.batch_execute(&format!("SET statement_timeout = {milliseconds}"))?;
    Ok(Statement::<sql::BigInt>::new("SELECT catalog.sync()", []).get_result(connection)?)
}

/// The members, oldest first.
pub fn list(connection: &mut Connection) -> Result<Vec<MemberRow>, StoreError> {
    type Row = (sql::Uuid, sql::Text, sql::BigInt, sql::BigInt, sql::BigInt);
    let rows = Statement::<Row>::new(
        "SELECT id, url, acked, renew_seq, lease_ms::bigint FROM catalog_member ORDER BY joined_at, id",
        [],
    )
    .load::<(Uuid, String, i64, i64, i64)>(connection)?;
    let member = |(id, url, acked, renew_seq, lease_ms): (Uuid, String, i64, i64, i64)| MemberRow {
        id,
        url,
        acked,
        renew_seq,
        lease_ms: u64::try_from(lease_ms).unwrap_or(0),
    };
    Ok(rows.into_iter().map(member).collect())
}
