//! What is to be purged a second time.
//!
//! A cache may get an answer that was read before a change after it was told of the change: the answer was on its way, or an
//! instance may go on with what it has until its lease ends. The cache refuses what it can tell by its position; a second
//! purge, once no such answer can be under way any more, leaves nothing to chance.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::changes::Changes;

/// Changes to be purged again, in the order in which they are due. Those of a moment are kept together, so that there are
/// never many.
#[derive(Debug)]
pub(super) struct Again {
    after: Duration,
    apart: Duration,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    changes: Changes,
}

impl Again {
    /// Purges again after this time, together what was purged within `apart`.
    pub(super) fn new(after: Duration, apart: Duration) -> Self {
        Self { after, apart, waiting: VecDeque::new() }
    }

    /// Notes what was purged at `now`.
    pub(super) fn note(&mut self, changes: Changes, now: Instant) {
        match self.waiting.back_mut() {
            Some(last) if now.duration_since(last.since) < self.apart => last.changes.merge(changes),
            Some(_) | None => self.waiting.push_back(Waiting { since: now, changes }),
        }
    }

    /// When the next is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.waiting.front().map(|waiting| waiting.since + self.apart + self.after)
    }

    /// Takes what is due, if anything is.
    pub(super) fn take(&mut self, now: Instant) -> Option<Changes> {
        if self.due()? > now {
            return None;
        }
        self.waiting.pop_front().map(|waiting| waiting.changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dependency::Dependency;

    fn touched(number: i64) -> Changes {
        let mut changes = Changes::default();
        changes.add([Dependency(number)], number);
        changes
    }

    #[test]
    fn what_was_purged_comes_again_and_never_too_early() {
        let (after, apart) = (Duration::from_secs(16), Duration::from_secs(1));
        let (start, mut again) = (Instant::now(), Again::new(after, apart));
        let at = |milliseconds: u64| start + Duration::from_millis(milliseconds);
        for (number, when) in [(1, 0), (2, 900), (3, 1000), (4, 5000)] {
            again.note(touched(number), at(when));
        }
        assert_eq!(again.due(), Some(at(17_000)));
        assert_eq!(again.take(at(16_999)), None);
        let mut first = touched(1);
        first.merge(touched(2));
        assert_eq!(again.take(at(17_000)), Some(first), "the later one was purged 16.1 s ago");
        assert_eq!(again.take(at(17_000)), None);
        assert_eq!(again.take(at(18_000)), Some(touched(3)));
        assert_eq!((again.take(at(60_000)), again.take(at(60_000))), (Some(touched(4)), None));
    }
}
