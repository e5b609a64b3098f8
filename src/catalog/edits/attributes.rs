//! Reads and edits of attribute definitions.

use serde_json::Value;
use uuid::Uuid;

use super::{Edit, Query};
use crate::store::{
    Connection, Precondition,
    attributes::{self, AdminAttributeDefinition, AttributeDefinitionDraft},
    error::StoreError,
};

/// Reads one attribute definition.
#[derive(Debug, Clone)]
pub struct GetAttributeDefinition {
    /// Which attribute definition.
    pub id: Uuid,
}

impl Query for GetAttributeDefinition {
    type Reply = AdminAttributeDefinition;
    const NAME: &'static str = "get_attribute_definition";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        attributes::get(connection, self.id)
    }
}

/// Reads all attribute definitions.
#[derive(Debug, Clone)]
pub struct ListAttributeDefinitions;

impl Query for ListAttributeDefinitions {
    type Reply = Vec<AdminAttributeDefinition>;
    const NAME: &'static str = "list_attribute_definitions";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        attributes::list(connection)
    }
}

/// Makes an attribute definition.
#[derive(Debug, Clone)]
pub struct CreateAttributeDefinition {
    /// What it shall be.
    pub draft: AttributeDefinitionDraft,
}

impl Edit for CreateAttributeDefinition {
    type Reply = AdminAttributeDefinition;
    const NAME: &'static str = "create_attribute_definition";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        attributes::create(connection, &self.draft)
    }
}

/// Replaces an attribute definition.
#[derive(Debug, Clone)]
pub struct ReplaceAttributeDefinition {
    /// Which attribute definition.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// What it shall be.
    pub draft: AttributeDefinitionDraft,
}

impl Edit for ReplaceAttributeDefinition {
    type Reply = AdminAttributeDefinition;
    const NAME: &'static str = "replace_attribute_definition";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        attributes::replace(connection, self.id, self.precondition, &self.draft)
    }
}

/// Changes what a patch names of an attribute definition.
#[derive(Debug, Clone)]
pub struct PatchAttributeDefinition {
    /// Which attribute definition.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// JSON Merge Patch (RFC 7396).
    pub patch: Value,
}

impl Edit for PatchAttributeDefinition {
    type Reply = AdminAttributeDefinition;
    const NAME: &'static str = "patch_attribute_definition";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        attributes::patch(connection, self.id, self.precondition, &self.patch)
    }
}

/// Deletes an attribute definition.
#[derive(Debug, Clone)]
pub struct DeleteAttributeDefinition {
    /// Which attribute definition.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
}

impl Edit for DeleteAttributeDefinition {
    type Reply = ();
    const NAME: &'static str = "delete_attribute_definition";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        attributes::delete(connection, self.id, self.precondition)
    }
}
