//! Reads and edits of categories.

use serde_json::Value;
use uuid::Uuid;

use super::{Edit, Query};
use crate::store::{
    Connection, Precondition,
    categories::{self, AdminCategory, CategoryDraft},
    error::StoreError,
};

/// Reads one category.
#[derive(Debug, Clone)]
pub struct GetCategory {
    /// Which category.
    pub id: Uuid,
}

impl Query for GetCategory {
    type Reply = AdminCategory;
    const NAME: &'static str = "get_category";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        categories::get(connection, self.id)
    }
}

/// Reads all categories.
#[derive(Debug, Clone)]
pub struct ListCategories;

impl Query for ListCategories {
    type Reply = Vec<AdminCategory>;
    const NAME: &'static str = "list_categories";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        categories::list(connection)
    }
}

/// Makes a category.
#[derive(Debug, Clone)]
pub struct CreateCategory {
    /// What it shall be.
    pub draft: CategoryDraft,
}

impl Edit for CreateCategory {
    type Reply = AdminCategory;
    const NAME: &'static str = "create_category";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        categories::create(connection, &self.draft)
    }
}

/// Replaces a category.
#[derive(Debug, Clone)]
pub struct ReplaceCategory {
    /// Which category.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// What it shall be.
    pub draft: CategoryDraft,
}

impl Edit for ReplaceCategory {
    type Reply = AdminCategory;
    const NAME: &'static str = "replace_category";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        categories::replace(connection, self.id, self.precondition, &self.draft)
    }
}

/// Changes what a patch names of a category.
#[derive(Debug, Clone)]
pub struct PatchCategory {
    /// Which category.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// JSON Merge Patch (RFC 7396).
    pub patch: Value,
}

impl Edit for PatchCategory {
    type Reply = AdminCategory;
    const NAME: &'static str = "patch_category";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        categories::patch(connection, self.id, self.precondition, &self.patch)
    }
}

/// Deletes a category.
#[derive(Debug, Clone)]
pub struct DeleteCategory {
    /// Which category.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
}

impl Edit for DeleteCategory {
    type Reply = ();
    const NAME: &'static str = "delete_category";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        categories::delete(connection, self.id, self.precondition)
    }
}
