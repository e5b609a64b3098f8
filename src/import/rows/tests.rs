use proptest::prelude::*;

use super::*;

fn scan(text: &str, width: usize) -> Vec<String> {
    let mut rows = Rows::new(text.as_bytes(), 1, 0, Some(width));
    let mut found = Vec::new();
    while let Some(scanned) = rows.next().unwrap() {
        found.push(match scanned {
            Scanned::Row(row) => {
                let cells: Vec<_> = row.cells.iter().map(String::from_utf8_lossy).collect();
                format!("{}: {}", row.line, cells.join("|"))
            }
            Scanned::Broken(broken) => format!("{}: {} {:?}", broken.line, broken.rule, broken.cell),
        });
    }
    found
}

#[test]
fn rows_have_the_line_they_begin_on() {
    let text = "a,b\r\n\"x\ny\",\"q\"\"q, r\"\n\n , \nc,d";
    assert_eq!(scan(text, 2), ["1: a|b", "2: x\ny|q\"q, r", "6: c|d"]);
}

#[test]
fn ragged_rows_spoil_themselves_only() {
    assert_eq!(
        scan("a,b\nc\nd,e,f\ng,h,, \ni,j\n", 2),
        ["1: a|b", "2: ragged_row Some(1)", "3: ragged_row None", "4: g|h", "5: i|j"]
    );
}

#[test]
fn an_unclosed_quote_costs_its_row_and_not_the_file() {
    assert_eq!(
        scan("a,b\nc,\"d\ne,f\ng,\"h\ni\"\n", 2),
        ["1: a|b", "2: text_after_quote Some(1)", "3: e|f", "4: g|h\ni"]
    );
    assert_eq!(
        scan("a,b\nc,\"d\nloose\ne,f\ng,h\n", 2),
        ["1: a|b", "2: unclosed_quote Some(1)", "3: skipped_lines None", "4: e|f", "5: g|h"]
    );
    assert_eq!(scan("a,b\n\"c,d\ne,\"f\"\n", 2), ["1: a|b", "2: text_after_quote Some(0)", "3: e|f"]);
    assert_eq!(scan("a,b\n\"c,d\n", 2), ["1: a|b", "2: unclosed_quote Some(0)"]);
    assert_eq!(scan("a,\"b\"x\nc,d\n", 2), ["1: text_after_quote Some(1)", "2: c|d"]);
    assert_eq!(scan("a,b\rc,d\ne,f\n", 2), ["1: lone_carriage_return Some(1)", "2: e|f"]);
}

#[test]
fn a_ragged_row_of_several_lines_does_not_take_others_along() {
    let text = "a,\"x\nb,y\nc,\"\nd,e\n";
    assert_eq!(scan(text, 2), ["1: a|x\nb,y\nc,", "4: d|e"], "this one is well formed");
    let text = "a,\"x\nb,y\nc,\",z\nd,e\n";
    assert_eq!(
        scan(text, 2),
        ["1: ragged_row None", "2: b|y", "3: unclosed_quote Some(1)", "4: d|e"].map(str::to_owned)[..]
            .to_vec()
    );
}

#[test]
fn rows_that_are_too_long_are_named_and_left() {
    let text = format!("a,{}\nb,\"{}\nc,d\n", "x".repeat(ROW_BYTES_MAX), "y\n".repeat(ROW_BYTES_MAX));
    let found = scan(&text, 2);
    assert_eq!(found[0], "1: row_too_long Some(0)");
    assert_eq!(found[1], "2: unclosed_quote Some(1)");
    assert_eq!(found.last().unwrap(), &format!("{}: c|d", ROW_BYTES_MAX + 3));
}

proptest! {
    #[test]
    fn well_formed_files_read_as_the_csv_crate_reads_them(
        table in prop::collection::vec(prop::collection::vec("[a-z,\"\r\n ü]{0,6}", 3), 1..8),
        crlf in any::<bool>(),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let mut rows = Rows::new(text.as_slice(), 1, 0, Some(3));
        let mut line = 1;
        for row in table {
            let begun = line;
            line += 1 + u64_from(row.iter().flat_map(|cell| cell.bytes()).filter(|b| *b == b'\n').count());
            if row.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            let Some(Scanned::Row(read)) = rows.next().unwrap() else { panic!("not a row: {row:?}") };
            prop_assert_eq!(read.line, begun);
            prop_assert_eq!(read.cells, ByteRecord::from(row));
        }
        prop_assert!(rows.next().unwrap().is_none());
        prop_assert_eq!(rows.position(), u64_from(text.len()));
    }

    #[test]
    fn any_bytes_end(bytes in prop::collection::vec(prop::sample::select(b"a,\"\r\n\xFC".to_vec()), 0..60)) {
        let mut rows = Rows::new(bytes.as_slice(), 1, 0, Some(2));
        let mut count = 0;
        while rows.next().unwrap().is_some() {
            count += 1;
        }
        prop_assert!(count <= bytes.len() + 1);
    }
}
