//! The pool of store actors: threads that work on the database, with a pooled connection per message.

use super::{
    error::CatalogError,
    workers::{Equipment, Work, WorkerPool},
};
use crate::{
    store::pool::Pool,
    supervision::intensity::Kind,
    telemetry::metrics::{Metrics, PoolMetrics},
};

/// The way to the store actors. Cheap to clone.
pub type StorePool = WorkerPool<Pool>;

/// A message to a store actor. [`super::edits::Query`] and [`super::edits::Edit`] are the usual ones.
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

    fn metrics(metrics: &Metrics) -> &PoolMetrics {
        &metrics.store
    }
}

impl<M: StoreMessage> Work<Pool> for M {
    type Reply = M::Reply;
    const NAME: &'static str = M::NAME;

    fn run(self, pool: &Pool) -> Result<M::Reply, CatalogError> {
        StoreMessage::run(self, pool)
    }
}
