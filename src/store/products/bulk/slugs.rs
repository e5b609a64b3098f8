//! Slugs that a batch meets: as they are, and as the batch leaves them.

use std::collections::HashMap;

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use crate::store::{
    Connection,
    error::StoreError,
    products::slugs::{base, taken},
    statement::{Bind, Statement},
};

/// The product a slug leads to, and whether it is that one's current slug.
type Holder = (Uuid, bool);

/// What the database holds, and what the batch makes of it.
#[derive(Debug, Default)]
pub(super) struct KnownSlugs {
    /// As they were read; `None`: nobody has it.
    stored: HashMap<String, Option<Holder>>,
    /// Those that the batch changes.
    changed: HashMap<String, Holder>,
}

/// Slugs by what becomes of them.
#[derive(Debug, Default)]
pub(super) struct SlugChanges {
    /// Rows that are there, as they must still be: slug, product, whether current.
    pub(super) before: Vec<(String, Uuid, bool)>,
    /// Current slugs that are not their products' current ones any more.
    pub(super) retired: Vec<String>,
    /// Rows that are there and become a product's current slug.
    pub(super) moved: Vec<(String, Uuid)>,
    /// Slugs that nobody had.
    pub(super) new: Vec<(String, Uuid)>,
}

impl KnownSlugs {
    /// Reads who has these slugs.
    pub(super) fn read<'a>(
        &mut self,
        connection: &mut Connection,
        slugs: impl Iterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let new: Vec<String> =
            slugs.filter(|slug| !self.stored.contains_key(*slug)).map(str::to_owned).collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = Statement::<(sql::Text, sql::Uuid, sql::Bool)>::new(
            "SELECT slug, product_id, is_current FROM slug WHERE slug = ANY ($1)",
            [Bind::Texts(&new)],
        )
        .load::<(String, Uuid, bool)>(connection)?;
        self.stored.extend(new.into_iter().map(|slug| (slug, None)));
        self.stored.extend(found.into_iter().map(|(slug, id, is_current)| (slug, Some((id, is_current)))));
        Ok(())
    }

    /// A product was read with this current slug; empty: with none.
    pub(super) fn holds(&mut self, id: Uuid, slug: &str) {
        if !slug.is_empty() {
            self.stored.insert(slug.to_owned(), Some((id, true)));
        }
    }

    /// The product whose current slug was read to be this one.
    pub(super) fn holder(&self, slug: &str) -> Option<Uuid> {
        self.get(slug).filter(|(_, is_current)| *is_current).map(|(id, _)| id)
    }

    fn get(&self, slug: &str) -> Option<Holder> {
        self.changed.get(slug).copied().or_else(|| self.stored.get(slug).copied().flatten())
    }

    fn holder_of(&mut self, connection: &mut Connection, slug: &str) -> Result<Option<Holder>, StoreError> {
        self.read(connection, std::iter::once(slug))?;
        Ok(self.get(slug))
    }

    /// The product that has this current slug.
    pub(super) fn current(
        &mut self,
        connection: &mut Connection,
        slug: &str,
    ) -> Result<Option<Uuid>, StoreError> {
        self.read(connection, std::iter::once(slug))?;
        Ok(self.holder(slug))
    }

    /// As `slugs::claim`: gives the slug that the product gets, if it gets another one.
    pub(super) fn claim(
        &mut self,
        connection: &mut Connection,
        id: Uuid,
        wanted: Option<&str>,
        current: Option<&str>,
        title: &str,
    ) -> Result<Option<String>, StoreError> {
        let slug = match (wanted, current) {
            (Some(wanted), current) if Some(wanted) != current => {
                let holder = self.holder_of(connection, wanted)?;
                if holder.is_some_and(|(owner, is_current)| is_current && owner != id) {
                    return Err(taken());
                }
                if let Some(current) = current {
                    self.changed.insert(current.to_owned(), (id, false));
                }
                wanted.to_owned()
            }
            (None, None) => self.free(connection, id, &base(title))?,
            _ => return Ok(None),
        };
        self.changed.insert(slug.clone(), (id, true));
        Ok(Some(slug))
    }

    /// The first free of `base`, `base-2`, `base-3`, …
    fn free(&mut self, connection: &mut Connection, id: Uuid, base: &str) -> Result<String, StoreError> {
        if self.holder_of(connection, base)?.is_none() {
            return Ok(base.to_owned());
        }
        let ours: Vec<String> = self.changed.keys().filter(|slug| slug.starts_with(base)).cloned().collect();
        let free = Statement::<sql::Text>::new(
            "SELECT $1 || '-' || n FROM generate_series(2, 10000) AS n \
              WHERE NOT EXISTS (SELECT FROM slug s WHERE s.slug = $1 || '-' || n) AND $1 || '-' || n <> ALL ($2) LIMIT 1",
            [Bind::Text(base), Bind::Texts(&ours)],
        )
        .load::<String>(connection)?;
        let free = free.into_iter().next().unwrap_or_else(|| id.to_string());
        self.stored.insert(free.clone(), None);
        Ok(free)
    }

    /// What is to be written.
    pub(super) fn changes(&self) -> SlugChanges {
        let mut changes = SlugChanges::default();
        for (slug, (id, is_current)) in &self.changed {
            match self.stored.get(slug).copied().flatten() {
                None => changes.new.push((slug.clone(), *id)),
                Some((owner, was_current)) => {
                    changes.before.push((slug.clone(), owner, was_current));
                    if was_current {
                        changes.retired.push(slug.clone());
                    }
                    if *is_current {
                        changes.moved.push((slug.clone(), *id));
                    }
                }
            }
        }
        changes.before.sort_unstable();
        changes
    }
}
