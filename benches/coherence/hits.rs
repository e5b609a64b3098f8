//! Part 1: what the checks of lease and fence cost a cached answer.

use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::{
    Extent,
    instance::Instance,
    load::{CONNECTIONS, Load},
    outcome::Outcome,
    pace::rest,
    sample::{Sample, ms},
    servers::{Catalogue, Servers},
    table::{Table, verdict},
};

/// Products asked for.
const PRODUCTS: usize = 300;

/// Requests on each connection between two readings of the processor time.
const EACH: usize = 120;

/// Requests between two readings.
const SLICE: usize = CONNECTIONS * EACH;

/// The bound of the ratio.
const RATIO_MAX: f64 = 1.03;

/// Servers: two with the checks, two without.
const SERVERS: usize = 4;

/// One server, under its own load.
struct Variant {
    instance: Instance,
    load: Load,
}

/// Processor microseconds per request of each server in one slice.
type Slice = [f64; SERVERS];

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    if !cfg!(feature = "mutants") {
        return Err(
            "part 1 needs a server that can leave its checks out: build with --features mutants".into()
        );
    }
    let (generations, slices) = extent.of((8, 24), (2, 8));
    let catalogue = servers.catalogue("hits", PRODUCTS)?;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let (mut rounds, mut idle_ms, mut body_bytes) = (Vec::new(), Vec::new(), 0);
    for generation in 0..generations {
        eprintln!("hits: round {}", generation + 1);
        // Other processes each time: where the memory of one happens to lie must not decide.
        let mut variants = start(&runtime, &catalogue, generation)?;
        body_bytes = variants.iter().map(|variant| variant.load.body_bytes()).max().unwrap_or(0);
        idle_ms.push(idle(&variants.first().ok_or("no server")?.instance)?);
        for variant in &mut variants {
            variant.load.reconnect(&runtime, &variant.instance.authority)?;
        }
        rounds.push(
            (0..slices).map(|number| slice(&runtime, &mut variants, number)).collect::<Outcome<Vec<_>>>()?,
        );
    }
    print(&rounds, slices, &idle_ms.into_iter().collect(), body_bytes);
    Ok(())
}

/// Two servers with the checks, then two without; another one of them is started first each time.
fn start(runtime: &Runtime, catalogue: &Catalogue, generation: usize) -> Outcome<Vec<Variant>> {
    let without = [("AISLE_MUTANT", "no-checks")];
    let mut variants = Vec::new();
    for turn in 0..SERVERS {
        let place = (generation + turn) % SERVERS;
        let instance = catalogue.serve(None, if place < SERVERS / 2 { &[] } else { &without })?;
        let load = Load::prepare(runtime, &instance, &catalogue.products)?;
        variants.push((place, Variant { instance, load }));
    }
    variants.sort_by_key(|(place, _)| *place);
    Ok(variants.into_iter().map(|(_, variant)| variant).collect())
}

/// A short load on each in turn, in another order every time, so that whatever else the machine does meets all alike.
fn slice(runtime: &Runtime, variants: &mut [Variant], number: usize) -> Outcome<Slice> {
    let per_request = f64::from(u32::try_from(SLICE)?) / 1e6;
    let mut slice = [0.0; SERVERS];
    for turn in 0..SERVERS {
        let turn = if number.is_multiple_of(2) { turn } else { SERVERS - 1 - turn };
        let place = (number / 2 + turn) % SERVERS;
        let (Some(variant), Some(cost)) = (variants.get_mut(place), slice.get_mut(place)) else { continue };
        let before = variant.instance.cpu()?;
        variant.load.run(runtime, EACH)?;
        *cost = variant.instance.cpu()?.saturating_sub(before).as_secs_f64() / per_request;
    }
    Ok(slice)
}

/// Milliseconds of processor time per second of an instance that nobody asks anything.
fn idle(instance: &Instance) -> Outcome<f64> {
    let (before, began) = (instance.cpu()?, Instant::now());
    rest(Duration::from_secs(1));
    Ok(ms(instance.cpu()?.saturating_sub(before)) / began.elapsed().as_secs_f64())
}

fn print(rounds: &[Vec<Slice>], slices: usize, idle_ms: &Sample, body_bytes: usize) {
    let columns = ["what", "median of the rounds (min–max)", "target"];
    let mut table = Table::new("1. A cached product: processor time of the server per request", &columns);
    table.note(format!(
        "{} rounds, each with four new processes of one binary with the feature `mutants`: two as they are, two with `AISLE_MUTANT=no-checks`. In a round they take \
         {slices} turns of {SLICE} requests in changing order, on {CONNECTIONS} kept connections, {PRODUCTS} products of {body_bytes} bytes, all answered from the \
         local cache. User and kernel time of all threads; a round's value is the median of its turns. All four look up which mutant is on (a load and a \
         comparison each time).",
        rounds.len()
    ));
    let mut row = |what: &str, digits: usize, of: &dyn Fn(&Slice) -> f64, target: &dyn Fn(f64) -> String| {
        let by_round = |round: &Vec<Slice>| round.iter().map(of).collect::<Sample>().median();
        let values: Sample = rounds.iter().map(by_round).collect();
        table.row([what.to_owned(), format!("{values:.digits$}"), target(values.median())]);
    };
    let none = |_: f64| String::new();
    row("with lease and fence, µs", 2, &|&[a, b, _, _]| f64::midpoint(a, b), &none);
    row("without, µs", 2, &|&[_, _, c, d]| f64::midpoint(c, d), &none);
    row("**with / without**", 3, &|&[a, b, c, d]| (a + b) / (c + d), &|ratio| {
        verdict(ratio, RATIO_MAX, "times")
    });
    row("control: with / with", 3, &|&[a, b, _, _]| a / b, &|_| "1; the rest is noise".to_owned());
    row("control: without / without", 3, &|&[_, _, c, d]| c / d, &|_| "1; the rest is noise".to_owned());
    row("control: one of each / the others", 3, &|&[a, b, c, d]| (a + c) / (b + d), &|_| {
        "1; the rest is noise".to_owned()
    });
    table.row(["an instance without requests, ms per s".to_owned(), idle_ms.to_string(), String::new()]);
    table.print();
}
