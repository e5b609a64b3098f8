//! The rows of one product, table by table: what is stored, and what an edit wants stored.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;

use crate::store::{Connection, error::StoreError, schema};

/// The product's own row, without what triggers keep.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = schema::product, treat_none_as_null = true, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
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

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::product_option, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct OptionRecord {
    pub(super) id: Uuid,
    pub(super) product_id: Uuid,
    pub(super) name: String,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::option_value, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct ValueRecord {
    pub(super) id: Uuid,
    pub(super) option_id: Uuid,
    pub(super) value: String,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
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
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::variant_option_value, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
#[expect(clippy::struct_field_names, reason = "the columns are called so")]
pub(super) struct ChoiceRecord {
    pub(super) variant_id: Uuid,
    pub(super) option_id: Uuid,
    pub(super) value_id: Uuid,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::price, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct PriceRecord {
    pub(super) variant_id: Uuid,
    pub(super) currency: String,
    pub(super) amount: i64,
    pub(super) compare_at: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
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

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::variant_media, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct VariantMediaRecord {
    pub(super) variant_id: Uuid,
    pub(super) media_id: Uuid,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::stock_level, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct StockRecord {
    pub(super) variant_id: Uuid,
    pub(super) location_id: Uuid,
    pub(super) quantity: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::product_tag, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct TagRecord {
    pub(super) product_id: Uuid,
    pub(super) tag_id: Uuid,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::product_category, treat_none_as_default_value = false, check_for_backend(diesel::pg::Pg))]
pub(super) struct CategoryRecord {
    pub(super) product_id: Uuid,
    pub(super) category_id: Uuid,
    pub(super) position: i32,
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable)]
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

/// Reads a product, deleted ones too; lock its row first where the rows decide what is written.
pub(super) fn load(connection: &mut Connection, id: Uuid) -> Result<Stored, StoreError> {
    load_many(connection, &[id])?.remove(&id).ok_or(StoreError::NotFound)
}

/// Which parts of a product are meant, beside its own row and its slug, which always are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// Tags, categories, translations.
    pub(super) links: bool,
    /// Options with their values, and media.
    pub(super) options_and_media: bool,
    /// Variants and what belongs to them.
    pub(super) variants: bool,
}

impl Parts {
    const ALL: Self = Self { links: true, options_and_media: true, variants: true };
}

/// Reads a product again whose lock is held since it was read: of its parts only those that were written since.
pub(super) fn reload(
    connection: &mut Connection,
    stored: Stored,
    written: Parts,
) -> Result<Stored, StoreError> {
    let id = stored.rows.product.id;
    let mut fresh = load_parts(connection, &[id], written)?.remove(&id).ok_or(StoreError::NotFound)?;
    let (rows, old) = (&mut fresh.rows, stored.rows);
    if !written.links {
        (rows.tags, rows.categories, rows.translations) = (old.tags, old.categories, old.translations);
        fresh.tag_names = stored.tag_names;
    }
    if !written.options_and_media {
        (rows.options, rows.values, rows.media) = (old.options, old.values, old.media);
    }
    if !written.variants {
        (rows.variants, rows.choices, rows.prices) = (old.variants, old.choices, old.prices);
        (rows.variant_media, rows.stock) = (old.variant_media, old.stock);
        fresh.location_codes = stored.location_codes;
    }
    Ok(fresh)
}

/// Products as they are read, by id.
type Found = HashMap<Uuid, Stored>;

/// Reads products, deleted ones too, table by table; what is not there is left out.
pub(super) fn load_many(connection: &mut Connection, ids: &[Uuid]) -> Result<Found, StoreError> {
    load_parts(connection, ids, Parts::ALL)
}

fn load_parts(connection: &mut Connection, ids: &[Uuid], parts: Parts) -> Result<Found, StoreError> {
    use schema::{product, slug};
    let products = product::table
        .filter(product::id.eq_any(ids))
        .select((ProductRecord::as_select(), Bookkeeping::as_select()))
        .load::<(ProductRecord, Bookkeeping)>(connection)?;
    let mut found: Found = HashMap::with_capacity(products.len());
    for (record, bookkeeping) in products {
        let id = record.id;
        let rows = Rows { product: record, ..super::plan::nothing(id) };
        let (slug, tag_names, location_codes) = (String::new(), Vec::new(), Vec::new());
        found.insert(id, Stored { rows, bookkeeping, slug, tag_names, location_codes });
    }
    if found.is_empty() {
        return Ok(found);
    }
    let slugs = slug::table
        .filter(slug::product_id.eq_any(ids).and(slug::is_current))
        .select((slug::product_id, slug::slug_))
        .load::<(Uuid, String)>(connection)?;
    for (id, slug) in slugs {
        give(&mut found, id, |stored| stored.slug = slug);
    }
    if parts.links {
        load_links(connection, ids, &mut found)?;
    }
    if parts.options_and_media {
        load_options_and_media(connection, ids, &mut found)?;
    }
    if parts.variants {
        load_variants(connection, ids, &mut found)?;
    }
    Ok(found)
}

fn give(found: &mut Found, id: Uuid, add: impl FnOnce(&mut Stored)) {
    if let Some(stored) = found.get_mut(&id) {
        add(stored);
    }
}

/// Tags, categories and translations.
fn load_links(connection: &mut Connection, ids: &[Uuid], found: &mut Found) -> Result<(), StoreError> {
    use schema::{category, product_category, product_tag, product_translation, tag};
    let tags: Vec<(TagRecord, String)> = product_tag::table
        .inner_join(tag::table)
        .filter(product_tag::product_id.eq_any(ids))
        .order((product_tag::position, tag::name))
        .select((TagRecord::as_select(), tag::name))
        .load(connection)?;
    for (tag, name) in tags {
        give(found, tag.product_id, |stored| {
            stored.rows.tags.push(tag);
            stored.tag_names.push(name);
        });
    }
    let categories: Vec<CategoryRecord> = product_category::table
        .inner_join(category::table)
        .filter(product_category::product_id.eq_any(ids))
        .order(category::path)
        .select(CategoryRecord::as_select())
        .load(connection)?;
    for category in categories {
        give(found, category.product_id, |stored| stored.rows.categories.push(category));
    }
    let translations: Vec<TranslationRecord> = product_translation::table
        .filter(product_translation::product_id.eq_any(ids))
        .order(product_translation::locale)
        .select(TranslationRecord::as_select())
        .load(connection)?;
    for translation in translations {
        give(found, translation.product_id, |stored| stored.rows.translations.push(translation));
    }
    Ok(())
}

fn load_options_and_media(
    connection: &mut Connection,
    ids: &[Uuid],
    found: &mut Found,
) -> Result<(), StoreError> {
    use schema::{media, option_value, product_option};
    let options: Vec<OptionRecord> = product_option::table
        .filter(product_option::product_id.eq_any(ids))
        .order((product_option::position, product_option::id))
        .select(OptionRecord::as_select())
        .load(connection)?;
    let products: HashMap<Uuid, Uuid> = options.iter().map(|option| (option.id, option.product_id)).collect();
    for option in options {
        give(found, option.product_id, |stored| stored.rows.options.push(option));
    }
    let option_ids: Vec<Uuid> = products.keys().copied().collect();
    let values: Vec<ValueRecord> = option_value::table
        .filter(option_value::option_id.eq_any(option_ids))
        .order((option_value::position, option_value::id))
        .select(ValueRecord::as_select())
        .load(connection)?;
    for value in values {
        if let Some(id) = products.get(&value.option_id) {
            give(found, *id, |stored| stored.rows.values.push(value));
        }
    }
    let media: Vec<MediaRecord> = media::table
        .filter(media::product_id.eq_any(ids))
        .order((media::position, media::id))
        .select(MediaRecord::as_select())
        .load(connection)?;
    for medium in media {
        give(found, medium.product_id, |stored| stored.rows.media.push(medium));
    }
    Ok(())
}

fn load_variants(connection: &mut Connection, ids: &[Uuid], found: &mut Found) -> Result<(), StoreError> {
    use schema::{location, price, stock_level, variant, variant_media, variant_option_value};
    let variants: Vec<VariantRecord> = variant::table
        .filter(variant::product_id.eq_any(ids))
        .order((variant::position, variant::id))
        .select(VariantRecord::as_select())
        .load(connection)?;
    let products: HashMap<Uuid, Uuid> =
        variants.iter().map(|variant| (variant.id, variant.product_id)).collect();
    let variant_ids: Vec<Uuid> = variants.iter().map(|variant| variant.id).collect();
    for variant in variants {
        give(found, variant.product_id, |stored| stored.rows.variants.push(variant));
    }
    let mut give = |variant_id: Uuid, add: &mut dyn FnMut(&mut Stored)| {
        if let Some(stored) = products.get(&variant_id).and_then(|id| found.get_mut(id)) {
            add(stored);
        }
    };
    let choices: Vec<ChoiceRecord> = variant_option_value::table
        .filter(variant_option_value::variant_id.eq_any(&variant_ids))
        .select(ChoiceRecord::as_select())
        .load(connection)?;
    for row in choices {
        give(row.variant_id, &mut |stored| stored.rows.choices.push(row.clone()));
    }
    let prices: Vec<PriceRecord> = price::table
        .filter(price::variant_id.eq_any(&variant_ids))
        .order(price::currency)
        .select(PriceRecord::as_select())
        .load(connection)?;
    for row in prices {
        give(row.variant_id, &mut |stored| stored.rows.prices.push(row.clone()));
    }
    let links: Vec<VariantMediaRecord> = variant_media::table
        .filter(variant_media::variant_id.eq_any(&variant_ids))
        .order((variant_media::position, variant_media::media_id))
        .select(VariantMediaRecord::as_select())
        .load(connection)?;
    for row in links {
        give(row.variant_id, &mut |stored| stored.rows.variant_media.push(row.clone()));
    }
    let stock: Vec<(StockRecord, String)> = stock_level::table
        .inner_join(location::table)
        .filter(stock_level::variant_id.eq_any(&variant_ids))
        .order((stock_level::variant_id, location::code))
        .select((StockRecord::as_select(), location::code))
        .load(connection)?;
    for (row, code) in stock {
        give(row.variant_id, &mut |stored| {
            stored.rows.stock.push(row.clone());
            stored.location_codes.push(code.clone());
        });
    }
    Ok(())
}
