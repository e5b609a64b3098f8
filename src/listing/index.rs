//! The index itself: what is kept, and how a product enters and leaves.

use std::{cmp::Ordering, collections::HashMap, hash::BuildHasher, sync::Arc};

use hashbrown::{DefaultHashBuilder, HashTable};
use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{
    collation::Collation,
    columns::{Attributes, Columns, Entry},
    key::{Key, Kind, Traits},
    markets::Markets,
    names::Names,
    order::Order,
    row::Parts,
    shown::Shown,
    terms::Terms,
};
use crate::{
    domain::{
        listed::{ListedBrand, ListedCategory, ListedProduct},
        locale::Locale,
    },
    search::TextIndex,
};

/// The visible catalogue in memory, as lists need it. Products are numbered densely; sets of numbers are bitmaps, what is
/// counted or compared stands in columns, and every order is kept.
#[derive(Debug)]
pub struct ListingIndex {
    pub(super) columns: Columns,
    pub(super) language: Locale,
    pub(super) collation: Collation,
    /// Ordinals by id: only the numbers, the ids stand in the columns.
    ordinals: HashTable<u32>,
    hasher: DefaultHashBuilder,
    pub(super) free: Vec<u32>,
    pub(super) live: RoaringBitmap,
    pub(super) in_stock: RoaringBitmap,
    pub(super) brands: Terms<Uuid>,
    pub(super) categories: Terms<Uuid>,
    pub(super) tags: Terms<Arc<str>>,
    pub(super) attributes: Attributes,
    pub(super) markets: Markets,
    pub(super) newest: Order,
    pub(super) titles: Order,
    pub(super) ids: Order,
    /// By category: what has a place there, in order.
    pub(super) placed: HashMap<u32, Placed>,
    pub(super) brand_names: Names<ListedBrand>,
    pub(super) category_names: Names<ListedCategory>,
    pub(super) text: TextIndex,
    /// Products whose words changed with a name and that were not put again since.
    pub(super) reworded: RoaringBitmap,
}

/// What has a place in one category.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) order: Order,
    pub(super) set: RoaringBitmap,
}

impl ListingIndex {
    /// An empty one, for a catalogue whose own language is given.
    pub fn new(language: &Locale) -> Self {
        Self {
            columns: Columns::default(),
            collation: Collation::new(language),
            ordinals: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            free: Vec::new(),
            live: RoaringBitmap::new(),
            in_stock: RoaringBitmap::new(),
            brands: Terms::default(),
            categories: Terms::default(),
            tags: Terms::default(),
            attributes: Attributes::default(),
            markets: Markets::default(),
            newest: Order::default(),
            titles: Order::default(),
            ids: Order::default(),
            placed: HashMap::new(),
            brand_names: Names::default(),
            category_names: Names::default(),
            text: TextIndex::new(language),
            reworded: RoaringBitmap::new(),
            language: language.clone(),
        }
    }

    /// How many products are in it.
    pub fn len(&self) -> usize {
        self.ordinals.len()
    }

    /// Whether it has no products.
    pub fn is_empty(&self) -> bool {
        self.ordinals.is_empty()
    }

