//! The connection that hears the log's doorbell.

use diesel::{RunQueryDsl, sql_query};

use uuid::Uuid;

use super::{
    Connection,
    era::ExpectedEra,
    error::StoreError,
    events::{self, Pulled},
    members::{self, RenewalRow},
    pool::connect,
};

/// A connection of its own that listens, and pulls the log in between.
pub struct Listener {
    connection: Connection,
    /// The era it led to when it was opened.
    pub era: Option<Uuid>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl Listener {
    /// Connects and listens, unless the address leads to another history than is expected. Blocks.
    pub fn connect(url: &str, expected: &ExpectedEra) -> Result<Self, StoreError> {
        let mut connection = connect(url)?;
        sql_query("LISTEN catalog").execute(&mut connection)?;
        let era = expected.verify(&mut connection)?;
        Ok(Self { connection, era })
    }

    /// Whether the doorbell rang since the last call. Does not block.
    pub fn has_rung(&mut self) -> Result<bool, StoreError> {
        let mut rung = false;
        for notification in self.connection.notifications_iter() {
            notification?;
            rung = true;
        }
        Ok(rung)
    }

    /// Events after a position, oldest first. Blocks for one round trip.
    pub fn pull(&mut self, after: i64, limit: i64) -> Result<Pulled, StoreError> {
        events::pull(&mut self.connection, after, limit)
    }

    /// Events after a position as a renewal shows them, with the era and what the position holds, for one who is no member.
    /// Blocks for one round trip.
    pub fn observe(&mut self, after: i64, limit: i64) -> Result<RenewalRow, StoreError> {
        members::renew(&mut self.connection, Uuid::nil(), after, limit)
    }

    /// Tells those whom no message reaches that `member` has applied the log up to `applied`. Blocks for one commit.
    pub fn acknowledge(&mut self, member: Uuid, applied: i64) -> Result<(), StoreError> {
        members::acknowledge(&mut self.connection, member, applied)
    }
}
