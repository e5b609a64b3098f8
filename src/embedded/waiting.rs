//! Waiting for a server that has no way to tell.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Time between two looks.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// Looks until the condition holds or the time is over; whether it held.
pub(super) fn wait_for(timeout: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + timeout;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::park_timeout(POLL);
    }
}
