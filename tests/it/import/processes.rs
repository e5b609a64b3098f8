//! `aisle import` as a process of its own: killed half-way, and with a file for what it rejects.

use std::{fmt::Write, path::Path, process::Stdio};

use serde_json::Value;

use crate::{
    catalogue::{events, number, psql, texts},
    support::{
        database::{TestDatabase, database},
        process::aisle,
        waiting::{PATIENCE, wait_until},
    },
};

/// Created, updated, unchanged and failed products of an import.
fn import(database: &TestDatabase, arguments: &[&str]) -> [u64; 4] {
    let mut command = aisle();
    let output = command
        .arg("import")
        .args(arguments)
        .arg("--json")
        .env("DATABASE_URL", &database.url)
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    let counts = ["created", "updated", "unchanged", "failed"].map(|name| report[name].as_u64().unwrap());
    assert_eq!(output.status.code(), Some(i32::from(counts[3] > 0)), "{output:?}");
    counts
}

#[test]
fn a_killed_import_is_finished_by_the_next_one() {
    const LINES: u64 = 3200;
    let database = database();
    let mut connection = database.connect();
    psql(&mut connection, "INSERT INTO product (title, external_id) VALUES ('Old', 'e-2500')");
    let mut content = String::new();
    for n in 1..=LINES {
        writeln!(
            content,
            r#"{{"external_id":"e-{n}","title":"Lamp {n}","brand":"B {}","tags":["t {}"],"variants":[{{"sku":"S-{n}"}}]}}"#,
            n / 500,
            n / 400
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("products.jsonl");
    std::fs::write(&file, content).unwrap();
    let file = file.to_str().unwrap();

    // The third batch waits for this product, in the middle of its transaction.
    let mut holder = database.connect();
    psql(&mut holder, "BEGIN; UPDATE product SET title = 'Held' WHERE external_id = 'e-2500'");
    let mut command = aisle();
    command.args(["import", "jsonl", file]).env("DATABASE_URL", &database.url);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let waits = "SELECT count(*) AS number FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'";
    wait_until(PATIENCE, "the import to wait", || number(&mut connection, waits) == 1);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().code(), None, "killed, not ended");
    psql(&mut holder, "ROLLBACK");
    drop(holder);
    let others = "SELECT count(*) AS number FROM pg_stat_activity \
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    wait_until(PATIENCE, "its session to end", || number(&mut connection, others) == 0);
    let products = "SELECT count(*) AS number FROM product";
    assert_eq!(number(&mut connection, products), 2001, "two batches, and nothing of the third");
    assert_eq!(
        texts(&mut connection, "SELECT title AS text FROM product WHERE external_id = 'e-2500'"),
        ["Old"]
    );

    assert_eq!(import(&database, &["jsonl", file]), [LINES - 2001, 1, 2000, 0]);
    let expected = i64::try_from(LINES).unwrap();
    for (table, count) in
        [("product", expected), ("variant", expected), ("brand", 7), ("tag", 9), ("slug", expected)]
    {
        assert_eq!(
            number(&mut connection, &format!("SELECT count(*) AS number FROM {table}")),
            count,
            "{table}"
        );
    }
    let once = "SELECT count(DISTINCT (external_id, title)) AS number FROM product WHERE 'e-' || substr(title, 6) = external_id";
    assert_eq!(number(&mut connection, once), expected);

    let before = events(&mut connection);
    assert_eq!(import(&database, &["jsonl", file]), [0, 0, LINES, 0]);
    assert_eq!(events(&mut connection), before);
}

/// Imports a file, gives what it rejects, mends that and imports it.
fn mended(
    database: &TestDatabase,
    format: &str,
    content: &str,
    counts: [u64; 4],
    mend: impl Fn(&str) -> String,
) -> (String, [u64; 4]) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (file, rejects, left) = (path("all"), path("rejects"), path("left"));
    std::fs::write(&file, content).unwrap();
    assert_eq!(import(database, &[format, &file, "--rejects", &rejects]), counts);
    let rejected = std::fs::read_to_string(&rejects).unwrap();
    std::fs::write(&rejects, mend(&rejected)).unwrap();
    let counts = import(database, &[format, &rejects, "--rejects", &left]);
    let left = std::fs::read_to_string(Path::new(&left)).unwrap();
    assert_eq!(left.lines().count(), usize::from(format == "shopify"), "nothing but a header: {left}");
    (rejected, counts)
}

