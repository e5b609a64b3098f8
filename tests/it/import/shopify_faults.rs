//! What can be wrong with a Shopify file: named by line and column, and no product half-written.

use super::{Memory, counts, file, open, shopify, words};

fn slugs(catalogue: &Memory) -> Vec<&str> {
    catalogue.products.iter().filter_map(|(_, product)| product.slug.as_deref()).collect()
}

#[test]
fn broken_rows_spoil_their_product_only() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant Price\r\n\
                a,A,Size,S,1\r\n\
                a,,,M\r\n\
                b,B,Size,S,2\r\n\
                c,C,Size,S,\"3\r\n\
                d,D,Size,S,4\r\n\
                e,E,Size,\"S\"x,5\r\n\
                b,,,M,6,,\r\n\
                f,F,Size,S,7,8\r\n\
                g,G,Size,S,9\r\n";
    let mut catalogue = Memory::default();
    let report = shopify(file, &mut catalogue);
    assert_eq!(slugs(&catalogue), ["b", "d", "g"]);
    assert_eq!(catalogue.product("b").variants.len(), 2);
    assert_eq!(counts(&report), [3, 0, 0, 4]);
    assert_eq!(
        words(&report),
        [
            "line 3, column Variant Price: the row has 4 cells, the header has 5",
            "line 5, column Variant Price: text follows the closing quote; a quote inside a quoted cell is written twice",
            "line 7, column Option1 Value: text follows the closing quote; a quote inside a quoted cell is written twice",
            "line 9: the row has 6 cells, the header has 5",
        ]
    );
}

#[test]
fn a_quote_never_closed_is_found_where_it_opens() {
    let file = "Handle,Title,Body (HTML)\na,A,x\nb,B,\"y\nc,C,z\nd,D,\"two\nlines\"\n";
    let mut catalogue = Memory::default();
    let report = shopify(file, &mut catalogue);
    assert_eq!(slugs(&catalogue), ["a", "c", "d"]);
    assert_eq!(report.problems[0].line, 3);
    assert_eq!(report.problems[0].column.as_deref(), Some("Body (HTML)"));
    let report = shopify("Handle,Title,Body (HTML)\na,A,x\nb,B,\"y\n", &mut Memory::default());
    assert_eq!(words(&report), ["line 3, column Body (HTML): the quote that opens this cell is not closed"]);
}

#[test]
fn bytes_that_are_not_utf8_are_named() {
    let mut catalogue = Memory::default();
    let report = shopify(b"Handle,Title,Vendor\na,\"A\n\",Caf\xE9\nb,B,Acme\nc,C,\xFF\0\n", &mut catalogue);
    assert_eq!(slugs(&catalogue), ["b"]);
    assert_eq!(
        words(&report),
        [
            "line 3, column Vendor: is not UTF-8; save the file as UTF-8",
            "line 5, column Vendor: is not UTF-8; save the file as UTF-8",
        ]
    );
}

#[test]
fn files_without_a_header_are_refused_whole() {
    let refusal = |content: &[u8]| open(file(content).path(), "USD").unwrap_err().to_string();
    assert_eq!(refusal(b""), "line 1: the file is empty");
    assert!(refusal(b"lamp,9.99\nmug,5\n").contains("the first line must name the columns"));
    assert!(refusal(b"Handle;Title\na;A\n").contains("separated by `;`"));
    assert!(refusal(b"Handle\tTitle\na\tA\n").contains("separated by tabs"));
    assert!(refusal(b"\xFF\xFEH\0a\0\n\0").contains("UTF-16"));
    assert!(refusal(b"Handle,Caf\xE9\n").contains("column 2 is not UTF-8"));
    assert!(refusal(b"Handle,\"Title\na,b\n").starts_with("line 1: the quote"));
    assert!(refusal(b"Title,Title\n").contains("columns 1 and 2"));
    assert!(
        open(std::path::Path::new("/no/such/file.csv"), "USD")
            .unwrap_err()
            .to_string()
            .starts_with("cannot read")
    );
}

