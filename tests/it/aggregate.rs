//! A product as a whole: written, read, replaced, patched, found.

use std::{
    thread,
    time::{Duration, Instant},
};

use aisle::{
    domain::{dependency::Dependency, document::ProductDocument},
    store::{
        Connection, MissingNames, Precondition,
        error::StoreError,
        products::{self, Upserted},
        reads,
        variants::{self, StockChange},
    },
};
use serde_json::{Value, json};

use crate::{
    catalogue::{create, draft, edit, events, last_deps, number, psql, texts, version},
    support,
};

/// A product with something in every table.
fn lamp() -> Value {
    json!({
        "external_id": "erp-1",
        "title": "Floor Lamp",
        "description": "<p>Bright</p>",
        "product_type": "Lamp",
        "brand": "Acme",
        "categories": ["Home > Lamps", "Sale"],
        "tags": ["new", "Oak"],
        "attributes": {"height": 150, "colours": ["red", "blue"], "dimmable": true, "name": "x"},
        "options": [{"name": "Size", "values": ["S", "M"]}, {"name": "Colour", "values": ["Red"]}],
        "variants": [
            {"sku": "L-S", "options": {"Size": "S", "Colour": "Red"}, "barcode": "4006381333931",
             "prices": [{"currency": "USD", "amount": 1999, "compare_at": 2999}, {"currency": "JPY", "amount": 2500}],
             "media": ["https://example.com/1.jpg"], "stock": 3, "weight_grams": 900},
            {"sku": "L-M", "options": {"Size": "M", "Colour": "Red"}, "title": "The big one",
             "prices": [{"currency": "USD", "amount": 2999}], "attributes": {"note": "heavy"}}
        ],
        "media": [{"url": "https://example.com/1.jpg", "alt": "front", "width": 800, "height": 600},
                  {"url": "https://example.com/2.mp4", "kind": "video"}],
        "seo": {"title": "Lamp", "description": "A lamp"},
        "translations": {"de": {"title": "Stehlampe", "seo": {"title": "Lampe"}}}
    })
}

#[test]
fn what_was_created_is_read_back() {
    let db = support::database();
    let mut conn = db.connect();
    let created = create(&mut conn, &lamp());
    assert_eq!(created.version, 1);
    assert_eq!(created.draft.slug.as_deref(), Some("floor-lamp"));

    let snapshot = reads::product(&mut conn, created.id).unwrap();
    let row = snapshot.value.expect("visible");
    assert_eq!(snapshot.head, 1);
    assert_eq!(row.brand.unwrap().name, "Acme");
    let paths: Vec<_> = row.categories.iter().map(|category| category.path.as_str()).collect();
    assert_eq!(paths, ["home/lamps", "sale"]);
    let document: ProductDocument = serde_json::from_str(&row.body).unwrap();
    assert_eq!(document.version, 1);
    assert_eq!(document.tags, ["new", "Oak"]);
    assert_eq!(document.options[0].values, ["S", "M"]);
    assert_eq!(document.variants[0].title, "S / Red");
    assert_eq!(document.variants[1].title, "The big one");
    assert_eq!(document.variants[0].prices[0].currency.code(), "JPY");
    assert_eq!(document.variants[0].media, [document.media[0].id]);
    assert_eq!(serde_json::to_value(document.variants[0].availability).unwrap(), "low_stock");
    assert_eq!(serde_json::to_value(document.variants[1].availability).unwrap(), "in_stock");
    assert_eq!(document.translations["de"].title.as_deref(), Some("Stehlampe"));
    assert_eq!(document.published_at, created.published_at);
    assert_eq!(
        number(
            &mut conn,
            "SELECT count(*) AS number FROM product_document d JOIN product p ON p.id = d.product_id AND p.version = d.version"
        ),
        1,
        "the document was stored with the commit"
    );
}

#[test]
fn writing_the_same_again_changes_nothing() {
    let db = support::database();
    let mut conn = db.connect();
    let first = create(&mut conn, &lamp());
    let before = events(&mut conn);
    let same = draft(&serde_json::to_value(&first).unwrap());
    let (again, event) = edit(&mut conn, |c| {
        products::replace(c, first.id, Precondition::Version(1), &same, MissingNames::Refuse)
    });
    assert_eq!((again.version, event.is_none()), (1, true));
    assert_eq!(serde_json::to_value(&again).unwrap(), serde_json::to_value(&first).unwrap());
    let (imported, event) = edit(&mut conn, |c| products::upsert(c, &draft(&lamp())));
    assert_eq!(imported, Upserted::Unchanged(first.id));
    assert!(event.is_none());
    let (_, event) = edit(&mut conn, |c| products::patch(c, first.id, Precondition::Exists, &json!({})));
    assert!(event.is_none());
    assert_eq!(events(&mut conn), before);
}

