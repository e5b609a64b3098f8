//! Small random catalogues, full of ties and gaps.

use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use crate::{
    domain::{
        list::{AttributeFilter, Facet, Filter, ListQuery, Sort},
        listed::{ListedBrand, ListedCategory, ListedProduct, ListedText},
        money::Currency,
    },
    listing::ListingIndex,
};

/// Products that may exist.
pub(super) const PRODUCTS: u128 = 40;

/// Spread, so that ids do not ascend with numbers.
pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

pub(super) fn currency(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

/// Categories: 1 is the root of 2 and 3, 4 is below 2, 5 stands alone, 6 is in no table.
const ABOVE: [&[u128]; 7] = [&[], &[1], &[2, 1], &[3, 1], &[4, 2, 1], &[5], &[6]];

pub(super) fn brands() -> Vec<ListedBrand> {
    let brand = |number, name: &str| ListedBrand {
        id: id(number),
        slug: format!("b{number}").into(),
        name: name.into(),
    };
    // Two of one name; the fourth is not in the table.
    vec![brand(1, "Öko"), brand(2, "Zeta"), brand(3, "Zeta")]
}

pub(super) fn categories() -> Vec<ListedCategory> {
    let category = |number, path: &str| ListedCategory {
        id: id(number),
        slug: format!("c{number}").into(),
        name: format!("Category {number}").into(),
        path: path.into(),
    };
    // The last has no products.
    vec![
        category(1, "z"),
        category(2, "z/b"),
        category(3, "z/a"),
        category(4, "z/b/x"),
        category(5, "y"),
        category(7, "w"),
    ]
}

pub(super) fn index() -> ListingIndex {
    let mut index = ListingIndex::new(&crate::domain::locale::Locale::parse("de").unwrap());
    index.set_brands(brands());
    index.set_categories(categories());
    index
}

pub(super) fn title() -> impl Strategy<Value = Box<str>> {
    select(vec!["Apfel", "apfel", "Äpfel", "Zange", "zange 2", "Zange 10", "", "Ölkanne"]).prop_map(Box::from)
}

pub(super) fn prices() -> impl Strategy<Value = Box<[(Currency, Box<[i64]>)]>> {
    let amounts = vec(prop_oneof![0..6_i64, 10..200_i64], 0..4).prop_map(|mut amounts| {
        amounts.sort_unstable();
        amounts.dedup();
        Box::from(amounts)
    });
    (amounts.clone(), option::of(amounts)).prop_map(|(dollars, euros)| {
        let mut prices = vec![(currency("USD"), dollars)];
        prices.extend(euros.map(|euros| (currency("EUR"), euros)));
        prices.into()
    })
}

pub(super) fn attributes() -> impl Strategy<Value = Box<[(Box<str>, Box<str>)]>> {
    let pair = (select(vec!["color", "size"]), select(vec!["red", "blue", "1", "2"]));
    vec(pair, 0..4).prop_map(|mut pairs| {
        pairs.sort_unstable();
        pairs.dedup();
        pairs.into_iter().map(|(code, value)| (code.into(), value.into())).collect()
    })
}

pub(super) type Shelf = (Box<[Uuid]>, Box<[(Uuid, i32)]>);

pub(super) fn shelves() -> impl Strategy<Value = Shelf> {
    vec((1..7_usize, option::of(-1..3_i32)), 0..3).prop_map(|direct| {
        let mut all = direct
            .iter()
            .flat_map(|(number, _)| ABOVE[*number])
            .map(|number| id(*number))
            .collect::<Vec<_>>();
        all.sort_unstable();
        all.dedup();
        let mut places = Vec::<(Uuid, i32)>::new();
        for (number, place) in direct {
            let category = id(u128::try_from(number).unwrap());
            if let Some(place) = place.filter(|_| places.iter().all(|(of, _)| *of != category)) {
                places.push((category, place));
            }
        }
        (all.into(), places.into())
    })
}

pub(super) fn tags() -> impl Strategy<Value = Box<[Box<str>]>> {
    vec(select(vec!["Sale", "NEW", "Größe"]).prop_map(Box::from), 0..3).prop_map(Box::from)
}

pub(super) fn brand() -> impl Strategy<Value = Option<Uuid>> {
    option::of((1..5_u128).prop_map(id))
}

pub(super) fn product() -> impl Strategy<Value = ListedProduct> {
    let plain = (0..PRODUCTS, 0..4_i64, title(), brand(), any::<bool>());
    let word = select(vec!["rot", "blau", "Apfel", "schön"]).prop_map(Box::from);
    (plain, shelves(), tags(), prices(), attributes(), vec(word, 0..2)).prop_map(
        |(
            (number, published_at_us, title, brand, in_stock),
            (categories, positions),
            tags,
            prices,
            attributes,
            words,
        )| {
            ListedProduct {
                id: id(number),
                published_at_us,
                title,
                brand,
                categories,
                positions,
                tags,
                prices,
                in_stock,
                attributes,
                text: ListedText { words: words.into(), ..ListedText::default() },
            }
        },
    )
}

fn names(of: Vec<&'static str>) -> impl Strategy<Value = Box<[Box<str>]>> {
    let some = vec(select(of).prop_map(Box::from), 1..3).prop_map(|names: Vec<Box<str>>| names.into());
    prop_oneof![3 => Just(Box::default()), 1 => some]
}

pub(super) fn filter() -> impl Strategy<Value = Filter> {
    let category = prop_oneof![
        5 => Just(None),
        2 => Just(Some("c1".into())),
        1 => select(vec!["c2", "c3", "c4", "c5", "c7"]).prop_map(|slug| Some(slug.into())),
        1 => (1..8_u128).prop_map(|number| Some(id(number).to_string().into())),
    ];
    let brand_ids = (1..6_u128).prop_map(|number| vec![id(number).to_string().into()].into());
    let brands = prop_oneof![4 => names(vec!["b1", "b2", "b3", "nobody"]), 1 => brand_ids];
    let attribute = (select(vec!["color", "size", "none"]), names(vec!["red", "blue", "1", "2", "none"]));
    let attribute =
        attribute.prop_map(|(code, values)| AttributeFilter { code: code.into(), values }).boxed();
    let bound = || option::weighted(0.2, 0..150_i64);
    let in_stock = proptest::bool::weighted(0.2);
    let tags = names(vec!["sale", "new", "GRÖSSE", "größe", "none"]);
    let attributes = prop_oneof![3 => Just(Vec::new()), 1 => vec(attribute, 0..3)];
    let texts =
        select(vec!["apfel", "zange 10", "apfl", "rot zange", "öko", "category", "blau apfel rot", "xyzzy"]);
    let text = option::weighted(0.2, texts.prop_map(Box::from));
    (category, brands, tags, bound(), bound(), in_stock, attributes, text).prop_map(
        |(category, brands, tags, price_min, price_max, in_stock, attributes, text)| Filter {
            category,
            brands,
            tags,
            price_min,
            price_max,
            in_stock,
            attributes: attributes.into(),
            text,
        },
    )
}

pub(super) fn query() -> impl Strategy<Value = ListQuery> {
    let sorts =
        vec![Sort::Newest, Sort::Price, Sort::PriceDescending, Sort::Title, Sort::Position, Sort::Relevance];
    let facets = vec![
        Facet::Brand,
        Facet::Category,
        Facet::Price,
        Facet::Attribute("color".into()),
        Facet::Attribute("size".into()),
        Facet::Attribute("none".into()),
    ];
    let facets = proptest::sample::subsequence(facets.clone(), 0..facets.len());
    let currency = prop_oneof![
        6 => Just(Some(currency("USD"))),
        3 => Just(Some(currency("EUR"))),
        1 => Just(Some(currency("JPY"))),
        1 => Just(None),
    ];
    (filter(), currency, select(sorts), facets, any::<bool>(), 1..8_u16).prop_map(
        |(filter, currency, sort, facets, has_total, limit)| ListQuery {
            filter,
            currency,
            sort,
            facets: facets.into(),
            has_total,
            limit,
            ..ListQuery::default()
        },
    )
}
