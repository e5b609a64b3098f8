//! How well real products are ranked for what real shoppers asked, by labels that people gave.
//!
//! Amazon's "Shopping Queries" (ESCI): 50 queries, the 2,182 products labelled for them. They are not part of the project: see
//! [`data`].

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead, BufReader},
    path::PathBuf,
};

use aisle::search::TextIndex;
use flate2::read::GzDecoder;
use serde_json::Value;

use super::{Product, indexed};

/// What Postgres 15 reaches on these queries and products: `to_tsvector('english')`, title A, brand B, the rest D. The first joins
/// the words with OR and orders by `ts_rank`, the second joins them with AND and orders by `ts_rank_cd`. Over all 6,764 products,
/// of which these are a part, the two reach 0.617 and 0.422.
const POSTGRES: [(&str, f64); 2] = [("OR, ts_rank", 0.6449), ("AND, ts_rank_cd", 0.4303)];

/// What was reached, less what a change for other reasons may cost. The weights were chosen on these very queries.
const FLOOR: f64 = 0.7302 - 0.005;

/// The folder beside the project; without it the test has nothing to say, except in continuous integration.
#[expect(
    clippy::disallowed_methods,
    reason = "where the data is, and whether this is continuous integration, are no settings of the program"
)]
fn data() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = std::env::var_os("AISLE_SHARED_DATA").map_or(beside, PathBuf::from).join("esci-us");
    if folder.exists() {
        return Some(folder);
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{} is missing", folder.display());
    eprintln!("skipped: {} is not there", folder.display());
    None
}

/// Products by id, in the order of the file.
fn products(folder: &std::path::Path) -> Vec<(String, Product)> {
    let lines = BufReader::new(GzDecoder::new(File::open(folder.join("products.jsonl.gz")).unwrap())).lines();
    lines
        .map(|line| {
            let row: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let categories = row["category"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let product = Product {
                title: text("title"),
                brand: text("brand"),
                categories: categories.map(str::to_owned).collect(),
                words: row["color"].as_str().into_iter().map(Box::from).collect(),
                description: format!("{}\n{}", text("bullet_points"), text("description")),
                ..Product::default()
            };
            (text("asin"), product)
        })
        .collect()
}

/// Gain of each labelled product (0 to 3) by query.
fn labels(folder: &std::path::Path) -> BTreeMap<String, HashMap<String, i32>> {
    let mut labels: BTreeMap<String, HashMap<String, i32>> = BTreeMap::new();
    for line in BufReader::new(File::open(folder.join("qrels.tsv")).unwrap()).lines().skip(1) {
        let line = line.unwrap();
        let [query, id, _, gain] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        labels.entry(query.to_owned()).or_default().insert(id.to_owned(), gain.parse().unwrap());
    }
    labels
}

/// Gain 2^g - 1, discounted by the logarithm of the rank; what has no label gains nothing.
fn dcg(gains: impl Iterator<Item = i32>) -> f64 {
    gains.take(10).zip(2_u32..).map(|(gain, rank)| (2_f64.powi(gain) - 1.0) / f64::from(rank).log2()).sum()
}

fn ndcg(index: &TextIndex, ids: &[String], query: &str, labels: &HashMap<String, i32>) -> (f64, usize) {
    let found = super::ranked(index, query);
    let mut ideal: Vec<i32> = labels.values().copied().collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    let got = dcg(found.iter().map(|ordinal| labels.get(&ids[*ordinal as usize]).copied().unwrap_or(0)));
    (got / dcg(ideal.into_iter()), found.len())
}

#[test]
fn real_products_rank_as_people_would() {
    let Some(folder) = data() else { return };
    let (ids, products): (Vec<_>, Vec<_>) = products(&folder).into_iter().unzip();
    let labels = labels(&folder);
    assert_eq!((products.len(), labels.len()), (2182, 50));
    let index = indexed(&products);
    let mut sum = 0.0;
    for (query, labels) in &labels {
        let (ndcg, hits) = ndcg(&index, &ids, query, labels);
        assert!(hits > 0, "nothing found for {query}");
        sum += ndcg;
    }
    let mean = sum / 50.0;
    println!("nDCG@10 over 50 queries and 2,182 products: {mean:.4}");
    for (name, ndcg) in POSTGRES {
        println!("  Postgres, {name}: {ndcg:.4}, here {:+.4}", mean - ndcg);
    }
    assert!(mean >= FLOOR, "{mean} is below {FLOOR}");
}
