//! A trap on a relayed network: the n-th portion that clients send from now on goes wrong, alone.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// What happens to one portion. A statement or command is one portion, as a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ill {
    /// Its connection is closed before the server hears of it.
    Unheard,
    /// The server gets it, and its connection is closed before the client hears of that.
    Unanswered,
    /// It stays on its way until the network is healed.
    Held,
}

/// Counts portions, and springs at one of them.
#[derive(Debug, Default)]
pub(crate) struct Trap {
    set: Mutex<Set>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Set {
    /// Portions since it was set; none is counted before.
    passed: Option<usize>,
    at: usize,
    ill: Option<Ill>,
    has_sprung: bool,
}

impl Trap {
    fn lock(&self) -> MutexGuard<'_, Set> {
        self.set.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets it: portion `at`, counted from 1, meets with `ill`.
    pub(crate) fn set(&self, at: usize, ill: Ill) {
        *self.lock() = Set { passed: Some(0), at, ill: Some(ill), has_sprung: false };
    }

    /// Whether it has sprung since it was set.
    pub(crate) fn has_sprung(&self) -> bool {
        self.lock().has_sprung
    }

    /// Takes it away; what it held goes on.
    pub(crate) fn clear(&self) {
        let mut set = self.lock();
        (set.passed, set.ill) = (None, None);
        drop(set);
        self.changed.notify_all();
    }

    /// A portion passes; what happens to it. Waits for as long as it is held.
    pub(crate) fn pass(&self) -> Option<Ill> {
        let mut set = self.lock();
        set.passed = set.passed.map(|passed| passed + 1);
        if set.passed != Some(set.at) {
            return None;
        }
        let ill = set.ill;
        set.has_sprung = true;
        while ill == Some(Ill::Held) && set.ill == ill {
            set = self.changed.wait(set).unwrap_or_else(PoisonError::into_inner);
        }
        ill
    }
}
