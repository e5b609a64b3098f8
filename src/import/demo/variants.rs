//! Options, prices and stock of a made-up product.

use super::{
    random::Random,
    words::{COLOURS, Differ, Kind, MATERIALS, PACKS, SIZES, Word},
};
use crate::domain::{
    draft::{DEFAULT_LOCATION, MediaDraft, OptionDraft, PriceDraft, StockDraft, VariantDraft},
    money::Currency,
    slug::slugify,
};

/// Most variants of a product.
const VARIANTS_MAX: usize = 6;

/// A second place where stock may lie.
const WAREHOUSE: &str = "warehouse-east";

/// Currencies with what a dollar costs in hundredths of their main unit, and the step that prices are rounded to.
const RATES: [(&str, i64, i64); 4] = [("USD", 100, 1), ("EUR", 92, 5), ("GBP", 79, 5), ("JPY", 15_000, 10)];

/// The colours that the product comes in.
pub(super) fn colours(random: &mut Random, differ: Differ) -> Vec<Word> {
    let count = match differ {
        Differ::Colour => random.index(VARIANTS_MAX) + 1,
        Differ::ColourAndSize => random.index(2) + 1,
        Differ::No | Differ::Material | Differ::Pack => 0,
    };
    random.sample(COLOURS, count)
}

/// Options and variants.
pub(super) fn variants(
    random: &mut Random,
    number: u32,
    kind: &Kind,
    colours: &[Word],
    media: &[MediaDraft],
) -> (Vec<OptionDraft>, Vec<VariantDraft>) {
    let options = options(random, kind.differ, colours);
    let cents =
        i64::from(random.between(kind.dollars.0, kind.dollars.1)) * 100 - random.pick(&[0, 1, 5, 10, 50]);
    let grams = random.between(kind.grams.0, kind.grams.1);
    let reduced = random.percent(25);
    let mut combinations = combinations(&options);
    combinations.truncate(VARIANTS_MAX);
    let variants = combinations.into_iter().enumerate().map(|(index, values)| {
        let dearer =
            i64::try_from(index).unwrap_or_default() * if kind.differ == Differ::Pack { 900 } else { 100 };
        let picture = values.iter().find(|(name, _)| name == "Colour").map(|(_, colour)| slugify(colour));
        let picture =
            picture.and_then(|name| media.iter().find(|m| m.url.ends_with(&format!("/{name}.jpg"))));
        let (stock, allow_backorder) = stock(random);
        let code = format!("{:0>6}{:0>3}", number % 1_000_000, index);
        VariantDraft {
            sku: Some(format!("{}-{number:06}-{}", initials(kind.noun.en), index + 1)),
            barcode: Some(gtin(&format!("200{code}"))),
            options: values.into_iter().collect(),
            prices: prices(cents + dearer, reduced),
            media: picture.into_iter().map(|picture| picture.url.clone()).collect(),
            weight_grams: i32::try_from(grams).ok(),
            track_inventory: Some(stock.is_some()),
            stock,
            allow_backorder,
            ..VariantDraft::default()
        }
    });
    let variants: Vec<VariantDraft> = variants.collect();
    (options, variants)
}

fn options(random: &mut Random, differ: Differ, colours: &[Word]) -> Vec<OptionDraft> {
    let option = |name: &str, values: Vec<&str>| OptionDraft {
        name: name.to_owned(),
        values: values.into_iter().map(str::to_owned).collect(),
    };
    let colour = || option("Colour", colours.iter().map(|colour| colour.en).collect());
    match differ {
        Differ::No => Vec::new(),
        Differ::Colour => vec![colour()],
        Differ::ColourAndSize => {
            let sizes = random.index(3) + 1;
            vec![colour(), option("Size", random.sample(SIZES, sizes))]
        }
        Differ::Material => {
            let count = random.index(3) + 1;
            vec![option(
                "Material",
                random.sample(MATERIALS, count).into_iter().map(|word| word.en).collect(),
            )]
        }
        Differ::Pack => {
            let count = random.index(PACKS.len()) + 1;
            vec![option("Pack", random.sample(PACKS, count))]
        }
    }
}

/// Every combination of values, as pairs of option and value.
fn combinations(options: &[OptionDraft]) -> Vec<Vec<(String, String)>> {
    options.iter().fold(vec![Vec::new()], |combinations, option| {
        let with = |combination: Vec<(String, String)>| {
            option.values.iter().map(move |value| {
                let mut longer = combination.clone();
                longer.push((option.name.clone(), value.clone()));
                longer
            })
        };
        combinations.into_iter().flat_map(with).collect()
    })
}

fn prices(cents: i64, reduced: bool) -> Vec<PriceDraft> {
    let price = |(code, rate, step): (&str, i64, i64)| {
        let currency = Currency::parse(code)?;
        let hundredths = cents * rate / 100;
        let units = if currency.exponent() == 0 { hundredths / 100 } else { hundredths };
        let amount = units - units % step;
        let compare_at = reduced.then(|| amount * 5 / 4 - amount * 5 / 4 % step);
        Some(PriceDraft { currency, amount, compare_at })
    };
    RATES.into_iter().filter_map(price).collect()
}

/// Stock in every band: plenty, little, none, none but to be ordered, and not counted.
fn stock(random: &mut Random) -> (Option<Vec<StockDraft>>, bool) {
    let level = |location: &str, quantity: u32| StockDraft {
        location: location.to_owned(),
        quantity: i32::try_from(quantity).unwrap_or_default(),
    };
    match random.between(1, 100) {
        1..=60 => {
            let mut levels = vec![level(DEFAULT_LOCATION, random.between(20, 400))];
            if random.percent(20) {
                levels.push(level(WAREHOUSE, random.between(1, 200)));
            }
            (Some(levels), random.percent(10))
        }
        61..=79 => (Some(vec![level(DEFAULT_LOCATION, random.between(1, 5))]), false),
        80..=87 => (Some(vec![level(DEFAULT_LOCATION, 0)]), false),
        88..=95 => (Some(vec![level(DEFAULT_LOCATION, 0)]), true),
        _ => (None, false),
    }
}

/// Capitals of a kind, for SKUs.
fn initials(noun: &str) -> String {
    noun.chars().filter(char::is_ascii_alphabetic).take(3).map(|c| c.to_ascii_uppercase()).collect()
}

/// A GTIN-13 of the range for use inside a shop (prefix 200), with its check digit.
fn gtin(twelve_digits: &str) -> String {
    let digits = twelve_digits.bytes().rev().map(|digit| u32::from(digit.saturating_sub(b'0')));
    let sum: u32 =
        digits.enumerate().map(|(place, digit)| if place % 2 == 0 { digit * 3 } else { digit }).sum();
    format!("{twelve_digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        assert_eq!(gtin("400638133393"), "4006381333931");
        assert_eq!(gtin("088442058803"), "0884420588030");
    }

    #[test]
    fn prices_have_no_fractions_of_yen() {
        let prices = prices(1999, true);
        let all: Vec<_> = prices.iter().map(|p| (p.currency.code(), p.amount, p.compare_at)).collect();
        assert_eq!(all[0], ("USD", 1999, Some(2498)));
        assert_eq!(all[3], ("JPY", 2990, Some(3730)));
    }
}
