//! Reads many products, table by table. For one product a statement for all tables costs less
//! ([`products::load`](crate::store::products)); for a thousand, sets of rows do.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use crate::store::{
    Connection,
    error::StoreError,
    products::{
        plan,
        rows::{
            Bookkeeping, CategoryRecord, ChoiceRecord, MediaRecord, OptionRecord, PriceRecord, ProductRecord,
            Rows, StockRecord, Stored, TagRecord, TranslationRecord, ValueRecord, VariantMediaRecord,
            VariantRecord,
        },
    },
    schema,
};

/// Products as they are read, by id.
type Found = HashMap<Uuid, Stored>;

/// Reads products, deleted ones too; what is not there is left out.
pub(super) fn load_many(connection: &mut Connection, ids: &[Uuid]) -> Result<Found, StoreError> {
    use schema::{product, slug};
    let products = product::table
        .filter(product::id.eq_any(ids))
        .select((ProductRecord::as_select(), Bookkeeping::as_select()))
        .load::<(ProductRecord, Bookkeeping)>(connection)?;
    let mut found: Found = HashMap::with_capacity(products.len());
    for (record, bookkeeping) in products {
        let id = record.id;
        let rows = Rows { product: record, ..plan::nothing(id) };
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
    load_links(connection, ids, &mut found)?;
    load_options_and_media(connection, ids, &mut found)?;
    load_variants(connection, ids, &mut found)?;
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
