//! The pruner: keeps the log from growing without end.
//!
//! Every instance has one and any of them may do it; the database lets one at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    limits::{LOG_EVENTS_MAX, LOG_PRUNE_BATCH, LOG_PRUNE_INTERVAL, LOG_PRUNE_PAUSE, LOG_TAIL_MAX},
    store::{
        error::StoreError,
        pool,
        pruning::{Pruned, Retention, prune},
    },
    supervision::{Step, Stepper, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Prunes the log; see the module.
pub type LogPruner = Stepper<State>;

/// What the pruner works with. It holds no connection between two rounds.
#[derive(Debug)]
pub struct State {
    database_url: String,
    keep: Retention,
    metrics: Arc<Metrics>,
    due: Instant,
}

impl State {
    /// A pruner that keeps events for `retention`; begins with its first step.
    pub fn new(database_url: &str, retention: Duration, metrics: Arc<Metrics>) -> Self {
        let keep = Retention {
            age: retention,
            positions_max: LOG_EVENTS_MAX,
            positions_min: LOG_TAIL_MAX,
            batch: LOG_PRUNE_BATCH,
        };
        Self { database_url: database_url.to_owned(), keep, metrics, due: Instant::now() }
    }

    fn prune(&self) -> Result<Pruned, StoreError> {
        let pruned = prune(&mut pool::connect(&self.database_url)?, self.keep)?;
        self.metrics.log.pruned.inc_by(u64::try_from(pruned.events).unwrap_or(0));
        Ok(pruned)
    }
}

impl Step for State {
    const KIND: Kind = Kind::LogPruner;
    const INTERVAL: Duration = LOG_PRUNE_PAUSE;

    fn step(&mut self) {
        if Instant::now() < self.due {
            return;
        }
        let pause = match self.prune() {
            Ok(Pruned { has_more: true, .. }) => Duration::ZERO,
            Ok(Pruned { has_more: false, .. }) => LOG_PRUNE_INTERVAL,
            Err(error) => {
                log::warn!("the log was not pruned reason={error}");
                LOG_PRUNE_INTERVAL
            }
        };
        self.due = Instant::now() + pause;
    }

    fn fresh(&self) -> Self {
        Self::new(&self.database_url, self.keep.age, Arc::clone(&self.metrics))
    }
}
