//! Metrics of lists.

use prometheus::{IntCounter, IntGauge, Registry};

use super::{counters, gauge};

/// The index of lists, and what became of pages.
#[derive(Debug)]
pub struct ListMetrics {
    /// Products in the index.
    pub products: IntGauge,
    /// Position of the log it stands at.
    pub position: IntGauge,
    /// Pages made that were not cached.
    pub made: IntCounter,
    /// Cached pages that were looked at after an edit, and found to be untouched.
    pub kept: IntCounter,
    /// Cached pages that were made anew and had changed.
    pub remade: IntCounter,
    /// Cached pages that were made anew and had not.
    pub remade_in_vain: IntCounter,
}

impl ListMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let pages = counters(
            registry,
            "aisle_list_pages_total",
            "Pages of ids by what became of the one that was cached",
            &["result"],
        )?;
        let of = |result| pages.get_metric_with_label_values(&[result]);
        Ok(Self {
            products: gauge(registry, "aisle_list_products", "Products in the index of lists")?,
            position: gauge(registry, "aisle_list_position", "Log position of the index of lists")?,
            made: of("made")?,
            kept: of("kept")?,
            remade: of("remade")?,
            remade_in_vain: of("remade_in_vain")?,
        })
    }
}
