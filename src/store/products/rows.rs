//! The rows of one product, table by table: what is stored, and what an edit wants stored.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::store::schema;

/// The product's own row, without what triggers keep.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::product, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct ProductRecord {
    pub(super) id: Uuid,
    pub(super) external_id: Option<String>,
    pub(super) status: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) product_type: Option<String>,
    pub(super) brand_id: Option<Uuid>,
    pub(super) attributes: Value,
    pub(super) seo_title: Option<String>,
    pub(super) seo_description: Option<String>,
}

/// What triggers keep of a product.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = schema::product, check_for_backend(diesel::pg::Pg))]
pub(super) struct Bookkeeping {
    pub(super) version: i64,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) deleted_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::product_option, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct OptionRecord {
    pub(super) id: Uuid,
    pub(super) product_id: Uuid,
    pub(super) name: String,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::option_value, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct ValueRecord {
    pub(super) id: Uuid,
    pub(super) option_id: Uuid,
    pub(super) value: String,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::variant, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct VariantRecord {
    pub(super) id: Uuid,
    pub(super) product_id: Uuid,
    pub(super) position: i32,
    pub(super) sku: Option<String>,
    pub(super) barcode: Option<String>,
    pub(super) title: Option<String>,
    pub(super) attributes: Value,
    pub(super) weight_grams: Option<i32>,
    pub(super) track_inventory: bool,
    pub(super) allow_backorder: bool,
    pub(super) low_stock_threshold: i32,
}

/// The value a variant has for an option.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::variant_option_value, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
#[expect(clippy::struct_field_names, reason = "the columns are called so")]
pub(super) struct ChoiceRecord {
    pub(super) variant_id: Uuid,
    pub(super) option_id: Uuid,
    pub(super) value_id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::price, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct PriceRecord {
    pub(super) variant_id: Uuid,
    pub(super) currency: String,
    pub(super) amount: i64,
    pub(super) compare_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::media, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct MediaRecord {
    pub(super) id: Uuid,
    pub(super) product_id: Uuid,
    pub(super) position: i32,
    pub(super) url: String,
    pub(super) alt: String,
    pub(super) width: Option<i32>,
    pub(super) height: Option<i32>,
    pub(super) kind: String,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::variant_media, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct VariantMediaRecord {
    pub(super) variant_id: Uuid,
    pub(super) media_id: Uuid,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::stock_level, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct StockRecord {
    pub(super) variant_id: Uuid,
    pub(super) location_id: Uuid,
    pub(super) quantity: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::product_tag, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct TagRecord {
    pub(super) product_id: Uuid,
    pub(super) tag_id: Uuid,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::product_category, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct CategoryRecord {
    pub(super) product_id: Uuid,
    pub(super) category_id: Uuid,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, Deserialize)]
#[diesel(table_name = schema::product_translation, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct TranslationRecord {
    pub(super) product_id: Uuid,
    pub(super) locale: String,
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
    pub(super) seo_title: Option<String>,
    pub(super) seo_description: Option<String>,
}

/// All rows of a product but its slugs, each table in the order shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rows {
    pub(super) product: ProductRecord,
    pub(super) options: Vec<OptionRecord>,
    pub(super) values: Vec<ValueRecord>,
    pub(super) variants: Vec<VariantRecord>,
    pub(super) choices: Vec<ChoiceRecord>,
    pub(super) prices: Vec<PriceRecord>,
    pub(super) media: Vec<MediaRecord>,
    pub(super) variant_media: Vec<VariantMediaRecord>,
    pub(super) stock: Vec<StockRecord>,
    pub(super) tags: Vec<TagRecord>,
    pub(super) categories: Vec<CategoryRecord>,
    pub(super) translations: Vec<TranslationRecord>,
}

/// A stored product: its rows, what triggers keep, and the names its rows refer to.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) rows: Rows,
    pub(super) bookkeeping: Bookkeeping,
    pub(super) slug: String,
    /// Names of `rows.tags`, in the same order.
    pub(super) tag_names: Vec<String>,
    /// Codes of the locations of `rows.stock`, in the same order.
    pub(super) location_codes: Vec<String>,
}
