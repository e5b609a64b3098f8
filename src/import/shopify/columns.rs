//! What the columns of a Shopify product file mean, in both generations of header names.

use std::collections::HashMap;

/// What a column says of a product, variant or image.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Column {
    Handle,
    Title,
    Body,
    Vendor,
    Category,
    Type,
    Tags,
    Published,
    Status,
    /// Name of the option 0–2; on the first row of a product only.
    OptionName(usize),
    /// Value of the option 0–2.
    OptionValue(usize),
    Sku,
    Barcode,
    Grams,
    Tracker,
    Quantity,
    Policy,
    Price,
    CompareAt,
    VariantImage,
    ImageSource,
    ImagePosition,
    ImageAlt,
    SeoTitle,
    SeoDescription,
    /// A product metafield, by the name of the attribute it becomes.
    Attribute(String),
    /// A variant metafield, by the name of the attribute it becomes.
    VariantAttribute(String),
}

impl Column {
    /// The column of a header cell, without regard to case and white space; `None` when it says nothing to a catalogue.
    pub(super) fn parse(header: &str) -> Option<Self> {
        let name = header.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        if let Some(metafield) = metafield(&name) {
            return Some(metafield);
        }
        if let Some(rest) = name.strip_prefix("option") {
            let (number, part) = rest.split_once(' ')?;
            let index = number.parse::<usize>().ok()?.checked_sub(1).filter(|index| *index < 3)?;
            return match part {
                "name" => Some(Self::OptionName(index)),
                "value" => Some(Self::OptionValue(index)),
                _ => None,
            };
        }
        Self::named(name.strip_prefix("variant ").unwrap_or(&name), &name)
    }

    /// `name` is the header without the `variant ` of the classic generation, `whole` with it.
    fn named(name: &str, whole: &str) -> Option<Self> {
        Some(match whole {
            "variant image" | "variant image url" => Self::VariantImage,
            "handle" | "url handle" => Self::Handle,
            "title" => Self::Title,
            "body (html)" | "body" | "description" => Self::Body,
            "vendor" => Self::Vendor,
            "product category" => Self::Category,
            "type" => Self::Type,
            "tags" => Self::Tags,
            "published" | "published on online store" => Self::Published,
            "status" => Self::Status,
            "image src" | "product image url" => Self::ImageSource,
            "image position" => Self::ImagePosition,
            "image alt text" => Self::ImageAlt,
            "seo title" => Self::SeoTitle,
            "seo description" => Self::SeoDescription,
            _ => match name {
                "sku" => Self::Sku,
                "barcode" => Self::Barcode,
                "grams" | "weight value (grams)" => Self::Grams,
                "inventory tracker" => Self::Tracker,
                "inventory qty" | "inventory quantity" => Self::Quantity,
                "inventory policy" | "continue selling when out of stock" => Self::Policy,
                "price" => Self::Price,
                "compare at price" | "compare-at price" => Self::CompareAt,
                _ => return None,
            },
        })
    }
}

/// `Name (product.metafields.namespace.key)`; the name is translated, so only the parenthesis counts. Fields of the
/// namespace `custom`, where merchants keep their own, become attributes by their key alone.
fn metafield(name: &str) -> Option<Column> {
    let path = name.strip_suffix(')')?.rsplit_once('(')?.1;
    let (owner, field) = path.split_once(".metafields.")?;
    let attribute = field.strip_prefix("custom.").unwrap_or(field).to_owned();
    match owner {
        "product" => Some(Column::Attribute(attribute)),
        "variant" => Some(Column::VariantAttribute(attribute)),
        _ => None,
    }
}

/// The columns of one file.
#[derive(Debug)]
pub(super) struct Header {
    names: Vec<String>,
    places: HashMap<Column, usize>,
    ignored: Vec<String>,
}

impl Header {
    /// Reads the header row.
    ///
    /// # Errors
    /// In words, when the columns cannot be those of a product file.
    pub(super) fn read(cells: &csv::ByteRecord) -> Result<Self, String> {
        let mut header = Self { names: Vec::new(), places: HashMap::new(), ignored: Vec::new() };
        if cells.iter().any(|cell| cell.contains(&0)) {
            return Err("the file is not UTF-8 (UTF-16 perhaps); save it as UTF-8".to_owned());
        }
        for (index, cell) in cells.iter().enumerate() {
            let cell = std::str::from_utf8(cell).map_err(|_not_utf8| {
                format!("the name of column {} is not UTF-8; save the file as UTF-8", index + 1)
            })?;
            let name = cell.trim().to_owned();
            match Column::parse(&name) {
                Some(column) => {
                    if let Some(first) = header.places.insert(column, index) {
                        return Err(format!("columns {} and {} are both `{name}`", first + 1, index + 1));
                    }
                }
                None if name.is_empty() => {}
                None => header.ignored.push(name.clone()),
            }
            header.names.push(name);
        }
        if !header.has(&Column::Title) && !header.has(&Column::Handle) {
            let separator = [';', '\t'].into_iter().find(|separator| {
                header.names.len() == 1 && cells.iter().flatten().any(|b| char::from(*b) == *separator)
            });
            return Err(match separator {
                Some('\t') => "cells are separated by tabs; this format separates them by commas".to_owned(),
                Some(separator) => {
                    format!("cells are separated by `{separator}`; this format separates them by commas")
                }
                None => "no column is named `Title`, `Handle` or `URL handle`; the first line must name the columns"
                    .to_owned(),
            });
        }
        Ok(header)
    }

