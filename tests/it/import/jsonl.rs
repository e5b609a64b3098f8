//! JSON lines: one product a line.

use aisle::{import::jsonl::JsonLines, limits::BODY_BYTES_MAX};

use super::{Memory, counts, import, words};

fn lines(content: impl AsRef<[u8]>, catalogue: &mut Memory) -> aisle::import::report::Report {
    import(&mut JsonLines::new(content.as_ref()), catalogue)
}

#[test]
fn products_line_by_line() {
    let content = "\u{feff}{\"title\":\"Lamp\",\"external_id\":\"1\",\"attributes\":{\"width\":0.30000000000000004}}\r\n\
                   \n   \n{\"title\":\"Mug\"}\n{\"title\":\"Pan\",\"slug\":\"a-pan\"}";
    let mut catalogue = Memory::default();
    let report = lines(content, &mut catalogue);
    assert_eq!((counts(&report), words(&report)), ([3, 0, 0, 0], vec![]));
    assert_eq!(catalogue.product("mug").title, "Mug");
    assert_eq!(counts(&lines(content, &mut catalogue)), [0, 0, 3, 0]);
    assert_eq!(counts(&lines("{\"title\":\"Lamp\",\"external_id\":\"1\"}", &mut catalogue)), [0, 1, 0, 0]);
}

#[test]
fn a_bad_line_spoils_itself_only() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let long = format!("{{\"title\":\"{}\"}}", "x".repeat(BODY_BYTES_MAX));
    let mut content = b"{\"title\":\"A\",\"variants\":[{\"prices\":[{\"currency\":\"JPY\",\"amount\":10.5}]}],\"titel\":1}\n".to_vec();
    content.extend(b"{\"title\":\n{\"title\":\"\xFC\"}\n{\"title\":\"B\",\"attributes\":{\"x\":1e400}}\n");
    content.extend(format!("{deep}\n{long}\n").into_bytes());
    content.extend(b"{\"title\":\"a\\u0000b\"}\n\0\n[]\n{\"title\":\"?!\"}\n{\"title\":\"Good\"}\n{\"title\":\"Good\"}\n");
    let mut catalogue = Memory::default();
    let report = lines(content, &mut catalogue);
    assert_eq!(counts(&report), [1, 0, 0, 11]);
    let words = words(&report);
    let expected = [
        "line 1, #/titel: is not a known field; did you mean `title`?",
        "line 1, #/variants/0/prices/0/amount: must be a whole number of minor units; JPY has no smaller unit",
        "line 2: is not JSON: EOF while parsing a value (character 9 of the line)",
        "line 3: is not UTF-8; save the file as UTF-8 (character 11 of the line)",
        "line 4: is not JSON: number out of range (character 36 of the line)",
        "line 5: is not JSON: recursion limit exceeded (character 128 of the line)",
        "line 6: a line has at most 4194304 bytes",
        "line 7, #/title: must not hold control characters; character 2 is U+0000",
        "line 8: is not JSON: expected value (character 1 of the line)",
        "line 9, #: must be an object, not a list",
        "line 10, #/slug: is required with an `external_id` or a title that makes a slug, to find the product again",
        "line 12, #/slug: must be unique in the file; line 11 has the same",
    ];
    assert_eq!(words, expected);
}

#[test]
fn many_products_are_written_in_batches() {
    let content = (0..2500).map(|n| format!("{{\"title\":\"Product {n}\"}}")).collect::<Vec<_>>().join("\n");
    let mut catalogue = Memory::default();
    assert_eq!(counts(&lines(content, &mut catalogue)), [2500, 0, 0, 0]);
    assert_eq!(catalogue.commits, 3);
}
