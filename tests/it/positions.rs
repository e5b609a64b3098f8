//! What a look-up may answer: with a lease only, at no later position than was read, name and product of one instant.

use std::{sync::Arc, time::Duration};

use aisle::{
    cache::{Encoded, Entry, LocalCache, Value},
    catalog::{
        actor::{Lookup, Reader},
        messages::{Coding, Get, Key, Source, ViewKey},
    },
    coherence::{
        Change, Coherence, Moment, Stamp,
        core::{Push, Renewal, Renewed},
        rules::Rules,
    },
    domain::{dependency::Dependency, money::Currency},
    store::era::ExpectedEra,
    telemetry::metrics::Metrics,
};
use prometheus::IntCounter;
use uuid::Uuid;

const PRODUCT: Uuid = Uuid::from_u128(1);
const ERA: Uuid = Uuid::from_u128(2);
const OWN: Uuid = Uuid::from_u128(3);

fn view() -> ViewKey {
    ViewKey { currency: Currency::parse("USD").expect("a currency"), locale: 0 }
}

fn by_slug() -> Key {
    Key::Slug("lamp".into())
}

fn by_id() -> Key {
    Key::Product(PRODUCT, view())
}

/// A member with a lease that has applied the log up to `applied`, where nothing has happened yet.
fn member(applied: i64) -> Arc<Coherence> {
    let metrics = Metrics::new().expect("metrics");
    let rules = Rules::of(Duration::from_secs(5));
    let coherence = Coherence::new(rules, ExpectedEra::default(), Arc::clone(&metrics.coherence));
    coherence.joined(OWN, ERA, applied, Duration::ZERO);
    assert_eq!(renew(&coherence), Renewed::Extended);
    Arc::new(coherence)
}

/// A renewal by a database in which nothing has happened since.
fn renew(coherence: &Coherence) -> Renewed {
    let since = coherence.since();
    let renewal = Renewal {
        is_member: true,
        era: Some(ERA),
        since,
        nonce: since.nonce,
        head: since.position,
        changes: Vec::new(),
        is_complete: true,
        members: Vec::new(),
    };
    coherence.renewed(Moment::now(), &renewal)
}

/// A reader with an entry for the slug and one for its product, where a stamp is given.
fn reader(applied: i64, slug: Option<i64>, product: Option<i64>) -> Reader {
    let coherence = member(applied);
    let era = coherence.gate().era();
    let local = LocalCache::new(1 << 20);
    let keep = |key: Key, position: Option<i64>, dependency: Dependency, value: Value| {
        if let Some(position) = position {
            let stamp = Stamp { era, position };
            local.insert(key, Arc::new(Entry::new(stamp, [dependency], value)));
        }
    };
    keep(by_slug(), slug, Dependency::slug("lamp"), Value::Names(PRODUCT));
    keep(by_id(), product, Dependency::product(&PRODUCT), Value::Body(Encoded::new(1, b"{}")));
    let fenced = IntCounter::new("fenced", "fenced").expect("a counter");
    Reader { local: Arc::new(local), coherence, fenced }
}

fn look_up(reader: &Reader, key: Key) -> Lookup {
    reader.look_up(&Get { key, view: view(), coding: Coding::Identity, min_position: 0, age_max: None })
}

fn position(reader: &Reader, key: Key) -> i64 {
    match look_up(reader, key) {
        Lookup::Hit(answer) => {
            assert_eq!((answer.source, answer.unverified), (Source::Local, None));
            answer.position
        }
        other @ (Lookup::Miss { .. } | Lookup::Lapsed) => panic!("{other:?}"),
    }
}

fn missing(reader: &Reader, key: Key) -> (Key, bool) {
    match look_up(reader, key) {
        Lookup::Miss { key, via } => (key, via.is_some()),
        other @ (Lookup::Hit(_) | Lookup::Lapsed) => panic!("{other:?}"),
    }
}

