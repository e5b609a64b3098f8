//! Histories of real runs, judged: clients read and edit through several instances while things break.
//!
//! Every operation is noted with its begin and end on one clock. The title and the price of a product are registers; what
//! was read must be explained by some order of the operations that keeps to those times (see [`checker`]). Only answers
//! labelled `detail=unverified` may be stale: they are counted, not judged. A run counts only if reads and edits were
//! under way before, during and after its faults.
//!
//! `cargo test --test histories` runs a short selection, `make histories` everything, `-- --help` says more.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by panicking, and this one reports in its own words"
)]

mod checker;
mod dice;
mod faults;
mod history;
mod http;
mod judge;
mod load;
mod options;
mod run;
mod server;
mod soak;
mod support;
mod world;

use std::{
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Parser;

use self::{
    faults::{KINDS, MIXED},
    options::Options,
    run::{Outcome, Plan, run},
};

/// Judged reads that make the long selection count.
const LONG_READS: usize = 200_000;

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list {
        for kind in KINDS {
            println!("{:17} {}", kind.name, kind.about);
        }
        println!("{MIXED:17} random ones of these, two at a time");
        return ExitCode::SUCCESS;
    }
    if options.are_for_others() {
        return ExitCode::SUCCESS;
    }
    judge::check_itself();
    // Chance is as good as the seed is unknown; it is printed with every run.
    let chance = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.as_secs() % 1_000_000);
    match options.plans(chance) {
        Ok(plans) => all(&plans, options.long),
        Err(error) => {
            eprintln!("histories: {error}");
            ExitCode::FAILURE
        }
    }
}

fn all(plans: &[Plan], long: bool) -> ExitCode {
    aisle::cli::open_files::raise_limit();
    let (mut failed, mut reads, mut writes, mut took) = (Vec::new(), 0, 0, Duration::ZERO);
    for (number, plan) in (1..).zip(plans) {
        let (names, repeat) = Options::repeat(plan);
        println!("\nrun {number} of {}: {names}", plans.len());
        println!("  {repeat}");
        if plan.manner.own_postgres
            && let Err(error) = aisle::embedded::installed()
        {
            println!("  left out: {error}");
            continue;
        }
        let good = match run(plan) {
            Ok(outcome) => {
                reads += outcome.judgement.judged;
                writes += outcome.judgement.acknowledged;
                took += outcome.took;
                let is_clean = tell(&outcome);
                match plan.manner.mutant {
                    Some(mutant) => shows(mutant, &outcome),
                    None => is_clean,
                }
            }
            Err(error) => {
                println!("  BROKEN: {error}");
                false
            }
        };
        if !good {
            failed.push(repeat);
        }
    }
    println!(
        "\nhistories: {} runs, {reads} reads judged, {writes} edits acknowledged, {took:.1?}",
        plans.len()
    );
    if long && reads < LONG_READS {
        println!("too few reads: {LONG_READS} are wanted");
        return ExitCode::FAILURE;
    }
    if failed.is_empty() {
        let is_broken = plans.iter().any(|plan| plan.manner.mutant.is_some());
        println!("{}", if is_broken { "every mistake was noticed" } else { "all linearizable" });
        return ExitCode::SUCCESS;
    }
    println!("{} failed:", failed.len());
    for repeat in &failed {
        println!("  {repeat}");
    }
    ExitCode::FAILURE
}

/// Reports a run; whether it was good.
fn tell(outcome: &Outcome) -> bool {
    let Outcome { judgement, log, .. } = outcome;
    let nanoseconds = Duration::from_nanos;
    println!(
        "  {:.1?} in all, {:.1?} under load: {} reads judged, {} unverified; edits {} acknowledged, {} open-ended; \
         {} refused, {} unanswered",
        outcome.took,
        outcome.loaded,
        judgement.judged,
        judgement.unverified,
        judgement.acknowledged,
        judgement.open_ended,
        log.refused,
        log.unanswered
    );
    let fired: Vec<String> =
        outcome.fired.iter().map(|(name, (fired, counted))| format!("{name} {counted}/{fired}")).collect();
    println!("  fired under reads and edits / in all: {}", fired.join(", "));
    println!(
        "  longest time without an acknowledged edit {:.1?}, slowest recovery {:.1?}, positions gone back {}",
        nanoseconds(judgement.write_gap),
        outcome.slowest_recovery,
        judgement.positions_back
    );
    outcome.notes.iter().for_each(|note| println!("  {note}"));
    for trouble in &outcome.troubles {
        println!("  TROUBLE: {trouble}");
    }
    outcome.complaints.iter().for_each(|line| println!("    {line}"));
    if judgement.is_clean() {
        println!("  linearizable");
    } else {
        println!(
            "  NOT LINEARIZABLE: {} contradictions; {} reads stale after an acknowledgement (by {:.1?} at worst), \
             {} more show old after new",
            judgement.violations,
            judgement.stale,
            nanoseconds(judgement.stalest),
            judgement.new_then_old
        );
        judgement.shown.iter().for_each(|shown| println!("{shown}"));
    }
    judgement.is_clean() && outcome.troubles.is_empty()
}

/// Whether the history of a broken program shows that it is broken.
fn shows(mutant: &str, outcome: &Outcome) -> bool {
    let shows = !outcome.judgement.is_clean();
    println!("  {mutant}: {}", if shows { "noticed" } else { "NOT NOTICED: these histories are too weak" });
    shows
}
