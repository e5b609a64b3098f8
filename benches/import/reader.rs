//! A shopper who reads product after product, and how long each answer takes.

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
    thread: JoinHandle<Outcome<Latencies>>,
}

/// Times of answers, in order of length.
#[derive(Debug)]
pub(crate) struct Latencies(Vec<Duration>);

impl Reader {
    /// Reads each product once unmeasured, then begins.
    pub(crate) fn start(authority: &str, products: Vec<String>) -> Outcome<Self> {
        let client = reqwest::blocking::Client::builder().build()?;
        let base = format!("http://{authority}/v1/store/products/");
        let read = move |id: &str| -> Outcome<()> {
            let answer = client.get(format!("{base}{id}")).send()?.error_for_status()?;
            answer.bytes()?;
            Ok(())
        };
        for id in &products {
            read(id)?;
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let mut times = Vec::new();
            for id in products.iter().cycle() {
                if !matches!(stopped.recv_timeout(PAUSE), Err(RecvTimeoutError::Timeout)) {
                    break;
                }
                let began = Instant::now();
                read(id)?;
                times.push(began.elapsed());
            }
            times.sort_unstable();
            Ok(Latencies(times))
        });
        Ok(Self { stop, thread })
    }

    /// Ends it.
    pub(crate) fn stop(self) -> Outcome<Latencies> {
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
