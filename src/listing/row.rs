//! What products have several of, and their titles: packed into few bytes, one product after the other.

use super::{terms::at, varint};

/// The parts of one product, each with its length before it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row<'a>(&'a [u8]);

/// The rows of all ordinals.
#[derive(Debug, Default)]
pub(super) struct Rows {
    data: Vec<u8>,
    /// Where each ordinal's row begins, in [`UNIT`]s; [`NOWHERE`] for one that has none.
    starts: Vec<u32>,
    /// Bytes of rows that were replaced.
    unused: usize,
}

/// Rows begin at multiples of this many bytes: so four bytes reach 16 GB far.
const UNIT: usize = 4;

/// No row.
const NOWHERE: u32 = u32::MAX;

/// Unused bytes that are worth moving everything for.
const UNUSED_MIN: usize = 1 << 18;

/// Makes room in steps of a sixteenth, not by doubling.
pub(super) fn reserve<T>(column: &mut Vec<T>, more: usize) {
    if column.capacity() - column.len() < more {
        column.reserve_exact(more.max(column.len() / 16).max(64));
    }
}

impl Rows {
    /// Writes the row of an ordinal.
    pub(super) fn put(&mut self, ordinal: u32, parts: &Parts<'_>) {
        let missing = (at(ordinal) + 1).saturating_sub(self.starts.len());
        reserve(&mut self.starts, missing);
        self.starts.extend(std::iter::repeat_n(NOWHERE, missing));
        let row = pack(parts);
        let old = self.get(ordinal).map_or(0, |row| row.length().next_multiple_of(UNIT));
        let from = self.starts.get(at(ordinal)).map_or(0, |start| at(*start).saturating_mul(UNIT));
        if let Some(place) =
            self.data.get_mut(from..from.saturating_add(old)).filter(|place| place.len() == row.len())
        {
            place.copy_from_slice(&row);
            return;
        }
        if let Some(start) = self.starts.get_mut(at(ordinal)) {
            *start = u32::try_from(self.data.len() / UNIT).unwrap_or(NOWHERE);
        }
        reserve(&mut self.data, row.len());
        self.data.extend_from_slice(&row);
        self.unused += old;
        if self.unused > UNUSED_MIN.max(self.data.len() / 8) {
            self.compact();
        }
    }

    /// Forgets the row of an ordinal.
    pub(super) fn clear(&mut self, ordinal: u32) {
        self.unused += self.get(ordinal).map_or(0, |row| row.length().next_multiple_of(UNIT));
        if let Some(start) = self.starts.get_mut(at(ordinal)) {
            *start = NOWHERE;
        }
    }

    /// The row of an ordinal; what it is read of may go on behind it.
    pub(super) fn get(&self, ordinal: u32) -> Option<Row<'_>> {
        let start = self.starts.get(at(ordinal)).filter(|start| **start != NOWHERE)?;
        self.data.get(at(*start) * UNIT..).map(Row)
    }

    /// Bytes, where each row begins, unused bytes.
    pub(super) fn parts(&self) -> (&[u8], &[u32], usize) {
        (&self.data, &self.starts, self.unused)
    }

    /// Of the same.
    pub(super) fn from_parts(data: Vec<u8>, starts: Vec<u32>, unused: usize) -> Self {
        Self { data, starts, unused }
    }

    fn compact(&mut self) {
        let mut data = Vec::with_capacity(self.data.len().saturating_sub(self.unused));
        for start in self.starts.iter_mut().filter(|start| **start != NOWHERE) {
            let row = self.data.get(at(*start) * UNIT..).map(Row).unwrap_or_default();
            let length = row.length().next_multiple_of(UNIT);
            *start = u32::try_from(data.len() / UNIT).unwrap_or(NOWHERE);
            data.extend_from_slice(row.0.get(..length).unwrap_or_default());
        }
        (self.data, self.unused) = (data, 0);
    }
}

/// What a row is packed from.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) title: &'a str,
    pub(super) brand: Option<u32>,
    /// Ascending, as are the next two.
    pub(super) categories: Vec<u32>,
    pub(super) attributes: Vec<u32>,
    pub(super) tags: Vec<u32>,
    /// Category and place.
    pub(super) places: Vec<(u32, i32)>,
    /// Currency and amount, ascending within a currency.
    pub(super) prices: Vec<(u32, i64)>,
}

/// How many parts a row has: the fields of [`Parts`], in that order.
const PARTS: usize = 7;

fn pack(parts: &Parts<'_>) -> Vec<u8> {
    let mut row = Vec::with_capacity(parts.title.len() + 96);
    let mut part = Vec::with_capacity(64);
    let mut end = |part: &mut Vec<u8>| {
        varint::put(&mut row, u64::try_from(part.len()).unwrap_or(0));
        row.append(part);
    };
    part.extend_from_slice(parts.title.as_bytes());
    end(&mut part);
    parts.brand.into_iter().for_each(|brand| varint::put(&mut part, brand.into()));
    end(&mut part);
    for numbers in [&parts.categories, &parts.attributes, &parts.tags] {
        let mut last = 0;
        for number in numbers {
            varint::put(&mut part, number.wrapping_sub(last).into());
            last = *number;
        }
        end(&mut part);
    }
    for (category, place) in &parts.places {
        varint::put(&mut part, (*category).into());
        varint::put(&mut part, varint::folded((*place).into()));
    }
    end(&mut part);
    for (market, amount) in &parts.prices {
        varint::put(&mut part, (*market).into());
        varint::put(&mut part, varint::folded(*amount));
    }
    end(&mut part);
    row.resize(row.len().next_multiple_of(UNIT), 0);
    row
}

