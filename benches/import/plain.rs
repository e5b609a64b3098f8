//! The same rows into tables with the same indexes and nothing else: no triggers, no foreign keys, no log.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::{Duration, Instant},
};

use aisle::store::Connection;
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query, sql_types::BigInt};

use crate::support::outcome::Outcome;

/// Every table that a product has rows in, the derived ones too.
const TABLES: [&str; 15] = [
    "product",
    "slug",
    "product_option",
    "option_value",
    "variant",
    "variant_option_value",
    "price",
    "media",
    "variant_media",
    "product_tag",
    "product_category",
    "product_translation",
    "stock_level",
    "product_listing",
    "product_document",
];

/// What a COPY did.
#[derive(Debug)]
pub(crate) struct Copied {
    pub(crate) rows: i64,
    pub(crate) taken: Duration,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Copies the rows out, and the time is that of copying them in again: one transaction, committed and flushed. The server
/// reads and writes the files itself, through a folder that is open to it.
pub(crate) fn copy(connection: &mut Connection, folder: &Path) -> Outcome<Copied> {
    fs::create_dir(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o777))?;
    let folder = folder.to_str().ok_or("a path that is no text")?;
    connection.batch_execute("SET statement_timeout = 0; CREATE SCHEMA plain")?;
    let mut rows = 0;
    for table in TABLES {
        connection.batch_execute(&format!(
            "CREATE TABLE plain.{table} (LIKE public.{table} INCLUDING INDEXES INCLUDING STORAGE INCLUDING COMPRESSION); \
             COPY public.{table} TO '{folder}/{table}' (FORMAT binary)"
        ))?;
        let counted: Counted =
            sql_query(format!("SELECT count(*) AS rows FROM public.{table}")).get_result(connection)?;
        rows += counted.rows;
    }
    connection.batch_execute("CHECKPOINT")?;
    let began = Instant::now();
    connection.batch_execute("BEGIN")?;
    for table in TABLES {
        connection.batch_execute(&format!("COPY plain.{table} FROM '{folder}/{table}' (FORMAT binary)"))?;
    }
    connection.batch_execute("COMMIT")?;
    Ok(Copied { rows, taken: began.elapsed() })
}
