//! The limits that the settings ask for, with what each has counted.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{Change, Decision, Key, Windows};
use crate::{
    limits::{FAILED_AUTHORIZATIONS_MAX, RATE_LIMIT_KEYS_MAX},
    settings::ServeSettings,
    telemetry::metrics::{LimitMetrics, LimitsMetrics},
};

/// One limit.
#[derive(Debug)]
pub struct Limit {
    name: &'static str,
    windows: Windows,
    metrics: LimitMetrics,
}

/// What a limit decides about one request, with all that its client is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Name of the limit.
    pub name: &'static str,
    /// Requests it admits in a window.
    pub quota: u32,
    /// Seconds of a window.
    pub window: u64,
    /// Whether the request may go on.
    pub admitted: bool,
    /// How many more would be admitted in this window.
    pub remaining: u32,
    /// Seconds until the next window.
    pub resets_in: u64,
}

impl Limit {
    fn new(name: &'static str, quota: u32, window: u32, metrics: LimitMetrics) -> Self {
        Self { name, windows: Windows::new(quota, window, RATE_LIMIT_KEYS_MAX), metrics }
    }

    /// Name of the limit, for clients and keys.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Seconds of a window.
    pub fn window(&self) -> u64 {
        self.windows.length()
    }

    /// Decides about a request, and counts it if it is admitted.
    pub fn count(&self, key: Key) -> Verdict {
        self.verdict(self.windows.count(key, now()))
    }

    /// Decides about a request without counting it.
    pub fn look(&self, key: Key) -> Verdict {
        self.verdict(self.windows.look(key, now()))
    }

    fn verdict(&self, decision: Decision) -> Verdict {
        let Decision { admitted, counted, remaining, resets_in } = decision;
        if !counted {
            self.metrics.uncounted.inc();
        }
        if !admitted {
            self.metrics.refused.inc();
        }
        let (quota, window) = (self.windows.quota(), self.windows.length());
        Verdict { name: self.name, quota, window, admitted, remaining, resets_in }
    }

    /// Drops the counts of earlier windows.
    pub(super) fn turn(&self, now: Duration) {
        let keys = self.windows.turn(now);
        self.metrics.keys.set(i64::try_from(keys).unwrap_or(i64::MAX));
    }

    /// At most `most` counts that the others are to be told.
    pub(super) fn take_changes(&self, most: usize) -> Vec<Change> {
        self.windows.take_changes(most)
    }

    /// The others could not be told.
    pub(super) fn put_back(&self, change: &Change) {
        self.windows.put_back(change);
    }

    /// The others were told, and this is what all together have counted.
    pub(super) fn heard(&self, change: &Change, total: u64) {
        self.windows.heard(change, total);
    }
}

/// Limits of the admin API.
#[derive(Debug)]
pub struct TokenLimits {
    /// Requests of a token.
    pub requests: Limit,
    /// Tokens that do not work, by the address they come from.
    pub failures: Limit,
}

/// All limits there are.
#[derive(Debug)]
pub struct Limits {
    /// Requests of an address to the store API.
    pub address: Option<Limit>,
    /// Requests to the admin API.
    pub token: Option<TokenLimits>,
}

impl Limits {
    /// Those that the settings ask for; `None` if they ask for none.
    pub fn new(settings: &ServeSettings, metrics: &LimitsMetrics) -> Option<Arc<Self>> {
        let window = settings.rate_limit_window;
        let limit = |name, quota, metrics: &LimitMetrics| Limit::new(name, quota, window, metrics.clone());
        let (address, token) = (settings.rate_limit_address, settings.rate_limit_token);
        let limits = Self {
            address: (address > 0).then(|| limit("address", address, &metrics.address)),
            token: (token > 0).then(|| TokenLimits {
                requests: limit("token", token, &metrics.token),
                failures: limit("failure", FAILED_AUTHORIZATIONS_MAX, &metrics.failure),
            }),
        };
        (limits.address.is_some() || limits.token.is_some()).then(|| Arc::new(limits))
    }

    /// Each of them, those of the admin API first: there are few tokens, and a flood of addresses must not hold them up.
    pub(super) fn all(&self) -> impl Iterator<Item = &Limit> {
        let of_tokens = self.token.iter().flat_map(|limits| [&limits.requests, &limits.failures]);
        of_tokens.chain(&self.address)
    }
}

/// Time since the epoch by this machine's clock; instances whose clocks differ have windows that begin as much apart.
pub(super) fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
