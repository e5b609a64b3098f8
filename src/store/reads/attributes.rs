//! Attributes that lists can be filtered or counted by, and the sets of synonyms.

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{HEAD, Snapshot};
use crate::{
    domain::{
        attribute::{AttributeKind, StoreAttribute},
        synonyms::{SynonymSet, normalised},
    },
    store::{Connection, error::StoreError, statement::Statement},
};

/// Reads the definitions that are filters or facets, by code.
pub fn attributes(connection: &mut Connection) -> Result<Snapshot<Vec<StoreAttribute>>, StoreError> {
    type Row = (
        sql::BigInt,
        sql::Nullable<sql::Text>,
        sql::Nullable<sql::Text>,
        sql::Nullable<sql::Text>,
        sql::Nullable<sql::Array<sql::Text>>,
        sql::Nullable<sql::Array<sql::Bool>>,
    );
    type Values =
        (i64, Option<String>, Option<String>, Option<String>, Option<Vec<String>>, Option<Vec<bool>>);
    let text = format!(
        "SELECT h.head, d.code, d.label, d.kind, d.enum_values, \
           CASE WHEN d.code IS NOT NULL THEN ARRAY[d.filterable, d.facet, d.variant_level] END \
           FROM {HEAD} LEFT JOIN attribute_definition d ON d.filterable OR d.facet ORDER BY d.code"
    );
    let rows = Statement::<Row>::new(text, []).load::<Values>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    let attribute = |(_, code, label, kind, values, flags): Values| {
        let mut flags = flags?.into_iter();
        let mut flag = || flags.next().unwrap_or(false);
        Some(StoreAttribute {
            code: code?,
            label: label?,
            kind: AttributeKind::parse(&kind?).unwrap_or_default(),
            values: values?,
            filterable: flag(),
            facet: flag(),
            variant_level: flag(),
        })
    };
    Ok(Snapshot { head, value: rows.into_iter().filter_map(attribute).collect() })
}

/// Reads all sets of synonyms, by id. Sets that statements from outside have written are normalised here.
pub fn synonyms(connection: &mut Connection) -> Result<Snapshot<Vec<SynonymSet>>, StoreError> {
    type Row = (sql::BigInt, sql::Nullable<sql::Uuid>, sql::Nullable<sql::Array<sql::Text>>);
    type Values = (i64, Option<Uuid>, Option<Vec<String>>);
    let text =
        format!("SELECT h.head, s.id, s.words FROM {HEAD} LEFT JOIN synonym_set s ON true ORDER BY s.id");
    let rows = Statement::<Row>::new(text, []).load::<Values>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    let set = |(_, id, words): Values| {
        Some(SynonymSet { id: id?, words: normalised(words?.iter().map(String::as_str)) })
    };
    Ok(Snapshot { head, value: rows.into_iter().filter_map(set).collect() })
}
