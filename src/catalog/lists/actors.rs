//! List actors: threads that compute pages and suggestions over the shared index, and hold no connection.
//!
//! A page with facets of a big category keeps a core busy for milliseconds; on a store actor's thread the misses of single
//! products would wait behind it. What a page needs of the database is done before, by a store actor (see
//! [`super::refresh`]); the index never goes back within an era, so it still stands at least there when the page is made.

use std::time::Duration;

use crate::{
    catalog::workers::{Equipment, WorkerPool},
    supervision::intensity::Kind,
    telemetry::metrics::{Metrics, PoolMetrics},
};

/// What list actors work with: nothing but what their messages bring.
#[derive(Debug, Clone, Copy)]
pub struct ListDesk;

/// The way to the list actors. Cheap to clone.
pub type ListPool = WorkerPool<ListDesk>;

impl Equipment for ListDesk {
    const KIND: Kind = Kind::List;
    // A page with facets takes tens of milliseconds.
    const WAIT: Duration = Duration::from_millis(150);

    fn metrics(metrics: &Metrics) -> &PoolMetrics {
        &metrics.list_actors
    }
}
