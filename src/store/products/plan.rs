//! Which rows a draft wants stored, given the rows that are stored. Pure: no statement is run here.
//!
//! What is recognised keeps its id: variants by id, else SKU, else option values; media by id, else URL; options and values
//! by name. Everything an edit does not name is meant to go.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use uuid::Uuid;

use super::{
    names::Names,
    rows::{
        CategoryRecord, ChoiceRecord, MediaRecord, OptionRecord, PriceRecord, ProductRecord, Rows,
        StockRecord, TagRecord, TranslationRecord, ValueRecord, VariantMediaRecord, VariantRecord,
    },
    words,
};
use crate::domain::{
    draft::{OptionDraft, ProductDraft, VariantDraft},
    invalid::Invalid,
};

/// The rows of a product that does not exist yet.
pub(super) fn nothing(id: Uuid) -> Rows {
    Rows {
        product: ProductRecord {
            id,
            external_id: None,
            status: String::new(),
            title: String::new(),
            description: String::new(),
            product_type: None,
            brand_id: None,
            attributes: Value::Null,
            seo_title: None,
            seo_description: None,
        },
        options: Vec::new(),
        values: Vec::new(),
        variants: Vec::new(),
        choices: Vec::new(),
        prices: Vec::new(),
        media: Vec::new(),
        variant_media: Vec::new(),
        stock: Vec::new(),
        tags: Vec::new(),
        categories: Vec::new(),
        translations: Vec::new(),
    }
}

/// Computes the rows that the draft wants. Reports ids that the product does not have.
pub(super) fn plan(stored: &Rows, draft: &ProductDraft, names: &Names) -> Result<Rows, Vec<Invalid>> {
    let id = stored.product.id;
    let mut wrong = Vec::new();
    let media = media(stored, draft, &mut wrong);
    let variant_ids = variant_ids(stored, draft, &mut wrong);
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let (options, values) = options(stored, draft);
    let parts: Vec<(Uuid, &VariantDraft)> = variant_ids.into_iter().zip(&draft.variants).collect();
    Ok(Rows {
        product: product(id, draft, names),
        variants: variants(stored, &parts),
        choices: choices(&parts, &options, &values),
        prices: prices(&parts),
        variant_media: variant_media(&parts, &media),
        stock: stock(stored, &parts, names),
        tags: names
            .tag_ids
            .iter()
            .zip(0..)
            .map(|(tag_id, position)| TagRecord { product_id: id, tag_id: *tag_id, position })
            .collect(),
        categories: categories(stored, names),
        translations: translations(id, draft),
        options,
        values,
        media,
    })
}

fn product(id: Uuid, draft: &ProductDraft, names: &Names) -> ProductRecord {
    ProductRecord {
        id,
        external_id: draft.external_id.clone(),
        status: words::status(draft.status).to_owned(),
        title: draft.title.clone(),
        description: draft.description.clone(),
        product_type: draft.product_type.clone(),
        brand_id: names.brand_id,
        attributes: Value::Object(draft.attributes.clone()),
        seo_title: draft.seo.title.clone(),
        seo_description: draft.seo.description.clone(),
    }
}

/// The options named by the draft, with the names and values that only its variants use behind them.
fn complete_options(draft: &ProductDraft) -> Vec<OptionDraft> {
    let mut options = draft.options.clone();
    for (name, value) in draft.variants.iter().flat_map(|variant| &variant.options) {
        match options.iter_mut().find(|option| option.name == *name) {
            Some(option) if option.values.contains(value) => {}
            Some(option) => option.values.push(value.clone()),
            None => options.push(OptionDraft { name: name.clone(), values: vec![value.clone()] }),
        }
    }
    options
}

fn options(stored: &Rows, draft: &ProductDraft) -> (Vec<OptionRecord>, Vec<ValueRecord>) {
    let mut options = Vec::new();
    let mut values = Vec::new();
    for (option, position) in complete_options(draft).into_iter().zip(0..) {
        let known = stored.options.iter().find(|known| known.name == option.name);
        let option_id = known.map_or_else(Uuid::now_v7, |known| known.id);
        for (value, position) in option.values.into_iter().zip(0..) {
            let known =
                stored.values.iter().find(|known| known.option_id == option_id && known.value == value);
            let id = known.map_or_else(Uuid::now_v7, |known| known.id);
            values.push(ValueRecord { id, option_id, value, position });
        }
        let product_id = stored.product.id;
        options.push(OptionRecord { id: option_id, product_id, name: option.name, position });
    }
    (options, values)
}

