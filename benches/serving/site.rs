//! A catalogue of products of about 2 KB, an instance on it, and the answers that it gives.

use std::io::Write;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tempfile::NamedTempFile;
use uuid::Uuid;

use crate::{
    load,
    shelf::Stored,
    support::{
        instance::Instance,
        outcome::Outcome,
        program::Program,
        servers::{Catalogue, Servers},
    },
};

/// Lists and batches asked for.
pub(crate) const PAGES: usize = 40;

/// A fresh catalogue of so many products, imported as any other.
pub(crate) fn catalogue(servers: &Servers, name: &str, products: usize) -> Outcome<Catalogue> {
    let mut catalogue = servers.catalogue(name, 0)?;
    let mut file = NamedTempFile::with_suffix(".jsonl")?;
    for number in 0..products {
        writeln!(file, "{}", document(number))?;
    }
    file.flush()?;
    let path = file.path().to_str().ok_or("a path that is not text")?;
    Program::start(&["import", "jsonl", path], &catalogue.url)?.finish()?;
    let mut connection = catalogue.connect()?;
    connection.batch_execute("VACUUM ANALYZE")?;
    catalogue.products = ids(&mut connection)?;
    Ok(catalogue)
}

fn ids(connection: &mut aisle::store::Connection) -> Outcome<Vec<Uuid>> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        id: Uuid,
    }
    let rows = diesel::sql_query("SELECT id FROM product ORDER BY id");
    let rows: Vec<Row> = diesel::RunQueryDsl::load(rows, connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

fn document(number: usize) -> Value {
    let prose = "A lamp for reading, sewing and the odd repair; its light is warm, its foot heavy. ";
    // No two alike, so that nothing compresses better than a real text does across products.
    let prose =
        (0..9).map(|part| format!("{prose}Part {}.", number * 31 + part)).collect::<Vec<_>>().join(" ");
    json!({
        "slug": format!("lamp-{number}"), "title": format!("Lamp number {number}"), "description": prose,
        "tags": ["lamp", "reading"], "categories": [format!("Home > Lamps > Shelf {}", number % 40)],
        "brand": format!("Brand {}", number % 50),
        "variants": [{"sku": format!("LAMP-{number}"), "stock": 12, "prices": [{"currency": "USD", "amount": 6999}]}]
    })
}

/// Targets of all products.
pub(crate) fn products(catalogue: &Catalogue) -> Vec<String> {
    catalogue.products.iter().map(|id| format!("/v1/store/products/{id}")).collect()
}

/// Targets of a page of 20 cards in each of so many categories.
pub(crate) fn lists(instance: &Instance, categories: usize) -> Outcome<Vec<String>> {
    let tree: Value = serde_json::from_slice(&instance.client()?.get("/v1/store/categories")?.body)?;
    let mut slugs = Vec::new();
    let mut open = vec![&tree];
    while let Some(node) = open.pop() {
        match node {
            Value::Array(nodes) => open.extend(nodes),
            Value::Object(fields) => {
                slugs.extend(fields.get("slug").and_then(Value::as_str));
                open.extend(fields.get("items").or_else(|| fields.get("children")));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    if slugs.len() < categories {
        return Err(format!("only {} categories", slugs.len()).into());
    }
    Ok(slugs
        .iter()
        .take(categories)
        .map(|slug| format!("/v1/store/products?category={slug}&limit=20"))
        .collect())
}

/// Bytes of the cards of so many products, which are about alike.
pub(crate) fn card_bytes(instance: &Instance, products: usize) -> Outcome<usize> {
    let cards = 200.min(products);
    let page = instance.client()?.get(&format!("/v1/store/products?limit={cards}"))?;
    Ok(page.body.len() * products / cards)
}

/// Bodies that ask for 20 products each.
pub(crate) fn batches(catalogue: &Catalogue, batches: usize) -> Vec<String> {
    let ids = |number: usize| {
        let all = catalogue.products.iter().cycle().skip(number * 37).take(20);
        json!({ "ids": all.collect::<Vec<_>>() }).to_string()
    };
    (0..batches).map(ids).collect()
}

/// The answers of an instance to these targets, in a coding.
pub(crate) fn answers(instance: &Instance, targets: &[String], coding: &str) -> Outcome<Vec<Stored>> {
    targets.iter().map(|target| answer(instance, target, coding, "")).collect()
}

/// The answers of an instance to these bodies of batches.
pub(crate) fn batch_answers(instance: &Instance, bodies: &[String]) -> Outcome<Vec<Stored>> {
    bodies.iter().map(|body| answer(instance, "/v1/store/products:batch-get", "", body)).collect()
}

/// The answer as a hit gives it: what was asked for once before.
fn answer(instance: &Instance, target: &str, coding: &str, asked: &str) -> Outcome<Stored> {
    let asking = Stored::new(target, coding, asked, "", b"");
    let request = load::text(&asking, "");
    let mut client = instance.client()?;
    client.exchange(&request, 200)?;
    let answer = client.exchange(&request, 200)?;
    if asked.is_empty() && !answer.head.contains("detail=local") {
        return Err(format!("not a local hit: {}", answer.head).into());
    }
    Ok(Stored::new(target, coding, asked, &answer.head, &answer.body))
}
