//! What an import costs: its speed beside a bare COPY of the same rows in the same run, its memory, and what readers of another
//! instance notice of it.
//!
//! ```text
//! make bench-import                    100,000 products
//! make bench-import PRODUCTS=1000000   a million
//! ```

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    reason = "a program that measures and prints"
)]

mod plain;
mod reader;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs::{self, File, Permissions},
    io::{BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use aisle::{
    embedded::{Options, Services},
    import::demo::DemoCatalogue,
    store::pool,
};
use diesel::connection::SimpleConnection;

use crate::{
    reader::{Latencies, Reader},
    support::{
        instance::Instance,
        machine,
        outcome::{Outcome, ended},
        program::Program,
    },
};

/// Products when no number is given.
const PRODUCTS: u32 = 100_000;

/// Products that are there before, for the reader: those it reads over and over, and those it reads once.
const READ: u32 = 6000;
const KNOWN: usize = 1000;

/// Of those it reads once, these are for the time while nothing else happens.
const NEW_IDLE: usize = 1000;

/// How long the reader reads while nothing else happens.
const IDLE: Duration = Duration::from_secs(15);

fn main() -> ExitCode {
    ended(run())
}

fn run() -> Outcome<()> {
    let given = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let products: u32 = given.unwrap_or(PRODUCTS).max(READ);
    println!("{}", machine::describe()?);
    let folder = tempfile::Builder::new()
        .prefix("aisle-bench-")
        .permissions(Permissions::from_mode(0o755))
        .tempdir()?;
    let services =
        Services::start(&Options { data_dir: folder.path().join("data"), durable: true, redis: false })?;
    let url = services.database_url().to_owned();
    pool::migrate(&url)?;
    let file = folder.path().join("products.jsonl");
    write_lines(&file, READ)?;
    import(&url, &file)?;
    let bytes = write_lines(&file, products)?;
    println!("{products} products, {} MB of JSON lines", bytes / 1_000_000);

    let mut connection = pool::connect_for_bulk(&url)?;
    connection.batch_execute("VACUUM ANALYZE")?;
    let instance = Instance::serve(&[("DATABASE_URL", &url)])?;
    let mut known = reader::products(&mut connection)?;
    let mut new = known.split_off(KNOWN);
    let later = new.split_off(NEW_IDLE);
    let idle = Reader::start(&instance.authority, known.clone(), new)?;
    std::thread::park_timeout(IDLE);
    let idle = idle.stop()?;
    connection.batch_execute("CHECKPOINT")?;
    let busy = Reader::start(&instance.authority, known, later)?;
    let began = Instant::now();
    let peak = import(&url, &file)?;
    let taken = began.elapsed();
    let busy = busy.stop()?;
    drop(instance);

    let added = f64::from(products.saturating_sub(READ));
    let copy = plain::copy(&mut connection, &folder.path().join("rows"))?;
    let share = added / f64::from(products);
    let (import, copied) = (taken.as_secs_f64(), copy.taken.as_secs_f64() * share);
    println!("rows of products                {:>10}", copy.rows);
    println!("import, products/s              {:>10.0}", added / import);
    println!("COPY of their rows, products/s  {:>10.0}", added / copied);
    println!("import against COPY             {:>10.3}  (target 0.25)", copied / import);
    println!("peak memory of the importer, MB {:>10}", peak / 1024);
    show("hits", &idle.hits, &busy.hits);
    show("misses", &idle.misses, &busy.misses);
    println!("load at the end {}", machine::load()?);
    services.stop();
    Ok(())
}

fn show(name: &str, idle: &Latencies, busy: &Latencies) {
    for (when, times) in [("idle", idle), ("meanwhile", busy)] {
        let milliseconds = |permille| times.at(permille).as_secs_f64() * 1e3;
        let (median, late) = (milliseconds(500), milliseconds(990));
        println!(
            "reader, {:<23} p50 {median:.2} ms, p99 {late:.2} ms, {} reads",
            format!("{name}, {when}"),
            times.count()
        );
    }
    let times = |permille| busy.at(permille).as_secs_f64() / idle.at(permille).as_secs_f64();
    println!("{:<31} p50 {:.1}, p99 {:.1}  (target 3)", "meanwhile against idle", times(500), times(990));
}

/// Writes the first products of the sample catalogue to a file; gives its bytes.
fn write_lines(file: &Path, products: u32) -> Outcome<u64> {
    let mut lines = BufWriter::new(File::create(file)?);
    for draft in DemoCatalogue::new(1, products) {
        serde_json::to_writer(&mut lines, &draft)?;
        lines.write_all(b"\n")?;
    }
    lines.flush()?;
    Ok(fs::metadata(file)?.len())
}

/// Imports the file as the command does; gives the most memory it had, in KB.
fn import(url: &str, file: &Path) -> Outcome<u64> {
    let file = file.to_str().ok_or("a path that is no text")?;
    Program::start(&["import", "jsonl", file], url)?.finish()
}
