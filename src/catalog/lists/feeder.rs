//! The feeder: loads the index of lists from its snapshot when the process starts, or reads it, as it does when another era
//! begins; keeps it near the log's head; and saves it from time to time.
//!
//! Reads bring the index up to date by themselves; the feeder sees to it that they find little to do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Lists, ListsError};
use crate::{
    coherence::{Coherence, Era},
    limits::FEED_INTERVAL,
    store::{Connection, error::StoreError, pool},
    supervision::{Backoff, Step, Stepper, intensity::Kind},
};

/// Feeds the index of lists; see the module.
pub type ListFeeder = Stepper<State>;

/// What the feeder works with.
pub struct State {
    database_url: String,
    lists: Arc<Lists>,
    coherence: Arc<Coherence>,
    connection: Option<Connection>,
    backoff: Backoff,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("connected", &self.connection.is_some()).finish_non_exhaustive()
    }
}

impl State {
    /// A feeder of `lists`; connects when it needs to.
    pub fn new(database_url: &str, lists: Arc<Lists>, coherence: Arc<Coherence>) -> Self {
        let database_url = database_url.to_owned();
        Self { database_url, lists, coherence, connection: None, backoff: Backoff::default() }
    }

    fn try_step(&mut self) -> Result<(), StoreError> {
        let era = self.coherence.era();
        let applied = self.coherence.gate().applied();
        let position = self.lists.position(era.ordinal);
        if era.id.is_none() || position.is_some_and(|position| position >= applied) {
            if self.lists.is_save_due(era) {
                self.lists.save(era);
            }
            return Ok(());
        }
        if position.is_none() {
            self.connection = None;
            return self.read(era);
        }
        // Patient: between two statements a busy machine may index products for longer than an edit may stand still.
        let connection = match &mut self.connection {
            Some(connection) => connection,
            absent => absent.insert(pool::connect_patiently(&self.database_url)?),
        };
        match self.lists.catch_up(connection, era) {
            // Read anew at the next step.
            Ok(()) | Err(ListsError::Unread) => Ok(()),
            Err(ListsError::Store(error)) => Err(error),
        }
    }

    /// Loads the index, or reads everything, on a connection of its own: plans for whole tables do not serve what changes.
    fn read(&self, era: Era) -> Result<(), StoreError> {
        let mut connection = pool::connect_for_bulk(&self.database_url)?;
        let began = Instant::now();
        let is_loaded = self.lists.load(&mut connection, era);
        if !is_loaded {
            self.lists.read_all(&mut connection, era)?;
        }
        let (done, seconds) = (if is_loaded { "loaded" } else { "read" }, began.elapsed().as_secs_f64());
        log::info!("lists {done} products={} seconds={seconds:.1}", self.lists.len());
        Ok(())
    }
}

impl Step for State {
    const KIND: Kind = Kind::ListFeeder;
    const INTERVAL: Duration = FEED_INTERVAL;

    fn step(&mut self) {
        if !self.backoff.is_over() {
            return;
        }
        match self.try_step() {
            Ok(()) => self.backoff.succeeded(),
            Err(error) => {
                // It may lead to another era than the one that was joined.
                self.connection = None;
                log::debug!("lists cannot be read reason={error}");
                let _pause = self.backoff.failed();
            }
        }
    }

    fn fresh(&self) -> Self {
        Self::new(&self.database_url, Arc::clone(&self.lists), Arc::clone(&self.coherence))
    }
}
