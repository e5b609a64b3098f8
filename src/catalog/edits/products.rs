//! Reads and edits of products.
//!
//! Names of brands and categories that do not exist are refused: only an import makes them.

use serde_json::Value;
use uuid::Uuid;

use super::{Edit, Query};
use crate::{
    domain::draft::ProductDraft,
    store::{
        Connection, MissingNames, Precondition,
        error::StoreError,
        products::{self, AdminProduct, AdminProductPage},
    },
};

/// Reads one product, a deleted one too.
#[derive(Debug, Clone)]
pub struct GetProduct {
    /// Which product.
    pub id: Uuid,
}

impl Query for GetProduct {
    type Reply = AdminProduct;
    const NAME: &'static str = "get_product";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        products::get(connection, self.id)
    }
}

/// Reads a page of products, newest first.
#[derive(Debug, Clone)]
pub struct ListProducts {
    /// Id after which the page starts; absent: at the newest.
    pub after: Option<Uuid>,
    /// How many at most.
    pub limit: u16,
    /// The bin instead.
    pub deleted: bool,
}

impl Query for ListProducts {
    type Reply = AdminProductPage;
    const NAME: &'static str = "list_products";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        products::list(connection, self.after, self.limit, self.deleted)
    }
}

/// Makes a product.
#[derive(Debug, Clone)]
pub struct CreateProduct {
    /// What it shall be.
    pub draft: Box<ProductDraft>,
}

impl Edit for CreateProduct {
    type Reply = AdminProduct;
    const NAME: &'static str = "create_product";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        products::create(connection, &self.draft, MissingNames::Refuse)
    }
}

/// Replaces a product.
#[derive(Debug, Clone)]
pub struct ReplaceProduct {
    /// Which product.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// What it shall be.
    pub draft: Box<ProductDraft>,
}

impl Edit for ReplaceProduct {
    type Reply = AdminProduct;
    const NAME: &'static str = "replace_product";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        products::replace(connection, self.id, self.precondition, &self.draft, MissingNames::Refuse)
    }
}

/// Changes what a patch names of a product.
#[derive(Debug, Clone)]
pub struct PatchProduct {
    /// Which product.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// JSON Merge Patch (RFC 7396).
    pub patch: Value,
}

impl Edit for PatchProduct {
    type Reply = AdminProduct;
    const NAME: &'static str = "patch_product";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        products::patch(connection, self.id, self.precondition, &self.patch)
    }
}

/// Moves a product to the bin.
#[derive(Debug, Clone)]
pub struct DeleteProduct {
    /// Which product.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
}

impl Edit for DeleteProduct {
    type Reply = AdminProduct;
    const NAME: &'static str = "delete_product";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        products::delete(connection, self.id, self.precondition)
    }
}

/// Brings a deleted product back.
#[derive(Debug, Clone)]
pub struct RestoreProduct {
    /// Which product.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
}

impl Edit for RestoreProduct {
    type Reply = AdminProduct;
    const NAME: &'static str = "restore_product";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        products::restore(connection, self.id, self.precondition)
    }
}
