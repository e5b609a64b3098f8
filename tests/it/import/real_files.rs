//! Real catalogues, compared with what another reader finds in them. They are not part of the project: see [`data`].

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use aisle::import::jsonl::JsonLines;
use serde_json::{Value, json};

use super::{Memory, counts, import, open, words};

/// A file beside the project; without it the test has nothing to say, except in continuous integration.
#[expect(
    clippy::disallowed_methods,
    reason = "whether this is continuous integration is no setting of the program"
)]
fn data(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    eprintln!("skipped: {} is not there", path.display());
    None
}

/// Prices in cents and image URLs by handle, read plainly.
fn plain(path: &PathBuf) -> BTreeMap<String, (Vec<i64>, BTreeSet<String>)> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers: Vec<String> = reader.headers().unwrap().iter().map(str::to_lowercase).collect();
    let column = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (handle, price, image) = (column("handle"), column("variant price"), column("image src"));
    let mut products: BTreeMap<String, (Vec<i64>, BTreeSet<String>)> = BTreeMap::new();
    for row in reader.records() {
        let row = row.unwrap();
        let product = products.entry(row[handle].to_owned()).or_default();
        if let Some((whole, fraction)) = row[price].split_once('.') {
            product.0.push(format!("{whole}{fraction:0<2}").parse().unwrap());
        } else if !row[price].is_empty() {
            product.0.push(row[price].parse::<i64>().unwrap() * 100);
        }
        let image = row[image].trim();
        if !image.is_empty() {
            product.1.insert(image.to_owned());
        }
    }
    products
}

fn check_shopify(name: &str, products: usize, errors: &[&str]) -> Option<Memory> {
    let path = data(name)?;
    let mut catalogue = Memory::default();
    let report = import(&mut open(&path, "USD").unwrap(), &mut catalogue);
    assert_eq!(report.created, u64::try_from(products).unwrap(), "{:?}", words(&report));
    let found: Vec<_> =
        report.problems.iter().filter(|problem| problem.is_error()).map(ToString::to_string).collect();
    assert_eq!(found, errors);
    let plain = plain(&path);
    assert_eq!(plain.len(), products);
    for (handle, (mut prices, images)) in plain {
        let product = catalogue.product(&handle);
        let amounts: Vec<i64> = product.variants.iter().map(|variant| variant.prices[0].amount).collect();
        if handle == "mediocre-concrete-pants" {
            assert_eq!(prices.remove(3), 604, "the row that repeats a variant");
        }
        assert_eq!(amounts, prices, "{handle}");
        assert_eq!(
            product.media.iter().map(|medium| medium.url.clone()).collect::<BTreeSet<_>>(),
            images,
            "{handle}"
        );
    }
    let again = import(&mut open(&path, "USD").unwrap(), &mut catalogue);
    assert_eq!(counts(&again), [0, 0, report.created, 0]);
    Some(catalogue)
}

#[test]
fn a_real_export() {
    let Some(catalogue) = check_shopify("shopify-csv/packt-product-data.csv", 20, &[]) else { return };
    let lamp = catalogue.product("floor-lamp");
    assert_eq!((lamp.title.as_str(), lamp.brand.as_deref()), ("Floor Lamp", Some("Company 123")));
    assert_eq!(lamp.tags, ["Black", "Lamp"]);
    assert!(lamp.options.is_empty());
    assert_eq!(lamp.variants[0].prices[0].compare_at, Some(8500));
    assert_eq!(catalogue.product("gardening-gloves").options[0].values, ["Green", "Yellow"]);
}

#[test]
fn the_product_template() {
    let Some(catalogue) = check_shopify("shopify-csv/umsu2-product_template.csv", 1, &[]) else { return };
    let shirt = catalogue.product("example-t-shirt");
    let values = ["Lithograph - Height: 9\" x Width: 12\"", "Small", "Medium"];
    assert_eq!(
        (shirt.options[0].name.as_str(), shirt.options[0].values.as_slice()),
        ("Title", &values.map(str::to_owned)[..])
    );
    assert_eq!(shirt.variants[0].weight_grams, Some(3629));
    let tracked: Vec<_> = shirt.variants.iter().map(|variant| variant.track_inventory).collect();
    assert_eq!(tracked, [Some(false), Some(false), Some(true)]);
}

#[test]
fn a_generated_file_with_other_headers_and_a_divided_product() {
    let repeated = "line 170, column Option1 value: has the option values of line 20; this row was left out";
    let Some(catalogue) = check_shopify("shopify-csv/gatsby-shopify-demo-products.csv", 99, &[repeated])
    else {
        return;
    };
    let pants = catalogue.product("mediocre-concrete-pants");
    assert_eq!(pants.options[0].values, ["cerise", "orchid", "lilac", "aquamarine", "yellow"]);
    assert_eq!(pants.brand.as_deref(), Some("Schmitt, Russel and Brown"));
}

/// A product of the shape of dummyjson.com as a line of ours; its prices are JSON floats, written with two decimals.
fn converted(product: &Value) -> Value {
    let price = format!("{:.2}", product["price"].as_f64().unwrap());
    let images = product["images"].as_array().unwrap().iter();
    let mut tags: Vec<&Value> = product["tags"].as_array().unwrap().iter().collect();
    tags.dedup();
    json!({
        "external_id": format!("dummyjson-{}", product["id"]),
        "title": product["title"],
        "description": product["description"],
        "brand": product["brand"],
        "categories": [product["category"]],
        "tags": tags,
        "attributes": {
            "warranty": product["warrantyInformation"],
            "width": product["dimensions"]["width"],
            "minimum_order": product["minimumOrderQuantity"],
        },
        "media": images.map(|url| json!({"url": url})).collect::<Vec<_>>(),
        "variants": [{
            "sku": product["sku"],
            "barcode": product["meta"]["barcode"],
            "prices": [{"currency": "USD", "amount": price}],
            "stock": product["stock"],
        }],
    })
}

#[test]
fn a_catalogue_as_json_lines() {
    let Some(path) = data("dummyjson/products.json") else { return };
    let products: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let lines: Vec<String> = products.iter().map(|product| converted(product).to_string()).collect();
    let content = lines.join("\n");
    let mut catalogue = Memory::default();
    let report = import(&mut JsonLines::new(content.as_bytes()), &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([194, 0, 0, 0], vec![]));
    for (product, (_, draft)) in products.iter().zip(&catalogue.products) {
        let variant = &draft.variants[0];
        let price = format!("{}.{:02}", variant.prices[0].amount / 100, variant.prices[0].amount % 100);
        assert_eq!(price, format!("{:.2}", product["price"].as_f64().unwrap()));
        assert_eq!(json!(variant.stock.as_ref().unwrap()[0].quantity), product["stock"]);
        assert_eq!(json!(draft.media.iter().map(|m| &m.url).collect::<Vec<_>>()), product["images"]);
        assert_eq!(json!(draft.brand), product.get("brand").cloned().unwrap_or_default());
    }
    let again = import(&mut JsonLines::new(content.as_bytes()), &mut catalogue);
    assert_eq!(counts(&again), [0, 0, 194, 0]);
}
