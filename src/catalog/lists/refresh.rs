//! Brings the index up to date before a list is read, where that is needed.
//!
//! One read of the log at a time: who comes while another is under way waits beside the actors, not on a store actor's
//! thread, and is content with the next one, since that begins after it came.

use tokio::sync::MutexGuard;

use super::{Access, ListsError};
use crate::{
    catalog::{
        error::CatalogError,
        loads::with_connection,
        pool::{StoreMessage, StorePool},
    },
    coherence::Moment,
    limits::REQUEST_DEADLINE,
    store::pool::Pool,
};

/// What came of the last time that the index was brought up to date.
#[derive(Debug)]
pub(in crate::catalog) struct CaughtUp {
    era: u32,
    began: Moment,
    outcome: Result<(), CatalogError>,
}

impl Access {
    /// Brings the index as far as an answer of now must have read.
    pub(in crate::catalog) async fn refresh(&self, store: &StorePool) -> Result<(), CatalogError> {
        if self.is_fresh()? {
            return Ok(());
        }
        let asked = Moment::now();
        let mut last = self.turn().await?;
        if self.is_fresh()? {
            return Ok(());
        }
        // Whatever was committed before this read came, one that began later has seen; also whether it can be seen at all.
        if let Some(last) = last.as_ref().filter(|last| last.era == self.era.ordinal && last.began >= asked) {
            return last.outcome.clone();
        }
        let began = Moment::now();
        let outcome = store.ask(CatchUp(self.clone())).await;
        *last = Some(CaughtUp { era: self.era.ordinal, began, outcome: outcome.clone() });
        outcome
    }

    /// Waits until nobody else reads the log for the index.
    pub(in crate::catalog) async fn turn(&self) -> Result<MutexGuard<'_, Option<CaughtUp>>, CatalogError> {
        let turn = tokio::time::timeout(REQUEST_DEADLINE, self.lists.caught_up.lock()).await;
        turn.map_err(|_elapsed| CatalogError::DeadlineExceeded)
    }

    /// Whether the index stands where an answer of now must have read at least.
    fn is_fresh(&self) -> Result<bool, CatalogError> {
        let gate = self.coherence.gate();
        // The lease first: while it holds, everything acknowledged before is applied here, and the index need go no further.
        let is_leased = gate.is_leased(Moment::now());
        let applied = gate.applied();
        // Whoever reads everything takes long: nobody waits for that on a store actor's thread.
        let position = self.lists.position(self.era.ordinal).ok_or(ListsError::Unread)?;
        Ok(is_leased && position >= applied)
    }
}

/// Brings the index up to the database's head.
struct CatchUp(Access);

impl StoreMessage for CatchUp {
    type Reply = ();
    const NAME: &'static str = "catch_up";

    fn run(self, pool: &Pool) -> Result<(), CatalogError> {
        let Self(access) = self;
        with_connection(pool, |connection| match access.lists.catch_up(connection, access.era) {
            Err(ListsError::Store(error)) => Err(error),
            outcome => Ok(outcome),
        })?
        .map_err(CatalogError::from)
    }
}
