//! A second transaction beside the one of a batch: both are written at the same time, and committed only when both are.

use std::{
    sync::mpsc::{self, Receiver, Sender},
    thread::{Scope, ScopedJoinHandle},
};

use crate::store::{
    Connection, edit,
    error::StoreError,
    products::{Part, impatiently},
};

/// A transaction under way on another thread.
#[derive(Debug)]
pub(super) struct Beside<'scope> {
    written: Receiver<()>,
    commit: Sender<()>,
    thread: ScopedJoinHandle<'scope, Result<(), StoreError>>,
}

impl<'scope> Beside<'scope> {
    /// Begins to write the part.
    pub(super) fn start(
        scope: &'scope Scope<'scope, '_>,
        connection: &'scope mut Connection,
        part: Part,
    ) -> Self {
        let (tell, written) = mpsc::channel();
        let (commit, told) = mpsc::channel();
        let thread = scope.spawn(move || {
            let work = |connection: &mut Connection| {
                impatiently(connection, |connection| part.write(connection))?;
                // Where nobody listens, nobody says that it is to be committed.
                let other_is_written = tell.send(()).is_ok() && told.recv().is_ok();
                if other_is_written { Ok(()) } else { Err(StoreError::Collision) }
            };
            edit::transaction(connection, work).map(|((), _event)| ())
        });
        Self { written, commit, thread }
    }

    /// Waits until it is written; tells whether it is.
    pub(super) fn is_written(&self) -> bool {
        self.written.recv().is_ok()
    }

    /// Commits it, the other one being committed.
    pub(super) fn commit(self) -> Result<(), StoreError> {
        // Where it has ended before, its end tells why.
        let _told = self.commit.send(());
        joined(self.thread)
    }

    /// Undoes it; gives what made it fail, if anything but the other one did.
    pub(super) fn undo(self) -> Option<StoreError> {
        drop(self.commit);
        joined(self.thread).err().filter(|error| !matches!(error, StoreError::Collision))
    }
}

fn joined(thread: ScopedJoinHandle<'_, Result<(), StoreError>>) -> Result<(), StoreError> {
    thread.join().unwrap_or_else(|_panic| Err(StoreError::Internal("a writer panicked".to_owned())))
}
