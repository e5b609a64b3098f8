//! What lists are sorted by, in one form that compares the same way for every order.

use std::cmp::Ordering;

use uuid::Uuid;

use super::collation::Collation;
use crate::domain::list::{Place, SortKey};

/// An order of products; numbers are those of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Latest first.
    Newest,
    /// By lowest price in a currency, if any product has one in it.
    Price(Option<u32>),
    /// The same, highest first.
    PriceDescending(Option<u32>),
    /// By title.
    Title,
    /// By place in a category, if one was named.
    Position(Option<u32>),
    /// Best match of a text first.
    Score,
}

/// What is read of a product to sort it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Traits<'a> {
    pub(super) id: Uuid,
    pub(super) published: i64,
    pub(super) title: &'a str,
    /// See [`Collation::head`].
    pub(super) title_head: i64,
    /// Lowest price in the currency of the order.
    pub(super) lowest: Option<i64>,
    /// Place in the category of the order.
    pub(super) place: Option<i32>,
    pub(super) score: u32,
    pub(super) in_stock: bool,
}

/// A sort value with its tie-breaker: no two products have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key<'a> {
    major: i64,
    minor: i64,
    /// Decides between equal major parts.
    title: &'a str,
    id: u128,
}

/// No price, no place: after all that have one.
const LAST: i64 = i64::MAX;

impl<'a> Key<'a> {
    /// The key of a product in an order.
    pub(super) fn of(kind: Kind, traits: &Traits<'a>) -> Self {
        let id = traits.id.as_u128();
        let key = |major, minor, id| Self { major, minor, title: "", id };
        // The complement turns an order round, without overflow.
        match kind {
            Kind::Newest => key(!traits.published, 0, !id),
            Kind::Price(_) => key(traits.lowest.unwrap_or(LAST), 0, id),
            Kind::PriceDescending(_) => key(traits.lowest.map_or(LAST, |amount| !amount), 0, id),
            Kind::Title => Self { title: traits.title, ..key(traits.title_head, 0, id) },
            Kind::Position(_) => key(traits.place.map_or(LAST, i64::from), !traits.published, !id),
            Kind::Score => key(!i64::from(traits.score), i64::from(!traits.in_stock), id),
        }
    }

    /// The key of a place in an order; `None` when it is of another order.
    pub(super) fn at(kind: Kind, place: &'a Place, collation: &Collation) -> Option<Self> {
        let mut traits = Traits {
            id: place.id,
            published: 0,
            title: "",
            title_head: 0,
            lowest: None,
            place: None,
            score: 0,
            in_stock: false,
        };
        match (kind, &place.key) {
            (Kind::Newest, SortKey::Time(published)) => traits.published = *published,
            (Kind::Price(_) | Kind::PriceDescending(_), SortKey::Amount(lowest)) => traits.lowest = *lowest,
            (Kind::Title, SortKey::Title(title)) => {
                traits.title = title;
                traits.title_head = collation.head(title);
            }
            (Kind::Position(_), SortKey::Position(at, published)) => {
                traits.place = *at;
                traits.published = *published;
            }
            (Kind::Score, SortKey::Score(score, in_stock)) => {
                traits.score = *score;
                traits.in_stock = *in_stock;
            }
            _ => return None,
        }
        Some(Self::of(kind, &traits))
    }

    /// Which of two keys of one order comes first.
    pub(super) fn compare(&self, other: &Self, collation: &Collation) -> Ordering {
        let titles = || match (self.title, other.title) {
            ("", "") => Ordering::Equal,
            (a, b) => collation.compare(a, b),
        };
        self.major
            .cmp(&other.major)
            .then_with(titles)
            .then_with(|| self.minor.cmp(&other.minor))
            .then_with(|| self.id.cmp(&other.id))
    }
}

/// How a list tells its clients where a product stands.
pub(super) fn sort_key(kind: Kind, traits: &Traits<'_>) -> SortKey {
    match kind {
        Kind::Newest => SortKey::Time(traits.published),
        Kind::Price(_) | Kind::PriceDescending(_) => SortKey::Amount(traits.lowest),
        Kind::Title => SortKey::Title(traits.title.into()),
        Kind::Position(_) => SortKey::Position(traits.place, traits.published),
        Kind::Score => SortKey::Score(traits.score, traits.in_stock),
    }
}
