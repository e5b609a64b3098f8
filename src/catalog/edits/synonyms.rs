//! Reads and edits of sets of synonyms.

use serde_json::Value;
use uuid::Uuid;

use super::{Edit, Query};
use crate::store::{
    Connection, Precondition,
    error::StoreError,
    synonyms::{self, AdminSynonymSet, SynonymSetDraft},
};

/// Reads one synonym set.
#[derive(Debug, Clone)]
pub struct GetSynonymSet {
    /// Which synonym set.
    pub id: Uuid,
}

impl Query for GetSynonymSet {
    type Reply = AdminSynonymSet;
    const NAME: &'static str = "get_synonym_set";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        synonyms::get(connection, self.id)
    }
}

/// Reads all synonym sets.
#[derive(Debug, Clone)]
pub struct ListSynonymSets;

impl Query for ListSynonymSets {
    type Reply = Vec<AdminSynonymSet>;
    const NAME: &'static str = "list_synonym_sets";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        synonyms::list(connection)
    }
}

/// Makes a synonym set.
#[derive(Debug, Clone)]
pub struct CreateSynonymSet {
    /// What it shall be.
    pub draft: SynonymSetDraft,
}

impl Edit for CreateSynonymSet {
    type Reply = AdminSynonymSet;
    const NAME: &'static str = "create_synonym_set";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        synonyms::create(connection, &self.draft)
    }
}

/// Replaces a synonym set.
#[derive(Debug, Clone)]
pub struct ReplaceSynonymSet {
    /// Which synonym set.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// What it shall be.
    pub draft: SynonymSetDraft,
}

impl Edit for ReplaceSynonymSet {
    type Reply = AdminSynonymSet;
    const NAME: &'static str = "replace_synonym_set";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        synonyms::replace(connection, self.id, self.precondition, &self.draft)
    }
}

/// Changes what a patch names of a synonym set.
#[derive(Debug, Clone)]
pub struct PatchSynonymSet {
    /// Which synonym set.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
    /// JSON Merge Patch (RFC 7396).
    pub patch: Value,
}

impl Edit for PatchSynonymSet {
    type Reply = AdminSynonymSet;
    const NAME: &'static str = "patch_synonym_set";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        synonyms::patch(connection, self.id, self.precondition, &self.patch)
    }
}

/// Deletes a synonym set.
#[derive(Debug, Clone)]
pub struct DeleteSynonymSet {
    /// Which synonym set.
    pub id: Uuid,
    /// What the editor saw.
    pub precondition: Precondition,
}

impl Edit for DeleteSynonymSet {
    type Reply = ();
    const NAME: &'static str = "delete_synonym_set";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        synonyms::delete(connection, self.id, self.precondition)
    }
}
