//! The write model: what an editor or an import submits for one product.
//!
//! One type serves `POST`/`PUT`/`PATCH` of the admin API and the lines of a JSONL import. [`super::draft_reader`]
//! makes it from JSON and reports every wrong field at once; a draft that exists has passed all rules that need no database.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::money::Currency;

/// Where a product stands in its life; only `active` products are seen by the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being prepared; not in the store.
    Draft,
    /// In the store. The default.
    #[default]
    Active,
    /// Withdrawn; kept for reference.
    Archived,
}

/// What an editor submits for one product.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ProductDraft {
    /// Key of the product in the system it comes from; unique when present. A re-import finds the product by it.
    #[schema(max_length = 255)]
    pub external_id: Option<String>,
    /// Name shown to shoppers, 1–255 characters. The only required field.
    #[schema(max_length = 255)]
    pub title: String,
    /// URL name, unique among current slugs, those of deleted products included; one that another product has retired is
    /// taken over. Derived from the title when absent or blank.
    #[schema(max_length = 200)]
    pub slug: Option<String>,
    /// Where the product stands in its life.
    pub status: Status,
    /// Text or HTML shown to shoppers, at most 100,000 characters.
    #[schema(max_length = 100_000)]
    pub description: String,
    /// Free label of the kind of product.
    #[schema(max_length = 255)]
    pub product_type: Option<String>,
    /// The brand by id; excludes `brand`.
    pub brand_id: Option<Uuid>,
    /// The brand by name; an import makes a missing one, the admin API refuses it.
    pub brand: Option<String>,
    /// Categories by id; excludes `categories`.
    #[schema(max_items = 50)]
    pub category_ids: Vec<Uuid>,
    /// Categories as paths of names, `"Home > Lamps"`; an import makes missing ones, the admin API refuses them.
    #[schema(max_items = 50)]
    pub categories: Vec<String>,
    /// Labels, unique without regard to case, in the order given.
    #[schema(max_items = 250)]
    pub tags: Vec<String>,
    /// Free attributes: text, number, boolean, or a list of texts.
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// What distinguishes the variants, at most 3; derived from the variants' `options` when absent.
    #[schema(max_items = 3)]
    pub options: Vec<OptionDraft>,
    /// What can be bought, at most 250. An empty list is a product that cannot be bought.
    #[schema(max_items = 250)]
    pub variants: Vec<VariantDraft>,
    /// Pictures and films in the order shown, at most 250.
    #[schema(max_items = 250)]
    pub media: Vec<MediaDraft>,
    /// Title and description for search engines.
    pub seo: SeoDraft,
    /// Texts in other languages by BCP 47 tag.
    pub translations: BTreeMap<String, TranslationDraft>,
}

/// One option of a product, such as colour, with its values in the order shown.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct OptionDraft {
    /// Name of the option, unique in the product.
    #[schema(max_length = 255)]
    pub name: String,
    /// Values in the order shown; values used by variants are added.
    pub values: Vec<String>,
}

/// One thing that can be bought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct VariantDraft {
    /// The variant to change. Absent: matched by `sku`, else by its option values, else new.
    pub id: Option<Uuid>,
    /// Stock keeping unit, unique in the catalogue when present.
    #[schema(max_length = 255)]
    pub sku: Option<String>,
    /// GTIN or other code as printed; not unique.
    #[schema(max_length = 64)]
    pub barcode: Option<String>,
    /// Name of the variant; derived from its option values when absent.
    #[schema(max_length = 1000)]
    pub title: Option<String>,
    /// Value per option name; every option of the product must have one.
    #[schema(value_type = Object)]
    pub options: BTreeMap<String, String>,
    /// One price per currency.
    #[schema(max_items = 200)]
    pub prices: Vec<PriceDraft>,
    /// Free attributes of the variant.
    #[schema(value_type = Object)]
    pub attributes: Map<String, Value>,
    /// URLs among the product's `media` that show this variant.
    pub media: Vec<String>,
    /// Weight in grams.
    #[schema(minimum = 0)]
    pub weight_grams: Option<i32>,
    /// Whether stock is counted; absent: yes exactly when `stock` is given or was counted before.
    pub track_inventory: Option<bool>,
    /// Whether it can be bought at zero stock.
    pub allow_backorder: bool,
    /// Stock at or below which the status is `low_stock`.
    #[schema(minimum = 0)]
    pub low_stock_threshold: i32,
    /// Units per location; absent leaves the stock as it is. A bare number means the location `default`.
    pub stock: Option<Vec<StockDraft>>,
}

impl Default for VariantDraft {
    fn default() -> Self {
        Self {
            id: None,
            sku: None,
            barcode: None,
            title: None,
            options: BTreeMap::new(),
            prices: Vec::new(),
            attributes: Map::new(),
            media: Vec::new(),
            weight_grams: None,
            track_inventory: None,
            allow_backorder: false,
            low_stock_threshold: 5,
            stock: None,
        }
    }
}

/// A price in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceDraft {
    /// ISO 4217 code.
    pub currency: Currency,
    /// Minor units (cents), 0 to 10^15. A text with its decimals, `"19.99"`, is taken too.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    pub amount: i64,
    /// Former price in minor units, shown struck through; informative, so it may be lower.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    #[serde(default)]
    pub compare_at: Option<i64>,
}

/// Units of a variant at one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockDraft {
    /// Code of the location; made when missing.
    #[schema(min_length = 1, max_length = 255)]
    #[serde(default = "default_location")]
    pub location: String,
    /// Units; negative when oversold.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    pub quantity: i32,
}

/// Code of the location that a bare stock number means.
pub const DEFAULT_LOCATION: &str = "default";

fn default_location() -> String {
    DEFAULT_LOCATION.to_owned()
}

/// A picture or film.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct MediaDraft {
    /// The medium to change; absent: matched by `url`, else new.
    pub id: Option<Uuid>,
    /// Absolute `http` or `https` URL, unique in the product.
    #[schema(max_length = 2048, pattern = "^[Hh][Tt][Tt][Pp][Ss]?://")]
    pub url: String,
    /// Text for those who cannot see it.
    #[schema(max_length = 1000)]
    pub alt: String,
    /// Width in pixels.
    #[schema(minimum = 1, maximum = 100_000)]
    pub width: Option<i32>,
    /// Height in pixels.
    #[schema(minimum = 1, maximum = 100_000)]
    pub height: Option<i32>,
    /// What it is.
    pub kind: MediaKind,
}

/// What a medium is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// A still picture.
    #[default]
    Image,
    /// A film.
    Video,
    /// A three-dimensional model.
    Model3d,
}

/// Title and description for search engines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SeoDraft {
    /// At most 255 characters.
    #[schema(max_length = 255)]
    pub title: Option<String>,
    /// At most 1,000 characters.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
}

/// A product's texts in one language; an absent text falls back to the default language.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct TranslationDraft {
    /// Translated title.
    #[schema(max_length = 255)]
    pub title: Option<String>,
    /// Translated description.
    #[schema(max_length = 100_000)]
    pub description: Option<String>,
    /// Translated search engine texts.
    pub seo: SeoDraft,
}
