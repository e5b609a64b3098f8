//! Which history of the database connections must belong to.

use std::sync::{Arc, RwLock};

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{Connection, error::StoreError, statement::Statement};

/// The era the process is in. A promoted replica begins another one, in which log positions mean something else, so a
/// connection that leads there is refused until the process has taken notice. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ExpectedEra(Arc<RwLock<Expectation>>);

#[derive(Debug, Clone, Copy, Default)]
enum Expectation {
    /// Nobody has asked yet: any will do.
    #[default]
    Any,
    Only(Uuid),
    /// The last one has ended and no other was entered.
    None,
}

impl ExpectedEra {
    /// From now on only connections of this era are used.
    pub fn set(&self, era: Uuid) {
        self.change(Expectation::Only(era));
    }

    /// From now on no connection is used, until another era is set.
    pub fn forbid(&self) {
        self.change(Expectation::None);
    }

    /// Whether a connection of `era` may be used.
    pub(super) fn admits(&self, era: Option<Uuid>) -> bool {
        match *self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Expectation::Any => true,
            Expectation::Only(expected) => era == Some(expected),
            Expectation::None => false,
        }
    }

    /// Whether nobody cares.
    pub(super) fn is_any(&self) -> bool {
        matches!(*self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner), Expectation::Any)
    }

    fn change(&self, to: Expectation) {
        *self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner) = to;
    }
}

/// The era a connection leads to; `None` when the server's history has no name yet. It cannot change under a session.
pub(super) fn current(connection: &mut Connection) -> Result<Option<Uuid>, StoreError> {
    Ok(Statement::<sql::Nullable<sql::Uuid>>::new("SELECT catalog.era()", []).get_result(connection)?)
}
