//! The part of a batch that another connection can write at the same time.
//!
//! Nearly all time of an import is the database's, which works for a connection on one processor. So the new products of a
//! batch are shared out over two transactions. The second takes only what it need not wait for the first with: products of
//! its own, that take nothing from others and refer to nothing that the batch makes.

use std::collections::HashSet;

use diesel::connection::SimpleConnection;
use uuid::Uuid;

use super::{Batch, made::Made, write};
use crate::{
    limits::{BULK_LOCK_TIMEOUT, BULK_STATEMENT_TIMEOUT},
    store::{
        Connection,
        error::StoreError,
        products::{rows::Rows, save::Changes},
    },
};

/// Fewest new products that are worth a second transaction.
const SHARED_PRODUCTS_MIN: usize = 200;

/// New products that are written apart from their batch.
#[derive(Debug)]
pub struct Part {
    products: Vec<Rows>,
    slugs: Vec<(String, Uuid)>,
}

impl Batch {
    /// Takes out about half of the products, if all of them are new and there are many. What they refer to is there already,
    /// and neither part waits for a lock of the other.
    pub fn split(&mut self) -> Option<Part> {
        let slugs = self.slugs.changes();
        let all_new = self.written.len() == self.new.len() && slugs.before.is_empty();
        if !all_new || self.new.len() < SHARED_PRODUCTS_MIN {
            return None;
        }
        let made = ids_of(&self.names.made);
        let half = self.new.len() / 2;
        let mut taken = HashSet::with_capacity(half);
        let (products, left) = std::mem::take(&mut self.new).into_iter().partition(|rows| {
            let free = taken.len() < half && !refers_to(rows, &made);
            if free {
                taken.insert(rows.product.id);
            }
            free
        });
        self.new = left;
        self.written.retain(|written| !taken.contains(&written.id));
        let slugs = slugs.new.into_iter().filter(|(_, id)| taken.contains(id)).collect();
        self.apart = taken;
        Some(Part { products, slugs })
    }
}

impl Part {
    /// Writes it, as [`Batch::write`] does.
    ///
    /// # Errors
    /// The database's.
    pub fn write(self, connection: &mut Connection) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = self.products.iter().map(|rows| rows.product.id).collect();
        let mut changes = Changes::default();
        for rows in self.products {
            changes.add(None, rows);
        }
        write::lock_tags(connection, &changes.tags_given())?;
        changes.write(connection)?;
        write::insert_slugs(connection, self.slugs)?;
        write::documents(connection, &ids)
    }
}

/// Runs one of two transactions that are committed together. Each may wait for somebody who waits for the other one, and the
/// database cannot see that this waits for the first: so no lock is waited for long.
///
/// # Errors
/// Those of `work`; a lock that was not had in time is a collision.
pub fn impatiently(
    connection: &mut Connection,
    work: impl FnOnce(&mut Connection) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let wait_at_most = |milliseconds| format!("SET LOCAL lock_timeout = {milliseconds}");
    connection.batch_execute(&wait_at_most(BULK_LOCK_TIMEOUT.as_millis()))?;
    let late = |error: &StoreError| matches!(error, StoreError::Timeout);
    work(connection).map_err(|error| if late(&error) { StoreError::Collision } else { error })?;
    // For the lock of the commit.
    connection.batch_execute(&wait_at_most(BULK_STATEMENT_TIMEOUT.as_millis()))?;
    Ok(())
}

fn ids_of(made: &Made) -> HashSet<Uuid> {
    let brands = made.brands.iter().map(|(id, _)| id);
    let categories = made.categories.iter().map(|(id, ..)| id);
    let tags = made.tags.iter().map(|(id, _)| id);
    let locations = made.locations.iter().map(|(id, _)| id);
    brands.chain(categories).chain(tags).chain(locations).copied().collect()
}

fn refers_to(rows: &Rows, made: &HashSet<Uuid>) -> bool {
    let mut referred = rows
        .product
        .brand_id
        .iter()
        .chain(rows.categories.iter().map(|row| &row.category_id))
        .chain(rows.tags.iter().map(|row| &row.tag_id))
        .chain(rows.stock.iter().map(|row| &row.location_id));
    referred.any(|id| made.contains(id))
}
