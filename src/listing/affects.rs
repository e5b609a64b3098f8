//! Which pages a change of one product can touch.

use std::cmp::Ordering;

use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{
    index::ListingIndex,
    key::{Key, Kind, Traits},
    price_ranges::step,
    select::Selection,
    shown::{Shown, folded},
    walk::{Direction, From},
};
use crate::{
    domain::list::{Facet, ListPage, ListQuery, Start},
    limits::TOTAL_MAX,
};

/// Steps of the search for another product beside a page; beyond them the page is taken as touched.
const STEPS_MAX: usize = 500;

/// A query, to be asked of products one by one.
struct Judge<'a> {
    index: &'a ListingIndex,
    query: &'a ListQuery,
    category: Option<Uuid>,
    kind: Kind,
    brands: Vec<Uuid>,
    tags: Vec<Box<str>>,
}

/// A page as a stretch of its list.
struct Stretch<'a> {
    /// Keys up to here are before it.
    before: Option<From<'a>>,
    /// Keys from here on are after it.
    after: Option<From<'a>>,
}

impl ListingIndex {
    /// Whether a change of one product from `before` to `after` (`None`: not shown) can change this page, which was `page`
    /// before it. Never false when it can.
    ///
    /// Asked for each change in turn, in the order of the log, with the index as it is right before or right after that change:
    /// whether anything is left beside a page is looked up in the index.
    pub fn affects(
        &self,
        query: &ListQuery,
        page: &ListPage,
        before: Option<&Shown>,
        after: Option<&Shown>,
    ) -> bool {
        let named = query.filter.category.as_ref();
        let category = named.and_then(|name| self.category_names.find(name));
        if before == after {
            return false;
        }
        if category != page.category || named.is_some() != category.is_some() {
            return true;
        }
        let judge = Judge::new(self, query, category);
        let was = before.filter(|product| judge.matches(product, None));
        let is = after.filter(|product| judge.matches(product, None));
        if let Some(text) = &query.filter.text {
            return judge.changes_search(text, before, after);
        }
        judge.changes_facets(before, after)
            || judge.changes_total(page, was.is_some(), is.is_some())
            || judge.changes_items(page, was, is)
    }
}

impl<'a> Judge<'a> {
    fn new(index: &'a ListingIndex, query: &'a ListQuery, category: Option<Uuid>) -> Self {
        Self {
            index,
            query,
            category,
            kind: index.kind(query, category),
            brands: query.filter.brands.iter().flat_map(|name| index.brand_ids(name)).collect(),
            tags: query.filter.tags.iter().map(|tag| folded(tag)).collect(),
        }
    }

    /// Whether a product matches all filters, but for the own one of a facet.
    fn matches(&self, shown: &Shown, without: Option<&Facet>) -> bool {
        let (product, filter) = (&shown.product, &self.query.filter);
        let has_price = |amount: &i64| {
            filter.price_min.is_none_or(|min| *amount >= min)
                && filter.price_max.is_none_or(|max| *amount <= max)
        };
        let is_priced = filter.price_min.is_some() || filter.price_max.is_some();
        let has_value = |code: &str, values: &[Box<str>]| {
            product.attributes.iter().any(|(of, value)| **of == *code && values.contains(value))
        };
        (without == Some(&Facet::Category)
            || self.category.is_none_or(|category| product.categories.binary_search(&category).is_ok()))
            && (!filter.in_stock || product.in_stock)
            && (without == Some(&Facet::Brand)
                || filter.brands.is_empty()
                || product.brand.is_some_and(|brand| self.brands.contains(&brand)))
            && (self.tags.is_empty() || self.tags.iter().any(|tag| product.tags.contains(tag)))
            && (without == Some(&Facet::Price)
                || !is_priced
                || shown.amounts(self.query.currency).iter().any(has_price))
            && filter.attributes.iter().all(|attribute| {
                matches!(without, Some(Facet::Attribute(code)) if *code == attribute.code)
                    || has_value(&attribute.code, &attribute.values)
            })
    }

    /// Words are weighed against each other, so new ones can move anything. Of what else changes, only the product's own match
    /// can come of it, if it is one.
    fn changes_search(&self, text: &str, before: Option<&Shown>, after: Option<&Shown>) -> bool {
        let (Some(before), Some(after)) = (before, after) else { return true };
        if !before.says_the_same(after) {
            return true;
        }
        let (was, is) = (self.matches(before, None), self.matches(after, None));
        let counts_differ = || {
            let facets = self.query.facets.iter();
            let is_in = |shown, facet| self.matches(shown, Some(facet));
            facets.clone().any(|facet| is_in(before, facet) != is_in(after, facet))
                || self.changes_facets(Some(before), Some(after))
        };
        let is_touched = was != is || (was && self.key(before) != self.key(after)) || counts_differ();
        is_touched
            && self.index.ordinal(&before.id()).is_none_or(|ordinal| {
                let alone = RoaringBitmap::from_iter([ordinal]);
                !self.index.text.search(text, Some(&alone)).hits.is_empty()
            })
    }

