//! Reads and edits of brands.

use serde_json::Value;
use uuid::Uuid;

use super::{Edit, Query};
use crate::store::{
    Connection, Precondition,
    brands::{self, AdminBrand, BrandDraft},
    error::StoreError,
};

/// Reads one brand.
#[derive(Debug, Clone)]
pub struct GetBrand {
    /// Which brand.
    pub id: Uuid,
}

impl Query for GetBrand {
    type Reply = AdminBrand;
    const NAME: &'static str = "get_brand";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        brands::get(connection, self.id)
    }
}

/// Reads all brands.
#[derive(Debug, Clone)]
pub struct ListBrands;

impl Query for ListBrands {
    type Reply = Vec<AdminBrand>;
    const NAME: &'static str = "list_brands";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        brands::list(connection)
    }
}

/// Makes a brand.
#[derive(Debug, Clone)]
pub struct CreateBrand {
    /// What it shall be.
    pub draft: BrandDraft,
}

impl Edit for CreateBrand {
    type Reply = AdminBrand;
    const NAME: &'static str = "create_brand";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        brands::create(connection, &self.draft)
    }
}

/// Replaces a brand.
#[derive(Debug, Clone)]
pub struct ReplaceBrand {
    /// Which brand.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// What it shall be.
    pub draft: BrandDraft,
}

impl Edit for ReplaceBrand {
    type Reply = AdminBrand;
    const NAME: &'static str = "replace_brand";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        brands::replace(connection, self.id, self.precondition, &self.draft)
    }
}

/// Changes what a patch names of a brand.
#[derive(Debug, Clone)]
pub struct PatchBrand {
    /// Which brand.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// JSON Merge Patch (RFC 7396).
    pub patch: Value,
}

impl Edit for PatchBrand {
    type Reply = AdminBrand;
    const NAME: &'static str = "patch_brand";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        brands::patch(connection, self.id, self.precondition, &self.patch)
    }
}

/// Deletes a brand.
#[derive(Debug, Clone)]
pub struct DeleteBrand {
    /// Which brand.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
}

impl Edit for DeleteBrand {
    type Reply = ();
    const NAME: &'static str = "delete_brand";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        brands::delete(connection, self.id, self.precondition)
    }
}
