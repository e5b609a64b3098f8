//! Work of pools of threads.

use prometheus::{Histogram, IntCounter, IntGauge, Registry};

use super::{counter, gauge, gauges, histogram};

/// Work of one pool.
#[derive(Debug)]
pub struct PoolMetrics {
    /// Threads, or what each of them holds, that there may be.
    pub most: IntGauge,
    /// How many of them are at work.
    pub busy: IntGauge,
    /// Messages that may still be admitted.
    pub permits_available: IntGauge,
    /// Messages refused for want of a permit.
    pub refused: IntCounter,
    /// Messages given up because their deadline had passed before work began.
    pub expired: IntCounter,
    /// Time of one message at work, without waiting.
    pub duration: Histogram,
    /// Threads alive.
    pub threads: IntGauge,
}

impl PoolMetrics {
    /// Of the store actors: what they hold are connections.
    pub(super) fn store(registry: &Registry) -> Result<Self, prometheus::Error> {
        let states = ("aisle_store_connections", "Postgres connections of the store actors by state");
        Self::new(registry, "store", "Store", states, "in_use")
    }

    /// Of the admin actors.
    pub(super) fn admin(registry: &Registry) -> Result<Self, prometheus::Error> {
        let states = ("aisle_admin_connections", "Postgres connections of the admin actors by state");
        Self::new(registry, "admin", "Admin", states, "in_use")
    }

    /// Of the list actors.
    pub(super) fn lists(registry: &Registry) -> Result<Self, prometheus::Error> {
        Self::new(registry, "list", "List", ("aisle_list_actors", "List actors by state"), "busy")
    }

    fn new(
        registry: &Registry,
        pool: &str,
        name: &str,
        (states, help): (&str, &str),
        busy: &str,
    ) -> Result<Self, prometheus::Error> {
        let states = gauges(registry, states, help, &["state"])?;
        let metric = |what: &str| format!("aisle_{pool}_{what}");
        let help = |what: &str| format!("{name} {what}");
        Ok(Self {
            most: states.get_metric_with_label_values(&["max"])?,
            busy: states.get_metric_with_label_values(&[busy])?,
            permits_available: gauge(
                registry,
                &metric("permits_available"),
                &help("messages that may still be admitted"),
            )?,
            refused: counter(
                registry,
                &metric("refused_total"),
                &help("messages refused for want of a permit"),
            )?,
            expired: counter(
                registry,
                &metric("expired_total"),
                &help("messages dropped because their deadline had passed"),
            )?,
            duration: histogram(
                registry,
                &metric("message_duration_seconds"),
                &format!("Time of one {pool} message at work, without waiting"),
            )?,
            threads: gauge(registry, &metric("threads"), &help("actor threads alive"))?,
        })
    }
}
