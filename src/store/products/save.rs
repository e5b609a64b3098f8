//! Writes the difference between the rows that are stored and those that are wanted, table by table: of one product, or of
//! as many as an import brings together.
//!
//! Only what differs is written: a statement that changed nothing would still cost, and the log must stay silent.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{
    ExecuteCopyFromDsl, ExpressionMethods, RunQueryDsl, connection::SimpleConnection, sql_types as sql,
    upsert::excluded,
};
use uuid::Uuid;

use super::{
    difference::Difference,
    load::Parts,
    rows::{
        CategoryRecord, ChoiceRecord, MediaRecord, OptionRecord, PriceRecord, ProductRecord, Rows,
        StockRecord, TagRecord, TranslationRecord, ValueRecord, VariantMediaRecord, VariantRecord,
    },
};
use crate::store::{
    Connection,
    error::StoreError,
    schema,
    statement::{Bind, Statement},
};

/// Rows per statement: Postgres takes 65,535 binds.
const CHUNK: usize = 1000;

/// From so many new rows of a table on they are copied: below, one statement with values is quicker.
const COPIED_MIN: usize = 50;

/// Everything that differs between products as they are stored and as they are wanted.
#[derive(Debug, Default)]
pub(super) struct Changes {
    products_new: Vec<ProductRecord>,
    products_changed: Vec<ProductRecord>,
    media: Difference<MediaRecord, Uuid>,
    options: Difference<OptionRecord, Uuid>,
    values: Difference<ValueRecord, Uuid>,
    variants: Difference<VariantRecord, Uuid>,
    /// Variants that are stored with a SKU; of products that change.
    skus: Vec<(Uuid, String)>,
    choices: Difference<ChoiceRecord, (Uuid, Uuid)>,
    prices: Difference<PriceRecord, (Uuid, String)>,
    variant_media: Difference<VariantMediaRecord, (Uuid, Uuid)>,
    stock: Difference<StockRecord, (Uuid, Uuid)>,
    tags: Difference<TagRecord, (Uuid, Uuid)>,
    categories: Difference<CategoryRecord, (Uuid, Uuid)>,
    translations: Difference<TranslationRecord, (Uuid, String)>,
}

impl Changes {
    /// Adds what makes the stored rows like the wanted ones. `stored` is `None` for a product that is new. Gives the parts that
    /// differ; `None` if nothing does.
    pub(super) fn add(&mut self, stored: Option<&Rows>, wanted: Rows) -> Option<Parts> {
        let empty = super::plan::nothing(wanted.product.id);
        let before = stored.unwrap_or(&empty);
        let product = match stored {
            None => {
                self.products_new.push(wanted.product);
                true
            }
            Some(stored) if stored.product != wanted.product => {
                self.products_changed.push(wanted.product);
                true
            }
            Some(_) => false,
        };
        let variants = self.variants.add(&before.variants, wanted.variants, |row| row.id);
        if variants {
            let skus = before.variants.iter().filter_map(|row| Some((row.id, row.sku.clone()?)));
            self.skus.extend(skus);
        }
        let options_and_media = [
            self.media.add(&before.media, wanted.media, |row| row.id),
            self.options.add(&before.options, wanted.options, |row| row.id),
            self.values.add(&before.values, wanted.values, |row| row.id),
        ];
        let of_variants = [
            self.choices.add(&before.choices, wanted.choices, |row| (row.variant_id, row.option_id)),
            self.prices.add(&before.prices, wanted.prices, |row| (row.variant_id, row.currency.clone())),
            self.variant_media
                .add(&before.variant_media, wanted.variant_media, |row| (row.variant_id, row.media_id)),
            self.stock.add(&before.stock, wanted.stock, |row| (row.variant_id, row.location_id)),
        ];
        let links = [
            self.tags.add(&before.tags, wanted.tags, |row| (row.product_id, row.tag_id)),
            self.categories
                .add(&before.categories, wanted.categories, |row| (row.product_id, row.category_id)),
            self.translations
                .add(&before.translations, wanted.translations, |row| (row.product_id, row.locale.clone())),
        ];
        let parts = Parts {
            links: links.contains(&true),
            options_and_media: options_and_media.contains(&true),
            variants: variants || of_variants.contains(&true),
        };
        (product || parts != Parts::default()).then_some(parts)
    }

    /// Tags that products get.
    pub(super) fn tags_given(&self) -> Vec<Uuid> {
        let given: BTreeSet<Uuid> = self.tags.new.iter().map(|row| row.tag_id).collect();
        given.into_iter().collect()
    }
}

/// Inserts rows or updates those with the same key, chunk by chunk; many new ones are copied.
macro_rules! upsert {
    ($connection:expr, $table:ident, $difference:expr, ($($key:ident),+), ($($column:ident),+)) => {{
        use schema::$table::dsl;
        let mut written = $difference.changed;
        if $difference.new.len() < COPIED_MIN {
            written.extend($difference.new);
        } else {
            diesel::copy_from(dsl::$table).from_insertable($difference.new).execute($connection)?;
        }
        for chunk in written.chunks(CHUNK) {
            diesel::insert_into(dsl::$table)
                .values(chunk)
                .on_conflict(($(dsl::$key,)+))
                .do_update()
                .set(($(dsl::$column.eq(excluded(dsl::$column)),)+))
                .execute($connection)?;
        }
    }};
}

