//! Finds the items of a page: walks an order, or gathers and sorts when that is less work.

use std::cmp::Ordering;

use roaring::RoaringBitmap;

use super::{
    index::{ListingIndex, traits},
    key::{Key, Kind, Traits},
    order::Order,
    terms::at,
};

/// One direction of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}

/// From where, and in which direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct From<'a> {
    /// `None`: from the end that the direction leads away from.
    pub(super) key: Option<Key<'a>>,
    /// Whether an item at the key itself counts.
    pub(super) is_inclusive: bool,
    pub(super) direction: Direction,
}

/// A kept order, and what of it belongs to the list.
struct Stretch<'a> {
    order: &'a Order,
    kind: Kind,
    /// What another stretch has.
    without: Option<&'a RoaringBitmap>,
}

/// Scores of hits, ascending by ordinal.
pub(super) type Scores = [(u32, u32)];

impl ListingIndex {
    /// The first `count` items of a set from a place on.
    pub(super) fn take(
        &self,
        set: &RoaringBitmap,
        kind: Kind,
        scores: &Scores,
        from: From<'_>,
        count: usize,
    ) -> Vec<u32> {
        let size = usize::try_from(set.len()).unwrap_or(usize::MAX);
        // A walk passes by `live / size` others for each item; gathering looks at every item of the set once.
        let walk = size.saturating_mul(size) > at(u32::try_from(self.len()).unwrap_or(u32::MAX)) * count;
        let steps = size / 2 + 8 * count;
        let walked =
            if walk { self.walk(|ordinal| set.contains(ordinal), kind, from, count, steps) } else { None };
        walked.unwrap_or_else(|| self.gather(set, kind, scores, from, count))
    }

    /// Walks kept orders. `None` when there is none, or when so many steps do not lead to as many items.
    pub(super) fn walk(
        &self,
        is_in: impl Fn(u32) -> bool,
        kind: Kind,
        from: From<'_>,
        count: usize,
        mut steps: usize,
    ) -> Option<Vec<u32>> {
        let mut found = Vec::with_capacity(count);
        let mut stretches = self.stretches(kind)?;
        if from.direction == Direction::Backward {
            stretches.reverse();
        }
        for stretch in stretches {
            let is_before = |ordinal| {
                let Some(key) = &from.key else { return from.direction == Direction::Backward };
                match self.key(ordinal, stretch.kind, &[]).compare(key, &self.collation) {
                    Ordering::Less => true,
                    Ordering::Equal => (from.direction == Direction::Forward) != from.is_inclusive,
                    Ordering::Greater => false,
                }
            };
            let gap = stretch.order.gap(is_before);
            let mut visit = |ordinal: u32| {
                if stretch.without.is_none_or(|others| !others.contains(ordinal)) && is_in(ordinal) {
                    found.push(ordinal);
                }
                if found.len() == count {
                    return Some(true);
                }
                steps = steps.checked_sub(1)?;
                Some(false)
            };
            match from.direction {
                Direction::Forward => {
                    for ordinal in stretch.order.after(gap) {
                        if visit(ordinal)? {
                            return Some(found);
                        }
                    }
                }
                Direction::Backward => {
                    for ordinal in stretch.order.before(gap) {
                        if visit(ordinal)? {
                            return Some(found);
                        }
                    }
                }
            }
        }
        Some(found)
    }

    /// The kept orders that make up a list, one after the other.
    fn stretches(&self, kind: Kind) -> Option<Vec<Stretch<'_>>> {
        let whole = |order, kind| vec![Stretch { order, kind, without: None }];
        let market = |number: Option<u32>| number.and_then(|number| self.markets.get(number));
        Some(match kind {
            Kind::Newest => whole(&self.newest, kind),
            Kind::Title => whole(&self.titles, kind),
            Kind::Price(number) | Kind::PriceDescending(number) => match market(number) {
                None => whole(&self.ids, kind),
                Some(market) => {
                    let is_descending = matches!(kind, Kind::PriceDescending(_));
                    let order = if is_descending { &market.descending } else { &market.ascending };
                    let unpriced =
                        Stretch { order: &self.ids, kind: Kind::Price(None), without: Some(&market.priced) };
                    vec![Stretch { order, kind, without: None }, unpriced]
                }
            },
            Kind::Position(category) => match category.and_then(|number| self.placed.get(&number)) {
                None => whole(&self.newest, Kind::Position(None)),
                Some(placed) => {
                    let rest = Stretch {
                        order: &self.newest,
                        kind: Kind::Position(None),
                        without: Some(&placed.set),
                    };
                    vec![Stretch { order: &placed.order, kind, without: None }, rest]
                }
            },
            Kind::Score => return None,
        })
    }

    /// Looks at the whole set.
    fn gather(
        &self,
        set: &RoaringBitmap,
        kind: Kind,
        scores: &Scores,
        from: From<'_>,
        count: usize,
    ) -> Vec<u32> {
        let towards = |order: Ordering| match from.direction {
            Direction::Forward => order,
            Direction::Backward => order.reverse(),
        };
        let is_ahead = |key: &Key<'_>| {
            from.key.as_ref().is_none_or(|place| match towards(key.compare(place, &self.collation)) {
                Ordering::Less => false,
                Ordering::Equal => from.is_inclusive,
                Ordering::Greater => true,
            })
        };
        let compare = |a: &(Key<'_>, u32), b: &(Key<'_>, u32)| towards(a.0.compare(&b.0, &self.collation));
        // The best so far, cut back whenever it has grown to twice what is wanted and more.
        let room = 2 * count + 64;
        let mut best = Vec::with_capacity(room.min(4096));
        let mut worst: Option<Key<'_>> = None;
        for ordinal in set {
            let key = self.key(ordinal, kind, scores);
            let is_worse =
                worst.as_ref().is_some_and(|worst| towards(key.compare(worst, &self.collation)).is_gt());
            if is_worse || !is_ahead(&key) {
                continue;
            }
            best.push((key, ordinal));
            if best.len() == room {
                best.select_nth_unstable_by(count, compare);
                best.truncate(count);
                worst = best.iter().max_by(|a, b| compare(a, b)).map(|(key, _)| *key);
            }
        }
        best.sort_unstable_by(compare);
        best.truncate(count);
        best.into_iter().map(|(_, ordinal)| ordinal).collect()
    }

    /// What a product is sorted by.
    pub(super) fn key(&self, ordinal: u32, kind: Kind, scores: &Scores) -> Key<'_> {
        Key::of(kind, &self.traits(ordinal, kind, scores))
    }

    /// What is read of a product for an order.
    pub(super) fn traits(&self, ordinal: u32, kind: Kind, scores: &Scores) -> Traits<'_> {
        let mut traits = traits(&self.columns, ordinal, kind);
        match kind {
            Kind::Newest | Kind::Title => {}
            Kind::Price(market) | Kind::PriceDescending(market) => {
                let market = market.and_then(|number| self.markets.get(number));
                traits.lowest = market.and_then(|market| market.lowest(ordinal));
            }
            Kind::Position(category) => {
                let row = self.columns.row(ordinal);
                traits.place = category.and_then(|category| row.and_then(|row| row.place(category)));
            }
            Kind::Score => {
                let hit = scores.binary_search_by_key(&ordinal, |(ordinal, _)| *ordinal).ok();
                traits.score = hit.and_then(|hit| scores.get(hit)).map_or(0, |(_, score)| *score);
                traits.in_stock = self.in_stock.contains(ordinal);
            }
        }
        traits
    }
}