#[test]
fn wrong_cells_are_named_by_line_and_column() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant Price,Variant Inventory Qty,\
                Variant Grams,Variant Inventory Policy,Image Src,Tags\n\
                a,A,Size,S,Colour,red,x,1.5,heavy,perhaps,https://x.example/1,ok\n\
                b,B,Size,S,Colour,red,1,,,,/relative.jpg,\n\
                b,,,M,,,1,,,,,\n\
                c,,,,,,1,,,,,\n\
                ,,,S,,,1,,,,,\n\
                d,D\u{0}D,,,,,1,,,,,\n\
                e,E,,S,,,1,,,,,\n";
    let mut catalogue = Memory::default();
    let report = shopify(file, &mut catalogue);
    assert!(catalogue.products.is_empty());
    let places: Vec<_> =
        report.problems.iter().map(|p| (p.line, p.column.as_deref().unwrap_or(""), p.rule)).collect();
    assert_eq!(
        places,
        [
            (2, "Variant Grams", "not_a_weight"),
            (2, "Variant Inventory Policy", "not_one_of"),
            (2, "Variant Inventory Qty", "not_an_integer"),
            (2, "Variant Price", "not_an_amount"),
            (3, "Image Src", "not_a_url"),
            (4, "Option2 Value", "required"),
            (5, "Title", "required"),
            (6, "Handle", "required"),
            (7, "Title", "control_character"),
            (8, "Option1 Name", "required"),
        ]
    );
}

#[test]
fn duplicate_skus_are_errors_of_the_later_row() {
    let file = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price\n\
                a,A,Size,S,X,1\n\
                b,B,Size,S,Y,1\n\
                b,,,M,Y,1\n\
                c,C,Size,S,Z,1\n\
                c,,,M,X,1\n\
                d,D,Size,S,,1\n\
                d,,,M,,1\n";
    let mut catalogue = Memory::default();
    let report = shopify(file, &mut catalogue);
    assert_eq!(slugs(&catalogue), ["a", "d"]);
    assert_eq!(
        words(&report),
        [
            "line 4, column Variant SKU: must be unique; variant 0 has the same",
            "line 6, column Variant SKU: belongs to a variant of another product",
        ]
    );
}

#[test]
fn a_repeated_variant_is_left_out_and_contradictions_are_told() {
    let file = "Handle,Title,Vendor,Option1 Name,Option1 Value,Variant Price\n\
                a,A,Acme,Size,S,1\n\
                a,,,,M,2\n\
                a,A,Other,Size,S,3\n\
                a,,,,L,4\n";
    let mut catalogue = Memory::default();
    let report = shopify(file, &mut catalogue);
    assert_eq!(counts(&report), [1, 0, 0, 0]);
    assert!(!report.is_complete(), "a row is missing");
    assert_eq!(
        words(&report),
        [
            "line 4, column Vendor: warning: differs from line 2, which counts: Vendor",
            "line 4, column Option1 Value: has the option values of line 2; this row was left out",
        ]
    );
    let amounts: Vec<_> = catalogue.product("a").variants.iter().map(|v| v.prices[0].amount).collect();
    assert_eq!(amounts, [100, 200, 400]);
}

#[test]
fn too_much_of_a_product_is_refused() {
    let rows: Vec<String> = (1..300).map(|size| format!("a,,,{size},1")).collect();
    let header = "Handle,Title,Option1 Name,Option1 Value,Variant Price";
    let content = format!("{header}\na,A,Size,0,1\n{}\nb,B,Size,S,1\n", rows.join("\n"));
    let mut catalogue = Memory::default();
    let report = shopify(&content, &mut catalogue);
    assert_eq!(slugs(&catalogue), ["b"]);
    assert_eq!(words(&report), ["line 2, #/variants: must have at most 250 items, has 300"]);
}
