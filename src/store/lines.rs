//! Which line of a file had which key: an import's memory of what it has done, for as long as its session lasts.
//!
//! It lies in a temporary table, so that an import needs no more memory for a long file than for a short one.

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_types as sql};
use uuid::Uuid;

use super::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

/// Begins anew, without any line.
///
/// # Errors
/// The database's.
pub fn begin(connection: &mut Connection) -> Result<(), StoreError> {
    connection.batch_execute(
        "SET client_min_messages = warning; DROP TABLE IF EXISTS pg_temp.import_line; RESET client_min_messages; \
         CREATE TEMPORARY TABLE import_line (key uuid PRIMARY KEY, line bigint NOT NULL)",
    )?;
    Ok(())
}

/// Lines of those keys that have one.
///
/// # Errors
/// The database's.
pub fn find(connection: &mut Connection, keys: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
    let found = Statement::<(sql::Uuid, sql::BigInt)>::new(
        "SELECT key, line FROM pg_temp.import_line WHERE key = ANY ($1)",
        [Bind::Ids(keys)],
    )
    .load::<(Uuid, i64)>(connection)?;
    Ok(found.into_iter().map(|(key, line)| (key, u64::try_from(line).unwrap_or_default())).collect())
}

/// Adds keys with their lines.
///
/// # Errors
/// The database's.
pub fn add(connection: &mut Connection, keys: &[Uuid], lines: &[u64]) -> Result<(), StoreError> {
    let lines: Vec<i64> = lines.iter().map(|line| i64::try_from(*line).unwrap_or(i64::MAX)).collect();
    Statement::<sql::Bool>::new(
        "INSERT INTO pg_temp.import_line SELECT key, line FROM unnest($1, $2) AS n (key, line) ON CONFLICT DO NOTHING",
        [Bind::Ids(keys), Bind::Integers(&lines)],
    )
    .execute(connection)?;
    Ok(())
}
