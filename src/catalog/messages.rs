//! What is asked of the catalogue and what it answers. No connection type appears here.

use std::{sync::Arc, time::Duration};

use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use uuid::Uuid;

use crate::domain::money::Currency;

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

/// What a store read names. Each is one cache key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A product by id.
    Product(Uuid, ViewKey),
    /// What a slug names: a product, or the slug it moved to.
    Slug(Box<str>),
    /// What a SKU names.
    Sku(Box<str>),
    /// The ordered ids of one page of a list.
    Ids(Box<ListQuery>),
    /// One page of a list, composed of cards.
    Page(Box<ListQuery>, ViewKey),
    /// The category tree.
    Tree,
    /// One category by id or slug.
    Category(Box<str>),
    /// All brands.
    Brands,
    /// The attributes that lists can be filtered or counted by.
    Attributes,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ListQuery {
    /// Id or slug of the category whose subtree is listed; absent: the whole catalogue.
    pub category: Option<Box<str>>,
    /// Order of the list.
    pub sort: Sort,
    /// Items per page, 1 to [`crate::limits::PAGE_SIZE_MAX`].
    pub limit: u16,
    /// Where the page starts; absent: at the beginning.
    pub after: Option<Cursor>,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sort {
    /// Latest published first. The default.
    Newest,
    /// By title in code point order, then id.
    Title,
}

/// A place between two items of a list: the sort value and id of the item before it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Microseconds since 1970 for [`Sort::Newest`]; unused (0) for [`Sort::Title`].
    pub time_us: i64,
    /// Title for [`Sort::Title`]; empty for [`Sort::Newest`].
    pub title: Box<str>,
    /// Id of the item before the place.
    pub id: Uuid,
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
    /// Token of the next page, as in the body, for the `Link` of a list; absent on the last page and elsewhere.
    pub next_cursor: Option<Arc<str>>,
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
