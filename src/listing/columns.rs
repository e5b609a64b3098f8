//! What is known of each product, by ordinal.

use std::{collections::HashMap, sync::Arc};

use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{
    row::{Parts, Row, Rows, reserve},
    terms::{Terms, at},
};

/// One value per ordinal in each; those of ordinals that are free are left as they were.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) ids: Vec<Uuid>,
    pub(super) published: Vec<i64>,
    pub(super) title_heads: Vec<i64>,
    pub(super) texts: Vec<u64>,
    pub(super) rows: Rows,
}

/// All of a product that stands in columns.
#[derive(Debug, Default)]
pub(super) struct Entry<'a> {
    pub(super) id: Uuid,
    pub(super) published: i64,
    pub(super) title_head: i64,
    /// See [`super::shown::Shown`].
    pub(super) text: u64,
    pub(super) row: Parts<'a>,
}

fn put<T: Default>(column: &mut Vec<T>, ordinal: u32, value: T) {
    if at(ordinal) >= column.len() {
        reserve(column, at(ordinal) + 1 - column.len());
        column.resize_with(at(ordinal) + 1, T::default);
    }
    if let Some(slot) = column.get_mut(at(ordinal)) {
        *slot = value;
    }
}

impl Columns {
    /// Writes a product's values.
    pub(super) fn put(&mut self, ordinal: u32, entry: &Entry<'_>) {
        put(&mut self.ids, ordinal, entry.id);
        put(&mut self.published, ordinal, entry.published);
        put(&mut self.title_heads, ordinal, entry.title_head);
        put(&mut self.texts, ordinal, entry.text);
        self.rows.put(ordinal, &entry.row);
    }

    /// Gives an ordinal to a product of which nothing else is known yet.
    pub(super) fn name(&mut self, ordinal: u32, id: Uuid) {
        put(&mut self.ids, ordinal, id);
    }

    /// Forgets what a product has several of, and its title.
    pub(super) fn clear(&mut self, ordinal: u32) {
        self.rows.clear(ordinal);
    }

    pub(super) fn id(&self, ordinal: u32) -> Uuid {
        self.ids.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn published(&self, ordinal: u32) -> i64 {
        self.published.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn title(&self, ordinal: u32) -> &str {
        self.row(ordinal).map_or("", Row::title)
    }

    pub(super) fn title_head(&self, ordinal: u32) -> i64 {
        self.title_heads.get(at(ordinal)).copied().unwrap_or_default()
    }

    pub(super) fn text(&self, ordinal: u32) -> u64 {
        self.texts.get(at(ordinal)).copied().unwrap_or_default()
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
    pub(super) codes: HashMap<Arc<str>, u32>,
    /// By number. They are few and are never forgotten.
    pub(super) of_code: Vec<Code>,
    pub(super) values: Terms<(u32, Arc<str>)>,
}

/// An attribute.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) name: Arc<str>,
    /// Numbers of its values, in no order.
    pub(super) values: Vec<u32>,
    /// How many products have each value, summed over all values.
    pub(super) postings: u64,
}

impl Attributes {
    /// Notes that a product has a value, and tells the value's number.
    pub(super) fn add(&mut self, code: &str, value: &str, ordinal: u32) -> u32 {
        let code = self.code(code).unwrap_or_else(|| self.enter(code));
        let key = (code, value.into());
        let known = self.values.number(&key);
        let number = known.unwrap_or_else(|| self.values.enter(&key));
        let is_new = self.values.join(number, ordinal);
        if let Some(code) = self.of_code.get_mut(at(code)) {
            code.postings += u64::from(is_new);
            code.values.extend(known.is_none().then_some(number));
        }
        number
    }

    fn enter(&mut self, name: &str) -> u32 {
        let number = u32::try_from(self.of_code.len()).unwrap_or(u32::MAX);
        let name = Arc::<str>::from(name);
        self.codes.insert(Arc::clone(&name), number);
        self.of_code.push(Code { name, values: Vec::new(), postings: 0 });
        number
    }

    /// Notes that a product no longer has a value.
    pub(super) fn remove(&mut self, number: u32, ordinal: u32) {
        let code = self.values.value(number).map(|(code, _)| *code);
        let Some(code) = code.and_then(|code| self.of_code.get_mut(at(code))) else { return };
        let before = self.values.postings();
        if self.values.remove(number, ordinal).is_some() {
            code.values.retain(|value| *value != number);
        }
        code.postings -= before - self.values.postings();
    }

    /// The number of an attribute's code.
    pub(super) fn code(&self, code: &str) -> Option<u32> {
        self.codes.get(code).copied()
    }

    /// The products that have a value.
    pub(super) fn set(&self, code: &str, value: &str) -> Option<&RoaringBitmap> {
        let number = self.values.number(&(self.code(code)?, value.into()))?;
        self.values.set(number)
    }

    /// Numbers of an attribute's values that some product has, in no order.
    pub(super) fn of_code(&self, code: &str) -> &[u32] {
        self.named(code).map_or(&[], |code| &code.values)
    }

    fn named(&self, code: &str) -> Option<&Code> {
        self.of_code.get(at(self.code(code)?))
    }

    /// How many products have each value of an attribute, summed over these.
    pub(super) fn postings(&self, code: &str) -> u64 {
        self.named(code).map_or(0, |code| code.postings)
    }

    /// The values, by number.
    pub(super) fn values(&self) -> &Terms<(u32, Arc<str>)> {
        &self.values
    }

    /// The names of a value and of the attribute that it belongs to, the latter first.
    pub(super) fn names(&self, number: u32) -> Option<(&str, &str)> {
        let (code, value) = self.values.value(number)?;
        Some((&self.of_code.get(at(*code))?.name, value))
    }
}
