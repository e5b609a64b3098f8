//! Answers from the local cache, against the bare server's: products in every coding, unchanged ones, lists, batches.

use tokio::runtime::{Builder, Runtime};

use crate::{
    Extent,
    contest::{Contestant, Scores, Turns, hold},
    load::{Load, Order, Request},
    rival::Rival,
    shelf::Stored,
    site,
    support::{
        instance::Instance,
        outcome::Outcome,
        sample::Sample,
        servers::{Catalogue, Servers},
        table::{Table, verdict},
    },
};

/// What is asked, in which order, and what it may cost.
struct Row {
    name: &'static str,
    requests: Vec<Request>,
    /// What the bare servers are asked.
    bare: Vec<Request>,
    order: Order,
    /// Bound of the ratio of processor time.
    cpu_max: Option<f64>,
    /// Bound of the ratio of requests per second.
    rate_min: Option<f64>,
    each: usize,
}

/// Ratios of one row: a value for each round.
#[derive(Default)]
struct Ratios {
    cpu: Vec<f64>,
    rate: Vec<f64>,
    control: Vec<f64>,
    micros: Vec<f64>,
    /// Of all rounds: the instance's, the bare server's.
    latencies: [Vec<f64>; 2],
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (products, rounds, turns) = extent.of((10_000, 3, 11), (1_000, 1, 4));
    let catalogue = site::catalogue(servers, "hits", products)?;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let (answers, rows) = rows(&serve(&catalogue)?, &catalogue, extent)?;
    let mut ratios: Vec<Ratios> = rows.iter().map(|_| Ratios::default()).collect();
    for round in 0..rounds {
        eprintln!("hits: round {}", round + 1);
        // Other processes each time: where the memory of one happens to lie must not decide.
        let instance = serve(&catalogue)?;
        let (bare, control) = (Rival::bare(&answers)?, Rival::bare(&answers)?);
        for (row, ratios) in rows.iter().zip(&mut ratios) {
            ratios.add(&contest(&runtime, &instance, [&bare, &control], row, turns)?);
        }
    }
    print(&rows, &ratios, rounds, turns, products);
    Ok(())
}

/// An instance as it comes, with room for everything.
fn serve(catalogue: &Catalogue) -> Outcome<Instance> {
    catalogue.serve(None, &[("RUST_LOG", "info"), ("AISLE_CACHE_MB", "1024")])
}

/// All answers, and the rows that ask for them. Their bytes and tags are the same from any instance.
fn rows(instance: &Instance, catalogue: &Catalogue, extent: Extent) -> Outcome<(Vec<Stored>, Vec<Row>)> {
    let targets = site::products(catalogue);
    let plain = site::answers(instance, &targets, "")?;
    let gzip = site::answers(instance, &targets, "gzip")?;
    let brotli = site::answers(instance, &targets, "br")?;
    let lists = site::answers(instance, &site::lists(instance, site::PAGES)?, "")?;
    let batches = site::batch_answers(instance, &site::batches(catalogue, site::PAGES))?;
    let requests = |answers: &[Stored]| answers.iter().map(Request::of).collect::<Outcome<Vec<_>>>();
    let unchanged = plain.iter().map(Request::revalidating).collect::<Outcome<Vec<_>>>()?;
    let (often, seldom) = extent.of((300, 80), (60, 20));
    let row = |name, requests: Vec<Request>, cpu_max, rate_min, each| Row {
        name,
        order: Order::uniform(requests.len()),
        bare: requests.clone(),
        requests,
        cpu_max,
        rate_min,
        each,
    };
    let product = row("cached product, uniform", requests(&plain)?, Some(1.10), Some(0.90), often);
    let zipf = Row {
        name: "cached product, Zipf",
        order: Order::zipf(plain.len()),
        ..row("", requests(&plain)?, Some(1.10), Some(0.90), often)
    };
    let unchanged_to_whole = Row {
        bare: requests(&plain)?,
        ..row("`If-None-Match` matching, to whole answers", unchanged.clone(), Some(1.0), Some(0.90), often)
    };
    let rows = vec![
        product,
        zipf,
        unchanged_to_whole,
        row("`If-None-Match` matching, to the same", unchanged, None, None, often),
        row("cached product, gzip", requests(&gzip)?, Some(1.10), None, often),
        row("cached product, br", requests(&brotli)?, Some(1.10), None, often),
        row("cached list of 20 cards", requests(&lists)?, Some(1.3), None, seldom),
        row("batch of 20 cached products", requests(&batches)?, Some(1.5), None, seldom),
    ];
    Ok(([plain, gzip, brotli, lists, batches].concat(), rows))
}

