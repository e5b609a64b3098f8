use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::limits::AMOUNT_MAX;

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "title",
        "variants",
        "prices",
        "currency",
        "amount",
        "options",
        "media",
        "url",
        "stock",
        "translations",
        "de",
        "attributes",
        "tags",
        "categories",
        "seo",
        "slug",
        "Size",
        "name",
        "values",
        "quantity",
        "compare_at",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(vec!["USD", "1.5", "https://x.example/", "a-b"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 6, move |inner| {
        let name = prop_oneof![4 => names.clone().prop_map(str::to_owned), 1 => any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text without control characters, and without white space at its ends.
fn name() -> impl Strategy<Value = String> {
    "[\\PC&&\\S]{1,12}( [\\PC&&\\S]{1,8})?"
}

fn price() -> impl Strategy<Value = PriceDraft> {
    let code = prop::sample::select(vec!["USD", "JPY", "KWD"]);
    (code, 0..=AMOUNT_MAX, prop::option::of(0..=AMOUNT_MAX)).prop_map(|(code, amount, compare_at)| {
        PriceDraft { currency: crate::domain::money::Currency::parse(code).unwrap(), amount, compare_at }
    })
}

fn attribute() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-1_000_000_i64..1_000_000).prop_map(Value::from),
        (-1e6..1e6).prop_map(Value::from),
        "[\\PC\n\t]{0,20}".prop_map(Value::from),
        prop::collection::vec("\\PC{0,9}", 0..4).prop_map(Value::from),
    ]
}

fn variant() -> impl Strategy<Value = VariantDraft> {
    let stock = prop::collection::btree_map(name(), -500..500_i32, 0..3).prop_map(|levels| {
        levels.into_iter().map(|(location, quantity)| StockDraft { location, quantity }).collect::<Vec<_>>()
    });
    (
        (prop::option::of(any::<u128>()), prop::option::of(name()), prop::option::of(name())),
        prop::collection::vec(price(), 0..2),
        prop::collection::btree_map("[a-z_.]{1,9}", attribute(), 0..3),
        (prop::option::of(0..i32::MAX), prop::option::of(any::<bool>()), any::<bool>(), 0..99_i32),
        prop::option::of(stock),
    )
        .prop_map(|((id, sku, title), mut prices, attributes, rest, stock)| {
            prices.dedup_by_key(|price| price.currency);
            VariantDraft {
                id: id.map(uuid::Uuid::from_u128),
                sku,
                barcode: title.clone(),
                title,
                prices,
                attributes: attributes.into_iter().collect(),
                weight_grams: rest.0,
                track_inventory: rest.1,
                allow_backorder: rest.2,
                low_stock_threshold: rest.3,
                stock,
                ..VariantDraft::default()
            }
        })
}

prop_compose! {
    /// A draft that keeps every rule; the value of the option is the place of the variant.
    fn draft()(
        (title, text, tags) in (name(), "[\\PC\n]{0,60}", prop::collection::btree_set("[a-z]{1,8}", 0..4)),
        variants in prop::collection::vec(variant(), 0..5),
        (option, urls) in (name(), prop::collection::btree_set("https://[a-z]{1,9}\\.example/[a-z0-9]{0,9}", 0..4)),
        attributes in prop::collection::btree_map("[a-z_/~%ü ]{0,9}x", attribute(), 0..3),
        (brand, categories) in (prop::option::of(name()), prop::collection::btree_set("[a-z]{1,5} > [a-z]{1,5}", 0..3)),
        translated in prop::option::of(name()),
    ) -> ProductDraft {
        let mut draft = ProductDraft {
            external_id: brand.clone(), title, description: text, tags: tags.into_iter().collect(), brand,
            slug: Some(crate::domain::slug::slugify(&option)).filter(|slug| !slug.is_empty()),
            attributes: attributes.into_iter().filter(|(name, _)| name.trim() == name).collect(),
            categories: categories.into_iter().collect(), variants, ..ProductDraft::default()
        };
        draft.media = urls.iter().map(|url| crate::domain::draft::MediaDraft { url: url.clone(), ..Default::default() }).collect();
        if let Some(title) = translated {
            draft.translations.insert("de".into(), crate::domain::draft::TranslationDraft { title: Some(title), ..Default::default() });
        }
        let mut values = Vec::new();
        for (index, variant) in draft.variants.iter_mut().enumerate() {
            variant.sku = variant.sku.take().map(|sku| format!("{index}{sku}"));
            variant.id = variant.id.map(|id| uuid::Uuid::from_u128(id.as_u128() ^ u128::try_from(index).unwrap()));
            variant.options.insert(option.clone(), index.to_string());
            variant.media = urls.iter().take(index).cloned().collect();
            values.push(index.to_string());
        }
        if !values.is_empty() {
            draft.options = vec![crate::domain::draft::OptionDraft { name: option, values }];
        }
        draft
    }
}

proptest! {
    #[test]
    fn never_panics(value in any_json()) {
        for invalid in read(&value).err().into_iter().flatten() {
            prop_assert!(invalid.pointer.starts_with('#') && invalid.pointer.is_ascii());
        }
        drop(read_variant(&value));
        drop(read_price(&value));
        drop(read_stock(&value));
    }

    #[test]
    fn drafts_survive_json(draft in draft()) {
        let json = serde_json::to_string(&draft).unwrap();
        let value: Value = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(read(&value), Ok(draft));
    }
}
