//! What the index of lists is fed with: products as lists see them, by id or all of them, and what changed since.
//!
//! Everything here runs in the caller's REPEATABLE READ transaction, so that products, brands, categories and the log are of
//! one instant.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{RunQueryDsl, sql_types as sql};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};
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

/// A variant as `catalog.listed` tells of it: SKU, barcode, title, whether it can be ordered, attributes, values of its
/// options, prices.
#[derive(Deserialize)]
struct VariantRow<'a>(
    Option<String>,
    Option<String>,
    Option<String>,
    bool,
    #[serde(borrow)] &'a RawValue,
    Option<String>,
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
    let rows: Vec<VariantRow<'_>> = serde_json::from_str(&variants).map_err(unreadable(id))?;
    let (mut variants, mut options, mut prices) = (Vec::new(), Vec::new(), Vec::new());
    for VariantRow(sku, barcode, title, is_available, attributes, option, amounts) in rows {
        let attributes = attributes.get().to_owned();
        variants.push(Variant { sku, barcode, title, is_available, attributes });
        options.extend(option);
        prices.extend(amounts);
    }
    let positions = places.into_iter().zip(positions).collect();
    let listed = Listed {
        id,
        published_at_us,
        title,
        description,
        product_type,
        brand,
        attributes,
        categories,
        positions,
        tags,
        variants,
        options,
        prices,
    };
    listed.product()
}

fn unreadable(id: Uuid) -> impl Fn(serde_json::Error) -> StoreError {
    move |error| StoreError::Internal(format!("product {id} as listed: {error}"))
}

/// What is read of a variant, without options and prices.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) sku: Option<String>,
    pub(super) barcode: Option<String>,
    pub(super) title: Option<String>,
    /// Whether it can be ordered.
    pub(super) is_available: bool,
    /// A JSON object.
    pub(super) attributes: String,
}

/// What is read of a product.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) id: Uuid,
    pub(super) published_at_us: i64,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) product_type: String,
    pub(super) brand: Option<Uuid>,
    /// A JSON object.
    pub(super) attributes: String,
    pub(super) categories: Vec<Uuid>,
    pub(super) positions: Vec<(Uuid, i32)>,
    pub(super) tags: Vec<String>,
    pub(super) variants: Vec<Variant>,
    /// For each variant that has options, their values.
    pub(super) options: Vec<String>,
    /// Of all variants.
    pub(super) prices: Vec<(String, i64)>,
}

impl Listed {
    /// The product as lists see it. Equal whichever statement read it: all lists are in order.
    pub(super) fn product(self) -> Result<ListedProduct, StoreError> {
        let mut prices = BTreeMap::<Currency, BTreeSet<i64>>::new();
        for (currency, amount) in &self.prices {
            if let Some(currency) = Currency::parse(currency) {
                prices.entry(currency).or_default().insert(*amount);
            }
        }
        let mut values = Vec::new();
        for attributes in std::iter::once(&self.attributes).chain(self.variants.iter().map(|v| &v.attributes))
        {
            add_values(attributes, &mut values).map_err(unreadable(self.id))?;
        }
        values.sort_unstable();
        values.dedup();
        let mut codes = Vec::<Box<str>>::new();
        let mut words: Vec<Box<str>> = values.iter().map(|(_, text)| text.clone()).collect();
        let is_available = self.variants.iter().any(|variant| variant.is_available);
        for Variant { sku, barcode, title, .. } in self.variants {
            codes.extend([sku, barcode].into_iter().flatten().map(String::into_boxed_str));
            words.extend(title.map(String::into_boxed_str));
        }
        words.extend(self.options.into_iter().map(String::into_boxed_str));
        for texts in [&mut codes, &mut words] {
            texts.sort_unstable();
            texts.dedup();
        }
        Ok(ListedProduct {
            id: self.id,
            published_at_us: self.published_at_us,
            title: self.title.into(),
            brand: self.brand,
            categories: self.categories.into(),
            positions: self.positions.into(),
            tags: self.tags.into_iter().map(Into::into).collect(),
            prices: prices
                .into_iter()
                .map(|(currency, amounts)| (currency, amounts.into_iter().collect()))
                .collect(),
            in_stock: is_available,
            attributes: values.into(),
            text: ListedText {
                description: self.description.into(),
                product_type: self.product_type.into(),
                codes: codes.into(),
                words: words.into(),
            },
        })
    }
}

/// Adds the values of a JSON object as lists compare them.
fn add_values(object: &str, to: &mut Vec<(Box<str>, Box<str>)>) -> Result<(), serde_json::Error> {
    // Most variants have none.
    if object == "{}" {
        return Ok(());
    }
    let object: Map<String, Value> = serde_json::from_str(object)?;
    for (code, value) in &object {
        let members = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        let texts = members.iter().filter_map(value_text);
        to.extend(texts.map(|text| (Box::from(code.as_str()), text)));
    }
    Ok(())
}
