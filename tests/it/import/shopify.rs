//! What Shopify files say, and what becomes of it.

use aisle::domain::draft::Status;
use serde_json::json;

use super::{Memory, counts, file, import, open, shopify, words};

const LAMP: &str = "\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,\
Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,\
Variant Compare At Price,Variant Barcode,Image Src,Image Position,Image Alt Text,Gift Card,SEO Title,SEO Description,\
Variant Image,Color (product.metafields.custom.shade),Fit (variant.metafields.specs.fit),Status
lamp,Lamp,\"<p>Two
lines, \"\"quoted\"\"</p>\",Acme,Home > Lamps,Lighting,\"Red, warm ,red,\",TRUE,Size,S,Colour,Black,'0012,250,shopify,-11,continue,25,20.00,\
'4006381333931,https://x.example/2.jpg,2,Second,FALSE,Best lamp,Shines,https://x.example/3.jpg,\"[\"\"a\"\",\"\"b\"\"]\",tight,active
lamp,,,,,,,,,M,,Black,,10.5,,,deny,19.99,24.99,9.78E+12,https://x.example/1.jpg,1,First,,,,,,,
lamp,,,,,,,,,,,,,,,,,,,,https://x.example/3.jpg,3,Third,,,,,,,
";

#[test]
fn a_product_of_several_rows() {
    let mut catalogue = Memory::default();
    let report = shopify(LAMP, &mut catalogue);
    assert_eq!(counts(&report), [1, 0, 0, 0], "{:?}", words(&report));
    assert_eq!(
        words(&report),
        [
            "line 4, column Variant Barcode: warning: a spreadsheet has rounded this barcode; its digits are lost, so it was left out"
        ]
    );
    assert_eq!(report.ignored_columns, ["Gift Card"]);
    let lamp = serde_json::to_value(catalogue.product("lamp")).unwrap();
    assert_eq!(lamp["description"], "<p>Two\nlines, \"quoted\"</p>");
    assert_eq!(lamp["brand"], "Acme");
    assert_eq!(lamp["categories"], json!(["Home > Lamps"]));
    assert_eq!(lamp["product_type"], "Lighting");
    assert_eq!(lamp["tags"], json!(["Red", "warm"]));
    assert_eq!(lamp["status"], "active");
    assert_eq!(lamp["attributes"], json!({"shade": ["a", "b"]}));
    assert_eq!(lamp["seo"], json!({"title": "Best lamp", "description": "Shines"}));
    let options = json!([{"name": "Size", "values": ["S", "M"]}, {"name": "Colour", "values": ["Black"]}]);
    assert_eq!(lamp["options"], options);
    let urls: Vec<_> = lamp["media"].as_array().unwrap().iter().map(|m| (&m["url"], &m["alt"])).collect();
    assert_eq!(
        json!(urls),
        json!([
            ["https://x.example/1.jpg", "First"],
            ["https://x.example/2.jpg", "Second"],
            ["https://x.example/3.jpg", "Third"]
        ])
    );
    let small = &lamp["variants"][0];
    assert_eq!(small["sku"], "0012");
    assert_eq!(small["barcode"], "4006381333931");
    assert_eq!(small["options"], json!({"Size": "S", "Colour": "Black"}));
    assert_eq!(small["prices"], json!([{"currency": "USD", "amount": 2500, "compare_at": 2000}]));
    assert_eq!(small["stock"], json!([{"location": "default", "quantity": -11}]));
    assert_eq!([&small["track_inventory"], &small["allow_backorder"]], [true, true]);
    assert_eq!(small["weight_grams"], 250);
    assert_eq!(small["media"], json!(["https://x.example/3.jpg"]));
    assert_eq!(small["attributes"], json!({"specs.fit": "tight"}));
    let medium = &lamp["variants"][1];
    assert_eq!([&medium["sku"], &medium["barcode"], &medium["stock"]], [&json!(null); 3]);
    assert_eq!([&medium["track_inventory"], &medium["allow_backorder"]], [false, false]);
    assert_eq!(medium["weight_grams"], 11);
    assert_eq!(lamp["variants"].as_array().unwrap().len(), 2);
}

#[test]
fn both_generations_byte_order_mark_and_line_ends() {
    let current = "\u{feff}Title,URL handle,Description,SKU,Price,Inventory quantity,Continue selling when out of stock,\
                   Product image URL,Price / International\r\n\
                   Mug,mug,A mug,M-1,9.5,3,DENY,https://x.example/m.jpg,8\r\n";
    let mut catalogue = Memory::default();
    let report = shopify(current, &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([1, 0, 0, 0], vec![]));
    assert_eq!(report.ignored_columns, ["Price / International"]);
    let mug = catalogue.product("mug");
    assert_eq!(mug.variants[0].prices[0].amount, 950);
    assert_eq!(mug.variants[0].stock.as_ref().unwrap()[0].quantity, 3);
    assert_eq!(mug.media[0].url, "https://x.example/m.jpg");
    assert!(mug.variants[0].options.is_empty() && mug.options.is_empty());
}

