//! Waiting until something holds, never for a time to pass.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Long enough for a loaded machine, short enough to see a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Time between two looks.
const POLL: Duration = Duration::from_millis(5);

/// Returns as soon as the condition holds; fails the test when it does not within the time.
pub(crate) fn wait_until(within: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    wait_for(within, what, || condition().then_some(()));
}

/// Returns what is looked for as soon as it is there; fails the test when it is not within the time.
pub(crate) fn wait_for<T>(within: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {within:?}: {what}");
        thread::park_timeout(POLL);
    }
}
