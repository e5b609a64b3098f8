//! The pools of store and admin actors: threads that work on the database, with a pooled connection per message.
//!
//! Each class has threads, connections and a queue of its own: however many edits wait for their commit, a miss of the store
//! does not wait behind them, and a storefront in a rush keeps no editor out.

use std::time::Duration;

use super::{
    error::CatalogError,
    workers::{Equipment, Work, WorkerPool},
};
use crate::{
    limits::REQUEST_DEADLINE,
    store::pool::Pool,
    supervision::intensity::Kind,
    telemetry::metrics::{Metrics, PoolMetrics},
};

/// The way to the store actors. Cheap to clone.
pub type StorePool = WorkerPool<Pool>;

/// What admin actors work with: connections of their own.
#[derive(Debug, Clone)]
pub struct AdminDesk(pub Pool);

/// The way to the admin actors. Cheap to clone.
pub type AdminPool = WorkerPool<AdminDesk>;

/// A message to a store or admin actor. [`super::edits::Query`] and [`super::edits::Edit`] are the usual ones.
pub trait StoreMessage: Send + 'static {
    /// What is answered.
    type Reply: Send + 'static;
    /// Name for logs and metrics.
    const NAME: &'static str;
    /// Does it on the actor's thread; may block, within the statement time-out.
    fn run(self, pool: &Pool) -> Result<Self::Reply, CatalogError>;
}

impl Equipment for Pool {
    const KIND: Kind = Kind::Store;
    // A read takes a fraction of a millisecond, a few over a network.
    const WAIT: Duration = Duration::from_millis(15);

    fn metrics(metrics: &Metrics) -> &PoolMetrics {
        &metrics.store
    }
}

impl Equipment for AdminDesk {
    const KIND: Kind = Kind::Admin;
    // Edits wait for each other's commits: that is no overload, and whoever edits rather waits.
    const WAIT: Duration = REQUEST_DEADLINE;

    fn metrics(metrics: &Metrics) -> &PoolMetrics {
        &metrics.admin
    }
}

impl<M: StoreMessage> Work<AdminDesk> for M {
    type Reply = M::Reply;
    const NAME: &'static str = M::NAME;

    fn run(self, desk: &AdminDesk) -> Result<M::Reply, CatalogError> {
        StoreMessage::run(self, &desk.0)
    }
}

impl<M: StoreMessage> Work<Pool> for M {
    type Reply = M::Reply;
    const NAME: &'static str = M::NAME;

    fn run(self, pool: &Pool) -> Result<M::Reply, CatalogError> {
        StoreMessage::run(self, pool)
    }
}
