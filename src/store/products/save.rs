//! Writes the difference between the rows that are stored and those that are wanted, table by table.
//!
//! Only what differs is written: a statement that changed nothing would still cost, and the log must stay silent.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl, sql_types as sql, upsert::excluded};
use uuid::Uuid;

use super::rows::{ProductRecord, Rows};
use crate::store::{
    Connection,
    error::StoreError,
    schema,
    statement::{Bind, Statement},
};

/// Rows per statement: Postgres takes 65,535 binds.
const CHUNK: usize = 1000;

/// Rows of one table to write and keys of rows to delete.
struct Difference<T, K> {
    written: Vec<T>,
    gone: Vec<K>,
}

fn difference<T, K>(stored: &[T], wanted: &[T], key: impl Fn(&T) -> K) -> Difference<T, K>
where
    T: Clone + PartialEq,
    K: Ord,
{
    let known: std::collections::BTreeMap<K, &T> = stored.iter().map(|row| (key(row), row)).collect();
    let kept: std::collections::BTreeSet<K> = wanted.iter().map(&key).collect();
    let changed = |row: &&T| known.get(&key(row)).is_none_or(|known| *known != *row);
    Difference {
        written: wanted.iter().filter(changed).cloned().collect(),
        gone: known.into_keys().filter(|key| !kept.contains(key)).collect(),
    }
}

/// Inserts rows or updates those with the same key, chunk by chunk.
macro_rules! upsert {
    ($connection:expr, $table:ident, $rows:expr, ($($key:ident),+), ($($column:ident),+)) => {
        for chunk in $rows.chunks(CHUNK) {
            use schema::$table::dsl;
            diesel::insert_into(dsl::$table)
                .values(chunk)
                .on_conflict(($(dsl::$key,)+))
                .do_update()
                .set(($(dsl::$column.eq(excluded(dsl::$column)),)+))
                .execute($connection)?;
        }
    };
}

/// Makes the stored rows like the wanted ones. `stored` is `None` for a product that is new. Gives whether anything
/// was written.
pub(super) fn save(
    connection: &mut Connection,
    stored: Option<&Rows>,
    wanted: &Rows,
) -> Result<bool, StoreError> {
    let empty = super::plan::nothing(wanted.product.id);
    let before = stored.unwrap_or(&empty);
    let product = product(connection, stored, &wanted.product)?;
    // What goes first makes room for what must be unique; what is referred to comes before what refers.
    let media_gone = difference(&before.media, &wanted.media, |row| row.id);
    delete(connection, "DELETE FROM media WHERE id = ANY ($1)", &media_gone.gone)?;
    let variants_gone = difference(&before.variants, &wanted.variants, |row| row.id);
    delete(connection, "DELETE FROM variant WHERE id = ANY ($1)", &variants_gone.gone)?;
    upsert!(connection, media, media_gone.written, (id), (position, url, alt, width, height, kind));
    let options = options(connection, before, wanted)?;
    variants(connection, before, &variants_gone.written)?;
    let choices = choices(connection, before, wanted)?;
    unused_options(connection, &options)?;
    let parts = parts_of_variants(connection, before, wanted)?;
    let links = links(connection, before, wanted)?;
    let removed = !media_gone.gone.is_empty() || !variants_gone.gone.is_empty();
    let written = !media_gone.written.is_empty() || !variants_gone.written.is_empty();
    Ok(product || removed || written || options.changed || choices || parts || links)
}

fn delete(connection: &mut Connection, text: &'static str, ids: &[Uuid]) -> Result<(), StoreError> {
    if !ids.is_empty() {
        Statement::<sql::Bool>::new(text, [Bind::Ids(ids)]).execute(connection)?;
    }
    Ok(())
}

fn product(
    connection: &mut Connection,
    stored: Option<&Rows>,
    wanted: &ProductRecord,
) -> Result<bool, StoreError> {
    use schema::product::dsl;
    match stored {
        None => {
            diesel::insert_into(dsl::product).values(wanted).execute(connection)?;
        }
        Some(stored) if stored.product != *wanted => {
            diesel::update(dsl::product.find(wanted.id)).set(wanted).execute(connection)?;
        }
        Some(_) => return Ok(false),
    }
    Ok(true)
}

/// Options and values to delete once no variant uses them.
struct OptionsWritten {
    changed: bool,
    options_gone: Vec<Uuid>,
    values_gone: Vec<Uuid>,
}

fn options(connection: &mut Connection, stored: &Rows, wanted: &Rows) -> Result<OptionsWritten, StoreError> {
    let options = difference(&stored.options, &wanted.options, |row| row.id);
    upsert!(connection, product_option, options.written, (id), (position));
    let values = difference(&stored.values, &wanted.values, |row| row.id);
    upsert!(connection, option_value, values.written, (id), (position));
    let written = !options.written.is_empty() || !values.written.is_empty();
    Ok(OptionsWritten {
        changed: written || !options.gone.is_empty() || !values.gone.is_empty(),
        options_gone: options.gone,
        values_gone: values.gone,
    })
}

fn unused_options(connection: &mut Connection, options: &OptionsWritten) -> Result<(), StoreError> {
    delete(connection, "DELETE FROM product_option WHERE id = ANY ($1)", &options.options_gone)?;
    delete(connection, "DELETE FROM option_value WHERE id = ANY ($1)", &options.values_gone)
}

