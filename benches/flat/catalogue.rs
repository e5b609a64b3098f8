//! Catalogues that differ in size only: 1,000 made-up products that came in the normal way, copied by SQL.

use aisle::{
    embedded::Services,
    import::{
        catalogue::StoredCatalogue,
        demo::DemoCatalogue,
        problem::Problem,
        report::{Observer, Report},
        run::run,
    },
    store::{Connection, pool},
};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query};
use url::Url;

use crate::{
    multiply::{SKEW, multiply, store_documents},
    support::outcome::Outcome,
};

/// Products that come in by an import; all others are copies of them.
const MADE: u32 = 1000;

/// A catalogue of some size.
pub(crate) struct Catalogue {
    /// Its database.
    pub(crate) url: String,
    /// Its products, shown or not.
    pub(crate) products: u32,
}

struct Silent;

impl Observer for Silent {
    fn problem(&mut self, _problem: &Problem) {}

    fn progress(&mut self, _position: u64, _report: &Report) {}
}

impl Catalogue {
    /// The catalogue of that size, made when it is not there.
    pub(crate) fn open(services: &Services, products: u32) -> Outcome<Self> {
        let name = format!("of_{products}");
        let mut url = Url::parse(services.database_url())?;
        url.set_path(&name);
        let catalogue = Self { url: url.to_string(), products };
        let mut maintenance = pool::connect(services.database_url())?;
        let known = texts(
            &mut maintenance,
            &format!("SELECT datname::text AS text FROM pg_database WHERE datname = '{name}'"),
        )?;
        if known.is_empty() {
            // Named once it is complete.
            maintenance.batch_execute("DROP DATABASE IF EXISTS being_made")?;
            maintenance.batch_execute("CREATE DATABASE being_made")?;
            url.set_path("being_made");
            make(url.as_str(), products / MADE)?;
            maintenance.batch_execute(&format!("ALTER DATABASE being_made RENAME TO {name}"))?;
        }
        Ok(catalogue)
    }

    /// Texts that a query answers, in its column `text`.
    pub(crate) fn texts(&self, query: &str) -> Outcome<Vec<String>> {
        texts(&mut pool::connect_for_bulk(&self.url)?, query)
    }
}

fn make(url: &str, times: u32) -> Outcome<()> {
    pool::migrate(url)?;
    let mut connection = pool::connect_for_bulk(url)?;
    let mut products = DemoCatalogue::new(1, MADE);
    run(&mut products, &mut StoredCatalogue::new(&mut connection), false, &mut Silent)
        .map_err(|interrupted| interrupted.cause.to_string())?;
    connection.batch_execute(SKEW)?;
    multiply(&mut connection, times.saturating_sub(1))?;
    Ok(store_documents(&mut connection)?)
}

fn texts(connection: &mut Connection, query: &str) -> Outcome<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let rows: Vec<Row> = sql_query(query).load(connection)?;
    Ok(rows.into_iter().map(|row| row.text).collect())
}
