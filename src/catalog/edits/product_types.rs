//! Reads and edits of product types.

use serde_json::Value;
use uuid::Uuid;

use super::{Edit, Query};
use crate::store::{
    Connection, Precondition,
    error::StoreError,
    product_types::{self, AdminProductType, Misfits, ProductTypeDraft},
};

/// Reads one product type.
#[derive(Debug, Clone)]
pub struct GetProductType {
    /// Which product type.
    pub id: Uuid,
}

impl Query for GetProductType {
    type Reply = AdminProductType;
    const NAME: &'static str = "get_product_type";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        product_types::get(connection, self.id)
    }
}

/// Reads all product types.
#[derive(Debug, Clone)]
pub struct ListProductTypes;

impl Query for ListProductTypes {
    type Reply = Vec<AdminProductType>;
    const NAME: &'static str = "list_product_types";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        product_types::list(connection)
    }
}

/// Makes a product type.
#[derive(Debug, Clone)]
pub struct CreateProductType {
    /// What it shall be.
    pub draft: ProductTypeDraft,
}

impl Edit for CreateProductType {
    type Reply = AdminProductType;
    const NAME: &'static str = "create_product_type";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        product_types::create(connection, &self.draft)
    }
}

/// Replaces a product type.
#[derive(Debug, Clone)]
pub struct ReplaceProductType {
    /// Which product type.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// What it shall be.
    pub draft: ProductTypeDraft,
}

impl Edit for ReplaceProductType {
    type Reply = AdminProductType;
    const NAME: &'static str = "replace_product_type";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        product_types::replace(connection, self.id, self.precondition, &self.draft)
    }
}

/// Changes what a patch names of a product type.
#[derive(Debug, Clone)]
pub struct PatchProductType {
    /// Which product type.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// JSON Merge Patch (RFC 7396).
    pub patch: Value,
}

impl Edit for PatchProductType {
    type Reply = AdminProductType;
    const NAME: &'static str = "patch_product_type";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        product_types::patch(connection, self.id, self.precondition, &self.patch)
    }
}

/// Deletes a product type.
#[derive(Debug, Clone)]
pub struct DeleteProductType {
    /// Which product type.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
}

impl Edit for DeleteProductType {
    type Reply = ();
    const NAME: &'static str = "delete_product_type";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        product_types::delete(connection, self.id, self.precondition)
    }
}

/// Looks over products of a type for values that do not fit it.
#[derive(Debug, Clone)]
pub struct FindMisfits {
    /// Which product type.
    pub id: Uuid,
    /// Id after which to look; absent: from the first.
    pub after: Option<Uuid>,
    /// How many to list at most.
    pub limit: u16,
}

impl Query for FindMisfits {
    type Reply = Misfits;
    const NAME: &'static str = "find_misfits";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        product_types::misfits(connection, self.id, self.after, self.limit)
    }
}
