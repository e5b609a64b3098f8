//! Imports into the real database: whole products or none, and nothing at all for what is there already.

use aisle::{
    import::{
        catalogue::{Catalogue, How, StoredCatalogue},
        demo::DemoCatalogue,
        jsonl::JsonLines,
        report::Report,
        run::run,
        source::Source,
    },
    store::{Connection, products},
};
use diesel::RunQueryDsl;

use super::{Nobody, counts, file, open, words};
use crate::support::database::{database, number};

fn import(connection: &mut Connection, source: &mut dyn Source, dry_run: bool) -> Report {
    run(source, &mut StoredCatalogue::new(connection), dry_run, &mut Nobody).unwrap()
}

fn shopify(connection: &mut Connection, content: &str, dry_run: bool) -> Report {
    import(connection, &mut open(file(content).path(), "USD").unwrap(), dry_run)
}

fn count(connection: &mut Connection, table: &str) -> i32 {
    number(connection, &format!("SELECT count(*)::int AS number FROM {table}"))
}

const FILE: &str = "\
Handle,Title,Vendor,Product Category,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Tracker,Variant Inventory Qty,Image Src,Variant Image
lamp,Lamp,Acme,Home > Lamps,\"a,b\",Size,S,L-S,10,shopify,3,https://x.example/1,https://x.example/1
lamp,,,,,,M,L-M,11.50,shopify,,https://x.example/2,
mug,Mug,Acme,Home > Kitchen,,,,MUG,5,,,,
copy,Copy,Other,Home,,,,MUG,5,,,,
";

#[test]
fn the_same_file_again_changes_nothing_and_makes_no_event() {
    let database = database();
    let mut connection = database.connect();
    let report = shopify(&mut connection, FILE, false);
    assert_eq!(counts(&report), [2, 0, 0, 1]);
    assert_eq!(words(&report), ["line 5, column Variant SKU: belongs to a variant of another product"]);
    assert_eq!(count(&mut connection, "product"), 2, "no half of the wrong one");
    assert_eq!(count(&mut connection, "brand"), 1, "nor its brand");
    let versions = "SELECT sum(version)::int AS number FROM product";
    let before = (count(&mut connection, "catalog_event"), number(&mut connection, versions));
    let report = shopify(&mut connection, FILE, false);
    assert_eq!(counts(&report), [0, 0, 2, 1]);
    assert_eq!((count(&mut connection, "catalog_event"), number(&mut connection, versions)), before);
}

#[test]
fn what_is_stored_is_what_the_file_says() {
    let database = database();
    let mut connection = database.connect();
    shopify(&mut connection, FILE, false);
    let lamp = products::draft_by_slug(&mut connection, "lamp").unwrap().unwrap();
    let prices: Vec<_> =
        lamp.variants.iter().map(|variant| (variant.sku.as_deref(), variant.prices[0].amount)).collect();
    assert_eq!(prices, [(Some("L-S"), 1000), (Some("L-M"), 1150)]);
    assert_eq!(
        lamp.media.iter().map(|medium| medium.url.as_str()).collect::<Vec<_>>(),
        ["https://x.example/1", "https://x.example/2"]
    );
    assert_eq!(lamp.variants[0].media, ["https://x.example/1"]);
    assert_eq!(lamp.tags, ["a", "b"]);
    assert_eq!((lamp.brand_id.is_some(), lamp.category_ids.len()), (true, 1));
    let report =
        shopify(&mut connection, "Handle,Variant SKU,Variant Price\nlamp,L-S,9\nlamp,L-M,11.50\n", false);
    assert_eq!((counts(&report), words(&report)), ([0, 1, 0, 0], vec![]));
    let changed = products::draft_by_slug(&mut connection, "lamp").unwrap().unwrap();
    assert_eq!(changed.variants[0].prices[0].amount, 900);
    let mut back = changed.clone();
    back.variants[0].prices[0].amount = 1000;
    assert_eq!(back, lamp, "nothing else");
}

#[test]
fn a_dry_run_leaves_nothing() {
    let database = database();
    let mut connection = database.connect();
    let report = shopify(&mut connection, FILE, true);
    assert_eq!(counts(&report), [2, 0, 0, 1]);
    let mut lines =
        JsonLines::new(&b"{\"title\":\"A\",\"brand_id\":\"0190163d-8694-739b-aea5-966c26f8ad91\"}\n"[..]);
    let report = import(&mut connection, &mut lines, true);
    assert_eq!((counts(&report), report.problems[0].pointer.as_deref()), ([0, 0, 0, 1], Some("#/brand_id")));
    for table in ["product", "brand", "category", "catalog_event"] {
        assert_eq!(count(&mut connection, table), 0, "{table}");
    }
}

#[test]
fn the_made_up_catalogue_is_made_once() {
    let database = database();
    let mut connection = database.connect();
    let report = import(&mut connection, &mut DemoCatalogue::new(1, 120), false);
    assert_eq!((counts(&report), words(&report)), ([120, 0, 0, 0], vec![]));
    let events = count(&mut connection, "catalog_event");
    let report = import(&mut connection, &mut DemoCatalogue::new(1, 120), false);
    assert_eq!(counts(&report), [0, 0, 120, 0]);
    assert_eq!(count(&mut connection, "catalog_event"), events);
    let report = import(&mut connection, &mut DemoCatalogue::new(1, 150), false);
    assert_eq!(counts(&report), [30, 0, 120, 0]);
}

