//! Seven files of real shops in one catalogue: what lists and searches answer is what a plain scan over the files finds.
//!
//! The files are not part of the project; without them the test has nothing to say, except in continuous integration.

mod convert;
mod scan;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use aisle::{
    domain::money::Currency,
    import::{catalogue::StoredCatalogue, jsonl::JsonLines, run::run, shopify::ShopifyFile, source::Source},
    store::{Connection, pool::connect_for_bulk},
};
use serde_json::{Value, json};

use self::scan::{Record, cents};
use crate::{
    catalogue::texts,
    import::{Nobody, words},
    support::{
        app::App,
        waiting::{PATIENCE, wait_until},
    },
};

/// Reads a file as lines of ours.
type Convert = fn(&Path) -> Vec<Value>;

/// The catalogue, and what is known of it without asking it.
struct Shop {
    app: App,
    records: Vec<Record>,
    /// Id and time of publication by key.
    stored: BTreeMap<String, (String, String)>,
    brands: BTreeMap<String, String>,
    categories: BTreeMap<String, String>,
}

#[expect(
    clippy::disallowed_methods,
    reason = "whether this is continuous integration is no setting of the program"
)]
fn folder() -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let path = std::env::var_os("AISLE_SHARED_DATA").map_or(path, PathBuf::from);
    if path.join("esci-us/products.jsonl.gz").exists() {
        return Some(path);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", path.display());
    eprintln!("skipped: {} is not there", path.display());
    None
}

fn import(connection: &mut Connection, source: &mut dyn Source, products: usize) {
    let report = run(source, &mut StoredCatalogue::new(connection), false, &mut Nobody).unwrap();
    assert_eq!(
        (report.created, report.failed),
        (u64::try_from(products).unwrap(), 0),
        "{:?}",
        words(&report)
    );
}

/// The products of a Shopify file: a handle is one, whatever lies between its rows.
fn shopify(path: &Path) -> Vec<Record> {
    let mut products: Vec<Record> = Vec::new();
    for row in convert::rows(path) {
        let of = |names: [&str; 2]| names.iter().find_map(|name| row.get(*name)).cloned().unwrap_or_default();
        let handle = row["handle"].clone();
        if !products.iter().any(|product| product.key == handle) {
            let tags = of(["tags", ""]);
            products.push(Record {
                key: handle.clone(),
                title: row["title"].clone(),
                brand: Some(row["vendor"].to_lowercase()).filter(|brand| !brand.is_empty()),
                tags: tags
                    .split(',')
                    .map(|tag| tag.trim().to_lowercase())
                    .filter(|tag| !tag.is_empty())
                    .collect(),
                texts: vec![
                    row["title"].clone(),
                    plain(&of(["body (html)", "body"])),
                    row["vendor"].clone(),
                    of(["type", ""]),
                ],
                ..Record::default()
            });
        }
        let product = products.iter_mut().find(|product| product.key == handle).unwrap();
        product.texts.extend((1..=3).map(|n| row[&format!("option{n} value")].clone()));
        let price = &row["variant price"];
        if !price.is_empty() {
            product.prices.entry("USD".to_owned()).or_default().push(cents(price));
        }
    }
    products
}

/// HTML without its tags.
fn plain(html: &str) -> String {
    html.split('<')
        .map(|piece| piece.split_once('>').map_or(piece, |(_, text)| text))
        .collect::<Vec<_>>()
        .join(" ")
}

impl Shop {
    fn open() -> Option<Self> {
        let folder = folder()?;
        let app = App::start();
        let mut connection = connect_for_bulk(&app.database.as_ref().unwrap().url).unwrap();
        let mut records = Vec::new();
        let files: [(&str, Convert); 5] = [
            ("dummyjson/products.json", convert::dummyjson),
            ("eshop/catalog.json", convert::eshop),
            ("saleor/populatedb_data.json", convert::saleor),
            ("spree/products.csv", convert::spree),
            ("esci-us/products.jsonl.gz", convert::esci),
        ];
        for (file, read) in files {
            let lines = read(&folder.join(file));
            let content = lines.iter().map(|line| format!("{line}\n")).collect::<Vec<_>>().concat();
            import(&mut connection, &mut JsonLines::new(content.as_bytes()), lines.len());
            records.extend(lines.iter().map(Record::of));
        }
        for file in ["packt-product-data.csv", "gatsby-shopify-demo-products.csv"] {
            let path = folder.join("shopify-csv").join(file);
            let found = shopify(&path);
            let mut source = ShopifyFile::open(&path, Currency::parse("USD").unwrap()).unwrap();
            import(&mut connection, &mut source, found.len());
            records.extend(found);
        }
        let stored = texts(
            &mut connection,
            "SELECT concat_ws('|', coalesce(p.external_id, s.slug), p.id, to_char(p.published_at, 'YYYY-MM-DD HH24:MI:SS.US')) AS text \
               FROM product p JOIN slug s ON s.product_id = p.id AND s.is_current",
        );
        let stored = stored.iter().map(|row| {
            let mut parts = row.split('|').map(str::to_owned);
            (parts.next().unwrap(), (parts.next().unwrap(), parts.next().unwrap()))
        });
        let stored: BTreeMap<_, _> = stored.collect();
        assert_eq!(stored.len(), records.len());
        drop(connection);
        wait_until(PATIENCE, "readiness", || app.get("/readyz").status() == 200);
        let (brands, categories) = names(&app);
        Some(Self { app, records, stored, brands, categories })
    }

