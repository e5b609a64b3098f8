//! Files of real shops as lines of ours, each read by its own few rules.

use std::{collections::BTreeMap, fs, io::Read, path::Path};

use flate2::read::GzDecoder;
use serde_json::{Value, json};

/// Rows of a CSV file by the names of their columns, in lower case.
pub(super) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    let headers: Vec<String> = reader.headers().unwrap().iter().map(str::to_lowercase).collect();
    let row = |row: csv::StringRecord| headers.iter().cloned().zip(row.iter().map(str::to_owned)).collect();
    reader.records().map(|found| row(found.unwrap())).collect()
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A JSON float as decimal text, as it stood in the file.
fn decimal(price: &Value) -> Option<String> {
    price.as_f64().map(|price| format!("{price:.2}"))
}

pub(super) fn dummyjson(path: &Path) -> Vec<Value> {
    let product = |product: &Value| {
        json!({
            "external_id": format!("dummyjson-{}", product["id"]), "title": product["title"],
            "description": product["description"], "brand": product["brand"], "categories": [product["category"]],
            "tags": product["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_lowercase())
                .collect::<std::collections::BTreeSet<_>>(),
            "variants": [{"sku": product["sku"], "stock": product["stock"],
                          "prices": [{"currency": "USD", "amount": decimal(&product["price"])}]}],
        })
    };
    json_of(path).as_array().unwrap().iter().map(product).collect()
}

pub(super) fn eshop(path: &Path) -> Vec<Value> {
    let product = |product: &Value| {
        json!({
            "external_id": format!("eshop-{}", product["Id"]), "title": product["Name"],
            "description": product["Description"], "brand": product["Brand"], "categories": [product["Type"]],
            "variants": [{"prices": [{"currency": "USD", "amount": decimal(&product["Price"])}]}],
        })
    };
    json_of(path).as_array().unwrap().iter().map(product).collect()
}

/// Labelled products of a market place: long titles, seven levels of categories, most without a price.
pub(super) fn esci(path: &Path) -> Vec<Value> {
    let mut text = String::new();
    GzDecoder::new(fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let product = |line: &str| {
        let product: Value = serde_json::from_str(line).unwrap();
        let names = product["category"].as_array().map_or(&[][..], Vec::as_slice);
        let path = names.iter().map(|name| name.as_str().unwrap()).collect::<Vec<_>>().join(" > ");
        let texts = ["description", "bullet_points"].map(|name| product[name].as_str().unwrap_or_default());
        let prices = decimal(&product["price"]).map(|amount| json!({"currency": "USD", "amount": amount}));
        let colour = product["color"].as_str().filter(|colour| !colour.is_empty());
        json!({
            "external_id": format!("esci-{}", product["asin"].as_str().unwrap()), "title": product["title"],
            "description": texts.join("\n"), "brand": product["brand"].as_str().filter(|brand| !brand.is_empty()),
            "categories": if path.is_empty() { vec![] } else { vec![path] },
            "attributes": colour.map_or(json!({}), |colour| json!({"colour": colour})),
            "variants": [{"sku": product["asin"], "prices": prices.into_iter().collect::<Vec<_>>()}],
        })
    };
    text.lines().map(product).collect()
}

/// A row for the product, of price 0 where rows for its variants follow.
pub(super) fn spree(path: &Path) -> Vec<Value> {
    let mut products: Vec<Vec<BTreeMap<String, String>>> = Vec::new();
    for row in rows(path) {
        match products.iter_mut().find(|product| product[0]["slug"] == row["slug"]) {
            Some(product) => product.push(row),
            None => products.push(vec![row]),
        }
    }
    products.iter().map(|rows| spree_product(rows)).collect()
}

fn spree_product(rows: &[BTreeMap<String, String>]) -> Value {
    let head = &rows[0];
    let of_variants: Vec<_> = rows.iter().filter(|row| row["sku"] != head["sku"]).collect();
    let of_variants = if of_variants.is_empty() { rows.iter().collect() } else { of_variants };
    let mut variants: Vec<Value> = Vec::new();
    for row in of_variants {
        let amount = Some(&row["price"]).filter(|price| price.contains('.')).cloned();
        let amount = amount.unwrap_or_else(|| format!("{}.00", row["price"]));
        let price = json!({"currency": row["currency"], "amount": amount});
        // A further row of a SKU has its price in another currency.
        if let Some(known) = variants.iter_mut().find(|variant| variant["sku"] == json!(row["sku"])) {
            known["prices"].as_array_mut().unwrap().push(price);
            continue;
        }
        let option =
            |n: usize| (row[&format!("option{n}_name")].clone(), json!(row[&format!("option{n}_value")]));
        let options: serde_json::Map<String, Value> =
            [1, 2].map(option).into_iter().filter(|(name, _)| !name.is_empty()).collect();
        let stock = row["inventory_count"].parse::<i64>().unwrap_or(0);
        variants.push(json!({"sku": row["sku"], "options": options, "stock": stock, "prices": [price]}));
    }
    let tags = head["tags"].split(',').map(|tag| tag.trim().to_lowercase()).filter(|tag| !tag.is_empty());
    json!({
        "external_id": format!("spree-{}", head["slug"]), "title": head["name"], "description": head["description"],
        "categories": [head["category1"].replace(" -> ", " > ")],
        "tags": tags.collect::<std::collections::BTreeSet<_>>(), "variants": variants,
    })
}

/// A dump of tables: prices have three decimals and a currency by channel.
pub(super) fn saleor(path: &Path) -> Vec<Value> {
    let dump = json_of(path);
    let of = |model: &'static str| dump.as_array().unwrap().iter().filter(move |row| row["model"] == model);
    let name = |model: &'static str, key: &Value| {
        of(model).find(|row| row["pk"] == *key).map(|row| row["fields"]["name"].clone())
    };
    let prices = |variant: &Value| -> Vec<Value> {
        of("product.productvariantchannellisting")
            .map(|row| &row["fields"])
            .filter(|row| row["variant"] == *variant && !row["price_amount"].is_null())
            .map(|row| {
                let amount = row["price_amount"].as_str().unwrap();
                json!({"currency": row["currency"], "amount": amount.strip_suffix('0').unwrap()})
            })
            .collect()
    };
    let variants = |product: &Value| -> Vec<Value> {
        of("product.productvariant")
            .filter(|row| row["fields"]["product"] == *product)
            .enumerate()
            .map(|(n, row)| {
                json!({"sku": row["fields"]["sku"], "options": {"Variant": format!("{} {n}", row["fields"]["name"].as_str().unwrap())},
                       "prices": prices(&row["pk"])})
            })
            .collect()
    };
    of("product.product")
        .map(|row| {
            let fields = &row["fields"];
            json!({
                "external_id": format!("saleor-{}", row["pk"]), "title": fields["name"],
                "description": fields["description_plaintext"],
                "categories": name("product.category", &fields["category"]).into_iter().collect::<Vec<_>>(),
                "variants": variants(&row["pk"]),
            })
        })
        .collect()
}
