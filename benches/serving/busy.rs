//! What readers of cached products notice of editors.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::runtime::Builder;

use crate::{
    Extent,
    load::{Load, Order, Pace, Request},
    site,
    support::{
        instance::Instance,
        outcome::{Outcome, joined},
        pace::rest,
        sample::Sample,
        servers::{Catalogue, Servers},
        table::{Table, verdict},
    },
};

/// Editors, each on products of its own.
const EDITORS: usize = 4;

/// Time from one edit of an editor to its next: 200 per second in all.
const EVERY: Duration = Duration::from_millis(20);

/// Readers' pace: far from what the server can do, so that no request waits for another reader's.
const READERS: Pace = Pace { connections: 16, every: Duration::from_millis(8) };

/// The bound of p99 with edits over p99 without.
const RATIO_MAX: f64 = 1.5;

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (products, rounds, each) = extent.of((2_000, 7, 500), (200, 2, 100));
    let catalogue = site::catalogue(servers, "busy", products)?;
    let instance = catalogue.serve(None, &[])?;
    // Half of them are read, the other half edited: this is about hits.
    let targets = site::products(&catalogue);
    let (read, _) = targets.split_at(products / 2);
    let answers = site::answers(&instance, read, "")?;
    let requests = answers.iter().map(Request::of).collect::<Outcome<Vec<_>>>()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let order = Order::uniform(requests.len());
    let mut load = Load::paced(&runtime, &instance.authority, requests, order, READERS)?;
    let mut samples = [const { Vec::new() }; 2];
    let (mut ratios, mut edits) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        eprintln!("edits: round {}", round + 1);
        let quiet = load.run(&runtime, each)?.latencies;
        let (lap, rate) = beside_editors(&catalogue, &instance, || load.run(&runtime, each))?;
        let p99 = |latencies: &Vec<f64>| latencies.iter().copied().collect::<Sample>().p99();
        ratios.push(p99(&lap.latencies) / p99(&quiet));
        edits.push(rate);
        for (all, latencies) in samples.iter_mut().zip([quiet, lap.latencies]) {
            all.extend(latencies);
        }
    }
    let ratio: Sample = ratios.into_iter().collect();
    let columns = ["cached product", "p50 / p99 / p99.9, ms", "p99 with / without", "target"];
    let mut table = Table::new("Hits while others edit", &columns);
    table.note(format!(
        "{rounds} rounds, without and with in turn; {} readers, each asking every {} ms; {:.0} edits per second through the API \
         reached; Postgres, editors and readers share the processor.",
        READERS.connections,
        READERS.every.as_millis(),
        edits.into_iter().collect::<Sample>()
    ));
    let [quiet, busy] = samples.map(|all| all.into_iter().collect::<Sample>().p50_p99_p999());
    table.row(["nobody edits".to_owned(), quiet, String::new(), String::new()]);
    let verdict = verdict(ratio.median(), RATIO_MAX, "times");
    table.row(["200 edits/s".to_owned(), busy, ratio.to_string(), verdict]);
    table.print();
    Ok(())
}

/// Does something while editors edit; edits per second that they reached.
fn beside_editors<T>(
    catalogue: &Catalogue,
    instance: &Instance,
    work: impl FnOnce() -> Outcome<T>,
) -> Outcome<(T, f64)> {
    let is_over = AtomicBool::new(false);
    let edited = catalogue.products.len() / 2;
    let edit = |number: usize| -> Outcome<f64> {
        let mut client = instance.client()?;
        let (began, mut count) = (Instant::now(), 0_u32);
        while !is_over.load(Ordering::Acquire) {
            let place = edited + (usize::try_from(count)? * EDITORS + number) % edited.max(1);
            client
                .patch_title(catalogue.product(place)?, &format!("Edit {count} at {:?}", began.elapsed()))?;
            count += 1;
            rest((EVERY * count).saturating_sub(began.elapsed()));
        }
        Ok(f64::from(count) / began.elapsed().as_secs_f64())
    };
    let edit = &edit;
    thread::scope(|scope| {
        let editors: Vec<_> = (0..EDITORS).map(|number| scope.spawn(move || edit(number))).collect();
        let done = work();
        is_over.store(true, Ordering::Release);
        let rates = editors.into_iter().map(joined).collect::<Outcome<Vec<f64>>>()?;
        Ok((done?, rates.iter().sum()))
    })
}
