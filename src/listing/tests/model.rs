//! What the index is held against: looks at every product, sorts all that match.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

use icu_collator::{Collator, options::CollatorOptions};
use uuid::Uuid;

use super::catalogue::{brands, categories};
use crate::domain::{
    list::{Facet, FacetCounts, ListPage, ListQuery, Place, Sort, SortKey, Start, Total},
    listed::ListedProduct,
};

/// A catalogue as a map.
#[derive(Debug, Default, Clone)]
pub(super) struct Model {
    pub(super) products: BTreeMap<Uuid, ListedProduct>,
}

fn amounts<'a>(product: &'a ListedProduct, query: &ListQuery) -> &'a [i64] {
    product.prices.iter().find(|(of, _)| Some(*of) == query.currency).map_or(&[], |(_, amounts)| amounts)
}

fn lowest(product: &ListedProduct, query: &ListQuery) -> Option<i64> {
    amounts(product, query).iter().min().copied()
}

fn matches(
    product: &ListedProduct,
    query: &ListQuery,
    category: Option<Uuid>,
    without: Option<&Facet>,
) -> bool {
    let filter = &query.filter;
    let is_on = |facet: &Facet| without != Some(facet);
    let is_brand = |name: &str| {
        let id = brands().iter().find(|brand| *brand.slug == *name).map(|brand| brand.id);
        product.brand.is_some_and(|of| Some(of) == id || of.to_string() == name)
    };
    let costs = |amount: &i64| {
        filter.price_min.is_none_or(|min| *amount >= min) && filter.price_max.is_none_or(|max| *amount <= max)
    };
    (!is_on(&Facet::Category) || category.is_none_or(|category| product.categories.contains(&category)))
        && (!is_on(&Facet::Brand)
            || filter.brands.is_empty()
            || filter.brands.iter().any(|name| is_brand(name)))
        && (filter.tags.is_empty()
            || product
                .tags
                .iter()
                .any(|tag| filter.tags.iter().any(|wanted| wanted.to_lowercase() == tag.to_lowercase())))
        && (!filter.in_stock || product.in_stock)
        && (!is_on(&Facet::Price)
            || (filter.price_min.is_none() && filter.price_max.is_none())
            || amounts(product, query).iter().any(costs))
        && filter.attributes.iter().all(|attribute| {
            !is_on(&Facet::Attribute(attribute.code.clone()))
                || product
                    .attributes
                    .iter()
                    .any(|(code, value)| *code == attribute.code && attribute.values.contains(value))
        })
}

fn key(product: &ListedProduct, query: &ListQuery, category: Option<Uuid>) -> SortKey {
    match query.sort {
        Sort::Newest | Sort::Relevance => SortKey::Time(product.published_at_us),
        Sort::Price | Sort::PriceDescending => SortKey::Amount(lowest(product, query)),
        Sort::Title => SortKey::Title(product.title.clone()),
        Sort::Position => {
            let place =
                product.positions.iter().find(|(of, _)| Some(*of) == category).map(|(_, place)| *place);
            SortKey::Position(place, product.published_at_us)
        }
    }
}

/// The documented orders, word by word.
pub(super) fn compare(sort: Sort, a: &Place, b: &Place) -> Ordering {
    let titles = |a: &str, b: &str| {
        let locale = icu_locale_core::Locale::try_from_str("de").unwrap();
        Collator::try_new((&locale).into(), CollatorOptions::default()).unwrap().compare(a, b)
    };
    match (&a.key, &b.key) {
        (SortKey::Time(x), SortKey::Time(y)) => (Reverse(x), Reverse(a.id)).cmp(&(Reverse(y), Reverse(b.id))),
        (SortKey::Amount(x), SortKey::Amount(y)) if sort == Sort::Price => {
            (x.is_none(), x, a.id).cmp(&(y.is_none(), y, b.id))
        }
        (SortKey::Amount(x), SortKey::Amount(y)) => {
            (x.is_none(), Reverse(x), a.id).cmp(&(y.is_none(), Reverse(y), b.id))
        }
        (SortKey::Title(x), SortKey::Title(y)) => titles(x, y).then(a.id.cmp(&b.id)),
        (SortKey::Position(x, s), SortKey::Position(y, t)) => {
            let key =
                |place: &Option<i32>, time: &i64, id| (place.is_none(), *place, Reverse(*time), Reverse(id));
            key(x, s, a.id).cmp(&key(y, t, b.id))
        }
        keys => panic!("{keys:?}"),
    }
}

