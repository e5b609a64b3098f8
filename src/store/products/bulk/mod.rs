//! Many products in few statements: what an import writes in one transaction.
//!
//! A [`Batch`] knows what the database holds of everything that the drafts of a batch meet: it is read in sets beforehand, and
//! singly where that foresaw too little. Drafts are then taken one after another, as if each were written at once: what
//! one gives up the next can take. Nothing is written until [`Batch::write`], which writes the differences of all of them table by
//! table.
//!
//! What was read is not locked, unless asked for: a product that is as its draft says costs no write, and its editors wait for
//! nobody. What changes is locked at the end, and must be as it was read; else the batch collides and is made anew.

mod known;
mod load;
mod made;
mod names;
mod slugs;
mod write;

use uuid::Uuid;

use self::{known::Known, names::KnownNames, slugs::KnownSlugs};
use super::{draft, plan, rows::Stored, save::Changes, types::KnownTypes, upsert::Upserted};
use crate::{
    domain::draft::ProductDraft,
    store::{Connection, error::StoreError},
};

/// The products of one transaction.
#[derive(Debug)]
pub struct Batch {
    known: Known,
    names: KnownNames,
    slugs: KnownSlugs,
    types: KnownTypes,
    changes: Changes,
    written: Vec<Written>,
}

/// A product that is written.
#[derive(Debug)]
struct Written {
    id: Uuid,
    /// The version it was read at; `None`: it is new.
    version: Option<i64>,
    /// Whether it is brought back.
    deleted: bool,
}

impl Batch {
    /// An empty batch. `locks`: products are locked before they are read, so that the batch cannot collide over them.
    pub fn new(locks: bool) -> Self {
        Self {
            known: Known::new(locks),
            names: KnownNames::default(),
            slugs: KnownSlugs::default(),
            types: KnownTypes::default(),
            changes: Changes::default(),
            written: Vec::new(),
        }
    }

    /// Reads the products that have these slugs.
    ///
    /// # Errors
    /// The database's.
    pub fn expect_slugs(&mut self, connection: &mut Connection, slugs: &[&str]) -> Result<(), StoreError> {
        self.slugs.read(connection, slugs.iter().copied())?;
        self.known.read_products(connection, &mut self.slugs, slugs.iter().copied(), &[])
    }

    /// Reads everything that these drafts meet.
    ///
    /// # Errors
    /// The database's.
    pub fn expect(
        &mut self,
        connection: &mut Connection,
        drafts: &[&ProductDraft],
    ) -> Result<(), StoreError> {
        let slugs: Vec<String> = drafts.iter().map(|draft| found_by(draft)).collect();
        let external: Vec<&str> = drafts.iter().filter_map(|draft| draft.external_id.as_deref()).collect();
        self.slugs.read(connection, slugs.iter().map(String::as_str))?;
        self.known.read_products(connection, &mut self.slugs, slugs.iter().map(String::as_str), &external)?;
        let variants = drafts.iter().flat_map(|draft| &draft.variants);
        self.known.read_skus(connection, variants.filter_map(|variant| variant.sku.as_deref()))?;
        self.names.read(connection, drafts)
    }

    /// As [`super::draft_by_slug`], of the batch as far as it was taken; the product is not locked.
    ///
    /// # Errors
    /// The database's.
    pub fn draft_by_slug(
        &mut self,
        connection: &mut Connection,
        slug: &str,
    ) -> Result<Option<ProductDraft>, StoreError> {
        let draft = ProductDraft { slug: Some(slug.to_owned()), ..ProductDraft::default() };
        let Some(id) = self.existing(connection, &draft)? else { return Ok(None) };
        draft::draft(self.known.product(connection, &mut self.slugs, id)?).map(Some)
    }

