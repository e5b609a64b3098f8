//! A cached answer: what it says, the log position it was read at, and what it depends on.

use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use uuid::Uuid;

use super::encode;
use crate::{
    catalog::messages::{Body, Coding, Cursors},
    coherence::{Checked, Gate, Moment, Stamp},
    domain::{dependency::Dependency, list::ListPage},
};

/// A cached answer with its stamp. Immutable: a change makes a new one. Only what is remembered of checks changes.
#[derive(Debug)]
pub struct Entry {
    /// Where it was read: it reflects every event on its dependencies up to there.
    pub stamp: Stamp,
    /// What can change it.
    pub dependencies: Box<[Dependency]>,
    /// What it says.
    pub value: Value,
    checked: Checked,
}

impl Entry {
    /// What was read at `stamp`.
    pub fn new(stamp: Stamp, dependencies: impl Into<Box<[Dependency]>>, value: Value) -> Self {
        Self { stamp, dependencies: dependencies.into(), value, checked: Checked::default() }
    }

    /// Whether it has missed no change that is known here.
    pub fn is_current(&self, gate: &Gate) -> bool {
        gate.admits_again(self.stamp, &self.dependencies, &self.checked)
    }

    /// Bytes it holds, for the cache's bound.
    pub fn weight(&self) -> usize {
        let fixed = size_of::<Self>() + size_of_val(&*self.dependencies);
        fixed
            + match &self.value {
                Value::Product { body, card } => body.weight() + card.len(),
                Value::Body(body) => body.weight(),
                Value::Moved(slug) => slug.len(),
                Value::Ids(page) => page.weight(),
                Value::Names(_) | Value::Absent => 0,
            }
    }
}

/// What an entry says.
#[derive(Debug)]
pub enum Value {
    /// A product's answer and its card in lists.
    Product {
        /// The answer in its codings.
        body: Encoded,
        /// JSON of the card.
        card: Bytes,
    },
    /// Any other ready-to-send answer.
    Body(Encoded),
    /// A slug or SKU names this product.
    Names(Uuid),
    /// A retired slug; the product's current one.
    Moved(Arc<str>),
    /// The ids of one page of a list, in order, and what was counted.
    Ids(Arc<ListPage>),
    /// Nothing there.
    Absent,
}

/// A ready-to-send body in the codings made so far.
#[derive(Debug, Clone)]
pub struct Encoded {
    /// Tag text without quotes and coding suffix.
    tag: Arc<str>,
    /// Tokens of the pages around it, for pages of lists.
    cursors: Cursors,
    /// For pages of lists.
    listing: Option<Listing>,
    identity: Coded,
    gzip: Variant,
    brotli: Variant,
    zstd: Variant,
}

/// What a page of a list tells of its ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listing {
    /// Everything acknowledged before is in it.
    pub read: Moment,
    /// So many of the entry's dependencies, the first ones, are those of the ids and counts; the others are those of the cards.
    pub dependencies: usize,
}

/// Bytes of one coding with their entity tag.
#[derive(Debug, Clone)]
struct Coded {
    bytes: Bytes,
    etag: HeaderValue,
}

#[derive(Debug, Clone)]
enum Variant {
    /// Not asked for yet.
    Unmade,
    /// Would not be smaller: identity is sent.
    Useless,
    Made(Coded),
}

impl Encoded {
    /// A body of exact size with the tag of its version and content.
    pub fn new(version: i64, json: &[u8]) -> Self {
        let tag = encode::tag(version, json);
        Self::with_tag(tag.into(), Bytes::copy_from_slice(json))
    }

    /// A body whose tag is known (from the shared cache).
    pub(super) fn with_tag(tag: Arc<str>, identity: Bytes) -> Self {
        let unmade =
            if identity.len() < encode::CODING_BYTES_MIN { Variant::Useless } else { Variant::Unmade };
        let identity = Coded { bytes: identity, etag: encode::etag(&tag, Coding::Identity) };
        Self {
            tag,
            cursors: Cursors::default(),
            listing: None,
            identity,
            gzip: unmade.clone(),
            brotli: unmade.clone(),
            zstd: unmade,
        }
    }

