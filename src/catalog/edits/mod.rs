//! Messages to the store actors: admin reads and edits. Each names one use case of `store`.
//!
//! The messages are plain data; only [`Query::run`] and [`Edit::run`], which store actors call, see a connection. What they
//! carry and answer is exported here, so that whoever sends them needs no name of `store`.

mod attributes;
mod audit_log;
mod brands;
mod categories;
mod product_types;
mod products;
mod synonyms;
mod tokens;
mod variants;

use crate::store::{Connection, error::StoreError};

pub use self::{
    attributes::{
        CreateAttributeDefinition, DeleteAttributeDefinition, GetAttributeDefinition,
        ListAttributeDefinitions, PatchAttributeDefinition, ReplaceAttributeDefinition,
    },
    audit_log::ListAuditEntries,
    brands::{CreateBrand, DeleteBrand, GetBrand, ListBrands, PatchBrand, ReplaceBrand},
    categories::{
        CreateCategory, DeleteCategory, GetCategory, ListCategories, PatchCategory, ReplaceCategory,
    },
    product_types::{
        CreateProductType, DeleteProductType, FindMisfits, GetProductType, ListProductTypes,
        PatchProductType, ReplaceProductType,
    },
    products::{
        CreateProduct, DeleteProduct, GetProduct, ListProducts, PatchProduct, ReplaceProduct, RestoreProduct,
    },
    synonyms::{
        CreateSynonymSet, DeleteSynonymSet, GetSynonymSet, ListSynonymSets, PatchSynonymSet,
        ReplaceSynonymSet,
    },
    tokens::{CreateToken, FindToken, ListTokens, RevokeToken},
    variants::{ChangeStock, GetVariant, PatchVariant, RemovePrice, SetPrice},
};
pub use crate::store::{
    Precondition,
    attributes::{AdminAttributeDefinition, AttributeDefinitionDraft},
    audit_log::{AuditEntry, AuditPage},
    brands::{AdminBrand, BrandDraft},
    categories::{AdminCategory, CategoryDraft},
    product_types::{AdminProductType, Misfits, ProductTypeDraft},
    products::{AdminProduct, AdminProductPage, AdminProductSummary},
    synonyms::{AdminSynonymSet, SynonymSetDraft},
    tokens::{Scope, SecretHash, Token},
    variants::{AdminVariant, StockChange},
};

/// A read that a store actor answers with a pooled connection, outside any transaction.
pub trait Query: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs and metrics, e.g. `get_product`.
    const NAME: &'static str;
    /// Does it. Called on a store actor's thread; may block. Called again on another connection when one turns out dead.
    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError>;
}

/// A change that a store actor makes in one transaction, with its log event and its entry in the audit log.
pub trait Edit: Send + 'static {
    /// What is answered once it is committed.
    type Reply: Send + 'static;
    /// Name for logs and metrics, and in the audit log, e.g. `patch_product`.
    const NAME: &'static str;
    /// Does it inside an open transaction; an error rolls everything back. Called again in a new one after a collision with
    /// other edits.
    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError>;
}
