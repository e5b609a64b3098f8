//! `aisle check` finds what is wrong and nothing else: an observer that cries wolf, or that looks away, is worse than none.

use std::{
    process::Output,
    sync::atomic::{AtomicBool, Ordering},
};

use diesel::connection::SimpleConnection;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    app::App,
    chaos::Relay,
    database,
    database::TestDatabase,
    process::aisle,
    redis::shared_redis,
    waiting::{PATIENCE, wait_until},
};

/// Runs `aisle check` on this database.
pub(crate) fn run(database_url: &str, arguments: &[&str]) -> Output {
    let mut command = aisle();
    command.args(["check", "--json"]).args(arguments).env("DATABASE_URL", database_url);
    command.output().expect("aisle check")
}

fn check(database: &TestDatabase, arguments: &[&str]) -> Output {
    run(&database.url, arguments)
}

/// Exit code and report.
fn report(output: &Output) -> (i32, Value) {
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    (output.status.code().expect("an exit code"), report)
}

fn fleet(database: &TestDatabase, size: usize) -> Vec<App> {
    (0..size).map(|_| App::join(&database.url, Some(shared_redis()), |_| ())).collect()
}

fn id(made: &Value) -> &str {
    made["id"].as_str().expect("an id")
}

/// Thirty products, of which the store shows twenty-eight, one under a new slug.
fn catalogue(app: &App) -> Vec<Value> {
    let made =
        |path: &str, body: &Value| app.admin_json(Method::POST, path, body).json::<Value>().expect("JSON");
    let brand = made("/v1/admin/brands", &json!({"name": "Acme"}));
    let category = made("/v1/admin/categories", &json!({"name": "Lamps"}));
    let product = |number: u32| {
        let variants =
            json!([{"sku": format!("L/{number}"), "prices": [{"currency": "USD", "amount": number}]}]);
        app.create_product(&json!({
            "title": format!("Lamp {number}"), "brand_id": brand["id"], "category_ids": [category["id"]], "variants": variants
        }))
    };
    let products: Vec<Value> = (0..30).map(product).collect();
    app.patch_product(id(&products[0]), &json!({"status": "draft"}));
    assert_eq!(app.admin_json(Method::DELETE, &admin(&products[1]), &Value::Null).status(), 204);
    app.patch_product(id(&products[2]), &json!({"slug": "renamed"}));
    products
}

fn admin(product: &Value) -> String {
    format!("/v1/admin/products/{}", id(product))
}

fn store(product: &Value) -> String {
    format!("/v1/store/products/{}", id(product))
}

/// Edits through every instance and by SQL, each seen everywhere before the next, until told to stop. Gives their number.
fn edit_until(done: &AtomicBool, database: &TestDatabase, fleet: &[App], products: &[Value]) -> usize {
    let mut connection = database.connect();
    for round in 0.. {
        if done.load(Ordering::Acquire) {
            return round;
        }
        let (app, product) = (&fleet[round % fleet.len()], &products[2 + round % 28]);
        let title = format!("Lamp of round {round}");
        match round % 5 {
            0 => drop(app.patch_product(id(product), &json!({"title": title}))),
            1 => drop(app.patch_product(id(product), &json!({"slug": format!("slug-{round}")}))),
            2 => {
                app.patch_product(id(product), &json!({"status": "draft"}));
                app.patch_product(id(product), &json!({"status": "active"}));
            }
            3 => connection.batch_execute("UPDATE brand SET name = name || '!'").expect("rename"),
            _ => connection
                .batch_execute("UPDATE price SET amount = amount + 1 WHERE amount < 9")
                .expect("reprice"),
        }
        for reader in fleet {
            assert!(products.iter().all(|product| reader.get(&store(product)).status() != 503));
        }
    }
    0
}

#[test]
fn a_healthy_fleet_equals_its_database_also_while_it_is_edited() {
    let database = database();
    let fleet = fleet(&database, 3);
    let products = catalogue(&fleet[0]);
    let done = AtomicBool::new(false);
    let edits = std::thread::scope(|scope| {
        let editor = scope.spawn(|| edit_until(&done, &database, &fleet, &products));
        let outputs: Vec<Output> = (0..3).map(|_| check(&database, &["--samples", "40"])).collect();
        done.store(true, Ordering::Release);
        for output in &outputs {
            let (code, report) = report(output);
            eprintln!("seed {}", report["seed"]);
            assert_eq!(code, 0, "{report:#}\n{}", String::from_utf8_lossy(&output.stderr));
            assert_eq!(report["members"].as_array().expect("members").len(), 3);
            assert_eq!((&report["different"], &report["unverified"]), (&0.into(), &0.into()));
            // Four lists, thirty products by id, their slugs and SKUs, on three instances.
            assert_eq!(report["products"], 30);
            assert!(report["equal"].as_u64().expect("a count") >= 3 * (4 + 3 * 30), "{report:#}");
        }
        editor.join().expect("the editor")
    });
    assert!(edits > 10, "it was edited: {edits}");
}

