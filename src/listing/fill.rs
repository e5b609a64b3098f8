//! Entering many products at once.
//!
//! One by one, nearly all time goes into finding places in orders and into words. Here every order is sorted once, when all
//! products are there, and words are entered on a thread of their own.

use std::{
    mem,
    sync::mpsc::{Receiver, sync_channel},
    thread,
};

use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{
    index::ListingIndex,
    key::{Key, Kind},
    names::Names,
    order::Order,
    shown::Shown,
    words::put_words,
};
use crate::{
    domain::listed::{ListedBrand, ListedCategory, ListedProduct},
    search::TextIndex,
};

/// Batches whose words may wait: a few, since they are held in memory.
const BATCHES_WAITING: usize = 2;

/// A product whose words are to be entered: its number, itself, its categories in order.
type Worded = (u32, ListedProduct, Box<[Uuid]>);

impl ListingIndex {
    /// Enters products, or replaces those of the same ids; afterwards the index is as if each had been [`put`](Self::put).
    /// After an error of the batches, the products before it are in, but in no order: such an index is to be thrown away.
    pub fn fill<E>(
        &mut self,
        batches: impl IntoIterator<Item = Result<Vec<ListedProduct>, E>>,
    ) -> Result<(), E> {
        let text = mem::replace(&mut self.text, TextIndex::new(&self.language));
        let (brands, categories) = (mem::take(&mut self.brand_names), mem::take(&mut self.category_names));
        let (text, outcome) = thread::scope(|scope| {
            let (to, products) = sync_channel(BATCHES_WAITING);
            let names = (&brands, &categories);
            let words = scope.spawn(move || enter_words(text, names, products));
            let mut batches = batches.into_iter();
            let outcome = batches.try_for_each(|batch| {
                let worded = batch?.into_iter().map(|product| self.enter_unordered(product)).collect();
                // Nobody receives after a panic, which `join` tells of.
                to.send(worded).unwrap_or_default();
                Ok(())
            });
            drop(to);
            match words.join() {
                Ok(text) => (text, outcome),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        (self.text, self.brand_names, self.category_names) = (text, brands, categories);
        outcome?;
        self.sort_all();
        Ok(())
    }

    fn enter_unordered(&mut self, product: ListedProduct) -> Worded {
        let shown = Shown::from(&product);
        let ordinal = match self.ordinal(&product.id) {
            Some(ordinal) => {
                self.leave(ordinal);
                ordinal
            }
            None => self.take_ordinal(product.id),
        };
        self.enter(ordinal, &shown);
        self.reworded.remove(ordinal);
        (ordinal, product, shown.product.categories)
    }

    /// Makes every order anew.
    fn sort_all(&mut self) {
        let index = &*self;
        let markets = (0..).map_while(|number| Some((number, &index.markets.get(number)?.priced)));
        let markets = markets.collect::<Vec<_>>();
        let placed = index.placed.iter().map(|(category, placed)| (*category, &placed.set));
        let placed = placed.collect::<Vec<_>>();
        let live = &index.live;
        let (plain, [titles, ascending, descending], placed) = thread::scope(|scope| {
            let plain = scope.spawn(|| {
                let plain = [Kind::Newest, Kind::Price(None)].map(|kind| index.sorted(live, kind));
                let placed = placed
                    .iter()
                    .map(|(category, set)| (*category, index.sorted(set, Kind::Position(Some(*category)))));
                (plain, placed.collect::<Vec<_>>())
            });
            let by_price = |kind: fn(Option<u32>) -> Kind| {
                markets.iter().map(|(number, set)| index.sorted(set, kind(Some(*number)))).collect::<Vec<_>>()
            };
            let others = [
                vec![index.sorted(live, Kind::Title)],
                by_price(Kind::Price),
                by_price(Kind::PriceDescending),
            ];
            match plain.join() {
                Ok((plain, placed)) => (plain, others, placed),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        });
        [self.newest, self.ids] = plain;
        self.titles = titles.into_iter().next().unwrap_or_default();
        for (number, (ascending, descending)) in (0..).zip(ascending.into_iter().zip(descending)) {
            if let Some(market) = self.markets.get_mut(number) {
                (market.ascending, market.descending) = (ascending, descending);
            }
        }
        for (category, order) in placed {
            self.placed.entry(category).or_default().order = order;
        }
    }

    fn sorted(&self, set: &RoaringBitmap, kind: Kind) -> Order {
        let keyed = set.iter().map(|ordinal| (self.key(ordinal, kind, &[]), ordinal));
        let mut keyed = keyed.collect::<Vec<(Key<'_>, u32)>>();
        keyed.sort_unstable_by(|(a, _), (b, _)| a.compare(b, &self.collation));
        let ordinals = keyed.into_iter().map(|(_, ordinal)| ordinal).collect::<Vec<_>>();
        Order::of_sorted(&ordinals)
    }
}

fn enter_words(
    mut text: TextIndex,
    (brands, categories): (&Names<ListedBrand>, &Names<ListedCategory>),
    batches: Receiver<Vec<Worded>>,
) -> TextIndex {
    for (ordinal, product, of) in batches.into_iter().flatten() {
        put_words(&mut text, (brands, categories), ordinal, (&product, &of));
    }
    text
}
