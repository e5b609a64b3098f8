//! Reads that the local cache misses: from Redis against `redis-benchmark`, from Postgres against `pgbench`.

use tokio::runtime::{Builder, Runtime};

use crate::{
    Extent,
    load::{CONNECTIONS, Load, Order, Request},
    site,
    support::{
        instance::Instance,
        outcome::Outcome,
        sample::Sample,
        servers::{Catalogue, Servers},
        table::Table,
    },
    tools::{Pgbench, RedisBenchmark},
};

/// Store actors of an instance as it comes: so many connections has `pgbench`.
const STORE_ACTORS: usize = 8;

/// One kind of miss, beside the tool that measures what answers it.
struct Row {
    name: &'static str,
    tool: String,
    least: f64,
    ratios: Vec<f64>,
    rates: Vec<f64>,
    tools: Vec<f64>,
    latencies: Vec<f64>,
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (products, rounds, each) = extent.of((10_000, 5, 500), (1_000, 2, 60));
    let catalogue = site::catalogue(servers, "misses", products)?;
    let requests = {
        let instance = catalogue.serve(None, &[("AISLE_CACHE_MB", "1024")])?;
        let answers = site::answers(&instance, &site::products(&catalogue), "")?;
        answers.iter().map(Request::of).collect::<Outcome<Vec<_>>>()?
    };
    let bytes = requests.iter().map(Request::body_bytes).sum::<usize>() / requests.len().max(1);
    let runtime = Builder::new_current_thread().enable_io().build()?;
    // The smallest cache there is holds a few hundred of them.
    let small = [("AISLE_CACHE_MB", "1")];
    let with_redis = catalogue.serve(Some(servers.redis()?), &small)?;
    let without = catalogue.serve(None, &small)?;
    let redis =
        RedisBenchmark { url: servers.redis()?.to_owned(), bytes, keys: products, connections: CONNECTIONS };
    let pgbench = Pgbench::new(&catalogue, products, bytes)?;
    let mut of_redis = Row::new("from Redis", format!("redis-benchmark, {CONNECTIONS} connections"), 0.35);
    let mut of_postgres = Row::new("from Postgres", format!("pgbench, {STORE_ACTORS} connections"), 0.5);
    for round in 0..rounds {
        eprintln!("misses: round {}", round + 1);
        let seconds = extent.of(5, 1);
        let gets = redis.gets_per_second(extent.of(400_000, 40_000))?;
        of_redis.add(&runtime, &with_redis, &requests, (each, gets))?;
        let reads = pgbench.reads_per_second(STORE_ACTORS, seconds)?;
        of_postgres.add(&runtime, &without, &requests, (each, reads))?;
    }
    print(&[of_redis, of_postgres], rounds, &catalogue, bytes);
    Ok(())
}

impl Row {
    fn new(name: &'static str, tool: String, least: f64) -> Self {
        let none = Vec::new;
        Self { name, tool, least, ratios: none(), rates: none(), tools: none(), latencies: none() }
    }

    fn add(
        &mut self,
        runtime: &Runtime,
        instance: &Instance,
        requests: &[Request],
        (each, of_tool): (usize, f64),
    ) -> Outcome<()> {
        let order = Order::uniform(requests.len());
        let mut load = Load::connect(runtime, &instance.authority, requests.to_vec(), order)?;
        let lap = load.run(runtime, each)?;
        let rate = lap.rate()?;
        self.rates.push(rate);
        self.tools.push(of_tool);
        self.ratios.push(rate / of_tool);
        self.latencies.extend(lap.latencies);
        Ok(())
    }
}

fn print(rows: &[Row], rounds: usize, catalogue: &Catalogue, bytes: usize) {
    let columns =
        ["a product", "requests/s", "p50 / p99 / p99.9, ms", "the tool", "its reads/s", "ratio", "target"];
    let mut table = Table::new("Misses", &columns);
    table.note(format!(
        "{rounds} rounds, tool and instance in turn; {} products of {bytes} bytes, uniform choice, {CONNECTIONS} kept connections, a local cache of 1 MiB. \
         The tools read values of as many bytes, uniformly over as many keys; they speak the servers' own protocols over a socket of \
         the file system, Aisle answers whole HTTP requests.",
        catalogue.products.len()
    ));
    let sample = |values: &Vec<f64>| values.iter().copied().collect::<Sample>();
    for row in rows {
        let ratio = sample(&row.ratios);
        let word = if ratio.median() >= row.least { "met" } else { "MISSED" };
        table.row([
            row.name.to_owned(),
            format!("{:.0}", sample(&row.rates)),
            sample(&row.latencies).p50_p99_p999(),
            row.tool.clone(),
            format!("{:.0}", sample(&row.tools)),
            format!("{ratio:.2}"),
            format!("≥ {}: {word}", row.least),
        ]);
    }
    table.print();
}
