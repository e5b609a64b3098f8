//! What the index is held against: looks at every product, sorts all that match.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

use icu_collator::{Collator, options::CollatorOptions};
use roaring::RoaringBitmap;
use uuid::Uuid;

use super::catalogue::{brands, categories};
use crate::{
    domain::{
        list::{Facet, FacetCounts, ListPage, ListQuery, Place, SearchNotes, Sort, SortKey, Start, Total},
        listed::ListedProduct,
        locale::Locale,
    },
    search::{TextFields, TextIndex},
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

fn key(product: &ListedProduct, query: &ListQuery, category: Option<Uuid>, score: u32) -> SortKey {
    match query.sort {
        Sort::Relevance if query.filter.text.is_some() => SortKey::Score(score, product.in_stock),
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
        (SortKey::Score(x, s), SortKey::Score(y, t)) => {
            (Reverse(x), Reverse(s), a.id).cmp(&(Reverse(y), Reverse(t), b.id))
        }
        keys => panic!("{keys:?}"),
    }
}

/// What a search is asked of: all products by their place in the map, whatever their numbers in the index are.
fn text_index(products: &BTreeMap<Uuid, ListedProduct>) -> TextIndex {
    let mut index = TextIndex::new(&Locale::parse("de").unwrap());
    let (brands, categories) = (brands(), categories());
    for (ordinal, product) in (0..).zip(products.values()) {
        let brand = brands.iter().find(|brand| Some(brand.id) == product.brand);
        let names =
            product.categories.iter().filter_map(|id| categories.iter().find(|category| category.id == *id));
        let fields = TextFields {
            title: &product.title,
            brand: brand.map_or("", |brand| &brand.name),
            product_type: &product.text.product_type,
            categories: &names.map(|category| category.name.as_ref()).collect::<Vec<_>>(),
            codes: &product.text.codes,
            words: &product.text.words,
            description: &product.text.description,
        };
        index.put(ordinal, &fields);
    }
    index
}

impl Model {
    /// What matches, with scores, and what the search did.
    fn found(
        &self,
        query: &ListQuery,
        category: Option<Uuid>,
        without: Option<&Facet>,
    ) -> (Vec<(&ListedProduct, u32)>, Option<SearchNotes>) {
        let matching = (0..).zip(self.products.values());
        let matching = matching.filter(|(_, product)| matches(product, query, category, without));
        let Some(text) = &query.filter.text else {
            return (matching.map(|(_, product)| (product, 0)).collect(), None);
        };
        let matching = matching.collect::<BTreeMap<u32, _>>();
        let within = matching.keys().copied().collect::<RoaringBitmap>();
        let found = text_index(&self.products).search(text, Some(&within));
        (found.hits.iter().map(|(ordinal, score)| (matching[ordinal], *score)).collect(), Some(found.notes))
    }

    /// All places of what matches, in order.
    fn places(&self, query: &ListQuery, category: Option<Uuid>) -> (Vec<Place>, Option<SearchNotes>) {
        let (found, notes) = self.found(query, category, None);
        let place = |(product, score): (&ListedProduct, u32)| Place {
            key: key(product, query, category, score),
            id: product.id,
        };
        let mut places = found.into_iter().map(place).collect::<Vec<_>>();
        places.sort_by(|a, b| compare(query.sort, a, b));
        (places, notes)
    }

    pub(super) fn page(&self, query: &ListQuery) -> Option<ListPage> {
        let category = match &query.filter.category {
            None => None,
            Some(name) => {
                let named = |id: Uuid, slug: &str| *slug == **name || id.to_string() == **name;
                Some(categories().iter().find(|category| named(category.id, &category.slug))?.id)
            }
        };
        let (all, search) = self.places(query, category);
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
            search,
        })
    }

    fn facet(&self, facet: &Facet, query: &ListQuery, category: Option<Uuid>) -> FacetCounts {
        let found = self.found(query, category, Some(facet)).0.into_iter().map(|(product, _)| product);
        let found = found.collect::<Vec<_>>();
        let count = |is_in: &dyn Fn(&ListedProduct) -> bool| {
            u32::try_from(found.iter().filter(|product| is_in(product)).count()).unwrap()
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
                for amount in found.iter().filter_map(|product| lowest(product, query)) {
                    histogram.add(amount);
                }
                FacetCounts::Prices(histogram.ranges())
            }
        }
    }
}
