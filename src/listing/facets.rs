//! Counts the values of what matches: forward over what each product has.

use std::{borrow::Cow, cmp::Reverse};

use roaring::RoaringBitmap;

use super::{columns::NO_BRAND, index::ListingIndex, price_ranges::Histogram, select::Selection, terms::at};
use crate::{
    domain::{
        list::{Facet, FacetCounts, ListQuery},
        money::Currency,
    },
    limits::FACET_VALUES_MAX,
};

/// Counts by number.
#[derive(Debug, Default)]
struct Counts {
    categories: Option<Vec<u32>>,
    attributes: Option<Vec<u32>>,
}

impl ListingIndex {
    /// The counts of every facet of a query; `set` is what matches all filters.
    pub(super) fn facets(
        &self,
        query: &ListQuery,
        selection: &Selection<'_>,
        set: &RoaringBitmap,
    ) -> Vec<FacetCounts> {
        let is_shared = |facet: &&Facet| !selection.has_own(facet) && !selection.is_everything(facet);
        // Facets without a filter of their own count the same products: one pass for all of them.
        let shared = self.count(set, query.facets.iter().filter(is_shared));
        let facet = |facet: &Facet| {
            if selection.is_everything(facet) {
                let sizes = self.sizes(facet);
                return self.facet(facet, query.currency, &self.live, &sizes);
            }
            if !selection.has_own(facet) {
                return self.facet(facet, query.currency, set, &shared);
            }
            let set: Cow<'_, _> = selection.set(Some(facet));
            self.facet(facet, query.currency, &set, &self.count(&set, [facet]))
        };
        query.facets.iter().map(facet).collect()
    }

    /// The counts over everything, for which the sets need only be asked for their sizes.
    fn sizes(&self, facet: &Facet) -> Counts {
        let numbers = |sizes: &mut dyn Iterator<Item = u64>| {
            sizes.map(|size| u32::try_from(size).unwrap_or(u32::MAX)).collect()
        };
        match facet {
            Facet::Category => {
                Counts { categories: Some(numbers(&mut self.categories.sizes())), attributes: None }
            }
            Facet::Attribute(_) => {
                Counts { categories: None, attributes: Some(numbers(&mut self.attributes.sizes())) }
            }
            Facet::Brand | Facet::Price => Counts::default(),
        }
    }

    /// Counts the categories and attribute values of a set, as far as facets ask for them.
    fn count<'f>(&self, set: &RoaringBitmap, facets: impl IntoIterator<Item = &'f Facet>) -> Counts {
        let mut counts = Counts::default();
        for facet in facets {
            match facet {
                Facet::Category => counts.categories = Some(vec![0; self.categories.len()]),
                Facet::Attribute(_) => counts.attributes = Some(vec![0; self.attributes.len()]),
                Facet::Brand | Facet::Price => {}
            }
        }
        if counts.categories.is_none() && counts.attributes.is_none() {
            return counts;
        }
        for row in set.iter().filter_map(|ordinal| self.columns.row(ordinal)) {
            if let Some(counts) = &mut counts.categories {
                tally(counts, row.categories());
            }
            if let Some(counts) = &mut counts.attributes {
                tally(counts, row.attributes());
            }
        }
        counts
    }

    fn facet(
        &self,
        facet: &Facet,
        currency: Option<Currency>,
        set: &RoaringBitmap,
        counts: &Counts,
    ) -> FacetCounts {
        match facet {
            Facet::Brand => FacetCounts::Brands(self.brand_counts(set)),
            Facet::Category => {
                let known = |number: u32| self.category_names.get(*self.categories.value(number)?);
                let counts = numbered(counts.categories.as_deref());
                let named = counts.filter_map(|(number, count)| known(number).map(|row| (row, count)));
                let named = most(named, |(_, rank)| *rank);
                FacetCounts::Categories(
                    named.map(|((category, _), count)| (category.clone(), count)).collect(),
                )
            }
            Facet::Attribute(code) => {
                let number = self.attributes.code(code);
                let value = |value: u32| {
                    let (of, value) = self.attributes.value(value)?;
                    (Some(of) == number).then_some(value)
                };
                let counts = numbered(counts.attributes.as_deref());
                let values = counts.filter_map(|(number, count)| value(number).map(|value| (value, count)));
                let values = most(values, |value| *value).map(|(value, count)| (value.into(), count));
                FacetCounts::Attribute(code.clone(), values.collect())
            }
            Facet::Price => {
                let market = self.markets.number(currency).and_then(|number| self.markets.get(number));
                let mut histogram = Histogram::default();
                for amount in
                    market.iter().flat_map(|market| set.iter().filter_map(|item| market.lowest(item)))
                {
                    histogram.add(amount);
                }
                FacetCounts::Prices(histogram.ranges())
            }
        }
    }

    fn brand_counts(&self, set: &RoaringBitmap) -> Vec<(crate::domain::listed::ListedBrand, u32)> {
        let mut counts = vec![0; self.brands.len()];
        if set.len() == self.live.len() {
            for (count, size) in counts.iter_mut().zip(self.brands.sizes()) {
                *count = u32::try_from(size).unwrap_or(u32::MAX);
            }
        } else {
            for brand in
                set.iter().map(|ordinal| self.columns.brand(ordinal)).filter(|brand| *brand != NO_BRAND)
            {
                tally(&mut counts, &[brand]);
            }
        }
        let known = |number: u32| self.brand_names.get(*self.brands.value(number)?);
        let named =
            numbered(Some(&counts)).filter_map(|(number, count)| known(number).map(|row| (row, count)));
        most(named, |(_, rank)| *rank).map(|((brand, _), count)| (brand.clone(), count)).collect()
    }
}

fn tally(counts: &mut [u32], numbers: &[u32]) {
    for number in numbers {
        if let Some(count) = counts.get_mut(at(*number)) {
            *count += 1;
        }
    }
}

/// Numbers that were counted at all, with their counts.
fn numbered(counts: Option<&[u32]>) -> impl Iterator<Item = (u32, u32)> {
    let counts = (0_u32..).zip(counts.unwrap_or_default().iter().copied());
    counts.filter(|(_, count)| *count > 0)
}

/// Those with the highest counts, as many as a facet lists; the lower rank first among equals.
fn most<T: Copy, R: Ord>(
    counted: impl Iterator<Item = (T, u32)>,
    rank: impl Fn(&T) -> R,
) -> impl Iterator<Item = (T, u32)> {
    let mut counted = counted.collect::<Vec<_>>();
    let order = |a: &(T, u32), b: &(T, u32)| {
        Reverse(a.1).cmp(&Reverse(b.1)).then_with(|| rank(&a.0).cmp(&rank(&b.0)))
    };
    if counted.len() > FACET_VALUES_MAX {
        counted.select_nth_unstable_by(FACET_VALUES_MAX, order);
        counted.truncate(FACET_VALUES_MAX);
    }
    counted.sort_unstable_by(order);
    counted.into_iter()
}
