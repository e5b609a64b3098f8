//! Which history of the database connections must belong to.

use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

/// The history the process is in. A promoted replica begins another one, in which log positions mean something else, and
/// files restored to an older copy lack what was applied already; so a connection that leads there is refused until the
/// process has taken notice. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct ExpectedEra(Arc<RwLock<Expectation>>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Expectation {
    /// Nobody has asked yet: any will do.
    #[default]
    Any,
    /// This one, with the last event that was applied of it.
    Only(Uuid, Option<Applied>),
    /// The last one has ended and no other was entered.
    None,
}

/// An applied event: position and nonce.
type Applied = (i64, Uuid);

impl ExpectedEra {
    /// From now on only connections of this era are used.
    pub fn set(&self, era: Uuid) {
        let mut expectation = self.write();
        if !matches!(*expectation, Expectation::Only(known, _) if known == era) {
            *expectation = Expectation::Only(era, None);
        }
    }

    /// Connections opened from now on must show this event.
    pub fn applied(&self, position: i64, nonce: Uuid) {
        if let Expectation::Only(_, applied) = &mut *self.write() {
            *applied = Some((position, nonce));
        }
    }

    /// From now on no connection is used, until another era is set.
    pub fn forbid(&self) {
        *self.write() = Expectation::None;
    }

    /// Whether a connection of `era` may be used.
    pub(super) fn admits(&self, era: Option<Uuid>) -> bool {
        match self.read() {
            Expectation::Any => true,
            Expectation::Only(expected, _) => era == Some(expected),
            Expectation::None => false,
        }
    }

    /// The era a fresh connection leads to, or an error when it leads to another history than is expected.
    pub(super) fn verify(&self, connection: &mut Connection) -> Result<Option<Uuid>, StoreError> {
        type Row = (sql::Nullable<sql::Uuid>, sql::Nullable<sql::Uuid>);
        let expectation = self.read();
        let applied = match expectation {
            Expectation::Any | Expectation::None => None,
            Expectation::Only(_, applied) => applied,
        };
        let position = applied.map_or(0, |(position, _)| position);
        let (era, nonce) = Statement::<Row>::new(
            "SELECT catalog.era(), (SELECT nonce FROM catalog_event WHERE pos = $1)",
            [Bind::Integer(position)],
        )
        .get_result::<(Option<Uuid>, Option<Uuid>)>(connection)?;
        let shows_applied = applied.is_none_or(|(_, applied)| nonce == Some(applied));
        if self.admits(era) && shows_applied {
            Ok(era)
        } else {
            Err(StoreError::Unavailable("the database has another history".to_owned()))
        }
    }

    /// Whether nobody cares.
    pub(super) fn is_any(&self) -> bool {
        self.read() == Expectation::Any
    }

    fn read(&self) -> Expectation {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Expectation> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
