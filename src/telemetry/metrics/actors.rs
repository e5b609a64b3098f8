//! Restarts, panics and refusals of actors.

use prometheus::{IntCounter, Registry};

use super::counters;

/// One kind of actor.
#[derive(Debug)]
pub struct ActorMetrics {
    /// Times one was started again.
    pub restarts: IntCounter,
    /// Panics caught in one.
    pub panics: IntCounter,
    /// Messages refused because its mailbox or queue was full.
    pub refusals: IntCounter,
}

/// Restarts, panics and refusals by kind of actor.
#[derive(Debug)]
pub struct ActorsMetrics {
    /// Answers store reads on each HTTP worker.
    pub catalog: ActorMetrics,
    /// Loads what the local cache misses.
    pub fill: ActorMetrics,
    /// Reads for the store.
    pub store: ActorMetrics,
    /// Reads and edits for the admin API.
    pub admin: ActorMetrics,
    /// Makes pages of lists.
    pub list: ActorMetrics,
    /// Follows the change log.
    pub log_follower: ActorMetrics,
    /// Holds the lease.
    pub lease_keeper: ActorMetrics,
    /// Prunes the log.
    pub log_pruner: ActorMetrics,
    /// Exchanges messages with the other instances.
    pub messenger: ActorMetrics,
    /// Feeds the index of lists.
    pub list_feeder: ActorMetrics,
    /// Exchanges the counts of rate limits.
    pub limit_exchanger: ActorMetrics,
}

impl ActorsMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let restarts =
            counters(registry, "aisle_actor_restarts_total", "Actors started again by kind", &["actor"])?;
        let panics =
            counters(registry, "aisle_actor_panics_total", "Panics caught in actors by kind", &["actor"])?;
        let refusals = counters(
            registry,
            "aisle_mailbox_refusals_total",
            "Messages refused because a mailbox or queue was full, by kind of actor",
            &["actor"],
        )?;
        let of = |actor| {
            Ok::<_, prometheus::Error>(ActorMetrics {
                restarts: restarts.get_metric_with_label_values(&[actor])?,
                panics: panics.get_metric_with_label_values(&[actor])?,
                refusals: refusals.get_metric_with_label_values(&[actor])?,
            })
        };
        Ok(Self {
            catalog: of("catalog")?,
            fill: of("fill")?,
            store: of("store")?,
            admin: of("admin")?,
            list: of("list")?,
            log_follower: of("log_follower")?,
            lease_keeper: of("lease_keeper")?,
            log_pruner: of("log_pruner")?,
            messenger: of("messenger")?,
            list_feeder: of("list_feeder")?,
            limit_exchanger: of("limit_exchanger")?,
        })
    }
}
