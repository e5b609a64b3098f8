//! The cache inside the process: bounded in bytes, ready to send.

use std::sync::Arc;

use quick_cache::{Weighter, sync::Cache};

use super::entry::Entry;
use crate::catalog::messages::Key;

/// Entries by key. Shared by all catalogue actors (which read) and fill actors (which write).
///
/// A look-up takes a shard's lock for its own length and never across an await. Eviction has no role in correctness.
#[derive(Debug)]
pub struct LocalCache {
    entries: Cache<Key, Arc<Entry>, ByWeight>,
}

/// Guess of an average entry, to size the table.
const ENTRY_BYTES_GUESS: u64 = 4096;

/// What the table itself costs per entry, measured: slots, hashes and the allocation's header.
const ENTRY_OVERHEAD_BYTES: usize = 128;

impl LocalCache {
    /// A cache of at most `bytes`.
    pub fn new(bytes: u64) -> Self {
        let expected = usize::try_from(bytes / ENTRY_BYTES_GUESS).unwrap_or(usize::MAX).max(16);
        Self { entries: Cache::with_weighter(expected, bytes, ByWeight) }
    }

    /// The entry of `key`, whether current or not.
    pub fn get(&self, key: &Key) -> Option<Arc<Entry>> {
        self.entries.get(key)
    }

    /// Stores an entry in place of any older one.
    pub fn insert(&self, key: Key, entry: Arc<Entry>) {
        self.entries.insert(key, entry);
    }

    /// Bytes held, by the weigher's reckoning.
    pub fn weight(&self) -> u64 {
        self.entries.weight()
    }

    /// Entries held.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[derive(Debug, Clone)]
struct ByWeight;

impl Weighter<Key, Arc<Entry>> for ByWeight {
    fn weight(&self, key: &Key, entry: &Arc<Entry>) -> u64 {
        let key_heap = match key {
            Key::Product(..) | Key::Tree | Key::Brands | Key::Attributes => 0,
            Key::Slug(text) | Key::Sku(text) | Key::Category(text) | Key::Suggestions(text, _) => text.len(),
            Key::Ids(query) | Key::Page(query, _) => query.weight(),
        };
        let bytes = key_heap + entry.weight();
        // An allocator hands out blocks of some sizes only: an eighth of a block is lost, on average.
        let bytes = bytes + bytes / 8 + size_of::<Key>() + ENTRY_OVERHEAD_BYTES;
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cache::{Encoded, Value},
        coherence::Stamp,
    };

    #[test]
    fn stays_under_its_bound() {
        let cache = LocalCache::new(1 << 20);
        for number in 0..10_000 {
            let body = vec![b'x'; 2_000];
            let value = Value::Body(Encoded::new(1, &body));
            let entry = Entry::new(Stamp { era: 0, position: 1 }, [], value);
            cache.insert(Key::Slug(format!("slug-{number}").into()), Arc::new(entry));
        }
        assert!(cache.weight() <= 1 << 20, "{}", cache.weight());
        assert!(cache.len() > 300, "{}", cache.len());
    }
}
