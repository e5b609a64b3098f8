//! The draft that would make a stored product again.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    plan::option_values,
    rows::{Stored, VariantRecord},
    words,
};
use crate::{
    domain::{
        draft::{
            MediaDraft, OptionDraft, PriceDraft, ProductDraft, SeoDraft, StockDraft, TranslationDraft,
            VariantDraft,
        },
        money::Currency,
    },
    store::error::StoreError,
};

/// Makes the draft; ids are filled in, brand and categories given by id only (the two ways exclude each other).
pub(super) fn draft(stored: &Stored) -> Result<ProductDraft, StoreError> {
    let rows = &stored.rows;
    let values = |option_id: Uuid| {
        let values = rows.values.iter().filter(move |value| value.option_id == option_id);
        values.map(|value| value.value.clone()).collect()
    };
    let variants = rows.variants.iter().map(|record| variant(stored, record));
    Ok(ProductDraft {
        external_id: rows.product.external_id.clone(),
        title: rows.product.title.clone(),
        slug: Some(stored.slug.clone()).filter(|slug| !slug.is_empty()),
        status: words::read_status(&rows.product.status),
        description: rows.product.description.clone(),
        product_type: rows.product.product_type.clone(),
        brand_id: rows.product.brand_id,
        brand: None,
        category_ids: rows.categories.iter().map(|category| category.category_id).collect(),
        categories: Vec::new(),
        tags: stored.tag_names.clone(),
        attributes: object(&rows.product.attributes),
        options: rows
            .options
            .iter()
            .map(|option| OptionDraft { name: option.name.clone(), values: values(option.id) })
            .collect(),
        variants: variants.collect::<Result<_, _>>()?,
        media: rows
            .media
            .iter()
            .map(|medium| MediaDraft {
                id: Some(medium.id),
                url: medium.url.clone(),
                alt: medium.alt.clone(),
                width: medium.width,
                height: medium.height,
                kind: words::read_media_kind(&medium.kind),
            })
            .collect(),
        seo: seo(rows.product.seo_title.as_ref(), rows.product.seo_description.as_ref()),
        translations: rows
            .translations
            .iter()
            .map(|record| {
                let texts = TranslationDraft {
                    title: record.title.clone(),
                    description: record.description.clone(),
                    seo: seo(record.seo_title.as_ref(), record.seo_description.as_ref()),
                };
                (record.locale.clone(), texts)
            })
            .collect(),
    })
}

/// One variant of a stored product as a draft.
pub(super) fn variant(stored: &Stored, record: &VariantRecord) -> Result<VariantDraft, StoreError> {
    let rows = &stored.rows;
    let prices = rows.prices.iter().filter(|price| price.variant_id == record.id).map(|price| {
        let currency = Currency::parse(&price.currency)
            .ok_or_else(|| StoreError::Internal(format!("unknown currency {}", price.currency)))?;
        Ok::<_, StoreError>(PriceDraft { currency, amount: price.amount, compare_at: price.compare_at })
    });
    let url = |id: Uuid| rows.media.iter().find(|medium| medium.id == id).map(|medium| medium.url.clone());
    let stock: Vec<StockDraft> = rows
        .stock
        .iter()
        .zip(&stored.location_codes)
        .filter(|(level, _)| level.variant_id == record.id)
        .map(|(level, code)| StockDraft { location: code.clone(), quantity: level.quantity })
        .collect();
    Ok(VariantDraft {
        id: Some(record.id),
        sku: record.sku.clone(),
        barcode: record.barcode.clone(),
        title: record.title.clone(),
        options: option_values(rows, record.id)
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        prices: prices.collect::<Result<_, _>>()?,
        attributes: object(&record.attributes),
        media: rows
            .variant_media
            .iter()
            .filter(|link| link.variant_id == record.id)
            .filter_map(|link| url(link.media_id))
            .collect(),
        weight_grams: record.weight_grams,
        track_inventory: Some(record.track_inventory),
        allow_backorder: record.allow_backorder,
        low_stock_threshold: record.low_stock_threshold,
        stock: (record.track_inventory || !stock.is_empty()).then_some(stock),
    })
}

fn seo(title: Option<&String>, description: Option<&String>) -> SeoDraft {
    SeoDraft { title: title.cloned(), description: description.cloned() }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
