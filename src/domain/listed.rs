//! What lists know of the catalogue: the fields by which products are filtered, counted, sorted and searched.

use uuid::Uuid;

use super::money::Currency;

/// A product that the store shows, as lists see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedProduct {
    /// Its id.
    pub id: Uuid,
    /// Microseconds since 1970.
    pub published_at_us: i64,
    /// Title in the catalogue's own language.
    pub title: Box<str>,
    /// Its brand.
    pub brand: Option<Uuid>,
    /// The categories it is in and all above them, each once.
    pub categories: Box<[Uuid]>,
    /// Its place in the categories it is directly in, as an editor set it; lower comes first.
    pub positions: Box<[(Uuid, i32)]>,
    /// Names of its tags.
    pub tags: Box<[Box<str>]>,
    /// For each currency the amounts its variants cost, ascending and each once.
    pub prices: Box<[(Currency, Box<[i64]>)]>,
    /// Whether a shopper can order any of its variants: not all are `out_of_stock`.
    pub in_stock: bool,
    /// Values of its own and its variants' attributes, by code: each value once, as lists compare it (see [`value_text`]).
    pub attributes: Box<[(Box<str>, Box<str>)]>,
    /// The words it is found by.
    pub text: ListedText,
}

/// Texts by which a product is found; all in the catalogue's own language, as an editor wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedText {
    /// Plain text or HTML.
    pub description: Box<str>,
    /// Name of its product type.
    pub product_type: Box<str>,
    /// SKUs and barcodes of its variants.
    pub codes: Box<[Box<str>]>,
    /// Values of searchable attributes, and what the variants are called.
    pub words: Box<[Box<str>]>,
}

/// A brand, as lists name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedBrand {
    /// Its id.
    pub id: Uuid,
    /// Its slug.
    pub slug: Box<str>,
    /// Its name.
    pub name: Box<str>,
}

/// A category, as lists name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCategory {
    /// Its id.
    pub id: Uuid,
    /// Its slug.
    pub slug: Box<str>,
    /// Its name.
    pub name: Box<str>,
    /// Slugs from the root to it, joined by `/`.
    pub path: Box<str>,
}

/// An attribute value as lists compare it: a string as it is, numbers and booleans as JSON writes them. `None` for what is
/// not compared: null, objects. A list stands for each of its members.
pub fn value_text(value: &serde_json::Value) -> Option<Box<str>> {
    match value {
        serde_json::Value::String(text) => Some(text.as_str().into()),
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => Some(value.to_string().into()),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}