impl Changes {
    /// Writes it all.
    pub(super) fn write(mut self, connection: &mut Connection) -> Result<(), StoreError> {
        products(connection, self.products_new, &self.products_changed)?;
        // What goes first makes room for what must be unique; what is referred to comes before what refers.
        delete(connection, "DELETE FROM media WHERE id = ANY ($1)", &self.media.gone)?;
        delete(connection, "DELETE FROM variant WHERE id = ANY ($1)", &self.variants.gone)?;
        upsert!(connection, media, self.media, (id), (position, url, alt, width, height, kind));
        upsert!(connection, product_option, self.options, (id), (position));
        upsert!(connection, option_value, self.values, (id), (position));
        let early = stock_of_new(&mut self.stock, &self.variants.new);
        let is_early = !early.is_empty();
        if is_early {
            stock_before_variants(connection, early)?;
        }
        variants(connection, self.variants, &self.skus)?;
        if is_early {
            connection.batch_execute("SET CONSTRAINTS stock_level_variant_fkey IMMEDIATE")?;
        }
        delete_pairs(
            connection,
            "DELETE FROM variant_option_value t USING unnest($1, $2) AS gone (a, b) \
              WHERE t.variant_id = gone.a AND t.option_id = gone.b",
            &self.choices.gone,
        )?;
        upsert!(connection, variant_option_value, self.choices, (variant_id, option_id), (value_id));
        // Now that no variant uses them.
        delete(connection, "DELETE FROM product_option WHERE id = ANY ($1)", &self.options.gone)?;
        delete(connection, "DELETE FROM option_value WHERE id = ANY ($1)", &self.values.gone)?;
        parts_of_variants(connection, self.prices, self.variant_media, self.stock)?;
        links(connection, self.tags, self.categories, self.translations)
    }
}

fn products(
    connection: &mut Connection,
    new: Vec<ProductRecord>,
    changed: &[ProductRecord],
) -> Result<(), StoreError> {
    use schema::product::dsl;
    if new.len() >= COPIED_MIN {
        diesel::copy_from(dsl::product).from_insertable(new).execute(connection)?;
    } else if !new.is_empty() {
        diesel::insert_into(dsl::product).values(new).execute(connection)?;
    }
    if let [one] = changed {
        return update_product(connection, one);
    }
    // The rows are there and locked: this only ever updates.
    for chunk in changed.chunks(CHUNK) {
        diesel::insert_into(dsl::product)
            .values(chunk)
            .on_conflict(dsl::id)
            .do_update()
            .set((
                dsl::external_id.eq(excluded(dsl::external_id)),
                dsl::status.eq(excluded(dsl::status)),
                dsl::title.eq(excluded(dsl::title)),
                dsl::description.eq(excluded(dsl::description)),
                dsl::product_type.eq(excluded(dsl::product_type)),
                dsl::brand_id.eq(excluded(dsl::brand_id)),
                dsl::attributes.eq(excluded(dsl::attributes)),
                dsl::seo_title.eq(excluded(dsl::seo_title)),
                dsl::seo_description.eq(excluded(dsl::seo_description)),
            ))
            .execute(connection)?;
    }
    Ok(())
}

/// Diesel's own update would be planned anew each time.
fn update_product(connection: &mut Connection, row: &ProductRecord) -> Result<(), StoreError> {
    let binds = [
        Bind::Id(row.id),
        Bind::OptionalText(row.external_id.as_deref()),
        Bind::Text(&row.status),
        Bind::Text(&row.title),
        Bind::Text(&row.description),
        Bind::OptionalText(row.product_type.as_deref()),
        Bind::OptionalId(row.brand_id),
        Bind::Json(&row.attributes),
        Bind::OptionalText(row.seo_title.as_deref()),
        Bind::OptionalText(row.seo_description.as_deref()),
    ];
    Statement::<sql::Bool>::new(
        "UPDATE product SET external_id = $2, status = $3, title = $4, description = $5, product_type = $6, brand_id = $7, \
                attributes = $8, seo_title = $9, seo_description = $10 WHERE id = $1",
        binds,
    )
    .execute(connection)?;
    Ok(())
}

fn delete(connection: &mut Connection, text: &'static str, ids: &[Uuid]) -> Result<(), StoreError> {
    if !ids.is_empty() {
        Statement::<sql::Bool>::new(text, [Bind::Ids(ids)]).execute(connection)?;
    }
    Ok(())
}

