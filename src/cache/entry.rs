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
                Value::Product { body, card } => body.weight() + card.len() + SHARED_BYTES,
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

/// A ready-to-send body in the codings made so far. Small itself: there are as many as cached answers.
#[derive(Debug, Clone)]
pub struct Encoded {
    identity: Coded,
    /// Once another coding was asked for.
    codings: Option<Box<Codings>>,
    /// Of pages of lists.
    page: Option<Box<Page>>,
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

#[derive(Debug, Clone, Default)]
struct Codings {
    gzip: Variant,
    brotli: Variant,
    zstd: Variant,
}

#[derive(Debug, Clone, Default)]
enum Variant {
    /// Not asked for yet.
    #[default]
    Unmade,
    /// Would not be smaller: identity is sent.
    Useless,
    Made(Coded),
}

/// What a page of a list has besides its body.
#[derive(Debug, Clone)]
struct Page {
    /// Tokens of the pages around it.
    cursors: Cursors,
    /// What it tells of its ids, once they are known to be right.
    listing: Option<Listing>,
}

impl Encoded {
    /// A body of exact size with the tag of its version and content.
    pub fn new(version: i64, json: &[u8]) -> Self {
        Self::with_tag(&encode::tag(version, json), Bytes::copy_from_slice(json))
    }

    /// A body whose tag is known (from the shared cache).
    pub(super) fn with_tag(tag: &str, identity: Bytes) -> Self {
        let identity = Coded { bytes: identity, etag: encode::etag(tag, Coding::Identity) };
        Self { identity, codings: None, page: None }
    }

    /// The same body as a page among others.
    #[must_use]
    pub fn among(mut self, cursors: Cursors) -> Self {
        self.page = Some(Box::new(Page { cursors, listing: None }));
        self
    }

    /// The same page with these ids.
    #[must_use]
    pub fn listing(mut self, listing: Listing) -> Self {
        if let Some(page) = &mut self.page {
            page.listing = Some(listing);
        }
        self
    }

    /// What it tells of its ids; only known of pages of lists.
    pub fn listed(&self) -> Option<Listing> {
        self.page.as_ref()?.listing
    }

    /// The body for a client that prefers `coding`; `None` when that coding is yet to be made.
    pub fn body(&self, coding: Coding) -> Option<Body> {
        let made = match (coding, &self.codings) {
            (Coding::Identity, _) => None,
            _ if self.identity.bytes.len() < encode::CODING_BYTES_MIN => None,
            (_, None) => return None,
            (_, Some(codings)) => match codings.get(coding) {
                Variant::Unmade => return None,
                Variant::Useless => None,
                Variant::Made(coded) => Some(coded),
            },
        };
        let (coded, coding) = made.map_or((&self.identity, Coding::Identity), |coded| (coded, coding));
        Some(Body {
            bytes: coded.bytes.clone(),
            coding,
            etag: coded.etag.clone(),
            cursors: self.page.as_ref().map(|page| page.cursors.clone()).unwrap_or_default(),
        })
    }

    /// The same body with `coding` made (or found useless).
    #[must_use]
    pub fn with(&self, coding: Coding) -> Self {
        let made = encode::encode(&self.identity.bytes, coding).map_or(Variant::Useless, |bytes| {
            Variant::Made(Coded { bytes, etag: encode::etag(self.tag(), coding) })
        });
        let mut encoded = self.clone();
        encoded.set(coding, made);
        encoded
    }

    /// Takes over bytes that another instance has made.
    pub(super) fn adopt(&mut self, coding: Coding, bytes: Bytes) {
        let etag = encode::etag(self.tag(), coding);
        self.set(coding, Variant::Made(Coded { bytes, etag }));
    }

    /// The version of which the tag speaks.
    pub fn version(&self) -> i64 {
        let digits = self.tag().strip_prefix('v').and_then(|rest| rest.split('-').next());
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    }

    /// Entity tag of the identity bytes, with quotes.
    pub fn etag(&self) -> &str {
        self.identity.etag.to_str().unwrap_or_default()
    }

    /// The tag's text without quotes and suffix.
    pub fn tag(&self) -> &str {
        self.etag().trim_matches('"')
    }

    /// The identity bytes.
    pub fn identity(&self) -> &Bytes {
        &self.identity.bytes
    }

    /// The codings made so far, besides identity.
    pub(super) fn made(&self) -> impl Iterator<Item = (Coding, &Bytes)> {
        self.made_codings().map(|(coding, coded)| (coding, &coded.bytes))
    }

    fn made_codings(&self) -> impl Iterator<Item = (Coding, &Coded)> {
        let codings = self.codings.iter().flat_map(|codings| {
            [(Coding::Gzip, &codings.gzip), (Coding::Brotli, &codings.brotli), (Coding::Zstd, &codings.zstd)]
        });
        codings.filter_map(|(coding, variant)| match variant {
            Variant::Made(coded) => Some((coding, coded)),
            Variant::Unmade | Variant::Useless => None,
        })
    }

    /// Bytes it holds beside itself.
    fn weight(&self) -> usize {
        let page = self.page.as_ref().map_or(0, |page| {
            let tokens = [&page.cursors.next, &page.cursors.previous];
            size_of_val(&**page) + tokens.into_iter().flatten().map(|token| token.len()).sum::<usize>()
        });
        let coded = self.made_codings().map(|(_, coded)| coded).chain([&self.identity]);
        let codings = self.codings.as_ref().map_or(0, |codings| size_of_val(&**codings));
        page + codings + coded.map(Coded::weight).sum::<usize>()
    }

    fn set(&mut self, coding: Coding, variant: Variant) {
        if let Some(place) = self.codings.get_or_insert_default().place(coding) {
            *place = variant;
        }
    }
}

impl Coded {
    fn weight(&self) -> usize {
        self.bytes.len() + self.etag.len() + 2 * SHARED_BYTES
    }
}

/// What counts the holders of shared bytes.
const SHARED_BYTES: usize = 24;

impl Codings {
    fn get(&self, coding: Coding) -> &Variant {
        match coding {
            Coding::Identity => &Variant::Useless,
            Coding::Gzip => &self.gzip,
            Coding::Brotli => &self.brotli,
            Coding::Zstd => &self.zstd,
        }
    }

    fn place(&mut self, coding: Coding) -> Option<&mut Variant> {
        match coding {
            Coding::Identity => None,
            Coding::Gzip => Some(&mut self.gzip),
            Coding::Brotli => Some(&mut self.brotli),
            Coding::Zstd => Some(&mut self.zstd),
        }
    }
}