/// Ids of the draft's variants, in its order.
fn variant_ids(stored: &Rows, draft: &ProductDraft, wrong: &mut Vec<Invalid>) -> Vec<Uuid> {
    let mut free: BTreeSet<Uuid> = stored.variants.iter().map(|variant| variant.id).collect();
    let mut ids: Vec<Option<Uuid>> = Vec::with_capacity(draft.variants.len());
    for (place, variant) in draft.variants.iter().enumerate() {
        if let Some(id) = variant.id
            && !free.remove(&id)
        {
            let pointer = format!("#/variants/{place}/id");
            wrong.push(Invalid::new(pointer, "unknown", "is no variant of this product"));
        }
        ids.push(variant.id);
    }
    let by_sku: BTreeMap<&str, Uuid> =
        stored.variants.iter().filter_map(|v| Some((v.sku.as_deref()?, v.id))).collect();
    for (id, variant) in ids.iter_mut().zip(&draft.variants).filter(|(id, _)| id.is_none()) {
        let found = variant.sku.as_deref().and_then(|sku| by_sku.get(sku)).copied();
        *id = found.filter(|found| free.remove(found));
    }
    let by_values: Vec<(BTreeMap<&str, &str>, Uuid)> =
        stored.variants.iter().map(|variant| (option_values(stored, variant.id), variant.id)).collect();
    for (id, variant) in ids.iter_mut().zip(&draft.variants).filter(|(id, _)| id.is_none()) {
        let wanted: BTreeMap<&str, &str> =
            variant.options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let found = by_values.iter().find(|(values, id)| *values == wanted && free.contains(id));
        if let Some((_, found)) = found {
            free.remove(found);
            *id = Some(*found);
        }
    }
    ids.into_iter().map(|id| id.unwrap_or_else(Uuid::now_v7)).collect()
}

/// The option values of a stored variant by option name.
pub(super) fn option_values(rows: &Rows, variant_id: Uuid) -> BTreeMap<&str, &str> {
    let choices = rows.choices.iter().filter(|choice| choice.variant_id == variant_id);
    choices
        .filter_map(|choice| {
            let option = rows.options.iter().find(|option| option.id == choice.option_id)?;
            let value = rows.values.iter().find(|value| value.id == choice.value_id)?;
            Some((option.name.as_str(), value.value.as_str()))
        })
        .collect()
}

fn variants(stored: &Rows, parts: &[(Uuid, &VariantDraft)]) -> Vec<VariantRecord> {
    let record = |((id, draft), position): (&(Uuid, &VariantDraft), i32)| {
        let counted = stored.variants.iter().find(|known| known.id == *id).is_some_and(|v| v.track_inventory);
        VariantRecord {
            id: *id,
            product_id: stored.product.id,
            position,
            sku: draft.sku.clone(),
            barcode: draft.barcode.clone(),
            title: draft.title.clone(),
            attributes: Value::Object(draft.attributes.clone()),
            weight_grams: draft.weight_grams,
            track_inventory: draft.track_inventory.unwrap_or(counted || draft.stock.is_some()),
            allow_backorder: draft.allow_backorder,
            low_stock_threshold: draft.low_stock_threshold,
        }
    };
    parts.iter().zip(0..).map(record).collect()
}

fn choices(
    parts: &[(Uuid, &VariantDraft)],
    options: &[OptionRecord],
    values: &[ValueRecord],
) -> Vec<ChoiceRecord> {
    let options: BTreeMap<&str, Uuid> = options.iter().map(|o| (o.name.as_str(), o.id)).collect();
    let values: BTreeMap<(Uuid, &str), Uuid> =
        values.iter().map(|v| ((v.option_id, v.value.as_str()), v.id)).collect();
    let all = parts.iter().flat_map(|(id, draft)| draft.options.iter().map(move |choice| (*id, choice)));
    all.filter_map(|(variant_id, (name, value))| {
        let option_id = *options.get(name.as_str())?;
        let value_id = *values.get(&(option_id, value.as_str()))?;
        Some(ChoiceRecord { variant_id, option_id, value_id })
    })
    .collect()
}

