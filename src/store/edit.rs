//! Edits: one transaction, and the event it wrote.

use diesel::{Connection as _, RunQueryDsl, sql_types as sql};

use super::{
    Connection,
    error::StoreError,
    events::{self, Event},
    statement::Statement,
};

/// Runs a change in one transaction and gives its event, which the database positions at commit; no event when nothing
/// that a reader could notice changed.
///
/// An error of the change rolls everything back. An error after that, at the commit or while reading the event, leaves the
/// outcome unknown to the caller, as with any database; the log has the event if the change is in.
pub fn transaction<T>(
    connection: &mut Connection,
    change: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> Result<(T, Option<Event>), StoreError> {
    let (value, xid) = connection.transaction(|connection| {
        let value = change(connection)?;
        let xid =
            Statement::<sql::Nullable<sql::Text>>::new("SELECT pg_current_xact_id_if_assigned()::text", [])
                .get_result::<Option<String>>(connection)?;
        Ok::<_, StoreError>((value, xid))
    })?;
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