/// Takes a part from the front of a row.
fn part<'a>(row: &mut &'a [u8]) -> &'a [u8] {
    let length = varint::take(row).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
    let (part, rest) = row.split_at_checked(length).unwrap_or_default();
    *row = rest;
    part
}

impl<'a> Row<'a> {
    fn part(self, number: usize) -> &'a [u8] {
        let mut rest = self.0;
        (0..number).for_each(|_| drop_part(&mut rest));
        part(&mut rest)
    }

    /// Bytes of all parts.
    fn length(self) -> usize {
        let mut rest = self.0;
        (0..PARTS).for_each(|_| drop_part(&mut rest));
        self.0.len() - rest.len()
    }

    /// Its title.
    pub(super) fn title(self) -> &'a str {
        std::str::from_utf8(self.part(0)).unwrap_or("")
    }

    /// Number of its brand.
    pub(super) fn brand(self) -> Option<u32> {
        number(&mut self.part(1))
    }

    /// Numbers of its categories, ascending.
    pub(super) fn categories(self) -> Numbers<'a> {
        Numbers { rest: self.part(2), last: 0 }
    }

    /// Numbers of its attribute values, ascending.
    pub(super) fn attributes(self) -> Numbers<'a> {
        Numbers { rest: self.part(3), last: 0 }
    }

    /// Numbers of its tags, ascending.
    pub(super) fn tags(self) -> Numbers<'a> {
        Numbers { rest: self.part(4), last: 0 }
    }

    /// Number of its brand, of its categories and of its attribute values, read in one go.
    pub(super) fn counted(self) -> (Option<u32>, Numbers<'a>, Numbers<'a>) {
        let mut rest = self.0;
        drop_part(&mut rest);
        let brand = number(&mut part(&mut rest));
        let categories = Numbers { rest: part(&mut rest), last: 0 };
        (brand, categories, Numbers { rest: part(&mut rest), last: 0 })
    }

    /// Its places: categories and numbers.
    pub(super) fn places(self) -> impl Iterator<Item = (u32, i32)> + use<'a> {
        pairs(self.part(5)).filter_map(|(category, place)| Some((category, i32::try_from(place).ok()?)))
    }

    /// Its prices: currencies and amounts, ascending within a currency.
    pub(super) fn prices(self) -> impl Iterator<Item = (u32, i64)> + use<'a> {
        pairs(self.part(6))
    }

    /// Its place in a category.
    pub(super) fn place(self, category: u32) -> Option<i32> {
        self.places().find(|(of, _)| *of == category).map(|(_, place)| place)
    }
}

fn drop_part(row: &mut &[u8]) {
    part(row);
}

fn number(from: &mut &[u8]) -> Option<u32> {
    u32::try_from(varint::take(from)?).ok()
}

fn pairs(mut rest: &[u8]) -> impl Iterator<Item = (u32, i64)> {
    std::iter::from_fn(move || Some((number(&mut rest)?, varint::unfolded(varint::take(&mut rest)?))))
}

/// Ascending numbers.
#[derive(Debug, Clone)]
pub(super) struct Numbers<'a> {
    rest: &'a [u8],
    last: u32,
}

impl Iterator for Numbers<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.last = self.last.wrapping_add(number(&mut self.rest)?);
        Some(self.last)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn numbers() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::btree_set(prop_oneof![0..200_u32, any::<u32>()], 0..4)
            .prop_map(|numbers| numbers.into_iter().collect())
    }

    proptest! {
        #[test]
        fn unpacks_what_was_packed(
            title in "\\PC{0,200}",
            brand: Option<u32>,
            (categories, attributes, tags) in (numbers(), numbers(), numbers()),
            places in prop::collection::vec(any::<(u32, i32)>(), 0..4),
            prices in prop::collection::vec(any::<(u32, i64)>(), 0..4),
            length in 0_usize..200,
            is_compacted: bool,
        ) {
            let title = title.as_str();
            let parts = Parts { title, brand, categories, attributes, tags, places, prices };
            let mut rows = Rows::default();
            rows.put(3, &Parts { tags: (7..7 + u32::try_from(length).unwrap()).collect(), ..Parts::default() });
            rows.put(0, &parts);
            rows.put(1, &Parts::default());
            rows.put(3, &parts);
            rows.clear(0);
            if is_compacted {
                rows.compact();
                prop_assert_eq!(rows.data.len(), rows.data.capacity());
            }
            let row = rows.get(3).unwrap();
            prop_assert_eq!(row.title(), parts.title);
            prop_assert_eq!(row.brand(), parts.brand);
            prop_assert_eq!(row.categories().collect::<Vec<_>>(), parts.categories);
            prop_assert_eq!(row.attributes().collect::<Vec<_>>(), parts.attributes);
            prop_assert_eq!(row.tags().collect::<Vec<_>>(), parts.tags);
            prop_assert_eq!(row.places().collect::<Vec<_>>(), parts.places);
            prop_assert_eq!(row.prices().collect::<Vec<_>>(), parts.prices);
            prop_assert_eq!(rows.get(1).unwrap().prices().count(), 0);
            prop_assert!([0, 2, 4].iter().all(|ordinal| rows.get(*ordinal).is_none()));
        }
    }
}
