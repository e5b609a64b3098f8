//! What fills ask of lists: messages to the list actors; to the store actors where the database is read in the same breath.

use std::sync::Arc;

use uuid::Uuid;

use super::{ListDesk, Lists, ListsError, State};
use crate::{
    catalog::{error::CatalogError, loads::with_connection, pool::StoreMessage, workers::Work},
    coherence::{Coherence, Era},
    domain::list::{ListPage, ListQuery},
    listing::Suggestions,
    store::{
        pool::Pool,
        reads::{self, ProductRow, Snapshot},
    },
};

/// A page, and what is known of its last change.
#[derive(Debug)]
pub(in crate::catalog) struct Listed {
    /// The page; `None` for an unknown category.
    pub(in crate::catalog) page: Option<Arc<ListPage>>,
    /// The last change that is not known to be stable and can have changed it; 0 for none.
    pub(in crate::catalog) touched: i64,
}

/// A page that was right at a position.
#[derive(Debug, Clone)]
pub(in crate::catalog) struct Earlier {
    /// The page.
    pub(in crate::catalog) page: Arc<ListPage>,
    /// Where it was read, in the same era.
    pub(in crate::catalog) position: i64,
}

/// What every read of lists needs.
#[derive(Debug, Clone)]
pub(in crate::catalog) struct Access {
    /// The index.
    pub(in crate::catalog) lists: Arc<Lists>,
    /// Lease, era, positions.
    pub(in crate::catalog) coherence: Arc<Coherence>,
    /// The era the read began in.
    pub(in crate::catalog) era: Era,
}

impl Access {
    fn listed(&self, query: &ListQuery, earlier: Option<&Earlier>) -> Result<Snapshot<Listed>, CatalogError> {
        let state = self.lists.read();
        let Some(at) = state.at.filter(|at| at.era == self.era.ordinal) else {
            return Err(ListsError::Unread.into());
        };
        let unchanged = earlier.filter(|earlier| {
            let page = (query, &*earlier.page);
            state.recent.touched(&state.index, page, earlier.position, at.position).is_none()
        });
        let page = match unchanged {
            Some(earlier) => Some(Arc::clone(&earlier.page)),
            None => state.index.page(query).map(Arc::new),
        };
        let touched = self.touched(&state, query, page.as_deref(), at.position);
        Ok(Snapshot { head: at.position, value: Listed { page, touched } })
    }

    /// The last change of a page that is not known to be stable.
    fn touched(&self, state: &State, query: &ListQuery, page: Option<&ListPage>, head: i64) -> i64 {
        let stable = self.coherence.gate().stable();
        match page {
            Some(page) => state.recent.touched(&state.index, (query, page), stable, head).unwrap_or(0),
            None => head,
        }
    }
}

/// One page of a list, of an index that was brought up to date since the read began.
pub(in crate::catalog) struct LoadList {
    pub(in crate::catalog) access: Access,
    pub(in crate::catalog) query: ListQuery,
    /// The page as it was before, if it is known.
    pub(in crate::catalog) earlier: Option<Earlier>,
}

impl Work<ListDesk> for LoadList {
    type Reply = Snapshot<Listed>;
    const NAME: &'static str = "load_list";

    fn run(self, _desk: &ListDesk) -> Result<Self::Reply, CatalogError> {
        self.access.listed(&self.query, self.earlier.as_ref())
    }
}

/// One page of a list and its products, of one instant.
pub(in crate::catalog) struct LoadListSnapshot {
    pub(in crate::catalog) access: Access,
    pub(in crate::catalog) query: ListQuery,
}

impl StoreMessage for LoadListSnapshot {
    type Reply = Snapshot<(Listed, Vec<(Uuid, ProductRow)>)>;
    const NAME: &'static str = "load_list_snapshot";

    fn run(self, pool: &Pool) -> Result<Self::Reply, CatalogError> {
        let Self { access, query } = &self;
        if !access.lists.is_read(access.era.ordinal) {
            return Err(ListsError::Unread.into());
        }
        let outcome = with_connection(pool, |connection| {
            let read = access.lists.with_snapshot(connection, access.era, |connection| {
                let Ok(Snapshot { head, value }) = access.listed(query, None) else {
                    return Err(ListsError::Unread);
                };
                let ids = value.page.as_ref().map_or(&[][..], |page| &page.ids);
                let products = reads::products(connection, ids)?.value;
                Ok(Snapshot { head, value: (value, products) })
            });
            match read {
                Err(ListsError::Store(error)) => Err(error),
                outcome => Ok(outcome),
            }
        })?;
        outcome.map_err(CatalogError::from)
    }
}

/// What completes a text, by such an index.
pub(in crate::catalog) struct LoadSuggestions {
    pub(in crate::catalog) access: Access,
    pub(in crate::catalog) text: Box<str>,
    pub(in crate::catalog) limit: usize,
}

impl Work<ListDesk> for LoadSuggestions {
    type Reply = Snapshot<Suggestions>;
    const NAME: &'static str = "load_suggestions";

    fn run(self, _desk: &ListDesk) -> Result<Self::Reply, CatalogError> {
        let state = self.access.lists.read();
        let Some(at) = state.at.filter(|at| at.era == self.access.era.ordinal) else {
            return Err(ListsError::Unread.into());
        };
        Ok(Snapshot { head: at.position, value: state.index.suggest(&self.text, self.limit) })
    }
}
