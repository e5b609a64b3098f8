//! Counts how many of a set have each value: over what each product has, or over the products that each value has,
//! whichever is less to look at.

use roaring::RoaringBitmap;

use super::{
    index::ListingIndex,
    row::Row,
    terms::{Terms, at},
};
use crate::domain::list::Facet;

/// Counts by number, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) brands: Vec<u32>,
    pub(super) categories: Vec<u32>,
    pub(super) attributes: Vec<u32>,
}

/// What reading the row of a product costs, in products of a value that could be looked up instead.
const ROW_COST: u64 = 30;

/// Values that one product in so many has are counted word by word.
const DENSE: u64 = 48;

/// Calls with each number of a set, ascending.
pub(super) fn each(set: &RoaringBitmap, mut with: impl FnMut(u32)) {
    let (mut numbers, mut batch) = (set.iter(), [0; 256]);
    loop {
        let batch = numbers.next_many(&mut batch);
        if batch.is_empty() {
            return;
        }
        for number in batch {
            with(*number);
        }
    }
}

impl ListingIndex {
    /// Counts what facets ask for but prices.
    pub(super) fn count(&self, set: &RoaringBitmap, facets: &[&Facet]) -> Counts {
        let mut counts = Counts::default();
        let mut postings = 0;
        for facet in facets {
            match facet {
                Facet::Brand => counts.brands = vec![0; self.brands.len()],
                Facet::Category => counts.categories = vec![0; self.categories.len()],
                Facet::Attribute(_) => counts.attributes = vec![0; self.attributes.values().len()],
                Facet::Price => {}
            }
            postings += match facet {
                Facet::Brand => self.brands.postings(),
                Facet::Category => self.categories.postings(),
                Facet::Attribute(code) => self.attributes.postings(code),
                Facet::Price => 0,
            };
        }
        if postings == 0 {
            return counts;
        }
        if set.len() == self.live.len() {
            self.by_values(&mut counts, facets, RoaringBitmap::len);
        } else if set.len().saturating_mul(ROW_COST) < postings {
            self.by_rows(&mut counts, set);
        } else {
            let members = Members::new(set, self.live.len());
            self.by_values(&mut counts, facets, |value| members.common(value));
        }
        counts
    }

    fn by_rows(&self, counts: &mut Counts, set: &RoaringBitmap) {
        let Counts { brands, categories, attributes } = counts;
        each(set, |ordinal| {
            let Some((brand, of_categories, of_attributes)) = self.columns.row(ordinal).map(Row::counted)
            else {
                return;
            };
            if !brands.is_empty() {
                tally(brands, brand);
            }
            if !categories.is_empty() {
                tally(categories, of_categories);
            }
            if !attributes.is_empty() {
                tally(attributes, of_attributes);
            }
        });
    }

    fn by_values(&self, counts: &mut Counts, facets: &[&Facet], common: impl Fn(&RoaringBitmap) -> u64) {
        for facet in facets {
            match facet {
                Facet::Brand => fill(&mut counts.brands, &self.brands, 0.., &common),
                Facet::Category => fill(&mut counts.categories, &self.categories, 0.., &common),
                Facet::Attribute(code) => {
                    let numbers = self.attributes.of_code(code).iter().copied();
                    fill(&mut counts.attributes, self.attributes.values(), numbers, &common);
                }
                Facet::Price => {}
            }
        }
    }
}

fn tally(counts: &mut [u32], numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        if let Some(count) = counts.get_mut(at(number)) {
            *count += 1;
        }
    }
}

fn fill<K: Clone + Eq + std::hash::Hash>(
    counts: &mut [u32],
    terms: &Terms<K>,
    numbers: impl Iterator<Item = u32>,
    common: impl Fn(&RoaringBitmap) -> u64,
) {
    for number in numbers {
        let (Some(set), Some(count)) = (terms.set(number), counts.get_mut(at(number))) else { return };
        *count = u32::try_from(common(set)).unwrap_or(u32::MAX);
    }
}

/// A set that many others are compared with.
struct Members<'a> {
    set: &'a RoaringBitmap,
    /// The same, a bit for each number.
    bits: Vec<u64>,
    /// Sets of at least this size are compared word by word.
    dense: u64,
}

impl<'a> Members<'a> {
    fn new(set: &'a RoaringBitmap, live: u64) -> Self {
        let words = set.max().map_or(0, |last| at(last >> 6) + 1);
        let mut bits = vec![0_u64; words];
        each(set, |number| {
            if let Some(word) = bits.get_mut(at(number >> 6)) {
                *word |= 1 << (number & 63);
            }
        });
        Self { set, bits, dense: live / DENSE }
    }

    /// How many are in both. Two lists would be merged, at the cost of both, so the shorter one is looked up instead.
    fn common(&self, other: &RoaringBitmap) -> u64 {
        if other.len() >= self.dense {
            return self.set.intersection_len(other);
        }
        let mut count = 0;
        each(other, |number| {
            count += self.bits.get(at(number >> 6)).map_or(0, |word| word >> (number & 63) & 1);
        });
        count
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::btree_set, prelude::*};

    use super::*;

    /// Numbers of one container, of several, and crowds of neighbours.
    fn set() -> impl Strategy<Value = RoaringBitmap> {
        let spread = btree_set(prop_oneof![0..300_u32, 0..200_000_u32], 0..400);
        let crowd = (0..150_000_u32, 0..9000_u32).prop_map(|(from, length)| (from..from + length).collect());
        prop_oneof![spread.prop_map(RoaringBitmap::from_iter), crowd]
    }

    proptest! {
        #[test]
        fn counts_what_is_in_both_however_it_looks(set in set(), other in set(), dense in 0..20_000_u64) {
            let members = Members { dense, ..Members::new(&set, 0) };
            prop_assert_eq!(members.common(&other), (&set & &other).len());
        }

        #[test]
        fn visits_every_number_in_order(set in set()) {
            let mut seen = Vec::new();
            each(&set, |number| seen.push(number));
            prop_assert_eq!(seen, set.iter().collect::<Vec<_>>());
        }
    }
}
