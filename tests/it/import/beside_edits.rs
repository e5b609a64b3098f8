//! Imports of products that are edited meanwhile: nobody fails, and no edit is lost but by what a file says.

use std::{
    collections::BTreeMap,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use aisle::{
    import::{catalogue::StoredCatalogue, jsonl::JsonLines, run::run, source::Source},
    store::pool::connect_for_bulk,
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Nobody, counts, file, open, words};
use crate::{
    catalogue::texts,
    support::{
        app::App,
        database::database,
        waiting::{PATIENCE, wait_until},
    },
};

/// Products of the Shopify file, which says nothing of descriptions, stock and prices in euros.
const ROWS: usize = 150;

/// All products; those beyond the rows are in the file of JSON lines, which says nothing of slugs and stock.
const PRODUCTS: usize = 201;

const ROUNDS: usize = 10;
const EDITORS: usize = 3;

/// Edits between two rounds at least.
const EDITS: u64 = 40;

/// Products and their variants, by number.
fn ids(app: &App) -> Vec<(String, String)> {
    let mut connection = app.database.as_ref().unwrap().connect();
    let query = "SELECT concat(p.id, ' ', v.id) AS text FROM product p JOIN variant v ON v.product_id = p.id \
                 ORDER BY substr(v.sku, 3)::int";
    let pairs = texts(&mut connection, query);
    pairs
        .iter()
        .map(|pair| pair.split_once(' ').unwrap())
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .collect()
}

fn rows(round: usize) -> String {
    let row = |n: usize| {
        format!("lamp-{n},Lamp {n} of {},Vendor {round},\"t {round},all\",S-{n},{round}\n", round * (n % 2))
    };
    let rows: String = (0..ROWS).map(row).collect();
    format!("Handle,Title,Vendor,Tags,Variant SKU,Variant Price\n{rows}")
}

fn lines(round: usize) -> String {
    let line = |n: usize| {
        let title = format!("Mug {n} of {}", round * (n % 2));
        json!({"external_id": n.to_string(), "title": title, "categories": [format!("Round {round} > Mugs")],
               "variants": [{"sku": format!("S-{n}")}]})
        .to_string()
    };
    (ROWS..PRODUCTS).map(line).collect::<Vec<_>>().join("\n")
}

/// Ends the editors, also when an import fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What editors were told is in, by product and kind.
type Acknowledged = BTreeMap<(usize, &'static str), Value>;

/// Edits one thing of one product; gives what is there now, unless the server was too busy.
fn edit(
    app: &App,
    (product, variant): &(String, String),
    n: usize,
    turn: u64,
) -> Option<(&'static str, Value)> {
    let path = format!("/v1/admin/products/{product}");
    let (kind, method, path, body, value) = match (turn % 3, n < ROWS) {
        (0, true) => (
            "description",
            Method::PATCH,
            path,
            json!({"description": format!("Edit {turn}")}),
            json!(format!("Edit {turn}")),
        ),
        (0, false) => (
            "slug",
            Method::PATCH,
            path,
            json!({"slug": format!("mug-{n}-{turn}")}),
            json!(format!("mug-{n}-{turn}")),
        ),
        (1, true) => (
            "euros",
            Method::PUT,
            format!("/v1/admin/variants/{variant}/prices/EUR"),
            json!({"amount": turn}),
            json!(turn),
        ),
        _ => (
            "stock",
            Method::PUT,
            format!("/v1/admin/variants/{variant}/stock/default"),
            json!({"quantity": turn}),
            json!(turn),
        ),
    };
    let answer = app.admin_json(method, &path, &body);
    let status = answer.status().as_u16();
    if status == 503 {
        return None;
    }
    assert_eq!(status, 200, "{kind} of {n}: {}", answer.text().unwrap());
    Some((kind, value))
}

fn stored(product: &Value, kind: &str) -> Value {
    let variant = &product["variants"][0];
    match kind {
        "stock" => variant["stock"][0]["quantity"].clone(),
        "euros" => {
            let prices = variant["prices"].as_array().unwrap();
            prices
                .iter()
                .find(|price| price["currency"] == "EUR")
                .map_or(Value::Null, |price| price["amount"].clone())
        }
        field => product[field].clone(),
    }
}

#[test]
fn edits_beside_imports_are_neither_refused_nor_lost() {
    let app = App::start();
    let mut connection = connect_for_bulk(&app.database.as_ref().unwrap().url).unwrap();
    let mut import = |source: &mut dyn Source| {
        let report = run(source, &mut StoredCatalogue::new(&mut connection), false, &mut Nobody).unwrap();
        assert_eq!(words(&report), [""; 0]);
        counts(&report)
    };
    let rows_made = u64::try_from(ROWS).unwrap();
    assert_eq!(import(&mut open(file(rows(0)).path(), "USD").unwrap())[0], rows_made);
    import(&mut JsonLines::new(lines(0).as_bytes()));
    let ids = ids(&app);
    assert_eq!(ids.len(), PRODUCTS);

    let acknowledged: Mutex<Acknowledged> = Mutex::default();
    let (edits, busy, ended) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let editors: Vec<_> = (0..EDITORS)
            .map(|editor| {
                let (app, ids, acknowledged, edits, busy, ended) =
                    (&app, &ids, &acknowledged, &edits, &busy, &ended);
                scope.spawn(move || {
                    let mut turn = 1;
                    while !ended.load(Ordering::Relaxed) {
                        // Each has its own products, all over the files.
                        let n = usize::try_from(turn * 37).unwrap() % (PRODUCTS / EDITORS) * EDITORS + editor;
                        match edit(app, &ids[n], n, turn) {
                            Some((kind, value)) => {
                                drop(acknowledged.lock().unwrap().insert((n, kind), value));
                            }
                            None => drop(busy.fetch_add(1, Ordering::Relaxed)),
                        }
                        edits.fetch_add(1, Ordering::Relaxed);
                        turn += 1;
                    }
                })
            })
            .collect();
        let _ends = Ends(&ended);
        for round in 1..=ROUNDS {
            let before = edits.load(Ordering::Relaxed);
            import(&mut open(file(rows(round)).path(), "USD").unwrap());
            import(&mut JsonLines::new(lines(round).as_bytes()));
            wait_until(PATIENCE, "edits", || {
                edits.load(Ordering::Relaxed) >= before + EDITS
                    || editors.iter().any(thread::ScopedJoinHandle::is_finished)
            });
        }
    });
    eprintln!("{edits:?} edits, {busy:?} answered 503");

    let acknowledged = acknowledged.into_inner().unwrap();
    for (n, (id, _)) in ids.iter().enumerate() {
        let product: Value =
            app.admin(Method::GET, &format!("/v1/admin/products/{id}")).send().unwrap().json().unwrap();
        let name = if n < ROWS { "Lamp" } else { "Mug" };
        assert_eq!(product["title"], format!("{name} {n} of {}", ROUNDS * (n % 2)), "what the file says");
        for ((_, kind), value) in acknowledged.range((n, "")..(n + 1, "")) {
            assert_eq!(&stored(&product, kind), value, "{kind} of {n}");
        }
    }
    assert!(busy.into_inner() * 10 <= edits.into_inner(), "an edit is rarely refused");
}