#[test]
fn an_import_without_a_database_says_where_it_stopped() {
    let database = database();
    let mut connection = database.connect();
    let ended = "SELECT pg_terminate_backend(pg_backend_pid())";
    drop(diesel::sql_query(ended).execute(&mut connection));
    let mut catalogue = StoredCatalogue::new(&mut connection);
    assert!(catalogue.transaction(How { keep: true, singly: false }, &mut |_| Ok(())).is_err());
    let interrupted = run(&mut DemoCatalogue::new(1, 10), &mut catalogue, false, &mut Nobody).unwrap_err();
    assert!(interrupted.to_string().starts_with("stopped at line 1; import the file again to go on"));
}

#[test]
fn two_lines_that_lead_to_one_product_are_told_apart() {
    let lines = [
        r#"{"external_id":"1","title":"Lamp","slug":"lamp"}"#,
        r#"{"title":"Lamp","description":"Another"}"#,
    ];
    for order in [[0, 1], [1, 0]] {
        let database = database();
        let mut connection = database.connect();
        let content = order.map(|line| lines[line]).join("\n");
        let mut run = || import(&mut connection, &mut JsonLines::new(content.as_bytes()), false);
        let (first, second) = (run(), run());
        assert_eq!(counts(&first), [1, 0, 0, 1]);
        assert_eq!(words(&first).len(), 1);
        assert_eq!(counts(&second), [0, 0, 1, 1], "nothing is overwritten, so nothing changes");
        assert_eq!(words(&second), words(&first));
    }
}

/// What a run of these lines says, in a database that holds the stored ones.
fn said(stored: &str, lines: &[&str], dry_run: bool) -> Vec<String> {
    let database = database();
    let mut connection = database.connect();
    let report = import(&mut connection, &mut JsonLines::new(stored.as_bytes()), false);
    assert!(report.is_complete(), "{:?}", words(&report));
    let report = import(&mut connection, &mut JsonLines::new(lines.join("\n").as_bytes()), dry_run);
    words(&report)
}

#[test]
fn a_dry_run_says_of_the_whole_file_what_the_run_will_say() {
    let stored = [
        r#"{"external_id":"x","title":"Old","slug":"old"}"#,
        r#"{"external_id":"y","title":"Other","slug":"other"}"#,
    ];
    let pairs = [
        // One product, found by another key.
        [r#"{"external_id":"1","title":"Lamp","slug":"lamp"}"#, r#"{"title":"Lamp"}"#],
        [r#"{"title":"Lamp"}"#, r#"{"external_id":"1","title":"Lamp","slug":"lamp"}"#],
        [r#"{"external_id":"1","title":"Lamp"}"#, r#"{"title":"Lamp"}"#],
        [r#"{"title":"Old"}"#, r#"{"external_id":"x","title":"Old"}"#],
        [r#"{"external_id":"x","title":"Old","slug":"renamed"}"#, r#"{"title":"Renamed"}"#],
        // The slug of another one.
        [
            r#"{"external_id":"1","title":"A","slug":"lamp"}"#,
            r#"{"external_id":"2","title":"B","slug":"lamp"}"#,
        ],
        [r#"{"title":"Lamp"}"#, r#"{"external_id":"x","title":"Old","slug":"lamp"}"#],
        // The same key twice.
        [r#"{"external_id":"1","title":"A"}"#, r#"{"external_id":"1","title":"B"}"#],
        [r#"{"title":"Lamp"}"#, r#"{"title":"Lamp"}"#],
        // Nothing is wrong with these.
        [r#"{"external_id":"x","title":"Old","slug":"renamed"}"#, r#"{"title":"Old"}"#],
        [r#"{"external_id":"1","title":"Lamp"}"#, r#"{"external_id":"2","title":"Lamp"}"#],
        [r#"{"external_id":"x","title":"Old"}"#, r#"{"external_id":"y","title":"Other"}"#],
    ];
    for (number, [first, second]) in pairs.into_iter().enumerate() {
        // More than a batch between the two.
        let between: Vec<String> = (0..1000).map(|line| format!(r#"{{"title":"Between {line}"}}"#)).collect();
        let mut lines = vec![first];
        lines.extend(between.iter().map(String::as_str));
        lines.push(second);
        let stored = stored.join("\n");
        let (dry, real) = (said(&stored, &lines, true), said(&stored, &lines, false));
        assert_eq!(dry, real, "{first} and {second}");
        assert_eq!(real.len(), usize::from(number < 9), "{first} and {second}");
    }
}

#[test]
fn a_dry_run_finds_a_sku_twice_in_the_whole_file() {
    let lines: Vec<String> = (0..25)
        .map(|line| format!(r#"{{"title":"Lamp {line}","variants":[{{"sku":"S-{}"}}]}}"#, line % 24))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (dry, real) = (said("", &lines, true), said("", &lines, false));
    assert_eq!(dry, ["line 25, #/variants/0/sku: must be unique in the file; line 1 has the same"]);
    assert_eq!(real, ["line 25, #/variants/0/sku: belongs to a variant of another product"]);
}
