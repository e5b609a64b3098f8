//! Loading the index from its snapshot, and saving it.

use std::{sync::PoisonError, time::Instant};

use super::{
    At, Lists, ListsError, State,
    recent::Recent,
    snapshot::{Mark, SnapshotError},
};
use crate::{
    coherence::Era,
    limits::{SNAPSHOT_APART, SNAPSHOT_CHANGES},
    store::{Connection, reads},
};

/// What is known of the snapshot.
#[derive(Debug, Default)]
pub(super) struct Saved {
    /// It was looked at, or is out of date for a reason that stays.
    was_tried: bool,
    /// What it stands at, as far as this process knows.
    mark: Option<Mark>,
    /// When this process wrote it last, or tried to.
    at: Option<Instant>,
}

impl Lists {
    /// Begins with the snapshot instead of reading everything, if there is one of this era: loads it and applies what changed
    /// since. Tried once: what is wrong with it now is wrong later.
    pub(super) fn load(&self, connection: &mut Connection, era: Era) -> bool {
        let Some(file) = &self.file else { return false };
        let Some(id) = era.id else { return false };
        {
            let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
            if std::mem::replace(&mut saved.was_tried, true) {
                return false;
            }
        }
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let (mark, index) = match file.read(id) {
            Ok(read) => read,
            Err(SnapshotError::Absent) => return false,
            Err(reason) => {
                log::warn!("lists are read anew, not from their snapshot: {reason}");
                return false;
            }
        };
        let at = At { era: era.ordinal, position: mark.position, nonce: mark.nonce };
        // Nobody sees it before it is known to continue the log. Synonyms are not in it, so all names are read.
        let unseen = Self::new(self.language.clone(), None);
        *unseen.write() = State { index, at: Some(at), recent: Recent::since(mark.position) };
        let outcome = reads::in_snapshot(connection, |connection| Ok(unseen.bring(connection, era, true)));
        match outcome.map_err(ListsError::from).and_then(|brought| brought) {
            Ok(()) => {
                *self.write() = unseen.state.into_inner().unwrap_or_else(PoisonError::into_inner);
                self.saved.lock().unwrap_or_else(PoisonError::into_inner).mark = Some(mark);
                true
            }
            Err(ListsError::Unread) => {
                log::warn!("lists are read anew: the log does not lead from their snapshot to now");
                false
            }
            Err(ListsError::Store(reason)) => {
                log::warn!("lists are read anew: what changed since their snapshot cannot be read: {reason}");
                false
            }
        }
    }

    /// Whether so much changed since the snapshot that another is due.
    pub(super) fn is_save_due(&self, era: Era) -> bool {
        let Some(mark) = self.mark(era).filter(|_| self.file.is_some()) else { return false };
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let is_rested = saved.at.is_none_or(|at| at.elapsed() >= SNAPSHOT_APART);
        let changes = match saved.mark.filter(|saved| saved.era == mark.era) {
            Some(saved) => mark.position.saturating_sub(saved.position),
            None => i64::MAX,
        };
        is_rested && changes >= SNAPSHOT_CHANGES
    }

    /// Writes a snapshot of the index as it is, unless there is one. Nothing can change meanwhile, until all is written but not
    /// yet on the disk.
    pub(crate) fn save(&self, era: Era) {
        let Some(file) = &self.file else { return };
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let began = Instant::now();
        let held = self.read();
        let Some(mark) = mark_of(&held, era).filter(|mark| saved.mark != Some(*mark)) else { return };
        saved.at = Some(began);
        match file.write(mark, held, |state| &state.index) {
            Ok(bytes) => {
                saved.mark = Some(mark);
                let seconds = began.elapsed().as_secs_f64();
                log::info!("lists saved position={} mb={} seconds={seconds:.1}", mark.position, bytes >> 20);
            }
            Err(SnapshotError::Busy) => log::debug!("another process saves lists"),
            Err(reason) => {
                log::warn!("lists cannot be saved in {}: {reason}", file.path().display());
            }
        }
    }

    fn mark(&self, era: Era) -> Option<Mark> {
        mark_of(&self.read(), era)
    }
}

/// Where an index stands that can be saved: a place without an event says nothing of the log before it.
fn mark_of(state: &State, era: Era) -> Option<Mark> {
    let at = state.at.filter(|at| at.era == era.ordinal && at.nonce.is_some())?;
    Some(Mark { era: era.id?, position: at.position, nonce: at.nonce })
}
