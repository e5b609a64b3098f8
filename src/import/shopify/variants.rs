//! The variant and the image of a row.

use serde_json::{Map, Value, json};

use super::{
    columns::{Column, Header},
    table::Cells,
    values::{self, Stated},
};
use crate::{
    domain::money::Currency,
    import::problem::{Place, Places, Problem},
};

/// A variant as one row states it.
#[derive(Debug)]
pub(super) struct VariantRow {
    /// First line of the row.
    pub(super) line: u64,
    /// Values of the options 0–2.
    pub(super) options: Vec<Option<String>>,
    /// Simple fields, as a merge patch.
    pub(super) fields: Map<String, Value>,
    /// Minor units.
    pub(super) amount: Stated<i64>,
    /// Minor units.
    pub(super) compare_at: Stated<i64>,
    /// Units of stock, unless the cell is blank.
    pub(super) quantity: Option<i32>,
    /// URL of the picture that shows this variant.
    pub(super) image: Stated<String>,
}

/// A picture as one row states it.
#[derive(Debug)]
pub(super) struct ImageRow {
    /// Where the URL stands.
    pub(super) place: Place,
    /// The URL.
    pub(super) url: String,
    /// Its text; `None` when the file has no such column.
    pub(super) alt: Option<String>,
    /// Its place among the others, from 1.
    pub(super) position: Option<u32>,
}

/// Whether a row states a variant: it has an option value or a price; or a code or quantity, unless it is there for an image.
pub(super) fn is_variant(cells: &Cells, header: &Header, first: bool) -> bool {
    let filled = |column: &Column| cells.filled(header, column).is_some();
    let named = filled(&Column::Price) || (0..3).any(|index| filled(&Column::OptionValue(index)));
    let coded = filled(&Column::Sku) || filled(&Column::Barcode);
    let image_only = filled(&Column::ImageSource);
    named
        || (coded && (first || !image_only))
        || (!image_only && (filled(&Column::Quantity) || filled(&Column::Grams)))
}

/// Reads the variant of a row.
pub(super) fn variant(
    cells: &Cells,
    header: &Header,
    currency: Currency,
    line: u64,
    problems: &mut Vec<Problem>,
) -> VariantRow {
    let mut wrong = |column: &Column, rule, detail: &str| {
        problems.push(Problem::error(cells.place(header, column), rule, detail));
    };
    let mut fields = Map::new();
    if let Some(sku) = cells.text(header, &Column::Sku) {
        fields.insert("sku".to_owned(), values::text_or_null(values::code(sku)));
    }
    if let Some(grams) = cells.text(header, &Column::Grams) {
        let value = values::grams(grams);
        if value.is_none() && !grams.is_empty() {
            wrong(&Column::Grams, "not_a_weight", "must be a number of grams, such as 250");
        }
        fields.insert("weight_grams".to_owned(), json!(value));
    }
    if let Some(tracker) = cells.text(header, &Column::Tracker) {
        fields.insert("track_inventory".to_owned(), json!(!tracker.is_empty()));
    }
    if let Some(policy) = cells.text(header, &Column::Policy) {
        let backorder = policy.eq_ignore_ascii_case("continue");
        if !backorder && !policy.is_empty() && !policy.eq_ignore_ascii_case("deny") {
            wrong(&Column::Policy, "not_one_of", "must be `deny` or `continue`");
        }
        fields.insert("allow_backorder".to_owned(), json!(backorder));
    }
    let quantity = cells.filled(header, &Column::Quantity);
    let units = quantity.and_then(values::integer);
    if quantity.is_some() && units.is_none() {
        wrong(&Column::Quantity, "not_an_integer", "must be a whole number of units");
    }
    let mut money = |column: &Column| match cells.text(header, column) {
        None => Stated::Nothing,
        Some("") => Stated::None,
        Some(text) => values::amount(text, currency).map_or_else(
            |error| {
                wrong(column, "not_an_amount", &error.to_string());
                Stated::None
            },
            Stated::Value,
        ),
    };
    let (amount, compare_at) = (money(&Column::Price), money(&Column::CompareAt));
    barcode(cells, header, &mut fields, problems);
    attributes(cells, header, &mut fields);
    let option = |index| {
        cells.filled(header, &Column::OptionValue(index)).map(|text| values::unguarded(text).to_owned())
    };
    let image = match cells.text(header, &Column::VariantImage) {
        None => Stated::Nothing,
        Some("") => Stated::None,
        Some(url) => Stated::Value(url.to_owned()),
    };
    VariantRow {
        line,
        options: (0..3).map(option).collect(),
        fields,
        amount,
        compare_at,
        quantity: units,
        image,
    }
}

fn barcode(cells: &Cells, header: &Header, fields: &mut Map<String, Value>, problems: &mut Vec<Problem>) {
    let Some(barcode) = cells.text(header, &Column::Barcode).map(values::code) else { return };
    if values::is_scientific(barcode) {
        let detail = "a spreadsheet has rounded this barcode; its digits are lost, so it was left out";
        problems.push(Problem::warning(cells.place(header, &Column::Barcode), "rounded_barcode", detail));
    } else {
        fields.insert("barcode".to_owned(), values::text_or_null(barcode));
    }
}

fn attributes(cells: &Cells, header: &Header, fields: &mut Map<String, Value>) {
    let attribute = |(column, name): (&Column, &str)| {
        cells.text(header, column).map(|text| (name.to_owned(), values::metafield(text)))
    };
    let attributes: Map<String, Value> =
        header.variant_attributes().into_iter().filter_map(attribute).collect();
    if !attributes.is_empty() {
        fields.insert("attributes".to_owned(), Value::Object(attributes));
    }
}

/// Notes where the parts of the variant at `index` stand.
pub(super) fn add_places(places: &mut Places, index: usize, cells: &Cells, header: &Header, line: u64) {
    let base = format!("#/variants/{index}");
    let mut add = |part: &str, column: &Column| {
        if header.has(column) {
            places.add(format!("{base}{part}"), cells.place(header, column));
        }
    };
    add("/sku", &Column::Sku);
    add("/barcode", &Column::Barcode);
    add("/weight_grams", &Column::Grams);
    add("/stock", &Column::Quantity);
    add("/prices", &Column::Price);
    add("/media", &Column::VariantImage);
    add("/options", &Column::OptionValue(0));
    places.add(base, Place { line, column: None });
}

/// Reads the picture of a row, if it has one.
pub(super) fn image(cells: &Cells, header: &Header, problems: &mut Vec<Problem>) -> Option<ImageRow> {
    let url = cells.filled(header, &Column::ImageSource)?.to_owned();
    let place = cells.place(header, &Column::ImageSource);
    let position = cells.filled(header, &Column::ImagePosition);
    let number = position.and_then(|text| text.parse().ok());
    if position.is_some() && number.is_none() {
        let detail = "is not a whole number; the picture keeps its place in the file";
        problems.push(Problem::warning(
            cells.place(header, &Column::ImagePosition),
            "not_an_integer",
            detail,
        ));
    }
    let alt = cells.text(header, &Column::ImageAlt).map(|text| values::unguarded(text).to_owned());
    Some(ImageRow { place, url, alt, position: number })
}