    fn id(&self, record: &Record) -> &str {
        &self.stored[&record.key].0
    }

    fn newest(&self, record: &Record) -> Reverse<(&str, &str)> {
        let (id, published) = &self.stored[&record.key];
        Reverse((published, id))
    }

    /// All pages of a list, held against the scan: ids in order, total, brands counted.
    fn list(&self, query: &str, matches: impl Fn(&Record) -> bool) -> Vec<&Record> {
        let mut expected: Vec<&Record> = self.records.iter().filter(|record| matches(record)).collect();
        let currency = if query.contains("currency=PLN") { "PLN" } else { "USD" };
        if query.contains("sort=-price") {
            expected.sort_by_key(|one| {
                (one.lowest(currency).is_none(), Reverse(one.lowest(currency)), self.id(one))
            });
        } else if query.contains("sort=price") {
            expected.sort_by_key(|one| (one.lowest(currency).is_none(), one.lowest(currency), self.id(one)));
        } else {
            expected.sort_by_key(|one| self.newest(one));
        }
        let first = format!("/v1/store/products?limit=25&include=total&facets=brand&{query}");
        let (mut ids, mut path) = (Vec::new(), first.clone());
        loop {
            let page = self.app.get_json(&path);
            assert_eq!(page["total"]["count"], json!(expected.len()), "{path}");
            if path == first {
                Self::counts(&page["facets"]["brand"], &expected, query);
            }
            ids.extend(
                page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
            );
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("{first}&cursor={cursor}");
        }
        assert_eq!(ids, expected.iter().map(|one| self.id(one)).collect::<Vec<_>>(), "{query}");
        expected
    }

    /// Brands of what matches, where the list is not narrowed by brand itself and has no more than are told.
    fn counts(facet: &Value, expected: &[&Record], query: &str) {
        let mut counts = BTreeMap::<String, u64>::new();
        for brand in expected.iter().filter_map(|one| one.brand.clone()) {
            *counts.entry(brand).or_default() += 1;
        }
        if query.contains("brand=") || counts.len() > 100 {
            return;
        }
        let told = facet.as_array().unwrap_or_else(|| panic!("{query}: {facet}"));
        let told = told
            .iter()
            .map(|one| (one["name"].as_str().unwrap().to_lowercase(), one["count"].as_u64().unwrap()));
        assert_eq!(told.collect::<BTreeMap<_, _>>(), counts, "{query}");
    }
}

/// Ids of brands by name and of categories by path.
fn names(app: &App) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    fn walk(nodes: &Value, above: &str, into: &mut BTreeMap<String, String>) {
        for node in nodes.as_array().into_iter().flatten() {
            let path = format!("{above}{}", node["name"].as_str().unwrap().to_lowercase());
            walk(&node["children"], &format!("{path} > "), into);
            into.insert(path, node["id"].as_str().unwrap().to_owned());
        }
    }
    let brands = app.get_json("/v1/store/brands");
    let brand = |brand: &Value| {
        (brand["name"].as_str().unwrap().to_lowercase(), brand["id"].as_str().unwrap().to_owned())
    };
    let brands = brands["items"].as_array().unwrap().iter().map(brand).collect();
    let mut categories = BTreeMap::new();
    walk(&app.get_json("/v1/store/categories")["items"], "", &mut categories);
    (brands, categories)
}

#[test]
fn lists_and_searches_answer_what_the_files_say() {
    let Some(shop) = Shop::open() else { return };
    lists(&shop);
    searches(&shop);
}

