//! Products that are waited for at the same time are read by one statement.
//!
//! A statement costs more than the row it brings: a round trip, changes of thread, setting up its plan, the log's head. A
//! product that comes alone is read at once and alone. Where more have come before a store actor gets to it, the first one takes
//! all that wait, so the more there are, the less each costs. Each still is a message with a permit of its own: admission sees
//! no difference.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
pub struct Together(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    /// In the order of their tickets.
    waiting: VecDeque<Waiting>,
    tickets: u64,
}

#[derive(Debug)]
struct Waiting {
    ticket: u64,
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
        let read = timeout(REQUEST_DEADLINE, self.wait(store, statements, id));
        read.await.unwrap_or(Err(CatalogError::DeadlineExceeded))
    }

    async fn wait(&self, store: &StorePool, statements: &IntCounter, id: Uuid) -> Result<Read, CatalogError> {
        let (reply, receiver) = oneshot::channel();
        let ticket = self.queue().push(id, reply);
        let message = TakeAll { together: self.clone(), ticket, statements: statements.clone() };
        if let Err(error) = store.ask(message).await
            && self.queue().withdraw(ticket)
        {
            return Err(error);
        }
        // Its own message has taken it, or that of another has before.
        match receiver.await {
            Ok(read) => read,
            // It was taken together with others, and a panic ended that: whoever is to blame for it meets it again, alone.
            Err(_lost) => store.ask(Run(LoadProduct(id))).await,
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing in there can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, id: Uuid, reply: oneshot::Sender<Result<Read, CatalogError>>) -> u64 {
        self.tickets += 1;
        self.waiting.push_back(Waiting { ticket: self.tickets, id, reply });
        self.tickets
    }

    fn remove(&mut self, ticket: u64) -> Option<Waiting> {
        let place = self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()?;
        self.waiting.remove(place)
    }

    /// Whether it was still there.
    fn withdraw(&mut self, ticket: u64) -> bool {
        self.remove(ticket).is_some()
    }

    /// The product of this ticket, if it is still there, and others that wait, up to a bound: so whatever becomes of other
    /// messages, none stays behind. Those that nobody waits for any more are dropped.
    fn take(&mut self, ticket: u64) -> Vec<Waiting> {
        let mut taken: Vec<Waiting> = self.remove(ticket).into_iter().collect();
        self.waiting.retain(|waiting| !waiting.reply.is_closed());
        let others = self.waiting.len().min(TOGETHER_MAX - taken.len());
        taken.extend(self.waiting.drain(..others));
        taken
    }
}

/// Asks a store actor to read what waits, if it still does.
struct TakeAll {
    together: Together,
    ticket: u64,
    statements: IntCounter,
}

impl StoreMessage for TakeAll {
    type Reply = ();
    const NAME: &'static str = "load_product";

    fn run(self, pool: &Pool) -> Result<(), CatalogError> {
        let taken = self.together.queue().take(self.ticket);
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
    for Waiting { id, reply, .. } in taken.into_iter().filter(|waiting| !waiting.reply.is_closed()) {
        let _gone = reply.send(with_connection(pool, |connection| LoadProduct(id).run(connection)));
    }
}

/// Gives each its own of what was read; a failure to all.
fn share(taken: Vec<Waiting>, read: Result<Snapshot<Vec<(Uuid, ProductRow)>>, CatalogError>) {
    let read = read.map(|Snapshot { head, value }| (head, value.into_iter().collect::<HashMap<_, _>>()));
    for Waiting { id, reply, .. } in taken {
        let own = read.as_ref().map(|(head, rows)| Snapshot { head: *head, value: rows.get(&id).cloned() });
        let _gone = reply.send(own.map_err(Clone::clone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Receiver = oneshot::Receiver<Result<Read, CatalogError>>;

    fn waiting(queue: &mut Queue, count: usize) -> Vec<(u64, Receiver)> {
        let push = |_| {
            let (reply, receiver) = oneshot::channel();
            (queue.push(Uuid::nil(), reply), receiver)
        };
        (0..count).map(push).collect()
    }

    fn tickets(taken: &[Waiting]) -> Vec<u64> {
        taken.iter().map(|waiting| waiting.ticket).collect()
    }

    #[test]
    fn each_takes_its_own_and_others_up_to_a_bound() {
        let mut queue = Queue::default();
        let all = waiting(&mut queue, TOGETHER_MAX + 3);
        let (last, _) = all.last().unwrap();
        let taken = queue.take(*last);
        assert_eq!((taken.len(), tickets(&taken)[0]), (TOGETHER_MAX, *last));
        assert_eq!(queue.take(*last).len(), 3, "what is left, though its own is gone");
        assert_eq!(queue.take(*last).len(), 0);
    }

    #[test]
    fn whoever_gave_up_is_passed_over() {
        let mut queue = Queue::default();
        let mut all = waiting(&mut queue, 4);
        let (third, _) = all[2];
        assert!(queue.withdraw(third) && !queue.withdraw(third));
        all.truncate(1);
        assert_eq!(tickets(&queue.take(9)), [1]);
        assert!(queue.waiting.is_empty());
    }
}
