//! A product made of the rows of one handle.

use serde_json::{Map, Value, json};

use super::{
    columns::{Column, Header},
    groups::{Group, ROWS_MAX},
    table::{Cells, TableRow, handle_slug},
    values,
    variants::{self, ImageRow, VariantRow},
};
use crate::{
    domain::{draft::Status, money::Currency},
    import::{
        problem::{Place, Places, Problem},
        source::{Content, Entry},
    },
};

/// What the rows of one handle say; parts that the file has no column for are absent.
#[derive(Debug)]
pub struct ShopifyProduct {
    /// The slug that the product is found by, and gets when it is new.
    pub(super) slug: String,
    /// Currency of the prices.
    pub(super) currency: Currency,
    /// Simple fields, as a merge patch.
    pub(super) fields: Map<String, Value>,
    /// Names of the options 0–2.
    pub(super) option_names: Vec<Option<String>>,
    /// Whether the file has columns for option values.
    pub(super) states_options: bool,
    /// All variants; `None` when the file has nothing of variants.
    pub(super) variants: Option<Vec<VariantRow>>,
    /// All pictures in order; `None` when the file has no column for them.
    pub(super) images: Option<Vec<ImageRow>>,
}

impl ShopifyProduct {
    /// The slug that the product is found by.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// How many variants the file names.
    pub(in crate::import) fn variant_count(&self) -> usize {
        self.variants.as_ref().map_or(0, Vec::len)
    }
}

/// Makes the product of a group of rows, or says why it cannot be.
pub(super) fn entry(group: Group, header: &Header, currency: Currency) -> Entry {
    let line = group.rows.first().map_or(0, |row| row.line);
    let size = group.rows.iter().map(|row| row.size).sum();
    let mut problems = Vec::new();
    if group.cut {
        let place = Place { line, column: header.name_of(&Column::Handle) };
        problems.push(Problem::error(place, "too_many", format!("a product has at most {ROWS_MAX} rows")));
    }
    let mut rows: Vec<(u64, Cells)> = Vec::with_capacity(group.rows.len());
    for TableRow { line, cells, .. } in group.rows {
        match cells {
            Ok(cells) => rows.push((line, cells)),
            Err(problem) => problems.push(problem),
        }
    }
    let raw = group.raw;
    let mut places = Places::line(line);
    let content = product(group.handle, &rows, header, currency, &mut problems, &mut places);
    let spoilt = problems.iter().any(|problem| problem.is_error() && problem.rule != REPEATED);
    let content = content.filter(|_| !spoilt).map(|product| Content::Shopify(Box::new(product)));
    Entry { problems, content, places, line, size, raw }
}

/// The rule that leaves a row out and still imports the product: nothing of the product is missing without the row.
const REPEATED: &str = "repeated_variant";

fn product(
    handle: Option<String>,
    rows: &[(u64, Cells)],
    header: &Header,
    currency: Currency,
    problems: &mut Vec<Problem>,
    places: &mut Places,
) -> Option<ShopifyProduct> {
    let titled = rows.iter().find(|(_, cells)| cells.filled(header, &Column::Title).is_some());
    let (line, cells) = titled.or(rows.first())?;
    let slug = handle.or_else(|| cells.filled(header, &Column::Title).and_then(handle_slug))?;
    let fields = fields(cells, header, problems, places);
    contradictions(rows, (*line, cells), header, problems);
    let option_name = |index| {
        let column = Column::OptionName(index);
        rows.iter()
            .find_map(|(_, cells)| cells.filled(header, &column))
            .map(|name| values::unguarded(name).to_owned())
    };
    let mut product = ShopifyProduct {
        slug,
        currency,
        fields,
        option_names: (0..3).map(option_name).collect(),
        states_options: (0..3).any(|index| header.has(&Column::OptionValue(index))),
        variants: None,
        images: header.has(&Column::ImageSource).then(|| image_rows(rows, header, problems)),
    };
    for (index, image) in product.images.iter().flatten().enumerate() {
        places.add(format!("#/media/{index}"), image.place.clone());
    }
    places.add("#/options", cells.place(header, &Column::OptionName(0)));
    product.variants = variant_rows(rows, header, &product, problems, places);
    product.without_default_title();
    Some(product)
}

impl ShopifyProduct {
    /// `Title` = `Default Title` on the only variant is how a product without options is written.
    fn without_default_title(&mut self) {
        let Some([variant]) = self.variants.as_deref_mut() else { return };
        if let [Some(value), None, None] = variant.options.as_slice()
            && value.eq_ignore_ascii_case("default title")
        {
            variant.options.fill(None);
        }
    }
}

