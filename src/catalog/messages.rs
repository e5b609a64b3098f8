//! What is asked of the catalogue and what it answers. No connection type appears here.

use std::{sync::Arc, time::Duration};

use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use uuid::Uuid;

use crate::{
    cache::Entry,
    domain::{dependency::Dependency, list::ListQuery, money::Currency},
};

/// Currency and language of an answer; the language as an index into the settings' list, so that keys stay small and bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ViewKey {
    /// Currency of prices.
    pub currency: Currency,
    /// Index into [`crate::settings::ServeSettings::locales`].
    pub locale: u8,
}

/// Content coding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Coding {
    /// As it is.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

/// What a store read names. Each is one cache key. Cheap to clone where hits need it: by id, and pages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A product by id.
    Product(Uuid, ViewKey),
    /// What a slug names: a product, or the slug it moved to.
    Slug(Box<str>),
    /// What a SKU names.
    Sku(Box<str>),
    /// The ordered ids of one page of a list.
    Ids(Arc<ListQuery>),
    /// One page of a list, composed of cards.
    Page(Arc<ListQuery>, ViewKey),
    /// What completes a text, at most so many of each kind.
    Suggestions(Box<str>, u8),
    /// The category tree.
    Tree,
    /// One category by id or slug.
    Category(Box<str>),
    /// All brands.
    Brands,
    /// The attributes that lists can be filtered or counted by.
    Attributes,
}

/// A store read: what, and in which coding it may be sent.
#[derive(Debug, Clone)]
pub struct Get {
    /// What is asked for.
    pub key: Key,
    /// View for keys that lead to a product ([`Key::Slug`], [`Key::Sku`]).
    pub view: ViewKey,
    /// Best coding the client accepts.
    pub coding: Coding,
    /// The answer must have been read at this position or later (`Catalog-Min-Position`); 0 for any.
    pub min_position: i64,
    /// The client takes a page from the cache whose ids are at most this old; its cards are current all the same.
    pub age_max: Option<Duration>,
}

/// A ready-to-send body.
#[derive(Debug, Clone)]
pub struct Body {
    /// Exactly what goes on the wire.
    pub bytes: Bytes,
    /// The coding `bytes` is in: the one asked for, or identity where coding does not pay.
    pub coding: Coding,
    /// Strong entity tag with quotes; differs by coding.
    pub etag: HeaderValue,
    /// Tokens of the pages around it, for the `Link` of a list.
    pub cursors: Cursors,
}

/// Tokens of the pages around a page, as in its body; absent where there is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursors {
    /// The next page.
    pub next: Option<Arc<str>>,
    /// The page before.
    pub previous: Option<Arc<str>>,
}

/// Where an answer came from, for `Cache-Status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// This process' cache.
    Local,
    /// Redis.
    Shared,
    /// Postgres, read for this request.
    Database,
    /// Postgres, read for another request that was already under way.
    Collapsed,
}

/// The answer to [`Get`].
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was found.
    pub outcome: Outcome,
    /// Log position the answer was read at (`Catalog-Position`).
    pub position: i64,
    /// Where it came from.
    pub source: Source,
    /// Set when nobody can vouch for it: everything committed this long ago is in it, what came later may be missing.
    pub unverified: Option<Duration>,
    /// What it was made of.
    pub parts: Parts,
}

/// The entries that an answer was made of. Kept as they were found: what they depend on is asked for by few.
#[derive(Debug, Clone)]
pub struct Parts {
    /// What the slug or SKU says, where one was asked for.
    pub via: Option<Arc<Entry>>,
    /// What it arrived at.
    pub entry: Arc<Entry>,
}

impl Parts {
    /// Everything whose change can change the answer.
    pub fn dependencies(&self) -> impl Iterator<Item = Dependency> {
        let entries = self.via.iter().chain(std::iter::once(&self.entry));
        entries.flat_map(|entry| entry.dependencies.iter().copied())
    }
}

/// What a store read found.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// A body to send.
    Found(Body),
    /// The slug was retired; the product now has this one.
    MovedTo(Arc<str>),
    /// Nothing there.
    Absent,
}
