//! Writing the index, and reading it back.
//!
//! What can be made again quickly is not written: hash tables, and whatever is derived from the names of brands and categories.
//! Synonyms are not written either: whoever reads sets them. Raise [`FORMAT`] with every change of what is written or means.

use std::{
    collections::HashMap,
    hash::Hash,
    io::{Read, Write},
    sync::Arc,
    thread,
};

use roaring::RoaringBitmap;
use uuid::Uuid;

use super::{
    index::{ListingIndex, Placed},
    order::Order,
    terms::Terms,
};
use crate::{
    domain::{
        listed::{ListedBrand, ListedCategory},
        locale::Locale,
    },
    dump::{DumpError, Reader, Writer},
    search::TextIndex,
};

/// Of what is written here and by the index of words.
pub const FORMAT: u64 = 1;

impl ListingIndex {
    /// Writes all but the words.
    pub fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.length(self.brand_names.rows().count())?;
        for brand in self.brand_names.rows() {
            to.items(&[brand.id], |id| id.into_bytes())?;
            texts(to, &[&brand.slug, &brand.name])?;
        }
        to.length(self.category_names.rows().count())?;
        for category in self.category_names.rows() {
            to.items(&[category.id], |id| id.into_bytes())?;
            texts(to, &[&category.slug, &category.name, &category.path])?;
        }
        self.columns.write(to)?;
        to.array(&self.free, |ordinal| ordinal.to_le_bytes())?;
        for set in [&self.live, &self.in_stock, &self.reworded] {
            bitmap(to, set)?;
        }
        self.brands.write(to)?;
        self.categories.write(to)?;
        self.tags.write(to)?;
        self.attributes.write(to)?;
        self.markets.write(to)?;
        for order in [&self.newest, &self.titles, &self.ids] {
            order.write(to)?;
        }
        to.length(self.placed.len())?;
        for (category, placed) in &self.placed {
            to.number((*category).into())?;
            bitmap(to, &placed.set)?;
            placed.order.write(to)?;
        }
        Ok(())
    }

    /// Writes the words.
    pub fn write_words<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        self.text.write_to(to)
    }

    /// Reads what [`Self::write`] and [`Self::write_words`] wrote of an index of this language. The words are read on a thread
    /// of their own. Whether the bytes are those that were written is for the caller to compare.
    pub fn read<A: Read, B: Read + Send>(
        from: &mut Reader<A>,
        words: &mut Reader<B>,
        language: &Locale,
    ) -> Result<Self, DumpError> {
        thread::scope(|scope| {
            let words = scope.spawn(|| TextIndex::read_from(words, language));
            let index = Self::read_lists(from, language);
            let text = words.join().unwrap_or(Err(DumpError::Malformed("words")))?;
            index.map(|mut index| {
                index.text = text;
                index
            })
        })
    }

    fn read_lists<R: Read>(from: &mut Reader<R>, language: &Locale) -> Result<Self, DumpError> {
        let mut index = Self::new(language);
        // Before there are products: no words change with these names.
        let count = from.length(40)?;
        let brands = (0..count).map(|_| read_brand(from)).collect::<Result<Vec<_>, _>>()?;
        index.set_brands(brands);
        let count = from.length(48)?;
        let categories = (0..count).map(|_| read_category(from)).collect::<Result<Vec<_>, _>>()?;
        index.set_categories(categories);
        index.columns.read(from)?;
        index.free = from.array(u32::from_le_bytes)?;
        for set in [&mut index.live, &mut index.in_stock, &mut index.reworded] {
            *set = read_bitmap(from)?;
        }
        index.brands = Terms::read(from)?;
        index.categories = Terms::read(from)?;
        index.tags = Terms::read(from)?;
        index.attributes.read(from)?;
        index.markets.read(from)?;
        for order in [&mut index.newest, &mut index.titles, &mut index.ids] {
            *order = Order::read(from)?;
        }
        for _ in 0..from.length(24)? {
            let category = read_u32(from)?;
            let (set, order) = (read_bitmap(from)?, Order::read(from)?);
            index.placed.insert(category, Placed { order, set });
        }
        if index.live.max().is_some_and(|last| super::terms::at(last) >= index.columns.len()) {
            return Err(DumpError::Malformed("products"));
        }
        index.hash_ordinals();
        Ok(index)
    }
}

fn texts<W: Write>(to: &mut Writer<W>, texts: &[&str]) -> Result<(), DumpError> {
    texts.iter().try_for_each(|text| to.bytes(text.as_bytes()))
}