fn variants(
    connection: &mut Connection,
    variants: Difference<VariantRecord, Uuid>,
    stored: &[(Uuid, String)],
) -> Result<(), StoreError> {
    // Two variants that exchange their SKUs would collide half-way: give up first what another one takes.
    let written = variants.new.iter().chain(&variants.changed);
    let takers: HashMap<&str, Uuid> = written.filter_map(|row| Some((row.sku.as_deref()?, row.id))).collect();
    let passed_on: Vec<Uuid> = stored
        .iter()
        .filter(|(id, sku)| takers.get(sku.as_str()).is_some_and(|taker| taker != id))
        .map(|(id, _)| *id)
        .collect();
    delete(connection, "UPDATE variant SET sku = NULL WHERE id = ANY ($1)", &passed_on)?;
    upsert!(
        connection,
        variant,
        variants,
        (id),
        (
            position,
            sku,
            barcode,
            title,
            attributes,
            weight_grams,
            track_inventory,
            allow_backorder,
            low_stock_threshold
        )
    );
    Ok(())
}

/// Takes out the stock of new variants, where there is enough of it to be copied.
fn stock_of_new(
    stock: &mut Difference<StockRecord, (Uuid, Uuid)>,
    variants: &[VariantRecord],
) -> Vec<StockRecord> {
    if stock.new.len() < COPIED_MIN {
        return Vec::new();
    }
    let ids: HashSet<Uuid> = variants.iter().map(|variant| variant.id).collect();
    let (early, late) =
        std::mem::take(&mut stock.new).into_iter().partition(|level| ids.contains(&level.variant_id));
    stock.new = late;
    early
}

/// Variants take their availability from the stock there is when they are inserted: so they are written once. The stock that
/// follows its variant would write it again.
fn stock_before_variants(connection: &mut Connection, stock: Vec<StockRecord>) -> Result<(), StoreError> {
    connection.batch_execute("SET CONSTRAINTS stock_level_variant_fkey DEFERRED")?;
    diesel::copy_from(schema::stock_level::table).from_insertable(stock).execute(connection)?;
    Ok(())
}

fn delete_pairs(
    connection: &mut Connection,
    text: &'static str,
    keys: &[(Uuid, Uuid)],
) -> Result<(), StoreError> {
    if !keys.is_empty() {
        let (first, second): (Vec<Uuid>, Vec<Uuid>) = keys.iter().copied().unzip();
        Statement::<sql::Bool>::new(text, [Bind::Ids(&first), Bind::Ids(&second)]).execute(connection)?;
    }
    Ok(())
}

/// The same where the second half of the key is text.
fn delete_named(
    connection: &mut Connection,
    text: &'static str,
    keys: Vec<(Uuid, String)>,
) -> Result<(), StoreError> {
    if !keys.is_empty() {
        let (first, second): (Vec<Uuid>, Vec<String>) = keys.into_iter().unzip();
        Statement::<sql::Bool>::new(text, [Bind::Ids(&first), Bind::Texts(&second)]).execute(connection)?;
    }
    Ok(())
}

fn parts_of_variants(
    connection: &mut Connection,
    prices: Difference<PriceRecord, (Uuid, String)>,
    media: Difference<VariantMediaRecord, (Uuid, Uuid)>,
    stock: Difference<StockRecord, (Uuid, Uuid)>,
) -> Result<(), StoreError> {
    delete_named(
        connection,
        "DELETE FROM price t USING unnest($1, $2) AS gone (a, b) WHERE t.variant_id = gone.a AND t.currency = gone.b",
        prices.gone,
    )?;
    upsert!(connection, price, prices, (variant_id, currency), (amount, compare_at));
    delete_pairs(
        connection,
        "DELETE FROM variant_media t USING unnest($1, $2) AS gone (a, b) \
          WHERE t.variant_id = gone.a AND t.media_id = gone.b",
        &media.gone,
    )?;
    upsert!(connection, variant_media, media, (variant_id, media_id), (position));
    delete_pairs(
        connection,
        "DELETE FROM stock_level t USING unnest($1, $2) AS gone (a, b) \
          WHERE t.variant_id = gone.a AND t.location_id = gone.b",
        &stock.gone,
    )?;
    upsert!(connection, stock_level, stock, (variant_id, location_id), (quantity));
    Ok(())
}

/// Tags, categories and translations.
fn links(
    connection: &mut Connection,
    tags: Difference<TagRecord, (Uuid, Uuid)>,
    categories: Difference<CategoryRecord, (Uuid, Uuid)>,
    translations: Difference<TranslationRecord, (Uuid, String)>,
) -> Result<(), StoreError> {
    delete_pairs(
        connection,
        "DELETE FROM product_tag t USING unnest($1, $2) AS gone (a, b) WHERE t.product_id = gone.a AND t.tag_id = gone.b",
        &tags.gone,
    )?;
    upsert!(connection, product_tag, tags, (product_id, tag_id), (position));
    delete_pairs(
        connection,
        "DELETE FROM product_category t USING unnest($1, $2) AS gone (a, b) \
          WHERE t.product_id = gone.a AND t.category_id = gone.b",
        &categories.gone,
    )?;
    upsert!(connection, product_category, categories, (product_id, category_id), (position));
    delete_named(
        connection,
        "DELETE FROM product_translation t USING unnest($1, $2) AS gone (a, b) \
          WHERE t.product_id = gone.a AND t.locale = gone.b",
        translations.gone,
    )?;
    upsert!(
        connection,
        product_translation,
        translations,
        (product_id, locale),
        (title, description, seo_title, seo_description)
    );
    Ok(())
}
