//! Edits: one transaction, its entry in the audit log, and the event it wrote.
//!
//! Locks are taken in one order as far as there is one: names and the category tree, then products, then their places in
//! lists (`catalog.lock_tree` in the migrations). Products have no order among themselves in an import, and statements from
//! outside follow none; there the database ends one of those that wait for each other, and that one is tried again.

use diesel::{Connection as _, RunQueryDsl, sql_types as sql};

use super::{
    Connection,
    audit_log::{self, NewEntry},
    error::StoreError,
    events::{self, Event},
    named,
    statement::Statement,
};
use crate::limits::EDIT_ATTEMPTS_MAX;

/// Runs a change in one transaction and gives its event, which the database positions at commit; no event when nothing
/// that a reader could notice changed. Leaves no entry in the audit log: for imports, which are no edits of the admin API.
///
/// An error of the change rolls everything back. An error after that, at the commit or while reading the event, leaves the
/// outcome unknown to the caller, as with any database; the log has the event if the change is in.
pub fn transaction<T>(
    connection: &mut Connection,
    change: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<(T, Option<Event>), StoreError> {
    let committed = commit(connection, None, change)?;
    with_event(connection, committed)
}

/// The same for a change that leaves this entry in the audit log, and can be made anew: one that collides with other edits is
/// undone and tried again, a few times.
pub fn retried<T>(
    connection: &mut Connection,
    entry: NewEntry<'_>,
    mut change: impl FnMut(&mut Connection) -> Result<T, StoreError>,
) -> Result<(T, Option<Event>), StoreError> {
    let mut attempt = 1;
    loop {
        let done = commit(connection, Some(entry), |connection| {
            if attempt > 1 {
                queue(connection)?;
            }
            change(connection)
        });
        match done {
            Err(StoreError::Collision) if attempt < EDIT_ATTEMPTS_MAX => attempt += 1,
            done => return with_event(connection, done?),
        }
    }
}

/// Takes the first of all locks, so that a change that collided does not collide over it again; it holds nothing yet, so
/// nobody waits for it meanwhile. Inside a transaction, before anything else.
pub fn queue(connection: &mut Connection) -> Result<(), StoreError> {
    named::lock_names(connection)
}

/// A value, and the id of the transaction that made it, if it wrote anything.
type Committed<T> = (T, Option<String>);

fn commit<T>(
    connection: &mut Connection,
    entry: Option<NewEntry<'_>>,
    change: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<Committed<T>, StoreError> {
    connection.transaction(|connection| {
        let value = change(connection)?;
        let xid = match entry {
            Some(entry) => audit_log::write(connection, entry)?,
            None => written(connection)?,
        };
        Ok((value, xid))
    })
}

/// The number of the transaction, if it wrote anything.
fn written(connection: &mut Connection) -> Result<Option<String>, StoreError> {
    let xid = Statement::<sql::Nullable<sql::Text>>::new("SELECT pg_current_xact_id_if_assigned()::text", []);
    Ok(xid.get_result::<Option<String>>(connection)?)
}

fn with_event<T>(
    connection: &mut Connection,
    (value, xid): Committed<T>,
) -> Result<(T, Option<Event>), StoreError> {
    let event = match xid {
        Some(xid) => events::of_transaction(connection, &xid)?,
        None => None,
    };
    Ok((value, event))
}

/// Runs a part of a change so that its failure undoes that part alone. Inside a transaction.
pub fn savepoint<T>(
    connection: &mut Connection,
    part: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.transaction(part)
}
