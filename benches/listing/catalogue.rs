//! A synthetic catalogue: skewed as real ones are, the same at every run.

use aisle::domain::{
    listed::{ListedBrand, ListedCategory, ListedProduct, ListedText},
    money::Currency,
};
use uuid::Uuid;

/// Brands.
pub(crate) const BRANDS: u64 = 5000;
/// Attributes.
const ATTRIBUTES: u64 = 40;
/// Categories: ten roots, each with ten below and ten more below those.
const CATEGORIES: u64 = 1110;

/// Numbers that look random (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    /// Small numbers far more often than large ones: half of all rolls are below the square root, or nearly so.
    pub(crate) fn skewed(&mut self, end: u64) -> u64 {
        let bits = u64::from(u64::BITS - end.leading_zeros());
        let top = 1_u64 << self.below(bits + 1);
        self.below(top.min(end))
    }
}

/// An id of a kind of thing.
pub(crate) fn id(kind: u64, number: u64) -> Uuid {
    let mut dice = Dice(kind << 40 | number);
    Uuid::from_u64_pair(dice.roll(), dice.roll())
}

pub(crate) fn brands() -> Vec<ListedBrand> {
    let brand = |number| ListedBrand {
        id: id(1, number),
        slug: format!("brand-{number}").into(),
        name: format!("{} {number}", word(number * 31)).into(),
    };
    (0..BRANDS).map(brand).collect()
}

/// Itself and what is above it.
fn above(category: u64) -> Vec<u64> {
    match category {
        0..10 => vec![category],
        10..110 => vec![category, (category - 10) / 10],
        _ => {
            let parent = 10 + (category - 110) / 10;
            vec![category, parent, (parent - 10) / 10]
        }
    }
}

pub(crate) fn categories() -> Vec<ListedCategory> {
    let category = |number| {
        let mut path = above(number).iter().map(|number| format!("category-{number}")).collect::<Vec<_>>();
        path.reverse();
        ListedCategory {
            id: id(2, number),
            slug: format!("category-{number}").into(),
            name: format!("{} {number}", word(number * 17)).into(),
            path: path.join("/").into(),
        }
    };
    (0..CATEGORIES).map(category).collect()
}

/// A made-up word.
fn word(number: u64) -> String {
    let mut dice = Dice(number);
    let syllables = ["ka", "lo", "mer", "tin", "sa", "bu", "ro", "gel", "ni", "por", "dus", "fe"];
    let count = 2 + dice.below(3);
    let pick =
        |_| usize::try_from(dice.below(12)).ok().and_then(|at| syllables.get(at)).copied().unwrap_or("");
    (0..count).map(pick).collect()
}

pub(crate) fn words(dice: &mut Dice, count: u64) -> String {
    (0..count).map(|_| word(dice.skewed(50_000))).collect::<Vec<_>>().join(" ")
}

pub(crate) fn currency() -> Option<Currency> {
    Currency::parse("USD")
}

/// An attribute and one of its values.
pub(crate) fn attribute(dice: &mut Dice) -> (Box<str>, Box<str>) {
    let attribute = dice.skewed(ATTRIBUTES);
    let value = dice.skewed(10 + attribute * 2);
    (format!("attribute-{attribute}").into(), format!("value-{value}").into())
}

pub(crate) fn product(number: u64) -> ListedProduct {
    let mut dice = Dice(number << 20);
    let mut shelves = above(110 + dice.skewed(1000));
    if dice.below(4) == 0 {
        shelves.extend(above(10 + dice.skewed(100)));
    }
    shelves.sort_unstable();
    shelves.dedup();
    let direct = id(2, shelves.last().copied().unwrap_or(0));
    let place = (dice.below(5) == 0).then(|| i32::try_from(dice.below(1000)).unwrap_or(0));
    let lowest = i64::try_from(99 + dice.skewed(200_000)).unwrap_or(99);
    let amounts = if dice.below(3) == 0 { vec![lowest, lowest + 500] } else { vec![lowest] };
    let mut attributes = (0..4 + dice.below(9)).map(|_| attribute(&mut dice)).collect::<Vec<_>>();
    attributes.sort_unstable();
    attributes.dedup();
    let count = 4 + dice.below(5);
    ListedProduct {
        id: id(3, number),
        published_at_us: i64::try_from(dice.below(1 << 40)).unwrap_or(0),
        title: words(&mut dice, count).into(),
        brand: (dice.below(20) > 0).then(|| id(1, dice.skewed(BRANDS))),
        categories: shelves.iter().map(|number| id(2, *number)).collect(),
        positions: place.into_iter().map(|place| (direct, place)).collect(),
        tags: (0..dice.below(4)).map(|_| format!("tag-{}", dice.skewed(500)).into()).collect(),
        prices: currency().into_iter().map(|currency| (currency, amounts.clone().into())).collect(),
        in_stock: dice.below(10) > 0,
        attributes: attributes.into(),
        text: ListedText {
            description: words(&mut dice, 20).into(),
            product_type: word(dice.below(200)).into(),
            codes: Box::new([format!("SKU-{number}").into()]),
            words: Box::default(),
        },
    }
}
