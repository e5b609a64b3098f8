//! The product itself, and the rules that span its parts.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Map, Value};

use super::{
    attributes, media, options,
    reader::{Reader, Text},
    variant::{self, ReadVariant},
};
use crate::{
    domain::{
        draft::{MediaDraft, ProductDraft, SeoDraft, Status, TranslationDraft},
        locale::Locale,
        slug::{SLUG_LENGTH_MAX, is_slug},
    },
    limits::{
        CATEGORIES_MAX, CATEGORY_DEPTH_MAX, DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX, SUMMARY_LENGTH_MAX,
        TAGS_MAX, TRANSLATIONS_MAX,
    },
};

const FIELDS: &[&str] = &[
    "external_id",
    "title",
    "slug",
    "status",
    "description",
    "product_type",
    "brand_id",
    "brand",
    "category_ids",
    "categories",
    "tags",
    "attributes",
    "options",
    "variants",
    "media",
    "seo",
    "translations",
];

/// What an answer shows of a product beyond what can be edited.
const READ_ONLY: &[&str] = &["id", "version", "created_at", "updated_at", "published_at", "deleted_at"];

const NAME: Text = Text::line(NAME_LENGTH_MAX);
const DESCRIPTION: Text = Text { length_max: DESCRIPTION_LENGTH_MAX, lines: true, trim: false };

/// A whole product.
pub(super) fn product(reader: &mut Reader, value: &Value) -> Option<ProductDraft> {
    let map = reader.object(value, FIELDS, READ_ONLY)?;
    let media = reader.field(map, "media", media::media).unwrap_or_default();
    let variants = reader.field(map, "variants", variant::variants).unwrap_or_default();
    let submitted = reader.field(map, "options", options::options).unwrap_or_default();
    let options = options::complete(reader, submitted, &variants);
    variant_media_among(reader, &variants, &media);
    let brand_id = reader.field(map, "brand_id", Reader::id);
    let brand = reader.field(map, "brand", |r, v| r.optional_text(v, NAME));
    exclusive(reader, "brand", "brand_id", brand.is_some() && brand_id.is_some());
    let category_ids = reader.field(map, "category_ids", category_ids).unwrap_or_default();
    let categories = reader.field(map, "categories", categories).unwrap_or_default();
    exclusive(reader, "categories", "category_ids", !categories.is_empty() && !category_ids.is_empty());
    Some(ProductDraft {
        external_id: reader.field(map, "external_id", |r, v| r.optional_text(v, NAME)),
        title: reader.required(map, "title", |r, v| r.name(v, NAME)).unwrap_or_default(),
        slug: reader.field(map, "slug", slug),
        status: reader.field(map, "status", status).unwrap_or_default(),
        description: reader.field(map, "description", |r, v| r.text(v, DESCRIPTION)).unwrap_or_default(),
        product_type: reader.field(map, "product_type", |r, v| r.optional_text(v, NAME)),
        brand_id,
        brand,
        category_ids,
        categories,
        tags: reader.field(map, "tags", tags).unwrap_or_default(),
        attributes: reader.field(map, "attributes", attributes::attributes).unwrap_or_default(),
        options,
        variants: variants.into_iter().map(|variant| variant.draft).collect(),
        media,
        seo: reader.field(map, "seo", seo).unwrap_or_default(),
        translations: reader.field(map, "translations", translations).unwrap_or_default(),
    })
}

fn exclusive(reader: &mut Reader, field: &str, excluded: &str, both: bool) {
    if both {
        reader.invalid_at(&[field], "exclusive", format!("must not be given together with `{excluded}`"));
    }
}

fn variant_media_among(reader: &mut Reader, variants: &[ReadVariant], media: &[MediaDraft]) {
    let urls: HashSet<&str> = media.iter().map(|medium| medium.url.as_str()).collect();
    for variant in variants {
        let strangers = variant.media_indexes.iter().zip(&variant.draft.media);
        for (index, _) in strangers.filter(|(_, url)| !urls.contains(url.as_str())) {
            let place = ["variants", &variant.index.to_string(), "media", &index.to_string()];
            reader.invalid_at(&place, "unknown_media", "must be a URL among the product's `media`");
        }
    }
}

