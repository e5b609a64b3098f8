//! Restart intensity: how many restarts in how much time are still a hiccup.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::telemetry::metrics::{ActorMetrics, Metrics};

/// Kinds of supervised actors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Answers store reads on an HTTP worker's thread.
    Catalog,
    /// Loads what the local cache misses.
    Fill,
    /// Reads for the store.
    Store,
    /// Reads and edits for the admin API.
    Admin,
    /// Makes pages of lists.
    List,
    /// Follows the log.
    LogFollower,
    /// Holds the lease.
    LeaseKeeper,
    /// Prunes the log and the audit log.
    LogPruner,
    /// Exchanges messages with the other instances.
    Messenger,
    /// Feeds the index of lists.
    ListFeeder,
    /// Exchanges the counts of rate limits.
    LimitExchanger,
}

impl Kind {
    /// Its counters.
    pub fn metrics(self, metrics: &Metrics) -> &ActorMetrics {
        match self {
            Self::Catalog => &metrics.actors.catalog,
            Self::Fill => &metrics.actors.fill,
            Self::Store => &metrics.actors.store,
            Self::Admin => &metrics.actors.admin,
            Self::List => &metrics.actors.list,
            Self::LogFollower => &metrics.actors.log_follower,
            Self::LeaseKeeper => &metrics.actors.lease_keeper,
            Self::LogPruner => &metrics.actors.log_pruner,
            Self::Messenger => &metrics.actors.messenger,
            Self::ListFeeder => &metrics.actors.list_feeder,
            Self::LimitExchanger => &metrics.actors.limit_exchanger,
        }
    }

    /// Name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Fill => "fill",
            Self::Store => "store",
            Self::Admin => "admin",
            Self::List => "list",
            Self::LogFollower => "log_follower",
            Self::LeaseKeeper => "lease_keeper",
            Self::LogPruner => "log_pruner",
            Self::Messenger => "messenger",
            Self::ListFeeder => "list_feeder",
            Self::LimitExchanger => "limit_exchanger",
        }
    }
}

/// Restarts of one kind within a sliding time.
#[derive(Debug)]
pub struct Intensity {
    most: usize,
    within: Duration,
    recent: VecDeque<Instant>,
}

impl Intensity {
    /// Tolerates `most` restarts within `within`.
    pub fn new(most: usize, within: Duration) -> Self {
        Self { most, within, recent: VecDeque::new() }
    }

    /// Notes a restart at `now`; true when that is one too many.
    pub fn record(&mut self, now: Instant) -> bool {
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|first| now.duration_since(*first) > self.within) {
            self.recent.pop_front();
        }
        self.recent.len() > self.most
    }
}

/// Counts restarts of all kinds. Cheap to clone; taken only when something broke.
#[derive(Debug, Clone)]
pub struct Restarts {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    most: usize,
    within: Duration,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_kind: HashMap<Kind, Intensity>,
    exceeded: Option<Kind>,
}

impl Restarts {
    /// Tolerates `most` restarts of each kind within `within`.
    pub fn new(most: usize, within: Duration, metrics: Arc<Metrics>) -> Self {
        Self { inner: Arc::new(Inner { most, within, metrics, state: Mutex::default() }) }
    }

    /// Notes that a panic in an actor of this kind was caught, after which it starts over with fresh state.
    pub fn record_panic(&self, kind: Kind, what: &str, during: &str) {
        kind.metrics(&self.inner.metrics).panics.inc();
        self.record(kind, &format!("panic during {during}: {what}"));
    }

    /// Notes that an actor of this kind was restarted, and why.
    pub fn record(&self, kind: Kind, why: &str) {
        log::error!("actor restarted kind={} reason={why}", kind.name());
        kind.metrics(&self.inner.metrics).restarts.inc();
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let intensity =
            state.by_kind.entry(kind).or_insert_with(|| Intensity::new(self.inner.most, self.inner.within));
        if intensity.record(Instant::now()) {
            state.exceeded.get_or_insert(kind);
        }
    }

    /// The first kind that broke too often, if any. It stays set: the process is to end.
    pub fn exceeded(&self) -> Option<Kind> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).exceeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolerates_a_trickle_and_not_a_storm() {
        let start = Instant::now();
        let mut trickle = Intensity::new(3, Duration::from_secs(10));
        for minute in 0..100 {
            assert!(!trickle.record(start + Duration::from_secs(60 * minute)));
        }
        let mut storm = Intensity::new(3, Duration::from_secs(10));
        assert!(!storm.record(start));
        assert!(!storm.record(start));
        assert!(!storm.record(start));
        assert!(storm.record(start + Duration::from_secs(1)));
    }
}
