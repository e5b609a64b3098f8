//! Metrics of rate limits.

use prometheus::{IntCounter, IntGauge, Registry};

use super::{counter, counters, gauges};

/// One limit.
#[derive(Debug, Clone)]
pub struct LimitMetrics {
    /// Requests refused.
    pub refused: IntCounter,
    /// Requests admitted without being counted, because there were too many to tell apart.
    pub uncounted: IntCounter,
    /// Clients or tokens counted in the current window.
    pub keys: IntGauge,
}

/// Rate limits.
#[derive(Debug)]
pub struct LimitsMetrics {
    /// Of an address to the store API.
    pub address: LimitMetrics,
    /// Of a token to the admin API.
    pub token: LimitMetrics,
    /// Of failed authorizations of an address.
    pub failure: LimitMetrics,
    /// Times the counts could not be exchanged.
    pub exchange_errors: IntCounter,
}

impl LimitsMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let refused = counters(
            registry,
            "aisle_rate_limit_refused_total",
            "Requests refused by a rate limit",
            &["limit"],
        )?;
        let uncounted = counters(
            registry,
            "aisle_rate_limit_uncounted_total",
            "Requests admitted uncounted because too many clients were counted already",
            &["limit"],
        )?;
        let keys = gauges(
            registry,
            "aisle_rate_limit_keys",
            "Clients or tokens counted in the current window",
            &["limit"],
        )?;
        let of = |limit| {
            Ok::<_, prometheus::Error>(LimitMetrics {
                refused: refused.get_metric_with_label_values(&[limit])?,
                uncounted: uncounted.get_metric_with_label_values(&[limit])?,
                keys: keys.get_metric_with_label_values(&[limit])?,
            })
        };
        Ok(Self {
            address: of("address")?,
            token: of("token")?,
            failure: of("failure")?,
            exchange_errors: counter(
                registry,
                "aisle_rate_limit_exchange_errors_total",
                "Times the counts of rate limits could not be exchanged with the other instances",
            )?,
        })
    }
}
