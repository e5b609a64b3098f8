//! `Catalog-Position` promises that nothing older was answered: it never names a later position than was read.

use std::sync::Arc;

use aisle::{
    cache::{Encoded, Entry, LocalCache, Value},
    catalog::{
        actor::{Lookup, Reader},
        messages::{Coding, Get, Key, Source, ViewKey},
    },
    coherence::{Log, log::Change},
    domain::money::Currency,
};
use prometheus::IntCounter;
use uuid::Uuid;

const PRODUCT: Uuid = Uuid::from_u128(1);

fn view() -> ViewKey {
    ViewKey { currency: Currency::parse("USD").expect("a currency"), locale: 0 }
}

/// A reader that has applied the log up to `applied`, and an entry for the slug and one for its product where a stamp is
/// given.
fn reader(applied: i64, slug: Option<i64>, product: Option<i64>) -> Reader {
    let log = Log::default();
    log.apply_pulled(&[Change { position: applied, dependencies: Vec::new() }]);
    let local = LocalCache::new(1 << 20);
    let keep = |key: Key, stamp: Option<i64>, value: Value| {
        if let Some(stamp) = stamp {
            local.insert(key, Arc::new(Entry { stamp, dependencies: Box::default(), value }));
        }
    };
    keep(Key::Slug("lamp".into()), slug, Value::Names(PRODUCT));
    keep(Key::Product(PRODUCT, view()), product, Value::Body(Encoded::new(1, b"{}")));
    Reader {
        local: Arc::new(local),
        log: Arc::new(log),
        fenced: IntCounter::new("fenced", "fenced").expect("a counter"),
    }
}

fn look_up(reader: &Reader, key: Key) -> Lookup {
    reader.look_up(&Get { key, view: view(), coding: Coding::Identity })
}

fn position(reader: &Reader, key: Key) -> i64 {
    match look_up(reader, key) {
        Lookup::Hit(answer) => {
            assert_eq!(answer.source, Source::Local);
            answer.position
        }
        Lookup::Miss { key, .. } => panic!("{key:?} is missing"),
    }
}

#[test]
fn an_answer_over_a_slug_is_as_late_as_the_earlier_of_the_two() {
    let by_slug = || Key::Slug("lamp".into());
    let by_id = || Key::Product(PRODUCT, view());
    for (applied, slug, product, expected) in [
        // Nothing has changed since they were read: current up to what is applied.
        (40, 20, 30, 40),
        // Both were read ahead of what is applied here.
        (10, 20, 30, 20),
        (10, 30, 20, 20),
        // One of them was.
        (25, 20, 30, 25),
        (25, 30, 20, 25),
    ] {
        let reader = reader(applied, Some(slug), Some(product));
        let case = format!("applied {applied}, slug {slug}, product {product}");
        assert_eq!(position(&reader, by_slug()), expected, "{case}");
        assert_eq!(position(&reader, by_id()), applied.max(product), "{case}");
    }
}

#[test]
fn a_miss_on_the_way_remembers_how_late_the_way_is() {
    let missing = |reader: &Reader| match look_up(reader, Key::Slug("lamp".into())) {
        Lookup::Miss { key, up_to } => (key, up_to),
        Lookup::Hit(answer) => panic!("{answer:?}"),
    };
    let product = Key::Product(PRODUCT, view());
    assert_eq!(missing(&reader(10, Some(20), None)), (product.clone(), 20));
    assert_eq!(missing(&reader(30, Some(20), None)), (product, 30));
    assert_eq!(missing(&reader(30, None, Some(20))), (Key::Slug("lamp".into()), i64::MAX), "no way yet");
}
