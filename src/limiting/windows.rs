//! What one instance counts and knows of the current window. Reads no clock: whoever asks says what time it is.
//!
//! Windows have a fixed length and begin at multiples of it, so all instances have the same without a word.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::Key;

/// Parts with a lock each: HTTP workers rarely meet at one.
const SHARDS: usize = 64;

/// What is decided about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Whether it may go on.
    pub admitted: bool,
    /// Whether it was counted, or would have been; false where there was no room for its key.
    pub counted: bool,
    /// How many more would be admitted until the window's end.
    pub remaining: u32,
    /// Seconds until the window's end, at least 1.
    pub resets_in: u64,
}

/// A count that the other instances have not been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub key: Key,
    /// Number of the window.
    pub window: u64,
    /// All that was counted here in the window, told or not.
    pub own: u32,
}

/// Counts of the current window, in bounded memory.
#[derive(Debug)]
pub struct Windows {
    quota: u32,
    /// Length in seconds.
    length: u64,
    keys_per_shard: usize,
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    /// The shard whose changes are taken first next time.
    next: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shard {
    window: u64,
    counts: HashMap<Key, Count>,
    /// Keys whose counts the others have not been told, each once.
    changed: VecDeque<Key>,
}

#[derive(Debug, Default)]
struct Count {
    own: u32,
    /// What all other instances were last heard to have counted.
    others: u64,
    is_queued: bool,
}

impl Windows {
    /// Windows of `length` seconds that admit `quota` requests of a key, for at most `keys_max` keys.
    pub fn new(quota: u32, length: u32, keys_max: usize) -> Self {
        Self {
            quota,
            length: u64::from(length.max(1)),
            keys_per_shard: keys_max.div_ceil(SHARDS),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            next: AtomicUsize::new(0),
        }
    }

    /// Requests of a key that are admitted in a window.
    pub fn quota(&self) -> u32 {
        self.quota
    }

    /// Length of a window in seconds.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Decides about a request at `now`, since the epoch, and counts it if it is admitted: who goes on asking after a refusal
    /// is no worse off for it, and costs the other instances nothing.
    pub fn count(&self, key: Key, now: Duration) -> Decision {
        let Some(mut shard) = self.shard(&key, now) else { return self.uncounted(now) };
        let is_full = shard.counts.len() >= self.keys_per_shard;
        let shard = &mut *shard;
        let count = match shard.counts.entry(key) {
            Entry::Vacant(_) if is_full => return self.uncounted(now),
            Entry::Vacant(place) => place.insert(Count::default()),
            Entry::Occupied(found) => found.into_mut(),
        };
        let before = count.remaining(self.quota);
        if before == 0 {
            return self.decided(shard.window, now, false, 0);
        }
        count.own += 1;
        if !count.is_queued {
            count.is_queued = true;
            shard.changed.push_back(key);
        }
        self.decided(shard.window, now, true, before - 1)
    }

    /// What would be decided about a request at `now`; counts nothing.
    pub fn look(&self, key: Key, now: Duration) -> Decision {
        let Some(shard) = self.shard(&key, now) else { return self.uncounted(now) };
        let remaining = shard.counts.get(&key).map_or(self.quota, |count| count.remaining(self.quota));
        self.decided(shard.window, now, remaining > 0, remaining)
    }

    /// Drops whatever belongs to an earlier window than that of `now`; tells how many keys are left.
    pub fn turn(&self, now: Duration) -> usize {
        let turned = self.shards.iter().map(|shard| self.turned(shard, now).counts.len());
        turned.sum()
    }

    /// Takes at most `most` counts that the others are to be told.
    pub fn take_changes(&self, most: usize) -> Vec<Change> {
        let first = self.next.load(Ordering::Relaxed);
        let mut taken = Vec::new();
        for index in (0..SHARDS).map(|offset| (first + offset) % SHARDS) {
            let Some(shard) = self.shards.get(index) else { continue };
            let mut shard = lock(shard);
            let shard = &mut *shard;
            while taken.len() < most
                && let Some(key) = shard.changed.pop_front()
            {
                let Some(count) = shard.counts.get_mut(&key) else { continue };
                count.is_queued = false;
                taken.push(Change { key, window: shard.window, own: count.own });
            }
            if taken.len() >= most {
                // The rest of them comes first next time, then those that had no turn.
                self.next.store(index, Ordering::Relaxed);
                break;
            }
        }
        taken
    }

    /// Puts back what the others could not be told, to be taken again.
    pub fn put_back(&self, change: &Change) {
        self.with(change, |key, count, changed| {
            if !count.is_queued {
                count.is_queued = true;
                changed.push_back(key);
            }
        });
    }

    /// Notes what all instances together, this one's `change` included, were heard to have counted.
    pub fn heard(&self, change: &Change, total: u64) {
        self.with(change, |_key, count, _changed| count.others = total.saturating_sub(change.own.into()));
    }

    /// Does something with a count, unless its window is over.
    fn with(&self, change: &Change, act: impl FnOnce(Key, &mut Count, &mut VecDeque<Key>)) {
        let Some(shard) = self.shard_of(&change.key) else { return };
        let mut shard = lock(shard);
        let shard = &mut *shard;
        if shard.window == change.window
            && let Some(count) = shard.counts.get_mut(&change.key)
        {
            act(change.key, count, &mut shard.changed);
        }
    }

    fn shard(&self, key: &Key, now: Duration) -> Option<MutexGuard<'_, Shard>> {
        self.shard_of(key).map(|shard| self.turned(shard, now))
    }

    /// By a hash that nobody outside can foresee, so that no shard can be filled on purpose.
    fn shard_of(&self, key: &Key) -> Option<&Mutex<Shard>> {
        let count = u64::try_from(self.shards.len()).ok()?;
        let index = usize::try_from(self.hasher.hash_one(key) % count).ok()?;
        self.shards.get(index)
    }

    /// The shard, in the window of `now`.
    fn turned<'a>(&self, shard: &'a Mutex<Shard>, now: Duration) -> MutexGuard<'a, Shard> {
        let window = now.as_secs() / self.length;
        let mut shard = lock(shard);
        // Somebody may have read the clock just before another thread turned the window: that one counts as the later one.
        let is_just_before = window + 1 == shard.window;
        if window != shard.window && !is_just_before {
            *shard = Shard { window, ..Shard::default() };
        }
        shard
    }

    fn uncounted(&self, now: Duration) -> Decision {
        let decision = self.decided(now.as_secs() / self.length, now, true, self.quota);
        Decision { counted: false, ..decision }
    }

    fn decided(&self, window: u64, now: Duration, admitted: bool, remaining: u32) -> Decision {
        let end = (window + 1) * self.length;
        Decision { admitted, counted: true, remaining, resets_in: end.saturating_sub(now.as_secs()).max(1) }
    }
}

impl Count {
    fn remaining(&self, quota: u32) -> u32 {
        let left = u64::from(quota).saturating_sub(self.others).saturating_sub(self.own.into());
        u32::try_from(left).unwrap_or(quota)
    }
}

/// Counts are whole after every step, so a panic elsewhere leaves nothing broken.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
