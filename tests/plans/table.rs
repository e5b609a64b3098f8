//! What each statement read, as a table.

use crate::judge::Pair;

/// Characters of a statement that are printed.
const TEXT: usize = 90;

/// Prints a line per statement: the worse of its two plans.
pub(crate) fn print(pairs: &[Pair<'_>]) {
    let mut worst: Vec<&Pair<'_>> = Vec::new();
    for pair in pairs {
        match worst.iter_mut().find(|other| other.text == pair.text) {
            Some(other) if other.large.buffers < pair.large.buffers => *other = pair,
            Some(_) => {}
            None => worst.push(pair),
        }
    }
    println!("| statement | plan | indexes | rows small, large | buffers small, large |");
    println!("| --- | --- | --- | --- | --- |");
    for Pair { mode, text, small, large } in worst {
        let text: String = text.chars().take(TEXT).collect::<String>().replace('|', "\\|");
        let indexes = large.indexes.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let mode = mode.trim_start_matches("force_").trim_end_matches("_plan");
        println!(
            "| `{text}` | {mode} | {indexes} | {}, {} | {}, {} |",
            small.rows, large.rows, small.buffers, large.buffers
        );
    }
}
