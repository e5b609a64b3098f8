//! Shapes of admin parameters and small bodies, for the interface description.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    catalog::edits::{
        AdminAttributeDefinition, AdminBrand, AdminCategory, AdminProductType, AdminSynonymSet, AuditEntry,
        Token,
    },
    domain::money::Currency,
};

/// The version an edit starts from.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes what `conditional` reads")]
pub(in crate::http) struct IfMatch {
    /// `ETag` of the version that was edited, such as `"v42"`, or `*` to overwrite whatever is there.
    #[param(rename = "If-Match", example = "*", pattern = r#"^(\*|"v[0-9]{1,18}")$"#)]
    if_match: String,
}

/// Page of an editors' list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) struct PageParameters {
    /// `next_after` of the page before.
    after: Option<uuid::Uuid>,
    /// Items per page.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u16>,
    /// Lists the bin instead.
    #[param(default = false)]
    deleted: Option<bool>,
}

/// All categories.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AdminCategoryList {
    /// In tree order.
    pub items: Vec<AdminCategory>,
}

/// All brands.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AdminBrandList {
    /// By name.
    pub items: Vec<AdminBrand>,
}

/// All product types.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AdminProductTypeList {
    /// By name.
    pub items: Vec<AdminProductType>,
}

/// All attribute definitions.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AdminAttributeDefinitionList {
    /// By code.
    pub items: Vec<AdminAttributeDefinition>,
}

/// Where and how much to look for misfits.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the read takes")]
pub(in crate::http) struct MisfitParameters {
    /// `next_after` of the answer before.
    after: Option<uuid::Uuid>,
    /// Products to list at most.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u16>,
}

/// All sets of synonyms.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AdminSynonymSetList {
    /// By their words.
    pub items: Vec<AdminSynonymSet>,
}

/// All tokens, without their secrets.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct TokenList {
    /// Newest first.
    pub items: Vec<Token>,
}

/// A token to be made.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct NewToken {
    /// Label, to know it by.
    #[schema(min_length = 1, max_length = 255, example = "storefront build")]
    pub name: String,
    /// What it may do.
    pub scope: crate::catalog::edits::Scope,
    /// When it stops working; never when absent.
    pub expires_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// A token that was just made.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct CreatedToken {
    /// The token's text, shown this once.
    pub secret: String,
    /// What is kept of it.
    #[serde(flatten)]
    pub token: Token,
}

/// Page of the audit log.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) struct AuditLogParameters {
    /// Only entries of exactly this path.
    #[param(example = "/v1/admin/products/01900000-0000-7000-8000-000000000001", min_length = 1)]
    path: Option<String>,
    /// Entries per page.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct AuditLogPage {
    /// Newest first.
    pub items: Vec<AuditEntry>,
    /// Leads to the next page; absent on the last one.
    pub next_cursor: Option<String>,
}

/// A price without its currency, which the path names.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct PriceEdit {
    /// Minor units (cents). A text with its decimals, `"19.99"`, is taken too.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64, example = 1999)]
    pub amount: i64,
    /// Former price in minor units, shown struck through.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64, example = 2499)]
    pub compare_at: Option<i64>,
    /// The currency of the path, which may be repeated here.
    pub currency: Option<Currency>,
}

/// How many units there are.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct StockLevel {
    /// Units; negative when oversold.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000, example = 12)]
    pub quantity: i32,
}

/// How many units came or went.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct StockAdjustment {
    /// Units to add; negative to take away.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000, example = -1)]
    pub by: i32,
}