fn slug(reader: &mut Reader, value: &Value) -> Option<String> {
    let slug = reader.optional_text(value, Text::line(SLUG_LENGTH_MAX))?;
    if !is_slug(&slug) {
        let detail = format!(
            "must be lowercase letters and digits with hyphens, dots or underscores between them, at most {SLUG_LENGTH_MAX} bytes"
        );
        reader.invalid("not_a_slug", detail);
        return None;
    }
    Some(slug)
}

fn status(reader: &mut Reader, value: &Value) -> Option<Status> {
    reader
        .word(value, &[("draft", Status::Draft), ("active", Status::Active), ("archived", Status::Archived)])
}

fn category_ids(reader: &mut Reader, value: &Value) -> Option<Vec<uuid::Uuid>> {
    let mut ids = Vec::new();
    for (_, id) in reader.list(value, CATEGORIES_MAX, Reader::id)? {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Some(ids)
}

/// Paths of names, with one space around each `>`; the same path twice counts once.
fn categories(reader: &mut Reader, value: &Value) -> Option<Vec<String>> {
    let mut paths: Vec<String> = Vec::new();
    for (_, path) in reader.list(value, CATEGORIES_MAX, category_path)? {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    Some(paths)
}

fn category_path(reader: &mut Reader, value: &Value) -> Option<String> {
    let path = reader.name(value, Text::line(CATEGORY_DEPTH_MAX * (NAME_LENGTH_MAX + 3)))?;
    let names: Vec<&str> = path.split('>').map(str::trim).collect();
    if names.iter().any(|name| name.is_empty() || name.chars().count() > NAME_LENGTH_MAX) {
        let detail = format!("must be names of 1 to {NAME_LENGTH_MAX} characters separated by `>`");
        reader.invalid("not_a_path", detail);
        return None;
    }
    if names.len() > CATEGORY_DEPTH_MAX {
        reader.invalid(
            "too_deep",
            format!("must have at most {CATEGORY_DEPTH_MAX} levels, has {}", names.len()),
        );
        return None;
    }
    Some(names.join(" > "))
}

/// Tags in the order given; of those that differ only in case the first counts.
fn tags(reader: &mut Reader, value: &Value) -> Option<Vec<String>> {
    let tags = reader.list(value, TAGS_MAX, |r, v| r.name(v, NAME))?;
    let mut seen = HashSet::new();
    Some(tags.into_iter().map(|(_, tag)| tag).filter(|tag| seen.insert(tag.to_lowercase())).collect())
}

fn seo(reader: &mut Reader, value: &Value) -> Option<SeoDraft> {
    let map = reader.object(value, &["title", "description"], &[])?;
    Some(SeoDraft {
        title: reader.field(map, "title", |r, v| r.optional_text(v, NAME)),
        description: reader
            .field(map, "description", |r, v| r.optional_text(v, Text::lines(SUMMARY_LENGTH_MAX))),
    })
}

/// Translations by canonical tag; one without any text is not there.
fn translations(reader: &mut Reader, value: &Value) -> Option<BTreeMap<String, TranslationDraft>> {
    let map = reader.map(value)?;
    if map.len() > TRANSLATIONS_MAX {
        let detail = format!("must have at most {TRANSLATIONS_MAX} languages, has {}", map.len());
        reader.invalid("too_many", detail);
        return None;
    }
    let mut seen = HashSet::new();
    let mut translations = BTreeMap::new();
    for (tag, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        reader.at(tag, |r| {
            let locale = Locale::parse(tag).map(String::from);
            match &locale {
                None => r.invalid(
                    "not_a_locale",
                    "must be named by a BCP 47 language tag, such as `de` or `pt-BR`",
                ),
                Some(locale) if !seen.insert(locale.clone()) => {
                    r.invalid(
                        "duplicate",
                        format!("must be unique; `{locale}` is given in another spelling"),
                    );
                }
                Some(_) => {}
            }
            let translation = translation(r, value);
            if let (Some(locale), Some(translation)) = (locale, translation)
                && translation != TranslationDraft::default()
            {
                translations.insert(locale, translation);
            }
        });
    }
    Some(translations)
}

fn translation(reader: &mut Reader, value: &Value) -> Option<TranslationDraft> {
    let map: &Map<String, Value> = reader.object(value, &["title", "description", "seo"], &[])?;
    Some(TranslationDraft {
        title: reader.field(map, "title", |r, v| r.optional_text(v, NAME)),
        description: reader.field(map, "description", |r, v| r.optional_text(v, DESCRIPTION)),
        seo: reader.field(map, "seo", seo).unwrap_or_default(),
    })
}
