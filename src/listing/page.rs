//! Answers a query.

use roaring::RoaringBitmap;

use super::{
    index::ListingIndex,
    key::{Key, Kind, sort_key},
    select::Selection,
    walk::{Direction, From, Scores},
};
use crate::{
    domain::list::{ListPage, ListQuery, Place, Sort, Start, Total},
    limits::TOTAL_MAX,
};

impl ListingIndex {
    /// Answers a query; `None` when the category that it names does not exist.
    ///
    /// Brands, tags and values that nothing has match nothing. A place of another order than the query's is the beginning.
    pub fn page(&self, query: &ListQuery) -> Option<ListPage> {
        let selection = Selection::new(self, query)?;
        let (set, found) = selection.found();
        let kind = self.kind(query, selection.category);
        let scores = found.as_ref().map(|found| found.hits.as_slice()).unwrap_or_default();
        let mut page = self.items(query, kind, &set, scores);
        page.category = selection.category;
        page.facets = self.facets(query, &selection, &set);
        page.total = query.has_total.then(|| total(&set));
        page.search = found.map(|found| found.notes);
        Some(page)
    }

    /// The order that a query asks for.
    pub(super) fn kind(&self, query: &ListQuery, category: Option<uuid::Uuid>) -> Kind {
        let market = || self.markets.number(query.currency);
        match query.sort {
            Sort::Relevance if query.filter.text.is_some() => Kind::Score,
            Sort::Newest | Sort::Relevance => Kind::Newest,
            Sort::Price => Kind::Price(market()),
            Sort::PriceDescending => Kind::PriceDescending(market()),
            Sort::Title => Kind::Title,
            Sort::Position => Kind::Position(category.and_then(|category| self.categories.number(&category))),
        }
    }

    fn items(&self, query: &ListQuery, kind: Kind, set: &RoaringBitmap, scores: &Scores) -> ListPage {
        let limit = usize::from(query.limit.max(1));
        let (place, direction) = match &query.start {
            Start::Beginning => (None, Direction::Forward),
            Start::After(place) => (Some(place), Direction::Forward),
            Start::Before(place) => (Some(place), Direction::Backward),
        };
        let key = place.and_then(|place| Key::at(kind, place, &self.collation));
        let direction = if key.is_some() { direction } else { Direction::Forward };
        let from = From { key, is_inclusive: false, direction };
        let mut ordinals = self.take(set, kind, scores, from, limit + 1);
        let goes_on = ordinals.len() > limit;
        ordinals.truncate(limit);
        // Whatever is on the other side of the place comes before the first item, or after the last.
        let reverse = match direction {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        };
        let behind = key.is_some() && {
            let from = From { key, is_inclusive: true, direction: reverse };
            !self.take(set, kind, scores, from, 1).is_empty()
        };
        if direction == Direction::Backward {
            ordinals.reverse();
        }
        let (has_previous, has_next) =
            if direction == Direction::Forward { (behind, goes_on) } else { (goes_on, behind) };
        let place = |ordinal: &u32| Place {
            key: sort_key(kind, &self.traits(*ordinal, kind, scores)),
            id: self.columns.id(*ordinal),
        };
        ListPage {
            ids: ordinals.iter().map(|ordinal| self.columns.id(*ordinal)).collect(),
            first: ordinals.first().map(place),
            last: ordinals.last().map(place),
            has_previous,
            has_next,
            ..ListPage::default()
        }
    }
}

/// How many there are, up to where they are counted.
fn total(set: &RoaringBitmap) -> Total {
    let count = u32::try_from(set.len()).unwrap_or(u32::MAX);
    Total { count: count.min(TOTAL_MAX), is_capped: count > TOTAL_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_ends() {
        let count = |size| total(&(0..size).collect());
        assert_eq!(count(TOTAL_MAX), Total { count: TOTAL_MAX, is_capped: false });
        assert_eq!(count(TOTAL_MAX + 1), Total { count: TOTAL_MAX, is_capped: true });
    }
}
