//! Variants and their stock.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::{
    attributes, price,
    reader::{Reader, Text},
};
use crate::{
    domain::draft::{DEFAULT_LOCATION, StockDraft, VariantDraft},
    limits::{
        BARCODE_LENGTH_MAX, LOCATIONS_MAX, MEDIA_MAX, NAME_LENGTH_MAX, OPTIONS_MAX, STOCK_MAX,
        URL_LENGTH_MAX, VARIANT_TITLE_LENGTH_MAX, VARIANTS_MAX,
    },
};

const FIELDS: &[&str] = &[
    "id",
    "sku",
    "barcode",
    "title",
    "options",
    "prices",
    "attributes",
    "media",
    "weight_grams",
    "track_inventory",
    "allow_backorder",
    "low_stock_threshold",
    "stock",
];

/// What an answer shows of a variant beyond what can be edited.
const READ_ONLY: &[&str] = &["availability"];

/// A variant with what [`VariantDraft`] does not keep but rules over several variants need.
#[derive(Debug)]
pub(super) struct ReadVariant {
    /// Place in the submitted list.
    pub(super) index: usize,
    /// The variant.
    pub(super) draft: VariantDraft,
    /// Names of its options in the order submitted.
    pub(super) option_names: Vec<String>,
    /// Whether its options could be read; if not, rules about them would only repeat that.
    pub(super) options_readable: bool,
    /// Places of its media in the submitted list.
    pub(super) media_indexes: Vec<usize>,
}

/// The variants of a product: each by itself, then what must be unique among them.
pub(super) fn variants(reader: &mut Reader, value: &Value) -> Option<Vec<ReadVariant>> {
    let variants = reader.list(value, VARIANTS_MAX, variant)?;
    let variants: Vec<ReadVariant> =
        variants.into_iter().map(|(index, variant)| ReadVariant { index, ..variant }).collect();
    unique(reader, &variants, "sku", |variant| variant.draft.sku.clone());
    unique(reader, &variants, "id", |variant| variant.draft.id);
    Some(variants)
}

fn unique<K: std::hash::Hash + Eq>(
    reader: &mut Reader,
    variants: &[ReadVariant],
    field: &str,
    key: impl Fn(&ReadVariant) -> Option<K>,
) {
    let mut seen = HashMap::new();
    for variant in variants {
        let Some(key) = key(variant) else { continue };
        if let Some(first) = seen.get(&key) {
            let detail = format!("must be unique; variant {first} has the same");
            reader.invalid_at(&[&variant.index.to_string(), field], "duplicate", detail);
        } else {
            seen.insert(key, variant.index);
        }
    }
}

/// One variant by itself.
pub(super) fn variant(reader: &mut Reader, value: &Value) -> Option<ReadVariant> {
    let map = reader.object(value, FIELDS, READ_ONLY)?;
    let broken = reader.broken();
    let options = reader.field(map, "options", options).unwrap_or_default();
    let options_readable = reader.broken() == broken;
    let (draft, media_indexes) = fields(reader, map);
    Some(ReadVariant {
        index: 0,
        option_names: options.iter().map(|(name, _)| name.clone()).collect(),
        draft: VariantDraft { options: options.into_iter().collect::<BTreeMap<_, _>>(), ..draft },
        options_readable,
        media_indexes,
    })
}

