//! Catalogues that differ in size only: the same imported products, copied by SQL, and as long a log.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::PathBuf,
};

use aisle::{
    embedded::{Options, Services},
    import::{catalogue::StoredCatalogue, demo::DemoCatalogue, run::run},
    store::{Connection, pool},
};
use diesel::{QueryableByName, RunQueryDsl, connection::SimpleConnection, sql_query};

use crate::{
    IMPORTED,
    multiply::{SKEW, multiply},
    script::Silent,
};

/// A scratch Postgres whose log can be read, and a Redis beside it.
#[derive(Debug)]
pub(crate) struct Server {
    services: Services,
    log: PathBuf,
}

impl Server {
    /// Starts it, in a folder that stays if one is given; the error says what is missing.
    pub(crate) fn start(kept: Option<PathBuf>) -> Result<Self, String> {
        let durable = kept.is_some();
        let scratch = || tempfile::Builder::new().prefix("aisle-plans-").tempdir().expect("a folder").keep();
        let folder = kept.unwrap_or_else(scratch);
        let options = Options { data_dir: folder.clone(), durable, redis: true };
        let services = Services::start(&options).map_err(|error| error.to_string())?;
        let mut maintenance = pool::connect(services.database_url()).expect("the server answers");
        maintenance.batch_execute("LOAD 'auto_explain'").map_err(|error| error.to_string())?;
        Ok(Self { services, log: folder.join("postgres.log") })
    }

    /// Makes the database that all catalogues are copies of: [`IMPORTED`] products that came in the normal way.
    fn import(&self) {
        self.create("imported", "template1");
        let url = self.url("imported");
        pool::migrate(&url).expect("the schema");
        let mut connection = pool::connect_for_bulk(&url).expect("the database answers");
        let mut products = DemoCatalogue::new(1, IMPORTED);
        run(&mut products, &mut StoredCatalogue::new(&mut connection), false, &mut Silent)
            .expect("an import");
        connection.batch_execute(SKEW).expect("a big category");
    }

    fn create(&self, name: &str, template: &str) {
        let mut maintenance = self.maintenance();
        for statement in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name} TEMPLATE {template}"),
        ] {
            maintenance.batch_execute(&statement).expect("a database");
        }
    }

    /// A database of that many products that `make bench-flat` has kept in the same folder.
    fn kept(&self, products: u32) -> Option<String> {
        let name = format!("of_{products}");
        let query = format!("SELECT datname::text AS text FROM pg_database WHERE datname = '{name}'");
        texts(&mut self.maintenance(), &query).pop()
    }

    /// A connection to no catalogue, for statements that may take long.
    fn maintenance(&self) -> Connection {
        let mut maintenance = pool::connect(self.services.database_url()).expect("the server answers");
        maintenance.batch_execute("SET statement_timeout = 0").expect("patience");
        maintenance
    }

    fn url(&self, database: &str) -> String {
        self.services.database_url().replacen("/aisle?", &format!("/{database}?"), 1)
    }

    /// Bytes that the server has logged so far.
    pub(crate) fn log_length(&self) -> u64 {
        self.log.metadata().expect("a log").len()
    }

    /// What it has logged since.
    pub(crate) fn log_from(&self, from: u64) -> String {
        let mut file = File::open(&self.log).expect("a log");
        file.seek(SeekFrom::Start(from)).expect("a place in the log");
        let mut text = Vec::new();
        file.read_to_end(&mut text).expect("a log");
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// A catalogue of some size.
#[derive(Debug)]
pub(crate) struct Catalogue<'a> {
    /// Its database.
    pub(crate) url: String,
    /// Its Redis.
    pub(crate) redis: Option<&'a str>,
    /// Products that the store shows.
    pub(crate) products: i64,
}

