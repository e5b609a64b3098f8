//! What answers are held against by `aisle check`: the tables themselves, not the documents derived from them.

use diesel::{RunQueryDsl, sql_types as sql};
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

/// Products looked at for each that is chosen at random: whole pages of the table are read, and few of each page taken.
const POOL: i64 = 20;

/// Chooses products: half of them recently changed ones, some that the store does not show, the others anywhere; fewer where
/// there are fewer. The same seed chooses the same ones of the same catalogue. Costs the same however many products there are.
pub fn sample(connection: &mut Connection, seed: i64, count: i64) -> Result<Vec<Uuid>, StoreError> {
    let anywhere = anywhere(connection, seed, count)?;
    let recent = Statement::<sql::Uuid>::new(
        "SELECT id FROM (SELECT DISTINCT ON (id) id, pos FROM \
        (SELECT unnest(products) AS id, pos FROM catalog_event WHERE pos IS NOT NULL ORDER BY pos DESC LIMIT 10000) e \
         ORDER BY id, pos DESC) r ORDER BY pos DESC, id LIMIT $1",
        [Bind::Integer(count / 2)],
    );
    let recent = recent.load::<Uuid>(connection)?;
    let hidden = hidden(connection, anywhere.first().copied().unwrap_or_default(), count / 10)?;
    let mut chosen: Vec<Uuid> = Vec::new();
    for id in recent.into_iter().chain(hidden).chain(anywhere) {
        if i64::try_from(chosen.len()).is_ok_and(|chosen| chosen < count) && !chosen.contains(&id) {
            chosen.push(id);
        }
    }
    Ok(chosen)
}

/// Products of pages anywhere in the table.
fn anywhere(connection: &mut Connection, seed: i64, count: i64) -> Result<Vec<Uuid>, StoreError> {
    const WHOLE: i64 = 1_000_000;
    let rows = Statement::<sql::BigInt>::new(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = 'product'::regclass",
        [],
    );
    // Below zero: the database has not counted yet.
    let rows = rows.get_result::<i64>(connection)?.max(1);
    let part = count.saturating_mul(POOL).saturating_mul(WHOLE).checked_div(rows).unwrap_or(WHOLE);
    let mut found = Vec::new();
    // The count may be an old one: where it promised too much everything is looked at.
    for part in [part.clamp(1, WHOLE), WHOLE] {
        let pages = Statement::<sql::Uuid>::new(
            "SELECT id FROM product TABLESAMPLE SYSTEM ($3 / 10000.0) REPEATABLE ($2) \
              ORDER BY uuid_hash_extended(id, $2), id LIMIT $1",
            [count, seed, part].map(Bind::Integer),
        );
        found = pages.load::<Uuid>(connection)?;
        if part == WHOLE || i64::try_from(found.len()).is_ok_and(|found| found >= count) {
            break;
        }
    }
    Ok(found)
}

/// Products that the store does not show: the next after a place, counted round.
fn hidden(connection: &mut Connection, place: Uuid, count: i64) -> Result<Vec<Uuid>, StoreError> {
    let hidden = Statement::<sql::Uuid>::new(
        "SELECT id FROM (\
           (SELECT 1 AS round, id FROM product WHERE (status <> 'active' OR deleted_at IS NOT NULL) AND id >= $2 \
             ORDER BY id LIMIT $1) UNION ALL \
           (SELECT 2 AS round, id FROM product WHERE (status <> 'active' OR deleted_at IS NOT NULL) AND id < $2 \
             ORDER BY id LIMIT $1)) h ORDER BY round, id LIMIT $1",
        [Bind::Integer(count), Bind::Id(place)],
    );
    Ok(hidden.load(connection)?)
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
