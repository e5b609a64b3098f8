//! What changed lately, so that a page which an edit cannot have changed need not be made anew.

use std::collections::VecDeque;

use crate::{
    domain::list::{ListPage, ListQuery},
    limits::RECENT_CHANGES_MAX,
    listing::{ListingIndex, Shown},
};

/// The last changes of products as lists see them.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// All changes after this position are here.
    since: i64,
    changes: VecDeque<Change>,
}

#[derive(Debug)]
struct Change {
    position: i64,
    before: Option<Shown>,
    after: Option<Shown>,
}

impl Recent {
    /// Nothing changed yet after `position`.
    pub(super) fn since(position: i64) -> Self {
        Self { since: position, changes: VecDeque::new() }
    }

    /// At `position` something changed that any page may show.
    pub(super) fn all_changed(&mut self, position: i64) {
        *self = Self::since(position.max(self.since));
    }

    /// A product changed.
    pub(super) fn push(&mut self, position: i64, before: Option<Shown>, after: Option<Shown>) {
        self.changes.push_back(Change { position, before, after });
        if self.changes.len() > RECENT_CHANGES_MAX
            && let Some(oldest) = self.changes.pop_front()
        {
            self.since = self.since.max(oldest.position);
        }
    }

    /// Position of the last change after `after` that can have changed this page; `head` when that is not known.
    pub(super) fn touched(
        &self,
        index: &ListingIndex,
        (query, page): (&ListQuery, &ListPage),
        after: i64,
        head: i64,
    ) -> Option<i64> {
        if after < self.since {
            return Some(head);
        }
        let later = self.changes.iter().rev().take_while(|change| change.position > after);
        // Either way round: the page may be the one before the change or the one after it.
        let touching = |change: &&Change| {
            let (before, after) = (change.before.as_ref(), change.after.as_ref());
            index.affects(query, page, before, after) || index.affects(query, page, after, before)
        };
        later.filter(touching).map(|change| change.position).max()
    }
}
