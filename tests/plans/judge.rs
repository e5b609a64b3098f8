//! What a plan may not do.

use std::fmt::Write as _;

use crate::explained::{Execution, Work};

/// Rows of a table that may be read as a whole, and rows that may be sorted: reading so few costs no more than looking up some
/// dozens, and the large catalogue has more of whatever there is of each product.
const ROWS: u64 = 2_000;

/// Pages and rows may be this many times those of the small catalogue: an index of a million entries is two levels higher
/// than one of a thousand, and its entries lie further apart.
const TIMES: u64 = 2;

/// And this many more: where an answer is a few pages, the next level of every index is many times as much.
const MORE: u64 = 60;

/// Pages that a row looked for may cost: an index of a million long keys is four or five high, then comes the row, and it may have moved. Where rows do
/// not grow, more pages mean that a small catalogue was cheaper to read as a whole.
const PAGES: u64 = 7;

/// Statements whose work may grow, by how they begin, with the reason.
const MAY_GROW: [(&str, &str); 0] = [];

/// A statement on both catalogues.
#[derive(Debug)]
pub(crate) struct Pair<'a> {
    /// How it was planned.
    pub(crate) mode: &'static str,
    /// Its text.
    pub(crate) text: &'a str,
    /// On the small catalogue.
    pub(crate) small: &'a Execution,
    /// On the large one.
    pub(crate) large: &'a Execution,
}

/// What is to be said of two runs.
#[derive(Debug)]
pub(crate) struct Judgement<'a> {
    /// What was executed in both.
    pub(crate) pairs: Vec<Pair<'a>>,
    /// What is refused, in words.
    pub(crate) faults: Vec<String>,
}

impl<'a> Judgement<'a> {
    /// Judges each statement of the large catalogue by itself and beside its like.
    pub(crate) fn new(small: &'a Work, large: &'a Work) -> Self {
        let (mut pairs, mut faults) = (Vec::new(), Vec::new());
        for ((mode, text), execution) in &large.done {
            let like = small.done.get(&(*mode, text.clone()));
            if let Some(like) = like {
                pairs.push(Pair { mode, text, small: like, large: execution });
            }
            if MAY_GROW.iter().any(|(begin, _)| text.starts_with(begin)) {
                continue;
            }
            let said = faults_of(execution, like);
            if !said.is_empty() {
                faults.push(format!("{} ({mode})\n  {text}\n{}", said.join("; "), execution.plan));
            }
        }
        Self { pairs, faults }
    }
}

/// What the large catalogue may cost where the small one costs this.
fn bound(small: u64) -> u64 {
    small * TIMES + MORE
}

fn faults_of(large: &Execution, small: Option<&Execution>) -> Vec<String> {
    let mut said = Vec::new();
    let nothing = Execution::default();
    let like = small.unwrap_or(&nothing);
    for (table, rows) in &large.whole {
        if *rows > ROWS.max(bound(like.whole.get(table).copied().unwrap_or_default())) {
            said.push(format!("reads all of {table}: {rows} rows"));
        }
    }
    if large.sorted > ROWS.max(bound(like.sorted)) {
        said.push(format!("sorts {} rows", large.sorted));
    }
    let Some(small) = small else { return said };
    let at_once: u64 = large.whole.values().filter(|rows| **rows <= ROWS).sum();
    for (what, large, most) in [
        ("buffers", large.buffers, bound(small.buffers).max(large.looks * PAGES)),
        ("rows", large.rows, bound(small.rows) + at_once),
        ("rows thrown away", large.removed, bound(small.removed) + at_once),
    ] {
        if large > most {
            let mut text = String::new();
            write!(text, "{what}: {large}, more than {most}").expect("a string");
            said.push(text);
        }
    }
    said
}

/// A judge that refuses nothing is of no use.
pub(crate) fn check_itself() {
    let good = Execution { buffers: 9, rows: 20, ..Execution::default() };
    assert!(faults_of(&good, Some(&good)).is_empty());
    let bad = [
        Execution { buffers: 9 * TIMES + MORE + 1, ..good.clone() },
        Execution { rows: 20 * TIMES + MORE + 1, ..good.clone() },
        Execution { removed: MORE + 1, ..good.clone() },
        Execution { sorted: ROWS + 1, ..good.clone() },
        Execution { whole: [("product".to_owned(), ROWS + 1)].into(), ..good.clone() },
    ];
    for bad in bad {
        assert_eq!(faults_of(&bad, Some(&good)).len(), 1, "{bad:?}");
    }
}
