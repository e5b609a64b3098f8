//! A closed loop of requests: kept connections, one request at a time on each, status and length of every answer checked.

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};

use crate::{
    shelf::Stored,
    support::{client::content_length, outcome::Outcome, sample::ms},
};

/// Connections of a load, unless said otherwise.
pub(crate) const CONNECTIONS: usize = 64;

/// How many ask, and how often.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Kept connections.
    pub(crate) connections: usize,
    /// Time from one request of a connection to its next, unless the answer takes longer.
    pub(crate) every: Duration,
}

/// Servers close connections that are idle for longer, some after five seconds.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// Connections that ask for everything once.
const WARMING: usize = 8;

/// As fast as answers come.
pub(crate) const UNPACED: Pace = Pace { connections: CONNECTIONS, every: Duration::ZERO };

/// What is sent, and what must come back.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    status: u16,
    /// Bytes; any number where nothing is said.
    body: Option<usize>,
}

impl Request {
    /// Asks for a stored answer.
    pub(crate) fn of(stored: &Stored) -> Outcome<Self> {
        Ok(Self { bytes: text(stored, "").into_bytes(), status: 200, body: Some(stored.body()?.len()) })
    }

    /// Asks whether a stored answer has changed: it has not.
    pub(crate) fn revalidating(stored: &Stored) -> Outcome<Self> {
        let etag = stored.header("etag").ok_or("an answer without an ETag")?;
        let bytes = text(stored, &format!("If-None-Match: {etag}\r\n")).into_bytes();
        Ok(Self { bytes, status: 304, body: Some(0) })
    }

    /// Asks for a target of which only the status is known.
    pub(crate) fn any(target: &str) -> Self {
        let bytes = text(&Stored::new(target, "", "", "", b""), "").into_bytes();
        Self { bytes, status: 200, body: None }
    }

    /// Bytes of the body that answers it.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body.unwrap_or(0)
    }
}

/// What the wire says to ask for an answer.
pub(crate) fn text(stored: &Stored, more: &str) -> String {
    let coding = match stored.coding.as_str() {
        "" => String::new(),
        coding => format!("Accept-Encoding: {coding}\r\n"),
    };
    let head = format!("{} HTTP/1.1\r\nHost: bench\r\n{coding}{more}", stored.target);
    match stored.asked.as_str() {
        "" => format!("GET {head}\r\n"),
        body => format!(
            "POST {head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    }
}

/// Which request comes next.
#[derive(Debug, Clone)]
pub(crate) struct Order(Vec<usize>);

impl Order {
    /// Each as often as any other, far from the last.
    pub(crate) fn uniform(requests: usize) -> Self {
        let mut dice = Dice(7);
        Self((0..ORDER).map(|_| dice.below(requests)).collect())
    }

    /// The first most often, the second half as often, the third a third (Zipf, exponent 1).
    pub(crate) fn zipf(requests: usize) -> Self {
        let mut sums = Vec::with_capacity(requests);
        let mut sum = 0.0_f64;
        for rank in 1..=u32::try_from(requests).unwrap_or(u32::MAX) {
            sum += 1.0 / f64::from(rank);
            sums.push(sum);
        }
        let mut dice = Dice(11);
        let mut pick = || {
            let parts = u32::try_from(dice.roll() >> 32).unwrap_or(0);
            let wanted = sum * f64::from(parts) / f64::from(u32::MAX);
            sums.partition_point(|reached| *reached < wanted).min(requests.saturating_sub(1))
        };
        Self((0..ORDER).map(|_| pick()).collect())
    }
}

/// Length of an order; it is gone through again and again.
const ORDER: usize = 1 << 16;

/// Numbers that look random (splitmix64), the same in every run.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(self.roll() % end).unwrap_or(0)
    }
}

/// A load on one server.
#[derive(Debug)]
pub(crate) struct Load {
    requests: Vec<Request>,
    order: Order,
    connections: Vec<Connection>,
    every: Duration,
    authority: String,
    used: Instant,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Place in the order.
    place: usize,
}

impl Load {
    /// Connects to `authority`, and asks for everything once on the way: what can be cached is cached then.
    pub(crate) fn connect(
        runtime: &Runtime,
        authority: &str,
        requests: Vec<Request>,
        order: Order,
    ) -> Outcome<Self> {
        Self::paced(runtime, authority, requests, order, UNPACED)
    }

    /// The same with a pace of its own; the runtime needs its clock then.
    pub(crate) fn paced(
        runtime: &Runtime,
        authority: &str,
        requests: Vec<Request>,
        order: Order,
        pace: Pace,
    ) -> Outcome<Self> {
        let longest = requests.iter().map(Request::body_bytes).max().unwrap_or(0);
        let mut connections = Vec::new();
        for number in 0..pace.connections {
            let stream = runtime.block_on(TcpStream::connect(authority))?;
            stream.set_nodelay(true)?;
            let place = number * ORDER / pace.connections;
            connections.push(Connection { stream, buffer: vec![0; longest + 8 * 1024], place });
        }
        let (every, authority, used) = (pace.every, authority.to_owned(), Instant::now());
        let mut load = Self { requests, order, connections, every, authority, used };
        load.warm(runtime)?;
        Ok(load)
    }

