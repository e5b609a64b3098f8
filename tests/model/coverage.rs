//! Counts the paths that exploration took. Not part of any state.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A path worth taking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    WriteByAcks,
    WriteByTime,
    DirtyByAcks,
    DirtyByTime,
    StaleRefused,
    LocalHit,
    SharedHit,
    SharedRefused,
    Adopted,
    Overtaken,
    Dropped,
    Lapsed,
    Renewed,
    Partial,
    FoundEjected,
    Ejected,
    EjectFailed,
    Rejoined,
    Restarted,
    Left,
    AnswerLost,
    FailedOver,
    EraEntered,
    EditSeen,
}

const NAMES: [(Path, &str); 24] = [
    (Path::WriteByAcks, "writes by acks"),
    (Path::WriteByTime, "writes by time"),
    (Path::DirtyByAcks, "dirty waits by acks"),
    (Path::DirtyByTime, "dirty waits by time"),
    (Path::StaleRefused, "stale L1 refused"),
    (Path::LocalHit, "L1 hits"),
    (Path::SharedHit, "L2 hits"),
    (Path::SharedRefused, "L2 refused"),
    (Path::Adopted, "flights adopted"),
    (Path::Overtaken, "flights overtaken"),
    (Path::Dropped, "flights lost"),
    (Path::Lapsed, "reads refused without lease"),
    (Path::Renewed, "renewals"),
    (Path::Partial, "partial renewals"),
    (Path::FoundEjected, "found ejected"),
    (Path::Ejected, "ejections"),
    (Path::EjectFailed, "ejections refused"),
    (Path::Rejoined, "re-joins"),
    (Path::Restarted, "restarts"),
    (Path::Left, "leaves"),
    (Path::AnswerLost, "answers lost"),
    (Path::FailedOver, "failovers"),
    (Path::EraEntered, "eras entered"),
    (Path::EditSeen, "reads due to see a direct edit"),
];

static TAKEN: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];

fn counter(path: Path) -> &'static AtomicU64 {
    let index = NAMES.iter().position(|(named, _)| *named == path);
    &TAKEN[index.expect("every path has a name")]
}

/// Notes that a path was taken.
pub(crate) fn take(path: Path) {
    counter(path).fetch_add(1, Relaxed);
}

/// Begins anew.
pub(crate) fn reset() {
    for count in &TAKEN {
        count.store(0, Relaxed);
    }
}

/// What was taken, and how often.
pub(crate) fn summary() -> String {
    let taken = NAMES.iter().map(|(path, name)| (counter(*path).load(Relaxed), name));
    taken
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Those of `paths` that were never taken.
pub(crate) fn missed(paths: &[Path]) -> Vec<&'static str> {
    let missed = NAMES.iter().filter(|(path, _)| paths.contains(path) && counter(*path).load(Relaxed) == 0);
    missed.map(|(_, name)| *name).collect()
}