#[test]
fn a_patch_raises_the_version_once_and_names_the_product() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(&mut conn, &lamp());
    let patch = json!({"title": "Lamp", "variants": [
        {"sku": "L-S", "options": {"Size": "S", "Colour": "Blue"}, "prices": [{"currency": "USD", "amount": 5}]},
        {"sku": "L-L", "options": {"Size": "L", "Colour": "Red"}}
    ]});
    let (patched, event) = edit(&mut conn, |c| products::patch(c, lamp.id, Precondition::Version(1), &patch));
    assert_eq!(patched.version, 2);
    assert_eq!(patched.draft.slug, lamp.draft.slug, "a new title keeps the URL");
    let (before, after) = (&lamp.draft.variants, &patched.draft.variants);
    assert_eq!(after[0].id, before[0].id, "recognised by SKU");
    assert_eq!(after[0].stock, before[0].stock, "stock left out stays");
    assert_ne!(after[1].id, before[1].id);
    assert_eq!(patched.draft.options[0].values, ["S", "M", "L"]);
    let deps = event.unwrap().deps;
    for dependency in [
        Dependency::product(&lamp.id),
        Dependency::sku("L-M"),
        Dependency::sku("L-L"),
        Dependency::listing_all(),
    ] {
        assert!(deps.contains(&dependency.0), "{dependency:?}");
    }
    assert!(!deps.contains(&Dependency::sku("L-S").0));
    let stale = edit_error(&mut conn, |c| products::patch(c, lamp.id, Precondition::Version(1), &json!({})));
    assert!(matches!(stale, StoreError::VersionConflict { current: 2 }));
    assert_eq!(version(&mut conn, lamp.id), 2);
}

fn edit_error<T: std::fmt::Debug>(
    conn: &mut Connection,
    change: impl FnOnce(&mut Connection) -> Result<T, StoreError>,
) -> StoreError {
    aisle::store::edit::transaction(conn, change).unwrap_err()
}

#[test]
fn any_statement_on_any_part_raises_the_version_once() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(&mut conn, &lamp());
    let other = create(&mut conn, &json!({"title": "Other"}));
    let mut expected = 1;
    for statement in [
        "UPDATE product SET seo_title = 'x' WHERE external_id = 'erp-1'",
        "UPDATE product_translation SET title = 'x'",
        "UPDATE product_option SET name = 'Grösse' WHERE name = 'Size'",
        "UPDATE option_value SET value = 'Rot' WHERE value = 'Red'",
        "UPDATE variant SET barcode = 'x'",
        "UPDATE variant SET attributes = '{\"a\": 1.00}'",
        "UPDATE variant SET attributes = '{\"a\": 1.0}'",
        "UPDATE price SET amount = amount + 1",
        "UPDATE media SET alt = alt || 'x'",
        "UPDATE variant_media SET position = 5",
        "UPDATE product_tag SET position = position + 5",
        "UPDATE tag SET name = 'Eiche' WHERE name = 'Oak'",
        "UPDATE product_category SET position = position + 5",
        "UPDATE slug SET slug = 'new-lamp' WHERE slug = 'floor-lamp'",
        "DELETE FROM variant_media",
        "DELETE FROM price WHERE currency = 'JPY'",
        "DELETE FROM product_tag",
        "DELETE FROM product_translation",
        "DELETE FROM product_category",
        "DELETE FROM variant_option_value",
        "DELETE FROM option_value",
        "DELETE FROM product_option",
        "DELETE FROM media",
        "DELETE FROM variant WHERE sku = 'L-M'",
        "INSERT INTO price (variant_id, currency, amount) SELECT id, 'EUR', 5 FROM variant",
        "INSERT INTO media (product_id, url) SELECT id, 'https://example.com' FROM product WHERE external_id = 'erp-1'",
        "UPDATE stock_level SET quantity = 100",
        "DELETE FROM stock_level",
        "UPDATE product SET status = 'archived' WHERE external_id = 'erp-1'",
    ] {
        let before = events(&mut conn);
        psql(&mut conn, statement);
        expected += 1;
        assert_eq!(version(&mut conn, lamp.id), expected, "{statement}");
        assert_eq!(events(&mut conn), before + 1, "{statement}");
        assert!(last_deps(&mut conn).contains(&Dependency::product(&lamp.id).0), "{statement}");
    }
    assert_eq!(version(&mut conn, other.id), 1);
}

