//! What answers are held against by `aisle check`: the tables themselves, not the documents derived from them.

use diesel::{RunQueryDsl, connection::SimpleConnection, sql_types as sql};
use uuid::Uuid;

use super::{
    HEAD, ProductRow, Snapshot, list_ids,
    products::{BRAND, CATEGORIES, ProductSql, ProductValues, VISIBLE, product_row},
};
use crate::{
    domain::list::{ListPage, ListQuery},
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

/// A page and its products.
pub type Page = (ListPage, Vec<ProductRow>);

/// Everything that leads to a product by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Current slug, then retired ones.
    pub slugs: Vec<String>,
    /// SKU of its first variant that has one.
    pub sku: Option<String>,
}

/// Chooses products: half of them recently changed ones, some that the store does not show, the others anywhere; fewer where
/// there are fewer. The same seed chooses the same ones of the same catalogue.
pub fn sample(connection: &mut Connection, seed: i64, count: i64) -> Result<Vec<Uuid>, StoreError> {
    // Walks over every product; whoever checks is in no hurry.
    connection.batch_execute("SET statement_timeout = '1min'")?;
    let recent = "SELECT id FROM (SELECT DISTINCT ON (id) id, pos FROM \
        (SELECT unnest(products) AS id, pos FROM catalog_event WHERE pos IS NOT NULL ORDER BY pos DESC LIMIT 10000) e \
         ORDER BY id, pos DESC) r ORDER BY pos DESC, id LIMIT $1";
    let hidden = "SELECT id FROM product WHERE status <> 'active' OR deleted_at IS NOT NULL \
        ORDER BY uuid_hash_extended(id, $2), id LIMIT $1";
    let any = "SELECT id FROM product ORDER BY uuid_hash_extended(id, $2), id LIMIT $1";
    let mut chosen: Vec<Uuid> = Vec::new();
    for (text, most) in [(recent, count / 2), (hidden, count / 10), (any, count)] {
        let statement = Statement::<sql::Uuid>::new(text, [Bind::Integer(most), Bind::Integer(seed)]);
        let found: Vec<Uuid> = statement.load(connection)?;
        for id in found {
            if i64::try_from(chosen.len()).is_ok_and(|chosen| chosen < count) && !chosen.contains(&id) {
                chosen.push(id);
            }
        }
    }
    Ok(chosen)
}

/// Reads what leads to a product.
pub fn names(connection: &mut Connection, id: Uuid) -> Result<Names, StoreError> {
    let slugs = Statement::<sql::Text>::new(
        "SELECT slug FROM slug WHERE product_id = $1 ORDER BY is_current DESC, slug",
        [Bind::Id(id)],
    );
    let slugs = slugs.load::<String>(connection)?;
    let sku = Statement::<sql::Text>::new(
        "SELECT sku FROM variant WHERE product_id = $1 AND sku IS NOT NULL ORDER BY position, id LIMIT 1",
        [Bind::Id(id)],
    );
    let sku = sku.load::<String>(connection)?.pop();
    Ok(Names { slugs, sku })
}

/// Reads a product that the store shows, its document built now: a stored one is as wrong as what escaped the triggers.
pub fn product(connection: &mut Connection, id: Uuid) -> Result<Snapshot<Option<ProductRow>>, StoreError> {
    let text = format!(
        "SELECT h.head, p.id, p.version, catalog.build_document(p.id), b.id, b.slug, b.name, {CATEGORIES} \
           FROM {HEAD} LEFT JOIN product p ON p.id = $1 AND {VISIBLE} {BRAND}"
    );
    let row = Statement::<ProductSql>::new(text, [Bind::Id(id)]).get_result::<ProductValues>(connection)?;
    Ok(Snapshot { head: row.0, value: product_row(row)?.map(|(_, row)| row) })
}

/// Reads a page and the products on it; inside of [`super::in_snapshot`].
pub fn page(connection: &mut Connection, query: &ListQuery) -> Result<Snapshot<Option<Page>>, StoreError> {
    let Snapshot { head, value } = list_ids(connection, query)?;
    let Some(ids) = value else { return Ok(Snapshot { head, value: None }) };
    let mut rows = Vec::with_capacity(ids.ids.len());
    for id in &ids.ids {
        rows.extend(product(connection, *id)?.value);
    }
    Ok(Snapshot { head, value: Some((ids, rows)) })
}
