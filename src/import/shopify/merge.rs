//! A file's product laid over the one that exists: what the file has no column for stays as it is.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{product::ShopifyProduct, values::Stated, variants::VariantRow};
use crate::{
    domain::{
        draft::{DEFAULT_LOCATION, PriceDraft, StockDraft},
        merge_patch,
    },
    import::problem::{Place, Problem},
};

/// Members of which a product has the one or the other: by name, by id.
const BY_NAME_OR_ID: [(&str, &str); 2] = [("brand", "brand_id"), ("categories", "category_ids")];

impl ShopifyProduct {
    /// The whole product as a document: the `existing` draft with everything the file states.
    ///
    /// # Errors
    /// A row does not say which variant it means.
    pub fn merged(&self, existing: Option<&Value>) -> Result<Value, Problem> {
        let mut document = existing.cloned().unwrap_or_else(|| json!({"slug": self.slug}));
        let before: Vec<Map<String, Value>> = objects(&document, "variants");
        for (name, id) in BY_NAME_OR_ID {
            let stated = self.fields.contains_key(name);
            let has_id = document.get(id).is_some_and(|id| !id.is_null() && *id != json!([]));
            if let Some(document) = document.as_object_mut() {
                document.shift_remove(if !stated && has_id { name } else { id });
            }
        }
        merge_patch::apply(&mut document, &Value::Object(self.fields.clone()));
        let mut variants = match &self.variants {
            Some(rows) => self.merge_variants(rows, before, &mut document)?,
            None => before,
        };
        self.merge_media(&mut document, &mut variants);
        if let Some(document) = document.as_object_mut() {
            let variants = variants.into_iter().map(Value::Object).collect();
            document.insert("variants".to_owned(), Value::Array(variants));
        }
        Ok(document)
    }

    fn merge_variants(
        &self,
        rows: &[VariantRow],
        before: Vec<Map<String, Value>>,
        document: &mut Value,
    ) -> Result<Vec<Map<String, Value>>, Problem> {
        let names = self.used_names(rows, document)?;
        let options: Vec<Value> = rows.iter().map(|row| json!(option_values(&names, row))).collect();
        let matched = self.matched(rows, &options, before)?;
        let mut merged = Vec::with_capacity(rows.len());
        for ((row, options), variant) in rows.iter().zip(options).zip(matched) {
            let mut variant = Value::Object(variant);
            merge_patch::apply(&mut variant, &Value::Object(row.fields.clone()));
            let Value::Object(mut variant) = variant else { continue };
            if self.states_options {
                if variant.get("options") != Some(&options) {
                    variant.shift_remove("title");
                }
                variant.insert("options".to_owned(), options);
            }
            self.merge_prices(row, &mut variant);
            merge_stock(row, &mut variant);
            if row.image != Stated::Nothing {
                variant
                    .insert("media".to_owned(), row.image.value().map(String::as_str).into_iter().collect());
            }
            merged.push(variant);
        }
        if self.states_options
            && let Some(document) = document.as_object_mut()
        {
            // Their values are those of the variants, which reading the document adds.
            document
                .insert("options".to_owned(), names.iter().map(|(_, name)| json!({"name": name})).collect());
        }
        Ok(merged)
    }

    /// Indexes and names of the options that some row has a value for; names the file lacks are those there are.
    fn used_names(&self, rows: &[VariantRow], document: &Value) -> Result<Vec<(usize, String)>, Problem> {
        let mut names = Vec::new();
        for index in 0..3 {
            let value = |row: &VariantRow| row.options.get(index).is_some_and(Option::is_some);
            let Some(row) = rows.iter().find(|row| value(row)) else { continue };
            let existing = || document.get("options")?.get(index)?.get("name")?.as_str().map(str::to_owned);
            let Some(name) = self.option_names.get(index).cloned().flatten().or_else(existing) else {
                let place = Place { line: row.line, column: Some(format!("Option{} Name", index + 1)) };
                return Err(Problem::error(
                    place,
                    "required",
                    "is required: the option has values but no name",
                ));
            };
            names.push((index, name));
        }
        Ok(names)
    }