#[test]
fn statements_without_effect_make_no_version_and_no_event() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(&mut conn, &lamp());
    for statement in [
        "UPDATE product SET title = title, attributes = attributes",
        "UPDATE product SET version = 99, updated_at = now(), touched_xid = '3'",
        "UPDATE product_translation SET title = title",
        "UPDATE product_option SET name = name",
        "UPDATE option_value SET value = value",
        "UPDATE variant SET barcode = barcode, availability = 'backorder'",
        "UPDATE price SET amount = amount",
        "UPDATE media SET alt = alt",
        "UPDATE product_tag SET position = position",
        "UPDATE product_category SET position = position",
        "UPDATE slug SET slug = slug",
        "UPDATE tag SET name = name",
        "UPDATE brand SET name = name, version = 6",
        "UPDATE category SET name = name, path = 'x', lineage = '{}'",
        "UPDATE stock_level SET quantity = quantity - 1",
        "UPDATE stock_level SET quantity = 1",
        "DELETE FROM price WHERE false",
        "INSERT INTO price SELECT * FROM price ON CONFLICT DO NOTHING",
        "INSERT INTO price SELECT * FROM price ON CONFLICT (variant_id, currency) DO UPDATE SET amount = excluded.amount",
        "INSERT INTO location (code) VALUES ('elsewhere')",
    ] {
        psql(&mut conn, statement);
        assert_eq!((version(&mut conn, lamp.id), events(&mut conn)), (1, 1), "{statement}");
    }
    let updated = texts(&mut conn, "SELECT (updated_at = created_at)::text AS text FROM product");
    assert_eq!(updated, ["true"]);
}

#[test]
fn stock_shows_as_a_band() {
    let db = support::database();
    let mut conn = db.connect();
    let variant = json!({"sku": "L", "stock": 100});
    let lamp = create(&mut conn, &json!({"title": "Lamp", "variants": [variant]}));
    let id = lamp.draft.variants[0].id.unwrap();
    let band = |conn: &mut Connection| {
        let row = reads::product(conn, lamp.id).unwrap().value.unwrap();
        let document: ProductDocument = serde_json::from_str(&row.body).unwrap();
        serde_json::to_value(document.variants[0].availability).unwrap().as_str().unwrap().to_owned()
    };
    let mut expected = (1, 1);
    for (change, now, visible) in [
        (StockChange::Adjust(-1), "in_stock", false),
        (StockChange::Set(6), "in_stock", false),
        (StockChange::Set(5), "low_stock", true),
        (StockChange::Adjust(-4), "low_stock", false),
        (StockChange::Adjust(-1), "out_of_stock", true),
        (StockChange::Adjust(-10), "out_of_stock", false),
        (StockChange::Set(7), "in_stock", true),
    ] {
        let (variant, event) = edit(&mut conn, |conn| variants::change_stock(conn, id, "default", change));
        if visible {
            expected = (expected.0 + 1, expected.1 + 1);
        }
        assert_eq!(event.is_some(), visible, "{change:?}");
        assert_eq!((variant.version, events(&mut conn)), expected, "{change:?}");
        assert_eq!(band(&mut conn), now, "{change:?}");
    }
    edit(&mut conn, |conn| variants::change_stock(conn, id, "shop", StockChange::Set(-7)));
    assert_eq!(band(&mut conn), "out_of_stock", "locations add up");
    psql(&mut conn, "UPDATE variant SET allow_backorder = true");
    assert_eq!(band(&mut conn), "backorder");
    psql(&mut conn, "UPDATE variant SET track_inventory = false");
    assert_eq!(band(&mut conn), "in_stock");
    psql(
        &mut conn,
        "UPDATE variant SET track_inventory = true, low_stock_threshold = 50; UPDATE stock_level SET quantity = 20",
    );
    assert_eq!(band(&mut conn), "low_stock");
    psql(&mut conn, "TRUNCATE stock_level");
    assert_eq!(band(&mut conn), "backorder");
}

/// Two sales at two locations, each from its own open transaction: neither may miss the other.
#[test]
fn concurrent_stock_changes_add_up() {
    let db = support::database();
    let (mut conn, mut second) = (db.connect(), db.connect());
    let stock = json!([{"location": "a", "quantity": 10}, {"location": "b", "quantity": 10}]);
    let lamp = create(&mut conn, &json!({"title": "Lamp", "variants": [{"sku": "L", "stock": stock}]}));
    psql(
        &mut conn,
        "BEGIN; UPDATE stock_level SET quantity = 0 WHERE location_id = (SELECT id FROM location WHERE code = 'a')",
    );
    let other = thread::spawn(move || {
        psql(
            &mut second,
            "UPDATE stock_level SET quantity = 0 WHERE location_id = (SELECT id FROM location WHERE code = 'b')",
        );
    });
    wait_for_lock(&mut db.connect());
    psql(&mut conn, "COMMIT");
    other.join().unwrap();
    assert_eq!(texts(&mut conn, "SELECT availability AS text FROM variant"), ["out_of_stock"]);
    assert_eq!(version(&mut conn, lamp.id), 2);
}

