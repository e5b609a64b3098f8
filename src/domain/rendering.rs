//! The store's answer: a product's document in one currency and language.
//!
//! [`render`] selects currency and language and gives the bytes of a store answer and of its card in lists.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    document::{
        AvailabilityStatus, BrandReference, CategoryReference, DocumentVariant, Media, ProductDocument,
        ProductOption, Translation,
    },
    draft::MediaKind,
    locale::Locale,
    money::Currency,
};

/// Currency and language an answer is made for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// Currency of prices.
    pub currency: Currency,
    /// Language of texts; falls back by RFC 4647 to the default texts.
    pub locale: Locale,
}

/// A product as the store shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreProduct<'a> {
    /// Identity of the product.
    pub id: Uuid,
    /// Aggregate version: every visible change in any part raises it.
    pub version: i64,
    /// URL name.
    pub slug: &'a str,
    /// Name in the answer's language.
    pub title: &'a str,
    /// Description in the answer's language.
    pub description: &'a str,
    /// Label of the kind of product.
    pub product_type: Option<&'a str>,
    /// The brand, if any.
    pub brand: Option<&'a BrandReference>,
    /// Categories the product is in, by path.
    pub categories: &'a [CategoryReference],
    /// Labels.
    pub tags: &'a [String],
    /// Free attributes.
    #[schema(value_type = Object)]
    pub attributes: &'a RawValue,
    /// What distinguishes the variants.
    pub options: &'a [ProductOption],
    /// What can be bought.
    pub variants: Vec<StoreVariant<'a>>,
    /// Lowest and highest price; absent when no variant has a price in the currency.
    pub price_range: Option<PriceRange>,
    /// Pictures and films in the order shown.
    pub media: &'a [Media],
    /// Texts for search engines.
    pub seo: StoreSeo<'a>,
    /// When the product first became active.
    pub published_at: Option<DateTime<Utc>>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When its visible state last changed.
    pub updated_at: DateTime<Utc>,
}

/// Texts for search engines in the answer's language.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreSeo<'a> {
    /// Title for search engines.
    pub title: Option<&'a str>,
    /// Description for search engines.
    pub description: Option<&'a str>,
}

/// A variant as the store shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreVariant<'a> {
    /// Identity of the variant.
    pub id: Uuid,
    /// Stock keeping unit.
    pub sku: Option<&'a str>,
    /// GTIN or other code.
    pub barcode: Option<&'a str>,
    /// Name of the variant.
    pub title: &'a str,
    /// Value per option name.
    pub options: &'a BTreeMap<String, String>,
    /// Price in the answer's currency; absent when it has none.
    pub price: Option<StorePrice>,
    /// Whether it can be bought.
    pub availability: Availability,
    /// Free attributes.
    #[schema(value_type = Object)]
    pub attributes: &'a RawValue,
    /// Weight in grams.
    pub weight_grams: Option<i32>,
    /// Media that show this variant.
    pub media: Vec<&'a Media>,
}

/// Money: an integer of minor units with its currency and exponent, never a float.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct StorePrice {
    /// Minor units.
    pub amount: i64,
    /// ISO 4217 code.
    pub currency: Currency,
    /// Decimal digits of the minor unit.
    pub exponent: u8,
    /// Former price in minor units.
    pub compare_at: Option<i64>,
}

/// Wrapper of the availability status, open to more fields.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Availability {
    /// The band.
    pub status: AvailabilityStatus,
}

/// Lowest and highest price of a product's variants.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct PriceRange {
    /// Lowest amount in minor units.
    pub min: i64,
    /// Highest amount in minor units.
    pub max: i64,
    /// ISO 4217 code.
    pub currency: Currency,
    /// Decimal digits of the minor unit.
    pub exponent: u8,
}

/// What a list shows of a product.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductCard<'a> {
    /// Identity of the product.
    pub id: Uuid,
    /// Aggregate version.
    pub version: i64,
    /// URL name.
    pub slug: &'a str,
    /// Name in the answer's language.
    pub title: &'a str,
    /// The brand, if any.
    pub brand: Option<&'a BrandReference>,
    /// Lowest and highest price; absent when no variant has a price in the currency.
    pub price_range: Option<PriceRange>,
    /// The best availability among the variants; absent without variants.
    pub availability: Option<Availability>,
    /// The first picture.
    pub media: Option<&'a Media>,
    /// When the product first became active.
    pub published_at: Option<DateTime<Utc>>,
}

