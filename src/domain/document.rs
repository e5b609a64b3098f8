//! The read model: the neutral document stored once per product version.
//!
//! The database builds [`ProductDocument`] (SQL function `catalog.build_document`) with every currency and language in it.
//! Names of the brand and the categories are *not* part of it: they are joined when it is read, so that a rename touches
//! one row. [`super::rendering`] makes the store's answer from it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    draft::{MediaKind, Status},
    money::Currency,
};

/// A product as the database stores it: all languages, all currencies, references by id.
#[derive(Debug, Clone, Deserialize)]
pub struct ProductDocument {
    /// Identity of the product.
    pub id: Uuid,
    /// Aggregate version.
    pub version: i64,
    /// Where it stands in its life.
    pub status: Status,
    /// Current slug.
    pub slug: String,
    /// Untranslated title.
    pub title: String,
    /// Untranslated description.
    pub description: String,
    /// Label of the kind of product.
    pub product_type: Option<String>,
    /// Labels in order.
    pub tags: Vec<String>,
    /// Free attributes, as JSON text.
    pub attributes: Box<RawValue>,
    /// What distinguishes the variants, in order.
    pub options: Vec<ProductOption>,
    /// What can be bought, in order.
    pub variants: Vec<DocumentVariant>,
    /// Pictures and films in order.
    pub media: Vec<Media>,
    /// Untranslated texts for search engines.
    pub seo: Seo,
    /// Texts by language tag.
    pub translations: BTreeMap<String, Translation>,
    /// When it first became active.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its visible state last changed.
    pub updated_at: DateTime<Utc>,
}

/// A variant inside [`ProductDocument`].
#[derive(Debug, Clone, Deserialize)]
pub struct DocumentVariant {
    /// Identity of the variant.
    pub id: Uuid,
    /// Stock keeping unit.
    pub sku: Option<String>,
    /// GTIN or other code.
    pub barcode: Option<String>,
    /// Name of the variant.
    pub title: String,
    /// Value per option name.
    pub options: BTreeMap<String, String>,
    /// One price per currency.
    pub prices: Vec<DocumentPrice>,
    /// Stock status band.
    pub availability: AvailabilityStatus,
    /// Free attributes, as JSON text.
    pub attributes: Box<RawValue>,
    /// Weight in grams.
    pub weight_grams: Option<i32>,
    /// Ids among the product's media.
    pub media: Vec<Uuid>,
}

/// A price inside [`DocumentVariant`].
#[derive(Debug, Clone, Deserialize)]
pub struct DocumentPrice {
    /// ISO 4217 code.
    pub currency: Currency,
    /// Minor units.
    pub amount: i64,
    /// Former price in minor units.
    pub compare_at: Option<i64>,
}

/// Texts of one language inside [`ProductDocument`].
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Translation {
    /// Title.
    pub title: Option<String>,
    /// Description.
    pub description: Option<String>,
    /// Title for search engines.
    pub seo_title: Option<String>,
    /// Description for search engines.
    pub seo_description: Option<String>,
}

/// An option and its values in order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProductOption {
    /// Name of the option, such as `Colour`.
    pub name: String,
    /// Its values in the order shown.
    pub values: Vec<String>,
}

/// A picture or film of a product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Media {
    /// Identity of the medium.
    pub id: Uuid,
    /// Absolute URL.
    pub url: String,
    /// Text for those who cannot see it.
    pub alt: String,
    /// Width in pixels.
    pub width: Option<i32>,
    /// Height in pixels.
    pub height: Option<i32>,
    /// What it is.
    pub kind: MediaKind,
}

/// Texts for search engines.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct Seo {
    /// Title for search engines.
    pub title: Option<String>,
    /// Description for search engines.
    pub description: Option<String>,
}

/// Whether a variant can be bought, as a band rather than a number, so that a sale rarely changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityStatus {
    /// Above the low-stock threshold, or stock is not counted.
    InStock,
    /// At or below the low-stock threshold, above zero.
    LowStock,
    /// None left; can be ordered.
    Backorder,
    /// None left.
    OutOfStock,
}

/// The brand as embedded in a product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BrandReference {
    /// Identity of the brand.
    pub id: Uuid,
    /// URL name of the brand.
    pub slug: String,
    /// Name shown to shoppers.
    pub name: String,
}

/// A category as embedded in a product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CategoryReference {
    /// Identity of the category.
    pub id: Uuid,
    /// URL name of the category, unique.
    pub slug: String,
    /// Name shown to shoppers.
    pub name: String,
    /// Slugs from the root to this category, joined by `/`.
    pub path: String,
}
