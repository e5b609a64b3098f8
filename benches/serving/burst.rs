//! A thousand requests at once for one product that nobody has asked for: one query for each instance.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::runtime::{Builder, Runtime};

use crate::{
    Extent,
    load::{Load, Order, Pace, Request},
    site,
    support::{
        instance::Instance,
        outcome::Outcome,
        sample::{Sample, ms},
        servers::Servers,
        table::{Table, verdict},
    },
};

/// Requests at once, spread over the instances.
const REQUESTS: usize = 1000;

/// The bound of the slowest answer over a single miss.
const RATIO_MAX: f64 = 3.0;

/// What one burst has shown.
struct Burst {
    slowest: f64,
    queries: f64,
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let rounds = extent.of(15, 3);
    let catalogue = site::catalogue(servers, "burst", 10 + rounds * 2)?;
    let fleet = catalogue.fleet(3, None)?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let targets = site::products(&catalogue);
    let mut each = targets.iter();
    let mut next = || each.next().ok_or("too few products");
    let warm = Request::any(next()?);
    let mut loads = fleet
        .iter()
        .map(|instance| {
            let pace = Pace { connections: REQUESTS.div_ceil(fleet.len()), every: Duration::ZERO };
            Load::paced(&runtime, &instance.authority, vec![warm.clone()], Order::uniform(1), pace)
        })
        .collect::<Outcome<Vec<_>>>()?;
    let (mut single, mut cold, mut hot, mut queries) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut client = fleet.first().ok_or("no instance")?.client()?;
    for _ in 0..rounds {
        let began = Instant::now();
        client.get(next()?)?;
        single.push(ms(began.elapsed()));
        let target = next()?;
        let burst = at_once(&runtime, &fleet, &mut loads, target)?;
        cold.push(burst.slowest);
        queries.push(burst.queries);
        hot.push(at_once(&runtime, &fleet, &mut loads, target)?.slowest);
    }
    let sample = |values: Vec<f64>| values.into_iter().collect::<Sample>();
    let (single, cold, hot, queries) = (sample(single), sample(cold), sample(hot), sample(queries));
    let columns = ["what", "ms", "target"];
    let mut table = Table::new("A thousand requests at once, three instances", &columns);
    table.note(format!(
        "{rounds} rounds, a product nobody has asked for in each; median (smallest–largest). The load, {REQUESTS} connections in one thread, \
         shares the processor: the same burst for a product that is cached shows what that costs."
    ));
    table.row(["a single miss".to_owned(), single.to_string(), String::new()]);
    table.row([
        "slowest of the burst, cold".to_owned(),
        cold.to_string(),
        verdict(cold.median() / single.median(), RATIO_MAX, "single misses"),
    ]);
    table.row(["slowest of the burst, cached".to_owned(), hot.to_string(), String::new()]);
    table.row([
        "queries, all instances".to_owned(),
        format!("{queries:.0}"),
        verdict(queries.max(), 3.0, "in all"),
    ]);
    table.print();
    Ok(())
}

fn at_once(runtime: &Runtime, fleet: &[Instance], loads: &mut [Load], target: &str) -> Outcome<Burst> {
    let queries = |instance: &Instance| Ok(instance.histogram("aisle_store_message_duration_seconds")?.1);
    let count = || fleet.iter().map(queries).sum::<Outcome<f64>>();
    let request = Request::any(target);
    let before = count()?;
    let began = Instant::now();
    runtime.block_on(try_join_all(loads.iter_mut().map(|load| load.all_at_once(&request))))?;
    let slowest = ms(began.elapsed());
    Ok(Burst { slowest, queries: count()? - before })
}
