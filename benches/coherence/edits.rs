//! Part 2: what an edit costs beyond its transaction, alone and beside other instances, with and without Redis.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use aisle::store::Connection;

use crate::{
    Extent,
    client::Client,
    direct,
    instance::Instance,
    outcome::{Outcome, joined},
    pace::{Pace, rest},
    sample::{Sample, ms},
    servers::{Catalogue, Servers, settle},
    table::{Table, verdict},
    throughput::Throughput,
};

/// Products edited in turn.
const PRODUCTS: usize = 60;

/// Longest pause between two edits; longer than the server's polls.
const PAUSE: Duration = Duration::from_millis(10);

/// Time between two misses of one reader.
const BETWEEN_MISSES: Duration = Duration::from_millis(3);

/// What the median of an edit may take beyond the bare transaction, in milliseconds.
const WITH_REDIS_MAX: f64 = 3.0;
const WITHOUT_REDIS_MAX: f64 = 15.0;

/// Latencies of one fleet, in milliseconds.
#[derive(Default)]
struct Latencies {
    flush: Vec<f64>,
    bare: Vec<f64>,
    same: Vec<f64>,
    api: Vec<f64>,
    /// By round: median of the API's edits less that of the bare transactions.
    over_bare: Vec<f64>,
    /// And less that of the same statements.
    over_same: Vec<f64>,
    /// And of a second block of bare transactions.
    control: Vec<f64>,
    /// By round: what the server says an edit waited for the others, on average.
    waited: Vec<f64>,
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let mut latencies = latency_table(extent);
    let mut waits = Table::new(
        "2b. Where an edit's time goes, medians in ms",
        &[
            "fleet",
            "flush",
            "bare",
            "same statements",
            "API",
            "of it waiting for the others",
            "API − same statements",
        ],
    );
    waits.note(
        "Flush: the smallest durable commit. Same statements: what the API's edit sends, by a direct connection. Waiting: what the \
         instance itself says from after the commit to the acknowledgement (a mean).",
    );
    let mut throughput = Throughput::new(extent);
    let redis = Some(servers.redis()?);
    for (instances, redis, misses) in [
        (1, redis, false),
        (2, redis, false),
        (3, redis, false),
        (3, redis, true),
        (1, None, false),
        (2, None, false),
        (3, None, false),
        (3, None, true),
    ] {
        let with = if redis.is_some() { "with Redis" } else { "without" };
        let name = format!("{instances} {with}{}", if misses { ", misses" } else { "" });
        let catalogue =
            servers.catalogue(&format!("edits_{instances}_{}_{misses}", redis.is_some()), PRODUCTS)?;
        let fleet = catalogue.fleet(instances, redis)?;
        let others = if misses { fleet.get(1..).unwrap_or_default() } else { &[] };
        let seen = missing_meanwhile(others, || latencies_of(&catalogue, &fleet, extent, misses, &name))?;
        add(&mut latencies, &mut waits, &name, redis.is_some(), seen);
        if instances != 2 && !misses {
            throughput.measure(&catalogue, &fleet, &name)?;
        }
    }
    latencies.print();
    waits.print();
    throughput.print();
    Ok(())
}

fn latency_table(extent: Extent) -> Table {
    let (rounds, edits) = extent.of((10, 30), (2, 20));
    let mut table = Table::new(
        "2. An edit of a title through the API, by one client of instance 1, in ms",
        &[
            "instances",
            "bare transaction p50 / p99 / max",
            "API p50 / p99 / max",
            "API − bare, medians (min–max)",
            "control: bare − bare",
            "target",
        ],
    );
    table.note(format!(
        "{} edits of each kind in {rounds} rounds: each time a block of bare transactions (BEGIN, UPDATE of the title with all triggers, COMMIT, read the event \
         back; a direct connection, doorbell muted, instances idle), a block of the API's own statements, a block of API edits, another bare block. Up to {} ms of \
         pause between edits, so that they do not fall into step with polls. The difference is taken within each round. Misses: instances 2 and 3 are each asked \
         for something uncached every few milliseconds meanwhile; fewer rounds.",
        rounds * edits,
        PAUSE.as_millis(),
    ));
    table
}

