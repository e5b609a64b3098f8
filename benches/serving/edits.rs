//! Edits per second through one instance, against the same change by `pgbench`.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    Extent, site,
    support::{
        instance::Instance,
        outcome::{Outcome, joined},
        sample::Sample,
        servers::{Catalogue, Servers, settle},
        table::Table,
    },
    tools::Pgbench,
};

/// Writers at a time, each of products of its own.
const WRITERS: usize = 8;

/// The bound of the ratio.
const RATIO_MIN: f64 = 0.4;

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (products, rounds, seconds) = extent.of((2_000, 5, 4), (200, 2, 1));
    let catalogue = site::catalogue(servers, "edits", products)?;
    let pgbench = Pgbench::edits(&catalogue, WRITERS)?;
    let instance = catalogue.serve(None, &[])?;
    let mut connection = catalogue.connect()?;
    let (mut api, mut direct, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        eprintln!("edits per second: round {}", round + 1);
        settle(&mut connection)?;
        let by_api = through(&catalogue, &instance, Duration::from_secs(seconds))?;
        settle(&mut connection)?;
        let by_pgbench = pgbench.per_second(WRITERS, seconds)?;
        api.push(by_api);
        direct.push(by_pgbench);
        ratios.push(by_api / by_pgbench);
    }
    let sample = |values: Vec<f64>| values.into_iter().collect::<Sample>();
    let ratio = sample(ratios);
    let word = if ratio.median() >= RATIO_MIN { "met" } else { "MISSED" };
    let columns = ["edits per second of 8 writers", "median (least–most)", "target"];
    let mut table = Table::new("Edits", &columns);
    table.note(format!(
        "{rounds} rounds of {seconds} s, API and pgbench in turn, every commit flushed. The API locks and reads a product, writes what differs, reads it again and \
         waits until no instance can answer with anything older; pgbench updates the title, and triggers write the log and the document as ever."
    ));
    table.row(["through the API, one instance".to_owned(), format!("{:.0}", sample(api)), String::new()]);
    table.row(["pgbench, 8 connections".to_owned(), format!("{:.0}", sample(direct)), String::new()]);
    table.row(["ratio".to_owned(), ratio.to_string(), format!("≥ {RATIO_MIN}: {word}")]);
    table.print();
    Ok(())
}

/// Edits through an instance by all writers; per second.
fn through(catalogue: &Catalogue, instance: &Instance, time: Duration) -> Outcome<f64> {
    let began = Instant::now();
    let own = catalogue.products.len() / WRITERS;
    let write = |number: usize| -> Outcome<u32> {
        let mut client = instance.client()?;
        let mut count = 0;
        while began.elapsed() < time {
            let place = number * own + usize::try_from(count)? % own.max(1);
            client
                .patch_title(catalogue.product(place)?, &format!("Edit {count} at {:?}", began.elapsed()))?;
            count += 1;
        }
        Ok(count)
    };
    let write = &write;
    let counts = thread::scope(|scope| {
        let threads: Vec<_> = (0..WRITERS).map(|number| scope.spawn(move || write(number))).collect();
        threads.into_iter().map(joined).collect::<Outcome<Vec<u32>>>()
    })?;
    Ok(f64::from(counts.iter().sum::<u32>()) / began.elapsed().as_secs_f64())
}
