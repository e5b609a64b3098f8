//! Whether answers stay as fast when the catalogue grows: two instances, one over 10,000 products and one over a million, in one
//! run on one Postgres, are asked the same questions in turn. Each question is asked in many forms that nobody has asked before,
//! so that no page is cached (`first`), and then one form again and again (`again`). Last both are asked for the same products, all
//! cached, again and again.
//!
//! ```text
//! make bench-flat                  10,000 products and a million
//! make bench-flat PRODUCTS=100000  fewer, to try it out
//! ```
//!
//! With `--data FOLDER` the databases stay there and serve the next run.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::float_arithmetic,
    reason = "a program that measures, waits and prints"
)]

mod catalogue;
#[path = "../../tests/support/multiply.rs"]
mod multiply;
mod questions;
mod shelf;
#[path = "../support/mod.rs"]
mod support;

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant},
};

use aisle::embedded::{Options, Services};
use catalogue::Catalogue;
use questions::{Asked, Question};
use support::{
    client::Client,
    instance::Instance,
    machine,
    outcome::Outcome,
    pace::rest,
    process::resident_kilobytes,
    sample::{Sample, ms},
    table::Table,
};

/// Products of the small catalogue.
const FEW: u32 = 10_000;

/// Times that a question is asked in its first form once that is cached.
const AGAIN: usize = 200;

/// Longest wait for an instance.
const PATIENCE: Duration = Duration::from_mins(20);

/// An instance and what it serves.
struct Side {
    catalogue: Catalogue,
    instance: Instance,
    client: Client,
    /// From its start until it was ready, everything read from the database.
    ready: Duration,
}

fn main() -> ExitCode {
    support::outcome::ended(run())
}

fn run() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let many = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let kept = arguments.iter().position(|argument| argument == "--data");
    let kept = kept.and_then(|place| arguments.get(place + 1)).map(PathBuf::from);
    println!("{}", machine::describe()?);
    let scratch = tempfile::tempdir()?;
    let data_dir = kept.unwrap_or_else(|| scratch.path().join("data"));
    let services = Services::start(&Options { data_dir, durable: true, redis: false })?;
    let snapshots = scratch.path().join("snapshots");
    let mut few = side(&services, FEW, &snapshots)?;
    let mut many = side(&services, many, &snapshots)?;
    starts(&mut few, &mut many, &snapshots)?;
    let mut table = Table::new(
        format!("{} and {} products", few.catalogue.products, many.catalogue.products),
        &["question", "few, first", "many, first", "times", "few, again", "many, again"],
    );
    table.note(
        "p50 / p95 in milliseconds from request to answer on one connection; times: ratio of p50 and of p95.",
    );
    table.note(format!("Load after the starts {}.", machine::load()?));
    for question in questions::all(&mut few, &mut many)? {
        measure(&question, &mut few, &mut many, &mut table)?;
    }
    table.print();
    shelf::measure(&mut few, &mut many)?;
    println!("\n{}", machine::describe()?);
    drop((few, many));
    services.stop();
    Ok(())
}

fn side(services: &Services, products: u32, snapshots: &Path) -> Outcome<Side> {
    let began = Instant::now();
    let catalogue = Catalogue::open(services, products)?;
    println!("{products} products there after {} s", began.elapsed().as_secs());
    let (instance, ready) = start(&catalogue, snapshots)?;
    let client = instance.client()?;
    Ok(Side { catalogue, instance, client, ready })
}

/// Starts an instance and waits until it is ready, lists and all.
fn start(catalogue: &Catalogue, snapshots: &Path) -> Outcome<(Instance, Duration)> {
    let folder = snapshots.join(catalogue.products.to_string());
    let folder = folder.to_str().ok_or("a folder without a name")?;
    let began = Instant::now();
    let instance = Instance::serve(&[("DATABASE_URL", &catalogue.url), ("AISLE_SNAPSHOT_DIR", folder)])?;
    let mut client = instance.client()?;
    while client.get("/readyz").is_err() {
        if began.elapsed() > PATIENCE {
            return Err("the instance is not ready".into());
        }
        rest(Duration::from_millis(10));
        client = instance.client()?;
    }
    Ok((instance, began.elapsed()))
}

/// Starts both anew, from their snapshots, and prints how long starts took.
fn starts(few: &mut Side, many: &mut Side, snapshots: &Path) -> Outcome<()> {
    let mut table =
        Table::new("Start to ready", &["products", "everything read", "from a snapshot", "resident"]);
    for side in [few, many] {
        side.instance.stop()?;
        let (instance, ready) = start(&side.catalogue, snapshots)?;
        side.client = instance.client()?;
        side.instance = instance;
        let resident = resident_kilobytes(side.instance.pid())? / 1024;
        table.row([
            side.catalogue.products.to_string(),
            format!("{:.1} s", side.ready.as_secs_f64()),
            format!("{:.1} s", ready.as_secs_f64()),
            format!("{resident} MB"),
        ]);
    }
    table.print();
    Ok(())
}

/// Asks both in turn, so that whatever else the machine does meets both.
fn measure(question: &Question, few: &mut Side, many: &mut Side, table: &mut Table) -> Outcome<()> {
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for (of_few, of_many) in question.few.iter().zip(&question.many) {
        small.push(timed(&mut few.client, of_few)?);
        large.push(timed(&mut many.client, of_many)?);
    }
    let (small, large): (Sample, Sample) = (small.into_iter().collect(), large.into_iter().collect());
    let mut again = [String::new(), String::new()];
    for (side, (forms, text)) in
        [few, many].into_iter().zip([&question.few, &question.many].into_iter().zip(&mut again))
    {
        let Some(form @ Asked::Page(_)) = forms.first() else { continue };
        timed(&mut side.client, form)?;
        let times = (0..AGAIN).map(|_| timed(&mut side.client, form)).collect::<Outcome<Vec<_>>>()?;
        *text = quantiles(&times.into_iter().collect());
    }
    let [few_again, many_again] = again;
    table.row([
        question.name.clone(),
        quantiles(&small),
        quantiles(&large),
        format!("{:.1} / {:.1}", large.ratio(&small, 500), large.ratio(&small, 950)),
        few_again,
        many_again,
    ]);
    Ok(())
}

fn timed(client: &mut Client, asked: &Asked) -> Outcome<f64> {
    client.freshen()?;
    let began = Instant::now();
    match asked {
        Asked::Page(path) => drop(client.get(path)?),
        Asked::Missing(slug) => client.miss(slug)?,
    }
    Ok(ms(began.elapsed()))
}

fn quantiles(sample: &Sample) -> String {
    format!("{:.2} / {:.2}", sample.quantile(500), sample.quantile(950))
}