fn read_id<R: Read>(from: &mut Reader<R>) -> Result<Uuid, DumpError> {
    from.items(1, Uuid::from_bytes)?.pop().ok_or(DumpError::Malformed("an id"))
}

fn read_brand<R: Read>(from: &mut Reader<R>) -> Result<ListedBrand, DumpError> {
    Ok(ListedBrand { id: read_id(from)?, slug: from.text()?.into(), name: from.text()?.into() })
}

fn read_category<R: Read>(from: &mut Reader<R>) -> Result<ListedCategory, DumpError> {
    let id = read_id(from)?;
    Ok(ListedCategory { id, slug: from.text()?.into(), name: from.text()?.into(), path: from.text()?.into() })
}

pub(super) fn read_u32<R: Read>(from: &mut Reader<R>) -> Result<u32, DumpError> {
    u32::try_from(from.number()?).map_err(|_too_large| DumpError::Malformed("a number"))
}

pub(super) fn bitmap<W: Write>(to: &mut Writer<W>, set: &RoaringBitmap) -> Result<(), DumpError> {
    let mut bytes = Vec::with_capacity(set.serialized_size());
    set.serialize_into(&mut bytes)?;
    to.bytes(&bytes)
}

pub(super) fn read_bitmap<R: Read>(from: &mut Reader<R>) -> Result<RoaringBitmap, DumpError> {
    Ok(RoaringBitmap::deserialize_from(from.bytes()?.as_slice())?)
}

impl Order {
    pub(super) fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.array(&self.all(), |ordinal| ordinal.to_le_bytes())
    }

    pub(super) fn read<R: Read>(from: &mut Reader<R>) -> Result<Self, DumpError> {
        Ok(Self::of_sorted(&from.array(u32::from_le_bytes)?))
    }
}

/// A value that products share, as it is written.
pub(super) trait Value: Sized {
    fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError>;
    fn read<R: Read>(from: &mut Reader<R>) -> Result<Self, DumpError>;
}

impl Value for Uuid {
    fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.items(&[*self], |id| id.into_bytes())
    }

    fn read<R: Read>(from: &mut Reader<R>) -> Result<Self, DumpError> {
        read_id(from)
    }
}

impl Value for Arc<str> {
    fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.bytes(self.as_bytes())
    }

    fn read<R: Read>(from: &mut Reader<R>) -> Result<Self, DumpError> {
        Ok(from.text()?.into())
    }
}

impl Value for (u32, Arc<str>) {
    fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.number(self.0.into())?;
        self.1.write(to)
    }

    fn read<R: Read>(from: &mut Reader<R>) -> Result<Self, DumpError> {
        Ok((read_u32(from)?, Arc::<str>::read(from)?))
    }
}

impl<K: Value + Clone + Eq + Hash> Terms<K> {
    pub(super) fn write<W: Write>(&self, to: &mut Writer<W>) -> Result<(), DumpError> {
        to.length(self.values.len())?;
        for (value, set) in self.values.iter().zip(&self.sets) {
            to.number(value.is_some().into())?;
            if let Some(value) = value {
                value.write(to)?;
                bitmap(to, set)?;
            }
        }
        to.array(&self.free, |number| number.to_le_bytes())
    }

    pub(super) fn read<R: Read>(from: &mut Reader<R>) -> Result<Self, DumpError> {
        let count = from.length(8)?;
        let mut terms = Self::default();
        for number in (0_u32..).take(count) {
            let value = if from.number()? == 0 { None } else { Some(K::read(from)?) };
            let set = if value.is_some() { read_bitmap(from)? } else { RoaringBitmap::new() };
            terms.postings += set.len();
            terms.numbers.extend(value.clone().map(|value| (value, number)));
            terms.values.push(value);
            terms.sets.push(set);
        }
        terms.free = from.array(u32::from_le_bytes)?;
        Ok(terms)
    }
}

/// Pairs, as they are written.
pub(super) fn map<W: Write>(to: &mut Writer<W>, map: &HashMap<u32, i64>) -> Result<(), DumpError> {
    to.length(map.len())?;
    for (key, value) in map {
        to.number((*key).into())?;
        to.number(value.cast_unsigned())?;
    }
    Ok(())
}

pub(super) fn read_map<R: Read>(from: &mut Reader<R>) -> Result<HashMap<u32, i64>, DumpError> {
    (0..from.length(16)?).map(|_| Ok((read_u32(from)?, from.number()?.cast_signed()))).collect()
}
