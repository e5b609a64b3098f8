//! The plans of every statement, on a small catalogue and on a large one.
//!
//! A script asks and edits an application in every way, imports, and checks, on two catalogues that differ in size only. The
//! server explains whatever it executes, those statements too that triggers and foreign keys execute (`auto_explain`, with
//! the values, rows and buffers of the execution); the client notes which places of the source sent something. Refused are: a
//! place in `store` that sent nothing (nobody explained it), a scan over a whole table that grows, a sort of many rows, and
//! work that grows with the catalogue.
//!
//! `cargo test --test plans` compares 10,000 products with 30,000, `make plans` compares with 1,000,000; `-- --table` prints what each
//! statement read.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a test that cannot go on says so by panicking, and this one reports in its own words"
)]

mod catalogue;
mod explained;
mod judge;
#[path = "../support/multiply.rs"]
mod multiply;
mod script;
mod sites;
mod support;
mod table;

use std::{path::PathBuf, process::ExitCode, thread, time::Instant};

use clap::Parser;

use self::{
    catalogue::{Catalogue, Server},
    explained::Work,
    judge::Judgement,
};

/// Products that come in by an import.
const IMPORTED: u32 = 1_000;

/// How often they are copied for the small catalogue: it has more products than anything that is read in parts reads at once.
const COPIES_SMALL: u32 = 9;

/// And for the large one of `make test`.
const COPIES: u32 = 29;

/// And for that of `make plans`: a million in all.
const COPIES_LARGE: u32 = 999;

/// Explain every statement on a small and on a large catalogue
#[derive(Parser)]
struct Options {
    /// Compare with 1,000,000 products
    #[arg(long)]
    large: bool,
    /// Copies of the imported products in the large catalogue
    #[arg(long)]
    copies: Option<u32>,
    /// A folder where the server of the large catalogue stays, as `make bench-flat` keeps one
    #[arg(long)]
    data: Option<PathBuf>,
    /// An index that both catalogues lose: its statements must be refused
    #[arg(long)]
    without: Option<String>,
    /// Print what each statement read
    #[arg(long)]
    table: bool,
    /// Names of tests, as cargo passes them on
    filters: Vec<String>,
    /// Names of tests to leave out, as cargo passes them on
    #[arg(long)]
    skip: Vec<String>,
    /// Taken and ignored, as cargo's own tests have it
    #[arg(long)]
    nocapture: bool,
}

impl Options {
    /// Whether `cargo test NAME` means other tests.
    fn are_for_others(&self) -> bool {
        let named = |names: &[String]| names.iter().any(|name| "plans".contains(name.as_str()));
        named(&self.skip) || (!self.filters.is_empty() && !named(&self.filters))
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.are_for_others() {
        return ExitCode::SUCCESS;
    }
    env_logger::init();
    judge::check_itself();
    aisle::cli::open_files::raise_limit();
    let servers = Server::start(None).and_then(|small| Ok((small, Server::start(options.data.clone())?)));
    let (small, large) = match servers {
        Ok(servers) => servers,
        Err(reason) => {
            println!("plans: left out: {reason}");
            let must_run = std::env::var_os("CI").is_some();
            return if must_run { ExitCode::FAILURE } else { ExitCode::SUCCESS };
        }
    };
    let copies = options.copies.unwrap_or(if options.large { COPIES_LARGE } else { COPIES });
    sites::watch();
    // A test build would take minutes for the large index, which asks the same of the database as the small one.
    let reads_lists = !cfg!(debug_assertions);
    let (small, large) = thread::scope(|scope| {
        let without = options.without.as_deref();
        let small = scope.spawn(move || explain(&small, "small", COPIES_SMALL, without, true));
        let large = explain(&large, "large", copies, without, reads_lists);
        (small.join().expect("the small catalogue"), large)
    });
    let judgement = Judgement::new(&small, &large);
    if options.table || options.large {
        table::print(&judgement.pairs);
    }
    report(&judgement, &sites::silent())
}

/// Runs the script on a catalogue of its own, twice: once what chooses by itself (an import, statements in triggers) is planned
/// for each execution, once for any values, as an instance's sessions always plan.
fn explain(server: &Server, name: &str, copies: u32, without: Option<&str>, reads_lists: bool) -> Work {
    let began = Instant::now();
    let catalogue = Catalogue::make(server, name, copies);
    if let Some(index) = without {
        catalogue.drop_index(index);
    }
    let made = began.elapsed().as_secs();
    let mut work = Work::default();
    for (pass, mode) in ["force_custom_plan", "force_generic_plan"].into_iter().enumerate() {
        catalogue.explain_from_now(mode);
        let from = server.log_length();
        script::run(&catalogue, pass, reads_lists);
        work.read(&server.log_from(from), mode);
    }
    println!(
        "plans: {name}: {} products made in {made} s, {} statements explained after {} s",
        catalogue.products,
        work.statements(),
        began.elapsed().as_secs()
    );
    work
}

fn report(judgement: &Judgement<'_>, silent: &[String]) -> ExitCode {
    for place in silent {
        println!("nobody explains what is sent at {place}");
    }
    for fault in &judgement.faults {
        println!("{fault}\n");
    }
    let (pairs, faults) = (judgement.pairs.len(), judgement.faults.len());
    println!(
        "plans: {pairs} statements on both catalogues, {faults} refused, {} places silent",
        silent.len()
    );
    if silent.is_empty() && judgement.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
