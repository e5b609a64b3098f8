//! Reads the next batch of a file while one is written: the database works for most of that time, and this process would wait.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver, SyncSender},
    },
    thread::Scope,
};

use super::source::{Entry, Source, SourceError};

/// Most products of one transaction: more are hardly quicker and hold their locks longer.
const BATCH_PRODUCTS_MAX: usize = 1000;

/// Keys at which a batch is full. An event names at most 8,192; one that would name more is about everything, and every
/// instance's cache would be worth nothing after each batch.
const BATCH_KEYS: usize = 6000;

/// Bytes of the file at which a batch is full.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Entries that are written together.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) batch: Vec<Entry>,
    /// Whether they are the last.
    pub(super) ended: Result<bool, SourceError>,
    /// Where the file is read to.
    pub(super) position: u64,
}

/// The batches of a file, one of them read ahead. Dropping it ends the reading at the next entry.
#[derive(Debug)]
pub(super) struct Ahead {
    batches: Receiver<Read>,
    stopped: Arc<AtomicBool>,
}

impl Ahead {
    /// Begins to read.
    pub(super) fn start<'scope>(scope: &'scope Scope<'scope, '_>, source: &'scope mut dyn Source) -> Self {
        // Nothing waits in the channel: what is read ahead waits outside.
        let (sender, batches) = mpsc::sync_channel(0);
        let stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stopped);
        scope.spawn(move || read(source, &sender, &told));
        Self { batches, stopped }
    }

    /// The next batch; not to be called after the last.
    pub(super) fn next(&self) -> Read {
        let ended = || Err(SourceError::Io(io::Error::other("its reader ended")));
        self.batches.recv().unwrap_or_else(|_| Read { batch: Vec::new(), ended: ended(), position: 0 })
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}

fn read(source: &mut dyn Source, batches: &SyncSender<Read>, stopped: &AtomicBool) {
    loop {
        let (batch, ended) = next_batch(source, stopped);
        let more = matches!(ended, Ok(false));
        let sent = batches.send(Read { batch, ended, position: source.position() });
        if sent.is_err() || !more {
            return;
        }
    }
}

/// The next entries, and whether they are the last.
fn next_batch(source: &mut dyn Source, stopped: &AtomicBool) -> (Vec<Entry>, Result<bool, SourceError>) {
    let mut batch = Vec::new();
    let (mut size, mut keys) = (0, 0);
    while batch.len() < BATCH_PRODUCTS_MAX && size < BATCH_BYTES && keys < BATCH_KEYS {
        if stopped.load(Ordering::Relaxed) {
            break;
        }
        match source.next() {
            Ok(Some(entry)) => {
                size += entry.size;
                keys += entry.keys();
                batch.push(entry);
            }
            Ok(None) => return (batch, Ok(true)),
            Err(error) => return (batch, Err(error)),
        }
    }
    (batch, Ok(false))
}
