//! Requests by route template.

use std::{array, sync::OnceLock};

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry};

use super::{LATENCY_BUCKETS, counter, counters, gauge, register};

/// Methods that have a label of their own; every other is `other`.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "other"];

/// Statuses that have a prepared handle; any other takes a look-up.
const STATUSES: [u16; 24] = [
    200, 304, 301, 201, 204, 404, 400, 401, 403, 405, 406, 409, 412, 413, 414, 415, 422, 428, 429, 500, 503,
    202, 408, 431,
];

/// Requests by route template.
#[derive(Debug)]
pub struct HttpMetrics {
    requests: IntCounterVec,
    durations: HistogramVec,
    /// Requests being answered.
    pub in_flight: IntGauge,
    /// Panics caught in request handlers.
    pub panics: IntCounter,
}

impl HttpMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let durations =
            HistogramOpts::new("http_request_duration_seconds", "Time to answer by route template")
                .buckets(LATENCY_BUCKETS.to_vec());
        Ok(Self {
            requests: counters(
                registry,
                "http_requests_total",
                "Requests answered by method, route template and status",
                &["method", "route", "status"],
            )?,
            durations: register(registry, HistogramVec::new(durations, &["route"])?)?,
            in_flight: gauge(registry, "http_requests_in_flight", "Requests being answered")?,
            panics: counter(registry, "aisle_http_panics_total", "Panics caught in request handlers")?,
        })
    }

    /// Handles of one route; made once per worker and route, at the start.
    pub fn route(&self, template: &'static str) -> Result<RouteMetrics, prometheus::Error> {
        Ok(RouteMetrics {
            template,
            counters: array::from_fn(|_| array::from_fn(|_| OnceLock::new())),
            requests: self.requests.clone(),
            duration: self.durations.get_metric_with_label_values(&[template])?,
            in_flight: self.in_flight.clone(),
            panics: self.panics.clone(),
        })
    }
}

/// Handles of one route's metrics: counting takes no look-up by label.
#[derive(Debug)]
pub struct RouteMetrics {
    template: &'static str,
    counters: [[OnceLock<IntCounter>; STATUSES.len()]; METHODS.len()],
    requests: IntCounterVec,
    duration: Histogram,
    in_flight: IntGauge,
    panics: IntCounter,
}

impl RouteMetrics {
    /// The route's template, as labelled.
    pub fn template(&self) -> &'static str {
        self.template
    }

    /// A request began.
    pub fn begin(&self) {
        self.in_flight.inc();
    }

    /// A request that began is over, answered or not.
    pub fn end(&self) {
        self.in_flight.dec();
    }

    /// A handler panicked and the panic was caught.
    pub fn caught_panic(&self) {
        self.panics.inc();
    }

    /// A request was answered after so many seconds.
    pub fn observe(&self, method: &str, status: u16, seconds: f64) {
        self.duration.observe(seconds);
        let row = METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1);
        let column = STATUSES.iter().position(|known| *known == status);
        let method = METHODS.get(row).copied().unwrap_or("other");
        let prepared = column.and_then(|column| self.counters.get(row)?.get(column));
        if let Some(counter) = prepared.and_then(OnceLock::get) {
            counter.inc();
            return;
        }
        let labels = [method, self.template, &status.to_string()];
        let Ok(counter) = self.requests.get_metric_with_label_values(&labels) else { return };
        match prepared {
            Some(handle) => handle.get_or_init(|| counter).inc(),
            None => counter.inc(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_known_and_unknown_statuses_and_methods() {
        let http = HttpMetrics::new(&Registry::new()).unwrap();
        let route = http.route("/x").unwrap();
        for (method, status) in [("GET", 200), ("GET", 200), ("BREW", 418), ("BREW", 418)] {
            route.observe(method, status, 0.1);
        }
        let value = |labels: &[&str]| http.requests.get_metric_with_label_values(labels).unwrap().get();
        assert_eq!(value(&["GET", "/x", "200"]), 2);
        assert_eq!(value(&["other", "/x", "418"]), 2);
    }
}
