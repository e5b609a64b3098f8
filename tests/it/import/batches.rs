//! Products written together: they come out as if each were written by itself, and a batch is one event.

use std::collections::BTreeSet;

use aisle::{
    domain::dependency::Dependency,
    import::{
        catalogue::{Catalogue, How, StoredCatalogue, Work},
        jsonl::JsonLines,
        report::Report,
        run::run,
    },
    store::{Connection, error::StoreError},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Nobody, counts, file, open, words};
use crate::{
    catalogue::{events, last_deps, psql, texts},
    support::database::database,
};

/// The catalogue, whose transactions all write one by one, or may not.
struct Watched<'a> {
    stored: StoredCatalogue<'a>,
    singly: bool,
}

impl Catalogue for Watched<'_> {
    fn begin(&mut self) {
        self.stored.begin();
    }

    fn transaction(&mut self, how: How, work: &mut Work<'_>) -> Result<(), StoreError> {
        assert!(!how.singly, "the database refused a batch: a rule was not checked before");
        self.stored.transaction(How { singly: self.singly, ..how }, work)
    }

    fn remember(&mut self, keys: &[Uuid], lines: &[u64]) -> Result<(), StoreError> {
        self.stored.remember(keys, lines)
    }
}

fn import(connection: &mut Connection, content: &str, singly: bool) -> Report {
    let mut catalogue = Watched { stored: StoredCatalogue::new(connection), singly };
    if content.starts_with("Handle") {
        let mut source = open(file(content).path(), "USD").unwrap();
        return run(&mut source, &mut catalogue, false, &mut Nobody).unwrap();
    }
    run(&mut JsonLines::new(content.as_bytes()), &mut catalogue, false, &mut Nobody).unwrap()
}

/// Everything the catalogue holds, without what tells only when and in which order it was made.
fn everything(connection: &mut Connection) -> Vec<String> {
    let queries = [
        "SELECT 'document ' || coalesce(regexp_replace(regexp_replace(catalog.build_document(id), \
           '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}', 'ID', 'g'), '20[0-9T:.-]+Z', 'TIME', 'g'), '') FROM product",
        "SELECT 'kept document ' || coalesce(regexp_replace(regexp_replace(body, \
           '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}', 'ID', 'g'), '20[0-9T:.-]+Z', 'TIME', 'g'), '') FROM product_document",
        "SELECT 'product ' || s.slug || ((to_jsonb(p) || jsonb_build_object('brand_id', b.name, \
           'published_at', p.published_at IS NULL, 'deleted_at', p.deleted_at IS NULL)) \
           - ARRAY['id', 'version', 'created_at', 'updated_at', 'touched_xid'])::text \
         FROM product p JOIN slug s ON s.product_id = p.id AND s.is_current LEFT JOIN brand b ON b.id = p.brand_id",
        "SELECT 'slug ' || s.slug || s.is_current || ' of ' || p.title || coalesce(p.external_id, '') \
         FROM slug s JOIN product p ON p.id = s.product_id",
        "SELECT 'variant ' || s.slug || (to_jsonb(v) - ARRAY['id', 'product_id', 'version'])::text || coalesce(( \
           SELECT string_agg(concat(l.code, ' ', k.quantity), ',' ORDER BY l.code) \
           FROM stock_level k JOIN location l ON l.id = k.location_id WHERE k.variant_id = v.id), '') || coalesce(( \
           SELECT string_agg(concat(x.currency, x.amount, ' ', x.compare_at), ',' ORDER BY x.currency) \
           FROM price x WHERE x.variant_id = v.id), '') || coalesce(( \
           SELECT string_agg(concat(m.url, ' ', x.position), ',' ORDER BY x.position) \
           FROM variant_media x JOIN media m ON m.id = x.media_id WHERE x.variant_id = v.id), '') || coalesce(( \
           SELECT string_agg(concat(o.name, o.position, '=', w.value, w.position), ',' ORDER BY o.position) \
           FROM variant_option_value c JOIN product_option o ON o.id = c.option_id \
             JOIN option_value w ON w.id = c.value_id WHERE c.variant_id = v.id), '') \
         FROM variant v JOIN slug s ON s.product_id = v.product_id AND s.is_current",
        "SELECT 'medium ' || s.slug || (to_jsonb(m) - ARRAY['id', 'product_id'])::text \
         FROM media m JOIN slug s ON s.product_id = m.product_id AND s.is_current",
        "SELECT 'option ' || s.slug || o.name || o.position || w.value || w.position \
         FROM product_option o JOIN option_value w ON w.option_id = o.id \
           JOIN slug s ON s.product_id = o.product_id AND s.is_current",
        "SELECT 'tag ' || s.slug || t.name || x.position \
         FROM product_tag x JOIN tag t ON t.id = x.tag_id JOIN slug s ON s.product_id = x.product_id AND s.is_current",
        "SELECT 'in category ' || s.slug || c.path || c.name || x.position \
         FROM product_category x JOIN category c ON c.id = x.category_id \
           JOIN slug s ON s.product_id = x.product_id AND s.is_current",
        "SELECT 'translation ' || s.slug || (to_jsonb(x) - 'product_id')::text \
         FROM product_translation x JOIN slug s ON s.product_id = x.product_id AND s.is_current",
        "SELECT 'brand ' || name || slug || description FROM brand",
        "SELECT 'category ' || path || name || slug || position FROM category",
        "SELECT 'tag ' || name FROM tag",
        "SELECT 'location ' || code FROM location",
        "SELECT 'listed ' || s.slug || coalesce(c.path, '') || l.title FROM product_listing l \
           JOIN slug s ON s.product_id = l.product_id AND s.is_current LEFT JOIN category c ON c.id = l.category_id",
    ];
    let all = queries.map(|query| format!("({query})")).join(" UNION ALL ");
    texts(connection, &format!("SELECT text FROM ({all}) AS every (text) ORDER BY text"))
}