impl Model {
    /// All places of what matches, in order.
    pub(super) fn places(&self, query: &ListQuery, category: Option<Uuid>) -> Vec<Place> {
        let found = self.products.values().filter(|product| matches(product, query, category, None));
        let mut places = found
            .map(|product| Place { key: key(product, query, category), id: product.id })
            .collect::<Vec<_>>();
        places.sort_by(|a, b| compare(query.sort, a, b));
        places
    }

    pub(super) fn page(&self, query: &ListQuery) -> Option<ListPage> {
        let category = match &query.filter.category {
            None => None,
            Some(name) => {
                let named = |id: Uuid, slug: &str| *slug == **name || id.to_string() == **name;
                Some(categories().iter().find(|category| named(category.id, &category.slug))?.id)
            }
        };
        let all = self.places(query, category);
        let limit = usize::from(query.limit);
        let (from, to) = match &query.start {
            Start::Beginning => (0, limit),
            Start::After(place) => {
                let from = all.partition_point(|other| compare(query.sort, other, place).is_le());
                (from, from + limit)
            }
            Start::Before(place) => {
                let to = all.partition_point(|other| compare(query.sort, other, place).is_lt());
                (to.saturating_sub(limit), to)
            }
        };
        let items = &all[from..to.min(all.len())];
        let count = u32::try_from(all.len()).unwrap();
        Some(ListPage {
            ids: items.iter().map(|place| place.id).collect(),
            first: items.first().cloned(),
            last: items.last().cloned(),
            has_previous: from > 0,
            has_next: to < all.len(),
            category,
            facets: query.facets.iter().map(|facet| self.facet(facet, query, category)).collect(),
            total: query.has_total.then_some(Total { count, is_capped: false }),
            search: None,
        })
    }

    fn facet(&self, facet: &Facet, query: &ListQuery, category: Option<Uuid>) -> FacetCounts {
        let found =
            || self.products.values().filter(|product| matches(product, query, category, Some(facet)));
        let count = |is_in: &dyn Fn(&ListedProduct) -> bool| {
            u32::try_from(found().filter(|product| is_in(product)).count()).unwrap()
        };
        match facet {
            Facet::Brand => {
                let counts = brands().into_iter().map(|brand| {
                    let number = count(&|product| product.brand == Some(brand.id));
                    (brand, number)
                });
                let mut counts = counts.filter(|(_, number)| *number > 0).collect::<Vec<_>>();
                // The umlaut collates as its letter.
                counts.sort_by_key(|(brand, number)| (Reverse(*number), &*brand.name != "Öko", brand.id));
                FacetCounts::Brands(counts)
            }
            Facet::Category => {
                let counts = categories().into_iter().map(|category| {
                    let number = count(&|product| product.categories.contains(&category.id));
                    (category, number)
                });
                let mut counts = counts.filter(|(_, number)| *number > 0).collect::<Vec<_>>();
                counts.sort_by_key(|(category, number)| (Reverse(*number), category.path.clone()));
                FacetCounts::Categories(counts)
            }
            Facet::Attribute(code) => {
                let counts = ["red", "blue", "1", "2"].map(|value| {
                    let pair = (code.clone(), Box::from(value));
                    (Box::<str>::from(value), count(&|product| product.attributes.contains(&pair)))
                });
                let mut counts = counts.into_iter().filter(|(_, number)| *number > 0).collect::<Vec<_>>();
                counts.sort_by_key(|(value, number)| (Reverse(*number), value.clone()));
                FacetCounts::Attribute(code.clone(), counts)
            }
            Facet::Price => {
                let mut histogram = crate::listing::price_ranges::Histogram::default();
                for amount in found().filter_map(|product| lowest(product, query)) {
                    histogram.add(amount);
                }
                FacetCounts::Prices(histogram.ranges())
            }
        }
    }
}