#[test]
fn edits_faster_than_they_can_be_compared_are_no_difference() {
    let database = database();
    let fleet = fleet(&database, 2);
    catalogue(&fleet[0]);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut connection = database.connect();
                while !done.load(Ordering::Acquire) {
                    // In every product's answer.
                    let rename = "UPDATE brand SET name = 'Acme ' || (random() * 1000000)::integer";
                    connection.batch_execute(rename).expect("rename");
                }
            });
        }
        // Each is compared again and again before it is given up.
        let output = check(&database, &["--samples", "5"]);
        done.store(true, Ordering::Release);
        let (code, report) = report(&output);
        assert!([0, 8].contains(&code), "{report:#}");
        assert_eq!(report["different"], 0, "{report:#}");
    });
}

#[test]
fn an_edit_that_escaped_the_triggers_is_found() {
    let database = database();
    let fleet = fleet(&database, 2);
    let products = catalogue(&fleet[0]);
    for app in &fleet {
        for product in &products {
            app.get(&store(product));
        }
    }
    let escaped = |table: &str, change: &str| {
        let change = format!(
            "BEGIN; ALTER TABLE {table} DISABLE TRIGGER USER; {change}; ALTER TABLE {table} ENABLE TRIGGER USER; COMMIT"
        );
        database.connect().batch_execute(&change).expect("change");
    };
    let found = || {
        let (code, report) = report(&check(&database, &["--seed", "7"]));
        let differences = report["differences"].as_array().expect("differences").clone();
        (code, report, differences)
    };
    assert_eq!(found().0, 0);

    // The instances have it warm, with its former title.
    escaped(
        "product",
        &format!("UPDATE product SET title = 'Escaped', version = 9 WHERE id = '{}'", id(&products[7])),
    );
    let (code, all, differences) = found();
    assert_eq!((code, &all["seed"]), (6, &7.into()), "{all:#}");
    let path = store(&products[7]);
    for app in &fleet {
        let of_product = |found: &&Value| {
            found["member"] == *app.url
                && found["path"].as_str().is_some_and(|named| named.starts_with(&path))
        };
        let difference = differences.iter().find(of_product).unwrap_or_else(|| panic!("{all:#}"));
        assert_eq!((&difference["answer_version"], &difference["database_version"]), (&1.into(), &9.into()));
        let positions = [&difference["answer_position"], &difference["database_position"]].map(Value::as_i64);
        assert!(positions[0].is_some() && positions[0] == positions[1], "nothing was logged: {difference}");
    }
    fleet[0].patch_product(id(&products[7]), &json!({"title": "Logged"}));
    assert_eq!(found().0, 0);

    // No version tells of this one.
    escaped("price", "UPDATE price SET amount = 1234 WHERE amount = 8");
    let (code, all, differences) = found();
    assert_eq!(code, 6, "{all:#}");
    assert!(differences.iter().any(|found| found["answer"] == "version 1 with other contents"), "{all:#}");
    fleet[0].patch_product(id(&products[8]), &json!({"title": "Logged"}));

    // Gone without a trace.
    escaped("product", &format!("UPDATE product SET deleted_at = now() WHERE id = '{}'", id(&products[9])));
    let (code, all, differences) = found();
    assert_eq!(code, 6, "{all:#}");
    assert!(differences.iter().any(|found| found["database"] == "nothing"), "{all:#}");
}

#[test]
fn who_cannot_be_asked_has_exit_codes_of_its_own() {
    let database = database();
    let nobody = check(&database, &[]);
    assert_eq!(nobody.status.code(), Some(7), "{nobody:?}");
    let dead = "INSERT INTO catalog_member (id, url, lease_ms) VALUES (gen_random_uuid(), 'http://127.0.0.1:1', 5000)";
    database.connect().batch_execute(dead).expect("a member that is gone");
    let (code, all) = report(&check(&database, &[]));
    assert_eq!((code, &all["members"][0]["reached"]), (7, &false.into()), "{all:#}");
    database.connect().batch_execute("DELETE FROM catalog_member").expect("eject");

    let (relay, url) = Relay::to_postgres(&database.url);
    let app = App::join(&url, None, |settings| settings.lease_ms = 500);
    catalogue(&app);
    assert_eq!(report(&check(&database, &["--url", &app.url])).0, 0);
    let stranger = report(&check(&database, &["--url", "http://127.0.0.1:1", "--url", &app.url]));
    assert_eq!((stranger.0, &stranger.1["members"][1]["ready"]), (7, &true.into()), "{:#}", stranger.1);
    relay.cut();
    wait_until(PATIENCE, "the end of the lease", || app.get("/readyz").status() == 503);
    let (code, all) = report(&check(&database, &[]));
    assert_eq!((code, &all["different"]), (8, &0.into()), "{all:#}");
    assert!(all["unverified"].as_u64().is_some_and(|count| count > 1), "{all:#}");
    relay.heal();
    wait_until(PATIENCE, "the lease", || app.get("/readyz").status() == 200);
    assert_eq!(report(&check(&database, &[])).0, 0);
}