    /// Enters a product, or replaces the one of the same id.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the index takes what it is given; that it copies is its own affair"
    )]
    pub fn put(&mut self, product: ListedProduct) {
        let shown = Shown::from(&product);
        let (ordinal, is_said) = match self.ordinal(&product.id) {
            Some(ordinal) => {
                let is_said = self.says_already(ordinal, &shown);
                self.unlink(ordinal);
                (ordinal, is_said)
            }
            None => (self.take_ordinal(product.id), false),
        };
        if !is_said {
            self.put_text(ordinal, &product, &shown);
        }
        self.link(ordinal, &shown);
    }

    /// Takes a product out, if it is there.
    pub fn remove(&mut self, id: &Uuid) {
        let Some(ordinal) = self.ordinal(id) else { return };
        self.unlink(ordinal);
        let hash = self.hasher.hash_one(id);
        if let Ok(entry) = self.ordinals.find_entry(hash, |other| *other == ordinal) {
            entry.remove();
        }
        self.forget_text(ordinal);
        self.columns.clear(ordinal);
        self.free.push(ordinal);
    }

    /// A product as it is in the index.
    pub fn product(&self, id: &Uuid) -> Option<Shown> {
        let ordinal = self.ordinal(id)?;
        let row = self.columns.row(ordinal)?;
        let category = |number: u32| self.categories.value(number).copied();
        let mut categories = row.categories().filter_map(category).collect::<Vec<_>>();
        categories.sort_unstable();
        let mut positions =
            row.places().filter_map(|(number, place)| Some((category(number)?, place))).collect::<Vec<_>>();
        positions.sort_unstable();
        let tags = row.tags().filter_map(|number| self.tags.value(number));
        let mut tags = tags.map(|tag| Box::from(tag.as_ref())).collect::<Vec<Box<str>>>();
        tags.sort_unstable();
        let attributes = row.attributes().filter_map(|number| self.attributes.names(number));
        let mut attributes = attributes
            .map(|(code, value)| (code.into(), value.into()))
            .collect::<Vec<(Box<str>, Box<str>)>>();
        attributes.sort_unstable();
        let mut prices = Vec::<(_, Vec<i64>)>::new();
        for (market, amount) in row.prices() {
            let currency = self.markets.get(market)?.currency;
            match prices.last_mut() {
                Some((of, amounts)) if *of == currency => amounts.push(amount),
                _ => prices.push((currency, vec![amount])),
            }
        }
        let product = ListedProduct {
            id: *id,
            published_at_us: self.columns.published(ordinal),
            title: row.title().into(),
            brand: row.brand().and_then(|number| self.brands.value(number)).copied(),
            categories: categories.into(),
            positions: positions.into(),
            tags: tags.into(),
            prices: prices.into_iter().map(|(currency, amounts)| (currency, amounts.into())).collect(),
            in_stock: self.in_stock.contains(ordinal),
            attributes: attributes.into(),
            text: crate::domain::listed::ListedText::default(),
        };
        Some(Shown { product, text: self.columns.text(ordinal) })
    }

    /// Whether nothing is left over where no product is.
    #[cfg(test)]
    pub(super) fn holds_nothing(&self) -> bool {
        self.live.is_empty()
            && self.in_stock.is_empty()
            && self.placed.is_empty()
            && [self.brands.in_use(), self.categories.in_use(), self.tags.in_use()] == [0; 3]
            && self.newest.is_empty()
            && self.titles.is_empty()
            && self.ids.is_empty()
            && self.attributes.values().in_use() == 0
            && self.reworded.is_empty()
            && (0..).map_while(|number| self.markets.get(number)).all(|market| {
                market.priced.is_empty()
                    && market.several.is_empty()
                    && market.ascending.is_empty()
                    && market.descending.is_empty()
            })
    }

    /// The number of a product.
    pub(super) fn ordinal(&self, id: &Uuid) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        self.ordinals.find(hash, |ordinal| self.columns.id(*ordinal) == *id).copied()
    }

    /// Makes products that were entered otherwise be found.
    pub(super) fn hash_ordinals(&mut self) {
        let Self { ordinals, columns, hasher, live, .. } = self;
        let hash = |ordinal: &u32| hasher.hash_one(columns.id(*ordinal));
        ordinals.clear();
        ordinals.reserve(usize::try_from(live.len()).unwrap_or_default(), hash);
        for ordinal in &*live {
            ordinals.insert_unique(hash(&ordinal), ordinal, hash);
        }
    }

    /// A number for a product that has none.
    pub(super) fn take_ordinal(&mut self, id: Uuid) -> u32 {
        let fresh = || u32::try_from(self.columns.len()).unwrap_or(u32::MAX);
        let ordinal = self.free.pop().unwrap_or_else(fresh);
        self.columns.name(ordinal, id);
        let (columns, hasher) = (&self.columns, &self.hasher);
        let hash = hasher.hash_one(id);
        self.ordinals.insert_unique(hash, ordinal, |other| hasher.hash_one(columns.id(*other)));
        ordinal
    }

    fn link(&mut self, ordinal: u32, shown: &Shown) {
        self.enter(ordinal, shown);
        self.reorder(ordinal, |order, ordinal, compare| order.insert(ordinal, compare));
    }

    /// Puts a product into everything but the orders.
    pub(super) fn enter(&mut self, ordinal: u32, shown: &Shown) {
        let product = &shown.product;
        let mut parts = Parts { title: &product.title, ..Parts::default() };
        parts.brand = product.brand.map(|brand| self.brands.add(&brand, ordinal));
        for category in &product.categories {
            parts.categories.push(self.categories.add(category, ordinal));
        }
        for (code, value) in &product.attributes {
            parts.attributes.push(self.attributes.add(code, value, ordinal));
        }
        for tag in &product.tags {
            parts.tags.push(self.tags.add(&Arc::from(tag.as_ref()), ordinal));
        }
        for (category, place) in &product.positions {
            parts.places.extend(self.categories.number(category).map(|number| (number, *place)));
        }
        for (currency, amounts) in &product.prices {
            let number = self.markets.enter(*currency);
            parts.prices.extend(amounts.iter().map(|amount| (number, *amount)));
            if let (Some(market), Some(lowest)) = (self.markets.get_mut(number), amounts.first()) {
                market.put(ordinal, *lowest, amounts.len() > 1);
            }
        }
        parts.categories.sort_unstable();
        parts.attributes.sort_unstable();
        parts.tags.sort_unstable();
        self.live.insert(ordinal);
        if product.in_stock {
            self.in_stock.insert(ordinal);
        }
        for (category, _) in &parts.places {
            self.placed.entry(*category).or_default().set.insert(ordinal);
        }
        let entry = Entry {
            id: product.id,
            published: product.published_at_us,
            title_head: self.collation.head(&product.title),
            text: shown.text,
            row: parts,
        };
        self.columns.put(ordinal, &entry);
    }

    /// Takes a product out of everything but the columns.
    fn unlink(&mut self, ordinal: u32) {
        self.reorder(ordinal, |order, ordinal, compare| order.remove(ordinal, compare));
        self.leave(ordinal);
    }

    /// Takes a product out of everything but the orders and the columns.
    pub(super) fn leave(&mut self, ordinal: u32) {
        let Some(row) = self.columns.row(ordinal) else { return };
        for (category, _) in row.places() {
            if let Some(placed) = self.placed.get_mut(&category) {
                placed.set.remove(ordinal);
                if placed.set.is_empty() {
                    self.placed.remove(&category);
                }
            }
        }
        for category in row.categories() {
            self.categories.remove(category, ordinal);
        }
        for value in row.attributes() {
            self.attributes.remove(value, ordinal);
        }
        for tag in row.tags() {
            self.tags.remove(tag, ordinal);
        }
        for (market, _) in row.prices() {
            if let Some(market) = self.markets.get_mut(market) {
                market.remove(ordinal);
            }
        }
        if let Some(brand) = row.brand() {
            self.brands.remove(brand, ordinal);
        }
        self.live.remove(ordinal);
        self.in_stock.remove(ordinal);
    }

    /// Enters a product into every order, or takes it out; all else must be there.
    fn reorder(&mut self, ordinal: u32, change: impl Fn(&mut Order, u32, &dyn Fn(u32, u32) -> Ordering)) {
        let (columns, collation) = (&self.columns, &self.collation);
        let plain = |kind| {
            move |a, b| {
                let key = |ordinal| Key::of(kind, &traits(columns, ordinal, kind));
                key(a).compare(&key(b), collation)
            }
        };
        change(&mut self.newest, ordinal, &plain(Kind::Newest));
        change(&mut self.titles, ordinal, &plain(Kind::Title));
        change(&mut self.ids, ordinal, &plain(Kind::Price(None)));
        let Some(row) = columns.row(ordinal) else { return };
        let mut last = None;
        for (number, _) in row.prices() {
            if last.replace(number) == Some(number) {
                continue;
            }
            let Some(market) = self.markets.get_mut(number) else { continue };
            market.reorder(|lowest, order, kind| {
                let key = |ordinal| {
                    Key::of(kind, &Traits { lowest: lowest(ordinal), ..traits(columns, ordinal, kind) })
                };
                change(order, ordinal, &|a, b| key(a).compare(&key(b), collation));
            });
        }
        for (category, _) in row.places() {
            let placed = self.placed.entry(category).or_default();
            let place = |ordinal| columns.row(ordinal).and_then(|row| row.place(category));
            let kind = Kind::Position(Some(category));
            let key =
                |ordinal| Key::of(kind, &Traits { place: place(ordinal), ..traits(columns, ordinal, kind) });
            change(&mut placed.order, ordinal, &|a, b| key(a).compare(&key(b), collation));
        }
    }
}

/// What an order needs to know, but for prices, places and scores. Titles are read for theirs only.
pub(super) fn traits(columns: &Columns, ordinal: u32, kind: Kind) -> Traits<'_> {
    let is_by_title = kind == Kind::Title;
    Traits {
        id: columns.id(ordinal),
        published: columns.published(ordinal),
        title: if is_by_title { columns.title(ordinal) } else { "" },
        title_head: if is_by_title { columns.title_head(ordinal) } else { 0 },
        lowest: None,
        place: None,
        score: 0,
        in_stock: false,
    }
}
