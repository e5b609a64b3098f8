//! Many products from few: copies by SQL, without the triggers that would write the log for each.

use aisle::store::Connection;
use diesel::{QueryResult, connection::SimpleConnection};

/// Tables that are copied.
const TABLES: [&str; 7] =
    ["product", "product_listing", "product_category", "product_tag", "variant", "price", "slug"];

/// An id of a copy.
fn copy(id: &str) -> String {
    format!("md5({id}::text || k)::uuid")
}

/// Makes so many of each product that is there.
pub(crate) fn multiply(connection: &mut Connection, times: u32) -> QueryResult<()> {
    let copies = times.saturating_sub(1);
    let triggers =
        |act: &str| TABLES.map(|table| format!("ALTER TABLE {table} {act} TRIGGER USER")).join(";");
    let (product, own) = (copy("p.id"), copy("x.product_id"));
    let (variant, of_variant) = (copy("v.id"), copy("x.variant_id"));
    let series = format!("generate_series(1, {copies}) k");
    connection.batch_execute("SET statement_timeout = 0; SET session_replication_role = replica")?;
    connection.batch_execute(&triggers("DISABLE"))?;
    for statement in [
        format!(
            "INSERT INTO variant (id, product_id, position, sku, barcode, title, attributes, availability) \
             SELECT {variant}, {}, position, sku || '-copy-' || k, barcode, title, attributes, availability \
               FROM variant v, {series}",
            copy("v.product_id")
        ),
        format!(
            "INSERT INTO price (variant_id, currency, amount, compare_at) \
             SELECT {of_variant}, currency, amount + k % 97, compare_at FROM price x, {series}"
        ),
        format!(
            "INSERT INTO product_listing (product_id, category_id, published_at, title) \
             SELECT {own}, category_id, published_at + k * interval '1 second', title || ' ' || k \
               FROM product_listing x, {series}"
        ),
        format!(
            "INSERT INTO product_category (product_id, category_id, position) \
             SELECT {own}, category_id, position FROM product_category x, {series}"
        ),
        format!(
            "INSERT INTO product_tag (product_id, tag_id, position) \
             SELECT {own}, tag_id, position FROM product_tag x, {series}"
        ),
        format!(
            "INSERT INTO slug (slug, product_id) SELECT slug || '-copy-' || k, {own} FROM slug x, {series} WHERE is_current"
        ),
        format!(
            "INSERT INTO product (id, status, title, description, product_type, brand_id, attributes, published_at) \
             SELECT {product}, status, title || ' ' || k, description, product_type, brand_id, attributes, \
                    published_at + k * interval '1 second' FROM product p, {series}"
        ),
    ] {
        connection.batch_execute(&statement)?;
    }
    connection.batch_execute(&triggers("ENABLE"))?;
    connection.batch_execute("SET session_replication_role = DEFAULT")?;
    // Not within a batch: that is a transaction.
    connection.batch_execute("VACUUM ANALYZE")
}

/// Changes so many products, as an edit does; how many these were.
pub(crate) fn change(connection: &mut Connection, products: u32) -> QueryResult<u32> {
    let change = format!(
        "UPDATE product SET title = title || ' new' WHERE id IN \
         (SELECT id FROM product WHERE status = 'active' ORDER BY id LIMIT {products})"
    );
    connection.batch_execute(&change)?;
    Ok(products)
}
