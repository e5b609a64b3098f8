//! Reads and edits of single variants, their prices and their stock.

use serde_json::Value;
use uuid::Uuid;

use super::{Edit, Query};
use crate::{
    domain::{draft::PriceDraft, money::Currency},
    store::{
        Connection, Precondition,
        error::StoreError,
        variants::{self, AdminVariant, StockChange},
    },
};

/// Reads one variant.
#[derive(Debug, Clone)]
pub struct GetVariant {
    /// Which variant.
    pub id: Uuid,
}

impl Query for GetVariant {
    type Reply = AdminVariant;
    const NAME: &'static str = "get_variant";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        variants::get(connection, self.id)
    }
}

/// Changes what a patch names of a variant.
#[derive(Debug, Clone)]
pub struct PatchVariant {
    /// Which variant.
    pub id: Uuid,
    /// What the editor saw; the version is the product's.
    pub precondition: Precondition,
    /// JSON Merge Patch (RFC 7396).
    pub patch: Value,
}

impl Edit for PatchVariant {
    type Reply = AdminVariant;
    const NAME: &'static str = "patch_variant";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        variants::patch(connection, self.id, self.precondition, &self.patch)
    }
}

/// Sets a variant's price in the price's currency.
#[derive(Debug, Clone)]
pub struct SetPrice {
    /// Which variant.
    pub id: Uuid,
    /// What the editor saw; the version is the product's.
    pub precondition: Precondition,
    /// The price.
    pub price: PriceDraft,
}

impl Edit for SetPrice {
    type Reply = AdminVariant;
    const NAME: &'static str = "set_price";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        variants::set_price(connection, self.id, self.precondition, &self.price)
    }
}

/// Removes a variant's price in a currency.
#[derive(Debug, Clone)]
pub struct RemovePrice {
    /// Which variant.
    pub id: Uuid,
    /// What the editor saw; the version is the product's.
    pub precondition: Precondition,
    /// Of the price.
    pub currency: Currency,
}

impl Edit for RemovePrice {
    type Reply = AdminVariant;
    const NAME: &'static str = "remove_price";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        variants::remove_price(connection, self.id, self.precondition, self.currency.code())
    }
}

/// Changes the units of a variant at a location.
#[derive(Debug, Clone)]
pub struct ChangeStock {
    /// Which variant.
    pub id: Uuid,
    /// Code of the location; made when missing.
    pub location: String,
    /// To or by how many units.
    pub change: StockChange,
}

impl Edit for ChangeStock {
    type Reply = AdminVariant;
    const NAME: &'static str = "change_stock";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        variants::change_stock(connection, self.id, &self.location, self.change)
    }
}
