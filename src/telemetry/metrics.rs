//! Every metric of the process, made once at the start, so that counting is one atomic addition.
//!
//! One [`Metrics`] is shared by everything. Labels are few and fixed: never an id, never a raw path.

mod actors;
mod coherence;
mod http;
mod limits;
mod lists;
mod pools;

use std::sync::Arc;

#[cfg(target_os = "linux")]
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    Registry, TextEncoder, core::Collector,
};

pub use self::{
    actors::{ActorMetrics, ActorsMetrics},
    coherence::CoherenceMetrics,
    http::{HttpMetrics, RouteMetrics},
    limits::{LimitMetrics, LimitsMetrics},
    lists::ListMetrics,
    pools::PoolMetrics,
};

/// `Content-Type` of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Upper bounds of latency buckets, in seconds: a local hit is in the first, the request deadline in the last.
const LATENCY_BUCKETS: [f64; 12] =
    [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 5.0];

/// Everything the process counts.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests by route.
    pub http: HttpMetrics,
    /// Results of cache look-ups by layer.
    pub cache: CacheMetrics,
    /// Loads of what the local cache missed.
    pub flights: FlightMetrics,
    /// Work of the store actors and their connections.
    pub store: PoolMetrics,
    /// Work of the admin actors and their connections.
    pub admin: PoolMetrics,
    /// Work of the list actors.
    pub list_actors: PoolMetrics,
    /// Restarts, panics and refusals by kind of actor.
    pub actors: ActorsMetrics,
    /// The change log as this process follows it.
    pub log: LogMetrics,
    /// Lease, members, waits for stability.
    pub coherence: Arc<CoherenceMetrics>,
    /// The index of lists.
    pub lists: ListMetrics,
    /// The shared cache's connection.
    pub redis: RedisMetrics,
    /// Rate limits.
    pub limits: LimitsMetrics,
}

/// Results of cache look-ups by layer.
#[derive(Debug)]
pub struct CacheMetrics {
    /// Answered by this process' cache.
    pub local_hits: IntCounter,
    /// Not in this process' cache.
    pub local_misses: IntCounter,
    /// In this process' cache, but older than its fence.
    pub local_fenced: IntCounter,
    /// Answered by Redis.
    pub shared_hits: IntCounter,
    /// Not in Redis.
    pub shared_misses: IntCounter,
    /// In Redis, but older than its fence or unreadable.
    pub shared_fenced: IntCounter,
    /// Redis failed or was slower than its time-out.
    pub shared_errors: IntCounter,
    /// Redis was not asked because its breaker was open.
    pub shared_skipped: IntCounter,
    /// Bytes held by this process' cache.
    pub local_bytes: IntGauge,
    /// Entries held by this process' cache.
    pub local_entries: IntGauge,
}

/// Loads of what the local cache missed: one flight per key.
#[derive(Debug)]
pub struct FlightMetrics {
    /// Under way.
    pub in_flight: IntGauge,
    /// Started.
    pub started: IntCounter,
    /// Requests that joined a flight already under way.
    pub joined: IntCounter,
    /// Refused because too many were under way or waiting.
    pub refused: IntCounter,
    /// Statements that read products: those that wait at the same time share one.
    pub statements: IntCounter,
}

/// The change log as this process follows it.
#[derive(Debug)]
pub struct LogMetrics {
    /// Last position seen in the log.
    pub position: IntGauge,
    /// Position up to which every fence is raised here.
    pub applied: IntGauge,
    /// Seconds since the log was last read to its end: what is older is known here.
    pub lag_seconds: Gauge,
    /// Events applied.
    pub events: IntCounter,
    /// Times the log was read.
    pub pulls: IntCounter,
    /// Failed readings of the log.
    pub errors: IntCounter,
    /// Events that this process pruned.
    pub pruned: IntCounter,
}

/// The shared cache's connection.
#[derive(Debug)]
pub struct RedisMetrics {
    /// Connections of fill actors that leave Redis alone after a failure.
    pub breaker_open: IntGauge,
    /// Times the breaker opened.
    pub breaker_opened: IntCounter,
    /// Messages published.
    pub published: IntCounter,
    /// Messages received.
    pub received: IntCounter,
}

impl Metrics {
    /// Makes and registers all of them.
    pub fn new() -> Result<Arc<Self>, prometheus::Error> {
        let registry = Registry::new();
        let build = gauges(&registry, "aisle_build_info", "Version of the program", &["version"])?;
        build.get_metric_with_label_values(&[env!("CARGO_PKG_VERSION")])?.set(1);
        // Memory, open files, CPU, threads, time of the start.
        #[cfg(target_os = "linux")]
        registry.register(Box::new(ProcessCollector::for_self()))?;
        Ok(Arc::new(Self {
            http: HttpMetrics::new(&registry)?,
            cache: CacheMetrics::new(&registry)?,
            flights: FlightMetrics::new(&registry)?,
            store: PoolMetrics::store(&registry)?,
            admin: PoolMetrics::admin(&registry)?,
            list_actors: PoolMetrics::lists(&registry)?,
            actors: ActorsMetrics::new(&registry)?,
            log: LogMetrics::new(&registry)?,
            coherence: Arc::new(CoherenceMetrics::new(&registry)?),
            lists: ListMetrics::new(&registry)?,
            redis: RedisMetrics::new(&registry)?,
            limits: LimitsMetrics::new(&registry)?,
            registry,
        }))
    }

