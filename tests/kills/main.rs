//! Everything is killed in the middle of edits, again and again: server, Postgres and Redis at once, as when the power fails.
//!
//! Afterwards every acknowledged edit is there, with its event, once; an edit that was not acknowledged is there as a whole, with
//! its event, or not at all.
//!
//! ```text
//! cargo test --test kills                            five times
//! cargo test --release --test kills -- --times 200   `make kills`
//! ```

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that is a program and reports"
)]

mod check;
mod support;
mod writers;

use std::{path::Path, process::ExitCode};

use clap::Parser;
use rustix::process::{Pid, Signal, kill_process};

use crate::{
    check::Found,
    support::{
        dice::Dice,
        process::{Instance, open_folder},
    },
    writers::{TOKEN, Writer},
};

/// Editors at a time, each of a product of its own.
const WRITERS: usize = 4;

/// Kills everything in the middle of edits, and looks at what is left.
#[derive(Debug, Parser)]
#[command(name = "kills")]
struct Options {
    /// How often
    #[arg(long, default_value_t = 5)]
    times: u32,

    /// What chance begins with
    #[arg(long)]
    seed: Option<u64>,

    // Said by cargo test to every test.
    #[arg(long, hide = true)]
    nocapture: bool,

    #[arg(hide = true)]
    filters: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if !options.filters.is_empty() && !options.filters.iter().any(|filter| "kills".contains(filter.as_str()))
    {
        return ExitCode::SUCCESS;
    }
    let Some(parent) = open_folder() else { return ExitCode::SUCCESS };
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()));
    println!("kills: {} times, seed {seed}", options.times);
    match run(&parent.path().join("data"), options.times, &mut Dice::new(seed)) {
        Ok(edits) => {
            println!("test result: ok. {edits} edits acknowledged and found after {} kills", options.times);
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("test result: FAILED. seed {seed}: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Acknowledged edits that were found again.
fn run(folder: &Path, times: u32, dice: &mut Dice) -> Result<usize, String> {
    let mut instance = serve(folder);
    let mut writers: Vec<Writer> = (0..WRITERS).map(|number| Writer::new(&instance.url, number)).collect();
    for time in 1..=times {
        let alive = dice.milliseconds((20, 1200));
        let url = instance.url.clone();
        writers::edit_until(&url, &mut writers, alive, || kill(&mut instance, folder));
        instance = serve(folder);
        let found = Found::read(folder, &instance.url, &writers)?;
        for (writer, product) in writers.iter_mut().zip(found.products) {
            writer.judge(&product).map_err(|wrong| format!("kill {time}, after {alive:?}: {wrong}"))?;
        }
    }
    Ok(writers.iter().map(Writer::acknowledged).sum())
}

fn serve(folder: &Path) -> Instance {
    let folder = folder.to_str().expect("a path that is text");
    Instance::serve(&[("AISLE_DATA_DIR", folder), ("AISLE_ADMIN_TOKEN", TOKEN), ("RUST_LOG", "error")])
}

/// Postgres first or the server first, as chance has it: they are gone within a millisecond of each other.
fn kill(instance: &mut Instance, folder: &Path) {
    let file = std::fs::read_to_string(folder.join("postgres/postmaster.pid")).expect("a running Postgres");
    let pid = file.lines().next().and_then(|line| Pid::from_raw(line.trim().parse().ok()?));
    kill_process(pid.expect("a process"), Signal::KILL).expect("a signal");
    instance.kill9();
}
