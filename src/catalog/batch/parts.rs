//! What a batch asks for and what it is answered with.

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    cache::{Entry, Value},
    catalog::messages::{Key, Source, ViewKey},
};

/// What is asked for, all by names of one kind.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The names, in the order of the answer.
    pub names: Arc<Names>,
    /// Currency and language.
    pub view: ViewKey,
    /// The answer must have been read at this position or later; 0 for any.
    pub min_position: i64,
}

/// Names of products.
#[derive(Debug, Clone)]
pub enum Names {
    /// By id.
    Ids(Vec<Uuid>),
    /// By current or retired slug.
    Slugs(Vec<String>),
    /// By SKU.
    Skus(Vec<String>),
}

/// One of [`Names`].
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(untagged)]
pub enum Name<'a> {
    /// An id.
    Id(Uuid),
    /// A slug or SKU.
    Text(&'a str),
}

/// What a name leads to.
#[derive(Debug, Clone)]
pub enum Part {
    /// A product: the entry that has it, as it lies in the cache.
    Found(Arc<Entry>),
    /// The slug was retired; the product now has this one.
    Moved(Arc<str>),
    /// Nothing there.
    Absent,
}

/// A product of a batch, as it lies in the cache.
#[derive(Debug, Clone, Copy)]
pub struct Product<'a> {
    /// Its version.
    pub version: i64,
    /// Its entity tag, with quotes: it also tells when what the product embeds has changed.
    pub etag: &'a str,
    /// Its answer.
    pub body: &'a Bytes,
}

impl Part {
    /// The product, if there is one.
    pub fn product(&self) -> Option<Product<'_>> {
        let Self::Found(entry) = self else { return None };
        let Value::Product { body, .. } = &entry.value else { return None };
        Some(Product { version: body.version(), etag: body.etag(), body: body.identity() })
    }
}

/// The answer to a [`Batch`].
#[derive(Debug, Clone)]
pub struct BatchAnswer {
    /// One for each name.
    pub parts: Vec<Part>,
    /// Log position that every part was read at, or later.
    pub position: i64,
    /// Where it came from: the database if any part did.
    pub source: Source,
    /// See [`crate::catalog::messages::Answer::unverified`].
    pub unverified: Option<std::time::Duration>,
}

impl Names {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Self::Ids(ids) => ids.len(),
            Self::Slugs(names) | Self::Skus(names) => names.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name at a place; an empty one where there is none.
    pub fn name(&self, place: usize) -> Name<'_> {
        match self {
            Self::Ids(ids) => Name::Id(ids.get(place).copied().unwrap_or_default()),
            Self::Slugs(names) | Self::Skus(names) => Name::Text(names.get(place).map_or("", String::as_str)),
        }
    }

    pub(super) fn keys(&self, view: ViewKey) -> Vec<Key> {
        match self {
            Self::Ids(ids) => ids.iter().map(|id| Key::Product(*id, view)).collect(),
            Self::Slugs(names) => names.iter().map(|name| Key::Slug(name.as_str().into())).collect(),
            Self::Skus(names) => names.iter().map(|name| Key::Sku(name.as_str().into())).collect(),
        }
    }
}
