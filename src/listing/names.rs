//! Brands and categories as lists name them.

use std::{cmp::Ordering, collections::HashMap};

use uuid::Uuid;

use super::terms::at;
use crate::{
    domain::{
        listed::{ListedBrand, ListedCategory},
        locale::Locale,
    },
    search::{TextFields, TextIndex},
};

/// What has an id and a slug.
pub(super) trait Named {
    fn id(&self) -> Uuid;
    fn slug(&self) -> &str;
    fn name(&self) -> &str;
}

impl Named for ListedBrand {
    fn id(&self) -> Uuid {
        self.id
    }

    fn slug(&self) -> &str {
        &self.slug
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Named for ListedCategory {
    fn id(&self) -> Uuid {
        self.id
    }

    fn slug(&self) -> &str {
        &self.slug
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// A table of them, by id and by slug, with their ranks among equals.
#[derive(Debug)]
pub(super) struct Names<T> {
    rows: HashMap<Uuid, (T, usize)>,
    slugs: HashMap<Box<str>, Uuid>,
    /// Ids by rank.
    ranked: Vec<Uuid>,
    /// Names by rank; there is none for an empty table.
    text: Option<TextIndex>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { rows: HashMap::new(), slugs: HashMap::new(), ranked: Vec::new(), text: None }
    }
}

impl<T: Named> Names<T> {
    /// All of them; `compare` says in which order those with equal counts are listed.
    pub(super) fn new(mut rows: Vec<T>, language: &Locale, compare: impl Fn(&T, &T) -> Ordering) -> Self {
        rows.sort_by(|a, b| compare(a, b).then_with(|| a.id().cmp(&b.id())));
        let mut text = TextIndex::new(language);
        for (rank, row) in (0..).zip(&rows) {
            let fields = TextFields {
                title: row.name(),
                brand: "",
                product_type: "",
                categories: &[],
                codes: &[],
                words: &[],
                description: "",
            };
            text.put(rank, &fields);
        }
        let ranked = rows.iter().map(Named::id).collect();
        let slugs = rows.iter().map(|row| (row.slug().into(), row.id())).collect();
        let rows = rows.into_iter().enumerate().map(|(rank, row)| (row.id(), (row, rank))).collect();
        Self { rows, slugs, ranked, text: Some(text) }
    }

    /// All of them, by rank.
    pub(super) fn rows(&self) -> impl Iterator<Item = &T> {
        self.ranked.iter().filter_map(|id| self.get(*id)).map(|(row, _)| row)
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

    /// Those whose names a text begins or resembles, best first.
    pub(super) fn complete(&self, text: &str, limit: usize) -> impl Iterator<Item = &T> {
        let found = self.text.iter().flat_map(move |names| names.complete(text, limit));
        found.filter_map(|(rank, _)| self.get(*self.ranked.get(at(rank))?)).map(|(row, _)| row)
    }

    /// Ids of those that are new, gone or of another name in another table.
    pub(super) fn renamed(&self, other: &Self) -> Vec<Uuid> {
        let name = |names: &Self, id: &Uuid| names.get(*id).map(|(row, _)| row.name().to_owned());
        let gone = self.ranked.iter().filter(|id| !other.rows.contains_key(id));
        let all = other.ranked.iter().filter(|id| name(self, id) != name(other, id)).chain(gone);
        all.copied().collect()
    }
}