fn prices(parts: &[(Uuid, &VariantDraft)]) -> Vec<PriceRecord> {
    let all = parts.iter().flat_map(|(id, draft)| draft.prices.iter().map(move |price| (*id, price)));
    all.map(|(variant_id, price)| PriceRecord {
        variant_id,
        currency: price.currency.code().to_owned(),
        amount: price.amount,
        compare_at: price.compare_at,
    })
    .collect()
}

fn media(stored: &Rows, draft: &ProductDraft, wrong: &mut Vec<Invalid>) -> Vec<MediaRecord> {
    let mut free: BTreeSet<Uuid> = stored.media.iter().map(|medium| medium.id).collect();
    for (place, id) in draft.media.iter().enumerate().filter_map(|(place, m)| Some((place, m.id?))) {
        if !free.remove(&id) {
            let pointer = format!("#/media/{place}/id");
            wrong.push(Invalid::new(pointer, "unknown", "is no medium of this product"));
        }
    }
    let mut records = Vec::with_capacity(draft.media.len());
    for (medium, position) in draft.media.iter().zip(0..) {
        let by_url = || {
            let known = stored.media.iter().find(|known| known.url == medium.url && free.contains(&known.id));
            known.map(|known| known.id)
        };
        let id = medium.id.or_else(by_url);
        if let Some(id) = id {
            free.remove(&id);
        }
        records.push(MediaRecord {
            id: id.unwrap_or_else(Uuid::now_v7),
            product_id: stored.product.id,
            position,
            url: medium.url.clone(),
            alt: medium.alt.clone(),
            width: medium.width,
            height: medium.height,
            kind: words::media_kind(medium.kind).to_owned(),
        });
    }
    records
}

fn variant_media(parts: &[(Uuid, &VariantDraft)], media: &[MediaRecord]) -> Vec<VariantMediaRecord> {
    let by_url: BTreeMap<&str, Uuid> = media.iter().map(|medium| (medium.url.as_str(), medium.id)).collect();
    let all =
        parts.iter().flat_map(|(id, draft)| draft.media.iter().zip(0..).map(move |(url, n)| (*id, url, n)));
    all.filter_map(|(variant_id, url, position)| {
        Some(VariantMediaRecord { variant_id, media_id: *by_url.get(url.as_str())?, position })
    })
    .collect()
}

/// Stock that the draft does not mention stays as it is.
fn stock(stored: &Rows, parts: &[(Uuid, &VariantDraft)], names: &Names) -> Vec<StockRecord> {
    let mut records = Vec::new();
    for (variant_id, draft) in parts {
        match &draft.stock {
            None => {
                records.extend(stored.stock.iter().filter(|level| level.variant_id == *variant_id).cloned());
            }
            Some(levels) => records.extend(levels.iter().filter_map(|level| {
                let location_id = *names.location_ids.get(&level.location)?;
                Some(StockRecord { variant_id: *variant_id, location_id, quantity: level.quantity })
            })),
        }
    }
    records
}

/// The place of a product in a category is not the draft's: it stays.
fn categories(stored: &Rows, names: &Names) -> Vec<CategoryRecord> {
    let record = |category_id: &Uuid| {
        let known = stored.categories.iter().find(|known| known.category_id == *category_id);
        CategoryRecord {
            product_id: stored.product.id,
            category_id: *category_id,
            position: known.map_or(0, |known| known.position),
        }
    };
    names.category_ids.iter().map(record).collect()
}

fn translations(product_id: Uuid, draft: &ProductDraft) -> Vec<TranslationRecord> {
    let record = |(locale, texts): (&String, &crate::domain::draft::TranslationDraft)| TranslationRecord {
        product_id,
        locale: locale.clone(),
        title: texts.title.clone(),
        description: texts.description.clone(),
        seo_title: texts.seo.title.clone(),
        seo_description: texts.seo.description.clone(),
    };
    draft.translations.iter().map(record).collect()
}
