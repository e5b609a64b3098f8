//! Hand-written SQL that stays prepared.
//!
//! Diesel caches prepared statements for its typed queries only: `sql_query` is parsed and planned anew each time, which
//! costs more than the hot reads themselves. [`Statement`] is a query fragment of fixed text with numbered places; the
//! connection prepares each text once. It checks nothing at compile time: the row type is a promise, held by tests.

use std::{borrow::Cow, fmt, marker::PhantomData};

use chrono::{DateTime, Utc};
use diesel::{
    QueryResult, RunQueryDsl,
    pg::{Pg, PgConnection},
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sql_types,
};
use serde_json::Value;
use uuid::Uuid;

/// A value sent beside the text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bind<'a> {
    /// `uuid`
    Id(Uuid),
    /// `uuid`, or null
    OptionalId(Option<Uuid>),
    /// `uuid[]`
    Ids(&'a [Uuid]),
    /// `text`
    Text(&'a str),
    /// `text`, or null
    OptionalText(Option<&'a str>),
    /// `text[]`
    Texts(&'a [String]),
    /// `bigint`
    Integer(i64),
    /// `bigint[]`
    Integers(&'a [i64]),
    /// `timestamptz`
    Instant(DateTime<Utc>),
    /// `jsonb`
    Json(&'a Value),
}

/// SQL text in which `$1`, `$2`, … stand for the binds; a place may be used more than once. `Row` is the SQL type of a row.
pub(super) struct Statement<'a, Row> {
    text: Cow<'static, str>,
    binds: Vec<Bind<'a>>,
    row: PhantomData<fn() -> Row>,
}

impl<'a, Row> Statement<'a, Row> {
    /// Makes one. The text must not hold a `$` for anything but places.
    pub(super) fn new(text: impl Into<Cow<'static, str>>, binds: impl Into<Vec<Bind<'a>>>) -> Self {
        Self { text: text.into(), binds: binds.into(), row: PhantomData }
    }
}

impl<Row> fmt::Debug for Statement<'_, Row> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement").field("text", &self.text).finish_non_exhaustive()
    }
}

impl<Row> QueryId for Statement<'_, Row> {
    type QueryId = ();
    // The text itself is the key of the prepared statement.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Row> Query for Statement<'_, Row> {
    type SqlType = Row;
}

impl<Row> RunQueryDsl<PgConnection> for Statement<'_, Row> {}

impl<Row> QueryFragment<Pg> for Statement<'_, Row> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let mut pieces = self.text.split('$');
        out.push_sql(pieces.next().unwrap_or_default());
        for piece in pieces {
            let digits = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
            let (number, sql) = piece.split_at(digits);
            let place = number.parse::<usize>().ok().and_then(|n| n.checked_sub(1));
            match place.and_then(|place| self.binds.get(place)) {
                Some(bind) => bind.push(&mut out)?,
                None => return Err(diesel::result::Error::QueryBuilderError("no such bind".into())),
            }
            out.push_sql(sql);
        }
        Ok(())
    }
}

impl Bind<'_> {
    fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        match self {
            Self::Id(id) => out.push_bind_param::<sql_types::Uuid, _>(id),
            Self::OptionalId(id) => out.push_bind_param::<sql_types::Nullable<sql_types::Uuid>, _>(id),
            Self::Ids(ids) => out.push_bind_param::<sql_types::Array<sql_types::Uuid>, _>(ids),
            Self::Text(text) => out.push_bind_param::<sql_types::Text, _>(text),
            Self::OptionalText(text) => out.push_bind_param::<sql_types::Nullable<sql_types::Text>, _>(text),
            Self::Texts(texts) => out.push_bind_param::<sql_types::Array<sql_types::Text>, _>(texts),
            Self::Integer(number) => out.push_bind_param::<sql_types::BigInt, _>(number),
            Self::Integers(numbers) => out.push_bind_param::<sql_types::Array<sql_types::BigInt>, _>(numbers),
            Self::Instant(at) => out.push_bind_param::<sql_types::Timestamptz, _>(at),
            Self::Json(value) => out.push_bind_param::<sql_types::Jsonb, _>(*value),
        }
    }
}