/// A product in one currency and language, borrowed from its document.
#[derive(Debug)]
pub struct Rendered {
    /// JSON of [`StoreProduct`].
    pub product: Vec<u8>,
    /// JSON of [`ProductCard`].
    pub card: Vec<u8>,
}

/// Makes the store's answer and list card of a product for one currency and language.
pub fn render(
    document: &ProductDocument,
    brand: Option<&BrandReference>,
    categories: &[CategoryReference],
    view: &View,
) -> Result<Rendered, serde_json::Error> {
    let texts = Texts::select(document, &view.locale);
    let price_range = price_range(document, view.currency);
    let product = StoreProduct {
        id: document.id,
        version: document.version,
        slug: &document.slug,
        title: texts.title,
        description: texts.description,
        product_type: document.product_type.as_deref(),
        brand,
        categories,
        tags: &document.tags,
        attributes: &document.attributes,
        options: &document.options,
        variants: document.variants.iter().map(|v| render_variant(v, document, view.currency)).collect(),
        price_range,
        media: &document.media,
        seo: texts.seo,
        published_at: document.published_at,
        created_at: document.created_at,
        updated_at: document.updated_at,
    };
    let card = ProductCard {
        id: document.id,
        version: document.version,
        slug: &document.slug,
        title: texts.title,
        brand,
        price_range,
        availability: best_availability(document),
        media: document.media.iter().find(|m| m.kind == MediaKind::Image),
        published_at: document.published_at,
    };
    Ok(Rendered { product: serde_json::to_vec(&product)?, card: serde_json::to_vec(&card)? })
}

struct Texts<'a> {
    title: &'a str,
    description: &'a str,
    seo: StoreSeo<'a>,
}

impl<'a> Texts<'a> {
    fn select(document: &'a ProductDocument, locale: &Locale) -> Self {
        let chain: Vec<&Translation> =
            locale.fallbacks().filter_map(|tag| document.translations.get(tag)).collect();
        let first = |field: fn(&Translation) -> Option<&str>| chain.iter().find_map(|t| field(t));
        Self {
            title: first(|t| t.title.as_deref()).unwrap_or(&document.title),
            description: first(|t| t.description.as_deref()).unwrap_or(&document.description),
            seo: StoreSeo {
                title: first(|t| t.seo_title.as_deref()).or(document.seo.title.as_deref()),
                description: first(|t| t.seo_description.as_deref()).or(document.seo.description.as_deref()),
            },
        }
    }
}

fn render_variant<'a>(
    variant: &'a DocumentVariant,
    document: &'a ProductDocument,
    currency: Currency,
) -> StoreVariant<'a> {
    let price = variant.prices.iter().find(|p| p.currency == currency).map(|p| StorePrice {
        amount: p.amount,
        currency,
        exponent: currency.exponent(),
        compare_at: p.compare_at,
    });
    StoreVariant {
        id: variant.id,
        sku: variant.sku.as_deref(),
        barcode: variant.barcode.as_deref(),
        title: &variant.title,
        options: &variant.options,
        price,
        availability: Availability { status: variant.availability },
        attributes: &variant.attributes,
        weight_grams: variant.weight_grams,
        media: variant.media.iter().filter_map(|id| document.media.iter().find(|m| m.id == *id)).collect(),
    }
}

fn price_range(document: &ProductDocument, currency: Currency) -> Option<PriceRange> {
    let amounts = || {
        document.variants.iter().flat_map(|v| &v.prices).filter(|p| p.currency == currency).map(|p| p.amount)
    };
    Some(PriceRange { min: amounts().min()?, max: amounts().max()?, currency, exponent: currency.exponent() })
}

fn best_availability(document: &ProductDocument) -> Option<Availability> {
    let rank = |status: &AvailabilityStatus| match status {
        AvailabilityStatus::InStock => 0,
        AvailabilityStatus::LowStock => 1,
        AvailabilityStatus::Backorder => 2,
        AvailabilityStatus::OutOfStock => 3,
    };
    let status = document.variants.iter().map(|v| v.availability).min_by_key(rank)?;
    Some(Availability { status })
}
