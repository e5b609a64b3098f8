//! The log follower: owns the LISTEN connection, reads the log when its doorbell rings, raises fences.
//!
//! It hears of edits by any client, psql too. Certainty is the lease keeper's, whose renewals carry the log; speed is the
//! messenger's. libpq offers no wait with a time limit that Diesel passes on, so the doorbell is looked at every few
//! milliseconds.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{Change, Coherence};
use crate::{
    limits::{DOORBELL_POLL, LOG_PULL_MAX},
    store::{error::StoreError, listener::Listener},
    supervision::{Backoff, Step, Stepper, intensity::Kind},
    telemetry::metrics::Metrics,
};

/// Follows the log; see the module.
pub type LogFollower = Stepper<State>;

/// What the follower knows between two steps.
pub struct State {
    database_url: String,
    coherence: Arc<Coherence>,
    metrics: Arc<Metrics>,
    listener: Option<Listener>,
    backoff: Backoff,
    /// Whether the log is to be read at the next step.
    rung: bool,
    /// What the table of members has been told: by whom, and up to where.
    acknowledged: Option<(Uuid, i64)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("connected", &self.listener.is_some()).finish_non_exhaustive()
    }
}

impl State {
    /// A follower that raises the fences of `coherence`; connects with its first step.
    pub fn new(database_url: &str, coherence: Arc<Coherence>, metrics: Arc<Metrics>) -> Self {
        let database_url = database_url.to_owned();
        let backoff = Backoff::default();
        Self { database_url, coherence, metrics, listener: None, backoff, rung: true, acknowledged: None }
    }

    fn try_step(&mut self) -> Result<(), StoreError> {
        if self.listener.is_none() {
            self.listener = Some(Listener::connect(&self.database_url, self.coherence.expected_era())?);
            log::info!("log follower connected");
            // What rang while nobody listened is unknown.
            self.rung = true;
        }
        let Some(listener) = self.listener.as_mut() else { return Ok(()) };
        if listener.era != self.coherence.era().id {
            // Made before the lease keeper joined the era: what it tells would count for nothing.
            return Err(StoreError::Unavailable("a connection of another era".to_owned()));
        }
        if listener.has_rung()? || self.coherence.takes_doorbell() {
            self.rung = true;
        }
        if self.rung {
            self.rung = false;
            let pulled = pull_all(listener, &self.coherence, &self.metrics, &mut self.acknowledged);
            // A failed pull is owed.
            self.rung = pulled.is_err();
            pulled?;
            // Not at the connect: a log that cannot be read must not be asked for without pause.
            self.backoff.succeeded();
        }
        Ok(())
    }
}

impl Step for State {
    const KIND: Kind = Kind::LogFollower;
    const INTERVAL: Duration = DOORBELL_POLL;

    /// One look at the doorbell, and a pull if it rang.
    fn step(&mut self) {
        if self.listener.is_none() && !self.backoff.is_over() {
            return;
        }
        if let Err(error) = self.try_step() {
            self.metrics.log.errors.inc();
            if self.listener.take().is_some() {
                log::warn!("log follower lost its connection reason={error}");
            } else {
                log::debug!("log follower cannot connect reason={error}");
            }
            self.backoff.failed();
        }
    }

    fn fresh(&self) -> Self {
        Self::new(&self.database_url, Arc::clone(&self.coherence), Arc::clone(&self.metrics))
    }
}

fn pull_all(
    listener: &mut Listener,
    coherence: &Coherence,
    metrics: &Metrics,
    acknowledged: &mut Option<(Uuid, i64)>,
) -> Result<(), StoreError> {
    loop {
        let from = coherence.gate().applied();
        let pulled = listener.pull(from, LOG_PULL_MAX)?;
        metrics.log.pulls.inc();
        metrics.log.position.set(pulled.head);
        let changes: Vec<Change> = pulled.events.into_iter().map(Change::from).collect();
        let is_complete = i64::try_from(changes.len()).unwrap_or(i64::MAX) < LOG_PULL_MAX;
        metrics.log.events.inc_by(u64::try_from(changes.len()).unwrap_or(0));
        coherence.pulled(listener.era, from, &changes);
        // Nothing moves when another era began meanwhile.
        if is_complete || coherence.gate().applied() == from {
            break;
        }
    }
    // Also when a renewal or a read has applied it: whoever waits may be one whom no message reaches.
    if let Some((era, own, applied)) = coherence.acknowledgement()
        && listener.era == Some(era)
        && *acknowledged != Some((own, applied))
    {
        listener.acknowledge(own, applied)?;
        *acknowledged = Some((own, applied));
    }
    Ok(())
}
