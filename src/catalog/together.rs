//! Products that are waited for at the same time are read by one statement.
//!
//! A statement costs more than the row it brings: a round trip, changes of thread, setting up its plan, the log's head. A
//! product that comes alone is read at once and alone. Where more have come before a store actor gets to it, the first one takes
//! all that wait, so the more there are, the less each costs. Each still is a message with a permit of its own: admission sees
//! no difference.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use prometheus::IntCounter;
use tokio::{sync::oneshot, time::timeout};
use uuid::Uuid;

use super::{
    edits::Query,
    error::CatalogError,
    loads::{LoadProduct, LoadProducts, Run, with_connection},
    pool::{StoreMessage, StorePool},
};
use crate::{
    limits::{REQUEST_DEADLINE, TOGETHER_MAX},
    store::{
        pool::Pool,
        reads::{ProductRow, Snapshot},
    },
};

/// A product as it was read, if the store shows it.
type Read = Snapshot<Option<ProductRow>>;

/// The products that flights of this process wait for and no store actor has taken yet. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Together(Arc<Mutex<VecDeque<Waiting>>>);

#[derive(Debug)]
struct Waiting {
    id: Uuid,
    reply: oneshot::Sender<Result<Read, CatalogError>>,
}

impl Together {
    /// Reads a product, together with others that wait.
    pub(super) async fn load(
        &self,
        store: &StorePool,
        statements: &IntCounter,
        id: Uuid,
    ) -> Result<Read, CatalogError> {
        let (reply, receiver) = oneshot::channel();
        self.queue().push_back(Waiting { id, reply });
        // There are at least as many messages as products that wait, so none stays behind: the message of one that was taken
        // early takes another in its place.
        store.ask(TakeAll { together: self.clone(), statements: statements.clone() }).await?;
        match timeout(REQUEST_DEADLINE, receiver).await {
            Ok(Ok(read)) => read,
            // It was taken together with others, and a panic ended that: whoever is to blame for it meets it again, alone.
            Ok(Err(_lost)) => store.ask(Run(LoadProduct(id))).await,
            Err(_elapsed) => Err(CatalogError::DeadlineExceeded),
        }
    }

    /// What waits, up to a bound; those that nobody waits for any more are dropped.
    fn take(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        queue.retain(|waiting| !waiting.reply.is_closed());
        let some = queue.len().min(TOGETHER_MAX);
        queue.drain(..some).collect()
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        // Nothing in there can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asks a store actor to read what waits, if it still does.
struct TakeAll {
    together: Together,
    statements: IntCounter,
}

impl StoreMessage for TakeAll {
    type Reply = ();
    const NAME: &'static str = "load_product";

    fn run(self, pool: &Pool) -> Result<(), CatalogError> {
        let taken = self.together.take();
        if !taken.is_empty() {
            self.statements.inc();
        }
        if taken.len() < 2 {
            alone(pool, taken);
            return Ok(());
        }
        let query = LoadProducts(taken.iter().map(|waiting| waiting.id).collect());
        match with_connection(pool, |connection| query.run(connection)) {
            // One that cannot be read must not hurt the others.
            Err(CatalogError::Internal(_)) => alone(pool, taken),
            read => share(taken, read),
        }
        Ok(())
    }
}

fn alone(pool: &Pool, taken: Vec<Waiting>) {
    for Waiting { id, reply } in taken {
        let _gone = reply.send(with_connection(pool, |connection| LoadProduct(id).run(connection)));
    }
}

/// Gives each its own of what was read; a failure to all.
fn share(taken: Vec<Waiting>, read: Result<Snapshot<Vec<(Uuid, ProductRow)>>, CatalogError>) {
    let read = read.map(|Snapshot { head, value }| (head, value.into_iter().collect::<HashMap<_, _>>()));
    for Waiting { id, reply } in taken {
        let own = read.as_ref().map(|(head, rows)| Snapshot { head: *head, value: rows.get(&id).cloned() });
        let _gone = reply.send(own.map_err(Clone::clone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(together: &Together, count: usize) -> Vec<oneshot::Receiver<Result<Read, CatalogError>>> {
        let push = |_| {
            let (reply, receiver) = oneshot::channel();
            together.queue().push_back(Waiting { id: Uuid::nil(), reply });
            receiver
        };
        (0..count).map(push).collect()
    }

    #[test]
    fn all_that_wait_are_taken_up_to_a_bound() {
        let together = Together::default();
        let _some = waiting(&together, TOGETHER_MAX + 3);
        assert_eq!(
            [together.take().len(), together.take().len(), together.take().len()],
            [TOGETHER_MAX, 3, 0]
        );
    }

    #[test]
    fn whoever_gave_up_is_passed_over() {
        let together = Together::default();
        let mut some = waiting(&together, 3);
        some.truncate(1);
        assert_eq!(together.take().len(), 1);
        assert_eq!(together.take().len(), 0);
    }
}
