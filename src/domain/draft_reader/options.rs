//! Options of a product and whether its variants are told apart by them.

use std::collections::HashMap;

use serde_json::Value;

use super::{
    nearest::nearest,
    reader::{Reader, Text},
    variant::ReadVariant,
};
use crate::{
    domain::draft::OptionDraft,
    limits::{NAME_LENGTH_MAX, OPTIONS_MAX, VARIANTS_MAX},
};

/// The options as submitted, without the values that only variants name.
pub(super) fn options(reader: &mut Reader, value: &Value) -> Option<Vec<OptionDraft>> {
    let options = reader.list(value, OPTIONS_MAX, option)?;
    for (position, (index, option)) in options.iter().enumerate() {
        let name = option.name.to_lowercase();
        if options.iter().take(position).any(|(_, earlier)| earlier.name.to_lowercase() == name) {
            let detail = "must be unique among the options without regard to case";
            reader.invalid_at(&[&index.to_string(), "name"], "duplicate", detail);
        }
    }
    Some(options.into_iter().map(|(_, option)| option).collect())
}

fn option(reader: &mut Reader, value: &Value) -> Option<OptionDraft> {
    let map = reader.object(value, &["name", "values"], &[])?;
    let text = Text::line(NAME_LENGTH_MAX);
    let name = reader.required(map, "name", |r, v| r.name(v, text));
    let values = reader.field(map, "values", |r, v| {
        let values = r.list(v, VARIANTS_MAX, |r, v| r.name(v, text))?;
        for (position, (index, value)) in values.iter().enumerate() {
            if values.iter().take(position).any(|(_, earlier)| earlier == value) {
                r.at_index(*index, |r| r.invalid("duplicate", "must be unique among the values"));
            }
        }
        Some(values.into_iter().map(|(_, value)| value).collect())
    });
    Some(OptionDraft { name: name?, values: values.unwrap_or_default() })
}

/// Completes the options by what the variants use and checks that every variant has one value for each option and that
/// no two variants have the same. Without submitted options, they are those of the variants in the order of appearance.
pub(super) fn complete(
    reader: &mut Reader,
    submitted: Vec<OptionDraft>,
    variants: &[ReadVariant],
) -> Vec<OptionDraft> {
    let mut options = if submitted.is_empty() { derived(reader, variants) } else { submitted };
    for variant in variants.iter().filter(|variant| variant.options_readable) {
        reader.at("variants", |r| r.at_index(variant.index, |r| has_every_option(r, variant, &options)));
    }
    for (index, option) in options.iter_mut().enumerate() {
        let mut known: std::collections::HashSet<String> = option.values.iter().cloned().collect();
        for value in variants.iter().filter_map(|variant| variant.draft.options.get(&option.name)) {
            if known.insert(value.clone()) {
                option.values.push(value.clone());
            }
        }
        let count = option.values.len();
        if count > VARIANTS_MAX {
            let detail =
                format!("must have at most {VARIANTS_MAX} items with those of the variants, has {count}");
            reader.invalid_at(&["options", &index.to_string(), "values"], "too_many", detail);
        }
    }
    if options.is_empty() && variants.len() > 1 && variants.iter().all(|variant| variant.options_readable) {
        let detail = "several variants need options to tell them apart, such as {\"Size\": \"S\"} in each one's `options`";
        reader.invalid_at(&["options"], "required", detail);
    } else {
        unique_combinations(reader, variants);
    }
    options
}

fn derived(reader: &mut Reader, variants: &[ReadVariant]) -> Vec<OptionDraft> {
    let mut options: Vec<OptionDraft> = Vec::new();
    for name in variants.iter().flat_map(|variant| &variant.option_names) {
        if options.iter().all(|option| option.name != *name) {
            options.push(OptionDraft { name: name.clone(), values: Vec::new() });
        }
        if options.len() > OPTIONS_MAX {
            let detail = format!("must be at most {OPTIONS_MAX} over all variants");
            reader.invalid_at(&["options"], "too_many", detail);
            break;
        }
    }
    options
}

fn has_every_option(reader: &mut Reader, variant: &ReadVariant, options: &[OptionDraft]) {
    let names: Vec<&str> = options.iter().map(|option| option.name.as_str()).collect();
    reader.at("options", |r| {
        for name in names.iter().filter(|name| !variant.draft.options.contains_key(**name)) {
            r.invalid_at(&[name], "required", "is required: every variant has a value for every option");
        }
        for name in variant.option_names.iter().filter(|name| !names.contains(&name.as_str())) {
            let detail = match nearest(name, &names) {
                Some(name) => format!("is not an option of the product; did you mean `{name}`?"),
                None => "is not an option of the product".to_owned(),
            };
            r.invalid_at(&[name], "unknown_option", detail);
        }
    });
}

fn unique_combinations(reader: &mut Reader, variants: &[ReadVariant]) {
    let mut seen = HashMap::new();
    for variant in variants.iter().filter(|v| v.options_readable && !v.draft.options.is_empty()) {
        if let Some(first) = seen.get(&variant.draft.options) {
            let detail = format!("must be unique; variant {first} has the same option values");
            reader.invalid_at(&["variants", &variant.index.to_string(), "options"], "duplicate", detail);
        } else {
            seen.insert(&variant.draft.options, variant.index);
        }
    }
}
