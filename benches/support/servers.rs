//! The benchmark's own Postgres and Redis, and catalogues and fleets of instances on them.

use std::{fs::Permissions, os::unix::fs::PermissionsExt};

use aisle::{
    domain::draft_reader,
    embedded::{Options, Services},
    store::{Connection, MissingNames, edit, error::StoreError, pool, products},
};
use diesel::connection::SimpleConnection;
use serde_json::json;
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use super::{instance::Instance, outcome::Outcome};

/// Private servers that flush every commit; they stop with the value.
#[derive(Debug)]
pub(crate) struct Servers {
    services: Services,
    // Removed after the servers have stopped: fields are dropped in order.
    _folder: TempDir,
}

/// A database of its own with products of about 2 KB as the store shows them.
#[derive(Debug)]
pub(crate) struct Catalogue {
    /// Its address.
    pub(crate) url: String,
    /// Its products.
    pub(crate) products: Vec<Uuid>,
}

impl Servers {
    /// Starts them in a folder that goes with them.
    pub(crate) fn start() -> Outcome<Self> {
        let open = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("aisle-bench-").permissions(open).tempdir()?;
        let data_dir = folder.path().to_owned();
        let services = Services::start(&Options { data_dir, durable: true, redis: true })?;
        Ok(Self { services, _folder: folder })
    }

    /// Redis; the benchmark is about both ways, so there must be one.
    pub(crate) fn redis(&self) -> Outcome<&str> {
        Ok(self.services.redis_url().ok_or("redis-server is not installed")?)
    }

    /// A fresh catalogue.
    pub(crate) fn catalogue(&self, name: &str, products: usize) -> Outcome<Catalogue> {
        patient(self.services.database_url())?.batch_execute(&format!("CREATE DATABASE {name}"))?;
        let mut url = Url::parse(self.services.database_url())?;
        url.set_path(name);
        let url = url.to_string();
        pool::migrate(&url)?;
        let mut connection = patient(&url)?;
        let (products, _event) = edit::transaction(&mut connection, |connection| {
            (0..products).map(|n| product(connection, n)).collect()
        })?;
        connection.batch_execute("VACUUM ANALYZE")?;
        Ok(Catalogue { url, products })
    }
}

fn product(connection: &mut Connection, number: usize) -> Result<Uuid, StoreError> {
    let prose =
        "A lamp for reading, sewing and the odd repair; its light is warm, its foot heavy. ".repeat(14);
    let document = json!({
        "title": format!("Number {number}"), "description": prose, "tags": ["lamp", "reading"],
        "variants": [{"sku": format!("LAMP-{number}"), "stock": 12, "prices": [{"currency": "USD", "amount": 6999}]}]
    });
    let draft = draft_reader::read(&document).map_err(StoreError::Invalid)?;
    Ok(products::create(connection, &draft, MissingNames::Refuse)?.id)
}

impl Catalogue {
    /// A connection of the benchmark's own.
    pub(crate) fn connect(&self) -> Outcome<Connection> {
        patient(&self.url)
    }

    /// The product at a place, counted round.
    pub(crate) fn product(&self, place: usize) -> Outcome<Uuid> {
        let place = place.checked_rem(self.products.len()).ok_or("a catalogue without products")?;
        Ok(*self.products.get(place).ok_or("a product out of place")?)
    }

    /// Starts an instance on it.
    pub(crate) fn serve(&self, redis: Option<&str>, variables: &[(&str, &str)]) -> Outcome<Instance> {
        self.serve_by(env!("CARGO_BIN_EXE_aisle"), redis, variables)
    }

    /// The same by another build of the program.
    pub(crate) fn serve_by(
        &self,
        program: &str,
        redis: Option<&str>,
        variables: &[(&str, &str)],
    ) -> Outcome<Instance> {
        let mut all = vec![("DATABASE_URL", self.url.as_str()), ("AISLE_LEASE_MS", "2000")];
        all.extend(redis.map(|redis| ("REDIS_URL", redis)));
        all.extend(variables);
        Instance::serve_by(program, &all)
    }

    /// Starts several alike.
    pub(crate) fn fleet(&self, instances: usize, redis: Option<&str>) -> Outcome<Vec<Instance>> {
        (0..instances).map(|_| self.serve(redis, &[])).collect()
    }
}

/// A connection with the session settings of an instance's, but without its time-outs: a slow moment shall be measured.
fn patient(url: &str) -> Outcome<Connection> {
    let mut connection = pool::connect(url)?;
    connection.batch_execute("SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0")?;
    Ok(connection)
}

/// Waits until every instance has applied all that is committed.
pub(crate) fn settle(connection: &mut Connection) -> Outcome<()> {
    Ok(connection.batch_execute("SELECT catalog.sync()")?)
}