/// The document must hold both of two edits of different parts that were open at the same time.
#[test]
fn concurrent_edits_of_parts_lose_nothing_in_the_document() {
    let db = support::database();
    let (mut conn, mut second) = (db.connect(), db.connect());
    let lamp = create(&mut conn, &lamp());
    psql(&mut conn, "BEGIN; UPDATE price SET amount = 111 WHERE currency = 'JPY'");
    let other =
        thread::spawn(move || psql(&mut second, "UPDATE media SET alt = 'changed' WHERE kind = 'video'"));
    wait_for_lock(&mut db.connect());
    psql(&mut conn, "COMMIT");
    other.join().unwrap();
    let row = reads::product(&mut conn, lamp.id).unwrap().value.unwrap();
    assert_eq!(row.version, 3);
    assert!(row.body.contains("111") && row.body.contains("changed"), "{}", row.body);
    assert_eq!(texts(&mut conn, "SELECT version::text AS text FROM product_document"), ["3"]);
}

/// Returns once some session waits for a lock.
fn wait_for_lock(conn: &mut Connection) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let waiting = "SELECT count(*) AS number FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while number(conn, waiting) == 0 {
        assert!(Instant::now() < deadline, "nobody waits");
        thread::park_timeout(Duration::from_millis(5));
    }
}

/// A plan made while a trigger's transition tables were empty must not be the plan for many rows: what is quadratic takes
/// minutes here.
#[test]
fn a_bulk_update_after_an_empty_one_ends() {
    let db = support::database();
    let mut conn = db.connect();
    psql(
        &mut conn,
        "SET statement_timeout = '60s'; INSERT INTO category (slug, name) VALUES ('all', 'All'), ('some', 'Some')",
    );
    for _ in 0..7 {
        psql(
            &mut conn,
            "UPDATE product SET title = title; UPDATE price SET amount = amount; UPDATE stock_level SET quantity = quantity; \
             UPDATE variant SET barcode = barcode; UPDATE product_category SET position = position; DELETE FROM price",
        );
    }
    psql(
        &mut conn,
        "INSERT INTO product (title) SELECT 'Lamp ' || n FROM generate_series(1, 20000) n; \
         INSERT INTO variant (product_id, sku, track_inventory) SELECT id, id::text, true FROM product; \
         INSERT INTO price SELECT id, 'USD', 5 FROM variant; \
         INSERT INTO location (code) VALUES ('a'); \
         INSERT INTO stock_level SELECT v.id, l.id, 9 FROM variant v, location l; \
         INSERT INTO product_category SELECT p.id, c.id FROM product p, category c WHERE c.slug = 'all'",
    );
    let started = Instant::now();
    for statement in [
        "UPDATE price SET amount = amount + 1",
        "UPDATE stock_level SET quantity = 3",
        "UPDATE product SET title = title || '!'",
        "UPDATE product_category SET category_id = (SELECT id FROM category WHERE slug = 'some')",
        "UPDATE category SET parent_id = (SELECT id FROM category WHERE slug = 'all') WHERE slug = 'some'",
        "UPDATE product SET status = 'draft'",
    ] {
        let before = Instant::now();
        psql(&mut conn, statement);
        println!("{:>6} ms {statement}", before.elapsed().as_millis());
    }
    println!("{:>6} ms in all", started.elapsed().as_millis());
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM product WHERE version = 6"), 20_000);
    assert_eq!(number(&mut conn, "SELECT count(*) AS number FROM product_listing"), 0);
}

/// More products than are worth building at commit: read right all the same, and stored later on request.
#[test]
fn documents_of_bulk_edits_are_built_on_demand() {
    let db = support::database();
    let mut conn = db.connect();
    let lamp = create(&mut conn, &lamp());
    psql(&mut conn, "INSERT INTO product (title) SELECT 'Lamp ' || n FROM generate_series(1, 300) n");
    psql(&mut conn, "UPDATE product SET seo_title = 'changed'");
    let current = "SELECT count(*) AS number FROM product p JOIN product_document d ON d.product_id = p.id AND d.version = p.version";
    assert_eq!(number(&mut conn, current), 0);
    let row = reads::product(&mut conn, lamp.id).unwrap().value.unwrap();
    assert!(row.version == 2 && row.body.contains("changed"), "{}", row.body);
    psql(
        &mut conn,
        "DO $$ DECLARE last uuid := '00000000-0000-0000-0000-000000000000'; BEGIN \
           WHILE last IS NOT NULL LOOP last := catalog.store_documents(last, 64); END LOOP; END $$",
    );
    assert_eq!(number(&mut conn, current), 301);
    assert_eq!(reads::product(&mut conn, lamp.id).unwrap().value.unwrap().body, row.body, "built alike");
}
