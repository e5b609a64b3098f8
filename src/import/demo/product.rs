//! One made-up product.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    random::Random,
    rare::{DETAILS, LINES},
    variants,
    words::{
        CARE, ENDS, HOUSES, KINDS, Kind, MATERIALS, SENTENCES, SENTENCES_DE, SENTENCES_FR, STARTS, TAGS, Word,
    },
};
use crate::domain::{
    draft::{MediaDraft, ProductDraft, SeoDraft, Status, TranslationDraft},
    slug::slugify,
};

/// Most brands, however many products.
const BRANDS_MAX: u32 = 1500;

/// Brands before there is one more for every 50 products.
const BRANDS_MIN: u32 = 6;

/// Products after which a kind has one more category below its own.
const PRODUCTS_PER_LINE: usize = 300;

/// The product of this number.
pub(super) fn product(seed: u64, number: u32) -> ProductDraft {
    let mut random = Random::new(seed, u64::from(number));
    let Some(kind) = KINDS.get(random.zipf_index(KINDS.len())) else { return ProductDraft::default() };
    let material = random.pick(MATERIALS);
    let series = invented(&mut random);
    let title = format!("{series} {} {}", material.en, kind.noun.en);
    let colours = variants::colours(&mut random, kind.differ);
    let media = media(&mut random, number, &title, &colours);
    let (options, variants) = variants::variants(&mut random, number, kind, &colours, &media);
    let sentences: Vec<String> = random
        .sample(SENTENCES, 5)
        .into_iter()
        .map(|sentence| sentence.replace("{}", &kind.noun.en.to_lowercase()))
        .collect();
    let description = format!(
        "{}\n\n{}",
        sentences.iter().take(2).cloned().collect::<Vec<_>>().join(" "),
        sentences.iter().skip(2).cloned().collect::<Vec<_>>().join(" ")
    );
    ProductDraft {
        external_id: Some(format!("demo-{number:06}")),
        slug: Some(format!("{}-{number}", slugify(&title))),
        product_type: Some(kind.noun.en.to_owned()),
        brand: Some(brand(&mut random, seed, number)),
        categories: vec![category(&mut random, kind, number)],
        status: status(&mut random),
        tags: tags(&mut random, &series, material),
        attributes: attributes(&mut random, kind, material),
        seo: SeoDraft {
            title: Some(format!("{title} – made to last")),
            description: sentences.first().cloned(),
        },
        translations: translations(&mut random, &series, material, kind.noun),
        title,
        description,
        options,
        variants,
        media,
        ..ProductDraft::default()
    }
}

fn invented(random: &mut Random) -> String {
    format!("{}{}", random.pick(STARTS), random.pick(ENDS))
}

/// One of the brands there are by this product; brands do not depend on products, only on the seed.
fn brand(random: &mut Random, seed: u64, number: u32) -> String {
    let brands = (BRANDS_MIN + number / 50).min(BRANDS_MAX);
    let index = random.zipf_index(usize::try_from(brands).unwrap_or_default());
    let mut random = Random::new(seed ^ 0xB4A2D, u64::try_from(index).unwrap_or_default());
    let name = invented(&mut random);
    format!("{name} {}", random.pick(HOUSES))
}

/// The category of the kind, or one of those below it, of which there are more the more products there are.
fn category(random: &mut Random, kind: &Kind, number: u32) -> String {
    let lines = (usize::try_from(number).unwrap_or_default() / PRODUCTS_PER_LINE).min(LINES.len());
    let line = random.zipf_index(lines + 1).checked_sub(1).and_then(|index| LINES.get(index));
    line.map_or_else(|| kind.path.to_owned(), |line| format!("{} > {line}", kind.path))
}

/// Nearly all are in the store.
fn status(random: &mut Random) -> Status {
    match random.between(1, 100) {
        1..=3 => Status::Draft,
        4..=5 => Status::Archived,
        _ => Status::Active,
    }
}

/// A few that are everywhere, and now and then one of the many that hardly any product has.
fn tags(random: &mut Random, series: &str, material: Word) -> Vec<String> {
    let count = random.index(4) + 1;
    let mut tags: Vec<String> = (0..count)
        .filter_map(|_| TAGS.get(random.zipf_index(TAGS.len())))
        .map(|tag| (*tag).to_owned())
        .collect();
    if random.percent(15) {
        tags.push(format!("{}-series", series.to_lowercase()));
    }
    tags.push(material.en.to_lowercase());
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Attributes of every type: text, list, boolean, whole and decimal number; and some that few products have.
fn attributes(random: &mut Random, kind: &Kind, material: Word) -> Map<String, Value> {
    let decimal = format!("{}.{}", random.between(5, 120), random.between(0, 9));
    let mut attributes = Map::new();
    attributes.insert("material".to_owned(), json!(material.en));
    attributes.insert("width_cm".to_owned(), json!(decimal.parse::<f64>().unwrap_or_default()));
    attributes.insert("care".to_owned(), json!(random.sample(CARE, 2)));
    attributes.insert("handmade".to_owned(), json!(random.percent(30)));
    if kind.path.starts_with("Electronics") {
        attributes.insert("warranty_months".to_owned(), json!(random.pick(&[12, 24, 36])));
    }
    for _ in 0..random.index(4) {
        if let Some((name, values)) = DETAILS.get(random.zipf_index(DETAILS.len())) {
            attributes.insert((*name).to_owned(), json!(random.pick(values)));
        }
    }
    attributes
}

fn media(random: &mut Random, number: u32, title: &str, colours: &[Word]) -> Vec<MediaDraft> {
    let picture = |name: &str, alt: String| MediaDraft {
        url: format!("https://images.example/demo/{number:06}/{name}.jpg"),
        alt,
        width: Some(1600),
        height: Some(1200),
        ..MediaDraft::default()
    };
    let mut media = vec![picture("main", title.to_owned())];
    for colour in colours {
        media.push(picture(&slugify(colour.en), format!("{title} in {}", colour.en)));
    }
    if random.percent(50) {
        media.push(picture("detail", format!("{title}, detail")));
    }
    media
}

/// German and French for about a third of the products, now and then German alone.
fn translations(
    random: &mut Random,
    series: &str,
    material: Word,
    noun: Word,
) -> BTreeMap<String, TranslationDraft> {
    let mut translations = BTreeMap::new();
    let mut add = |tag: &str, title: String, sentences: Vec<&str>| {
        let translation = TranslationDraft {
            title: Some(title),
            description: Some(sentences.join(" ")),
            ..TranslationDraft::default()
        };
        translations.insert(tag.to_owned(), translation);
    };
    if random.percent(35) {
        add("de", format!("{} {series} aus {}", noun.de, material.de), random.sample(SENTENCES_DE, 2));
        if random.percent(80) {
            add("fr", format!("{} {series} en {}", noun.fr, material.fr), random.sample(SENTENCES_FR, 2));
        }
    }
    translations
}