    /// How many columns there are.
    pub(super) fn width(&self) -> usize {
        self.names.len()
    }

    /// Whether the file has the column.
    pub(super) fn has(&self, column: &Column) -> bool {
        self.places.contains_key(column)
    }

    /// Index of the column.
    pub(super) fn index(&self, column: &Column) -> Option<usize> {
        self.places.get(column).copied()
    }

    /// Name of the column of this index; its number where the header has none.
    pub(super) fn name(&self, index: usize) -> String {
        match self.names.get(index) {
            Some(name) if !name.is_empty() => name.clone(),
            _ => format!("{}", index + 1),
        }
    }

    /// Name of the column in this file.
    pub(super) fn name_of(&self, column: &Column) -> Option<String> {
        self.index(column).map(|index| self.name(index))
    }

    /// The product metafield columns and the attributes they become, in the file's order.
    pub(super) fn attributes(&self) -> Vec<(&Column, &str)> {
        self.pick(|column| if let Column::Attribute(name) = column { Some(name) } else { None })
    }

    /// The variant metafield columns and the attributes they become, in the file's order.
    pub(super) fn variant_attributes(&self) -> Vec<(&Column, &str)> {
        self.pick(|column| if let Column::VariantAttribute(name) = column { Some(name) } else { None })
    }

    fn pick(&self, pick: impl Fn(&Column) -> Option<&String>) -> Vec<(&Column, &str)> {
        let mut picked: Vec<_> = self
            .places
            .iter()
            .filter_map(|(column, index)| Some((*index, column, pick(column)?.as_str())))
            .collect();
        picked.sort_by_key(|(index, _, _)| *index);
        picked.into_iter().map(|(_, column, name)| (column, name)).collect()
    }

    /// Whether any column says something of variants.
    pub(super) fn tells_of_variants(&self) -> bool {
        use Column::{
            Barcode, CompareAt, Grams, OptionValue, Policy, Price, Quantity, Sku, Tracker, VariantAttribute,
            VariantImage,
        };
        self.places.keys().any(|column| {
            matches!(
                column,
                Sku | Barcode
                    | Grams
                    | Tracker
                    | Quantity
                    | Policy
                    | Price
                    | CompareAt
                    | VariantImage
                    | OptionValue(_)
                    | VariantAttribute(_)
            )
        })
    }

    /// Names of the columns that say nothing to a catalogue.
    pub(super) fn ignored(&self) -> &[String] {
        &self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_generations_in_any_case() {
        for (name, column) in [
            ("Handle", Column::Handle),
            ("URL handle", Column::Handle),
            ("Body (HTML)", Column::Body),
            ("body", Column::Body),
            ("Variant SKU", Column::Sku),
            ("SKU", Column::Sku),
            ("Variant sku", Column::Sku),
            ("Option2 Name", Column::OptionName(1)),
            ("option3 VALUE", Column::OptionValue(2)),
            ("Variant Compare At Price", Column::CompareAt),
            ("Compare-at price", Column::CompareAt),
            ("Weight value (grams)", Column::Grams),
            ("Variant inventory quantity", Column::Quantity),
            ("Variant Image", Column::VariantImage),
            ("Image  Src ", Column::ImageSource),
            (
                "Färg (product.metafields.shopify.color-pattern)",
                Column::Attribute("shopify.color-pattern".into()),
            ),
            ("Care (product.metafields.custom.care)", Column::Attribute("care".into())),
            ("Fit (variant.metafields.custom.fit)", Column::VariantAttribute("fit".into())),
        ] {
            assert_eq!(Column::parse(name), Some(column), "{name}");
        }
        for name in
            ["Gift Card", "Option1 Linked To", "Option4 Name", "Price / International", "Cost per item", ""]
        {
            assert_eq!(Column::parse(name), None, "{name}");
        }
    }

    #[test]
    fn headers_that_cannot_be_are_explained() {
        let read = |cells: &[&str]| Header::read(&cells.to_vec().into()).map(|header| header.width());
        assert_eq!(read(&["Handle", "Title", "x", ""]), Ok(4));
        assert_eq!(read(&["Title", "TITLE"]), Err("columns 1 and 2 are both `TITLE`".to_owned()));
        assert!(read(&["Handle;Title"]).unwrap_err().contains("separated by `;`"));
        assert!(read(&["a lamp", "9.99"]).unwrap_err().contains("must name the columns"));
    }
}
