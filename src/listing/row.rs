//! What a product has several of, packed: one allocation a product.

use super::terms::at;

/// Numbers of categories, attribute values and tags, then places in categories and prices.
#[derive(Debug, Clone, Default)]
pub(super) struct Row(Box<[u32]>);

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

impl Row {
    /// Packs.
    pub(super) fn new(parts: &Parts) -> Self {
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
        Self(data.into())
    }

    fn part(&self, part: usize) -> &[u32] {
        let bound = |index: usize| self.0.get(index).copied().map_or(0, at);
        let from = part.checked_sub(1).map_or(HEAD, bound);
        let to = if part < HEAD { bound(part) } else { self.0.len() };
        self.0.get(from..to).unwrap_or_default()
    }

    /// Numbers of its categories, ascending.
    pub(super) fn categories(&self) -> &[u32] {
        self.part(0)
    }

    /// Numbers of its attribute values, ascending.
    pub(super) fn attributes(&self) -> &[u32] {
        self.part(1)
    }

    /// Numbers of its tags, ascending.
    pub(super) fn tags(&self) -> &[u32] {
        self.part(2)
    }

    /// Its places: categories and numbers.
    pub(super) fn places(&self) -> impl Iterator<Item = (u32, i32)> {
        self.part(3).as_chunks::<2>().0.iter().map(|[category, place]| (*category, place.cast_signed()))
    }

    /// Its prices: currencies and amounts, ascending within a currency.
    pub(super) fn prices(&self) -> impl Iterator<Item = (u32, i64)> {
        self.part(4)
            .as_chunks::<3>()
            .0
            .iter()
            .map(|[market, high, low]| (*market, (u64::from(*high) << 32 | u64::from(*low)).cast_signed()))
    }

    /// Its place in a category.
    pub(super) fn place(&self, category: u32) -> Option<i32> {
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
        ) {
            let parts = Parts { categories, attributes, tags, places, prices };
            let row = Row::new(&parts);
            prop_assert_eq!(row.categories(), &parts.categories);
            prop_assert_eq!(row.attributes(), &parts.attributes);
            prop_assert_eq!(row.tags(), &parts.tags);
            prop_assert_eq!(row.places().collect::<Vec<_>>(), parts.places);
            prop_assert_eq!(row.prices().collect::<Vec<_>>(), parts.prices);
            prop_assert_eq!(Row::default().prices().count(), 0);
        }
    }
}
