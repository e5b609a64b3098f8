//! From what clients saw to a verdict, with the operations that prove it.

use std::{collections::HashMap, fmt::Write as _};

use crate::{
    checker::{NEVER, Operation, Violation, Zone, check},
    history::{Cache, Client, Life, Log, Mark, Read, Way, Write, milliseconds},
};

/// Contradictions of one kind shown in full.
const SHOWN: usize = 2;

/// What a run's history shows.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    /// Reads that were judged; a page counts once for each product on it.
    pub(crate) judged: usize,
    /// Answers labelled as unverified: not judged.
    pub(crate) unverified: usize,
    pub(crate) acknowledged: usize,
    pub(crate) open_ended: usize,
    /// Reads begun after a newer edit had been acknowledged.
    pub(crate) stale: usize,
    /// How long after that acknowledgement, at worst, in nanoseconds.
    pub(crate) stalest: u64,
    /// Reads begun after another read had ended that showed something newer, beyond those.
    pub(crate) new_then_old: usize,
    /// Times a client was shown a smaller position by the same life of an instance. Only reported.
    pub(crate) positions_back: usize,
    /// Longest time without an acknowledged edit, in nanoseconds.
    pub(crate) write_gap: u64,
    /// Contradictions that no order of the operations explains.
    pub(crate) violations: usize,
    /// The first of them, and of the stale reads, in words.
    pub(crate) shown: Vec<String>,
}

impl Judgement {
    /// Whether everything that was read can be explained.
    pub(crate) fn is_clean(&self) -> bool {
        self.violations == 0 && self.stale == 0 && self.new_then_old == 0
    }
}

/// Judges a history of so many products.
pub(crate) fn judge(log: &Log, products: usize) -> Judgement {
    let unverified = log.reads.iter().filter(|read| read.cache == Cache::Unverified).count();
    let acknowledged = log.writes.iter().filter(|write| write.acknowledged()).count();
    let mut judgement = Judgement {
        judged: log.reads.len() - unverified,
        unverified,
        acknowledged,
        open_ended: log.writes.len() - acknowledged,
        positions_back: positions_back(&log.reads),
        write_gap: write_gap(&log.writes),
        ..Judgement::default()
    };
    for product in 0..products {
        for field in [Field::Title, Field::Price] {
            let register = Register::of(log, u8::try_from(product).expect("few products"), field);
            register.judge(&mut judgement);
        }
    }
    judgement
}

/// Whether reads and edits were answered before a fault, asked during it, and answered after it.
pub(crate) fn counts(log: &Log, mark: &Mark) -> bool {
    let during = |begin: u64, end: u64| begin <= mark.healed && end >= mark.begin;
    log.reads.iter().any(|read| read.end < mark.begin)
        && log.writes.iter().any(|write| write.acknowledged() && write.end < mark.begin)
        && log.reads.iter().any(|read| during(read.begin, read.end))
        && log.writes.iter().any(|write| during(write.begin, write.end))
        && log.reads.iter().any(|read| read.begin > mark.healed)
        && log.writes.iter().any(|write| write.acknowledged() && write.begin > mark.healed)
}

