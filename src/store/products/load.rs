//! Reads a product, deleted or not: one statement for all its tables, since each costs both sides more than its rows do.

use diesel::{
    Queryable, RunQueryDsl,
    dsl::{AsSelect, SqlTypeOf},
    pg::Pg,
    sql_types as sql,
};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use super::rows::{
    Bookkeeping, CategoryRecord, ChoiceRecord, MediaRecord, OptionRecord, PriceRecord, ProductRecord,
    StockRecord, Stored, TagRecord, TranslationRecord, ValueRecord, VariantMediaRecord, VariantRecord,
};
use crate::store::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

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

/// Reads a product; lock its row first where the rows decide what is written.
pub(super) fn load(connection: &mut Connection, id: Uuid) -> Result<Stored, StoreError> {
    load_parts(connection, id, Parts::ALL)?.stored()
}

/// Reads a product again whose lock is held since it was read: of its parts only those that were written since.
pub(super) fn reload(
    connection: &mut Connection,
    stored: Stored,
    written: Parts,
) -> Result<Stored, StoreError> {
    load_parts(connection, stored.rows.product.id, written)?.stored_over(stored)
}

/// A product as it is read: the parts that were asked for as JSON.
#[derive(Queryable)]
#[diesel(check_for_backend(Pg))]
struct Found {
    product: ProductRecord,
    bookkeeping: Bookkeeping,
    slug: String,
    links: Option<String>,
    options_and_media: Option<String>,
    variants: Option<String>,
}

#[derive(Deserialize)]
struct Links {
    tags: Vec<(TagRecord, String)>,
    categories: Vec<CategoryRecord>,
    translations: Vec<TranslationRecord>,
}

#[derive(Deserialize)]
struct OptionsAndMedia {
    options: Vec<OptionRecord>,
    values: Vec<ValueRecord>,
    media: Vec<MediaRecord>,
}

#[derive(Deserialize)]
struct OfVariants {
    variants: Vec<VariantRecord>,
    choices: Vec<ChoiceRecord>,
    prices: Vec<PriceRecord>,
    media: Vec<VariantMediaRecord>,
    stock: Vec<(StockRecord, String)>,
}

impl Found {
    fn stored(self) -> Result<Stored, StoreError> {
        let rows = super::plan::nothing(self.product.id);
        let bookkeeping = self.bookkeeping.clone();
        let (slug, tag_names, location_codes) = (String::new(), Vec::new(), Vec::new());
        self.stored_over(Stored { rows, bookkeeping, slug, tag_names, location_codes })
    }

    /// What was not read is as it was.
    fn stored_over(self, before: Stored) -> Result<Stored, StoreError> {
        let mut stored = Stored { slug: self.slug, bookkeeping: self.bookkeeping, ..before };
        let rows = &mut stored.rows;
        rows.product = self.product;
        if let Some(Links { tags, categories, translations }) = read(self.links)? {
            (rows.tags, stored.tag_names) = tags.into_iter().unzip();
            (rows.categories, rows.translations) = (categories, translations);
        }
        if let Some(OptionsAndMedia { options, values, media }) = read(self.options_and_media)? {
            (rows.options, rows.values, rows.media) = (options, values, media);
        }
        if let Some(OfVariants { variants, choices, prices, media, stock }) = read(self.variants)? {
            (rows.variants, rows.choices, rows.prices) = (variants, choices, prices);
            rows.variant_media = media;
            (rows.stock, stored.location_codes) = stock.into_iter().unzip();
        }
        Ok(stored)
    }
}

fn read<T: DeserializeOwned>(part: Option<String>) -> Result<Option<T>, StoreError> {
    let wrong = |error| StoreError::Internal(format!("a part of a product: {error}"));
    part.map(|text| serde_json::from_str(&text).map_err(wrong)).transpose()
}