/// The fields of the product itself.
fn fields(
    cells: &Cells,
    header: &Header,
    problems: &mut Vec<Problem>,
    places: &mut Places,
) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut text = |name: &str, column: Column| {
        if let Some(text) = cells.text(header, &column) {
            fields.insert(name.to_owned(), values::text_or_null(text));
            places.add(format!("#/{name}"), cells.place(header, &column));
        }
    };
    text("title", Column::Title);
    text("description", Column::Body);
    text("brand", Column::Vendor);
    text("product_type", Column::Type);
    let mut seo = Map::new();
    for (name, column) in [("title", Column::SeoTitle), ("description", Column::SeoDescription)] {
        if let Some(text) = cells.text(header, &column) {
            seo.insert(name.to_owned(), values::text_or_null(text));
            places.add(format!("#/seo/{name}"), cells.place(header, &column));
        }
    }
    fields.insert("seo".to_owned(), Value::Object(seo));
    if let Some(category) = cells.text(header, &Column::Category) {
        let paths = if category.is_empty() { json!(null) } else { json!([category]) };
        fields.insert("categories".to_owned(), paths);
        places.add("#/categories", cells.place(header, &Column::Category));
    }
    if let Some(tags) = cells.text(header, &Column::Tags) {
        let tags: Vec<&str> = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
        fields.insert("tags".to_owned(), json!(tags));
        places.add("#/tags", cells.place(header, &Column::Tags));
    }
    if let Some(status) = status(cells, header, problems) {
        fields.insert("status".to_owned(), json!(status));
    }
    let mut attributes = Map::new();
    for (column, name) in header.attributes() {
        if let Some(text) = cells.text(header, column) {
            attributes.insert(name.to_owned(), values::metafield(text));
            places.add_member("#/attributes", name, cells.place(header, column));
        }
    }
    fields.insert("attributes".to_owned(), Value::Object(attributes));
    fields
}

fn status(cells: &Cells, header: &Header, problems: &mut Vec<Problem>) -> Option<Status> {
    if !header.has(&Column::Status) && !header.has(&Column::Published) {
        return None;
    }
    let published = cells.filled(header, &Column::Published);
    let visible = published.map_or(Some(true), values::boolean);
    if visible.is_none() {
        let place = cells.place(header, &Column::Published);
        problems.push(Problem::error(place, "not_a_boolean", "must be TRUE or FALSE"));
    }
    let default = if visible == Some(false) { Status::Draft } else { Status::Active };
    let Some(status) = cells.filled(header, &Column::Status) else { return Some(default) };
    match status.to_ascii_lowercase().as_str() {
        "active" => Some(Status::Active),
        "draft" => Some(Status::Draft),
        "archived" => Some(Status::Archived),
        "unlisted" => {
            let detail = "there are no unlisted products here; imported as a draft";
            problems.push(Problem::warning(cells.place(header, &Column::Status), "unlisted", detail));
            Some(Status::Draft)
        }
        _ => {
            let detail = "must be one of `active`, `draft`, `archived`";
            problems.push(Problem::error(cells.place(header, &Column::Status), "not_one_of", detail));
            None
        }
    }
}

/// Warns of rows that state the product again and differently.
fn contradictions(
    rows: &[(u64, Cells)],
    chosen: (u64, &Cells),
    header: &Header,
    problems: &mut Vec<Problem>,
) {
    let columns = [
        Column::Title,
        Column::Body,
        Column::Vendor,
        Column::Category,
        Column::Type,
        Column::Tags,
        Column::Published,
        Column::Status,
    ];
    for (line, cells) in rows.iter().filter(|(line, _)| *line != chosen.0) {
        let differs = |column: &&Column| {
            let text = cells.filled(header, column);
            text.is_some() && text != chosen.1.text(header, column)
        };
        let names: Vec<String> =
            columns.iter().filter(differs).filter_map(|column| header.name_of(column)).collect();
        if let Some(first) = names.first() {
            let place = Place { line: *line, column: Some(first.clone()) };
            let detail = format!("differs from line {}, which counts: {}", chosen.0, names.join(", "));
            problems.push(Problem::warning(place, "contradiction", detail));
        }
    }
}

/// The variants of all rows; `None` when no column tells of variants.
fn variant_rows(
    rows: &[(u64, Cells)],
    header: &Header,
    product: &ShopifyProduct,
    problems: &mut Vec<Problem>,
    places: &mut Places,
) -> Option<Vec<VariantRow>> {
    if !header.tells_of_variants() {
        return None;
    }
    let mut found: Vec<VariantRow> = Vec::new();
    for (index, (line, cells)) in rows.iter().enumerate() {
        if !variants::is_variant(cells, header, index == 0) {
            continue;
        }
        let variant = variants::variant(cells, header, product.currency, *line, problems);
        if let Some(first) =
            found.iter().find(|first| product.states_options && first.options == variant.options)
        {
            let place = cells.place(header, &Column::OptionValue(0));
            let detail = format!("has the option values of line {}; this row was left out", first.line);
            problems.push(Problem::error(place, REPEATED, detail));
            continue;
        }
        variants::add_places(places, found.len(), cells, header, *line);
        for (option, name) in product.option_names.iter().enumerate() {
            if let Some(name) = name {
                let place = cells.place(header, &Column::OptionValue(option));
                places.add_member(&format!("#/variants/{}/options", found.len()), name, place);
            }
        }
        found.push(variant);
    }
    Some(found)
}

/// The pictures of all rows, each once, by position.
fn image_rows(rows: &[(u64, Cells)], header: &Header, problems: &mut Vec<Problem>) -> Vec<ImageRow> {
    let mut images: Vec<ImageRow> = Vec::new();
    for (_, cells) in rows {
        let Some(image) = variants::image(cells, header, problems) else { continue };
        if images.iter().all(|other| other.url != image.url) {
            images.push(image);
        }
    }
    images.sort_by_key(|image| image.position.unwrap_or(u32::MAX));
    images
}