    fn warm(&mut self, runtime: &Runtime) -> Outcome<()> {
        let Self { requests, connections, .. } = self;
        // A few at a time: a rush of misses would be refused.
        let count = connections.len().min(WARMING);
        let share = requests.len().div_ceil(count.max(1)).max(1);
        let all = connections.iter_mut().zip(requests.chunks(share)).map(|(connection, chunk)| async move {
            for request in chunk {
                connection.exchange(request).await?;
            }
            Outcome::Ok(())
        });
        runtime.block_on(try_join_all(all)).map(drop)
    }

    /// Sends so many requests on each connection.
    pub(crate) fn run(&mut self, runtime: &Runtime, each: usize) -> Outcome<Lap> {
        self.freshen(runtime)?;
        let Self { requests, order, connections, every, .. } = self;
        let all = connections.iter_mut().map(|connection| connection.run(requests, order, (each, *every)));
        let began = Instant::now();
        let latencies = runtime.block_on(try_join_all(all))?.concat();
        let took = began.elapsed();
        self.used = Instant::now();
        Ok(Lap { took, latencies })
    }

    /// Opens all connections anew that a server may be about to close, each with an answer behind it.
    pub(crate) fn freshen(&mut self, runtime: &Runtime) -> Outcome<()> {
        if self.used.elapsed() < IDLE_MAX {
            return Ok(());
        }
        let first = self.requests.first().ok_or("nothing to ask for")?;
        for connection in &mut self.connections {
            connection.stream = runtime.block_on(TcpStream::connect(&self.authority))?;
            connection.stream.set_nodelay(true)?;
            runtime.block_on(connection.exchange(first))?;
        }
        self.used = Instant::now();
        Ok(())
    }

    /// Sends one request on each connection at once, and waits for all answers.
    pub(crate) async fn all_at_once(&mut self, request: &Request) -> Outcome<()> {
        let all = self.connections.iter_mut().map(|connection| connection.exchange(request));
        try_join_all(all).await.map(drop)
    }
}

/// What a run has shown.
#[derive(Debug)]
pub(crate) struct Lap {
    /// All of it.
    pub(crate) took: Duration,
    /// Of every request, in milliseconds, as the load saw it: its own waiting for the processor included.
    pub(crate) latencies: Vec<f64>,
}

impl Lap {
    /// Requests per second.
    pub(crate) fn rate(&self) -> Outcome<f64> {
        Ok(f64::from(u32::try_from(self.latencies.len())?) / self.took.as_secs_f64())
    }
}

impl Connection {
    async fn run(
        &mut self,
        requests: &[Request],
        order: &Order,
        (each, every): (usize, Duration),
    ) -> Outcome<Vec<f64>> {
        let mut latencies = Vec::with_capacity(each);
        for _ in 0..each {
            self.place = (self.place + 1) % ORDER;
            let request = order.0.get(self.place).and_then(|number| requests.get(*number));
            let began = Instant::now();
            self.exchange(request.ok_or("nothing to ask for")?).await?;
            let took = began.elapsed();
            latencies.push(ms(took));
            if took < every {
                tokio::time::sleep(every.saturating_sub(took)).await;
            }
        }
        Ok(latencies)
    }

    async fn exchange(&mut self, request: &Request) -> Outcome<()> {
        self.stream.write_all(&request.bytes).await?;
        let mut filled = 0;
        let mut whole = None;
        while whole.is_none_or(|whole| filled < whole) {
            let free = self.buffer.get_mut(filled..).filter(|free| !free.is_empty());
            let read = self.stream.read(free.ok_or("an answer that is too long")?).await?;
            if read == 0 {
                return Err("the server closed a connection".into());
            }
            filled += read;
            if whole.is_none() {
                whole = expected(self.buffer.get(..filled).unwrap_or_default(), request)?;
            }
        }
        if whole == Some(filled) { Ok(()) } else { Err("more than one answer to a request".into()) }
    }
}

/// Length of the whole answer once its head is there; an error unless it is the expected one.
fn expected(received: &[u8], request: &Request) -> Outcome<Option<usize>> {
    let Some(head) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(received.get(..head + 4).unwrap_or_default())?;
    let is_expected = text.get(9..12) == Some(&request.status.to_string());
    let length = content_length(&text.to_ascii_lowercase()).unwrap_or(0);
    let body = request.body.unwrap_or(length);
    if is_expected && (request.status == 304 || length == body) {
        Ok(Some(head + 4 + body))
    } else {
        Err(format!("not the expected answer, {} with {body} bytes: {text}", request.status).into())
    }
}