fn lists(shop: &Shop) {
    let brand = |name: &str| format!("brand={}", shop.brands[&name.to_lowercase()]);
    let category = |path: &str| format!("category={}", shop.categories[&path.to_lowercase()]);
    let is_of = |record: &Record, name: &str| record.brand == Some(name.to_lowercase());
    let titles = |found: Vec<&Record>| found.iter().map(|one| one.title.clone()).collect::<Vec<_>>();

    let clothing = "Clothing, Shoes & Jewelry";
    assert_eq!(shop.list(&category(clothing), |one| one.is_below(clothing)).len(), 589);
    assert_eq!(shop.list(&brand("Lacoste"), |one| is_of(one, "Lacoste")).len(), 48);
    let cheap = shop.list(&format!("{}&sort=price", category("beauty")), |one| one.is_below("beauty"));
    assert_eq!(titles(cheap)[..2], ["Red Nail Polish", "Essence Mascara Lash Princess"]);
    let boards =
        shop.list(&format!("{}&sort=-price", category("Ski/boarding")), |one| one.is_below("Ski/boarding"));
    assert_eq!(boards.len(), 18);
    shop.list("price_min=5000&price_max=6000&sort=price", |one| one.costs("USD", 5000, 6000));
    shop.list("attr.colour=Red&attr.colour=Blue", |one| {
        matches!(one.colour.as_deref(), Some("Red" | "Blue"))
    });
    shop.list("tag=coffee&sort=price", |one| one.tags.contains("coffee"));
    shop.list("currency=PLN&price_max=4000&sort=-price", |one| one.costs("PLN", 0, 4000));
    let both = format!("{}&{}&price_max=5000&sort=-price", brand("adidas"), brand("Nike"));
    shop.list(&both, |one| (is_of(one, "adidas") || is_of(one, "Nike")) && one.costs("USD", 0, 5000));
    let narrow = format!("{}&{}&attr.colour=Black", category("Tools & Home Improvement"), brand("Makita"));
    shop.list(&narrow, |one| {
        one.is_below("Tools & Home Improvement")
            && is_of(one, "Makita")
            && one.colour.as_deref() == Some("Black")
    });
}

/// Phrases must be there as they are, so that what is found does not hang on what a search finds similar.
fn searches(shop: &Shop) {
    let found = |query: &str, phrase: &[&str]| -> BTreeSet<String> {
        let found = shop.list(&format!("{query}&sort=newest"), |one| one.says(phrase));
        found.iter().map(|one| one.title.clone()).collect()
    };
    assert_eq!(
        found("q=%22plimsolls%22", &["plimsoll|plimsolls"]),
        ["Blue Plimsolls", "White Plimsolls"].map(str::to_owned).into()
    );
    assert_eq!(found("q=%22crampons%22", &["crampon|crampons"]), ["Alpine Tech Crampons".to_owned()].into());
    assert_eq!(
        found("q=%22mascara%22", &["mascara|mascaras"]),
        ["Essence Mascara Lash Princess".to_owned()].into()
    );
    assert_eq!(found("q=%22vinpocetine%22", &["vinpocetine"]).len(), 5);
    let machines = ["Automatic Espresso Machine", "Semi-Automatic Espresso Machine"].map(str::to_owned);
    assert_eq!(found("q=%22espresso+machine%22", &["espresso", "machine|machines"]), machines.into());
    found("q=%22air+fryer%22", &["air|airs", "fryer|fryers"]);
    found("q=%22headlamp%22", &["headlamp|headlamps"]);
    found("q=%22snowboard%22", &["snowboard|snowboards|snowboarding|snowboarder|snowboarders"]);
    found("q=%22wheelbarrow%22", &["wheelbarrow|wheelbarrows"]);
    let iphones = "q=%22iphone%22+-case&sort=price";
    shop.list(iphones, |one| one.says(&["iphone|iphones"]) && !one.says(&["case|cases|cased|casing"]));
    // A code is found however it is written.
    for code in ["BEA-ESS-ESS-001", "bea+ess+ess+001"] {
        let page = shop.app.get_json(&format!("/v1/store/products?q={code}&limit=1"));
        assert_eq!(page["items"][0]["title"], "Essence Mascara Lash Princess", "{code}");
    }
    // A shopper's own words, with their mistake.
    let page = shop.app.get_json("/v1/store/products?q=vinpositine&limit=5");
    let vinpocetine =
        shop.records.iter().filter(|one| one.says(&["vinpocetine"])).map(|one| one.title.as_str());
    let vinpocetine: BTreeSet<&str> = vinpocetine.collect();
    let items = page["items"].as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap());
    assert_eq!(items.collect::<BTreeSet<_>>(), vinpocetine);
}