/// A small generator, so that a failing file can be made again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick(&mut self, choices: &[&'static str]) -> &'static str {
        choices[usize::try_from(self.roll(u64::try_from(choices.len()).unwrap())).unwrap()]
    }

    /// So many different ones, in any order.
    fn some(&mut self, choices: &[&'static str], most: u64) -> Vec<&'static str> {
        let mut picked = Vec::new();
        for _ in 0..self.roll(most + 1) {
            let one = self.pick(choices);
            if !picked.iter().any(|known: &&str| known.eq_ignore_ascii_case(one)) {
                picked.push(one);
            }
        }
        picked
    }

    fn variant(&mut self, options: &[&str], place: usize, media: &[String]) -> Value {
        let mut variant = json!({
            "options": options.iter().map(|name| ((*name).to_owned(), json!(format!("V{place}")))).collect::<Map<_, _>>(),
            "prices": [{"currency": "USD", "amount": self.roll(3) + 1}],
            "media": media.iter().take(usize::try_from(self.roll(3)).unwrap()).collect::<Vec<_>>(),
            "weight_grams": self.roll(2),
        });
        if self.roll(2) == 0 {
            variant["sku"] = json!(format!("S-{}", self.roll(400)));
        }
        if self.roll(3) == 0 {
            variant["prices"]
                .as_array_mut()
                .unwrap()
                .push(json!({"currency": "EUR", "amount": 7, "compare_at": 9}));
        }
        if self.roll(2) == 0 {
            let codes = self.some(&["default", "north", "south", "east"], 3);
            let level = |code: &&str| json!({"location": code, "quantity": place});
            variant["stock"] = codes.iter().map(level).collect();
        }
        variant
    }

    fn product(&mut self) -> Value {
        let title = format!("{} {}", self.pick(&["Lamp", "lamp", "Mug", "Pan"]), self.roll(25));
        let mut product = json!({
            "title": title,
            "status": self.pick(&["active", "active", "draft"]),
            "tags": self.some(&["red", "Red", "RED", "warm", "Warm", "old", "new"], 4),
            "categories": self.some(&["Home", "home > Lamps", "Home > lamps > Floor", "Home > Kitchen", "Garden > Lamps"], 3),
            "attributes": {"width": self.roll(3)},
            "seo": {"title": self.pick(&["A", "B"])},
        });
        if self.roll(2) == 0 {
            product["external_id"] = json!(format!("e-{}", self.roll(80)));
        }
        if self.roll(2) == 0 {
            product["slug"] = json!(format!("s-{}", self.roll(80)));
        }
        if self.roll(3) > 0 {
            product["brand"] = json!(self.pick(&["Acme", "ACME", "acme", "Other", "Third"]));
        }
        if self.roll(3) == 0 {
            product["translations"] =
                json!({"de": {"title": self.pick(&["Lampe", "Leuchte"])}, "fr": {"title": "Lampe"}});
        }
        let media: Vec<String> =
            (0..self.roll(4)).map(|n| format!("https://x.example/{}", n + self.roll(2) * 4)).collect();
        product["media"] = media.iter().map(|url| json!({"url": url})).collect();
        let options = self.some(&["Size", "Colour"], 2);
        let count = if options.is_empty() { 1 } else { 1 + self.roll(3) };
        let mut places: Vec<usize> = (0..usize::try_from(count).unwrap()).collect();
        if self.roll(2) == 0 {
            places.reverse();
        }
        product["options"] = options
            .iter()
            .map(|name| json!({"name": name, "values": places.iter().map(|place| format!("V{place}")).collect::<Vec<_>>()}))
            .collect();
        product["variants"] = places.iter().map(|place| self.variant(&options, *place, &media)).collect();
        product
    }

    /// A Shopify file of some columns: the others of products that are there stay.
    fn csv(&mut self) -> String {
        let handles: BTreeSet<String> = (0..30)
            .map(|_| format!("{}-{}", self.pick(&["s", "lamp", "mug", "pan"]), self.roll(30)))
            .collect();
        let rows = handles.into_iter().map(|handle| {
            let (vendor, tags) =
                (self.pick(&["", "Acme", "acme", "Fourth"]), self.some(&["red", "Warm", "sale"], 2));
            let (sku, price) = (self.roll(400), self.pick(&["1", "2.50", "cheap"]));
            format!("{handle},Title of {handle},{vendor},\"{}\",Home > New,S-{sku},{price}\n", tags.join(","))
        });
        let rows: String = rows.collect();
        format!("Handle,Title,Vendor,Tags,Product Category,Variant SKU,Variant Price\n{rows}")
    }

    /// A line that cannot be imported, rarely; else a product.
    fn line(&mut self) -> String {
        match self.roll(40) {
            0 => r#"{"titel":1}"#.to_owned(),
            1 => r#"{"title":"A","brand":"Never","brand_id":"0190163d-8694-739b-aea5-966c26f8ad91"}"#
                .to_owned(),
            2 => r#"{"title":"A","categories":["Never > Seen"],"variants":[{"sku":"TAKEN"}]}"#.to_owned(),
            3 => r#"{"title":"B","brand":"Nobody","tags":["never"],"variants":[{"sku":"TAKEN"}]}"#.to_owned(),
            _ => self.product().to_string(),
        }
    }
}

/// Imports files into two databases, together into one and one by one into the other, and compares all they hold.
fn agree(seed: u64) {
    eprintln!("seed {seed}");
    let mut dice = Dice(seed);
    let (together, singly) = (database(), database());
    let (mut together, mut singly) = (together.connect(), singly.connect());
    let mut lines: Vec<String> = Vec::new();
    let mut total = [0; 4];
    for round in 0..4 {
        // Some as they were, in another order.
        let mut kept: Vec<String> = lines.drain(..).filter(|_| dice.roll(2) == 0).collect();
        kept.extend((0..70).map(|_| dice.line()));
        for place in (1..kept.len()).rev() {
            kept.swap(place, usize::try_from(dice.roll(u64::try_from(place + 1).unwrap())).unwrap());
        }
        lines = kept;
        let content = lines.join("\n");
        let csv = dice.csv();
        for (number, content) in [&content, &content, &csv, &csv].into_iter().enumerate() {
            let (first, second) = (import(&mut together, content, false), import(&mut singly, content, true));
            let place = format!("seed {seed}, round {round}, import {number}");
            assert_eq!((counts(&first), words(&first)), (counts(&second), words(&second)), "{place}");
            total.iter_mut().zip(counts(&first)).for_each(|(total, count)| *total += count);
            let (first, second) = (everything(&mut together), everything(&mut singly));
            let only = |these: &[String], those: &[String]| -> Vec<String> {
                these.iter().filter(|row| !those.contains(row)).take(3).cloned().collect()
            };
            assert_eq!(only(&first, &second), only(&second, &first), "{place}");
            assert!(first == second, "{place}");
        }
        for connection in [&mut together, &mut singly] {
            psql(connection, "UPDATE product SET deleted_at = now() WHERE title LIKE 'Mug 1%'");
        }
    }
    eprintln!("created, updated, unchanged, failed: {total:?}");
    assert!(total.iter().all(|count| *count > 50), "the files say too little: {total:?}");
}

#[test]
fn together_is_as_one_by_one() {
    for seed in 1..=2 {
        agree(seed);
    }
}

#[test]
fn what_one_line_gives_up_the_next_one_takes() {
    let before = [
        r#"{"external_id":"1","title":"A","slug":"a","variants":[{"sku":"X"}]}"#,
        r#"{"external_id":"2","title":"B","slug":"b","variants":[{"sku":"Y"}]}"#,
        r#"{"external_id":"3","title":"C","slug":"c","variants":[{"sku":"Z"}]}"#,
    ];
    let after = [
        r#"{"external_id":"1","title":"A","slug":"a-2","variants":[{"sku":"W"}]}"#,
        r#"{"external_id":"2","title":"B","slug":"a","variants":[{"sku":"X"}]}"#,
        r#"{"external_id":"4","title":"D","slug":"b","variants":[{"sku":"Y"}]}"#,
        r#"{"external_id":"5","title":"E","slug":"c","variants":[{"sku":"V"}]}"#,
        r#"{"external_id":"6","title":"F","slug":"f","variants":[{"sku":"Z"}]}"#,
    ];
    let mut found = Vec::new();
    for singly in [false, true] {
        let database = database();
        let mut connection = database.connect();
        assert_eq!(counts(&import(&mut connection, &before.join("\n"), singly)), [3, 0, 0, 0]);
        let report = import(&mut connection, &after.join("\n"), singly);
        assert_eq!(counts(&report), [1, 2, 0, 2]);
        let problems = [
            "line 4, #/slug: belongs to another product",
            "line 5, #/variants/0/sku: belongs to a variant of another product",
        ];
        assert_eq!(words(&report), problems);
        found.push(everything(&mut connection));
    }
    assert_eq!(found[0], found[1]);
}

#[test]
fn a_batch_is_one_event_of_what_changed() {
    let database = database();
    let mut connection = database.connect();
    let line = |n: u32, price: u32| {
        json!({"external_id": n.to_string(), "title": format!("Lamp {n}"), "brand": "Acme",
               "variants": [{"sku": format!("S-{n}"), "prices": [{"currency": "USD", "amount": price}]}]})
        .to_string()
    };
    let old: Vec<String> = (0..60).map(|n| line(n, 1)).collect();
    import(&mut connection, &old.join("\n"), false);
    assert_eq!(events(&mut connection), 1);
    // Of 60 that are there 20 change; 60 are new.
    let new: Vec<String> = (0..120).map(|n| line(n, if n < 20 { 2 } else { 1 })).collect();
    assert_eq!(counts(&import(&mut connection, &new.join("\n"), false)), [60, 20, 40, 0]);
    assert_eq!(events(&mut connection), 2);
    let deps: BTreeSet<i64> = last_deps(&mut connection).into_iter().collect();
    let ids = texts(&mut connection, "SELECT id::text AS text FROM product ORDER BY external_id::int");
    for (n, id) in ids.iter().enumerate() {
        let product = Dependency::product(&Uuid::parse_str(id).unwrap()).0;
        let is_new = n >= 60;
        assert_eq!(deps.contains(&product), n < 20 || is_new, "product {n}");
        assert_eq!(deps.contains(&Dependency::slug(&format!("lamp-{n}")).0), is_new, "slug of {n}");
        assert_eq!(deps.contains(&Dependency::sku(&format!("S-{n}")).0), is_new, "SKU of {n}");
    }
    assert!(deps.contains(&Dependency::listing_all().0));
    assert_eq!(counts(&import(&mut connection, &new.join("\n"), false)), [0, 0, 120, 0]);
    assert_eq!(events(&mut connection), 2, "nothing changed");
}

#[test]
fn a_product_that_the_database_refuses_costs_itself_only() {
    let database = database();
    let mut connection = database.connect();
    psql(
        &mut connection,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           IF NEW.title LIKE 'Cursed%' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER refuse BEFORE INSERT ON product FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let cursed = [7, 8, 70];
    let lines: Vec<String> = (1..=100)
        .map(|n| {
            let word = if cursed.contains(&n) { "Cursed" } else { "Lamp" };
            json!({"title": format!("{word} {n}"), "brand": format!("{word} {}", n / 10), "variants": [{"sku": n.to_string()}]})
                .to_string()
        })
        .collect();
    let mut run = |content: &str| {
        let mut catalogue = StoredCatalogue::new(&mut connection);
        run(&mut JsonLines::new(content.as_bytes()), &mut catalogue, false, &mut Nobody).unwrap()
    };
    let (first, second) = (run(&lines.join("\n")), run(&lines.join("\n")));
    assert_eq!((counts(&first), counts(&second)), ([97, 0, 0, 3], [0, 0, 97, 3]));
    for report in [first, second] {
        let at: Vec<u64> = report.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(at, [7, 8, 70], "{:?}", words(&report));
    }
    let brands = "SELECT name AS text FROM brand WHERE name LIKE 'Cursed%'";
    assert_eq!(texts(&mut connection, brands), [""; 0], "nor the brand it would have made");
}

/// A variant that is written again when its stock arrives costs as much as it did before.
#[test]
fn new_products_are_written_once() {
    let database = database();
    let mut connection = database.connect();
    for table in ["product", "variant"] {
        psql(
            &mut connection,
            &format!(
                "CREATE FUNCTION twice_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'twice'; END $$; \
                 CREATE TRIGGER twice BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION twice_{table}()"
            ),
        );
    }
    let lines: Vec<String> = (0..100)
        .map(|n| json!({"title": format!("Lamp {n}"), "tags": ["warm"], "categories": ["Home"],
            "variants": [{"sku": n.to_string(), "stock": n % 10, "prices": [{"currency": "USD", "amount": n}]}]}).to_string())
        .collect();
    assert_eq!(counts(&import(&mut connection, &lines.join("\n"), false)), [100, 0, 0, 0]);
    let bands =
        "SELECT concat(availability, ' ', count(*)) AS text FROM variant GROUP BY availability ORDER BY 1";
    assert_eq!(texts(&mut connection, bands), ["in_stock 40", "low_stock 50", "out_of_stock 10"]);
    let outdated = "SELECT p.title AS text FROM product p LEFT JOIN product_document d ON d.product_id = p.id \
        AND d.version = p.version AND d.body = catalog.build_document(p.id) WHERE d.body IS NULL OR p.version <> 1";
    assert_eq!(texts(&mut connection, outdated), [""; 0], "kept documents are those that are read");
}