/// The columns of [`ProductRecord`] and [`Bookkeeping`] in their order. Parts follow, whose columns are told by their names.
const OWN: &str = "SELECT p.id, p.external_id, p.status, p.title, p.description, p.product_type, p.brand_id, p.attributes, \
    p.seo_title, p.seo_description, p.version, p.published_at, p.created_at, p.updated_at, p.deleted_at, \
    coalesce((SELECT s.slug FROM slug s WHERE s.product_id = p.id AND s.is_current), '')";

const LINKS: &str = "json_build_object( \
    'tags', (SELECT coalesce(json_agg(json_build_array(row_to_json(l), t.name) ORDER BY l.position, t.name), '[]') \
               FROM product_tag l JOIN tag t ON t.id = l.tag_id WHERE l.product_id = p.id), \
    'categories', (SELECT coalesce(json_agg(row_to_json(l) ORDER BY c.path), '[]') \
                     FROM product_category l JOIN category c ON c.id = l.category_id WHERE l.product_id = p.id), \
    'translations', (SELECT coalesce(json_agg(row_to_json(t) ORDER BY t.locale), '[]') \
                       FROM product_translation t WHERE t.product_id = p.id))::text";

const OPTIONS_AND_MEDIA: &str = "json_build_object( \
    'options', (SELECT coalesce(json_agg(row_to_json(o) ORDER BY o.position, o.id), '[]') \
                  FROM product_option o WHERE o.product_id = p.id), \
    'values', (SELECT coalesce(json_agg(row_to_json(v) ORDER BY v.position, v.id), '[]') \
                 FROM product_option o JOIN option_value v ON v.option_id = o.id WHERE o.product_id = p.id), \
    'media', (SELECT coalesce(json_agg(row_to_json(m) ORDER BY m.position, m.id), '[]') \
                FROM media m WHERE m.product_id = p.id))::text";

const VARIANTS: &str = "json_build_object( \
    'variants', (SELECT coalesce(json_agg(row_to_json(v) ORDER BY v.position, v.id), '[]') \
                   FROM variant v WHERE v.product_id = p.id), \
    'choices', (SELECT coalesce(json_agg(row_to_json(c)), '[]') \
                  FROM variant v JOIN variant_option_value c ON c.variant_id = v.id WHERE v.product_id = p.id), \
    'prices', (SELECT coalesce(json_agg(row_to_json(r) ORDER BY r.currency), '[]') \
                 FROM variant v JOIN price r ON r.variant_id = v.id WHERE v.product_id = p.id), \
    'media', (SELECT coalesce(json_agg(row_to_json(l) ORDER BY l.position, l.media_id), '[]') \
                FROM variant v JOIN variant_media l ON l.variant_id = v.id WHERE v.product_id = p.id), \
    'stock', (SELECT coalesce(json_agg(json_build_array(row_to_json(s), o.code) ORDER BY s.variant_id, o.code), '[]') \
                FROM variant v JOIN stock_level s ON s.variant_id = v.id JOIN location o ON o.id = s.location_id \
               WHERE v.product_id = p.id))::text";

fn load_parts(connection: &mut Connection, id: Uuid, parts: Parts) -> Result<Found, StoreError> {
    type Part = sql::Nullable<sql::Text>;
    type Row = (
        SqlTypeOf<AsSelect<ProductRecord, Pg>>,
        SqlTypeOf<AsSelect<Bookkeeping, Pg>>,
        sql::Text,
        Part,
        Part,
        Part,
    );
    // Left out rather than skipped by a condition: Postgres prepares what it skips too.
    let part = |is_meant, text| if is_meant { text } else { "NULL" };
    let links = part(parts.links, LINKS);
    let options_and_media = part(parts.options_and_media, OPTIONS_AND_MEDIA);
    let variants = part(parts.variants, VARIANTS);
    let text = format!("{OWN}, {links}, {options_and_media}, {variants} FROM product p WHERE p.id = $1");
    Ok(Statement::<Row>::new(text, [Bind::Id(id)]).get_result(connection)?)
}