fn write_gap(writes: &[Write]) -> u64 {
    let mut ends: Vec<u64> = writes.iter().map(|write| write.end).filter(|end| *end != NEVER).collect();
    ends.sort_unstable();
    ends.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

fn positions_back(reads: &[Read]) -> usize {
    let mut last: HashMap<(Client, Life), (u64, i64)> = HashMap::new();
    let mut back = 0;
    for read in reads {
        let (end, position) = last.entry((read.client, read.life)).or_insert((0, i64::MIN));
        if read.end > *end {
            back += usize::from(read.position < *position);
            (*end, *position) = (read.end, (*position).max(read.position));
        }
    }
    back
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Title,
    Price,
}

/// The history of one field of one product.
struct Register<'log> {
    name: String,
    reads: Vec<(&'log Read, u32)>,
    writes: Vec<&'log Write>,
    /// Position at which an acknowledged value was written; 0 of the first value.
    positions: HashMap<u32, i64>,
}

impl<'log> Register<'log> {
    fn of(log: &'log Log, product: u8, field: Field) -> Self {
        let writes: Vec<&Write> = log
            .writes
            .iter()
            .filter(|write| write.product == product)
            .filter(|write| if field == Field::Title { write.title } else { write.price })
            .collect();
        let reads = log
            .reads
            .iter()
            .filter(|read| read.product == product && read.cache != Cache::Unverified)
            .map(|read| (read, if field == Field::Title { read.title } else { read.price }))
            .collect();
        let mut positions: HashMap<u32, i64> =
            writes.iter().filter_map(|write| Some((write.number, write.position?))).collect();
        positions.insert(0, 0);
        Self { name: format!("{field:?} of product {product}"), reads, writes, positions }
    }

    /// The first value, then the writes, then the reads.
    fn operations(&self) -> Vec<Operation> {
        let first = Operation { write: true, value: 0, begin: 0, end: 0 };
        let writes = self.writes.iter().map(|write| Operation {
            write: true,
            value: write.number,
            begin: write.begin,
            end: write.end,
        });
        let reads = self.reads.iter().map(|(read, value)| Operation {
            write: false,
            value: *value,
            begin: read.begin,
            end: read.end,
        });
        std::iter::once(first).chain(writes).chain(reads).collect()
    }

    fn judge(&self, judgement: &mut Judgement) {
        self.judge_freshness(judgement);
        let violations = check(&self.operations());
        judgement.violations += violations.len();
        for violation in violations {
            let (kind, _) = words(violation);
            let told = judgement.shown.iter().filter(|shown| shown.contains(kind)).count();
            if told < SHOWN {
                judgement.shown.push(self.explain(violation));
            }
        }
    }

    /// By the positions that acknowledgements named: what is implied by the whole judgement, but says more plainly what broke.
    fn judge_freshness(&self, judgement: &mut Judgement) {
        let acknowledged = self.writes.iter().filter(|write| write.acknowledged());
        let acknowledged = Ends::new(acknowledged.filter_map(|write| Some((write.end, write.position?))));
        let position = |value: &u32| self.positions.get(value).copied();
        let seen =
            Ends::new(self.reads.iter().filter_map(|(read, value)| Some((read.end, position(value)?))));
        for (read, value) in &self.reads {
            let Some(known) = position(value) else { continue };
            if acknowledged.newest_before(read.begin) > known {
                let newer =
                    self.writes.iter().filter(|write| write.end < read.begin && write.position > Some(known));
                let Some(newer) = newer.min_by_key(|write| write.end) else { continue };
                let late = read.begin - newer.end;
                judgement.stale += 1;
                judgement.stalest = judgement.stalest.max(late);
                if judgement.stale == 1 {
                    let title = format!("stale by {} ms after an acknowledgement", milliseconds(late));
                    self.show(judgement, &title, &[describe_write(newer), describe_read(read, *value)]);
                }
            } else if seen.newest_before(read.begin) > known {
                judgement.new_then_old += 1;
                let newer = self
                    .reads
                    .iter()
                    .filter(|(other, value)| other.end < read.begin && position(value) > Some(known));
                if judgement.new_then_old == 1
                    && let Some((newer, new)) = newer.min_by_key(|(other, _)| other.end)
                {
                    let both = [describe_read(newer, *new), describe_read(read, *value)];
                    self.show(judgement, "new, then old", &both);
                }
            }
        }
    }

    fn show(&self, judgement: &mut Judgement, title: &str, operations: &[String]) {
        judgement.shown.push(format!("{}: {title}\n{}", self.name, operations.concat()));
    }

    fn explain(&self, violation: Violation) -> String {
        let operations = self.operations();
        let (words, mut places) = words(violation);
        places.sort_by_key(|place| (operations[*place].begin, *place));
        places.dedup();
        let mut text = format!("{}: {words}\n", self.name);
        for place in places {
            text.push_str(&self.describe(place));
        }
        text
    }

    fn describe(&self, place: usize) -> String {
        let Some(place) = place.checked_sub(1) else { return "  the value before the run: 0\n".to_owned() };
        if let Some(write) = self.writes.get(place) {
            return describe_write(write);
        }
        let (read, value) = self.reads[place - self.writes.len()];
        describe_read(read, value)
    }
}

/// What a contradiction is called, and the operations that make it.
fn words(violation: Violation) -> (&'static str, Vec<usize>) {
    let four =
        |one: Zone, other: Zone| vec![one.first_end, one.last_begin, other.first_end, other.last_begin];
    match violation {
        Violation::Unwritten { read } => ("a value that nobody wrote", vec![read]),
        Violation::Early { read, write } => ("a read of what was written only later", vec![read, write]),
        Violation::Alternating(earlier, later) => {
            ("two values, each seen before and after the other", four(earlier, later))
        }
        Violation::Inside { moment, period } => {
            ("a value came and went while another was there before and after", four(period, moment))
        }
    }
}

fn describe_write(write: &Write) -> String {
    let mut text = format!("  {} … {} ms  ", milliseconds(write.begin), milliseconds(write.end));
    let at = write.life.map_or_else(|| "in the database".to_owned(), |life| format!("at instance {life}"));
    let outcome = match (write.acknowledged(), write.status) {
        (true, _) => "acknowledged".to_owned(),
        (false, 0) => "outcome unknown".to_owned(),
        (false, status) => format!("outcome unknown ({status})"),
    };
    // Writing to a string cannot fail.
    let _infallible = write!(text, "{} writes {} {at}, {outcome}", write.client, write.number);
    if let Some(position) = write.position {
        let _infallible = write!(text, ", position {position}");
    }
    text.push('\n');
    text
}

fn describe_read(read: &Read, value: u32) -> String {
    format!(
        "  {} … {} ms  {} reads {value} at instance {} by {:?}, position {}, {:?}\n",
        milliseconds(read.begin),
        milliseconds(read.end),
        read.client,
        read.life,
        read.way,
        read.position,
        read.cache
    )
}

/// Positions that were known at an operation's end.
struct Ends(Vec<(u64, i64)>);

impl Ends {
    fn new(ends: impl Iterator<Item = (u64, i64)>) -> Self {
        let mut ends: Vec<_> = ends.collect();
        ends.sort_unstable();
        let mut newest = i64::MIN;
        for (_, position) in &mut ends {
            newest = newest.max(*position);
            *position = newest;
        }
        Self(ends)
    }

    /// The newest position of an operation that had ended before this time.
    fn newest_before(&self, time: u64) -> i64 {
        let before = self.0.partition_point(|(end, _)| *end < time);
        before.checked_sub(1).map_or(i64::MIN, |last| self.0[last].1)
    }
}

/// The judge finds what it is there for, and lets pass what is right: known histories, judged before any real one.
pub(crate) fn check_itself() {
    let write = |number, begin, end, position| Write {
        client: Client::Writer(0),
        life: None,
        number,
        product: 0,
        title: true,
        price: false,
        begin,
        end,
        status: 200,
        position: Some(position),
    };
    let read = |title, begin, end| Read {
        client: Client::Reader(0),
        life: Life { instance: 0, incarnation: 1 },
        way: Way::Id,
        cache: Cache::Local,
        position: 0,
        begin,
        end,
        product: 0,
        title,
        price: 0,
    };
    let judged = |reads: Vec<Read>, writes: Vec<Write>| judge(&Log { reads, writes, ..Log::default() }, 1);
    let edits = || vec![write(1, 10, 20, 5), write(2, 30, 90, 6)];
    let right = judged(vec![read(0, 1, 2), read(1, 15, 16), read(2, 40, 50), read(2, 60, 95)], edits());
    assert!(right.is_clean() && right.judged == 4 && right.acknowledged == 2, "{right:?}");
    let stale = judged(vec![read(1, 15, 16), read(1, 97, 98), read(2, 99, 100)], edits());
    assert_eq!((stale.stale, stale.stalest, stale.violations), (1, 7, 1), "{stale:?}");
    let flipped = judged(vec![read(1, 15, 16), read(2, 40, 50), read(1, 60, 61)], edits());
    assert_eq!((flipped.stale, flipped.new_then_old, flipped.violations), (0, 1, 1), "{flipped:?}");
    let early = judged(vec![read(2, 21, 29)], edits());
    assert!(early.violations == 1, "{early:?}");
    let lost = judged(vec![read(1, 15, 16), read(1, 100, 101), read(1, 110, 111)], edits());
    assert!(lost.violations == 1 && lost.stale == 2, "{lost:?}");
    let unverified = Read { cache: Cache::Unverified, ..read(1, 100, 101) };
    let labelled = judged(vec![read(1, 15, 16), unverified], edits());
    assert!(labelled.is_clean() && labelled.unverified == 1, "{labelled:?}");
}
