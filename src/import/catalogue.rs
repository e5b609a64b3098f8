//! What an import needs of the database: the seam between reading files and writing products.

use serde_json::Value;
use uuid::Uuid;

pub use crate::store::products::Upserted;
use crate::{
    domain::draft::ProductDraft,
    store::{Connection, edit, error::StoreError, products},
};

/// A catalogue that products can be written to in transactions.
pub trait Catalogue {
    /// Runs `work` inside one transaction: commits when `work` succeeds and `keep` is set, else undoes everything.
    ///
    /// # Errors
    /// Those of `work`, and of the transaction itself.
    fn transaction(
        &mut self,
        keep: bool,
        work: &mut dyn FnMut(&mut dyn Products) -> Result<(), StoreError>,
    ) -> Result<(), StoreError>;
}

/// The products, inside a transaction.
pub trait Products {
    /// The draft of the product with this current slug as JSON, locked until the transaction ends.
    ///
    /// # Errors
    /// The database's.
    fn find(&mut self, slug: &str) -> Result<Option<Value>, StoreError>;

    /// The product that [`Products::upsert`] would change, if there is one.
    ///
    /// # Errors
    /// The database's.
    fn existing(&mut self, draft: &ProductDraft) -> Result<Option<Uuid>, StoreError>;

    /// The external id and the current slug of a product.
    ///
    /// # Errors
    /// The database's.
    fn names(&mut self, id: Uuid) -> Result<(Option<String>, Option<String>), StoreError>;

    /// Creates the product or makes the existing one (same `external_id`, else same slug) equal to the draft; missing
    /// brands and categories are made. Runs in a savepoint: after an error the transaction can go on, the product is
    /// as it was.
    ///
    /// # Errors
    /// The database's.
    fn upsert(&mut self, draft: &ProductDraft) -> Result<Upserted, StoreError>;
}

/// The catalogue in the database.
pub struct StoredCatalogue<'a> {
    connection: &'a mut Connection,
    /// Whether the last transaction collided with other edits: the next one queues.
    collided: bool,
}

impl std::fmt::Debug for StoredCatalogue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredCatalogue").field("collided", &self.collided).finish_non_exhaustive()
    }
}

impl<'a> StoredCatalogue<'a> {
    /// Imports over this connection.
    pub fn new(connection: &'a mut Connection) -> Self {
        Self { connection, collided: false }
    }
}

impl Catalogue for StoredCatalogue<'_> {
    fn transaction(
        &mut self,
        keep: bool,
        work: &mut dyn FnMut(&mut dyn Products) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut undone = false;
        let queues = self.collided;
        let done = edit::transaction(self.connection, |connection| {
            if queues {
                edit::queue(connection)?;
            }
            work(&mut StoredProducts(connection))?;
            undone = !keep;
            // A transaction is undone by failing; this failure is not told to anyone.
            if undone { Err(StoreError::Internal("a dry run is undone".to_owned())) } else { Ok(()) }
        });
        self.collided = matches!(done, Err(StoreError::Collision));
        // Other instances learn of the event from the log.
        if undone { Ok(()) } else { done.map(|((), _event)| ()) }
    }
}

struct StoredProducts<'a>(&'a mut Connection);

impl Products for StoredProducts<'_> {
    fn find(&mut self, slug: &str) -> Result<Option<Value>, StoreError> {
        let draft = products::draft_by_slug(self.0, slug)?;
        let json =
            |draft| serde_json::to_value(draft).map_err(|error| StoreError::Internal(error.to_string()));
        draft.map(json).transpose()
    }

    fn existing(&mut self, draft: &ProductDraft) -> Result<Option<Uuid>, StoreError> {
        products::existing(self.0, draft)
    }

    fn names(&mut self, id: Uuid) -> Result<(Option<String>, Option<String>), StoreError> {
        products::names(self.0, id)
    }

    fn upsert(&mut self, draft: &ProductDraft) -> Result<Upserted, StoreError> {
        edit::savepoint(self.0, |connection| products::upsert(connection, draft))
    }
}