fn touch(reader: &Reader, position: i64, dependency: Dependency) {
    let change = Change {
        position,
        nonce: Uuid::new_v4(),
        dependencies: vec![dependency],
        joined: Vec::new(),
        departed: Vec::new(),
        committed_us: 0,
    };
    reader.coherence.pushed(ERA, &change);
    assert_eq!(reader.coherence.gate().applied(), position);
}

#[test]
fn an_answer_is_as_late_as_what_is_applied() {
    let reader = reader(40, Some(40), Some(40));
    assert_eq!((position(&reader, by_slug()), position(&reader, by_id())), (40, 40));
    touch(&reader, 41, Dependency::slug("another"));
    assert_eq!((position(&reader, by_slug()), position(&reader, by_id())), (41, 41));
}

#[test]
fn a_miss_on_the_way_remembers_the_way() {
    assert_eq!(missing(&reader(30, Some(30), None), by_slug()), (by_id(), true));
    assert_eq!(missing(&reader(30, None, Some(30)), by_slug()), (by_slug(), false));
}

#[test]
fn what_a_change_has_touched_is_missing() {
    let reader = reader(30, Some(30), Some(30));
    touch(&reader, 31, Dependency::slug("lamp"));
    assert_eq!(missing(&reader, by_slug()), (by_slug(), false));
    assert_eq!(position(&reader, by_id()), 31);
    touch(&reader, 32, Dependency::product(&PRODUCT));
    assert_eq!(missing(&reader, by_id()), (by_id(), false));
}

#[test]
fn nothing_is_answered_without_a_lease_but_what_says_so() {
    let reader = reader(30, Some(30), Some(30));
    reader.coherence.lapse();
    assert!(matches!(look_up(&reader, by_id()), Lookup::Lapsed));
    let get = Get { key: by_slug(), view: view(), coding: Coding::Identity, min_position: 0, age_max: None };
    let answer = reader.look_up_unverified(&get).expect("what is cached");
    assert!(answer.unverified.is_some_and(|age| age < Duration::from_mins(1)));
}

#[test]
fn entries_of_an_era_that_ended_are_worth_nothing() {
    let reader = reader(30, Some(30), Some(30));
    let another = Renewal {
        is_member: true,
        era: Some(Uuid::from_u128(9)),
        since: reader.coherence.since(),
        nonce: None,
        head: 7,
        changes: Vec::new(),
        is_complete: true,
        members: Vec::new(),
    };
    assert_eq!(reader.coherence.renewed(Moment::now(), &another), Renewed::AnotherEra);
    // Positions start again below those that were.
    reader.coherence.joined(Uuid::from_u128(4), Uuid::from_u128(9), 7, Duration::ZERO);
    let renewal = Renewal { since: reader.coherence.since(), ..another };
    assert_eq!(reader.coherence.renewed(Moment::now(), &renewal), Renewed::Extended);
    assert_eq!(missing(&reader, by_id()), (by_id(), false));
    assert_eq!(reader.coherence.gate().applied(), 7);
}

#[test]
fn messages_advance_nothing_while_the_keeper_is_cut_off() {
    let coherence = member(0);
    let dependencies = vec![Dependency::slug("lamp")];
    let push = |position| {
        let change = Change {
            position,
            nonce: Uuid::from_u128(9),
            dependencies: dependencies.clone(),
            joined: Vec::new(),
            departed: Vec::new(),
            committed_us: 0,
        };
        coherence.pushed(ERA, &change)
    };
    assert_eq!(push(1), Push::Applied);
    coherence.lost_sight();
    // Next to what was applied may be next to what was lost.
    assert_eq!((push(2), coherence.gate().applied()), (Push::Gap, 1));
    let stamp = Stamp { era: coherence.gate().era(), position: 1 };
    assert!(!coherence.gate().admits(stamp, &dependencies), "what it touched is distrusted all the same");
    assert_eq!((renew(&coherence), push(2)), (Renewed::Extended, Push::Applied));
}