impl<'a> Catalogue<'a> {
    /// Makes a database of this name with so many copies of each imported product.
    pub(crate) fn make(server: &'a Server, name: &str, copies: u32) -> Self {
        let kept = server.kept((copies + 1) * IMPORTED);
        if kept.is_none() {
            server.import();
        }
        server.create(name, kept.as_deref().unwrap_or("imported"));
        let url = server.url(name);
        let mut connection = pool::connect_for_bulk(&url).expect("the database answers");
        connection.batch_execute("SET statement_timeout = 0").expect("patience");
        if kept.is_none() {
            multiply(&mut connection, copies).expect("copies");
            connection.batch_execute(DOCUMENTS).expect("documents");
        }
        let fired = texts(
            &mut connection,
            "SELECT tgname::text AS text FROM pg_trigger \
              WHERE tgrelid = 'catalog_event'::regclass AND NOT tgisinternal AND tgenabled = 'A'",
        );
        connection.batch_execute(LOG).expect("a log");
        connection.batch_execute(AUDIT_LOG).expect("an audit log");
        connection.batch_execute("ALTER TABLE catalog_event ENABLE TRIGGER ALL").expect("triggers");
        for name in fired {
            let always = format!("ALTER TABLE catalog_event ENABLE ALWAYS TRIGGER {name}");
            connection.batch_execute(&always).expect("triggers");
        }
        connection
            .batch_execute("VACUUM ANALYZE catalog_event, product_document, audit_entry")
            .expect("statistics");
        let products =
            number(&mut connection, "SELECT count(*) AS number FROM product WHERE status = 'active'");
        Self { url, redis: server.services.redis_url(), products }
    }

    /// Breaks the catalogue on purpose.
    pub(crate) fn drop_index(&self, index: &str) {
        let mut connection = pool::connect(&self.url).expect("the database answers");
        let drop = format!("DO $$ BEGIN EXECUTE format('DROP INDEX %I', '{index}'); END $$");
        connection.batch_execute(&drop).unwrap_or_else(|error| panic!("{index}: {error}"));
    }

    /// From the next connection on the server explains whatever it executes, planned in this way.
    pub(crate) fn explain_from_now(&self, plan_cache_mode: &str) {
        let mut connection = pool::connect(&self.url).expect("the database answers");
        let settings = [
            ("session_preload_libraries", "auto_explain"),
            ("auto_explain.log_min_duration", "0"),
            ("auto_explain.log_analyze", "on"),
            ("auto_explain.log_buffers", "on"),
            ("auto_explain.log_timing", "off"),
            ("auto_explain.log_nested_statements", "on"),
            ("auto_explain.log_format", "json"),
            ("plan_cache_mode", plan_cache_mode),
        ];
        for (name, value) in settings {
            let statement = format!(
                "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {name} = ''{value}''', current_database()); END $$"
            );
            connection.batch_execute(&statement).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

/// Documents of copies: as long as those of what they were copied from, which is what counts here.
const DOCUMENTS: &str = "
    INSERT INTO product_document (product_id, version, body)
      SELECT p.id, p.version, d.body
        FROM product p JOIN product_document d ON substr(d.product_id::text, 9) = substr(p.id::text, 9)
       WHERE p.status = 'active' AND p.deleted_at IS NULL
      ON CONFLICT DO NOTHING";

/// The log of that many products, two events for each: longer than what is read of its end, also once some of it is pruned.
const LOG: &str = "
    ALTER TABLE catalog_event DISABLE TRIGGER ALL;
    INSERT INTO catalog_event (xid, pos, deps, products, listed, at, stamped_at)
      SELECT (1000000000000 + n)::text::xid8, nextval('catalog_pos'), ARRAY[n], ARRAY[p.id], ARRAY[p.id],
             now() - interval '1 hour', now() - interval '1 hour'
        FROM (SELECT id, row_number() OVER () AS n FROM product, generate_series(1, 2)) p";

/// Two edits of each product, and before them as many as the script prunes.
const AUDIT_LOG: &str = "
    INSERT INTO audit_entry (id, at, actor, action, method, path, request_id, address, xid)
      SELECT gen_random_uuid(), now() - n * interval '1 second', 'settings', 'patch_product', 'PATCH',
             '/v1/admin/products/' || p.id, n, '127.0.0.1', n::text::xid8
        FROM (SELECT id, row_number() OVER () AS n FROM product, generate_series(1, 2)) p;
    INSERT INTO audit_entry (id, at, actor, action, method, path, request_id, address, xid)
      SELECT gen_random_uuid(), now() - interval '60 days' - n * interval '1 second', 'settings', 'create_brand', 'POST',
             '/v1/admin/brands', n, '127.0.0.1', n::text::xid8
        FROM generate_series(1, 10000) n";

/// The number a query answers, in its column `number`.
pub(crate) fn number(connection: &mut Connection, query: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        number: i64,
    }
    sql_query(query).get_result::<Row>(connection).unwrap_or_else(|error| panic!("{query}: {error}")).number
}

/// The texts a query answers, in its column `text`.
pub(crate) fn texts(connection: &mut Connection, query: &str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let rows: Vec<Row> = sql_query(query).load(connection).unwrap_or_else(|error| panic!("{query}: {error}"));
    rows.into_iter().map(|row| row.text).collect()
}
