//! Products by many names at once: the names and what they lead to in one snapshot.

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{
    HEAD, Snapshot,
    products::{
        BRAND, CATEGORIES, COLUMNS, DOCUMENT, ProductRow, ProductSql, ProductValues, VISIBLE, product_row,
    },
};
use crate::store::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

/// A name and the product of the store that it leads to.
#[derive(Debug, Clone)]
pub struct NamedRow {
    /// The name.
    pub name: String,
    /// The product.
    pub id: Uuid,
    /// Its current slug, if the name is a retired one.
    pub moved_to: Option<String>,
    /// The product's row.
    pub row: ProductRow,
}

type RowSql = (ProductSql, sql::Nullable<sql::Text>, sql::Nullable<sql::Text>);
type RowValues = (ProductValues, Option<String>, Option<String>);

/// Reads what current and retired slugs name in the store; those that name nothing are missing in the answer.
pub fn by_slugs(
    connection: &mut Connection,
    slugs: &[String],
) -> Result<Snapshot<Vec<NamedRow>>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS}, {CATEGORIES}, s.slug, CASE WHEN NOT s.is_current THEN now.slug END FROM {HEAD} \
           LEFT JOIN (slug s JOIN product p ON p.id = s.product_id AND {VISIBLE} \
             JOIN slug now ON now.product_id = p.id AND now.is_current {DOCUMENT} {BRAND}) ON s.slug = ANY ($1)"
    );
    rows(connection, text, slugs)
}

/// Reads what SKUs name in the store; those that name nothing are missing in the answer.
pub fn by_skus(connection: &mut Connection, skus: &[String]) -> Result<Snapshot<Vec<NamedRow>>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS}, {CATEGORIES}, v.sku, NULL FROM {HEAD} \
           LEFT JOIN (variant v JOIN product p ON p.id = v.product_id AND {VISIBLE} {DOCUMENT} {BRAND}) \
             ON v.sku = ANY ($1)"
    );
    rows(connection, text, skus)
}

fn rows(
    connection: &mut Connection,
    text: String,
    names: &[String],
) -> Result<Snapshot<Vec<NamedRow>>, StoreError> {
    let rows = Statement::<RowSql>::new(text, [Bind::Texts(names)]).load::<RowValues>(connection)?;
    let head = rows.first().map_or(0, |(product, _, _)| product.0);
    let mut found = Vec::with_capacity(rows.len());
    for (product, name, moved_to) in rows {
        if let (Some((id, row)), Some(name)) = (product_row(product)?, name) {
            found.push(NamedRow { name, id, moved_to, row });
        }
    }
    Ok(Snapshot { head, value: found })
}
