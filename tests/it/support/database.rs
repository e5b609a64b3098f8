//! A database per test, cloned from a migrated template.

use std::{
    sync::{LazyLock, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query,
};
use url::Url;
use uuid::Uuid;

use super::services::services;

/// What databases of tests are called: prefix, second of their making, random digits.
const PREFIX: &str = "aisle_it";

/// Databases of an aborted run on a server that is not ours go after this many seconds.
const ABANDONED_SECONDS: u64 = 3600;

/// First version whose `CREATE DATABASE` knows strategies.
const STRATEGY_SINCE: i32 = 150_000;

/// A migrated database of one test; dropped with it.
#[derive(Debug)]
pub(crate) struct TestDatabase {
    /// Its address.
    pub(crate) url: String,
    name: String,
}

impl TestDatabase {
    /// A connection of its own to this database.
    pub(crate) fn connect(&self) -> PgConnection {
        connect(&self.url)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let dropped = PgConnection::establish(&services().database_url)
            .map_err(|error| error.to_string())
            .and_then(|mut maintenance| {
                let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
                maintenance.batch_execute(&statement).map_err(|error| error.to_string())
            });
        if let Err(error) = dropped {
            eprintln!("database {} stays: {error}", self.name);
        }
    }
}

/// A fresh database with the current schema and an identity of its own.
pub(crate) fn database() -> TestDatabase {
    let database = create(Some(&TEMPLATE.name));
    let identity = "DO $$ BEGIN IF to_regclass('catalog_identity') IS NOT NULL THEN \
                    UPDATE catalog_identity SET id = gen_random_uuid(); END IF; END $$";
    database.connect().batch_execute(identity).expect("an identity of its own");
    database
}

/// A fresh database without any table.
pub(crate) fn empty_database() -> TestDatabase {
    create(None)
}

/// Connects, or fails the test saying where.
pub(crate) fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url).unwrap_or_else(|error| panic!("connect to {url}: {error}"))
}

struct Template {
    name: String,
    strategy: &'static str,
}

static TEMPLATE: LazyLock<Template> = LazyLock::new(|| {
    let mut maintenance = connect(&services().database_url);
    drop_abandoned(&mut maintenance);
    let version = number(&mut maintenance, "SELECT current_setting('server_version_num')::int AS number");
    let template = empty_database();
    aisle::store::pool::migrate(&template.url).unwrap_or_else(|error| panic!("migrate: {error}"));
    let name = template.name.clone();
    // Kept for the run: it goes with the scratch server, or as abandoned from one that is not ours.
    std::mem::forget(template);
    Template { name, strategy: if version >= STRATEGY_SINCE { "STRATEGY FILE_COPY" } else { "" } }
});

fn create(template: Option<&str>) -> TestDatabase {
    // Two copies of one template at a time would refuse each other.
    static COPYING: Mutex<()> = Mutex::new(());
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let name = format!("{PREFIX}_{seconds}_{}", Uuid::new_v4().simple());
    let source = template.map(|name| format!("TEMPLATE {name} {}", TEMPLATE.strategy)).unwrap_or_default();
    let mut maintenance = connect(&services().database_url);
    {
        let _copying = COPYING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        maintenance
            .batch_execute(&format!("CREATE DATABASE {name} {source}"))
            .unwrap_or_else(|error| panic!("create database {name}: {error}"));
    }
    TestDatabase { url: with_database(&services().database_url, &name), name }
}

/// The same server, another database.
fn with_database(url: &str, name: &str) -> String {
    let mut url = Url::parse(url).expect("DATABASE_URL must be a URL");
    url.set_path(name);
    url.to_string()
}

fn drop_abandoned(maintenance: &mut PgConnection) {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
    let query = format!(
        "SELECT datname::text AS name FROM pg_database \
         WHERE datname ~ '^{PREFIX}_[0-9]+_' AND split_part(datname, '_', 3)::bigint < {}",
        seconds.saturating_sub(ABANDONED_SECONDS)
    );
    let abandoned: Vec<Row> = sql_query(query).load(maintenance).expect("the list of databases");
    for Row { name } in abandoned {
        let statement = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        if let Err(error) = maintenance.batch_execute(&statement) {
            eprintln!("abandoned database {name} stays: {error}");
        }
    }
}

/// The number a query answers, in its column `number`.
pub(crate) fn number(connection: &mut PgConnection, query: &str) -> i32 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Integer)]
        number: i32,
    }
    sql_query(query).get_result::<Row>(connection).unwrap_or_else(|error| panic!("{query}: {error}")).number
}