    /// The same body as a page among others.
    #[must_use]
    pub fn among(mut self, cursors: Cursors) -> Self {
        self.cursors = cursors;
        self
    }

    /// The same body as a page with these ids.
    #[must_use]
    pub fn listing(mut self, listing: Listing) -> Self {
        self.listing = Some(listing);
        self
    }

    /// What it tells of its ids; only known of pages of lists.
    pub fn listed(&self) -> Option<Listing> {
        self.listing
    }

    /// The body for a client that prefers `coding`; `None` when that coding is yet to be made.
    pub fn body(&self, coding: Coding) -> Option<Body> {
        let (coded, coding) = match self.variant(coding) {
            None | Some(Variant::Useless) => (&self.identity, Coding::Identity),
            Some(Variant::Made(coded)) => (coded, coding),
            Some(Variant::Unmade) => return None,
        };
        Some(Body {
            bytes: coded.bytes.clone(),
            coding,
            etag: coded.etag.clone(),
            cursors: self.cursors.clone(),
        })
    }

    /// The same body with `coding` made (or found useless).
    #[must_use]
    pub fn with(&self, coding: Coding) -> Self {
        let made = encode::encode(&self.identity.bytes, coding).map_or(Variant::Useless, |bytes| {
            Variant::Made(Coded { bytes, etag: encode::etag(&self.tag, coding) })
        });
        let mut encoded = self.clone();
        encoded.set(coding, made);
        encoded
    }

    /// Takes over bytes that another instance has made.
    pub(super) fn adopt(&mut self, coding: Coding, bytes: Bytes) {
        let etag = encode::etag(&self.tag, coding);
        self.set(coding, Variant::Made(Coded { bytes, etag }));
    }

    /// The version of which the tag speaks.
    pub fn version(&self) -> i64 {
        let digits = self.tag.strip_prefix('v').and_then(|rest| rest.split('-').next());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// The tag's text without quotes and suffix.
    pub fn tag(&self) -> &Arc<str> {
        &self.tag
    }

    /// The identity bytes.
    pub fn identity(&self) -> &Bytes {
        &self.identity.bytes
    }

    /// The codings made so far, besides identity.
    pub(super) fn made(&self) -> impl Iterator<Item = (Coding, &Bytes)> {
        [(Coding::Gzip, &self.gzip), (Coding::Brotli, &self.brotli), (Coding::Zstd, &self.zstd)]
            .into_iter()
            .filter_map(|(coding, variant)| match variant {
                Variant::Made(coded) => Some((coding, &coded.bytes)),
                Variant::Unmade | Variant::Useless => None,
            })
    }

    fn weight(&self) -> usize {
        // Besides the bytes: the tag once, and an entity tag per coding.
        let tokens = [&self.cursors.next, &self.cursors.previous];
        let tokens: usize = tokens.into_iter().flatten().map(|token| token.len()).sum();
        self.tag.len() * 2
            + tokens
            + self.identity.bytes.len()
            + self.made().map(|(_, bytes)| bytes.len() + self.tag.len()).sum::<usize>()
    }

    fn variant(&self, coding: Coding) -> Option<&Variant> {
        match coding {
            Coding::Identity => None,
            Coding::Gzip => Some(&self.gzip),
            Coding::Brotli => Some(&self.brotli),
            Coding::Zstd => Some(&self.zstd),
        }
    }

    fn set(&mut self, coding: Coding, variant: Variant) {
        match coding {
            Coding::Identity => {}
            Coding::Gzip => self.gzip = variant,
            Coding::Brotli => self.brotli = variant,
            Coding::Zstd => self.zstd = variant,
        }
    }
}
