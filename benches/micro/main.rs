//! The steps of the hot paths, one by one: what a hit consists of, and what is done once per version of a body.
//!
//! ```text
//! make bench-micro
//! ```

#![expect(clippy::unwrap_used, reason = "a benchmark on values of its own")]

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Addr, System};
use aisle::{
    cache::{Encoded, Entry, LocalCache, Value, encode},
    catalog::{
        actor::{CatalogActor, Envelope, Reader},
        messages::{Coding, Get, Key, ViewKey},
    },
    coherence::{
        Coherence, Moment, Stamp,
        core::{Renewal, Renewed},
        rules::Rules,
    },
    domain::{
        cursor,
        dependency::Dependency,
        list::{ListQuery, Place, SortKey, Start},
        merge_patch,
        money::Currency,
    },
    store::era::ExpectedEra,
    supervision::Restarts,
    telemetry::metrics::Metrics,
};
use criterion::{Criterion, criterion_group, criterion_main};
use prometheus::IntCounter;
use serde_json::json;
use uuid::Uuid;

/// Products in the cache.
const PRODUCTS: u128 = 10_000;

/// What a page of 20 cards depends on, about.
const PAGE_DEPENDENCIES: i64 = 50;

fn view() -> ViewKey {
    ViewKey { currency: Currency::parse("USD").unwrap(), locale: 0 }
}

fn product(number: u128) -> Key {
    Key::Product(Uuid::from_u128(number * 0x9e37_79b9_7f4a_7c15), view())
}

fn page() -> Key {
    Key::Page(Arc::new(ListQuery { limit: 20, ..ListQuery::default() }), view())
}

fn get(key: Key) -> Get {
    Get { key, view: view(), coding: Coding::Identity, min_position: 0, age_max: None }
}

/// About 2 KB of JSON.
fn body() -> Vec<u8> {
    let prose = (0..18)
        .map(|n| format!("Part {n} of a lamp for reading, sewing and the odd repair; its light is warm. "));
    serde_json::to_vec(
        &json!({"title": "Lamp", "description": prose.collect::<String>(), "prices": [6999, 7999]}),
    )
    .unwrap()
}

/// A member with a lease, and a cache of products and one page.
fn reader() -> Reader {
    let metrics = Metrics::new().unwrap();
    let rules = Rules::of(Duration::from_hours(1));
    let coherence = Coherence::new(rules, ExpectedEra::default(), Arc::clone(&metrics.coherence));
    coherence.joined(Uuid::from_u128(3), Uuid::from_u128(2), 10, Duration::ZERO);
    let reader = Reader {
        local: Arc::new(LocalCache::new(1 << 30)),
        coherence: Arc::new(coherence),
        fenced: IntCounter::new("fenced", "fenced").unwrap(),
    };
    let stamp = Stamp { era: reader.coherence.gate().era(), position: 10 };
    let put = |key: Key, dependencies: Vec<Dependency>| {
        let value = Value::Body(Encoded::new(1, &body()));
        reader.local.insert(key, Arc::new(Entry::new(stamp, dependencies, value)));
    };
    for number in 0..PRODUCTS {
        let own = i64::try_from(number).unwrap() * 0x2545_f491;
        put(product(number), (1..=4).map(|n| Dependency(own + n)).collect());
    }
    put(page(), (1..=PAGE_DEPENDENCIES).map(|n| Dependency(n * 0x1234_5677)).collect());
    renew(&reader);
    reader
}

/// One lease for the whole run, which outlasts it.
fn renew(reader: &Reader) {
    let since = reader.coherence.since();
    let renewal = Renewal {
        is_member: true,
        era: Some(Uuid::from_u128(2)),
        since,
        nonce: since.nonce,
        head: since.position,
        changes: Vec::new(),
        is_complete: true,
        members: Vec::new(),
    };
    assert_eq!(reader.coherence.renewed(Moment::now(), &renewal), Renewed::Extended);
}

fn hits(c: &mut Criterion) {
    let reader = reader();
    let gate = reader.coherence.gate();
    let entry = reader.local.get(&page()).unwrap();
    let mut group = c.benchmark_group("hit");
    group.bench_function("lease", |b| b.iter(|| gate.is_leased(black_box(Moment::now()))));
    group.bench_function("fence, 50 dependencies, first time", |b| {
        b.iter(|| gate.admits(black_box(entry.stamp), &entry.dependencies));
    });
    group.bench_function("fence, 50 dependencies, again", |b| b.iter(|| black_box(&entry).is_current(gate)));
    let keys: Vec<Key> = (0..PRODUCTS).map(product).collect();
    let mut next = keys.iter().cycle();
    group.bench_function("cache, 10,000 products", |b| b.iter(|| reader.local.get(next.next().unwrap())));
    group.bench_function("cache, a page", |b| {
        let page = page();
        b.iter(|| reader.local.get(black_box(&page)));
    });
    let mut gets = keys.iter().cycle().map(|key| get(key.clone()));
    group.bench_function("whole look-up", |b| b.iter(|| reader.look_up(&gets.next().unwrap())));
    group.finish();
    hop(c, &reader);
}

/// From the handler to the catalogue actor on the same thread, and back.
fn hop(c: &mut Criterion, reader: &Reader) {
    let system = System::new();
    let restarts = Restarts::new(1, Duration::from_secs(1), Metrics::new().unwrap());
    let actor: Addr<CatalogActor> =
        system.block_on(async { CatalogActor::new(reader.clone(), restarts).start() });
    c.bench_function("hit/look-up by the actor", |b| {
        b.iter_custom(|times| {
            system.block_on(async {
                let began = Instant::now();
                for _ in 0..times {
                    #[expect(clippy::disallowed_methods, reason = "the hop itself is measured")]
                    let answer = actor.send(Envelope(get(product(7)))).await;
                    black_box(answer).unwrap().unwrap();
                }
                began.elapsed()
            })
        });
    });
}

fn bodies(c: &mut Criterion) {
    let body = body();
    let mut group = c.benchmark_group("once per version of 2 KB");
    group.bench_function("entity tag", |b| b.iter(|| Encoded::new(1, black_box(&body))));
    for (name, coding) in [("gzip", Coding::Gzip), ("br", Coding::Brotli), ("zstd", Coding::Zstd)] {
        group.bench_function(name, |b| b.iter(|| encode::encode(black_box(&body), coding)));
    }
    group.finish();
}

fn texts(c: &mut Criterion) {
    let document = json!({"title": "Lamp", "attributes": {"colour": "red", "size": "M"}, "tags": ["a", "b"]});
    let patch = json!({"title": "Standing lamp", "attributes": {"size": null, "weight": 5}});
    c.bench_function("merge patch", |b| {
        b.iter(|| {
            let mut document = document.clone();
            merge_patch::apply(&mut document, black_box(&patch));
            document
        });
    });
    let start = Start::After(Place { key: SortKey::Title("A lamp".into()), id: Uuid::from_u128(7) });
    let token = cursor::encode(b"list", &start);
    c.bench_function("cursor/write", |b| b.iter(|| cursor::encode(b"list", black_box(&start))));
    c.bench_function("cursor/read", |b| b.iter(|| cursor::decode(b"list", black_box(&token))));
}

criterion_group!(benches, hits, bodies, texts);
criterion_main!(benches);
