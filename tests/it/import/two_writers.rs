//! Batches that two transactions write at a time: what comes out is what one makes, and either both are in or none is.

use std::{collections::BTreeSet, thread};

use aisle::{
    domain::dependency::Dependency,
    import::{catalogue::StoredCatalogue, jsonl::JsonLines, report::Report, run::run},
    store::{Connection, pool::connect_for_bulk},
};
use serde_json::json;
use uuid::Uuid;

use super::{Nobody, batches::everything, counts, words};
use crate::{
    catalogue::{number, psql, texts},
    support::{
        database::database,
        waiting::{PATIENCE, wait_until},
    },
};

/// Enough to be shared out, also by halves: a batch that failed and was written in halves would make more events.
const PRODUCTS: usize = 500;

fn import(first: &mut Connection, second: Option<&mut Connection>, lines: &[String]) -> Report {
    let mut catalogue = StoredCatalogue::new(first).with_second(second);
    let content = lines.join("\n");
    run(&mut JsonLines::new(content.as_bytes()), &mut catalogue, false, &mut Nobody).unwrap()
}

/// Every fifth has names that nobody had before.
fn lines(from: usize, word: &str) -> Vec<String> {
    let line = |n: usize| {
        let new = n.is_multiple_of(5);
        let name =
            |kind: &str| if new { format!("{kind} {word} {}", n / 40) } else { format!("{kind} known") };
        let level = |code: String| json!({"location": code, "quantity": n % 9});
        json!({"external_id": format!("e-{n}"), "title": format!("{word} {n}"), "brand": name("Brand"),
            "categories": [format!("Home > {}", name("Category"))], "tags": [name("tag"), "all"],
            "attributes": {"watts": n},
            "translations": {"de": {"title": format!("Leuchte {n}")}},
            "media": [{"url": format!("https://example.com/{n}.jpg")}],
            "variants": [
                {"sku": format!("S-{n}"), "options": {"Size": "S"}, "stock": [level(name("shelf"))],
                 "prices": [{"currency": "USD", "amount": n}, {"currency": "EUR", "amount": n}]},
                {"sku": format!("M-{n}"), "options": {"Size": "M"}, "media": [format!("https://example.com/{n}.jpg")]}]})
        .to_string()
    };
    (from..from + PRODUCTS).map(line).collect()
}

/// The dependencies of each event.
fn event_deps(connection: &mut Connection) -> Vec<BTreeSet<i64>> {
    let pulled = aisle::store::events::pull(connection, 0, 100).unwrap();
    pulled.events.into_iter().map(|event| event.deps.into_iter().collect()).collect()
}

#[test]
fn two_leave_what_one_leaves() {
    let known: Vec<String> = lines(1000, "Old").into_iter().take(3).collect();
    let mut found = Vec::new();
    for writers in [1, 2] {
        let database = database();
        let (mut first, mut second) = (database.connect(), database.connect());
        let mut second = (writers == 2).then_some(&mut second);
        import(&mut first, second.as_deref_mut(), &known);
        assert_eq!(counts(&import(&mut first, second.as_deref_mut(), &lines(0, "Lamp"))), [500, 0, 0, 0]);
        found.push(everything(&mut first));

        let events = event_deps(&mut first);
        assert_eq!(events.len(), 1 + writers, "one of what was there before, and one of each transaction");
        let batch = events.get(1..).unwrap();
        let ids = "SELECT concat(id, ' ', external_id) AS text FROM product WHERE title LIKE 'Lamp%'";
        for product in texts(&mut first, ids) {
            let (id, external_id) = product.split_once(' ').unwrap();
            let n = external_id.strip_prefix("e-").unwrap();
            let names = [
                Dependency::product(&Uuid::parse_str(id).unwrap()),
                Dependency::slug(&format!("lamp-{n}")),
                Dependency::sku(&format!("S-{n}")),
                Dependency::sku(&format!("M-{n}")),
            ];
            let named = |deps: &&BTreeSet<i64>| names.iter().filter(|name| deps.contains(&name.0)).count();
            let mut times: Vec<usize> = batch.iter().map(|deps| named(&deps)).collect();
            times.sort_unstable();
            let whole = if writers == 1 { vec![4] } else { vec![0, 4] };
            assert_eq!(times, whole, "all of {product} in one event");
        }
        assert!(batch.iter().all(|deps| deps.contains(&Dependency::listing_all().0)));
        assert_eq!(counts(&import(&mut first, second, &lines(0, "Lamp"))), [0, 0, 500, 0]);
        assert_eq!(event_deps(&mut first).len(), 1 + writers, "nothing changed");
    }
    let [one, two] = found.try_into().unwrap();
    assert_eq!(one, two);
}

/// The second transaction has the first products, the first one the last.
#[test]
fn a_refused_product_undoes_both() {
    for refused in [3, 495] {
        let database = database();
        let (mut first, mut second) = (database.connect(), database.connect());
        psql(
            &mut first,
            &format!(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                   IF NEW.title = 'Lamp {refused}' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; \
                 CREATE TRIGGER refuse BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION refuse()"
            ),
        );
        let report = import(&mut first, Some(&mut second), &lines(0, "Lamp"));
        assert_eq!(
            counts(&report),
            [499, 0, 0, 1],
            "none counts as one that was there: {:?}",
            words(&report)
        );
        let at: Vec<u64> = report.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(at, [refused + 1]);
        assert_eq!(number(&mut first, "SELECT count(*) AS number FROM product"), 499);
    }
}

/// Somebody else's lock holds up both, and nobody knows for how long: then one writes it all, and waits as an import does.
#[test]
fn who_waits_for_a_lock_goes_on_alone() {
    let database = database();
    let mut observer = database.connect();
    let known: Vec<String> = lines(1000, "Old").into_iter().take(3).collect();
    import(&mut observer, None, &known);
    // None has new names: so only a batch that is tried again takes their lock, 4202.
    let lines = (0..PRODUCTS).zip(lines(0, "Lamp")).filter(|(n, _)| n % 5 != 0).map(|(_, line)| line);
    let lines: Vec<String> = lines.collect();
    let mut holder = database.connect();
    psql(&mut holder, "BEGIN; SELECT pg_advisory_xact_lock(4203)");
    let again = "SELECT count(*) AS number FROM pg_locks a JOIN pg_locks b USING (pid, locktype, database) \
                 WHERE locktype = 'advisory' AND a.objid = 4202 AND a.granted AND b.objid = 4203 AND NOT b.granted \
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    thread::scope(|scope| {
        let importing = scope.spawn(|| {
            let connect = || connect_for_bulk(&database.url).unwrap();
            import(&mut connect(), Some(&mut connect()), &lines)
        });
        wait_until(PATIENCE, "one to wait alone", || number(&mut observer, again) == 1);
        psql(&mut holder, "COMMIT");
        assert_eq!(counts(&importing.join().unwrap()), [400, 0, 0, 0]);
        assert_eq!(
            event_deps(&mut observer).len(),
            2,
            "one event of what was there before, and one of all the others"
        );
    });
}
