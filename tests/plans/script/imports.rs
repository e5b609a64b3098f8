//! Imports: new products, changed ones, unchanged ones, and batches that the database refuses.

use std::io::Write;

use aisle::{
    domain::{draft::ProductDraft, draft_reader, money::Currency},
    import::{
        catalogue::StoredCatalogue, demo::DemoCatalogue, jsonl::JsonLines, run::run, shopify::ShopifyFile,
        source::Source,
    },
    store::{
        Connection, edit, lines as store_lines,
        products::{self, Batch},
    },
};
use serde_json::{Value, json};

use super::{Silent, Stage};
use crate::catalogue::texts;

/// Imports everything once.
pub(super) fn run_all(stage: &mut Stage<'_>) {
    let pass = stage.pass;
    // Another seed: other products under the same external ids.
    let seed = u64::try_from(pass).expect("few passes") + 2;
    import(stage, &mut DemoCatalogue::new(seed, 150));
    import(stage, &mut DemoCatalogue::new(seed, 150));
    // Two titles that make one slug, SKUs passed on, a slug retired and taken, names in other letters.
    let line = |n: usize, round: usize| {
        json!({"external_id": format!("x{pass}-{n}"), "title": format!("Same title {pass} {}", n / 2),
               "brand": format!("imported {round}"), "categories": [format!("Imported {pass} > Round {round}")],
               "product_type": "thing", "tags": [format!("imported {n}")],
               "variants": [{"sku": format!("X{pass}-{}", (n + round) % 60), "prices": [{"currency": "USD", "amount": n}]}]})
    };
    for round in 0..2 {
        lines(stage, &(0..60).map(|n| line(n, round)).collect::<Vec<_>>());
    }
    let moved = |n: usize| json!({"external_id": format!("x{pass}-{n}"), "title": "Moved", "slug": format!("moved-{pass}-{}", 60 - n)});
    lines(stage, &(0..60).map(moved).collect::<Vec<_>>());
    let back = |n: usize| json!({"external_id": format!("x{pass}-{n}"), "title": "Moved", "slug": format!("moved-{pass}-{}", 1 + n)});
    lines(stage, &(0..60).map(back).collect::<Vec<_>>());
    // A SKU of another product: the batch is refused, halved and written one by one.
    let mut refused: Vec<Value> = (0..6).map(|n| line(n + 50, 0)).collect();
    refused[3]["variants"][0]["sku"] = json!(stage.skus[0]);
    lines(stage, &refused);
    shopify(stage);
    locked(stage);
    singly(stage);
}

/// A batch that collided before: it locks what it reads. With ids where files have names, and a product out of the bin.
fn locked(stage: &mut Stage<'_>) {
    let pass = stage.pass;
    let connection = &mut stage.connection;
    let id = |connection: &mut Connection, table: &str| {
        let ids = texts(connection, &format!("SELECT id::text AS text FROM {table} ORDER BY id LIMIT 1"));
        ids[0].clone()
    };
    let (brand, category) = (id(connection, "brand"), id(connection, "category"));
    let drafts =
        [("slug", format!("again-{pass}")), ("external_id", format!("x{pass}-1"))].map(|(key, name)| {
            draft(&json!({key: name, "title": "Locked", "brand_id": brand, "category_ids": [category]}))
        });
    edit::transaction(connection, |connection| {
        let mut batch = Batch::new(true);
        batch.expect(connection, &drafts.iter().collect::<Vec<_>>())?;
        for draft in &drafts {
            batch.upsert(connection, draft)?;
        }
        batch.write(connection)
    })
    .expect("a batch");
}

/// Products one by one, as an import writes those of a batch that the database refused.
fn singly(stage: &mut Stage<'_>) {
    let pass = stage.pass;
    let slug = stage.slugs[50].clone();
    let connection = &mut stage.connection;
    let new = json!({"external_id": format!("single-{pass}"), "slug": format!("single-{pass}"), "title": "Single",
                     "brand": format!("Single {pass}"), "categories": [format!("Single {pass} > One")], "tags": [format!("single {pass}")]});
    edit::transaction(connection, |connection| {
        products::draft_by_slug(connection, &slug)?;
        for title in ["Single", "Again"] {
            let mut new = new.clone();
            new["title"] = json!(title);
            let known = products::upsert(connection, &draft(&new))?.id();
            products::names(connection, known)?;
        }
        products::upsert(connection, &draft(&json!({"title": format!("Without any name {pass}")})))
    })
    .expect("products");
    let keys = &stage.ids[..2];
    store_lines::begin(connection).expect("a table");
    store_lines::add(connection, keys, &[1, 2]).expect("lines");
    assert_eq!(store_lines::find(connection, keys).expect("lines").len(), 2);
}

fn draft(document: &Value) -> ProductDraft {
    draft_reader::read(document).expect("a draft")
}

fn lines(stage: &mut Stage<'_>, products: &[Value]) {
    let text = products.iter().map(|product| format!("{product}\n")).collect::<Vec<_>>().concat();
    import(stage, &mut JsonLines::new(std::io::Cursor::new(text)));
}

fn shopify(stage: &mut Stage<'_>) {
    let mut text =
        "Handle,Title,Vendor,Type,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Price\n".to_owned();
    for (n, slug) in stage.slugs[..20].iter().enumerate() {
        text.extend([format!("{slug},Known {n},Imported,thing,known,,,,9.99\n")]);
        text.extend([format!(
            "new-{}-{n},New {n},Imported,thing,new,Size,S,N{}-{n},9.99\n",
            stage.pass, stage.pass
        )]);
    }
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(text.as_bytes()).expect("a file");
    let currency = Currency::parse("USD").expect("a currency");
    import(stage, &mut ShopifyFile::open(file.path(), currency).expect("a Shopify file"));
}

fn import(stage: &mut Stage<'_>, source: &mut dyn Source) {
    run(source, &mut StoredCatalogue::new(&mut stage.connection), false, &mut Silent).expect("an import");
}