#[test]
fn imports_of_the_same_products_beside_each_other_bring_each_once() {
    const MADE: usize = 400;
    let database = database();
    let line = |n: usize, round: usize| {
        json!({"external_id": n.to_string(), "title": format!("Lamp {n} of {round}"), "brand": format!("Brand {} of {round}", n % 5),
               "categories": [format!("Round {round} > Lamps {}", n % 3)], "tags": [format!("t {} of {round}", n % 7)],
               "variants": [{"sku": format!("S-{n}"), "stock": [{"location": format!("l-{round}"), "quantity": n}]}]})
        .to_string()
    };
    for round in 0..3 {
        let forwards: Vec<String> = (0..MADE).map(|n| line(n, round)).collect();
        let backwards: Vec<String> = forwards.iter().rev().cloned().collect();
        thread::scope(|scope| {
            for lines in [&forwards, &backwards] {
                let url = &database.url;
                scope.spawn(move || {
                    let mut connection = connect_for_bulk(url).unwrap();
                    let mut catalogue = StoredCatalogue::new(&mut connection);
                    let content = lines.join("\n");
                    let report =
                        run(&mut JsonLines::new(content.as_bytes()), &mut catalogue, false, &mut Nobody)
                            .unwrap();
                    assert_eq!(words(&report), [""; 0]);
                });
            }
        });
        let mut connection = database.connect();
        let counted = "SELECT concat((SELECT count(*) FROM product), ' ', (SELECT count(*) FROM variant), ' ', \
            (SELECT count(*) FROM brand), ' ', (SELECT count(*) FROM category), ' ', (SELECT count(*) FROM tag)) AS text";
        let made = round + 1;
        let expected = format!("{MADE} {MADE} {} {} {}", 5 * made, 4 * made, 7 * made);
        assert_eq!(texts(&mut connection, counted), [expected], "round {round}");
    }
}

/// Nothing but the names can collide here: no product, no SKU and no slug is in both files.
#[test]
fn imports_of_other_products_beside_each_other_make_the_same_new_names_once() {
    const MADE: usize = 200;
    let database = database();
    for round in 0..3 {
        let together = Barrier::new(2);
        thread::scope(|scope| {
            for half in 0..2 {
                let (url, together) = (&database.url, &together);
                scope.spawn(move || {
                    let line = |n: usize| {
                        json!({"title": format!("Lamp {n} of {half} in {round}"), "brand": format!("Brand {} of {round}", n % 5),
                               "categories": [format!("Round {round} > Lamps {}", n % 3)], "tags": [format!("t {} of {round}", n % 7)],
                               "variants": [{"stock": [{"location": format!("l-{round}"), "quantity": n}]}]})
                        .to_string()
                    };
                    let lines: Vec<String> = (0..MADE).map(line).collect();
                    let content = lines.join("\n");
                    let mut connection = connect_for_bulk(url).unwrap();
                    let mut catalogue = StoredCatalogue::new(&mut connection);
                    together.wait();
                    let report =
                        run(&mut JsonLines::new(content.as_bytes()), &mut catalogue, false, &mut Nobody).unwrap();
                    assert_eq!((counts(&report)[0], words(&report)), (200, Vec::new()));
                });
            }
        });
        let mut connection = database.connect();
        let counted = "SELECT concat((SELECT count(*) FROM product), ' ', (SELECT count(*) FROM brand), ' ', \
            (SELECT count(*) FROM category), ' ', (SELECT count(*) FROM tag), ' ', (SELECT count(*) FROM location)) AS text";
        let made = round + 1;
        let expected = format!("{} {} {} {} {}", 2 * MADE * made, 5 * made, 4 * made, 7 * made, made);
        assert_eq!(texts(&mut connection, counted), [expected], "round {round}");
    }
}
