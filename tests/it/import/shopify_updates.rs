//! Importing a Shopify file over products that exist.

use aisle::domain::draft::{ProductDraft, Status};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Memory, counts, shopify, words};

fn with(product: &Value) -> Memory {
    let draft: ProductDraft = aisle::domain::draft_reader::read(product).unwrap();
    Memory { products: vec![(Uuid::new_v4(), draft)], ..Memory::default() }
}

fn shirt() -> Value {
    json!({
        "slug": "shirt", "title": "Shirt", "status": "draft", "brand_id": "0190163d-8694-739b-aea5-966c26f8ad91",
        "category_ids": ["0190163d-8694-739b-aea5-966c26f8ad92"], "tags": ["a"], "description": "Long",
        "translations": {"de": {"title": "Hemd"}}, "attributes": {"care": "wash", "fit": "slim"},
        "options": [{"name": "Size", "values": ["S", "M"]}],
        "media": [{"url": "https://x.example/1", "alt": "one", "width": 10, "height": 20}, {"url": "https://x.example/2"}],
        "variants": [
            {"sku": "S1", "barcode": "1", "options": {"Size": "S"}, "media": ["https://x.example/1", "https://x.example/2"],
             "prices": [{"currency": "EUR", "amount": 5}, {"currency": "USD", "amount": 6, "compare_at": 9}],
             "stock": [{"location": "Berlin", "quantity": 4}, {"location": "default", "quantity": 1}]},
            {"sku": "M1", "barcode": "2", "options": {"Size": "M"}, "weight_grams": 70}
        ]
    })
}

#[test]
fn the_same_file_again_changes_nothing() {
    let file = "Handle,Title,Vendor,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,Image Src,Image Position\n\
                a,A,Acme,Size,S,1,5,10,https://x.example/b,2\n\
                a,,,,M,2,,11,https://x.example/a,1\n\
                b,B,,Title,Default Title,,,,,\n";
    let mut catalogue = Memory::default();
    assert_eq!(counts(&shopify(file, &mut catalogue)), [2, 0, 0, 0]);
    let report = shopify(file, &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([0, 0, 2, 0], vec![]));
}

#[test]
fn a_column_the_file_lacks_leaves_the_value_alone() {
    let mut catalogue = with(&shirt());
    let before = catalogue.product("shirt").clone();
    let report = shopify("Handle,Title\nshirt,Better Shirt\n", &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([0, 1, 0, 0], vec![]));
    assert_eq!(*catalogue.product("shirt"), ProductDraft { title: "Better Shirt".into(), ..before });
}

#[test]
fn an_empty_cell_empties_the_value() {
    let mut catalogue = with(&shirt());
    let header = "Handle,Title,Body (HTML),Vendor,Product Category,Tags,Published,Care (product.metafields.custom.care)";
    let report = shopify(format!("{header}\nshirt,Shirt,,,,,,\n"), &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([0, 1, 0, 0], vec![]));
    let shirt = catalogue.product("shirt");
    assert_eq!((shirt.description.as_str(), shirt.brand_id, shirt.status), ("", None, Status::Active));
    assert!(shirt.tags.is_empty() && shirt.category_ids.is_empty() && shirt.categories.is_empty());
    assert_eq!(json!(shirt.attributes), json!({"fit": "slim"}));
    assert_eq!(shirt.variants.len(), 2);
    assert_eq!(shirt.translations["de"].title.as_deref(), Some("Hemd"));
}

#[test]
fn names_replace_ids() {
    let mut catalogue = with(&shirt());
    shopify("Handle,Vendor,Product Category\nshirt,Acme,A > B\n", &mut catalogue);
    let shirt = catalogue.product("shirt");
    assert_eq!((shirt.brand_id, shirt.brand.as_deref()), (None, Some("Acme")));
    assert_eq!((shirt.category_ids.len(), shirt.categories.as_slice()), (0, &["A > B".to_owned()][..]));
}

#[test]
fn variants_are_found_by_sku_and_by_options() {
    let mut catalogue = with(&shirt());
    let report = shopify("Handle,Variant SKU,Variant Price\nshirt,M1,8\nshirt,S1,7\n", &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([0, 1, 0, 0], vec![]));
    let [medium, small] = &catalogue.product("shirt").variants[..] else { panic!("two variants") };
    assert_eq!(
        (medium.barcode.as_deref(), medium.prices[0].amount, medium.weight_grams),
        (Some("2"), 800, Some(70))
    );
    let prices: Vec<_> = small.prices.iter().map(|p| (p.currency.code(), p.amount, p.compare_at)).collect();
    assert_eq!(prices, [("EUR", 5, None), ("USD", 700, Some(9))]);
    let file = "Handle,Option1 Value,Variant Inventory Qty\nshirt,S,9\nshirt,M,\nshirt,L,2\n";
    let report = shopify(file, &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([0, 1, 0, 0], vec![]));
    let shirt = catalogue.product("shirt");
    let found: Vec<_> = shirt.variants.iter().map(|v| (v.sku.as_deref(), json!(v.stock))).collect();
    let berlin = json!([{"location": "Berlin", "quantity": 4}, {"location": "default", "quantity": 9}]);
    assert_eq!(found[0], (Some("S1"), berlin));
    assert_eq!(found[1].0, Some("M1"));
    assert_eq!(found[2], (None, json!([{"location": "default", "quantity": 2}])));
    assert_eq!(shirt.options[0].values, ["S", "M", "L"]);
}

#[test]
fn a_row_that_could_mean_any_variant_is_refused() {
    let mut catalogue = with(&shirt());
    let report = shopify("Handle,Variant Price\nshirt,7\n", &mut catalogue);
    assert_eq!(counts(&report), [0, 0, 0, 1]);
    assert!(words(&report)[0].starts_with("line 2: does not say which variant it means"), "{report:?}");
    let mut single = with(&json!({"slug": "mug", "title": "Mug", "variants": [{"sku": "M"}]}));
    assert_eq!(counts(&shopify("Handle,Variant Price\nmug,7\n", &mut single)), [0, 1, 0, 0]);
    assert_eq!(single.product("mug").variants[0].sku.as_deref(), Some("M"));
}

#[test]
fn pictures_keep_what_the_file_does_not_say() {
    let mut catalogue = with(&shirt());
    let report =
        shopify("Handle,Image Src\nshirt,https://x.example/1\nshirt,https://x.example/9\n", &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([0, 1, 0, 0], vec![]));
    let shirt = catalogue.product("shirt");
    assert_eq!((shirt.media[0].alt.as_str(), shirt.media[0].width), ("one", Some(10)));
    assert_eq!(shirt.media[1].url, "https://x.example/9");
    assert_eq!(shirt.variants[0].media, ["https://x.example/1"], "the other picture is gone");
    shopify("Handle,Option1 Value,Variant Image\nshirt,S,\nshirt,M,https://x.example/new\n", &mut catalogue);
    let shirt = catalogue.product("shirt");
    assert!(shirt.variants[0].media.is_empty());
    assert_eq!(shirt.variants[1].media, ["https://x.example/new"]);
    assert_eq!(shirt.media.len(), 3);
}
