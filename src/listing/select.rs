//! Which products a filter lets through.

use std::{borrow::Cow, cell::OnceCell};

use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{index::ListingIndex, markets::Market, shown::folded};
use crate::{
    domain::list::{Facet, Filter, ListQuery},
    search::Found,
};

/// A filter, with its sets at hand.
pub(super) struct Selection<'a> {
    index: &'a ListingIndex,
    /// The category that was named.
    pub(super) category: Option<Uuid>,
    /// A set for each filter but the price's, and the facet whose own filter it is.
    sets: Vec<(Option<Facet>, Cow<'a, RoaringBitmap>)>,
    price: Option<PriceFilter<'a>>,
    /// What lies within the prices, as far as anything asks for it.
    priced: OnceCell<RoaringBitmap>,
    /// Facets of the query that have a filter of their own, but the prices'.
    own: Vec<Facet>,
    text: Option<&'a str>,
}

/// A filter by price.
struct PriceFilter<'a> {
    market: Option<(u32, &'a Market)>,
    range: std::ops::RangeInclusive<i64>,
}

impl<'a> Selection<'a> {
    /// Looks up what a query names; `None` when there is no such category.
    pub(super) fn new(index: &'a ListingIndex, query: &'a ListQuery) -> Option<Self> {
        let filter = &query.filter;
        let mut sets = Vec::new();
        let category = match &filter.category {
            None => None,
            Some(name) => Some(index.category_names.find(name)?),
        };
        if let Some(id) = category {
            let number = index.categories.number(&id);
            sets.push((Some(Facet::Category), union(number.and_then(|number| index.categories.set(number)))));
        }
        if !filter.brands.is_empty() {
            let brands = filter.brands.iter().flat_map(|name| index.brand_ids(name));
            let numbers = brands.filter_map(|id| index.brands.number(&id));
            sets.push((Some(Facet::Brand), union(numbers.filter_map(|number| index.brands.set(number)))));
        }
        if !filter.tags.is_empty() {
            let numbers = filter.tags.iter().filter_map(|tag| index.tags.number(folded(tag).as_ref()));
            sets.push((None, union(numbers.filter_map(|number| index.tags.set(number)))));
        }
        if filter.in_stock {
            sets.push((None, Cow::Borrowed(&index.in_stock)));
        }
        for attribute in &filter.attributes {
            let values = attribute.values.iter();
            let values = values.filter_map(|value| index.attributes.set(&attribute.code, value));
            sets.push((Some(Facet::Attribute(attribute.code.clone())), union(values)));
        }
        sets.sort_by_key(|(_, set)| set.len());
        let is_own = |facet: &&Facet| sets.iter().any(|(own, _)| own.as_ref() == Some(*facet));
        let own = query.facets.iter().filter(is_own).cloned().collect();
        let price = PriceFilter::new(index, filter, query);
        Some(Self {
            index,
            category,
            sets,
            price,
            priced: OnceCell::new(),
            own,
            text: filter.text.as_deref(),
        })
    }

    /// What matches all filters and the text.
    pub(super) fn found(&self) -> (Cow<'a, RoaringBitmap>, Option<Found>) {
        let set = self.filtered(None);
        let Some(found) = self.search(&set) else { return (set, None) };
        (Cow::Owned(hits(&found)), Some(found))
    }

