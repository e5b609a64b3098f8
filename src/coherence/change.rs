//! One change as the log tells it.

use uuid::Uuid;

use crate::{domain::dependency::Dependency, store::events::Event};

/// An event of the log: what it touched, and who came and went with it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Change {
    /// Its position.
    pub position: i64,
    /// Tells it from another event that had the same position in a history that was lost.
    pub nonce: Uuid,
    /// What it touched.
    pub dependencies: Vec<Dependency>,
    /// Members that joined.
    pub joined: Vec<Uuid>,
    /// Members that left or were ejected.
    pub departed: Vec<Uuid>,
    /// When it was committed, by the database's clock, in microseconds since 1970.
    pub committed_us: i64,
}

impl From<Event> for Change {
    fn from(event: Event) -> Self {
        Self {
            position: event.pos,
            nonce: event.nonce,
            dependencies: event.deps.into_iter().map(Dependency).collect(),
            joined: event.joined,
            departed: event.departed,
            committed_us: event.committed_us,
        }
    }
}
