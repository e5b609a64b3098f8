//! All products as lists see them, range by range of their ids.
//!
//! One statement per table and range, each a walk along an index, and put together here: what is asked of Postgres for a
//! product costs a fraction of the look-ups that reading it by its id takes, and no plan can go wrong on old statistics.
//! What hangs on variants is looked up variant by variant (`LATERAL`, and `OFFSET 0` where a join could be made of it): to
//! join it the database would read whole tables for each range, as long as these cost less than the look-ups.

use std::{iter::Peekable, vec};

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::listed::{Listed, Variant};
use crate::{
    domain::listed::ListedProduct,
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

/// The id that ends a range of so many products behind another; `None` when there are fewer.
pub fn range_end(
    connection: &mut Connection,
    after: Uuid,
    products: i64,
) -> Result<Option<Uuid>, StoreError> {
    let ids = Statement::<sql::Uuid>::new(
        "SELECT id FROM product WHERE id > $1 ORDER BY id OFFSET $2 LIMIT 1",
        [Bind::Id(after), Bind::Integer(products.saturating_sub(1))],
    );
    Ok(ids.load::<Uuid>(connection)?.into_iter().next())
}

/// Rows of one table, by product.
struct Rows<T>(Peekable<vec::IntoIter<(Uuid, T)>>);

impl<T> Rows<T> {
    fn new(rows: impl IntoIterator<Item = (Uuid, T), IntoIter = vec::IntoIter<(Uuid, T)>>) -> Self {
        Self(rows.into_iter().peekable())
    }

    /// Those of a product; products are asked for in order.
    fn of(&mut self, product: Uuid) -> Vec<T> {
        while self.0.next_if(|(of, _)| *of < product).is_some() {}
        std::iter::from_fn(|| self.0.next_if(|(of, _)| *of == product)).map(|(_, row)| row).collect()
    }
}

/// A range of ids, without its beginning and with its end.
#[derive(Debug, Clone, Copy)]
struct Range(Uuid, Uuid);

impl Range {
    fn statement<Row>(self, text: &'static str) -> Statement<'static, Row> {
        Statement::new(text, [Bind::Id(self.0), Bind::Id(self.1)])
    }
}

/// Reads what the store shows of the products behind `after`, up to and with `end`.
pub fn listed_range(
    connection: &mut Connection,
    after: Uuid,
    end: Uuid,
) -> Result<Vec<ListedProduct>, StoreError> {
    type Row = (sql::Uuid, sql::BigInt, sql::Text, sql::Text, sql::Text, sql::Nullable<sql::Uuid>, sql::Text);
    type Values = (Uuid, i64, String, String, String, Option<Uuid>, String);
    let range = Range(after, end);
    let products = range
        .statement::<Row>(
            "SELECT id, (extract(epoch FROM published_at) * 1000000)::bigint, title, description, \
                    coalesce(product_type, ''), brand_id, attributes::text \
               FROM product WHERE id > $1 AND id <= $2 AND status = 'active' AND deleted_at IS NULL ORDER BY id",
        )
        .load::<Values>(connection)?;
    let mut categories = categories(connection, range)?;
    let mut places = places(connection, range)?;
    let mut tags = tags(connection, range)?;
    let mut variants = variants(connection, range)?;
    let mut options = options(connection, range)?;
    let mut prices = prices(connection, range)?;
    let product = |(id, published_at_us, title, description, product_type, brand, attributes)| {
        let listed = Listed {
            id,
            published_at_us,
            title,
            description,
            product_type,
            brand,
            attributes,
            categories: categories.of(id),
            positions: places.of(id),
            tags: tags.of(id),
            variants: variants.of(id),
            options: options.of(id),
            prices: prices.of(id),
        };
        listed.product()
    };
    products.into_iter().map(product).collect()
}

fn categories(connection: &mut Connection, range: Range) -> Result<Rows<Uuid>, StoreError> {
    let rows = range
        .statement::<(sql::Uuid, sql::Uuid)>(
            "SELECT product_id, category_id FROM product_listing \
              WHERE product_id > $1 AND product_id <= $2 ORDER BY product_id, category_id",
        )
        .load::<(Uuid, Uuid)>(connection)?;
    Ok(Rows::new(rows))
}

fn places(connection: &mut Connection, range: Range) -> Result<Rows<(Uuid, i32)>, StoreError> {
    let rows = range
        .statement::<(sql::Uuid, sql::Uuid, sql::Integer)>(
            "SELECT product_id, category_id, position FROM product_category \
              WHERE product_id > $1 AND product_id <= $2 ORDER BY product_id, category_id",
        )
        .load::<(Uuid, Uuid, i32)>(connection)?;
    let by_product = |(product, category, position)| (product, (category, position));
    Ok(Rows::new(rows.into_iter().map(by_product).collect::<Vec<_>>()))
}

fn tags(connection: &mut Connection, range: Range) -> Result<Rows<String>, StoreError> {
    let rows = range
        .statement::<(sql::Uuid, sql::Text)>(
            "SELECT pt.product_id, t.name FROM product_tag pt JOIN tag t ON t.id = pt.tag_id \
              WHERE pt.product_id > $1 AND pt.product_id <= $2 ORDER BY pt.product_id",
        )
        .load::<(Uuid, String)>(connection)?;
    Ok(Rows::new(rows))
}

fn variants(connection: &mut Connection, range: Range) -> Result<Rows<Variant>, StoreError> {
    type Text = sql::Nullable<sql::Text>;
    type Values = (Uuid, Option<String>, Option<String>, Option<String>, bool, String);
    let rows = range
        .statement::<(sql::Uuid, Text, Text, Text, sql::Bool, sql::Text)>(
            "SELECT product_id, sku, barcode, title, availability <> 'out_of_stock', attributes::text FROM variant \
              WHERE product_id > $1 AND product_id <= $2 ORDER BY product_id",
        )
        .load::<Values>(connection)?;
    let by_product = |(product, sku, barcode, title, is_available, attributes)| {
        (product, Variant { sku, barcode, title, is_available, attributes })
    };
    Ok(Rows::new(rows.into_iter().map(by_product).collect::<Vec<_>>()))
}

fn options(connection: &mut Connection, range: Range) -> Result<Rows<String>, StoreError> {
    let rows = range
        .statement::<(sql::Uuid, sql::Text)>(
            "SELECT v.product_id, o.texts FROM variant v CROSS JOIN LATERAL (\
               SELECT string_agg(ov.value, ' ') AS texts FROM variant_option_value vov \
                 JOIN option_value ov ON ov.id = vov.value_id WHERE vov.variant_id = v.id) o \
              WHERE v.product_id > $1 AND v.product_id <= $2 AND o.texts IS NOT NULL ORDER BY v.product_id",
        )
        .load::<(Uuid, String)>(connection)?;
    Ok(Rows::new(rows))
}

fn prices(connection: &mut Connection, range: Range) -> Result<Rows<(String, i64)>, StoreError> {
    let rows = range
        .statement::<(sql::Uuid, sql::Text, sql::BigInt)>(
            "SELECT v.product_id, x.currency, x.amount FROM variant v CROSS JOIN LATERAL (\
               SELECT currency, amount FROM price WHERE variant_id = v.id OFFSET 0) x \
              WHERE v.product_id > $1 AND v.product_id <= $2 ORDER BY v.product_id",
        )
        .load::<(Uuid, String, i64)>(connection)?;
    let by_product = |(product, currency, amount)| (product, (currency, amount));
    Ok(Rows::new(rows.into_iter().map(by_product).collect::<Vec<_>>()))
}
