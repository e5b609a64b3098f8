//! Pruning: what is old enough is deleted, of the log what every instance has applied and nobody is to go back to, and of the
//! audit log.

use std::time::Duration;

use diesel::{Connection as _, RunQueryDsl, sql_types as sql};

use super::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

/// What of the log is kept, whatever else is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Events younger than this, by the database's clock …
    pub age: Duration,
    /// … but of these not more than so many positions.
    pub positions_max: i64,
    /// So many last positions, however old: what an instance that starts reads.
    pub positions_min: i64,
    /// Events looked at in one transaction.
    pub batch: i64,
}

/// What one call did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pruned {
    /// Rows deleted.
    pub rows: usize,
    /// Whether there may be more to delete at once.
    pub has_more: bool,
}

/// Named beside the others of the migrations; whoever holds it prunes.
const LOCK: &str = "SELECT pg_try_advisory_xact_lock(4205)";

/// Deletes in the order of the log, and only what precedes everything that must stay: clocks may have been set, positions
/// go forward. `$1`: looked at; `$2`, `$3`: least and most positions kept; `$4`: age in milliseconds.
const PRUNE: &str = "\
    WITH bounds AS MATERIALIZED ( \
           SELECT p.pos AS pruned, h.head, \
                  least(h.head - $2, (SELECT min(acked) FROM catalog_member) - 1) AS allowed \
             FROM catalog_pruned p, \
                  (SELECT coalesce(max(pos), 0) AS head FROM catalog_event WHERE pos IS NOT NULL) h), \
         looked AS MATERIALIZED ( \
           SELECT e.pos, e.pos <= b.head - $3 OR e.stamped_at < clock_timestamp() - $4 * interval '1 millisecond' AS is_old \
             FROM bounds b, LATERAL (SELECT pos, stamped_at FROM catalog_event \
                                      WHERE pos > b.pruned AND pos <= b.allowed ORDER BY pos LIMIT $1) e), \
         old AS MATERIALIZED ( \
           SELECT pos FROM looked \
            WHERE pos < coalesce((SELECT min(pos) FROM looked WHERE is_old IS NOT TRUE), 9223372036854775807)), \
         gone AS (DELETE FROM catalog_event WHERE pos = ANY (ARRAY(SELECT pos FROM old)) RETURNING pos), \
         noted AS (UPDATE catalog_pruned SET pos = (SELECT max(pos) FROM old) WHERE EXISTS (SELECT FROM old)) \
    SELECT count(*) FROM gone";

/// What is older goes, from the oldest. `$1`: most; `$2`: age in milliseconds.
const PRUNE_AUDIT_LOG: &str = "\
    WITH gone AS (DELETE FROM audit_entry WHERE id = ANY (ARRAY( \
                    SELECT id FROM audit_entry WHERE at < now() - $2 * interval '1 millisecond' ORDER BY at LIMIT $1)) \
                  RETURNING id) \
    SELECT count(*) FROM gone";

/// Prunes one batch of the log, unless another instance is at it.
///
/// Kept is what a member has yet to apply: whoever is asked for the log after a pruned position starts anew.
///
/// # Errors
/// The database's.
pub fn prune(connection: &mut Connection, keep: Retention) -> Result<Pruned, StoreError> {
    let numbers = [keep.batch, keep.positions_min, keep.positions_max, milliseconds(keep.age)];
    alone(connection, keep.batch, |connection| {
        Ok(Statement::<sql::BigInt>::new(PRUNE, numbers.map(Bind::Integer)).get_result(connection)?)
    })
}

/// Prunes one batch of the audit log, unless another instance is at it: entries older than `age`, by the database's clock.
///
/// # Errors
/// The database's.
pub fn prune_audit_log(connection: &mut Connection, age: Duration, batch: i64) -> Result<Pruned, StoreError> {
    let numbers = [batch, milliseconds(age)];
    alone(connection, batch, |connection| {
        Ok(Statement::<sql::BigInt>::new(PRUNE_AUDIT_LOG, numbers.map(Bind::Integer))
            .get_result(connection)?)
    })
}

fn milliseconds(age: Duration) -> i64 {
    i64::try_from(age.as_millis()).unwrap_or(i64::MAX)
}

/// Does it in a transaction, unless another instance is at it.
fn alone(
    connection: &mut Connection,
    batch: i64,
    prune: impl FnOnce(&mut Connection) -> Result<i64, StoreError>,
) -> Result<Pruned, StoreError> {
    connection.transaction(|connection| {
        if !Statement::<sql::Bool>::new(LOCK, []).get_result::<bool>(connection)? {
            return Ok(Pruned { rows: 0, has_more: false });
        }
        let gone = prune(connection)?;
        Ok(Pruned { rows: usize::try_from(gone).unwrap_or(0), has_more: gone >= batch })
    })
}
