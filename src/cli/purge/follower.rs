//! Following the log of changes from outside: what instances follow, without being one of them.

use std::time::Instant;

use uuid::Uuid;

use super::changes::{Changes, News};
use crate::{
    domain::dependency::Dependency,
    limits::{LOG_PULL_MAX, PURGE_INTERVAL},
    store::{era::ExpectedEra, error::StoreError, listener::Listener},
    supervision::Backoff,
};

/// A follower of the log. It remembers its place over lost connections.
pub(super) struct Log {
    database_url: String,
    listener: Option<Listener>,
    place: Option<Place>,
    backoff: Backoff,
    /// Whether the log is to be read at the next look, whatever the doorbell says.
    is_owed: bool,
    /// When it is read without being rung for: whoever commits may have muted the doorbell.
    read_at: Instant,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("place", &self.place).finish_non_exhaustive()
    }
}

/// An event that was seen, by which it is told whether the log still leads on from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    era: Uuid,
    position: i64,
    /// Nonce of the event; absent where the log was empty.
    nonce: Option<Uuid>,
}

impl Log {
    /// Connects and takes its place at the end of the log. Blocks.
    pub(super) fn open(database_url: &str) -> Result<Self, StoreError> {
        let mut log = Self {
            database_url: database_url.to_owned(),
            listener: None,
            place: None,
            backoff: Backoff::default(),
            is_owed: true,
            read_at: Instant::now(),
        };
        log.connect()?;
        Ok(log)
    }

    /// One look at the doorbell, and the news if it rang or enough time has passed.
    pub(super) fn look(&mut self) -> Option<News> {
        if self.listener.is_none() && !self.backoff.is_over() {
            return None;
        }
        let looked = self.try_look();
        if let Err(error) = &looked {
            if self.listener.take().is_some() {
                log::warn!("the log cannot be read, caches are not purged meanwhile reason={error}");
            } else {
                log::debug!("the log cannot be read reason={error}");
            }
            self.backoff.failed();
        }
        looked.ok().flatten()
    }

    fn try_look(&mut self) -> Result<Option<News>, StoreError> {
        if self.listener.is_none() {
            self.connect()?;
        }
        let Some(listener) = self.listener.as_mut() else { return Ok(None) };
        let now = Instant::now();
        if listener.has_rung()? || now >= self.read_at {
            self.is_owed = true;
        }
        if !self.is_owed {
            return Ok(None);
        }
        let changes = read(listener, &mut self.place)?;
        self.is_owed = false;
        self.read_at = now + PURGE_INTERVAL;
        self.backoff.succeeded();
        Ok(Some(News { changes, as_of: now }))
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        self.listener = Some(Listener::connect(&self.database_url, &ExpectedEra::default())?);
        log::info!("connected to the log of changes");
        // What rang while nobody listened is unknown.
        self.is_owed = true;
        Ok(())
    }
}

/// Reads on from a place to the end of the log. Where the log does not lead on from there, everything may have changed: the
/// place is of another history, or what followed it was pruned.
fn read(listener: &mut Listener, place: &mut Option<Place>) -> Result<Changes, StoreError> {
    let (mut here, mut changes) = match *place {
        Some(place) => (place, Changes::default()),
        None => begin(listener)?,
    };
    loop {
        let row = listener.observe(here.position, LOG_PULL_MAX)?;
        let is_known = row.era == Some(here.era) && row.nonce == here.nonce && row.head >= here.position;
        // An empty log is no place to go on from: nothing tells it from one that was pruned.
        if !is_known || (here.nonce.is_none() && !row.events.is_empty()) {
            log::warn!(
                "the log does not lead on from what was purged: everything is position={}",
                here.position
            );
            let (end, everything) = begin(listener)?;
            here = end;
            changes.merge(everything);
            continue;
        }
        let is_complete = i64::try_from(row.events.len()).unwrap_or(i64::MAX) < LOG_PULL_MAX;
        for event in row.events {
            changes.add(event.deps.into_iter().map(Dependency), event.pos);
            here = Place { position: event.pos, nonce: Some(event.nonce), ..here };
        }
        if is_complete {
            // Where nothing came, the changes know no position yet.
            changes.add([], here.position);
            *place = Some(here);
            return Ok(changes);
        }
    }
}

/// The end of the log, and all that happened before.
fn begin(listener: &mut Listener) -> Result<(Place, Changes), StoreError> {
    let position = listener.observe(i64::MAX, 1)?.head;
    let row = listener.observe(position, 1)?;
    let era = row.era.ok_or_else(|| StoreError::Unavailable("the database is in no era".to_owned()))?;
    Ok((Place { era, position, nonce: row.nonce }, Changes::everything(position)))
}
