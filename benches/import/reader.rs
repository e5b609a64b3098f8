//! A shopper who reads product after product, and how long each answer takes: those from the cache and those from the database
//! apart.

use std::{
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use aisle::store::Connection;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use crate::support::outcome::Outcome;

/// Between two reads: few enough not to be a load of their own.
const PAUSE: Duration = Duration::from_millis(5);

/// Every so many reads is one of a product that was not read before, as long as there are any.
const NEW_EVERY: usize = 4;

#[derive(QueryableByName)]
struct Shown {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Ids of the products that the store shows.
pub(crate) fn products(connection: &mut Connection) -> Outcome<Vec<String>> {
    let query = "SELECT id::text AS id FROM product WHERE status = 'active' ORDER BY id";
    let shown: Vec<Shown> = sql_query(query).load(connection)?;
    Ok(shown.into_iter().map(|product| product.id).collect())
}

/// Reads until it is stopped.
#[derive(Debug)]
pub(crate) struct Reader {
    stop: Sender<()>,
    thread: JoinHandle<Outcome<Times>>,
}

/// Times of answers by where they came from, which each answer says itself.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub(crate) hits: Latencies,
    pub(crate) misses: Latencies,
}

/// Times of answers, in order of length.
#[derive(Debug, Default)]
pub(crate) struct Latencies(Vec<Duration>);

impl Reader {
    /// Reads the `known` products over and over, each once unmeasured before, and each of the `new` ones once.
    pub(crate) fn start(authority: &str, known: Vec<String>, new: Vec<String>) -> Outcome<Self> {
        let client = reqwest::blocking::Client::builder().build()?;
        let base = format!("http://{authority}/v1/store/products/");
        let read = move |id: &str| -> Outcome<bool> {
            let answer = client.get(format!("{base}{id}")).send()?.error_for_status()?;
            let status = answer.headers().get("Cache-Status").ok_or("no Cache-Status")?;
            let hit = status.to_str()?.contains("; hit");
            answer.bytes()?;
            Ok(hit)
        };
        for id in &known {
            read(id)?;
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let mut times = Times::default();
            let mut new = new.iter();
            for (place, known) in known.iter().cycle().enumerate() {
                if !matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
                    break;
                }
                let id = if place % NEW_EVERY == 0 { new.next().unwrap_or(known) } else { known };
                let began = Instant::now();
                let hit = read(id)?;
                if hit { &mut times.hits } else { &mut times.misses }.0.push(began.elapsed());
            }
            times.hits.0.sort_unstable();
            times.misses.0.sort_unstable();
            Ok(times)
        });
        Ok(Self { stop, thread })
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Outcome<Times> {
        drop(self.stop);
        self.thread.join().map_err(|_panic| "the reader panicked")?
    }
}

impl Latencies {
    /// The time that so many in a thousand did not exceed.
    pub(crate) fn at(&self, permille: usize) -> Duration {
        let place = (self.0.len() * permille / 1000).min(self.0.len().saturating_sub(1));
        self.0.get(place).copied().unwrap_or_default()
    }

    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }
}