#[test]
fn a_title_is_enough_and_default_title_is_no_option() {
    let mut catalogue = Memory::default();
    let report = shopify("Title\nFirst Thing\nSecond Thing\n", &mut catalogue);
    assert_eq!(counts(&report), [2, 0, 0, 0]);
    assert!(catalogue.product("second-thing").variants.is_empty());
    let file = "handle,title,OPTION1 NAME,option1 value,variant price\na,A,Title,Default Title,1\n";
    assert_eq!(counts(&shopify(file, &mut catalogue)), [1, 0, 0, 0]);
    let product = catalogue.product("a");
    assert!(product.options.is_empty() && product.variants[0].options.is_empty());
    assert_eq!(product.variants[0].prices[0].amount, 100);
}

#[test]
fn rows_of_a_handle_may_stand_anywhere() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant Price,Body\n\
                a,A,Size,S,1,\n\
                b,B,Size,S,2,\n\
                a,,,M,3,\n\
                c,C,Size,S,4,\"two\nlines\"\n\
                B,,,M,5,\n\
                a,,,L,6,\n";
    let mut catalogue = Memory::default();
    let report = shopify(file, &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([3, 0, 0, 0], vec![]));
    let amounts = |slug: &str| -> Vec<i64> {
        catalogue.product(slug).variants.iter().map(|variant| variant.prices[0].amount).collect()
    };
    assert_eq!([amounts("a"), amounts("b"), amounts("c")], [vec![100, 300, 600], vec![200, 500], vec![400]]);
}

#[test]
fn prices_by_currency() {
    let read = |currency: &str, price: &str| {
        let file = file(format!("Handle,Title,Variant Price\na,A,{price}\n"));
        let mut catalogue = Memory::default();
        let report = import(&mut open(file.path(), currency).unwrap(), &mut catalogue);
        let amount = catalogue.products.first().map(|(_, product)| product.variants[0].prices[0].amount);
        amount.ok_or_else(|| words(&report).join("; "))
    };
    assert_eq!(read("VND", "150000"), Ok(150_000));
    assert_eq!(read("VND", "150000.00"), Ok(150_000));
    assert_eq!(read("KWD", "1.234"), Ok(1234));
    assert_eq!(read("EUR", "25"), Ok(2500));
    assert_eq!(
        read("JPY", "10.5"),
        Err("line 2, column Variant Price: must not have more than 0 decimals in JPY".to_owned())
    );
    for bad in ["-1", "\"1,299.00\"", "1e3", "$5", "99999999999999999999"] {
        let error = read("USD", bad).unwrap_err();
        assert!(error.starts_with("line 2, column Variant Price: must "), "{error}");
    }
}

#[test]
fn status_and_published() {
    let status = |published: &str, status: &str| {
        let mut catalogue = Memory::default();
        shopify(format!("Handle,Title,Published,Status\na,A,{published},{status}\n"), &mut catalogue);
        catalogue.products.first().map(|(_, product)| product.status)
    };
    assert_eq!(status("true", ""), Some(Status::Active));
    assert_eq!(status("FALSE", ""), Some(Status::Draft));
    assert_eq!(status("", ""), Some(Status::Active));
    assert_eq!(status("true", "Draft"), Some(Status::Draft));
    assert_eq!(status("false", "active"), Some(Status::Active));
    assert_eq!(status("TRUE", "archived"), Some(Status::Archived));
    assert_eq!(status("TRUE", "unlisted"), Some(Status::Draft));
    assert_eq!(status("maybe", ""), None);
    assert_eq!(status("", "gone"), None);
}

#[test]
fn a_dry_run_says_what_would_be_and_leaves_nothing() {
    let file = file("Handle,Title,Variant SKU,Variant Price\na,A,X,1\nb,B,X,2\nc,C,,x\n");
    let mut catalogue = Memory::default();
    let mut source = open(file.path(), "USD").unwrap();
    let report = aisle::import::run::run(&mut source, &mut catalogue, true, &mut super::Nobody).unwrap();
    assert_eq!(counts(&report), [1, 0, 0, 2]);
    assert!(catalogue.products.is_empty() && catalogue.commits == 0);
    assert!(
        words(&report)[0].starts_with("line 3, column Variant SKU: must be unique in the file"),
        "{report:?}"
    );
}

#[test]
fn a_batch_that_collides_is_tried_again() {
    let mut catalogue = Memory { collisions: 2, ..Memory::default() };
    assert_eq!(counts(&shopify("Handle,Title\na,A\nb,B\n", &mut catalogue)), [2, 0, 0, 0]);
    assert_eq!(catalogue.commits, 1);
    let file = file("Title\nA\n");
    let mut catalogue = Memory { collisions: 9, ..Memory::default() };
    let mut source = open(file.path(), "USD").unwrap();
    let interrupted =
        aisle::import::run::run(&mut source, &mut catalogue, false, &mut super::Nobody).unwrap_err();
    assert!(interrupted.to_string().starts_with("stopped at line 2; import the file again"), "{interrupted}");
}
