//! Brands and categories as lists name them.

use std::{cmp::Ordering, collections::HashMap};

use uuid::Uuid;

use crate::domain::listed::{ListedBrand, ListedCategory};

/// What has an id and a slug.
pub(super) trait Named {
    fn id(&self) -> Uuid;
    fn slug(&self) -> &str;
}

impl Named for ListedBrand {
    fn id(&self) -> Uuid {
        self.id
    }

    fn slug(&self) -> &str {
        &self.slug
    }
}

impl Named for ListedCategory {
    fn id(&self) -> Uuid {
        self.id
    }

    fn slug(&self) -> &str {
        &self.slug
    }
}

/// A table of them, by id and by slug, with their ranks among equals.
#[derive(Debug)]
pub(super) struct Names<T> {
    rows: HashMap<Uuid, (T, usize)>,
    slugs: HashMap<Box<str>, Uuid>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { rows: HashMap::new(), slugs: HashMap::new() }
    }
}

impl<T: Named> Names<T> {
    /// All of them; `compare` says in which order those with equal counts are listed.
    pub(super) fn new(mut rows: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Self {
        rows.sort_by(|a, b| compare(a, b).then_with(|| a.id().cmp(&b.id())));
        let slugs = rows.iter().map(|row| (row.slug().into(), row.id())).collect();
        let rows = rows.into_iter().enumerate().map(|(rank, row)| (row.id(), (row, rank))).collect();
        Self { rows, slugs }
    }

    /// One of them, with its rank.
    pub(super) fn get(&self, id: Uuid) -> Option<&(T, usize)> {
        self.rows.get(&id)
    }

    /// The id of one that is named by id or slug.
    pub(super) fn find(&self, name: &str) -> Option<Uuid> {
        let known = || Uuid::parse_str(name).ok().filter(|id| self.rows.contains_key(id));
        self.slugs.get(name).copied().or_else(known)
    }
}
