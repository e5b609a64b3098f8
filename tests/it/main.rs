//! Tests against real servers: one binary, one module per promise.
//!
//! Servers come from `DATABASE_URL` and `REDIS_URL`, or are started for this run and end with it. See [`support`].

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test that cannot go on says so by panicking; the lint settings spare only #[test] functions"
)]

mod admin_api;
mod aggregate;
mod architecture;
mod audit;
mod backup;
mod batch;
mod bounded;
mod browse;
mod catalogue;
mod check;
mod checker;
mod coherence;
mod collisions;
mod commands;
mod consistency;
mod creations;
mod degraded;
mod deploy;
mod documents;
mod editable;
mod embedded;
mod failover;
mod fleet;
mod flights;
mod freshness;
mod hostile;
mod identity;
mod import;
mod limits;
mod listeners;
mod lists;
mod log;
mod names;
mod openapi;
mod positions;
mod product_types;
mod pruning;
mod purge;
mod races;
mod real_catalogue;
mod redis_failover;
mod schema;
mod shared_cache;
mod slow;
mod snapshots;
mod store_api;
mod supervision;
mod support;
mod sweep;
mod synonyms;
mod tokens;
mod varnish;
