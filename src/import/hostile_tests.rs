//! Files that nobody meant to write: reading them ends, and every entry is a product or says what is wrong.

use std::io::Write;

use proptest::prelude::*;
use tempfile::NamedTempFile;

use super::{
    jsonl::JsonLines,
    shopify::ShopifyFile,
    source::{Source, SourceError},
};
use crate::domain::money::Currency;

/// Entries of a source; each has a product or a problem.
fn drain(source: &mut dyn Source) -> Result<usize, SourceError> {
    let mut entries = 0;
    while let Some(entry) = source.next()? {
        assert!(entry.content.is_some() || !entry.problems.is_empty(), "an entry that says nothing");
        entries += 1;
    }
    Ok(entries)
}

fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(vec![
            "lamp", "Lamp", "", "1.50", "-3", "1e9", "TRUE", "active", "'=1", "9.78E+12", "\"a,b\"", "\"a\nb\"", "\"",
            "https://x.example/a.png", "Size", "M", "kg", "shopify", "deny", "99999999999999999999", "\u{feff}",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn hostile_json_lines_are_read(lines in prop::collection::vec("(\\{\"title\":|[{}\\[\\]\",:a-z0-9 ]|\\PC){0,30}", 0..6), bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let text = [lines.join("\n").into_bytes(), bytes].concat();
        let most = text.split(|byte| *byte == b'\n').count();
        prop_assert!(drain(&mut JsonLines::new(&text[..])).unwrap() <= most);
    }

    #[test]
    fn hostile_shopify_files_are_read(rows in prop::collection::vec(prop::collection::vec(cell(), 0..12), 0..8)) {
        let header = "Handle,Title,Status,Option1 Name,Option1 Value,Variant SKU,Variant Price,Variant Inventory Qty,Image Src,Tags,Variant Barcode";
        let rows = rows.iter().map(|row| row.join(","));
        let mut file = NamedTempFile::new().unwrap();
        for line in std::iter::once(header.to_owned()).chain(rows) {
            writeln!(file, "{line}").unwrap();
        }
        let mut file = ShopifyFile::open(file.path(), Currency::parse("USD").unwrap()).unwrap();
        drain(&mut file).unwrap();
    }
}
