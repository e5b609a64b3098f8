//! Pauses between measurements: of random length, so that they do not fall into step with the server's polls.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Random pauses; the same in every run.
#[derive(Debug)]
pub(crate) struct Pace(u64);

impl Pace {
    /// Pauses that another number does not give.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Waits up to `longest`.
    pub(crate) fn pause(&mut self, longest: Duration) {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let parts = u32::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 48).unwrap_or(0);
        rest(longest.saturating_mul(parts) / 65_536);
    }
}

/// Lets a time pass: the server's own clocks are what is waited for, there is no condition to look at.
pub(crate) fn rest(time: Duration) {
    let until = Instant::now() + time;
    while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        thread::park_timeout(left);
    }
}
