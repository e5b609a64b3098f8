//! What an import needs of the database: the seam between reading files and writing products.

use serde_json::Value;
use uuid::Uuid;

pub use crate::store::products::Upserted;
use crate::{
    domain::draft::ProductDraft,
    store::{Connection, edit, error::StoreError, lines, products},
};

/// How a transaction goes about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct How {
    /// Whether it is committed; else it is undone.
    pub keep: bool,
    /// Whether products are written one by one, each in a savepoint: slow, and a product that the database refuses costs
    /// nothing but itself. Else they are written together, and such a product fails the transaction.
    pub singly: bool,
}

/// What a transaction does with the products.
pub type Work<'a> = dyn FnMut(&mut dyn Products) -> Result<(), StoreError> + 'a;

/// A catalogue that products can be written to in transactions.
pub trait Catalogue {
    /// Begins an import: no keys are remembered.
    fn begin(&mut self);

    /// Runs `work` inside one transaction: commits when `work` succeeds and it is to be kept, else undoes everything.
    ///
    /// # Errors
    /// Those of `work`, and of the transaction itself.
    fn transaction(&mut self, how: How, work: &mut Work<'_>) -> Result<(), StoreError>;

    /// Remembers the lines of keys until the import ends, also when the products of these lines were undone.
    ///
    /// # Errors
    /// The database's.
    fn remember(&mut self, keys: &[Uuid], lines: &[u64]) -> Result<(), StoreError>;
}

/// The products, inside a transaction.
pub trait Products {
    /// Says that [`Products::find`] will be asked for these slugs.
    ///
    /// # Errors
    /// The database's.
    fn expect_slugs(&mut self, slugs: &[&str]) -> Result<(), StoreError>;

    /// Says that these drafts will be asked about and written.
    ///
    /// # Errors
    /// The database's.
    fn expect(&mut self, drafts: &[&ProductDraft]) -> Result<(), StoreError>;

    /// Keys that are remembered, with their lines.
    ///
    /// # Errors
    /// The database's.
    fn lines(&mut self, keys: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError>;

    /// The draft of the product with this current slug as JSON.
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
    /// brands and categories are made. After an error the transaction can go on, the product is as it was.
    ///
    /// # Errors
    /// The database's.
    fn upsert(&mut self, draft: &ProductDraft) -> Result<Upserted, StoreError>;
}

/// The catalogue in the database.
pub struct StoredCatalogue<'a> {
    connection: &'a mut Connection,
    /// Whether the last transaction collided with other edits: the next one queues, and locks what it reads.
    collided: bool,
    /// Whether there are lines to remember.
    remembers: bool,
}

impl std::fmt::Debug for StoredCatalogue<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredCatalogue").field("collided", &self.collided).finish_non_exhaustive()
    }
}

impl<'a> StoredCatalogue<'a> {
    /// Imports over this connection.
    pub fn new(connection: &'a mut Connection) -> Self {
        Self { connection, collided: false, remembers: false }
    }
}

impl Catalogue for StoredCatalogue<'_> {
    fn begin(&mut self) {
        self.remembers = false;
    }

    fn transaction(&mut self, how: How, work: &mut Work<'_>) -> Result<(), StoreError> {
        let mut undone = false;
        let (queues, remembers) = (self.collided, self.remembers);
        let done = edit::transaction(self.connection, |connection| {
            if queues {
                edit::queue(connection)?;
            }
            if how.singly {
                work(&mut Singly { connection, remembers })?;
            } else {
                let batch = products::Batch::new(queues);
                let mut together = Together { connection, batch, remembers };
                work(&mut together)?;
                together.batch.write(together.connection)?;
            }
            undone = !how.keep;
            // A transaction is undone by failing; this failure is not told to anyone.
            if undone { Err(StoreError::Internal("a dry run is undone".to_owned())) } else { Ok(()) }
        });
        self.collided = matches!(done, Err(StoreError::Collision));
        // Other instances learn of the event from the log.
        if undone { Ok(()) } else { done.map(|((), _event)| ()) }
    }

    fn remember(&mut self, keys: &[Uuid], of: &[u64]) -> Result<(), StoreError> {
        if !self.remembers {
            lines::begin(self.connection)?;
            self.remembers = true;
        }
        lines::add(self.connection, keys, of)
    }
}

fn json(draft: Option<ProductDraft>) -> Result<Option<Value>, StoreError> {
    let json = |draft| serde_json::to_value(draft).map_err(|error| StoreError::Internal(error.to_string()));
    draft.map(json).transpose()
}

fn remembered(
    connection: &mut Connection,
    remembers: bool,
    keys: &[Uuid],
) -> Result<Vec<(Uuid, u64)>, StoreError> {
    if remembers { lines::find(connection, keys) } else { Ok(Vec::new()) }
}

/// Products that are written together at the end.
struct Together<'a> {
    connection: &'a mut Connection,
    batch: products::Batch,
    remembers: bool,
}

impl Products for Together<'_> {
    fn expect_slugs(&mut self, slugs: &[&str]) -> Result<(), StoreError> {
        self.batch.expect_slugs(self.connection, slugs)
    }

    fn expect(&mut self, drafts: &[&ProductDraft]) -> Result<(), StoreError> {
        self.batch.expect(self.connection, drafts)
    }

    fn lines(&mut self, keys: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
        remembered(self.connection, self.remembers, keys)
    }

    fn find(&mut self, slug: &str) -> Result<Option<Value>, StoreError> {
        json(self.batch.draft_by_slug(self.connection, slug)?)
    }

    fn existing(&mut self, draft: &ProductDraft) -> Result<Option<Uuid>, StoreError> {
        self.batch.existing(self.connection, draft)
    }

    fn names(&mut self, id: Uuid) -> Result<(Option<String>, Option<String>), StoreError> {
        self.batch.names(self.connection, id)
    }

    fn upsert(&mut self, draft: &ProductDraft) -> Result<Upserted, StoreError> {
        self.batch.upsert(self.connection, draft)
    }
}

/// Products that are written one by one.
struct Singly<'a> {
    connection: &'a mut Connection,
    remembers: bool,
}

impl Products for Singly<'_> {
    fn expect_slugs(&mut self, _slugs: &[&str]) -> Result<(), StoreError> {
        Ok(())
    }

    fn expect(&mut self, _drafts: &[&ProductDraft]) -> Result<(), StoreError> {
        Ok(())
    }

    fn lines(&mut self, keys: &[Uuid]) -> Result<Vec<(Uuid, u64)>, StoreError> {
        remembered(self.connection, self.remembers, keys)
    }

    fn find(&mut self, slug: &str) -> Result<Option<Value>, StoreError> {
        json(products::draft_by_slug(self.connection, slug)?)
    }

    fn existing(&mut self, draft: &ProductDraft) -> Result<Option<Uuid>, StoreError> {
        products::existing(self.connection, draft)
    }

    fn names(&mut self, id: Uuid) -> Result<(Option<String>, Option<String>), StoreError> {
        products::names(self.connection, id)
    }

    fn upsert(&mut self, draft: &ProductDraft) -> Result<Upserted, StoreError> {
        edit::savepoint(self.connection, |connection| products::upsert(connection, draft))
    }
}