    fn changes_facets(&self, before: Option<&Shown>, after: Option<&Shown>) -> bool {
        self.query.facets.iter().any(|facet| {
            let was = before.filter(|shown| self.matches(shown, Some(facet)));
            let is = after.filter(|shown| self.matches(shown, Some(facet)));
            match facet {
                Facet::Brand => {
                    let brand = |shown: &Shown| shown.product.brand;
                    was.and_then(brand) != is.and_then(brand)
                }
                Facet::Category => {
                    let categories =
                        |shown: Option<&Shown>| shown.map(|shown| shown.product.categories.clone());
                    categories(was).unwrap_or_default() != categories(is).unwrap_or_default()
                }
                Facet::Attribute(code) => values(was, code).ne(values(is, code)),
                // The ranges follow from how many prices are at each step.
                Facet::Price => {
                    let price = |shown: &Shown| shown.lowest(self.query.currency).map(step);
                    was.and_then(price) != is.and_then(price)
                }
            }
        })
    }

    fn changes_total(&self, page: &ListPage, was: bool, is: bool) -> bool {
        let Some(total) = page.total.filter(|_| was != is) else { return false };
        // Where counting has ended, one more makes no difference, and one less only where it had just ended.
        !total.is_capped || (was && !self.surely_stays_capped())
    }

    /// Whether more match than are counted, by more than one; false where that takes more than a look.
    fn surely_stays_capped(&self) -> bool {
        let selection = Selection::new(self.index, self.query);
        selection.and_then(|selection| selection.single()).is_some_and(|size| size > u64::from(TOTAL_MAX) + 1)
    }

    fn changes_items(&self, page: &ListPage, was: Option<&Shown>, is: Option<&Shown>) -> bool {
        let (old, new) = (was.map(|shown| self.key(shown)), is.map(|shown| self.key(shown)));
        if old == new {
            return false;
        }
        let stretch = self.stretch(page);
        let side = |key: &Key<'_>| stretch.side(key, self.index);
        let (old, new) = (old.as_ref().map(side), new.as_ref().map(side));
        if old == Some(Ordering::Equal) || new == Some(Ordering::Equal) {
            return true;
        }
        let Some(id) = was.or(is).map(Shown::id) else { return false };
        // Beside the page only whether anything is there can change.
        [
            (Ordering::Less, page.has_previous, &stretch.before),
            (Ordering::Greater, page.has_next, &stretch.after),
        ]
        .into_iter()
        .any(|(side, is_known, from)| match (old == Some(side), new == Some(side)) {
            (false, true) => !is_known,
            (true, false) => from.is_none_or(|from| !self.has_another(from, id)),
            (true, true) | (false, false) => false,
        })
    }

    fn key<'s>(&self, shown: &'s Shown) -> Key<'s> {
        let product = &shown.product;
        let is_by_title = self.kind == Kind::Title;
        let title_head = if is_by_title { self.index.collation.head(&product.title) } else { 0 };
        let traits = Traits {
            id: product.id,
            published: product.published_at_us,
            title: &product.title,
            title_head,
            lowest: shown.lowest(self.query.currency),
            place: shown.place(self.category),
            score: 0,
            in_stock: product.in_stock,
        };
        Key::of(self.kind, &traits)
    }

    fn stretch<'p>(&'p self, page: &'p ListPage) -> Stretch<'p> {
        let key = |place| Key::at(self.kind, place, &self.index.collation);
        let from =
            |place, is_inclusive, direction| Some(From { key: Some(key(place)?), is_inclusive, direction });
        let next = || {
            let last = page.last.as_ref().filter(|_| page.has_next);
            last.and_then(|last| from(last, false, Direction::Forward))
        };
        match &self.query.start {
            Start::After(place) => Stretch { before: from(place, true, Direction::Backward), after: next() },
            Start::Before(place) if key(place).is_some() => {
                let first = page.first.as_ref().filter(|_| page.has_previous);
                Stretch {
                    before: first.and_then(|first| from(first, false, Direction::Backward)),
                    after: from(place, true, Direction::Forward),
                }
            }
            Start::Beginning | Start::Before(_) => Stretch { before: None, after: next() },
        }
    }

    /// Whether any product but one matches from a place on.
    fn has_another(&self, from: From<'_>, id: Uuid) -> bool {
        let Some(selection) = Selection::new(self.index, self.query) else { return false };
        let is_other = |ordinal| selection.contains(ordinal) && self.index.columns.id(ordinal) != id;
        self.index.walk(is_other, self.kind, from, 1, STEPS_MAX).is_some_and(|found| !found.is_empty())
    }
}

impl Stretch<'_> {
    /// On which side of the page a key lies, if not in it.
    fn side(&self, key: &Key<'_>, index: &ListingIndex) -> Ordering {
        let is_at = |from: &From<'_>, side: Ordering| {
            from.key.as_ref().is_some_and(|place| match key.compare(place, &index.collation) {
                Ordering::Equal => from.is_inclusive,
                order @ (Ordering::Less | Ordering::Greater) => order == side,
            })
        };
        match (&self.before, &self.after) {
            (Some(from), _) if is_at(from, Ordering::Less) => Ordering::Less,
            (_, Some(from)) if is_at(from, Ordering::Greater) => Ordering::Greater,
            _ => Ordering::Equal,
        }
    }
}

/// A product's values of an attribute.
fn values<'a>(shown: Option<&'a Shown>, code: &'a str) -> impl Iterator<Item = &'a str> {
    let attributes = shown.into_iter().flat_map(|shown| &shown.product.attributes);
    attributes.filter(move |(of, _)| **of == *code).map(|(_, value)| value.as_ref())
}
