//! When tokens were used last: noted now and then, beside the requests.
//!
//! Whether a token is still in use is asked before it is revoked; a minute more or less is nothing then. So a process notes
//! the uses of a token at most once a minute, and where that fails it is not tried again before the next.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use uuid::Uuid;

use super::{error::CatalogError, loads::with_connection, pool::StoreMessage};
use crate::{
    limits::{TOKEN_USE_INTERVAL, TOKEN_USES_MAX},
    store::{pool::Pool, tokens},
};

/// Which uses this process has noted lately.
#[derive(Debug, Default)]
pub struct TokenUses {
    noted: Mutex<HashMap<Uuid, Instant>>,
}

impl TokenUses {
    /// Whether a use at `now` is to be noted; it counts as noted then.
    pub(super) fn take_due(&self, token: Uuid, now: Instant) -> bool {
        let is_recent = |noted: &Instant| now.saturating_duration_since(*noted) < TOKEN_USE_INTERVAL;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&token).is_some_and(is_recent) {
            return false;
        }
        if noted.len() >= TOKEN_USES_MAX {
            noted.retain(|_, noted| is_recent(noted));
        }
        let has_room = noted.len() < TOKEN_USES_MAX;
        if has_room {
            noted.insert(token, now);
        }
        has_room
    }
}

/// A note on its way to an admin actor.
pub(super) struct NoteUse(pub(super) Uuid);

impl StoreMessage for NoteUse {
    type Reply = ();
    const NAME: &'static str = "note_token_use";

    fn run(self, pool: &Pool) -> Result<(), CatalogError> {
        with_connection(pool, |connection| tokens::note_use(connection, self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_use_is_noted_once_a_minute() {
        let uses = TokenUses::default();
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let start = Instant::now();
        let (second, nearly) = (Duration::from_secs(1), Duration::from_secs(59));
        assert!(uses.take_due(one, start));
        assert!(!uses.take_due(one, start));
        assert!(uses.take_due(other, start + second));
        assert!(!uses.take_due(one, start + nearly));
        assert!(uses.take_due(one, start + TOKEN_USE_INTERVAL));
        assert!(!uses.take_due(one, start + TOKEN_USE_INTERVAL + second));
    }

    #[test]
    fn only_so_many_tokens_are_remembered() {
        let uses = TokenUses::default();
        let start = Instant::now();
        let count = u128::try_from(TOKEN_USES_MAX).unwrap();
        let due = |tokens: std::ops::Range<u128>, at| {
            tokens.filter(|token| uses.take_due(Uuid::from_u128(*token), at)).count()
        };
        assert_eq!(due(0..count + 10, start), TOKEN_USES_MAX);
        assert_eq!(uses.noted.lock().unwrap().len(), TOKEN_USES_MAX);
        assert_eq!(due(count..count + 10, start + TOKEN_USE_INTERVAL), 10);
        assert_eq!(uses.noted.lock().unwrap().len(), 10);
    }
}
