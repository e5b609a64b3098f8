//! Prices: for each currency the lowest price of every product, and the products in order of it.

use std::collections::HashMap;

use roaring::RoaringBitmap;

use super::{key::Kind, order::Order, row::reserve, terms::at};
use crate::domain::money::Currency;

/// No price.
const NONE: u32 = u32::MAX;

/// A price that four bytes do not hold.
const ELSEWHERE: u32 = u32::MAX - 1;

/// Lowest prices by ordinal: nearly all of them are small numbers.
#[derive(Debug, Default)]
pub(super) struct Amounts {
    pub(super) small: Vec<u32>,
    pub(super) other: HashMap<u32, i64>,
}

impl Amounts {
    fn get(&self, ordinal: u32) -> Option<i64> {
        match self.small.get(at(ordinal)).copied()? {
            NONE => None,
            ELSEWHERE => self.other.get(&ordinal).copied(),
            amount => Some(i64::from(amount)),
        }
    }

    fn put(&mut self, ordinal: u32, amount: Option<i64>) {
        let small = match amount.map(u32::try_from) {
            None => NONE,
            Some(Ok(small)) if small < ELSEWHERE => small,
            Some(_) => ELSEWHERE,
        };
        let missing = (at(ordinal) + 1).saturating_sub(self.small.len());
        reserve(&mut self.small, missing);
        self.small.extend(std::iter::repeat_n(NONE, missing));
        let Some(slot) = self.small.get_mut(at(ordinal)) else { return };
        if *slot == ELSEWHERE {
            self.other.remove(&ordinal);
        }
        *slot = small;
        if small == ELSEWHERE {
            self.other.extend(amount.map(|amount| (ordinal, amount)));
        }
    }
}

/// One currency.
#[derive(Debug)]
pub(super) struct Market {
    /// The currency.
    pub(super) currency: Currency,
    /// Lowest price by ordinal.
    pub(super) lowest: Amounts,
    /// Products that have a price.
    pub(super) priced: RoaringBitmap,
    /// Products that have several.
    pub(super) several: RoaringBitmap,
    /// Lowest first.
    pub(super) ascending: Order,
    /// Highest first. Not the other one backwards: ids ascend among equals in both.
    pub(super) descending: Order,
}

impl Market {
    /// The lowest price of a product.
    pub(super) fn lowest(&self, ordinal: u32) -> Option<i64> {
        self.lowest.get(ordinal)
    }

    /// Notes a product's prices, without the orders.
    pub(super) fn put(&mut self, ordinal: u32, lowest: i64, is_several: bool) {
        self.lowest.put(ordinal, Some(lowest));
        self.priced.insert(ordinal);
        if is_several {
            self.several.insert(ordinal);
        } else {
            self.several.remove(ordinal);
        }
    }

    /// Lets both orders be changed, with the prices they are by.
    pub(super) fn reorder(&mut self, mut change: impl FnMut(&dyn Fn(u32) -> Option<i64>, &mut Order, Kind)) {
        let lowest = &self.lowest;
        let price = |ordinal| lowest.get(ordinal);
        change(&price, &mut self.ascending, Kind::Price(None));
        change(&price, &mut self.descending, Kind::PriceDescending(None));
    }

    /// Forgets a product's prices, without the orders.
    pub(super) fn remove(&mut self, ordinal: u32) {
        self.lowest.put(ordinal, None);
        self.priced.remove(ordinal);
        self.several.remove(ordinal);
    }
}

/// All currencies that were ever seen.
#[derive(Debug, Default)]
pub(super) struct Markets {
    pub(super) numbers: HashMap<Currency, u32>,
    pub(super) markets: Vec<Market>,
}

impl Markets {
    /// The number of a currency, which it gets if it has none.
    pub(super) fn enter(&mut self, currency: Currency) -> u32 {
        *self.numbers.entry(currency).or_insert_with(|| {
            self.markets.push(Market {
                currency,
                lowest: Amounts::default(),
                priced: RoaringBitmap::new(),
                several: RoaringBitmap::new(),
                ascending: Order::default(),
                descending: Order::default(),
            });
            u32::try_from(self.markets.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// The number of a currency.
    pub(super) fn number(&self, currency: Option<Currency>) -> Option<u32> {
        self.numbers.get(&currency?).copied()
    }

    /// A currency by number.
    pub(super) fn get(&self, number: u32) -> Option<&Market> {
        self.markets.get(at(number))
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut Market> {
        self.markets.get_mut(at(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_any_size_are_kept_and_forgotten() {
        let mut amounts = Amounts::default();
        let large = [i64::from(ELSEWHERE) - 1, i64::from(ELSEWHERE), i64::from(NONE), i64::MAX, -1, 0];
        for (ordinal, amount) in (3..).zip(large) {
            amounts.put(ordinal, Some(amount));
        }
        assert_eq!((3..9).map(|ordinal| amounts.get(ordinal).unwrap()).collect::<Vec<_>>(), large);
        assert_eq!((amounts.get(0), amounts.get(99), amounts.other.len()), (None, None, 4));
        (3..6).for_each(|ordinal| amounts.put(ordinal, None));
        amounts.put(6, Some(7));
        assert_eq!((amounts.get(4), amounts.get(6), amounts.other.len()), (None, Some(7), 1));
    }
}