    /// Appends the Prometheus text format, version 0.0.4.
    pub fn encode(&self, to: &mut Vec<u8>) -> Result<(), prometheus::Error> {
        TextEncoder::new().encode(&self.registry.gather(), to)
    }
}

impl CacheMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let requests = counters(
            registry,
            "aisle_cache_requests_total",
            "Cache look-ups by layer and result",
            &["layer", "result"],
        )?;
        let of = |layer, result| requests.get_metric_with_label_values(&[layer, result]);
        Ok(Self {
            local_hits: of("local", "hit")?,
            local_misses: of("local", "miss")?,
            local_fenced: of("local", "fenced")?,
            shared_hits: of("shared", "hit")?,
            shared_misses: of("shared", "miss")?,
            shared_fenced: of("shared", "fenced")?,
            shared_errors: of("shared", "error")?,
            shared_skipped: of("shared", "skipped")?,
            local_bytes: gauge(registry, "aisle_local_cache_bytes", "Bytes held by the local cache")?,
            local_entries: gauge(registry, "aisle_local_cache_entries", "Entries held by the local cache")?,
        })
    }
}

impl FlightMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            in_flight: gauge(registry, "aisle_flights", "Loads of missed keys under way")?,
            started: counter(registry, "aisle_flights_total", "Loads of missed keys started")?,
            joined: counter(
                registry,
                "aisle_flights_joined_total",
                "Requests that joined a load already under way",
            )?,
            refused: counter(
                registry,
                "aisle_flights_refused_total",
                "Misses refused because too many were under way or waiting",
            )?,
            statements: counter(
                registry,
                "aisle_flights_statements_total",
                "Statements that read products for such loads: those that wait share one",
            )?,
        })
    }
}

impl LogMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let lag = Gauge::with_opts(Opts::new(
            "aisle_log_lag_seconds",
            "Seconds since the log was last read to its end; every older change is known here",
        ))?;
        Ok(Self {
            position: gauge(registry, "aisle_log_position", "Last position seen in the change log")?,
            applied: gauge(
                registry,
                "aisle_log_applied_position",
                "Position up to which every fence is raised here",
            )?,
            lag_seconds: register(registry, lag)?,
            events: counter(registry, "aisle_log_events_total", "Events of the change log applied")?,
            pulls: counter(registry, "aisle_log_pulls_total", "Readings of the change log")?,
            errors: counter(registry, "aisle_log_errors_total", "Failed readings of the change log")?,
            pruned: counter(
                registry,
                "aisle_log_pruned_total",
                "Events of the change log deleted by this process",
            )?,
        })
    }
}

impl RedisMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        Ok(Self {
            breaker_open: gauge(
                registry,
                "aisle_redis_breaker_open",
                "Connections that leave Redis alone after a failure",
            )?,
            breaker_opened: counter(
                registry,
                "aisle_redis_breaker_opened_total",
                "Times the breaker of Redis opened",
            )?,
            published: counter(
                registry,
                "aisle_redis_messages_published_total",
                "Messages published to Redis",
            )?,
            received: counter(
                registry,
                "aisle_redis_messages_received_total",
                "Messages received from Redis",
            )?,
        })
    }
}

fn register<C: Collector + Clone + 'static>(registry: &Registry, metric: C) -> Result<C, prometheus::Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

fn counter(registry: &Registry, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
    register(registry, IntCounter::new(name, help)?)
}

fn counters(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    register(registry, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn gauge(registry: &Registry, name: &str, help: &str) -> Result<IntGauge, prometheus::Error> {
    register(registry, IntGauge::new(name, help)?)
}

fn gauges(
    registry: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, prometheus::Error> {
    register(registry, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn histogram(registry: &Registry, name: &str, help: &str) -> Result<Histogram, prometheus::Error> {
    let options = HistogramOpts::new(name, help).buckets(LATENCY_BUCKETS.to_vec());
    register(registry, Histogram::with_opts(options)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_was_counted() {
        let metrics = Metrics::new().unwrap();
        metrics.cache.local_hits.inc();
        metrics.actors.store.restarts.inc();
        metrics.http.route("/v1/store/products/{id}").unwrap().observe("GET", 200, 0.001);
        let mut text = Vec::new();
        metrics.encode(&mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        for line in [
            r#"aisle_cache_requests_total{layer="local",result="hit"} 1"#,
            r#"aisle_actor_restarts_total{actor="store"} 1"#,
            r#"http_requests_total{method="GET",route="/v1/store/products/{id}",status="200"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
    }
}
