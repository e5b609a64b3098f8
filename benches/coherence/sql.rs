//! Part 4: how soon an edit by SQL is visible everywhere, and what waiting for that by `catalog.sync()` takes.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use aisle::store::Connection;
use uuid::Uuid;

use crate::{
    Extent,
    client::Client,
    direct,
    instance::Instance,
    outcome::{Outcome, joined},
    pace::{Pace, rest},
    sample::{Sample, ms},
    servers::{Catalogue, Servers, settle},
    table::Table,
};

/// Longest pause between two edits; longer than the server's polls.
const PAUSE: Duration = Duration::from_millis(10);

/// An edit that is not seen within this is lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the title says before the number of the edit.
const TITLE: &str = "\"title\":\"Seen ";

/// An instance shows an edit for the first time.
struct Sighting {
    edit: u32,
    at: Instant,
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (edits, syncs) = extent.of((1000, 200), (60, 30));
    let mut table = Table::new(
        "4. Edits by SQL, three instances with Redis, in ms",
        &["what", "count", "p50 / p99 / max"],
    );
    table.note(format!(
        "From the return of an UPDATE that commits by itself to the first answer with the new title on the last of the three; one polling thread per \
         instance. Up to {} ms of pause between edits.",
        PAUSE.as_millis()
    ));
    let mut row = |what: &str, sample: &Sample| {
        table.row([what.to_owned(), sample.len().to_string(), sample.p50_p99_max()]);
    };
    let catalogue = servers.catalogue("sql", 3)?;
    let fleet = catalogue.fleet(3, Some(servers.redis()?))?;
    let clients = || fleet.iter().map(Instance::client).collect::<Outcome<Vec<_>>>();
    let id = catalogue.product(0)?;
    eprintln!("SQL: polled without pause");
    let tight = visibility(&catalogue, clients()?, id, 0..edits, Duration::ZERO)?;
    row("visible everywhere, polled without pause", &tight.everywhere);
    row("… on one instance", &tight.each);
    row("control: the UPDATE itself", &tight.update);
    eprintln!("SQL: polled every millisecond");
    let paced = visibility(&catalogue, clients()?, id, edits..edits * 2, Duration::from_millis(1))?;
    row("visible everywhere, polled every millisecond", &paced.everywhere);
    row("… on one instance", &paced.each);
    row("control: the UPDATE itself", &paced.update);
    eprintln!("SQL: catalog.sync()");
    let (after_edit, idle) = sync(&mut catalogue.connect()?, catalogue.product(1)?, syncs)?;
    row("`catalog.sync()` right after an edit", &after_edit);
    row("control: `catalog.sync()` with nothing to wait for", &idle);
    let mut editor = fleet.first().ok_or("an empty fleet")?.client()?;
    let after_api = sync_after_api(&mut catalogue.connect()?, &mut editor, catalogue.product(2)?, syncs / 4)?;
    row("`catalog.sync()` right after an edit through the API", &after_api);
    table.print();
    Ok(())
}

/// Milliseconds from a commit.
struct Visibility {
    everywhere: Sample,
    each: Sample,
    update: Sample,
}

fn visibility(
    catalogue: &Catalogue,
    clients: Vec<Client>,
    id: Uuid,
    edits: std::ops::Range<u32>,
    between: Duration,
) -> Outcome<Visibility> {
    let stop = AtomicBool::new(false);
    let (sender, sightings) = mpsc::channel();
    let instances = clients.len();
    let mut connection = catalogue.connect()?;
    thread::scope(|scope| {
        let mut pollers = Vec::new();
        for client in clients {
            let (stop, sender, known) = (&stop, sender.clone(), edits.start);
            pollers.push(scope.spawn(move || poll(client, id, known, between, stop, &sender)));
        }
        drop(sender);
        let course = || -> Outcome<Visibility> {
            let (mut everywhere, mut each, mut update) = (Vec::new(), Vec::new(), Vec::new());
            let mut pace = Pace::new(4);
            for edit in edits {
                pace.pause(PAUSE);
                let began = Instant::now();
                let committed = direct::plain(&mut connection, id, &format!("Seen {}", edit + 1))?;
                update.push(ms(committed - began));
                let mut last = 0.0_f64;
                for _ in 0..instances {
                    let sighting: Sighting = sightings
                        .recv_timeout(PATIENCE)
                        .map_err(|error| format!("edit {} is not seen: {error}", edit + 1))?;
                    if sighting.edit != edit + 1 {
                        return Err(format!("saw edit {}, not {}", sighting.edit, edit + 1).into());
                    }
                    // Seen before the commit was known here: at once.
                    let time = ms(sighting.at.saturating_duration_since(committed));
                    each.push(time);
                    last = last.max(time);
                }
                everywhere.push(last);
            }
            let [everywhere, each, update] =
                [everywhere, each, update].map(|values| values.into_iter().collect());
            Ok(Visibility { everywhere, each, update })
        };
        let outcome = course();
        stop.store(true, Ordering::Release);
        pollers.into_iter().try_for_each(joined)?;
        outcome
    })
}

/// Tells of every edit after `last` when it is first seen; an older one after a newer one is an error.
fn poll(
    mut client: Client,
    id: Uuid,
    mut last: u32,
    between: Duration,
    stop: &AtomicBool,
    sender: &Sender<Sighting>,
) -> Outcome<()> {
    while !stop.load(Ordering::Acquire) {
        let answer = client.product(id)?;
        let at = Instant::now();
        let now = number(&answer.body)?;
        if now < last {
            return Err(format!("edit {now} after edit {last}").into());
        }
        if now > last {
            sender.send(Sighting { edit: now, at })?;
        }
        last = now;
        rest(between);
    }
    Ok(())
}

/// Number of the edit that an answer shows; 0 before the first.
fn number(body: &[u8]) -> Outcome<u32> {
    let text = std::str::from_utf8(body)?;
    let Some((_, rest)) = text.split_once(TITLE) else { return Ok(0) };
    Ok(rest.split('"').next().unwrap_or_default().parse()?)
}

/// Latencies right after an edit, and with nothing to wait for.
fn sync(connection: &mut Connection, id: Uuid, count: usize) -> Outcome<(Sample, Sample)> {
    let (mut after_edit, mut idle) = (Vec::new(), Vec::new());
    let mut pace = Pace::new(5);
    for number in 0..count {
        pace.pause(PAUSE);
        direct::plain(connection, id, &format!("Synced {number}"))?;
        for times in [&mut after_edit, &mut idle] {
            let began = Instant::now();
            settle(connection)?;
            times.push(ms(began.elapsed()));
        }
    }
    Ok((after_edit.into_iter().collect(), idle.into_iter().collect()))
}

/// Latencies after an edit that messages spread: every instance has it already.
fn sync_after_api(
    connection: &mut Connection,
    editor: &mut Client,
    id: Uuid,
    count: usize,
) -> Outcome<Sample> {
    let mut times = Vec::new();
    let mut pace = Pace::new(6);
    for number in 0..count {
        pace.pause(PAUSE);
        editor.patch_title(id, &format!("Synced {number} after the API"))?;
        let began = Instant::now();
        settle(connection)?;
        times.push(ms(began.elapsed()));
    }
    Ok(times.into_iter().collect())
}
