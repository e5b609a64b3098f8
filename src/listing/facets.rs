//! The facets of a page: values with how many of what matches have them, those that most have first.

use std::{borrow::Cow, cmp::Reverse};

use roaring::RoaringBitmap;

use super::{
    counting::{Counts, each},
    index::ListingIndex,
    price_ranges::Histogram,
    select::Selection,
    terms::at,
};
use crate::{
    domain::{
        list::{Facet, FacetCounts, ListQuery},
        money::Currency,
    },
    limits::FACET_VALUES_MAX,
};

impl ListingIndex {
    /// The counts of every facet of a query; `set` is what matches all filters.
    pub(super) fn facets(
        &self,
        query: &ListQuery,
        selection: &Selection<'_>,
        set: &RoaringBitmap,
    ) -> Vec<FacetCounts> {
        // Facets without a filter of their own count the same products: together.
        let shared = query.facets.iter().filter(|facet| !selection.has_own(facet)).collect::<Vec<_>>();
        let shared = self.count(set, &shared);
        let facet = |facet: &Facet| {
            if !selection.has_own(facet) {
                return self.facet(facet, query.currency, set, &shared);
            }
            let set: Cow<'_, _> = selection.set(Some(facet));
            self.facet(facet, query.currency, &set, &self.count(&set, &[facet]))
        };
        query.facets.iter().map(facet).collect()
    }

    fn facet(
        &self,
        facet: &Facet,
        currency: Option<Currency>,
        set: &RoaringBitmap,
        counts: &Counts,
    ) -> FacetCounts {
        match facet {
            Facet::Brand => {
                let known = |number: u32| self.brand_names.get(*self.brands.value(number)?);
                let named = counted((0..).zip(counts.brands.iter().copied()), known);
                let named = most(named, |(_, rank)| *rank);
                FacetCounts::Brands(named.map(|((brand, _), count)| (brand.clone(), count)).collect())
            }
            Facet::Category => {
                let known = |number: u32| self.category_names.get(*self.categories.value(number)?);
                let named = counted((0..).zip(counts.categories.iter().copied()), known);
                let named = most(named, |(_, rank)| *rank);
                FacetCounts::Categories(
                    named.map(|((category, _), count)| (category.clone(), count)).collect(),
                )
            }
            Facet::Attribute(code) => {
                let numbers = self.attributes.of_code(code).iter();
                let counts =
                    numbers.filter_map(|number| Some((*number, *counts.attributes.get(at(*number))?)));
                let value = |number| self.attributes.names(number).map(|(_, value)| value);
                let values = most(counted(counts, value), |value| *value);
                FacetCounts::Attribute(
                    code.clone(),
                    values.map(|(value, count)| (value.into(), count)).collect(),
                )
            }
            Facet::Price => {
                let mut histogram = Histogram::default();
                if let Some(market) =
                    self.markets.number(currency).and_then(|number| self.markets.get(number))
                {
                    each(set, |ordinal| {
                        if let Some(amount) = market.lowest(ordinal) {
                            histogram.add(amount);
                        }
                    });
                }
                FacetCounts::Prices(histogram.ranges())
            }
        }
    }
}

/// What was counted at all and is known, with its counts.
fn counted<T>(
    counts: impl Iterator<Item = (u32, u32)>,
    known: impl Fn(u32) -> Option<T>,
) -> impl Iterator<Item = (T, u32)> {
    let counts = counts.filter(|(_, count)| *count > 0);
    counts.filter_map(move |(number, count)| known(number).map(|value| (value, count)))
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
