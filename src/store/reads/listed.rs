//! What the index of lists is fed with: products as lists see them, by id or all of them, and what changed since.
//!
//! Everything here runs in the caller's REPEATABLE READ transaction, so that products, brands, categories and the log are of
//! one instant.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{RunQueryDsl, sql_types as sql};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    domain::{
        dependency::Dependency,
        listed::{ListedBrand, ListedCategory, ListedProduct, ListedText, value_text},
        money::Currency,
    },
    store::{
        Connection,
        error::StoreError,
        statement::{Bind, Statement},
    },
};

/// What the log says changed after a position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedChanges {
    /// The era of the database.
    pub era: Option<Uuid>,
    /// Last position of the log.
    pub head: i64,
    /// Nonce of the event at the head.
    pub nonce: Option<Uuid>,
    /// Nonce of the event at the position asked from; absent when it is pruned or lost.
    pub known: Option<Uuid>,
    /// Products whose place in lists can have changed, with the position of the last change; `None`: too many to name.
    pub products: Option<BTreeMap<Uuid, i64>>,
    /// Last position at which anything else changed that lists name, if it did.
    pub names: Option<i64>,
}

type EventRow = (sql::BigInt, sql::Nullable<sql::Array<sql::Uuid>>, sql::Bool);

/// Reads what changed after `position`.
pub fn changes(connection: &mut Connection, position: i64) -> Result<ListedChanges, StoreError> {
    type Row = (sql::Nullable<sql::Uuid>, sql::BigInt, sql::Nullable<sql::Uuid>, sql::Nullable<sql::Uuid>);
    let (era, head, nonce, known) = Statement::<Row>::new(
        "SELECT catalog.era(), coalesce(l.pos, 0), l.nonce, (SELECT nonce FROM catalog_event WHERE pos = $1) \
           FROM (VALUES (0)) one LEFT JOIN (SELECT pos, nonce FROM catalog_event WHERE pos IS NOT NULL \
                 ORDER BY pos DESC LIMIT 1) l ON true",
        [Bind::Integer(position)],
    )
    .get_result::<(Option<Uuid>, i64, Option<Uuid>, Option<Uuid>)>(connection)?;
    let names =
        [Dependency::brand_list(), Dependency::category_tree(), Dependency::synonyms(), Dependency::ALL];
    let text = format!(
        "SELECT pos, listed, deps && ARRAY[{}]::bigint[] FROM catalog_event WHERE pos > $1 AND kind = 'edit' ORDER BY pos",
        names.map(|dependency| dependency.0.to_string()).join(",")
    );
    let events = Statement::<EventRow>::new(text, [Bind::Integer(position)])
        .load::<(i64, Option<Vec<Uuid>>, bool)>(connection)?;
    let mut found = ListedChanges { era, head, nonce, known, products: Some(BTreeMap::new()), names: None };
    for (pos, products, has_names) in events {
        if has_names {
            found.names = Some(pos);
        }
        match (&mut found.products, products) {
            (Some(all), Some(products)) => all.extend(products.into_iter().map(|id| (id, pos))),
            (all, None) => *all = None,
            (None, Some(_)) => {}
        }
    }
    Ok(found)
}

type ProductSql = (
    sql::Uuid,
    sql::BigInt,
    sql::Text,
    sql::Text,
    sql::Text,
    sql::Nullable<sql::Uuid>,
    sql::Text,
    sql::Array<sql::Uuid>,
    sql::Array<sql::Uuid>,
    sql::Array<sql::Integer>,
    sql::Array<sql::Text>,
    sql::Text,
);
type ProductValues = (
    Uuid,
    i64,
    String,
    String,
    String,
    Option<Uuid>,
    String,
    Vec<Uuid>,
    Vec<Uuid>,
    Vec<i32>,
    Vec<String>,
    String,
);

/// Reads those of these products that the store shows.
pub fn listed(connection: &mut Connection, ids: &[Uuid]) -> Result<Vec<ListedProduct>, StoreError> {
    let rows = Statement::<ProductSql>::new("SELECT * FROM catalog.listed($1)", [Bind::Ids(ids)])
        .load::<ProductValues>(connection)?;
    rows.into_iter().map(product).collect()
}