    /// The same, but for the own filter of a facet.
    pub(super) fn set(&self, without: Option<&Facet>) -> Cow<'a, RoaringBitmap> {
        let set = self.filtered(without);
        match self.search(&set) {
            Some(found) => Cow::Owned(hits(&found)),
            None => set,
        }
    }

    fn search(&self, within: &RoaringBitmap) -> Option<Found> {
        let is_all = within.len() == self.index.live.len();
        Some(self.index.text.search(self.text?, Some(within).filter(|_| !is_all)))
    }

    fn filtered(&self, without: Option<&Facet>) -> Cow<'a, RoaringBitmap> {
        let all = self.unpriced(without);
        match &self.price {
            Some(price) if without != Some(&Facet::Price) => Cow::Owned(self.priced(price) & all.as_ref()),
            _ => all,
        }
    }

    /// What matches all filters but the prices' and the own one of a facet.
    fn unpriced(&self, without: Option<&Facet>) -> Cow<'a, RoaringBitmap> {
        let sets = self.sets.iter().filter(|(own, _)| own.is_none() || own.as_ref() != without);
        let mut sets = sets.map(|(_, set)| set);
        let first = sets.next().cloned().unwrap_or(Cow::Borrowed(&self.index.live));
        sets.fold(first, |all, set| Cow::Owned(all.as_ref() & set.as_ref()))
    }

    /// Prices are looked at one by one, so only once, and only where all other filters are met but for one of a facet.
    fn priced(&self, price: &PriceFilter<'_>) -> &RoaringBitmap {
        self.priced.get_or_init(|| match self.own.as_slice() {
            [] => price.within(self.index, &self.unpriced(None)),
            [first, rest @ ..] => {
                let first = self.unpriced(Some(first));
                let union = |all: Cow<'_, RoaringBitmap>, facet| -> Cow<'_, RoaringBitmap> {
                    Cow::Owned(all.as_ref() | self.unpriced(Some(facet)).as_ref())
                };
                price.within(self.index, rest.iter().fold(first, union).as_ref())
            }
        })
    }

    /// How many match, where one set tells.
    pub(super) fn single(&self) -> Option<u64> {
        let is_plain = self.price.is_none() && self.text.is_none();
        match self.sets.as_slice() {
            [] if is_plain => Some(self.index.live.len()),
            [(_, set)] if is_plain => Some(set.len()),
            _ => None,
        }
    }

    /// Whether a product matches all filters; the text is not looked at.
    pub(super) fn contains(&self, ordinal: u32) -> bool {
        self.index.live.contains(ordinal)
            && self.sets.iter().all(|(_, set)| set.contains(ordinal))
            && self.price.as_ref().is_none_or(|price| price.contains(self.index, ordinal))
    }

    /// Whether a facet has a filter of its own.
    pub(super) fn has_own(&self, facet: &Facet) -> bool {
        self.sets.iter().any(|(own, _)| own.as_ref() == Some(facet))
            || (self.price.is_some() && *facet == Facet::Price)
    }
}

impl<'a> PriceFilter<'a> {
    fn new(index: &'a ListingIndex, filter: &Filter, query: &ListQuery) -> Option<Self> {
        (filter.price_min.is_some() || filter.price_max.is_some()).then(|| {
            let number = index.markets.number(query.currency);
            let market = number.and_then(|number| Some((number, index.markets.get(number)?)));
            Self {
                market,
                range: filter.price_min.unwrap_or(i64::MIN)..=filter.price_max.unwrap_or(i64::MAX),
            }
        })
    }

    fn contains(&self, index: &ListingIndex, ordinal: u32) -> bool {
        let Some((number, market)) = self.market else { return false };
        let Some(lowest) = market.lowest(ordinal) else { return false };
        // Only where the lowest is below may another amount lie within.
        self.range.contains(&lowest)
            || (lowest < *self.range.start()
                && market.several.contains(ordinal)
                && index.columns.row(ordinal).is_some_and(|row| {
                    row.prices().any(|(of, amount)| of == number && self.range.contains(&amount))
                }))
    }

    fn within(&self, index: &ListingIndex, set: &RoaringBitmap) -> RoaringBitmap {
        let costs = |ordinal: &u32| self.contains(index, *ordinal);
        RoaringBitmap::from_sorted_iter(set.iter().filter(costs)).unwrap_or_default()
    }
}

fn hits(found: &Found) -> RoaringBitmap {
    RoaringBitmap::from_sorted_iter(found.hits.iter().map(|(ordinal, _)| *ordinal)).unwrap_or_default()
}

/// What is in any of some sets; a single one is not copied.
fn union<'a>(sets: impl IntoIterator<Item = &'a RoaringBitmap>) -> Cow<'a, RoaringBitmap> {
    let mut sets = sets.into_iter();
    let first = sets.next().map_or_else(|| Cow::Owned(RoaringBitmap::new()), Cow::Borrowed);
    sets.fold(first, |all, set| Cow::Owned(all.as_ref() | set))
}

impl ListingIndex {
    /// The brands that a name can mean: an id, known or not, or a slug.
    pub(super) fn brand_ids(&self, name: &str) -> impl Iterator<Item = Uuid> {
        Uuid::parse_str(name).ok().into_iter().chain(self.brand_names.find(name))
    }
}
