//! Fixtures and questions that the database tests share.

use aisle::{
    domain::{draft::ProductDraft, draft_reader, origin::Origin},
    store::{
        Connection, MissingNames, audit_log::NewEntry, edit, error::StoreError, events::Event, products,
    },
};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types as sql};
use serde_json::Value;
use uuid::Uuid;

/// A draft from JSON.
pub(crate) fn draft(document: &Value) -> ProductDraft {
    draft_reader::read(document).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

/// Runs an edit that must succeed.
pub(crate) fn edit<T>(
    connection: &mut Connection,
    change: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> (T, Option<Event>) {
    edit::transaction(connection, change).unwrap()
}

/// Runs an edit that is tried again when it collides with others.
pub(crate) fn retried<T>(
    connection: &mut Connection,
    change: impl FnMut(&mut Connection) -> Result<T, StoreError>,
) -> Result<(T, Option<Event>), StoreError> {
    let entry = NewEntry { origin: &Origin::command("/v1/admin/tests"), action: "test" };
    edit::retried(connection, entry, change)
}

/// Creates a product; unknown brands and categories are made.
pub(crate) fn create(connection: &mut Connection, document: &Value) -> products::AdminProduct {
    edit(connection, |c| products::create(c, &draft(document), MissingNames::Create)).0
}

/// Runs statements as a user with psql would.
pub(crate) fn psql(connection: &mut Connection, statements: &str) {
    connection.batch_execute(statements).unwrap_or_else(|error| panic!("{statements}: {error}"));
}

/// The only number a query gives, in its column `number`.
pub(crate) fn number(connection: &mut Connection, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql::BigInt)]
        number: i64,
    }
    sql_query(query).get_result::<Row>(connection).unwrap_or_else(|error| panic!("{query}: {error}")).number
}

/// The texts a query gives, in its column `text`.
pub(crate) fn texts(connection: &mut Connection, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql::Text)]
        text: String,
    }
    let rows: Vec<Row> = sql_query(query).load(connection).unwrap_or_else(|error| panic!("{query}: {error}"));
    rows.into_iter().map(|row| row.text).collect()
}

/// The version of a product.
pub(crate) fn version(connection: &mut Connection, id: Uuid) -> i64 {
    number(connection, &format!("SELECT version AS number FROM product WHERE id = '{id}'"))
}

/// How many events the log has.
pub(crate) fn events(connection: &mut Connection) -> i64 {
    number(connection, "SELECT count(*) AS number FROM catalog_event WHERE pos IS NOT NULL")
}

/// The dependencies of the last event.
pub(crate) fn last_deps(connection: &mut Connection) -> Vec<i64> {
    let head = aisle::store::events::head(connection).unwrap();
    let mut pulled = aisle::store::events::pull(connection, head - 1, 1).unwrap();
    pulled.events.pop().expect("an event").deps
}
