//! Metrics of the coherence protocol.

use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter, IntGauge, Opts, Registry};

use super::{counter, gauge, histogram, register};

/// Upper bounds of propagation and wait buckets, in seconds: messages take the first ones, a dead member's lease the last.
const PROPAGATION_BUCKETS: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.5, 1.0, 2.5, 6.0];

/// Lease, members, waits for stability.
#[derive(Debug)]
pub struct CoherenceMetrics {
    /// Last position known to be stable.
    pub stable: IntGauge,
    /// Members known.
    pub members: IntGauge,
    /// Time left of the lease.
    pub lease_seconds: Gauge,
    /// Time from a commit until its fences were raised here, by the database's clock.
    pub propagation: Histogram,
    /// Time an edit waited after its commit until it was stable.
    pub ack_wait: Histogram,
    /// Time a database read waited until what it saw was stable.
    pub dirty_wait: Histogram,
    /// Time of a renewal, until the lease was extended.
    pub renewals: Histogram,
    /// Renewals that did not reach the database.
    pub renewal_errors: IntCounter,
    /// Members that this instance ejected.
    pub ejections: IntCounter,
    /// Times this instance found itself ejected.
    pub ejected: IntCounter,
    /// Answers given without a lease, labelled as unverified.
    pub unverified: IntCounter,
    /// Answers as old as their clients allowed, labelled as unverified.
    pub bounded: IntCounter,
    /// Requests refused for want of a lease.
    pub unvouched: IntCounter,
    /// Jumps of a clock between two renewals.
    pub clock_anomalies: IntCounter,
}

impl CoherenceMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let propagated = |name: &str, help: &str| {
            let options = HistogramOpts::new(name, help).buckets(PROPAGATION_BUCKETS.to_vec());
            register(registry, Histogram::with_opts(options)?)
        };
        let lease = Gauge::with_opts(Opts::new(
            "aisle_lease_remaining_seconds",
            "Time left of the lease; 0 without one",
        ))?;
        Ok(Self {
            stable: gauge(
                registry,
                "aisle_log_stable_position",
                "Last position known to be applied by every member",
            )?,
            members: gauge(registry, "aisle_members", "Members known to this instance")?,
            lease_seconds: register(registry, lease)?,
            propagation: propagated(
                "aisle_propagation_seconds",
                "Time from a commit until its fences were raised here, by the database's clock",
            )?,
            ack_wait: propagated(
                "aisle_ack_wait_seconds",
                "Time an edit waited until every member had applied it",
            )?,
            dirty_wait: propagated(
                "aisle_dirty_wait_seconds",
                "Time a database read waited until what it saw was applied by every member",
            )?,
            renewals: histogram(registry, "aisle_lease_renewal_seconds", "Time of a renewal of the lease")?,
            renewal_errors: counter(registry, "aisle_lease_renewal_errors_total", "Renewals that failed")?,
            ejections: counter(registry, "aisle_ejections_total", "Members ejected by this instance")?,
            ejected: counter(registry, "aisle_ejected_total", "Times this instance was ejected")?,
            unverified: counter(registry, "aisle_unverified_answers_total", "Answers given without a lease")?,
            bounded: counter(
                registry,
                "aisle_bounded_answers_total",
                "Searches answered with a page that may be old",
            )?,
            unvouched: counter(
                registry,
                "aisle_unvouched_refusals_total",
                "Requests refused for want of a lease",
            )?,
            clock_anomalies: counter(
                registry,
                "aisle_clock_anomalies_total",
                "Jumps of a clock between two renewals",
            )?,
        })
    }
}
