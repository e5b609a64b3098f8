//! Catalogues that differ in size only: the same imported products, copied by SQL.

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

use crate::{IMPORTED, script::Silent};

/// A scratch Postgres whose log can be read, and a Redis beside it.
#[derive(Debug)]
pub(crate) struct Server {
    services: Services,
    log: PathBuf,
}

impl Server {
    /// Starts it; the error says what is missing.
    pub(crate) fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("aisle-plans-").tempdir().expect("a folder").keep();
        let options = Options { data_dir: folder.clone(), durable: false, redis: true };
        let services = Services::start(&options).map_err(|error| error.to_string())?;
        let mut maintenance = pool::connect(services.database_url()).expect("the server answers");
        maintenance.batch_execute("LOAD 'auto_explain'").map_err(|error| error.to_string())?;
        Ok(Self { services, log: folder.join("postgres.log") })
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
    /// Makes a database of this name, imports [`IMPORTED`] products the normal way and copies them so often.
    pub(crate) fn make(server: &'a Server, name: &str, copies: u32) -> Self {
        let mut maintenance = pool::connect(server.services.database_url()).expect("the server answers");
        maintenance.batch_execute(&format!("CREATE DATABASE {name}")).expect("a database");
        let url = server.services.database_url().replacen("/aisle?", &format!("/{name}?"), 1);
        pool::migrate(&url).expect("the schema");
        let mut connection = pool::connect_for_bulk(&url).expect("the database answers");
        let mut products = DemoCatalogue::new(1, IMPORTED);
        run(&mut products, &mut StoredCatalogue::new(&mut connection), false, &mut Silent)
            .expect("an import");
        connection.batch_execute("SET statement_timeout = 0").expect("patience");
        connection.batch_execute(SKEW).expect("a big category");
        if copies > 0 {
            connection.batch_execute(&multiplied(copies)).expect("copies");
        }
        connection.batch_execute("VACUUM ANALYZE").expect("statistics");
        let products =
            number(&mut connection, "SELECT count(*) AS number FROM product WHERE status = 'active'");
        Self { url, redis: server.services.redis_url(), products }
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

/// Half of all products are in one category as well, one in a hundred has an attribute that no other has, and all are of a type,
/// so that the pages of a type are full on every catalogue.
const SKEW: &str = "
    INSERT INTO category (slug, name) VALUES ('everything', 'Everything');
    INSERT INTO product_category (product_id, category_id, position)
      SELECT p.id, c.id, 9 FROM product p, category c WHERE c.slug = 'everything' AND right(p.external_id, 1) IN ('0', '2', '4', '6', '8');
    UPDATE product SET attributes = attributes || '{\"rare\": \"yes\"}' WHERE right(external_id, 2) = '00';
    UPDATE product SET product_type = 'thing'";

/// Tables of a product, and what makes rows of theirs unique beside ids.
const COPIED: [(&str, &[&str]); 15] = [
    ("product", &["external_id"]),
    ("product_translation", &[]),
    ("slug", &["slug"]),
    ("product_option", &[]),
    ("option_value", &[]),
    ("variant", &["sku"]),
    ("variant_option_value", &[]),
    ("price", &[]),
    ("media", &[]),
    ("variant_media", &[]),
    ("product_tag", &[]),
    ("product_category", &[]),
    ("stock_level", &[]),
    ("product_listing", &[]),
    ("product_document", &[]),
];

/// Columns of theirs that get an id of the copy.
const IDS: &str = "'product_id', 'option_id', 'value_id', 'variant_id', 'media_id'";

/// Statements that copy every product so often, with everything below it, and let the rest grow in proportion: brands, tags,
/// categories, tokens, and the log. Triggers are off meanwhile: what they would have made is copied too.
fn multiplied(copies: u32) -> String {
    let tables = COPIED.map(|(table, _)| format!("'{table}'")).join(", ");
    let mut statements = format!(
        "SET maintenance_work_mem = '256MB'; SET synchronous_commit = off; \
         CREATE TEMPORARY TABLE fired AS SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger \
           WHERE tgenabled = 'A' AND NOT tgisinternal; \
         DO $$ DECLARE one regclass; BEGIN FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND \
           (relname IN ({tables}) OR relname IN ('brand', 'tag', 'category', 'api_token', 'catalog_event')) \
           AND relnamespace = 'public'::regnamespace \
         LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER ALL', one); END LOOP; END $$;"
    );
    for (table, unique) in COPIED {
        let unique = unique.iter().map(|column| format!("'{column}'")).collect::<Vec<_>>().join(", ");
        let unique = if unique.is_empty() { "''".to_owned() } else { unique };
        let own_id = if matches!(table, "product" | "product_option" | "option_value" | "variant" | "media") {
            "'id'"
        } else {
            "''"
        };
        statements.extend([format!(
            "DO $$ DECLARE list text; made text; BEGIN \
               SELECT string_agg(quote_ident(column_name), ', ' ORDER BY ordinal_position), \
                 string_agg(CASE WHEN column_name IN ({IDS}, {own_id}) \
                     THEN format('(lpad(to_hex(k), 8, ''0'') || substr(%I::text, 9))::uuid', column_name) \
                   WHEN column_name IN ({unique}) THEN format('%I || ''-'' || k', column_name) \
                   WHEN column_name = 'published_at' THEN 'published_at - k * interval ''1 minute''' \
                   ELSE quote_ident(column_name) END, ', ' ORDER BY ordinal_position) \
               INTO list, made FROM information_schema.columns WHERE table_schema = 'public' AND table_name = '{table}'; \
               EXECUTE format('INSERT INTO {table} (%s) SELECT %s FROM generate_series(1, {copies}) k, {table}', list, made); \
             END $$;"
        )]);
    }
    let products = u64::from(copies) * u64::from(IMPORTED);
    statements.extend([format!(
        "INSERT INTO brand (slug, name) SELECT 'grown-' || n, 'Grown ' || n FROM generate_series(1, {products} / 500) n; \
         INSERT INTO tag (name) SELECT 'grown ' || n FROM generate_series(1, {products} / 50) n; \
         INSERT INTO category (slug, name, path, lineage, id) \
           SELECT 'grown-' || n, 'Grown ' || n, 'grown-' || n, ARRAY[id], id \
             FROM (SELECT n, md5('grown' || n)::uuid AS id FROM generate_series(1, {products} / 1000) n) g; \
         INSERT INTO api_token (id, name, scope, hash) \
           SELECT gen_random_uuid(), 'grown', 'read', sha256(n::text::bytea) FROM generate_series(1, {products} / 1000) n; \
         INSERT INTO catalog_event (xid, pos, deps, products, listed, at, stamped_at) \
           SELECT (1000000000000 + n)::text::xid8, nextval('catalog_pos'), ARRAY[n], ARRAY[p.id], ARRAY[p.id], \
                  now() - interval '1 hour', now() - interval '1 hour' \
             FROM (SELECT id, row_number() OVER () AS n FROM product) p; \
         DO $$ DECLARE one regclass; name name; BEGIN \
           FOR one IN SELECT DISTINCT tgrelid::regclass FROM pg_trigger \
           LOOP EXECUTE format('ALTER TABLE %s ENABLE TRIGGER ALL', one); END LOOP; \
           FOR one, name IN SELECT relation, tgname FROM fired \
           LOOP EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', one, name); END LOOP; END $$; \
         DROP TABLE fired"
    )]);
    statements
}

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
