//! What is there after a kill: the products as the admin sees them, and their events in the log.

use std::path::Path;

use aisle::domain::dependency::Dependency;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_types::BigInt};
use serde_json::Value;

use crate::writers::{TOKEN, Writer};

/// All products.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) products: Vec<Product>,
}

/// One product: every part of it tells which edit wrote it.
#[derive(Debug)]
pub(crate) struct Product {
    pub(crate) version: i64,
    pub(crate) title: i64,
    pub(crate) description: i64,
    pub(crate) stock: i64,
    pub(crate) price: i64,
    /// Positions of the events that touched it, ascending.
    pub(crate) events: Vec<i64>,
}

#[derive(QueryableByName)]
struct Position {
    #[diesel(sql_type = BigInt)]
    pos: i64,
}

impl Found {
    /// Reads everything of a server that has just started.
    pub(crate) fn read(folder: &Path, url: &str, writers: &[Writer]) -> Result<Self, String> {
        let host = folder.join("run");
        let address = format!("postgres:///aisle?host={}&port=5432&user=aisle", host.display());
        let mut connection = PgConnection::establish(&address).map_err(|error| error.to_string())?;
        let products = writers.iter().map(|writer| product(&mut connection, url, &writer.id));
        Ok(Self { products: products.collect::<Result<_, _>>()? })
    }
}

fn product(connection: &mut PgConnection, url: &str, id: &str) -> Result<Product, String> {
    let client = reqwest::blocking::Client::new();
    let answer = client.get(format!("{url}/v1/admin/products/{id}")).bearer_auth(TOKEN).send();
    let found: Value =
        answer.and_then(reqwest::blocking::Response::json).map_err(|error| error.to_string())?;
    let text = |value: &Value| value.as_str()?.strip_prefix("Edit ")?.parse::<i64>().ok();
    let variant = &found["variants"][0];
    let read = || {
        Some(Product {
            version: found["version"].as_i64()?,
            title: text(&found["title"])?,
            description: text(&found["description"])?,
            stock: variant["stock"][0]["quantity"].as_i64()?,
            price: variant["prices"][0]["amount"].as_i64()?,
            events: Vec::new(),
        })
    };
    let product = read().ok_or_else(|| format!("not as it was written: {found}"))?;
    let dependency = Dependency::product(&id.parse().map_err(|error| format!("not an id: {error}"))?);
    let events = diesel::sql_query(
        "SELECT pos FROM catalog_event WHERE pos IS NOT NULL AND $1 = ANY(deps) ORDER BY pos",
    )
    .bind::<BigInt, _>(dependency.0)
    .load::<Position>(connection)
    .map_err(|error| error.to_string())?;
    Ok(Product { events: events.into_iter().map(|event| event.pos).collect(), ..product })
}
