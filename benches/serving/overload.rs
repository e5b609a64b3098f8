//! Four times as many misses as can be answered: what is answered, how fast, and how fast the rest is refused.

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use aisle::limits::TOGETHER_MAX;
use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Builder,
};

use crate::{
    Extent, relay, site,
    support::{
        client::content_length,
        outcome::Outcome,
        sample::{Sample, ms},
        servers::{Catalogue, Servers},
        table::{Table, verdict},
    },
};

/// Store actors: few, so that the load finds room on the same machine.
const ACTORS: usize = 2;

/// Requests at a time that give every actor full statements: one that it waits for, and one that waits for it.
const FULL: usize = ACTORS * 2 * TOGETHER_MAX;

/// What the network to Postgres adds to every answer.
const DELAY: Duration = Duration::from_millis(2);

/// Offered over what can be answered.
const TIMES: f64 = 4.0;

/// Connections that offer it.
const CONNECTIONS: usize = 600;

/// What is not looked at: a burst may wait, so the first moment of an overload is another case.
const BURST: Duration = Duration::from_secs(2);

/// One request of the open loop.
#[derive(Debug, Clone, Copy)]
struct Shot {
    /// When it was due, from the beginning.
    due: Duration,
    status: u16,
    /// Milliseconds from then to its answer.
    took: f64,
}

/// Measures and prints.
pub(crate) fn measure(servers: &Servers, extent: Extent) -> Outcome<()> {
    let (products, seconds) = extent.of((10_000, 8), (2_000, 3));
    eprintln!("overload");
    let catalogue = site::catalogue(servers, "overload", products)?;
    let slow = Catalogue { url: relay::start(&catalogue.url, DELAY)?, products: Vec::new() };
    let actors = ACTORS.to_string();
    let instance = slow.serve(None, &[("AISLE_CACHE_MB", "1"), ("AISLE_STORE_ACTORS", actors.as_str())])?;
    let targets = site::products(&catalogue);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let run = |connections, rate, time| {
        runtime.block_on(fire(&instance.authority, &targets, connections, rate, time))
    };
    let answered = |shots: &[Shot]| shots.iter().filter(|shot| shot.status == 200).count();
    let unloaded = run(1, f64::INFINITY, Duration::from_secs(2))?;
    let window = Duration::from_secs(seconds);
    let closed = run(FULL, f64::INFINITY, window)?;
    let capacity = f64::from(u32::try_from(answered(&closed))?) / window.as_secs_f64();
    let shots = run(CONNECTIONS, capacity * TIMES, BURST + window)?;
    let shots: Vec<Shot> = shots.into_iter().filter(|shot| shot.due >= BURST).collect();
    let goodput = f64::from(u32::try_from(answered(&shots))?) / window.as_secs_f64();
    let took = |shots: &[Shot], status| {
        shots.iter().filter(|shot| shot.status == status).map(|shot| shot.took).collect::<Sample>()
    };
    let (alone, accepted, refused) = (took(&unloaded, 200), took(&shots, 200), took(&shots, 503));
    let others = shots.len() - accepted.len() - refused.len();
    let columns = ["what", "", "target"];
    let mut table = Table::new("Overload: four times as many misses as can be answered", &columns);
    table.note(format!(
        "Open loop of {:.0} requests per second for {seconds} s after a first two that are left out, {CONNECTIONS} connections; a request's time runs from when it was due. \
         A network that adds {} ms to every answer of Postgres, {ACTORS} store actors, a local cache of 1 MiB, {products} products, uniform.",
        capacity * TIMES,
        DELAY.as_millis()
    ));
    let share = goodput / capacity;
    let word = if share >= 0.9 { "met" } else { "MISSED" };
    table.row(["answered per second at the knee".to_owned(), format!("{capacity:.0}"), String::new()]);
    table.row([
        "answered per second under overload".to_owned(),
        format!("{goodput:.0}, {share:.2} of that"),
        format!("≥ 0.9: {word}"),
    ]);
    table.row(["p50 / p99 / p99.9 of a miss alone, ms".to_owned(), alone.p50_p99_p999(), String::new()]);
    table.row([
        "of those answered under overload".to_owned(),
        accepted.p50_p99_p999(),
        verdict(accepted.p99() / alone.p99(), 5.0, "times p99 alone"),
    ]);
    table.row([format!("of the {} refused (503)", refused.len()), refused.p50_p99_p999(), String::new()]);
    table.row([
        "other answers".to_owned(),
        others.to_string(),
        verdict(f64::from(u32::try_from(others)?), 0.0, ""),
    ]);
    table.print();
    Ok(())
}

/// Asks at a rate, whatever is answered; as fast as answers come where the rate is infinite.
async fn fire(
    authority: &str,
    targets: &[String],
    connections: usize,
    rate: f64,
    time: Duration,
) -> Outcome<Vec<Shot>> {
    let next = Cell::new(0_u32);
    let began = Instant::now();
    let next = &next;
    let shooters = (0..connections).map(|_| async move {
        let mut stream = TcpStream::connect(authority).await?;
        stream.set_nodelay(true)?;
        let mut shots = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let number = next.get();
            next.set(number + 1);
            let due = if rate.is_finite() {
                Duration::from_secs_f64(f64::from(number) / rate)
            } else {
                began.elapsed()
            };
            if due >= time {
                return Outcome::Ok(shots);
            }
            tokio::time::sleep_until((began + due).into()).await;
            // A stride that meets every product, far from the last.
            let place = usize::try_from(number)? * 7919 % targets.len().max(1);
            let target = targets.get(place).ok_or("no products")?;
            let status = exchange(&mut stream, &mut buffer, target).await?;
            shots.push(Shot { due, status, took: ms(began.elapsed().saturating_sub(due)) });
        }
    });
    Ok(try_join_all(shooters).await?.concat())
}

/// Sends a request and reads its whole answer: the status.
async fn exchange(stream: &mut TcpStream, buffer: &mut [u8], target: &str) -> Outcome<u16> {
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n").as_bytes()).await?;
    let mut filled = 0;
    loop {
        let read =
            stream.read(buffer.get_mut(filled..).filter(|free| !free.is_empty()).ok_or("too long")?).await?;
        if read == 0 {
            return Err("the server closed a connection".into());
        }
        filled += read;
        let received = buffer.get(..filled).unwrap_or_default();
        let Some(head) = received.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(received.get(..head + 4).unwrap_or_default())?;
        let length = content_length(text).ok_or("an answer without a length")?;
        if filled >= head + 4 + length {
            return Ok(text.get(9..12).unwrap_or_default().parse()?);
        }
    }
}
