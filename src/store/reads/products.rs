//! Products by id, and what slugs and SKUs name.

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{HEAD, Snapshot};
use crate::{
    domain::document::{BrandReference, CategoryReference},
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

/// A product that the store shows.
#[derive(Debug, Clone)]
pub struct ProductRow {
    /// JSON of [`crate::domain::document::ProductDocument`].
    pub body: String,
    /// Aggregate version.
    pub version: i64,
    /// Its brand, if any.
    pub brand: Option<BrandReference>,
    /// The categories it is in, by path.
    pub categories: Vec<CategoryReference>,
}

/// What a slug names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlugTarget {
    /// The product.
    pub product_id: Uuid,
    /// The product's current slug.
    pub current_slug: String,
    /// Whether the slug asked for is that one.
    pub is_current: bool,
}

pub(super) type ProductSql = (
    sql::BigInt,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::BigInt>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Uuid>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Text>,
    sql::Nullable<sql::Text>,
);
pub(super) type ProductValues = (
    i64,
    Option<Uuid>,
    Option<i64>,
    Option<String>,
    Option<Uuid>,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// The stored document where it is current, else one built now.
pub(super) const COLUMNS: &str =
    "h.head, p.id, p.version, coalesce(d.body, catalog.build_document(p.id)), b.id, b.slug, b.name";
pub(super) const DOCUMENT: &str =
    "LEFT JOIN product_document d ON d.product_id = p.id AND d.version = p.version";
/// The categories of product `p`.
pub(super) const CATEGORIES: &str = "(SELECT json_agg(json_build_object('id', c.id, 'slug', c.slug, 'name', c.name, \
    'path', c.path) ORDER BY c.path)::text \
       FROM product_category pc JOIN category c ON c.id = pc.category_id WHERE pc.product_id = p.id)";
pub(super) const BRAND: &str = "LEFT JOIN brand b ON b.id = p.brand_id";
pub(super) const VISIBLE: &str = "p.status = 'active' AND p.deleted_at IS NULL";

/// Reads a product that the store shows.
pub fn product(connection: &mut Connection, id: Uuid) -> Result<Snapshot<Option<ProductRow>>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS}, {CATEGORIES} FROM {HEAD} LEFT JOIN product p ON p.id = $1 AND {VISIBLE} {DOCUMENT} {BRAND}"
    );
    let row = Statement::<ProductSql>::new(text, [Bind::Id(id)]).get_result::<ProductValues>(connection)?;
    Ok(Snapshot { head: row.0, value: product_row(row)?.map(|(_, row)| row) })
}

/// Reads the products among `ids` that the store shows, in the order of `ids`.
pub fn products(
    connection: &mut Connection,
    ids: &[Uuid],
) -> Result<Snapshot<Vec<(Uuid, ProductRow)>>, StoreError> {
    let text = format!(
        "SELECT {COLUMNS}, {CATEGORIES} FROM {HEAD} LEFT JOIN (unnest($1) WITH ORDINALITY AS i (id, place) \
         JOIN product p ON p.id = i.id AND {VISIBLE} {DOCUMENT} {BRAND}) ON true ORDER BY i.place"
    );
    let rows = Statement::<ProductSql>::new(text, [Bind::Ids(ids)]).load::<ProductValues>(connection)?;
    let head = rows.first().map_or(0, |row| row.0);
    let value = rows.into_iter().filter_map(|row| product_row(row).transpose()).collect::<Result<_, _>>()?;
    Ok(Snapshot { head, value })
}

pub(super) fn product_row(row: ProductValues) -> Result<Option<(Uuid, ProductRow)>, StoreError> {
    let (_, Some(id), Some(version), Some(body), brand_id, brand_slug, brand_name, categories) = row else {
        return Ok(None);
    };
    let brand = match (brand_id, brand_slug, brand_name) {
        (Some(id), Some(slug), Some(name)) => Some(BrandReference { id, slug, name }),
        _ => None,
    };
    let categories = match categories {
        Some(json) => serde_json::from_str(&json)
            .map_err(|error| StoreError::Internal(format!("categories of a product: {error}")))?,
        None => Vec::new(),
    };
    Ok(Some((id, ProductRow { body, version, brand, categories })))
}

/// Reads what a current or retired slug names in the store.
pub fn by_slug(connection: &mut Connection, slug: &str) -> Result<Snapshot<Option<SlugTarget>>, StoreError> {
    type Row = (sql::BigInt, sql::Nullable<sql::Uuid>, sql::Nullable<sql::Text>, sql::Nullable<sql::Bool>);
    let text = format!(
        "SELECT h.head, p.id, now.slug, s.is_current FROM {HEAD} LEFT JOIN (slug s \
         JOIN product p ON p.id = s.product_id AND {VISIBLE} \
         JOIN slug now ON now.product_id = p.id AND now.is_current) ON s.slug = $1"
    );
    let (head, id, current, is_current) =
        Statement::<Row>::new(text, [Bind::Text(slug)])
            .get_result::<(i64, Option<Uuid>, Option<String>, Option<bool>)>(connection)?;
    let value = match (id, current, is_current) {
        (Some(product_id), Some(current_slug), Some(is_current)) => {
            Some(SlugTarget { product_id, current_slug, is_current })
        }
        _ => None,
    };
    Ok(Snapshot { head, value })
}

/// Reads which product of the store has a variant with this SKU.
pub fn by_sku(connection: &mut Connection, sku: &str) -> Result<Snapshot<Option<Uuid>>, StoreError> {
    let text = format!(
        "SELECT h.head, p.id FROM {HEAD} LEFT JOIN (variant v JOIN product p ON p.id = v.product_id AND {VISIBLE}) \
         ON v.sku = $1"
    );
    let (head, value) = Statement::<(sql::BigInt, sql::Nullable<sql::Uuid>)>::new(text, [Bind::Text(sku)])
        .get_result::<(i64, Option<Uuid>)>(connection)?;
    Ok(Snapshot { head, value })
}
