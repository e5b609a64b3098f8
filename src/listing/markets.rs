//! Prices: for each currency the lowest price of every product, and the products in order of it.

use std::collections::HashMap;

use roaring::RoaringBitmap;

use super::{key::Kind, order::Order, terms::at};
use crate::domain::money::Currency;

/// No price; amounts are far below.
const NONE: i64 = i64::MAX;

/// One currency.
#[derive(Debug)]
pub(super) struct Market {
    /// The currency.
    pub(super) currency: Currency,
    /// Lowest price by ordinal.
    lowest: Vec<i64>,
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
        self.lowest.get(at(ordinal)).copied().filter(|amount| *amount != NONE)
    }

    /// Notes a product's prices, without the orders.
    pub(super) fn put(&mut self, ordinal: u32, lowest: i64, is_several: bool) {
        if at(ordinal) >= self.lowest.len() {
            self.lowest.resize(at(ordinal) + 1, NONE);
        }
        if let Some(slot) = self.lowest.get_mut(at(ordinal)) {
            *slot = lowest;
        }
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
        let price = |ordinal| lowest.get(at(ordinal)).copied().filter(|amount| *amount != NONE);
        change(&price, &mut self.ascending, Kind::Price(None));
        change(&price, &mut self.descending, Kind::PriceDescending(None));
    }

    /// Forgets a product's prices, without the orders.
    pub(super) fn remove(&mut self, ordinal: u32) {
        if let Some(slot) = self.lowest.get_mut(at(ordinal)) {
            *slot = NONE;
        }
        self.priced.remove(ordinal);
        self.several.remove(ordinal);
    }
}

/// All currencies that were ever seen.
#[derive(Debug, Default)]
pub(super) struct Markets {
    numbers: HashMap<Currency, u32>,
    markets: Vec<Market>,
}

impl Markets {
    /// The number of a currency, which it gets if it has none.
    pub(super) fn enter(&mut self, currency: Currency) -> u32 {
        *self.numbers.entry(currency).or_insert_with(|| {
            self.markets.push(Market {
                currency,
                lowest: Vec::new(),
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