    /// As [`super::existing`].
    ///
    /// # Errors
    /// The database's.
    pub fn existing(
        &mut self,
        connection: &mut Connection,
        draft: &ProductDraft,
    ) -> Result<Option<Uuid>, StoreError> {
        let Some(external_id) = &draft.external_id else {
            return self.slugs.current(connection, &found_by(draft));
        };
        let known = self.known.by_external(connection, external_id)?;
        let Some(slug) = draft.slug.as_ref().filter(|_| known.is_none()) else { return Ok(known) };
        let Some(id) = self.slugs.current(connection, slug)? else { return Ok(None) };
        let (external_id, _) = self.known.names(connection, &mut self.slugs, id)?;
        Ok(Some(id).filter(|_| external_id.is_none()))
    }

    /// As [`super::names`].
    ///
    /// # Errors
    /// The database's.
    pub fn names(
        &mut self,
        connection: &mut Connection,
        id: Uuid,
    ) -> Result<(Option<String>, Option<String>), StoreError> {
        self.known.names(connection, &mut self.slugs, id)
    }

    /// As [`super::upsert`]; a product is taken once.
    ///
    /// # Errors
    /// Those of the draft, which leave the batch as it was, and the database's.
    pub fn upsert(
        &mut self,
        connection: &mut Connection,
        draft: &ProductDraft,
    ) -> Result<Upserted, StoreError> {
        let mark = self.names.mark();
        let upserted = self.take(connection, draft);
        if upserted.is_err() {
            self.names.undo(&mark);
        }
        upserted
    }

    fn take(&mut self, connection: &mut Connection, draft: &ProductDraft) -> Result<Upserted, StoreError> {
        let Some(id) = self.existing(connection, draft)? else {
            let id = Uuid::now_v7();
            self.change(connection, id, None, draft)?;
            return Ok(Upserted::Created(id));
        };
        // Taken out and put back: the batch is asked of other products meanwhile.
        let stored = self.known.take_product(connection, &mut self.slugs, id)?;
        let known = &stored.rows.product.external_id;
        let changed = if draft.external_id.is_some() || known.is_none() {
            self.change(connection, id, Some(&stored), draft)
        } else {
            let kept = ProductDraft { external_id: known.clone(), ..draft.clone() };
            self.change(connection, id, Some(&stored), &kept)
        };
        self.known.give_back(stored);
        Ok(if changed? { Upserted::Updated(id) } else { Upserted::Unchanged(id) })
    }

    /// Notes what makes the stored product like the draft, and tells whether anything does. An error leaves nothing noted but
    /// names.
    fn change(
        &mut self,
        connection: &mut Connection,
        id: Uuid,
        stored: Option<&Stored>,
        draft: &ProductDraft,
    ) -> Result<bool, StoreError> {
        let nothing = plan::nothing(id);
        let before = stored.map_or(&nothing, |stored| &stored.rows);
        let names = self.names.resolve(connection, draft)?;
        let wanted = plan::plan(before, draft, &names).map_err(StoreError::Invalid)?;
        self.types.fit(connection, before, &wanted)?;
        self.known.skus_are_free(connection, before, draft)?;
        let current = stored.map(|stored| stored.slug.as_str()).filter(|slug| !slug.is_empty());
        let slug = self.slugs.claim(connection, id, draft.slug.as_deref(), current, &draft.title)?;
        let deleted = stored.is_some_and(|stored| stored.bookkeeping.deleted_at.is_some());
        self.known.skus_change(before, &wanted);
        let external_id = wanted.product.external_id.clone();
        let saved = self.changes.add(stored.map(|stored| &stored.rows), wanted);
        if saved.is_none() && slug.is_none() && !deleted {
            return Ok(false);
        }
        let version = stored.map(|stored| stored.bookkeeping.version);
        self.written.push(Written { id, version, deleted });
        let slug = slug.or_else(|| current.map(str::to_owned));
        self.known.note(id, external_id, slug);
        Ok(true)
    }
}

/// The slug by which a draft without external id finds its product.
fn found_by(draft: &ProductDraft) -> String {
    draft.slug.clone().unwrap_or_else(|| super::slugs::base(&draft.title))
}
