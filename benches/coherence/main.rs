//! What coherence costs, as ratios and differences within one run: hits, edits, deaths, edits by SQL.
//!
//! Starts its own Postgres, whose commits are flushed, its own Redis, and instances as processes of `aisle serve`; all of them
//! end with it. Absolute figures are the machine's, and whoever else uses it shows in them: read each beside its control row.
//!
//! ```text
//! make bench-coherence          all of it
//! make bench-coherence QUICK=1  to try it out; not to judge by
//! cargo bench --target-dir target/mutants --features mutants --bench coherence -- --part 2
//!                               one part: 1 hits, 2 edits, 3 deaths, 4 SQL
//! ```

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    reason = "a program that measures and prints"
)]

mod death;
mod direct;
mod edits;
mod hits;
mod load;
mod sql;
#[path = "../support/mod.rs"]
mod support;
mod throughput;

use std::{process::ExitCode, time::Instant};

use support::{client, instance, machine, outcome, pace, sample, servers, table};

pub(crate) use support::extent::Extent;

use crate::{outcome::Outcome, servers::Servers};

type Part = fn(&Servers, Extent) -> Outcome<()>;

const PARTS: [(&str, Part); 4] =
    [("1", hits::measure), ("2", edits::measure), ("3", death::measure), ("4", sql::measure)];

fn main() -> ExitCode {
    outcome::ended(run())
}

fn run() -> Outcome<()> {
    let (mut extent, mut wanted) = (Extent::Full, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => extent = Extent::Quick,
            "--part" => wanted.push(arguments.next().ok_or("--part needs a number")?),
            // Said by cargo.
            "--bench" => {}
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let began = Instant::now();
    println!(
        "## What coherence costs\n\n{}{}",
        machine::describe()?,
        extent.of("", " · quick, not to judge by")
    );
    let servers = Servers::start()?;
    for (number, part) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == number) {
            part(&servers, extent)?;
        }
    }
    println!("\nended {} after {} s, load {}", machine::now(), began.elapsed().as_secs(), machine::load()?);
    Ok(())
}
