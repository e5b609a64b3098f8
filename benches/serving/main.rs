//! How fast answers are, as ratios to a bare handler, and to proxies, measured in the same run.
//!
//! Starts its own Postgres, Redis, instances, bare servers and proxies as processes of their own; all of them end with it.
//! The figure is processor time of the server per request, from the operating system's accounting: it stays the same when the
//! load generator, on the same machine, takes more or less. Requests per second and latencies stand beside it.
//!
//! ```text
//! make bench          most of it
//! make bench-full     all of it
//! make bench QUICK=1  to try it out; not to judge by
//! cargo bench --bench serving -- --part hits
//! make bench-builds   only what the choices of the release build are worth
//! ```

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    reason = "a program that measures and prints"
)]

mod bare;
mod builds;
mod burst;
mod busy;
mod commits;
mod contest;
mod edits;
mod fleet;
mod hits;
mod load;
mod memory;
mod misses;
mod overload;
mod proxies;
mod relay;
mod rival;
mod shelf;
mod site;
#[path = "../support/mod.rs"]
mod support;
mod tools;

use std::{process::ExitCode, time::Instant};

use builds::Build;
use support::{
    machine,
    outcome::{Outcome, ended},
    servers::Servers,
};

pub(crate) use support::extent::Extent;

/// The allocator of the program that is measured, so that the bare server has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Part = fn(&Servers, Extent) -> Outcome<()>;

const PARTS: [(&str, Part); 10] = [
    ("hits", hits::measure),
    ("proxies", proxies::measure),
    ("fleet", fleet::measure),
    ("misses", misses::measure),
    ("burst", burst::measure),
    ("edits", edits::measure),
    ("commits", commits::measure),
    ("busy", busy::measure),
    ("overload", overload::measure),
    ("memory", memory::measure),
];

/// Parts that only `--full` has, or who names them.
const LONGER: [&str; 2] = ["fleet", "commits"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ended(match arguments.split_first() {
        Some((first, rest)) if first == bare::ARGUMENT => bare::serve(rest),
        _ => run(&arguments),
    })
}

fn run(arguments: &[String]) -> Outcome<()> {
    let (mut extent, mut full, mut wanted, mut builds) = (Extent::Full, false, Vec::new(), Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => extent = Extent::Quick,
            "--full" => full = true,
            "--part" => wanted.push(arguments.next().ok_or("--part needs a name")?),
            "--build" => builds.push(Build::parse(arguments.next().ok_or("--build needs NAME=PATH")?)?),
            // Said by cargo.
            "--bench" => {}
            _ => return Err(format!("unknown argument {argument}").into()),
        }
    }
    let began = Instant::now();
    let quick = extent.of("", " · quick, not to judge by");
    println!("## How fast answers are\n\n{}{quick}", machine::describe()?);
    let servers = Servers::start()?;
    if !builds.is_empty() {
        builds::measure(&servers, extent, &builds)?;
    }
    for (name, part) in PARTS {
        let is_usual = wanted.is_empty() && builds.is_empty() && (full || !LONGER.contains(&name));
        if is_usual || wanted.iter().any(|wanted| *wanted == name) {
            part(&servers, extent)?;
        }
    }
    println!("\nended {} after {} s, load {}", machine::now(), began.elapsed().as_secs(), machine::load()?);
    Ok(())
}