fn variants(
    connection: &mut Connection,
    stored: &Rows,
    written: &[super::rows::VariantRecord],
) -> Result<(), StoreError> {
    // Two variants that exchange their SKUs would collide half-way: give up first what another one takes.
    let taken =
        |sku: &str, id: Uuid| written.iter().any(|row| row.id != id && row.sku.as_deref() == Some(sku));
    let passed_on: Vec<Uuid> = stored
        .variants
        .iter()
        .filter(|row| row.sku.as_deref().is_some_and(|sku| taken(sku, row.id)))
        .map(|row| row.id)
        .collect();
    delete(connection, "UPDATE variant SET sku = NULL WHERE id = ANY ($1)", &passed_on)?;
    upsert!(
        connection,
        variant,
        written,
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

fn choices(connection: &mut Connection, stored: &Rows, wanted: &Rows) -> Result<bool, StoreError> {
    let choices = difference(&stored.choices, &wanted.choices, |row| (row.variant_id, row.option_id));
    delete_pairs(
        connection,
        "DELETE FROM variant_option_value t USING unnest($1, $2) AS gone (a, b) \
          WHERE t.variant_id = gone.a AND t.option_id = gone.b",
        &choices.gone,
    )?;
    upsert!(connection, variant_option_value, choices.written, (variant_id, option_id), (value_id));
    Ok(!choices.written.is_empty() || !choices.gone.is_empty())
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

fn parts_of_variants(connection: &mut Connection, stored: &Rows, wanted: &Rows) -> Result<bool, StoreError> {
    let prices = difference(&stored.prices, &wanted.prices, |row| (row.variant_id, row.currency.clone()));
    if !prices.gone.is_empty() {
        let (variants, currencies): (Vec<Uuid>, Vec<String>) = prices.gone.iter().cloned().unzip();
        Statement::<sql::Bool>::new(
            "DELETE FROM price t USING unnest($1, $2) AS gone (a, b) WHERE t.variant_id = gone.a AND t.currency = gone.b",
            [Bind::Ids(&variants), Bind::Texts(&currencies)],
        )
        .execute(connection)?;
    }
    upsert!(connection, price, prices.written, (variant_id, currency), (amount, compare_at));
    let media =
        difference(&stored.variant_media, &wanted.variant_media, |row| (row.variant_id, row.media_id));
    delete_pairs(
        connection,
        "DELETE FROM variant_media t USING unnest($1, $2) AS gone (a, b) \
          WHERE t.variant_id = gone.a AND t.media_id = gone.b",
        &media.gone,
    )?;
    upsert!(connection, variant_media, media.written, (variant_id, media_id), (position));
    let stock = difference(&stored.stock, &wanted.stock, |row| (row.variant_id, row.location_id));
    delete_pairs(
        connection,
        "DELETE FROM stock_level t USING unnest($1, $2) AS gone (a, b) \
          WHERE t.variant_id = gone.a AND t.location_id = gone.b",
        &stock.gone,
    )?;
    upsert!(connection, stock_level, stock.written, (variant_id, location_id), (quantity));
    let written = !prices.written.is_empty() || !media.written.is_empty() || !stock.written.is_empty();
    Ok(written || !prices.gone.is_empty() || !media.gone.is_empty() || !stock.gone.is_empty())
}

/// Tags, categories and translations.
fn links(connection: &mut Connection, stored: &Rows, wanted: &Rows) -> Result<bool, StoreError> {
    let id = Bind::Id(wanted.product.id);
    let tags = difference(&stored.tags, &wanted.tags, |row| row.tag_id);
    if !tags.gone.is_empty() {
        let text = "DELETE FROM product_tag WHERE product_id = $1 AND tag_id = ANY ($2)";
        Statement::<sql::Bool>::new(text, [id, Bind::Ids(&tags.gone)]).execute(connection)?;
    }
    upsert!(connection, product_tag, tags.written, (product_id, tag_id), (position));
    let categories = difference(&stored.categories, &wanted.categories, |row| row.category_id);
    if !categories.gone.is_empty() {
        let text = "DELETE FROM product_category WHERE product_id = $1 AND category_id = ANY ($2)";
        Statement::<sql::Bool>::new(text, [id, Bind::Ids(&categories.gone)]).execute(connection)?;
    }
    upsert!(connection, product_category, categories.written, (product_id, category_id), (position));
    let translations = difference(&stored.translations, &wanted.translations, |row| row.locale.clone());
    if !translations.gone.is_empty() {
        let text = "DELETE FROM product_translation WHERE product_id = $1 AND locale = ANY ($2)";
        Statement::<sql::Bool>::new(text, [id, Bind::Texts(&translations.gone)]).execute(connection)?;
    }
    upsert!(
        connection,
        product_translation,
        translations.written,
        (product_id, locale),
        (title, description, seo_title, seo_description)
    );
    let written =
        !tags.written.is_empty() || !categories.written.is_empty() || !translations.written.is_empty();
    Ok(written || !tags.gone.is_empty() || !categories.gone.is_empty() || !translations.gone.is_empty())
}