    /// The existing variant that each row means: by SKU, else by option values, else the only one; else a new one.
    fn matched(
        &self,
        rows: &[VariantRow],
        options: &[Value],
        before: Vec<Map<String, Value>>,
    ) -> Result<Vec<Map<String, Value>>, Problem> {
        let only = rows.len() == 1 && before.len() == 1;
        let has_options =
            before.iter().any(|variant| variant.get("options").is_some_and(|o| *o != json!({})));
        let mut before: Vec<Option<Map<String, Value>>> = before.into_iter().map(Some).collect();
        let mut take = |is_it: &dyn Fn(&Map<String, Value>) -> bool| {
            before.iter_mut().find(|variant| variant.as_ref().is_some_and(is_it)).and_then(Option::take)
        };
        let mut matched: Vec<Option<Map<String, Value>>> = rows
            .iter()
            .map(|row| {
                let sku = row.fields.get("sku").filter(|sku| !sku.is_null())?;
                take(&|variant| variant.get("sku") == Some(sku))
            })
            .collect();
        for ((row, options), found) in
            rows.iter().zip(options).zip(&mut matched).filter(|(_, found)| found.is_none())
        {
            *found = if self.states_options {
                take(&|variant| variant.get("options") == Some(options))
            } else {
                None
            };
            if found.is_none() && only {
                *found = take(&|_| true);
            }
            if found.is_none() && !self.states_options && has_options {
                let place = Place { line: row.line, column: None };
                let detail =
                    "does not say which variant it means: the file needs option values, or SKUs that exist";
                return Err(Problem::error(place, "ambiguous_variant", detail));
            }
        }
        Ok(matched.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// The price in the file's currency; those in other currencies stay.
    fn merge_prices(&self, row: &VariantRow, variant: &mut Map<String, Value>) {
        if row.amount == Stated::Nothing && row.compare_at == Stated::Nothing {
            return;
        }
        let before = variant.get("prices").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut prices: Vec<PriceDraft> =
            before.into_iter().filter_map(|price| serde_json::from_value(price).ok()).collect();
        let place = prices.iter().position(|price| price.currency == self.currency);
        let existing = place.map(|place| prices.remove(place));
        let amount = row.amount.over(existing.as_ref().map(|price| price.amount));
        let compare_at = row.compare_at.over(existing.and_then(|price| price.compare_at));
        if let Some(amount) = amount {
            let price = PriceDraft { currency: self.currency, amount, compare_at };
            prices.insert(place.unwrap_or(prices.len()), price);
        }
        variant.insert("prices".to_owned(), json!(prices));
    }

    /// The product's pictures, and those of its variants among them.
    fn merge_media(&self, document: &mut Value, variants: &mut [Map<String, Value>]) {
        let existing = objects(document, "media");
        let known =
            |url: &str| existing.iter().find(|medium| medium.get("url") == Some(&json!(url))).cloned();
        let mut media: Vec<Map<String, Value>> = match &self.images {
            None => existing.clone(),
            Some(images) => images
                .iter()
                .map(|image| {
                    let mut medium = known(&image.url).unwrap_or_default();
                    medium.insert("url".to_owned(), json!(image.url));
                    if let Some(alt) = &image.alt {
                        medium.insert("alt".to_owned(), json!(alt));
                    }
                    medium
                })
                .collect(),
        };
        let stated = self.variants.iter().flatten().filter_map(|row| row.image.value());
        for url in stated {
            if media.iter().all(|medium| medium.get("url") != Some(&json!(url))) {
                let new = || Map::from_iter([("url".to_owned(), json!(url))]);
                media.push(known(url).unwrap_or_else(new));
            }
        }
        for urls in variants.iter_mut().filter_map(|variant| variant.get_mut("media")?.as_array_mut()) {
            urls.retain(|url| media.iter().any(|medium| medium.get("url") == Some(url)));
        }
        if let Some(document) = document.as_object_mut() {
            document.insert("media".to_owned(), media.into_iter().map(Value::Object).collect());
        }
    }
}

/// Units at the default location; other locations stay, and without a number all of them.
fn merge_stock(row: &VariantRow, variant: &mut Map<String, Value>) {
    let before = variant.shift_remove("stock");
    let Some(quantity) = row.quantity else { return };
    let before = before.as_ref().and_then(Value::as_array).cloned().unwrap_or_default();
    let mut levels: Vec<StockDraft> =
        before.into_iter().filter_map(|level| serde_json::from_value(level).ok()).collect();
    match levels.iter_mut().find(|level| level.location == DEFAULT_LOCATION) {
        Some(level) => level.quantity = quantity,
        None => levels.push(StockDraft { location: DEFAULT_LOCATION.to_owned(), quantity }),
    }
    variant.insert("stock".to_owned(), json!(levels));
}

/// Values of a row by option name.
fn option_values<'a>(names: &'a [(usize, String)], row: &'a VariantRow) -> BTreeMap<&'a str, &'a str> {
    let value =
        |(index, name): &'a (usize, String)| Some((name.as_str(), row.options.get(*index)?.as_deref()?));
    names.iter().filter_map(value).collect()
}

fn objects(document: &Value, member: &str) -> Vec<Map<String, Value>> {
    let items = document.get(member).and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_object).cloned().collect()
}
