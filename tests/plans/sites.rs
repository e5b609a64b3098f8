//! Places in the source that send something to the database, and which of them did.
//!
//! What there is, the source says; what was sent, every connection says, with the stack that sent it.

use std::{
    backtrace::Backtrace,
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
    sync::{LazyLock, Mutex, PoisonError},
};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

/// Stacks looked at per statement: the same text may be sent from several places.
const STACKS: u32 = 2;

/// Calls that send.
const SENDS: [&str; 8] = [
    ".execute(",
    ".load(",
    ".load::<",
    ".get_result(",
    ".get_result::<",
    ".get_results(",
    ".first(connection",
    ".batch_execute(",
];

/// Places that are not explained, with the reason.
const EXEMPT: [(&str, &str); 4] = [
    ("src/store/pool.rs", "settings of a session, and migrations: neither reads the catalogue"),
    ("src/store/statement.rs", "passes on"),
    ("src/store/listener.rs", "LISTEN has no plan"),
    ("src/store/schema.rs", "generated"),
];

#[derive(Default)]
struct Seen {
    counts: HashMap<String, u32>,
    /// Looked at in the end: to find their lines takes long.
    stacks: Vec<Backtrace>,
}

static SEEN: LazyLock<Mutex<Seen>> = LazyLock::new(Mutex::default);

struct Watcher;

impl Instrumentation for Watcher {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        let InstrumentationEvent::StartQuery { query, .. } = event else { return };
        let text = query.to_string();
        let text = text.split(" -- binds").next().unwrap_or_default().to_owned();
        let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
        let count = seen.counts.entry(text).or_default();
        *count += 1;
        if *count <= STACKS {
            seen.stacks.push(Backtrace::force_capture());
        }
    }
}

/// Lines of the store in a stack.
fn lines(stack: &str) -> Vec<(String, usize)> {
    let place = |line: &str| {
        let place = &line[line.find("src/store/")?..];
        let mut parts = place.split(':');
        Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?))
    };
    stack.lines().filter(|line| line.trim_start().starts_with("at ")).filter_map(place).collect()
}

/// Lets every connection made from now on say what it sends.
pub(crate) fn watch() {
    set_default_instrumentation(|| Some(Box::new(Watcher))).expect("first to ask");
}

/// Places that sent nothing.
pub(crate) fn silent() -> Vec<String> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let sent: BTreeSet<_> = seen.stacks.iter().flat_map(|stack| lines(&stack.to_string())).collect();
    let places = places(Path::new(env!("CARGO_MANIFEST_DIR")), Path::new("src/store"));
    assert!(places.len() > 80, "the places were found");
    let is_silent = |place: &&Place| {
        !sent.iter().any(|(file, line)| *file == place.file && (place.from..=place.to).contains(line))
    };
    places.iter().filter(is_silent).map(|place| format!("{}:{}", place.file, place.to)).collect()
}

/// An expression that sends: its first line and the one with the call.
struct Place {
    file: String,
    from: usize,
    to: usize,
}

fn places(root: &Path, folder: &Path) -> Vec<Place> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            found.extend(places(root, &path));
            continue;
        }
        let file = path.to_str().expect("a name").to_owned();
        if EXEMPT.iter().any(|(exempt, _)| *exempt == file) {
            continue;
        }
        let text = fs::read_to_string(entry.path()).expect("a source file");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        found.extend(expressions(code).into_iter().map(|(from, to)| Place { file: file.clone(), from, to }));
    }
    found
}

/// First and last lines of the expressions that send, counted from 1.
fn expressions(code: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    let mut from = 1;
    for (index, line) in lines.iter().enumerate() {
        let (number, line) = (index + 1, line.trim());
        if !line.starts_with("//") && SENDS.iter().any(|send| line.contains(send)) {
            found.push((from, number));
        }
        if line.ends_with([';', '{', '}']) || line.starts_with("//") {
            from = number + 1;
        }
    }
    found
}
