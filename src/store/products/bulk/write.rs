//! Writes a batch. Locks are taken in the order of all edits: names, tags, products by id.

use std::collections::HashMap;

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::{Batch, Written, slugs::SlugChanges};
use crate::store::{
    Connection,
    error::StoreError,
    statement::{Bind, Statement},
};

impl Batch {
    /// Writes everything that was taken, and the documents of what was written. Inside the transaction in which it was read.
    ///
    /// The documents are written here: an edit of so many products would leave them to be built at every read.
    ///
    /// # Errors
    /// The database's. Something that was read has changed: a collision. Other errors are those of a draft, but nobody knows of
    /// which.
    pub fn write(mut self, connection: &mut Connection) -> Result<(), StoreError> {
        if self.written.is_empty() {
            return Ok(());
        }
        self.names.make(connection)?;
        lock_tags(connection, &self.changes.tags_given())?;
        are_as_they_were(connection, &self.written)?;
        let slugs = self.slugs.changes();
        slugs_are_as_they_were(connection, &slugs)?;
        let deleted: Vec<Uuid> =
            self.written.iter().filter(|written| written.deleted).map(|written| written.id).collect();
        if !deleted.is_empty() {
            let text = "UPDATE product SET deleted_at = NULL WHERE id = ANY ($1)";
            Statement::<sql::Bool>::new(text, [Bind::Ids(&deleted)]).execute(connection)?;
        }
        self.changes.write(connection)?;
        write_slugs(connection, slugs)?;
        let ids: Vec<Uuid> = self.written.iter().map(|written| written.id).collect();
        Statement::<sql::Bool>::new("SELECT catalog.refresh_documents($1) IS NOT NULL", [Bind::Ids(&ids)])
            .execute(connection)?;
        Ok(())
    }
}

/// A rename of a tag locks the tag, then the products that have it.
fn lock_tags(connection: &mut Connection, tags: &[Uuid]) -> Result<(), StoreError> {
    if !tags.is_empty() {
        Statement::<sql::Bool>::new("SELECT catalog.lock_tags($1) IS NOT NULL", [Bind::Ids(tags)])
            .execute(connection)?;
    }
    Ok(())
}

/// Locks the products that were there, in the order of their ids. Every change of any part raises the version.
fn are_as_they_were(connection: &mut Connection, written: &[Written]) -> Result<(), StoreError> {
    let read: HashMap<Uuid, i64> =
        written.iter().filter_map(|written| Some((written.id, written.version?))).collect();
    if read.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = read.keys().copied().collect();
    let locked = Statement::<(sql::Uuid, sql::BigInt)>::new(
        "SELECT id, version FROM product WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE",
        [Bind::Ids(&ids)],
    )
    .load::<(Uuid, i64)>(connection)?;
    let same = locked.iter().all(|(id, version)| read.get(id) == Some(version));
    if same && locked.len() == ids.len() { Ok(()) } else { Err(StoreError::Collision) }
}

fn slugs_are_as_they_were(connection: &mut Connection, slugs: &SlugChanges) -> Result<(), StoreError> {
    if slugs.before.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = slugs.before.iter().map(|(slug, ..)| slug.clone()).collect();
    let locked = Statement::<(sql::Text, sql::Uuid, sql::Bool)>::new(
        "SELECT slug, product_id, is_current FROM slug WHERE slug = ANY ($1) ORDER BY slug FOR UPDATE",
        [Bind::Texts(&names)],
    )
    .load::<(String, Uuid, bool)>(connection)?;
    if locked == slugs.before { Ok(()) } else { Err(StoreError::Collision) }
}

/// Retired ones first: a product has one current slug at every moment.
fn write_slugs(connection: &mut Connection, slugs: SlugChanges) -> Result<(), StoreError> {
    if !slugs.retired.is_empty() {
        let text = "UPDATE slug SET is_current = false WHERE slug = ANY ($1)";
        Statement::<sql::Bool>::new(text, [Bind::Texts(&slugs.retired)]).execute(connection)?;
    }
    let update = "UPDATE slug AS s SET product_id = n.id, is_current = true \
        FROM unnest($1, $2) AS n (slug, id) WHERE s.slug = n.slug";
    let insert = "INSERT INTO slug (slug, product_id) SELECT slug, id FROM unnest($1, $2) AS n (slug, id)";
    for (text, pairs) in [(update, slugs.moved), (insert, slugs.new)] {
        let (names, ids): (Vec<String>, Vec<Uuid>) = pairs.into_iter().unzip();
        if !ids.is_empty() {
            Statement::<sql::Bool>::new(text, [Bind::Texts(&names), Bind::Ids(&ids)]).execute(connection)?;
        }
    }
    Ok(())
}