#[test]
fn rejected_lines_are_kept_as_they_came_and_can_be_mended() {
    let database = database();
    let good = r#"{"external_id":"1","title":"Lamp","variants":[{"sku":"A"}]}"#;
    let wrong = [
        r#"{"external_id":"2",  "titel":"Mug"}"#,
        r#"{"external_id":"3","title":"Pan","variants":[{"sku":"A"}]  }"#,
        r#"{"external_id":"4","title":"Pot""#,
        r#"{"external_id":"1","title":"Lamp again","variants":[{"sku":"B"}]}"#,
    ];
    let content = format!("{good}\n\n{}\n{}\n{}\r\n{}", wrong[0], wrong[1], wrong[2], wrong[3]);
    let mend = |rejected: &str| {
        let titled = rejected.replace("titel", "title").replace(r#""Pot""#, r#""Pot"}"#);
        titled.replace(r#""Pan","variants":[{"sku":"A"}]"#, r#""Pan""#).replace(r#""1""#, r#""5""#)
    };
    let (rejected, counts) = mended(&database, "jsonl", &content, [1, 0, 0, 4], mend);
    let expected = format!("{}\n{}\n{}\n{}\n", wrong[0], wrong[1], wrong[2], wrong[3]);
    assert_eq!(rejected, expected);
    assert_eq!(counts, [4, 0, 0, 0]);
    let titles = texts(&mut database.connect(), "SELECT title AS text FROM product ORDER BY external_id");
    assert_eq!(titles, ["Lamp", "Mug", "Pan", "Pot", "Lamp again"]);
}

#[test]
fn rejected_rows_are_kept_as_they_came_and_can_be_mended() {
    let database = database();
    let header = "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price\r\n";
    let lamp = "lamp,Lamp,,Size,S,L-S,1\r\nlamp,,,,M,L-M,2\r\n";
    let mug = "mug,Mug,\"<p>Two\r\nlines, \"\"quoted\"\"</p>\",Size,S,L-S,1\r\nmug,,,,M,MUG-M,2.5\r\n";
    let pan = "pan,Pan,,,,PAN,cheap\r\n";
    let pot = "pot,Pot,,Size,S,POT,1\r\npot,,,,M,2\r\n";
    let bowl = "bowl,Bowl,,,,BOWL,3";
    let content = format!("{header}{lamp}{mug}{pan}{pot}{bowl}");
    let mend = |rejected: &str| {
        rejected.replace("L-S", "MUG-S").replace("cheap", "9.99").replace("pot,,,,M,2\r\n", "pot,,,,M,,2\r\n")
    };
    let (rejected, counts) = mended(&database, "shopify", &content, [2, 0, 0, 3], mend);
    assert_eq!(counts, [3, 0, 0, 0], "{rejected}");
    let blocks = [mug, pan, pot];
    assert!(rejected.starts_with(header), "{rejected:?}");
    assert!(blocks.iter().all(|block| rejected.contains(block)), "{rejected:?}");
    assert_eq!(
        rejected.len(),
        header.len() + blocks.map(str::len).iter().sum::<usize>(),
        "no more: {rejected:?}"
    );
    let stored = "SELECT concat(p.title, ' ', length(p.description), ' ', string_agg(concat(v.sku, '=', x.amount), ',' ORDER BY v.position)) AS text \
                  FROM product p JOIN variant v ON v.product_id = p.id JOIN price x ON x.variant_id = v.id \
                  GROUP BY p.id ORDER BY p.title";
    assert_eq!(
        texts(&mut database.connect(), stored),
        [
            "Bowl 0 BOWL=300",
            "Lamp 0 L-S=100,L-M=200",
            "Mug 27 MUG-S=100,MUG-M=250",
            "Pan 0 PAN=999",
            "Pot 0 POT=100,=200"
        ]
    );
}
