//! What is known of each product, by ordinal.

use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{
    row::{Parts, Row, Rows},
    terms::{Terms, at},
};

/// No brand.
pub(super) const NO_BRAND: u32 = u32::MAX;

/// One value per ordinal in each; those of ordinals that are free are left as they were.
#[derive(Debug, Default)]
pub(super) struct Columns {
    ids: Vec<Uuid>,
    published: Vec<i64>,
    titles: Vec<Box<str>>,
    title_heads: Vec<i64>,
    brands: Vec<u32>,
    texts: Vec<u64>,
    said: Vec<u64>,
    rows: Rows,
}

/// All of a product that stands in columns.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) id: Uuid,
    pub(super) published: i64,
    pub(super) title: Box<str>,
    pub(super) title_head: i64,
    pub(super) brand: u32,
    /// See [`super::shown::Shown`].
    pub(super) text: u64,
    /// Digest of all words by which it is found.
    pub(super) says: u64,
    pub(super) row: Parts,
}

fn put<T: Default>(column: &mut Vec<T>, ordinal: u32, value: T) {
    if at(ordinal) >= column.len() {
        column.resize_with(at(ordinal) + 1, T::default);
    }
    if let Some(slot) = column.get_mut(at(ordinal)) {
        *slot = value;
    }
}

impl Columns {
    /// Writes a product's values.
    pub(super) fn put(&mut self, ordinal: u32, entry: Entry) {
        put(&mut self.ids, ordinal, entry.id);
        put(&mut self.published, ordinal, entry.published);
        put(&mut self.titles, ordinal, entry.title);
        put(&mut self.title_heads, ordinal, entry.title_head);
        put(&mut self.brands, ordinal, entry.brand);
        put(&mut self.texts, ordinal, entry.text);
        put(&mut self.said, ordinal, entry.says);
        self.rows.put(ordinal, &entry.row);
    }

    /// Lets go of what takes memory of its own.
    pub(super) fn clear(&mut self, ordinal: u32) {
        put(&mut self.titles, ordinal, Box::default());
        self.rows.put(ordinal, &Parts::default());
    }

    pub(super) fn id(&self, ordinal: u32) -> Uuid {
        self.ids.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn published(&self, ordinal: u32) -> i64 {
        self.published.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn title(&self, ordinal: u32) -> &str {
        self.titles.get(at(ordinal)).map_or("", |title| title)
    }

    pub(super) fn title_head(&self, ordinal: u32) -> i64 {
        self.title_heads.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn brand(&self, ordinal: u32) -> u32 {
        self.brands.get(at(ordinal)).copied().unwrap_or(NO_BRAND)
    }

    pub(super) fn text(&self, ordinal: u32) -> u64 {
        self.texts.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn said(&self, ordinal: u32) -> u64 {
        self.said.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn row(&self, ordinal: u32) -> Option<Row<'_>> {
        self.rows.get(ordinal)
    }

    /// How many ordinals were ever given out.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }
}

/// Values of attributes: numbered together, each with the code it belongs to.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    codes: Terms<Box<str>>,
    values: Terms<(u32, std::sync::Arc<str>)>,
}

impl Attributes {
    /// Notes that a product has a value, and tells the value's number.
    pub(super) fn add(&mut self, code: &str, value: &str, ordinal: u32) -> u32 {
        // Codes are few and are never forgotten, so their sets stay empty.
        let code = self.codes.number(code).unwrap_or_else(|| self.codes.enter(&code.into()));
        self.values.add(&(code, value.into()), ordinal)
    }

    /// Notes that a product no longer has a value.
    pub(super) fn remove(&mut self, number: u32, ordinal: u32) {
        self.values.remove(number, ordinal);
    }

    /// The number of an attribute's code.
    pub(super) fn code(&self, code: &str) -> Option<u32> {
        self.codes.number(code)
    }

    /// The products that have a value.
    pub(super) fn set(&self, code: &str, value: &str) -> Option<&RoaringBitmap> {
        let number = self.values.number(&(self.code(code)?, value.into()))?;
        self.values.set(number)
    }

    /// Code, its number, and value of a number.
    pub(super) fn value(&self, number: u32) -> Option<(u32, &str)> {
        self.values.value(number).map(|(code, value)| (*code, value.as_ref()))
    }

    /// The name of a code.
    pub(super) fn code_name(&self, number: u32) -> &str {
        self.codes.value(number).map_or("", |code| code)
    }

    /// One more than the highest number of a value.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// How many products have each value, by number.
    pub(super) fn sizes(&self) -> impl Iterator<Item = u64> {
        self.values.sizes()
    }
}
