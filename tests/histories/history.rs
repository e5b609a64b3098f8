//! What the clients of a run saw, and when.

use std::{
    fmt,
    sync::atomic::{AtomicBool, AtomicU16, AtomicU32, AtomicU64, Ordering},
    time::Instant,
};

use crate::checker::NEVER;

/// Everything the threads of a run share.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Zero of the run's clock.
    pub(crate) start: Instant,
    /// Where the instances are.
    pub(crate) endpoints: Vec<Endpoint>,
    /// The products that are read and written.
    pub(crate) products: Vec<Product>,
    /// Tells readers to end.
    pub(crate) readers_end: AtomicBool,
    /// Tells writers to end.
    pub(crate) writers_end: AtomicBool,
    last_number: AtomicU32,
}

/// One instance, as clients find it.
#[derive(Debug, Default)]
pub(crate) struct Endpoint {
    /// Its port; 0 while there is no such instance.
    pub(crate) port: AtomicU16,
    /// How often it was started.
    pub(crate) incarnation: AtomicU16,
    /// Reads it answered with 200.
    pub(crate) reads: AtomicU64,
    /// Edits it acknowledged.
    pub(crate) writes: AtomicU64,
}

/// A product and its names.
#[derive(Debug, Clone)]
pub(crate) struct Product {
    /// Its id.
    pub(crate) id: String,
    /// Its slug.
    pub(crate) slug: String,
    /// The SKU of its only variant.
    pub(crate) sku: String,
}

impl Stage {
    /// A stage for so many instances, with one more place for one that joins, and no product.
    pub(crate) fn new(instances: usize) -> Self {
        Self {
            start: Instant::now(),
            endpoints: (0..=instances).map(|_| Endpoint::default()).collect(),
            products: Vec::new(),
            readers_end: AtomicBool::new(false),
            writers_end: AtomicBool::new(false),
            last_number: AtomicU32::new(0),
        }
    }

    /// How many instances there are all the time; also the place of the one that joins.
    pub(crate) fn instances(&self) -> usize {
        self.endpoints.len() - 1
    }

    /// Nanoseconds since the start; never zero, which is the time of the initial values.
    pub(crate) fn now(&self) -> u64 {
        let passed = u64::try_from(self.start.elapsed().as_nanos()).expect("a run of less than 500 years");
        passed.max(1)
    }

    /// A value that nobody else writes.
    pub(crate) fn number(&self) -> u32 {
        self.last_number.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// A client, for the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Client {
    Reader(u16),
    Writer(u16),
    Psql(u16),
    Last,
}

/// An instance in one of its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Life {
    pub(crate) instance: u8,
    pub(crate) incarnation: u16,
}

/// How a read asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Id,
    Slug,
    Sku,
    Page,
}

/// What `Cache-Status` said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cache {
    Local,
    Shared,
    Miss,
    Collapsed,
    Other,
    /// The one label under which an answer may be stale.
    Unverified,
}

impl Cache {
    /// Reads the header.
    pub(crate) fn parse(header: &str) -> Self {
        let says = |words: &str| header.contains(words);
        match () {
            () if says("detail=unverified") => Self::Unverified,
            () if says("detail=local") => Self::Local,
            () if says("detail=shared") => Self::Shared,
            () if says("collapsed") => Self::Collapsed,
            () if says("fwd=miss") => Self::Miss,
            () => Self::Other,
        }
    }
}

/// What one answered read said of one product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    pub(crate) client: Client,
    pub(crate) life: Life,
    pub(crate) way: Way,
    pub(crate) cache: Cache,
    /// `Catalog-Position`; -1 without.
    pub(crate) position: i64,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) product: u8,
    /// Number of the write whose title it saw.
    pub(crate) title: u32,
    /// Number of the write whose price it saw.
    pub(crate) price: u32,
}

/// One edit of one product.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write {
    pub(crate) client: Client,
    /// Where it was sent; `None` for edits in the database.
    pub(crate) life: Option<Life>,
    /// What it wrote.
    pub(crate) number: u32,
    pub(crate) product: u8,
    pub(crate) title: bool,
    pub(crate) price: bool,
    pub(crate) begin: u64,
    /// [`NEVER`] without a clear answer.
    pub(crate) end: u64,
    /// HTTP status; 0 without an answer.
    pub(crate) status: u16,
    pub(crate) position: Option<i64>,
}

impl Write {
    /// Whether it was confirmed.
    pub(crate) fn acknowledged(&self) -> bool {
        self.end != NEVER
    }
}

/// What happened on one thread, or on all.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) reads: Vec<Read>,
    pub(crate) writes: Vec<Write>,
    /// Requests refused with 503.
    pub(crate) refused: u64,
    /// Requests that got no answer.
    pub(crate) unanswered: u64,
    /// Answers that must not be, in words; the first few.
    pub(crate) wrong: Vec<String>,
    /// How many such answers there were.
    pub(crate) wrongs: u64,
}

/// Wrong answers kept in words.
const WRONG_KEPT: usize = 10;

impl Log {
    /// Notes an answer that must not be.
    pub(crate) fn wrong(&mut self, words: String) {
        self.wrongs += 1;
        if self.wrong.len() < WRONG_KEPT {
            self.wrong.push(words);
        }
    }

    /// Adds another thread's log.
    pub(crate) fn join(&mut self, other: Self) {
        self.reads.extend(other.reads);
        self.writes.extend(other.writes);
        self.refused += other.refused;
        self.unanswered += other.unanswered;
        self.wrongs += other.wrongs;
        self.wrong.extend(other.wrong);
        self.wrong.truncate(WRONG_KEPT);
    }
}

/// A fault from its beginning until the instances had recovered from it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) fault: &'static str,
    pub(crate) begin: u64,
    pub(crate) healed: u64,
    pub(crate) recovered: u64,
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reader(number) => write!(f, "reader {number}"),
            Self::Writer(number) => write!(f, "writer {number}"),
            Self::Psql(number) => write!(f, "psql {number}"),
            Self::Last => f.write_str("last look"),
        }
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.instance, self.incarnation)
    }
}

/// Milliseconds of a time of the run's clock.
pub(crate) fn milliseconds(time: u64) -> String {
    if time == NEVER { "…".to_owned() } else { format!("{}.{:03}", time / 1_000_000, time / 1000 % 1000) }
}