fn add(latencies: &mut Table, waits: &mut Table, name: &str, with_redis: bool, seen: Latencies) {
    let sample = |values: Vec<f64>| values.into_iter().collect::<Sample>();
    let (bare, same, api) = (sample(seen.bare), sample(seen.same), sample(seen.api));
    let over_bare = sample(seen.over_bare);
    let bound = if with_redis { WITH_REDIS_MAX } else { WITHOUT_REDIS_MAX };
    latencies.row([
        name.to_owned(),
        bare.p50_p99_max(),
        api.p50_p99_max(),
        over_bare.to_string(),
        sample(seen.control).to_string(),
        verdict(over_bare.median(), bound, "ms"),
    ]);
    waits.row([
        name.to_owned(),
        format!("{:.2}", sample(seen.flush).median()),
        format!("{:.2}", bare.median()),
        format!("{:.2}", same.median()),
        format!("{:.2}", api.median()),
        sample(seen.waited).to_string(),
        sample(seen.over_same).to_string(),
    ]);
}

fn latencies_of(
    catalogue: &Catalogue,
    fleet: &[Instance],
    extent: Extent,
    misses: bool,
    name: &str,
) -> Outcome<Latencies> {
    let (rounds, edits) = extent.of((if misses { 4 } else { 10 }, 30), (2, 20));
    let editor = fleet.first().ok_or("an empty fleet")?;
    let (mut connection, mut client) = (direct::muted(catalogue)?, editor.client()?);
    let mut block = Block { catalogue, pace: Pace::new(1), edits, count: 0 };
    // Statements prepared, pools filled, pages in memory.
    block.api(&mut client)?;
    block.same(&mut connection)?;
    block.bare(&mut connection)?;
    let mut seen = Latencies::default();
    for round in 0..rounds {
        eprintln!("edits: {name}, round {}", round + 1);
        let flush = block.flush(&mut connection)?;
        let bare = block.bare(&mut connection)?;
        let same = block.same(&mut connection)?;
        settle(&mut connection)?;
        let before = editor.histogram("aisle_ack_wait_seconds")?;
        let api = block.api(&mut client)?;
        let after = editor.histogram("aisle_ack_wait_seconds")?;
        let again = block.bare(&mut connection)?;
        let middle = |values: &[f64]| values.iter().copied().collect::<Sample>().median();
        seen.over_bare.push(middle(&api) - middle(&bare));
        seen.over_same.push(middle(&api) - middle(&same));
        seen.control.push(middle(&again) - middle(&bare));
        seen.waited.push((after.0 - before.0) * 1e3 / (after.1 - before.1));
        seen.flush.extend(flush);
        seen.bare.extend(bare);
        seen.same.extend(same);
        seen.api.extend(api);
    }
    Ok(seen)
}

/// Works while each of these instances is asked for something uncached every few milliseconds: its reads bring it the log too.
fn missing_meanwhile<T>(instances: &[Instance], work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    let stop = AtomicBool::new(false);
    let clients = instances.iter().map(Instance::client).collect::<Outcome<Vec<Client>>>()?;
    thread::scope(|scope| {
        let mut readers = Vec::new();
        for mut client in clients {
            let stop = &stop;
            readers.push(scope.spawn(move || -> Outcome<()> {
                let mut number = 0_u32;
                while !stop.load(Ordering::Acquire) {
                    number += 1;
                    client.miss(&format!("nothing-{number}"))?;
                    rest(BETWEEN_MISSES);
                }
                Ok(())
            }));
        }
        let outcome = work();
        stop.store(true, Ordering::Release);
        readers.into_iter().try_for_each(joined)?;
        outcome
    })
}

/// Edits of one kind after the other.
struct Block<'a> {
    catalogue: &'a Catalogue,
    pace: Pace,
    edits: usize,
    /// Edits so far: which product is next, and a title that it has not had.
    count: usize,
}

impl Block<'_> {
    fn flush(&mut self, connection: &mut Connection) -> Outcome<Vec<f64>> {
        self.times(|_, _| direct::flush(connection))
    }

    fn bare(&mut self, connection: &mut Connection) -> Outcome<Vec<f64>> {
        self.times(|id, title| direct::bare(connection, id, title))
    }

    fn same(&mut self, connection: &mut Connection) -> Outcome<Vec<f64>> {
        self.times(|id, title| direct::same(connection, id, title))
    }

    fn api(&mut self, client: &mut Client) -> Outcome<Vec<f64>> {
        self.times(|id, title| client.patch_title(id, title))
    }

    fn times(&mut self, mut edit: impl FnMut(uuid::Uuid, &str) -> Outcome<Duration>) -> Outcome<Vec<f64>> {
        let mut times = Vec::new();
        for _ in 0..self.edits {
            self.pace.pause(PAUSE);
            self.count += 1;
            times.push(ms(edit(self.catalogue.product(self.count)?, &format!("Edit {}", self.count))?));
        }
        Ok(times)
    }
}
