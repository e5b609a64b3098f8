//! Part 3: what a killed instance costs the others: the first edit waits out its lease, the next ones and all reads do not.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    Extent,
    client::Client,
    instance::Instance,
    outcome::{Outcome, joined},
    pace::{Pace, rest},
    sample::{Sample, ms},
    servers::{Catalogue, Servers},
    table::{Table, verdict},
};

/// Products; the first ones are edited, the others read.
const PRODUCTS: usize = 60;

/// Products that are edited.
const EDITED: usize = 10;

/// The first edit may take a lease and a second.
const FIRST_MAX_MS: f64 = 3000.0;

/// Edits before the kill, and after the first one behind it.
const NORMAL: usize = 20;

/// Time of reads before the kill.
const CALM: Duration = Duration::from_millis(2500);

/// Reads that one thread made: when each began, and how long it took.
type Reads = Vec<(Instant, f64)>;

/// Figures of all rounds, in milliseconds.
#[derive(Default)]
struct Rounds {
    normal: Vec<f64>,
    first: Vec<f64>,
    second: Vec<f64>,
    next: Vec<f64>,
    before: Vec<f64>,
    during: Vec<f64>,
    after: Vec<f64>,
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let rounds = extent.of(5, 1);
    let catalogue = servers.catalogue("death", PRODUCTS)?;
    let redis = Some(servers.redis()?);
    let mut fleet = catalogue.fleet(2, redis)?;
    let mut seen = Rounds::default();
    for round in 0..rounds {
        eprintln!("deaths: round {}", round + 1);
        fleet.push(catalogue.serve(redis, &[])?);
        run_round(&catalogue, &mut fleet, &mut seen, round)?;
    }
    print(seen, rounds);
    Ok(())
}

fn run_round(
    catalogue: &Catalogue,
    fleet: &mut Vec<Instance>,
    seen: &mut Rounds,
    round: usize,
) -> Outcome<()> {
    let mut doomed = fleet.pop().ok_or("an empty fleet")?;
    let mut client = fleet.first().ok_or("an empty fleet")?.client()?;
    let mut editor = Editor { catalogue, client: &mut client, pace: Pace::new(3), count: round * 1000 };
    seen.normal.extend(editor.edits(NORMAL)?);
    let stop = AtomicBool::new(false);
    let clients = fleet.iter().map(Instance::client).collect::<Outcome<Vec<Client>>>()?;
    let (killed, first_done, reads) = thread::scope(|scope| {
        let mut readers = Vec::new();
        for client in clients {
            let stop = &stop;
            readers.push(scope.spawn(move || read(catalogue, client, stop)));
        }
        let mut course = || -> Outcome<(Instant, Instant)> {
            rest(CALM);
            let killed = Instant::now();
            doomed.kill9()?;
            seen.first.extend(editor.edits(1)?);
            let first_done = Instant::now();
            seen.second.extend(editor.edits(1)?);
            seen.next.extend(editor.edits(NORMAL)?);
            rest(CALM / 2);
            Ok((killed, first_done))
        };
        let course = course();
        stop.store(true, Ordering::Release);
        let reads = readers.into_iter().map(joined).collect::<Outcome<Vec<Reads>>>()?;
        let (killed, first_done) = course?;
        Ok::<_, crate::outcome::Failure>((killed, first_done, reads))
    })?;
    for (began, time) in reads.into_iter().flatten() {
        let phase = if began < killed {
            &mut seen.before
        } else if began < first_done {
            &mut seen.during
        } else {
            &mut seen.after
        };
        phase.push(time);
    }
    Ok(())
}

/// Edits one after the other, with pauses that fall into no step.
struct Editor<'a> {
    catalogue: &'a Catalogue,
    client: &'a mut Client,
    pace: Pace,
    count: usize,
}

impl Editor<'_> {
    fn edits(&mut self, count: usize) -> Outcome<Vec<f64>> {
        let mut times = Vec::new();
        for _ in 0..count {
            self.pace.pause(Duration::from_millis(10));
            self.count += 1;
            let id = self.catalogue.product(self.count % EDITED)?;
            times.push(ms(self.client.patch_title(id, &format!("Edit {}", self.count))?));
        }
        Ok(times)
    }
}

/// Reads products that nobody edits, about a thousand times a second.
fn read(catalogue: &Catalogue, mut client: Client, stop: &AtomicBool) -> Outcome<Reads> {
    let products: Vec<Uuid> = catalogue.products.iter().copied().skip(EDITED).collect();
    for &id in &products {
        client.product(id)?;
    }
    let mut reads = Reads::new();
    for &id in products.iter().cycle() {
        if stop.load(Ordering::Acquire) {
            break;
        }
        let began = Instant::now();
        let answer = client.product(id)?;
        reads.push((began, ms(began.elapsed())));
        if !answer.head.contains("cache-status: aisle; hit; detail=local\r\n") {
            return Err(format!("not a hit under a lease: {}", answer.head).into());
        }
        rest(Duration::from_millis(1));
    }
    Ok(reads)
}

fn print(seen: Rounds, rounds: usize) {
    let sample = |values: Vec<f64>| values.into_iter().collect::<Sample>();
    let mut table = Table::new(
        "3. After a kill -9 of one of three instances, with Redis, in ms",
        &["what", "count", "median (min–max)", "p99", "target"],
    );
    table.note(format!(
        "{rounds} rounds, lease 2000 ms; edits through instance 1, reads of other products on the two survivors, about a thousand a second each; every read must be \
         a hit under a lease."
    ));
    let mut row = |what: &str, sample: &Sample, target: String| {
        table.row([
            what.to_owned(),
            sample.len().to_string(),
            sample.to_string(),
            format!("{:.2}", sample.p99()),
            target,
        ]);
    };
    let (normal, first, next) = (sample(seen.normal), sample(seen.first), sample(seen.next));
    row("control: edits before", &normal, String::new());
    row("**first edit after**", &first, verdict(first.max(), FIRST_MAX_MS, "ms, all"));
    row("second edit", &sample(seen.second), "as before".to_owned());
    row("the next edits", &next, "as before".to_owned());
    row("control: reads before", &sample(seen.before), String::new());
    row("**reads until the first edit is acknowledged**", &sample(seen.during), "as before".to_owned());
    row("reads during the next edits", &sample(seen.after), "as before".to_owned());
    table.print();
}
