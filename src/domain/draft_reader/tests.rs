use serde_json::{Value, json};

use super::*;
use crate::limits::{AMOUNT_MAX, INVALIDS_MAX, VARIANTS_MAX};

/// Broken rules as `pointer rule`, in order.
fn broken(value: &Value) -> Vec<String> {
    let invalids = read(value).expect_err("expected broken rules");
    invalids.iter().map(|invalid| format!("{} {}", invalid.pointer, invalid.rule)).collect()
}

fn detail(value: &Value) -> String {
    let invalids = read(value).expect_err("expected a broken rule");
    assert_eq!(invalids.len(), 1, "{invalids:?}");
    invalids[0].detail.clone()
}

fn with_price(price: &Value) -> Value {
    json!({"title": "T", "variants": [{"prices": [price]}]})
}

#[test]
fn title_alone_is_enough() {
    let draft = read(&json!({"title": "  Floor Lamp\n"})).unwrap();
    assert_eq!(draft, ProductDraft { title: "Floor Lamp".to_owned(), ..ProductDraft::default() });
}

#[test]
fn everything_wrong_is_reported_at_once() {
    let value = json!({
        "titel": "x", "title": 5, "slug": "Not A Slug", "status": "gone", "brand": "b",
        "brand_id": "0190163d-8694-739b-aea5-966c26f8ad91", "category_ids": ["x"], "tags": ["ok", ""],
        "attributes": {"a/b": {"c": 1}, "e": null}, "description": "a\u{0}",
        "variants": [
            {"sku": "A", "prices": [{"currency": "USD", "amount": 10.5}, {"currency": "USD", "amount": -1}], "availability": {}},
            {"sku": "A", "weight_grams": -1, "stock": "many", "media": ["https://x.example/1"]},
            7
        ],
        "media": [{"url": "ftp://x.example/a"}, {"alt": "no url"}],
        "translations": {"english": {}, "de": {"titel": "y"}},
        "version": 7, "id": "x", "created_at": 1
    });
    let mut found = broken(&value);
    found.sort();
    let mut expected = [
        "#/titel unknown_field",
        "#/title wrong_type",
        "#/slug not_a_slug",
        "#/status not_one_of",
        "#/brand exclusive",
        "#/category_ids/0 not_an_id",
        "#/tags/1 blank",
        "#/attributes/a~1b wrong_type",
        "#/description control_character",
        "#/variants/0/prices/0/amount not_an_integer",
        "#/variants/0/prices/1/amount out_of_range",
        "#/variants/1/sku duplicate",
        "#/variants/1/weight_grams out_of_range",
        "#/variants/1/stock wrong_type",
        "#/variants/1/media/0 unknown_media",
        "#/variants/2 wrong_type",
        "#/options required",
        "#/media/0/url not_a_url",
        "#/media/1/url required",
        "#/translations/english not_a_locale",
        "#/translations/de/titel unknown_field",
    ];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn amounts() {
    let amount = |amount: Value, currency: &str| {
        let read = read_price(&json!({"currency": currency, "amount": amount}));
        read.map(|price| price.amount).map_err(|invalids| invalids[0].detail.clone())
    };
    assert_eq!(amount(json!(1999), "usd"), Ok(1999));
    assert_eq!(amount(json!("19.99"), "USD"), Ok(1999));
    assert_eq!(amount(json!("1999"), "JPY"), Ok(1999));
    assert_eq!(amount(json!(AMOUNT_MAX), "USD"), Ok(AMOUNT_MAX));
    let refusals = [
        (json!(10.5), "JPY", "must be a whole number of minor units; JPY has no smaller unit"),
        (
            json!(10.5),
            "USD",
            "must be a whole number of minor units; or a text with its decimals, such as \"19.99\"",
        ),
        (json!("10.5"), "JPY", "must not have more than 0 decimals in JPY"),
        (json!("1.2345"), "KWD", "must not have more than 3 decimals in KWD"),
        (
            json!("10"),
            "USD",
            "must have a decimal point when it is a text, such as \"19.99\"; or be a number of minor units",
        ),
        (json!(-1), "USD", "must not be negative"),
        (json!(i64::MIN), "USD", "must not be negative"),
        (json!("-1.00"), "USD", "must not be negative"),
        (json!(AMOUNT_MAX + 1), "USD", "must be at most 1000000000000000 minor units"),
        (json!(u64::MAX), "USD", "must be at most 1000000000000000 minor units"),
        (json!(1e300), "JPY", "must be a whole number of minor units; JPY has no smaller unit"),
        (json!("1,299.00"), "USD", "must be digits with at most one decimal point, such as 19.99"),
        (json!(true), "USD", "must be a whole number of minor units, not a boolean"),
        (json!(null), "USD", "is required"),
        (json!(1), "XXX", "must be an ISO 4217 code of a currency with a minor unit, such as USD"),
    ];
    for (value, currency, expected) in refusals {
        assert_eq!(amount(value, currency), Err(expected.to_owned()));
    }
    assert_eq!(
        broken(&with_price(&json!({"currency": "USD", "amount": 1, "compare_at": "x"}))),
        ["#/variants/0/prices/0/compare_at not_an_amount"]
    );
    let twice = json!([{"currency": "EUR", "amount": 1}, {"currency": "eur", "amount": 2}]);
    assert_eq!(read_prices(&twice).unwrap_err()[0].pointer, "#/1/currency");
}

#[test]
fn unknown_fields_name_what_they_resemble() {
    assert_eq!(
        detail(&json!({"title": "T", "externalId": "x"})),
        "is not a known field; did you mean `external_id`?"
    );
    assert_eq!(detail(&json!({"title": "T", "zzz": 1})), "is not a known field");
    assert_eq!(
        detail(&json!({"title": "T", "variants": [{"price": 5}]})),
        "is not a known field; did you mean `prices`?"
    );
    let long = "x".repeat(5000);
    let value = json!({"title": "T", long: 1});
    assert_eq!(detail(&value), "has a field that is not known, with a name of 5000 bytes");
}

#[test]
fn options_are_derived_in_the_order_given() {
    let draft = read(&json!({"title": "T", "variants": [
        {"options": {"Size": "S", "Colour": "red"}},
        {"options": {"Size": "M", "Colour": "red"}}
    ]}))
    .unwrap();
    let options: Vec<_> = draft.options.iter().map(|o| (o.name.as_str(), o.values.join(","))).collect();
    assert_eq!(options, [("Size", "S,M".to_owned()), ("Colour", "red".to_owned())]);
}

#[test]
fn options_are_completed_and_checked() {
    let draft = read(&json!({"title": "T", "options": [{"name": "Size", "values": ["XL", "S"]}],
        "variants": [{"options": {"Size": "M"}}, {"options": {" Size ": " S "}}]}))
    .unwrap();
    assert_eq!(draft.options[0].values, ["XL", "S", "M"]);
    assert_eq!(draft.variants[1].options["Size"], "S");
    let value = json!({"title": "T", "options": [{"name": "Size"}], "variants": [
        {"options": {"Size": "M"}}, {"options": {"size": "S"}}, {}, {"options": {"Size": "M"}}, {"options": {"Size": 4}}]});
    assert_eq!(
        broken(&value),
        [
            "#/variants/4/options/Size wrong_type",
            "#/variants/1/options/Size required",
            "#/variants/1/options/size unknown_option",
            "#/variants/2/options/Size required",
            "#/variants/3/options duplicate",
        ]
    );
    let four = json!({"title": "T", "variants": [{"options": {"a": "1", "b": "1"}}, {"options": {"c": "1", "d": "1"}}]});
    assert!(broken(&four).contains(&"#/options too_many".to_owned()));
    assert_eq!(
        broken(&json!({"title": "T", "variants": [{"sku": "1"}, {"sku": "2"}]})),
        ["#/options required"]
    );
    assert!(read(&json!({"title": "T", "variants": [{"sku": "1"}]})).is_ok());
    let twice = json!({"title": "T", "options": [{"name": "Size"}, {"name": "SIZE", "values": ["a", "a"]}]});
    assert_eq!(broken(&twice), ["#/options/1/values/1 duplicate", "#/options/1/name duplicate"]);
    let twice = json!({"title": "T", "variants": [{"options": {"Size": "S", " SIZE": "M"}}]});
    assert_eq!(broken(&twice), ["#/variants/0/options/%20SIZE duplicate"]);
    let values: Vec<String> = (0..VARIANTS_MAX).map(|number| number.to_string()).collect();
    let full = |value: &str| json!({"title": "T", "options": [{"name": "Size", "values": values}], "variants": [{"options": {"Size": value}}]});
    assert!(read(&full("7")).is_ok());
    assert_eq!(broken(&full("another")), ["#/options/0/values too_many"]);
}

#[test]
fn what_an_answer_adds_is_ignored_and_null_means_not_given() {
    let mut value =
        serde_json::to_value(ProductDraft { title: "T".into(), ..ProductDraft::default() }).unwrap();
    for name in ["id", "version", "created_at", "updated_at", "published_at", "deleted_at"] {
        value[name] = json!("anything");
    }
    value["status"] = json!(null);
    value["variants"] = json!(null);
    assert!(read(&value).is_ok());
    assert_eq!(broken(&json!({"title": null})), ["#/title required"]);
    assert_eq!(broken(&json!(["x"])), ["# wrong_type"]);
}

#[test]
fn names_are_tidied() {
    let draft = read(&json!({
        "title": "T", "tags": [" Red ", "red", "blue"], "categories": ["Home>Lamps", "Home > Lamps"], "brand": " ",
        "translations": {"DE_ch": {"title": "Lampe"}, "fr": {}},
        "variants": [{"sku": "", "barcode": " 123 ", "stock": 3}]
    }))
    .unwrap();
    assert_eq!(draft.tags, ["Red", "blue"]);
    assert_eq!(draft.categories, ["Home > Lamps"]);
    assert_eq!(draft.brand, None);
    assert_eq!(draft.translations.keys().collect::<Vec<_>>(), ["de-CH"]);
    assert_eq!(draft.variants[0].sku, None);
    assert_eq!(draft.variants[0].barcode.as_deref(), Some("123"));
    assert_eq!(draft.variants[0].stock.as_ref().unwrap()[0].location, "default");
    let twice = json!({"title": "T", "translations": {"de-CH": {"title": "a"}, "de_ch": {"title": "b"}}});
    assert_eq!(broken(&twice), ["#/translations/de_ch duplicate"]);
    assert_eq!(broken(&json!({"title": "T", "categories": ["a > > b"]})), ["#/categories/0 not_a_path"]);
}

#[test]
fn urls_are_absolute_as_they_stand() {
    for bad in ["//x.example/a", "x.png", "http:x.example", "http://", "javascript:alert(1)", "https://[x"] {
        assert_eq!(
            broken(&json!({"title": "T", "media": [{"url": bad}]})),
            ["#/media/0/url not_a_url"],
            "{bad}"
        );
    }
    for good in ["https://x.example/a.jpg?v=1", "HTTP://x.example/%20"] {
        assert!(read(&json!({"title": "T", "media": [{"url": good}]})).is_ok(), "{good}");
    }
    let twice =
        json!({"title": "T", "media": [{"url": "https://x.example/1"}, {"url": "https://x.example/1 "}]});
    assert_eq!(broken(&twice), ["#/media/1/url duplicate"]);
}

#[test]
fn hostile_documents_give_short_answers() {
    let variants: Vec<Value> = (0..VARIANTS_MAX).map(|_| json!({"a": 1, "b": 2, "c": 3})).collect();
    let invalids = read(&json!({"title": "T", "variants": variants})).unwrap_err();
    assert_eq!(invalids.len(), INVALIDS_MAX + 1);
    let many: Vec<Value> = (0..=VARIANTS_MAX).map(|_| json!({})).collect();
    assert_eq!(broken(&json!({"title": "T", "variants": many})), ["#/variants too_many"]);
    assert_eq!(broken(&json!({"title": "x".repeat(256)})), ["#/title too_long"]);
    assert_eq!(
        detail(&json!({"title": "a\u{0}b"})),
        "must not hold control characters; character 2 is U+0000"
    );
}

#[test]
fn stock_by_number_or_list() {
    assert_eq!(read_stock(&json!(-4)).unwrap()[0].quantity, -4);
    assert_eq!(
        read_stock(&json!([{"location": "Berlin", "quantity": 2}, {"quantity": 1}])).unwrap().len(),
        2
    );
    let invalids = read_stock(&json!([{"location": "a"}, {"location": "b", "quantity": 1.5}])).unwrap_err();
    let pointers: Vec<_> = invalids.iter().map(|i| i.pointer.as_str()).collect();
    assert_eq!(pointers, ["#/0/quantity", "#/1/quantity"]);
    let twice = json!([{"quantity": 1}, {"location": "default", "quantity": 1}]);
    assert_eq!(read_stock(&twice).unwrap_err()[0].pointer, "#/1/location");
    assert!(read_stock(&json!(3_000_000_000_i64)).is_err());
}
