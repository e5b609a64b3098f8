//! What products have several of, packed one after the other: counting over many walks through memory in order.

use super::terms::at;

/// Numbers of categories, attribute values and tags, then places in categories and prices.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Row<'a>(&'a [u32]);

/// The rows of all ordinals.
#[derive(Debug, Default)]
pub(super) struct Rows {
    data: Vec<u32>,
    /// Where each ordinal's row begins, and how long it is.
    spans: Vec<(u32, u32)>,
    /// Numbers of rows that were replaced.
    unused: usize,
}

/// Unused numbers that are worth moving everything for.
const UNUSED_MIN: usize = 1 << 16;

impl Rows {
    /// Writes the row of an ordinal.
    pub(super) fn put(&mut self, ordinal: u32, parts: &Parts) {
        if at(ordinal) >= self.spans.len() {
            self.spans.resize(at(ordinal) + 1, (0, 0));
        }
        let row = pack(parts);
        let Some(span) = self.spans.get_mut(at(ordinal)) else { return };
        let (from, length) = (at(span.0), at(span.1));
        if let Some(old) = self.data.get_mut(from..from + length).filter(|old| old.len() == row.len()) {
            old.copy_from_slice(&row);
            return;
        }
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        *span = (number(self.data.len()), number(row.len()));
        self.data.extend_from_slice(&row);
        self.unused += length;
        if self.unused > UNUSED_MIN.max(self.data.len() / 2) {
            self.compact();
        }
    }

    /// The row of an ordinal.
    pub(super) fn get(&self, ordinal: u32) -> Option<Row<'_>> {
        let (from, length) = self.spans.get(at(ordinal)).copied()?;
        self.data.get(at(from)..at(from) + at(length)).map(Row)
    }

    fn compact(&mut self) {
        let mut data = Vec::with_capacity(self.data.len().saturating_sub(self.unused));
        for (from, length) in &mut self.spans {
            let row = self.data.get(at(*from)..at(*from) + at(*length)).unwrap_or_default();
            *from = u32::try_from(data.len()).unwrap_or(u32::MAX);
            data.extend_from_slice(row);
        }
        (self.data, self.unused) = (data, 0);
    }
}

/// How many ends of parts stand at the head of a row.
const HEAD: usize = 4;

/// What a row is packed from.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) categories: Vec<u32>,
    pub(super) attributes: Vec<u32>,
    pub(super) tags: Vec<u32>,
    /// Category and place.
    pub(super) places: Vec<(u32, i32)>,
    /// Currency and amount, ascending within a currency.
    pub(super) prices: Vec<(u32, i64)>,
}

fn pack(parts: &Parts) -> Vec<u32> {
    let mut data = Vec::with_capacity(
        HEAD + parts.categories.len()
            + parts.attributes.len()
            + parts.tags.len()
            + 2 * parts.places.len()
            + 3 * parts.prices.len(),
    );
    data.resize(HEAD, 0);
    let end = |data: &mut Vec<u32>, part: usize| {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        if let Some(slot) = data.get_mut(part) {
            *slot = length;
        }
    };
    data.extend_from_slice(&parts.categories);
    end(&mut data, 0);
    data.extend_from_slice(&parts.attributes);
    end(&mut data, 1);
    data.extend_from_slice(&parts.tags);
    end(&mut data, 2);
    data.extend(parts.places.iter().flat_map(|(category, place)| [*category, place.cast_unsigned()]));
    end(&mut data, 3);
    for (market, amount) in &parts.prices {
        let bytes = amount.to_be_bytes();
        let half = |from: usize| {
            bytes.iter().skip(from).take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte))
        };
        data.extend_from_slice(&[*market, half(0), half(4)]);
    }
    data
}

impl<'a> Row<'a> {
    fn part(self, part: usize) -> &'a [u32] {
        let bound = |index: usize| self.0.get(index).copied().map_or(0, at);
        let from = part.checked_sub(1).map_or(HEAD, bound);
        let to = if part < HEAD { bound(part) } else { self.0.len() };
        self.0.get(from..to).unwrap_or_default()
    }

    /// Numbers of its categories, ascending.
    pub(super) fn categories(self) -> &'a [u32] {
        self.part(0)
    }

    /// Numbers of its attribute values, ascending.
    pub(super) fn attributes(self) -> &'a [u32] {
        self.part(1)
    }

    /// Numbers of its tags, ascending.
    pub(super) fn tags(self) -> &'a [u32] {
        self.part(2)
    }

    /// Its places: categories and numbers.
    pub(super) fn places(self) -> impl Iterator<Item = (u32, i32)> + use<'a> {
        self.part(3).as_chunks::<2>().0.iter().map(|[category, place]| (*category, place.cast_signed()))
    }

    /// Its prices: currencies and amounts, ascending within a currency.
    pub(super) fn prices(self) -> impl Iterator<Item = (u32, i64)> + use<'a> {
        self.part(4)
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[market, high, low]| (*market, (u64::from(*high) << 32 | u64::from(*low)).cast_signed()))
    }

    /// Its place in a category.
    pub(super) fn place(self, category: u32) -> Option<i32> {
        self.places().find(|(of, _)| *of == category).map(|(_, place)| place)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn unpacks_what_was_packed(
            categories in prop::collection::vec(any::<u32>(), 0..4),
            attributes in prop::collection::vec(any::<u32>(), 0..4),
            tags in prop::collection::vec(any::<u32>(), 0..4),
            places in prop::collection::vec(any::<(u32, i32)>(), 0..4),
            prices in prop::collection::vec(any::<(u32, i64)>(), 0..4),
            length in 0_usize..9,
            is_compacted: bool,
        ) {
            let parts = Parts { categories, attributes, tags, places, prices };
            let mut rows = Rows::default();
            rows.put(3, &Parts { categories: vec![7; length], ..Parts::default() });
            rows.put(1, &Parts::default());
            rows.put(3, &parts);
            if is_compacted {
                rows.compact();
            }
            let row = rows.get(3).unwrap();
            prop_assert_eq!(row.categories(), &parts.categories);
            prop_assert_eq!(row.attributes(), &parts.attributes);
            prop_assert_eq!(row.tags(), &parts.tags);
            prop_assert_eq!(row.places().collect::<Vec<_>>(), parts.places);
            prop_assert_eq!(row.prices().collect::<Vec<_>>(), parts.prices);
            prop_assert_eq!(rows.get(1).unwrap().prices().count(), 0);
            prop_assert_eq!(rows.get(2).unwrap().prices().count(), 0);
            prop_assert_eq!(rows.get(4).map(Row::places).into_iter().flatten().count(), 0);
        }
    }
}
