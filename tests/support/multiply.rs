//! Catalogues of any size: products that came in the normal way are copied by SQL, with everything below them.
//!
//! Used by tests and benchmarks alike. Copies have slugs, SKUs, titles, prices and times of their own, and a third of
//! them other brands. Triggers are off meanwhile: what they would have made is copied too, except for documents and the log.

#![allow(dead_code, reason = "not everybody needs all of it")]

use aisle::store::Connection;
use diesel::{
    QueryResult, RunQueryDsl,
    connection::SimpleConnection,
    sql_query,
    sql_types::{Nullable, Uuid as SqlUuid},
};
use uuid::Uuid;

/// Tables of a product.
const COPIED: [&str; 14] = [
    "product",
    "product_translation",
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
    "stock_level",
    "product_listing",
];

/// Columns that tell a copy from the others, and what they hold in copy `$1`. All ids get the copy's number in front, so
/// that copies are made in the order of their ids, as products are.
const OWN: [(&str, &str, &str); 8] = [
    ("product", "external_id", "external_id || '-' || $1"),
    ("product", "title", "title || ' ' || $1"),
    ("product", "published_at", "published_at - $1 * interval '1 minute'"),
    ("product_listing", "title", "title || ' ' || $1"),
    ("product_listing", "published_at", "published_at - $1 * interval '1 minute'"),
    ("slug", "slug", "slug || '-' || $1"),
    ("variant", "sku", "sku || '-' || $1"),
    ("price", "amount", "amount + $1 % 97"),
];

/// For the products that are copied then: half of all are in one category as well, one in a hundred has an attribute that no
/// other has, and all are of a type, so that the pages of a type are full on every catalogue.
pub(crate) const SKEW: &str = "
    INSERT INTO category (slug, name) VALUES ('everything', 'Everything');
    INSERT INTO product_category (product_id, category_id, position)
      SELECT p.id, c.id, 9 FROM product p, category c WHERE c.slug = 'everything' AND right(p.external_id, 1) IN ('0', '2', '4', '6', '8');
    UPDATE product SET attributes = attributes || '{\"rare\": \"yes\"}' WHERE right(external_id, 2) = '00';
    UPDATE product SET product_type = 'thing'";

/// Documents stored in one statement.
const DOCUMENTS: u32 = 2000;

/// Copies every product so often. Brands, tags, categories and tokens grow in proportion. On a connection without time-outs,
/// of a user that may switch triggers off.
pub(crate) fn multiply(connection: &mut Connection, copies: u32) -> QueryResult<()> {
    connection.batch_execute(
        "SET statement_timeout = 0; SET maintenance_work_mem = '256MB'; SET synchronous_commit = off; \
         SET session_replication_role = replica; \
         CREATE TEMPORARY TABLE fired AS SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger \
           WHERE tgenabled = 'A' AND NOT tgisinternal; \
         DO $$ DECLARE one regclass; name name; BEGIN FOR one, name IN SELECT relation, tgname FROM fired \
           LOOP EXECUTE format('ALTER TABLE %s DISABLE TRIGGER %I', one, name); END LOOP; END $$",
    )?;
    connection.batch_execute(&grown(copies))?;
    connection.batch_execute(&copied(copies))?;
    connection.batch_execute(
        "DO $$ DECLARE one regclass; name name; BEGIN FOR one, name IN SELECT relation, tgname FROM fired \
           LOOP EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', one, name); END LOOP; END $$; \
         DROP TABLE fired; RESET session_replication_role",
    )?;
    // Not within a batch: that is a transaction.
    connection.batch_execute("VACUUM ANALYZE")
}

/// What grows with the catalogue beside its products.
fn grown(copies: u32) -> String {
    format!(
        "CREATE TEMPORARY TABLE size AS SELECT count(*) * {copies} AS products FROM product; \
         INSERT INTO brand (id, slug, name) SELECT md5('brand' || n)::uuid, 'grown-' || n, 'Grown ' || n \
           FROM generate_series(1, {copies}) n; \
         INSERT INTO tag (name) SELECT 'grown ' || n FROM size, generate_series(1, products / 50) n; \
         INSERT INTO category (slug, name, path, lineage, id) \
           SELECT 'grown-' || n, 'Grown ' || n, 'grown-' || n, ARRAY[id], id \
             FROM (SELECT n, md5('category' || n)::uuid AS id FROM size, generate_series(1, products / 1000) n) g; \
         INSERT INTO api_token (id, name, scope, hash) SELECT gen_random_uuid(), 'grown', 'read', sha256(n::text::bytea) \
           FROM size, generate_series(1, products / 1000) n; \
         DROP TABLE size"
    )
}

/// A block that copies the tables as they are now.
fn copied(copies: u32) -> String {
    let tables = COPIED.map(|table| format!("'{table}'")).join(", ");
    let own = OWN.map(|(table, column, value)| {
        format!("WHEN table_name = '{table}' AND column_name = '{column}' THEN $${value}$$")
    });
    let own = own.join(" ");
    format!(
        "DO $block$ DECLARE one text; list text; made text; k integer; statements text[] = '{{}}'; BEGIN \
           FOREACH one IN ARRAY ARRAY[{tables}] LOOP \
             EXECUTE format('CREATE TEMPORARY TABLE original_%s AS SELECT * FROM public.%s', one, one); \
             SELECT string_agg(quote_ident(column_name), ', '), \
               string_agg(CASE {own} \
                 WHEN table_name = 'product' AND column_name = 'brand_id' THEN \
                   'CASE WHEN $1 % 3 = 0 THEN md5(''brand'' || 1 + (hashtext(id::text)::bigint + $1 + 2147483648) % {copies})::uuid \
                      ELSE brand_id END' \
                 WHEN data_type = 'uuid' AND column_name NOT IN ('brand_id', 'category_id', 'tag_id', 'location_id') \
                   THEN format('(lpad(to_hex($1), 8, ''0'') || substr(%I::text, 9))::uuid', column_name) \
                 ELSE quote_ident(column_name) END, ', ') \
               INTO list, made FROM information_schema.columns WHERE table_schema = 'public' AND table_name = one; \
             statements = statements || format('INSERT INTO public.%s (%s) SELECT %s FROM original_%s', one, list, made, one); \
           END LOOP; \
           FOR k IN 1..{copies} LOOP \
             FOREACH one IN ARRAY statements LOOP EXECUTE one USING k; END LOOP; \
           END LOOP; \
           FOREACH one IN ARRAY ARRAY[{tables}] LOOP EXECUTE 'DROP TABLE original_' || one; END LOOP; \
         END $block$"
    )
}

/// Stores the documents of all products that the store shows. After the copies: its plans need to know how many there are.
pub(crate) fn store_documents(connection: &mut Connection) -> QueryResult<()> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<SqlUuid>)]
        last: Option<Uuid>,
    }
    let mut after = Some(Uuid::nil());
    while let Some(id) = after {
        let stored: Row = sql_query(format!("SELECT catalog.store_documents($1, {DOCUMENTS}) AS last"))
            .bind::<SqlUuid, _>(id)
            .get_result(connection)?;
        after = stored.last;
    }
    connection.batch_execute("VACUUM ANALYZE product_document")
}
