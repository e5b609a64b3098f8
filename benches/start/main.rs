//! How long an instance takes from its start until it is ready, over a million products: when it reads everything, and when it
//! begins with a snapshot, with and without changes since. Starts its own Postgres; whoever else uses the machine shows.
//!
//! ```text
//! make bench-start                  a million products
//! make bench-start PRODUCTS=100000  fewer, to try it out
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that measures, waits and prints")]

#[path = "../../tests/support/multiply.rs"]
mod multiply;
#[path = "../support/mod.rs"]
mod support;

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use aisle::{
    embedded::{Options, Services},
    store::{Connection, pool},
};
use diesel::connection::SimpleConnection;
use rustix::process::{Pid, Signal, kill_process};
use support::{outcome::Outcome, pace::rest, process::resident_kilobytes};

/// Products that are made; all others are copies of them.
const MADE: u32 = 1000;

/// Longest wait for an instance.
const PATIENCE: Duration = Duration::from_mins(20);

fn main() -> ExitCode {
    support::outcome::ended(run())
}

fn run() -> Outcome<()> {
    let products = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let folder = tempfile::tempdir()?;
    let options = Options { data_dir: folder.path().join("data"), durable: false, redis: false };
    let services = Services::start(&options)?;
    let url = services.database_url();
    pool::migrate(url)?;
    let began = Instant::now();
    aisle(url).args(["demo", "--products", &MADE.to_string()]).status()?;
    multiply::multiply(&mut pool::connect_for_bulk(url)?, (products / MADE).saturating_sub(1))?;
    println!("{products} products made in {} s", began.elapsed().as_secs());
    let snapshots = folder.path().join("snapshots");
    start(url, &snapshots, "everything read from a database just written")?;
    fs::remove_dir_all(&snapshots)?;
    start(url, &snapshots, "everything read")?;
    start(url, &snapshots, "from a snapshot")?;
    start(url, &snapshots, "from a snapshot, again")?;
    let changed = change(&mut pool::connect_for_bulk(url)?, 1000)?;
    start(url, &snapshots, &format!("from a snapshot, {changed} products changed since"))?;
    services.stop();
    Ok(())
}

/// Changes so many products, as an edit does; how many these were.
fn change(connection: &mut Connection, products: u32) -> Outcome<u32> {
    connection.batch_execute(&format!(
        "UPDATE product SET title = title || ' new' WHERE id IN \
         (SELECT id FROM product WHERE status = 'active' ORDER BY id LIMIT {products})"
    ))?;
    Ok(products)
}

fn aisle(url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aisle"));
    command.env("DATABASE_URL", url).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Starts an instance, and prints when it was ready and how long it took to stop.
fn start(url: &str, snapshots: &Path, name: &str) -> Outcome<()> {
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let began = Instant::now();
    let mut child = aisle(url)
        .args(["serve", "--admin-token", "bench-token-0123456789", "--listen", &address.to_string()])
        .arg("--snapshot-dir")
        .arg(snapshots)
        .spawn()?;
    let ready = until_ready(&mut child, &address.to_string(), began);
    let memory = resident_kilobytes(child.id()).unwrap_or(0) / 1024;
    let stopping = Instant::now();
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process(pid, Signal::TERM)?;
    }
    child.wait()?;
    let stopped = stopping.elapsed().as_millis();
    let size = fs::metadata(snapshots.join("lists.snapshot")).map_or(0, |file| file.len() >> 20);
    println!(
        "{name:<55} ready after {:>7} ms; resident {memory} MB; stopped in {stopped} ms; snapshot {size} MB",
        ready?.as_millis()
    );
    Ok(())
}

fn until_ready(child: &mut Child, address: &str, began: Instant) -> Outcome<Duration> {
    while began.elapsed() < PATIENCE {
        if is_ready(address) {
            return Ok(began.elapsed());
        }
        if child.try_wait()?.is_some() {
            return Err("the instance ended".into());
        }
        rest(Duration::from_millis(10));
    }
    Err("the instance is not ready".into())
}

fn is_ready(address: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(stream, "GET /readyz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