fn fields(reader: &mut Reader, map: &Map<String, Value>) -> (VariantDraft, Vec<usize>) {
    let name = |r: &mut Reader, v: &_| r.optional_text(v, Text::line(NAME_LENGTH_MAX));
    let default = VariantDraft::default();
    let media = reader.field(map, "media", media).unwrap_or_default();
    let (media_indexes, media) = media.into_iter().unzip();
    let draft = VariantDraft {
        id: reader.field(map, "id", Reader::id),
        sku: reader.field(map, "sku", name),
        barcode: reader.field(map, "barcode", |r, v| r.optional_text(v, Text::line(BARCODE_LENGTH_MAX))),
        title: reader.field(map, "title", |r, v| r.optional_text(v, Text::line(VARIANT_TITLE_LENGTH_MAX))),
        options: default.options,
        prices: reader.field(map, "prices", price::prices).unwrap_or_default(),
        attributes: reader.field(map, "attributes", attributes::attributes).unwrap_or_default(),
        media,
        weight_grams: reader.field(map, "weight_grams", |r, v| r.small_integer(v, 0, i32::MAX)),
        track_inventory: reader.field(map, "track_inventory", Reader::boolean),
        allow_backorder: reader
            .field(map, "allow_backorder", Reader::boolean)
            .unwrap_or(default.allow_backorder),
        low_stock_threshold: reader
            .field(map, "low_stock_threshold", |r, v| r.small_integer(v, 0, i32::MAX))
            .unwrap_or(default.low_stock_threshold),
        stock: reader.field(map, "stock", stock),
    };
    (draft, media_indexes)
}

/// Option values by name, in the order submitted.
fn options(reader: &mut Reader, value: &Value) -> Option<Vec<(String, String)>> {
    let map = reader.map(value)?;
    if map.len() > OPTIONS_MAX {
        reader.invalid("too_many", format!("must have at most {OPTIONS_MAX} options, has {}", map.len()));
        return None;
    }
    let mut options: Vec<(String, String)> = Vec::with_capacity(map.len());
    for (submitted, value) in map {
        let text = Text::line(NAME_LENGTH_MAX);
        reader.at(submitted, |r| {
            let name = r.name(&Value::String(submitted.clone()), text);
            let value = r.name(value, text);
            let (Some(name), Some(value)) = (name, value) else { return };
            let folded = name.to_lowercase();
            if options.iter().any(|(other, _)| other.to_lowercase() == folded) {
                r.invalid("duplicate", "must be unique without regard to case and surrounding white space");
                return;
            }
            options.push((name, value));
        });
    }
    Some(options)
}

/// URLs among the product's media, with their places.
fn media(reader: &mut Reader, value: &Value) -> Option<Vec<(usize, String)>> {
    let url = |r: &mut Reader, v: &_| r.name(v, Text::line(URL_LENGTH_MAX));
    let mut media: Vec<(usize, String)> = Vec::new();
    for (index, url) in reader.list(value, MEDIA_MAX, url)? {
        if media.iter().all(|(_, other)| *other != url) {
            media.push((index, url));
        }
    }
    Some(media)
}

/// Units at the default location as a bare number, or a list of locations.
pub(super) fn stock(reader: &mut Reader, value: &Value) -> Option<Vec<StockDraft>> {
    if value.is_number() {
        let quantity = quantity(reader, value)?;
        return Some(vec![StockDraft { location: DEFAULT_LOCATION.to_owned(), quantity }]);
    }
    if !value.is_array() {
        reader.wrong_type("a whole number or a list of locations", value);
        return None;
    }
    let levels = reader.list(value, LOCATIONS_MAX, stock_level)?;
    for (position, (index, level)) in levels.iter().enumerate() {
        if levels.iter().take(position).any(|(_, earlier)| earlier.location == level.location) {
            reader.invalid_at(
                &[&index.to_string(), "location"],
                "duplicate",
                "must be unique among the locations",
            );
        }
    }
    Some(levels.into_iter().map(|(_, level)| level).collect())
}

fn stock_level(reader: &mut Reader, value: &Value) -> Option<StockDraft> {
    let map = reader.object(value, &["location", "quantity"], &[])?;
    let location = |r: &mut Reader, v: &_| r.name(v, Text::line(NAME_LENGTH_MAX));
    let location = reader.field(map, "location", location).unwrap_or_else(|| DEFAULT_LOCATION.to_owned());
    let quantity = reader.required(map, "quantity", quantity)?;
    Some(StockDraft { location, quantity })
}

fn quantity(reader: &mut Reader, value: &Value) -> Option<i32> {
    reader.integer(value, -STOCK_MAX, STOCK_MAX).and_then(|quantity| i32::try_from(quantity).ok())
}
