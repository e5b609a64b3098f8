//! Edits by a direct connection to Postgres: what an edit through the API is compared with.

use std::time::{Duration, Instant};

use aisle::store::{Connection, Precondition, edit, error::StoreError, products};
use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, connection::SimpleConnection};
use uuid::Uuid;

use crate::{client::title_patch, outcome::Outcome, servers::Catalogue};

diesel::table! {
    product (id) {
        id -> Uuid,
        title -> Text,
    }
}

/// A connection whose commits ring no doorbell: what instances do after an edit is not part of the comparison.
pub(crate) fn muted(catalogue: &Catalogue) -> Outcome<Connection> {
    let mut connection = catalogue.connect()?;
    connection.batch_execute("SET aisle.doorbell = 'off'")?;
    Ok(connection)
}

/// The smallest durable commit there is: one flush.
pub(crate) fn flush(connection: &mut Connection) -> Outcome<Duration> {
    timed(|| Ok(connection.batch_execute("SELECT pg_logical_emit_message(true, 'bench', '')")?))
}

/// One statement and its event: BEGIN, UPDATE, the transaction's number, COMMIT with all triggers, read the event back.
pub(crate) fn bare(connection: &mut Connection, id: Uuid, title: &str) -> Outcome<Duration> {
    timed(|| {
        let (changed, event) = edit::transaction(connection, |connection| update(connection, id, title))?;
        if changed != 1 || event.is_none() {
            return Err("an edit that changed nothing".into());
        }
        Ok(())
    })
}

/// The very statements of the API's edit: lock and load the product, write the difference, load it again.
pub(crate) fn same(connection: &mut Connection, id: Uuid, title: &str) -> Outcome<Duration> {
    let patch = title_patch(title);
    timed(|| {
        let patched = edit::transaction(connection, |connection| {
            products::patch(connection, id, Precondition::Exists, &patch)
        });
        patched?.1.ok_or("an edit that changed nothing")?;
        Ok(())
    })
}

/// What somebody types into psql: one statement that commits by itself.
pub(crate) fn plain(connection: &mut Connection, id: Uuid, title: &str) -> Outcome<Instant> {
    if update(connection, id, title)? == 1 { Ok(Instant::now()) } else { Err("no such product".into()) }
}

fn update(connection: &mut Connection, id: Uuid, title: &str) -> Result<usize, StoreError> {
    Ok(diesel::update(product::table.find(id)).set(product::title.eq(title)).execute(connection)?)
}

fn timed(work: impl FnOnce() -> Outcome<()>) -> Outcome<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}