/// The instance, the bare server, and another bare server as the control.
fn contest(
    runtime: &Runtime,
    instance: &Instance,
    bare: [&Rival; 2],
    row: &Row,
    turns: usize,
) -> Outcome<Scores> {
    let connect = |authority: &str, requests: &[Request]| {
        Load::connect(runtime, authority, requests.to_vec(), row.order.clone())
    };
    let [bare, control] = bare;
    let of_bare = |bare: &Rival| connect(&bare.authority, &row.bare);
    let mut contestants = [
        Contestant { cpu: Box::new(|| instance.cpu()), load: connect(&instance.authority, &row.requests)? },
        Contestant { cpu: Box::new(|| bare.cpu()), load: of_bare(bare)? },
        Contestant { cpu: Box::new(|| control.cpu()), load: of_bare(control)? },
    ];
    hold(runtime, &mut contestants, Turns { turns, each: row.each })
}

impl Ratios {
    fn add(&mut self, scores: &Scores) {
        self.cpu.push(scores.cpu_ratio(0, 1).median());
        self.rate.push(scores.rate_ratio(0, 1).median());
        self.control.push(scores.cpu_ratio(2, 1).median());
        self.micros.push(scores.cpu(0).median());
        for (place, latencies) in self.latencies.iter_mut().enumerate() {
            latencies.extend(scores.latencies(place));
        }
    }
}

fn print(rows: &[Row], ratios: &[Ratios], rounds: usize, turns: usize, products: usize) {
    let columns = [
        "what",
        "bytes",
        "µs of processor",
        "CPU / bare",
        "target",
        "requests/s / bare",
        "target",
        "bare / bare",
        "p50 / p99 / p99.9, ms",
        "of bare",
    ];
    let mut table = Table::new("Hits, against a bare actix-web handler", &columns);
    table.note(format!(
        "{rounds} rounds, each with new processes: an instance as it is built and configured by default (log at info, metrics on), and two bare servers that give \
         the same bytes and headers from memory with the same allocator. In a round each takes {turns} turns in changing order on 64 kept connections; \
         {products} products. User and kernel time of all threads; ratios are taken turn by turn, a round's value is their median. A control \
         further from 1 than 3 % means: measure again."
    ));
    for (row, ratios) in rows.iter().zip(ratios) {
        let bytes = row.requests.iter().map(Request::body_bytes).sum::<usize>() / row.requests.len().max(1);
        let sample = |values: &Vec<f64>| values.iter().copied().collect::<Sample>();
        let (cpu, rate) = (sample(&ratios.cpu), sample(&ratios.rate));
        let least = row.rate_min.map_or(String::new(), |least| {
            let word = if rate.median() >= least { "met" } else { "MISSED" };
            format!("≥ {least}: {word}")
        });
        table.row([
            row.name.to_owned(),
            bytes.to_string(),
            format!("{:.1}", sample(&ratios.micros)),
            format!("{cpu:.3}"),
            row.cpu_max.map_or(String::new(), |most| verdict(cpu.median(), most, "times")),
            format!("{rate:.3}"),
            least,
            format!("{:.3}", sample(&ratios.control)),
            sample(&ratios.latencies[0]).p50_p99_p999(),
            sample(&ratios.latencies[1]).p50_p99_p999(),
        ]);
    }
    table.print();
}