/// Ids of the next products that the store shows, in their order.
pub fn visible_after(connection: &mut Connection, after: Uuid, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let ids = Statement::<sql::Uuid>::new(
        "SELECT id FROM product WHERE id > $1 AND status = 'active' AND deleted_at IS NULL ORDER BY id LIMIT $2",
        [Bind::Id(after), Bind::Integer(limit)],
    );
    Ok(ids.load(connection)?)
}

/// Reads all brands.
pub fn listed_brands(connection: &mut Connection) -> Result<Vec<ListedBrand>, StoreError> {
    let rows = Statement::<(sql::Uuid, sql::Text, sql::Text)>::new("SELECT id, slug, name FROM brand", [])
        .load::<(Uuid, String, String)>(connection)?;
    let brand =
        |(id, slug, name): (Uuid, String, String)| ListedBrand { id, slug: slug.into(), name: name.into() };
    Ok(rows.into_iter().map(brand).collect())
}

/// Reads all categories.
pub fn listed_categories(connection: &mut Connection) -> Result<Vec<ListedCategory>, StoreError> {
    type Values = (Uuid, String, String, String);
    let rows = Statement::<(sql::Uuid, sql::Text, sql::Text, sql::Text)>::new(
        "SELECT id, slug, name, path FROM category",
        [],
    )
    .load::<Values>(connection)?;
    let category = |(id, slug, name, path): Values| ListedCategory {
        id,
        slug: slug.into(),
        name: name.into(),
        path: path.into(),
    };
    Ok(rows.into_iter().map(category).collect())
}

/// A variant as `catalog.listed` tells of it.
#[derive(Deserialize)]
struct Variant(
    /// SKU.
    Option<String>,
    /// Barcode.
    Option<String>,
    /// Title.
    Option<String>,
    /// Whether it can be ordered.
    bool,
    /// Attributes.
    Map<String, Value>,
    /// Values of its options.
    Option<String>,
    /// Prices.
    Vec<(String, i64)>,
);

fn product(row: ProductValues) -> Result<ListedProduct, StoreError> {
    let (
        id,
        published_at_us,
        title,
        description,
        product_type,
        brand,
        attributes,
        categories,
        places,
        positions,
        tags,
        variants,
    ) = row;
    let unreadable =
        |error: serde_json::Error| StoreError::Internal(format!("product {id} as listed: {error}"));
    let own: Map<String, Value> = serde_json::from_str(&attributes).map_err(unreadable)?;
    let variants: Vec<Variant> = serde_json::from_str(&variants).map_err(unreadable)?;
    let mut prices = BTreeMap::<Currency, BTreeSet<i64>>::new();
    for (currency, amount) in variants.iter().flat_map(|variant| &variant.6) {
        if let Some(currency) = Currency::parse(currency) {
            prices.entry(currency).or_default().insert(*amount);
        }
    }
    let mut values = BTreeSet::new();
    for (code, value) in own.iter().chain(variants.iter().flat_map(|variant| &variant.4)) {
        let members = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        values.extend(
            members.iter().filter_map(value_text).map(|text| (Box::<str>::from(code.as_str()), text)),
        );
    }
    let mut codes = Vec::new();
    let mut words: Vec<Box<str>> = values.iter().map(|(_, text)| text.clone()).collect();
    for Variant(sku, barcode, title, _, _, options, _) in &variants {
        codes.extend([sku, barcode].into_iter().flatten().map(|code| code.as_str().into()));
        words.extend([title, options].into_iter().flatten().map(|text| text.as_str().into()));
    }
    words.sort();
    words.dedup();
    Ok(ListedProduct {
        id,
        published_at_us,
        title: title.into(),
        brand,
        categories: categories.into(),
        positions: places.into_iter().zip(positions).collect(),
        tags: tags.into_iter().map(Into::into).collect(),
        prices: prices
            .into_iter()
            .map(|(currency, amounts)| (currency, amounts.into_iter().collect()))
            .collect(),
        in_stock: variants.iter().any(|variant| variant.3),
        attributes: values.into_iter().collect(),
        text: ListedText {
            description: description.into(),
            product_type: product_type.into(),
            codes: codes.into(),
            words: words.into(),
        },
    })
}
