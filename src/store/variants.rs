//! Single variants, prices and stock levels: the edits that happen all day.

use diesel::{prelude::*, upsert::excluded};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Connection, Precondition, error::StoreError, products, schema};
use crate::{
    domain::draft::{PriceDraft, VariantDraft},
    limits::{LOCATIONS_MAX, STOCK_MAX},
};

/// A variant as the admin API answers it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdminVariant {
    /// The product it belongs to.
    pub product_id: Uuid,
    /// Aggregate version of the product; the number in the `ETag`.
    pub version: i64,
    /// What can be edited; ids filled in.
    #[serde(flatten)]
    pub draft: VariantDraft,
}

/// Reads one variant; none of a deleted product.
pub fn get(connection: &mut Connection, id: Uuid) -> Result<AdminVariant, StoreError> {
    let product_id = product_of(connection, id)?;
    let product = products::get(connection, product_id)?;
    if product.deleted_at.is_some() {
        return Err(StoreError::NotFound);
    }
    let draft = product.draft.variants.into_iter().find(|variant| variant.id == Some(id));
    let draft = draft.ok_or(StoreError::NotFound)?;
    Ok(AdminVariant { product_id, version: product.version, draft })
}

fn product_of(connection: &mut Connection, id: Uuid) -> Result<Uuid, StoreError> {
    Ok(schema::variant::table.find(id).select(schema::variant::product_id).first(connection)?)
}

/// Locks the variant's product, always before the variant: every edit takes its locks in that order.
fn lock(connection: &mut Connection, id: Uuid, precondition: Precondition) -> Result<(), StoreError> {
    let product_id = product_of(connection, id)?;
    products::lock(connection, product_id, precondition)?;
    // Gone, or moved to another product, while the lock was waited for?
    if product_of(connection, id)? == product_id { Ok(()) } else { Err(StoreError::Collision) }
}

/// Applies a JSON Merge Patch to one variant. Inside a transaction. The precondition is on the product's version.
pub fn patch(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    patch: &Value,
) -> Result<AdminVariant, StoreError> {
    let product_id = product_of(connection, id)?;
    products::patch_variant(connection, product_id, id, precondition, patch)?;
    get(connection, id)
}

/// Sets the price in the price's currency. Inside a transaction.
pub fn set_price(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    price: &PriceDraft,
) -> Result<AdminVariant, StoreError> {
    use schema::price::dsl;
    lock(connection, id, precondition)?;
    diesel::insert_into(dsl::price)
        .values((
            dsl::variant_id.eq(id),
            dsl::currency.eq(price.currency.code()),
            dsl::amount.eq(price.amount),
            dsl::compare_at.eq(price.compare_at),
        ))
        .on_conflict((dsl::variant_id, dsl::currency))
        .do_update()
        .set((dsl::amount.eq(excluded(dsl::amount)), dsl::compare_at.eq(excluded(dsl::compare_at))))
        .execute(connection)?;
    get(connection, id)
}

/// Removes the price in a currency (ISO code). Inside a transaction.
pub fn remove_price(
    connection: &mut Connection,
    id: Uuid,
    precondition: Precondition,
    currency: &str,
) -> Result<AdminVariant, StoreError> {
    use schema::price::dsl;
    lock(connection, id, precondition)?;
    let removed = diesel::delete(dsl::price.find((id, currency.to_ascii_uppercase()))).execute(connection)?;
    if removed == 0 { Err(StoreError::NotFound) } else { get(connection, id) }
}

/// How a stock level changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StockChange {
    /// To this many units.
    Set(i32),
    /// By this many units.
    Adjust(i32),
}

/// Changes the units at a location (made when missing) and starts counting. Inside a transaction.
/// No precondition: stock moves all day, and `Adjust` composes.
pub fn change_stock(
    connection: &mut Connection,
    id: Uuid,
    location: &str,
    change: StockChange,
) -> Result<AdminVariant, StoreError> {
    use schema::{stock_level, variant};
    lock(connection, id, Precondition::Exists)?;
    let code = [location.to_owned()];
    let location_id = products::location_ids(connection, &code)?.into_values().next();
    let location_id = location_id.ok_or_else(|| StoreError::Internal("location was not made".to_owned()))?;
    let quantity = match change {
        StockChange::Set(quantity) => quantity,
        StockChange::Adjust(by) => stock_level::table
            .find((id, location_id))
            .select(stock_level::quantity)
            .for_no_key_update()
            .first::<i32>(connection)
            .optional()?
            .unwrap_or(0)
            .checked_add(by)
            .filter(|quantity| i64::from(*quantity).abs() <= STOCK_MAX)
            .ok_or_else(|| StoreError::invalid("#/adjust", "out_of_range", "the stock would be too large"))?,
    };
    has_room(connection, id, location_id)?;
    diesel::insert_into(stock_level::table)
        .values((
            stock_level::variant_id.eq(id),
            stock_level::location_id.eq(location_id),
            stock_level::quantity.eq(quantity),
        ))
        .on_conflict((stock_level::variant_id, stock_level::location_id))
        .do_update()
        .set(stock_level::quantity.eq(excluded(stock_level::quantity)))
        .execute(connection)?;
    diesel::update(variant::table.find(id).filter(variant::track_inventory.eq(false)))
        .set(variant::track_inventory.eq(true))
        .execute(connection)?;
    get(connection, id)
}

/// Refuses a location beyond the most that a document of the product may list: it could not be edited as a whole any more.
/// Under the product's lock.
fn has_room(connection: &mut Connection, id: Uuid, location_id: Uuid) -> Result<(), StoreError> {
    use schema::stock_level::dsl;
    let locations: Vec<Uuid> =
        dsl::stock_level.filter(dsl::variant_id.eq(id)).select(dsl::location_id).load(connection)?;
    if locations.len() < LOCATIONS_MAX || locations.contains(&location_id) {
        return Ok(());
    }
    let detail = format!("a variant has stock at no more than {LOCATIONS_MAX} locations");
    Err(StoreError::invalid("#", "too_many", detail))
}
