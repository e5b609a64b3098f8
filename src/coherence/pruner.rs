//! The pruner: keeps the log and the audit log from growing without end.
//!
//! Every instance has one and any of them may do it; the database lets one at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    limits::{
        AUDIT_PRUNE_BATCH, LOG_EVENTS_MAX, LOG_PRUNE_BATCH, LOG_PRUNE_INTERVAL, LOG_PRUNE_PAUSE, LOG_TAIL_MAX,
    },
    store::{
        error::StoreError,
        pool,
        pruning::{Retention, prune, prune_audit_log},
    },
    supervision::{Step, Stepper, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Prunes both; see the module.
pub type LogPruner = Stepper<State>;

/// What the pruner works with. It holds no connection between two rounds.
#[derive(Debug)]
pub struct State {
    database_url: String,
    keep: Retention,
    /// Age of entries of the audit log that go, if any do.
    audit: Option<Duration>,
    metrics: Arc<Metrics>,
    due: Instant,
}

impl State {
    /// A pruner that keeps events for `retention` and entries of the audit log for `audit`, or for ever; begins with its
    /// first step.
    pub fn new(
        database_url: &str,
        retention: Duration,
        audit: Option<Duration>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let keep = Retention {
            age: retention,
            positions_max: LOG_EVENTS_MAX,
            positions_min: LOG_TAIL_MAX,
            batch: LOG_PRUNE_BATCH,
        };
        Self { database_url: database_url.to_owned(), keep, audit, metrics, due: Instant::now() }
    }

    /// Prunes a batch of each; whether there may be more to prune at once.
    fn prune(&self) -> Result<bool, StoreError> {
        let mut connection = pool::connect(&self.database_url)?;
        let log = prune(&mut connection, self.keep)?;
        self.metrics.log.pruned.inc_by(u64::try_from(log.rows).unwrap_or(0));
        let audit =
            self.audit.map(|age| prune_audit_log(&mut connection, age, AUDIT_PRUNE_BATCH)).transpose()?;
        Ok(log.has_more || audit.is_some_and(|pruned| pruned.has_more))
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
            Ok(true) => Duration::ZERO,
            Ok(false) => LOG_PRUNE_INTERVAL,
            Err(error) => {
                log::warn!("the logs were not pruned reason={error}");
                LOG_PRUNE_INTERVAL
            }
        };
        self.due = Instant::now() + pause;
    }

    fn fresh(&self) -> Self {
        Self::new(&self.database_url, self.keep.age, self.audit, Arc::clone(&self.metrics))
    }
}
