//! Lists: every instance keeps an index of what they are filtered, counted and sorted by, fed with the log.
//!
//! A read takes its page from the index when that stands at least where this instance has applied the log, and the lease
//! says that this is enough; else the index is brought up to the database's head first. So a page is as fresh as a product,
//! and asks the database nothing while nothing changes.
//!
//! A read has two steps, on different threads (COHERENCE §3.7): [`refresh`] sees to it that the index stands far enough for a
//! read that began before, then a list actor ([`actors`]) makes the page. In between the index can only have gone on, since
//! positions never fall within an era and a page of another era is refused; and a page tells the position it was made at,
//! under the same lock, so its stamp claims no more than it shows.
//!
//! A process that starts may begin with the index that an earlier one saved ([`snapshot`]). That index is one that fell behind:
//! it stands at a position with a nonce, and before anybody sees it, it is brought to the head by the log under the same
//! conditions as any other, or thrown away.

pub mod actors;
pub mod feeder;
mod loads;
mod recent;
mod refresh;
mod save;
mod snapshot;

use std::{
    collections::HashMap,
    ops::{Deref, DerefMut},
    sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use uuid::Uuid;

pub use self::actors::{ListDesk, ListPool};
pub(super) use self::loads::{Access, Earlier, LoadList, LoadListSnapshot, LoadSuggestions};
pub use self::snapshot::SnapshotFile;
use self::{recent::Recent, refresh::CaughtUp, save::Saved};
use crate::{
    coherence::Era,
    domain::{
        listed::{ListedBrand, ListedCategory, ListedProduct},
        locale::Locale,
        synonyms::SynonymSet,
    },
    listing::ListingIndex,
    store::{
        Connection,
        error::StoreError,
        reads::{self, ListedChanges},
    },
};

/// Products read at a time: a few megabytes, and far from the time that a statement may take.
const CHUNK: i64 = 5000;

/// Changed products read at a time.
const CHANGED_CHUNK: usize = 2000;

/// Products whose brand or category was renamed that are read anew while lists wait; more are read with everything else.
const RENAMED_MAX: usize = 5000;

/// The index of lists and where in the log it stands. Shared by the list actors, which read it, the store actors and the
/// feeder.
#[derive(Debug)]
pub struct Lists {
    language: Locale,
    state: RwLock<State>,
    /// What the state was when it was last let go of: known without waiting for whoever reads or changes the index.
    standing: Mutex<Standing>,
    /// Held by who lets a store actor bring the index up to date.
    caught_up: tokio::sync::Mutex<Option<CaughtUp>>,
    /// Held by whoever brings the index up to date: one at a time.
    updating: Mutex<()>,
    /// Where it is saved, if anywhere.
    file: Option<SnapshotFile>,
    saved: Mutex<Saved>,
}

#[derive(Debug)]
struct State {
    index: ListingIndex,
    /// Absent until everything was read.
    at: Option<At>,
    recent: Recent,
}

/// Where the index stands, and its products.
#[derive(Debug, Clone, Copy, Default)]
struct Standing {
    at: Option<At>,
    products: usize,
}

/// A place in the log of one era.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct At {
    era: u32,
    position: i64,
    nonce: Option<Uuid>,
}

/// Why the index cannot answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ListsError {
    /// It is being read, for the first time or anew.
    #[error("lists are being read")]
    Unread,
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Lists {
    /// An index of nothing yet, for texts in this language, that is saved in a file if one is given.
    pub fn new(language: Locale, file: Option<SnapshotFile>) -> Self {
        let state = State { index: ListingIndex::new(&language), at: None, recent: Recent::default() };
        Self {
            language,
            state: RwLock::new(state),
            standing: Mutex::default(),
            caught_up: tokio::sync::Mutex::default(),
            updating: Mutex::new(()),
            file,
            saved: Mutex::default(),
        }
    }

    /// Whether everything was read that there is in this era.
    pub fn is_read(&self, era: u32) -> bool {
        self.position(era).is_some()
    }

    /// Position in the log of this era, if it stands in it.
    pub fn position(&self, era: u32) -> Option<i64> {
        self.standing().at.filter(|at| at.era == era).map(|at| at.position)
    }

    /// How many products are in it.
    pub fn len(&self) -> usize {
        self.standing().products
    }

    fn standing(&self) -> Standing {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads everything, in one snapshot. Meanwhile the index answers nothing, unless it stands in this era.
    pub(super) fn read_all(&self, connection: &mut Connection, era: Era) -> Result<(), StoreError> {
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        let (index, at) = reads::in_snapshot(connection, |connection| {
            let changes = reads::changes(connection, i64::MAX)?;
            of_era(era, &changes)?;
            let mut index = ListingIndex::new(&self.language);
            let _nothing_to_rename = Names::read(connection)?.set(&mut index);
            index.fill(Batches { connection, after: Some(Uuid::nil()) })?;
            Ok((index, At { era: era.ordinal, position: changes.head, nonce: changes.nonce }))
        })?;
        *self.write() = State { index, at: Some(at), recent: Recent::since(at.position) };
        Ok(())
    }

    /// Brings the index up to the database's head.
    pub(super) fn catch_up(&self, connection: &mut Connection, era: Era) -> Result<(), ListsError> {
        self.with_snapshot(connection, era, |_| Ok(()))
    }

    /// The same, and reads something else in the same snapshot while nothing moves.
    pub(super) fn with_snapshot<T>(
        &self,
        connection: &mut Connection,
        era: Era,
        read: impl FnOnce(&mut Connection) -> Result<T, ListsError>,
    ) -> Result<T, ListsError> {
        let _updating = self.updating.lock().unwrap_or_else(PoisonError::into_inner);
        reads::in_snapshot(connection, |connection| {
            Ok(self.bring(connection, era, false).and_then(|()| read(connection)))
        })?
    }

    /// Applies what changed, in the snapshot of the caller, who holds `updating`. Names are read where they changed, or because
    /// they are to be.
    fn bring(&self, connection: &mut Connection, era: Era, reads_names: bool) -> Result<(), ListsError> {
        let Some(at) = self.read().at.filter(|at| at.era == era.ordinal) else {
            return Err(ListsError::Unread);
        };
        let changes = reads::changes(connection, at.position)?;
        of_era(era, &changes)?;
        if changes.head == at.position && changes.known == at.nonce && !reads_names {
            return Ok(());
        }
        // Events that are gone, or others in their places: what happened in between is not known.
        let is_continued = at.position == 0 || (at.nonce.is_some() && changes.known == at.nonce);
        let Some(changed) = changes.products.filter(|_| is_continued) else {
            self.write().at = None;
            return Err(ListsError::Unread);
        };
        let ids: Vec<Uuid> = changed.keys().copied().collect();
        let mut found = HashMap::<Uuid, ListedProduct>::new();
        for ids in ids.chunks(CHANGED_CHUNK) {
            found.extend(reads::listed(connection, ids)?.into_iter().map(|product| (product.id, product)));
        }
        let names = changes.names.or(reads_names.then_some(at.position));
        let names =
            names.map(|position| Names::read(connection).map(|names| (position, names))).transpose()?;
        let mut state = self.write();
        let State { index, recent, at: place } = &mut *state;
        let mut in_order: Vec<(i64, Uuid)> =
            changed.into_iter().map(|(id, position)| (position, id)).collect();
        in_order.sort_unstable();
        if let Some((position, names)) = names {
            let renamed = names.set(index);
            recent.all_changed(position);
            if renamed.len() > RENAMED_MAX {
                *place = None;
                return Err(ListsError::Unread);
            }
            // Their words changed with the names. Nobody reads meanwhile: names and words are of one position.
            for product in reads::listed(connection, &renamed)? {
                index.put(product);
            }
        }
        for (position, id) in in_order {
            let before = index.product(&id);
            match found.remove(&id) {
                Some(product) => index.put(product),
                None => index.remove(&id),
            }
            recent.push(position, before, index.product(&id));
        }
        *place = Some(At { era: era.ordinal, position: changes.head, nonce: changes.nonce });
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        match self.state.read() {
            Ok(state) => state,
            Err(_poisoned) => {
                drop(self.write());
                self.state.read().unwrap_or_else(PoisonError::into_inner)
            }
        }
    }

    /// A panic in the midst of a change leaves an index that nothing can be said of: it is read anew.
    fn write(&self) -> Writing<'_> {
        let state = self.state.write().unwrap_or_else(|poisoned| {
            let mut state = poisoned.into_inner();
            state.at = None;
            self.state.clear_poison();
            state
        });
        Writing { state, standing: &self.standing }
    }
}

/// The state, to be changed. Tells where it stands when it is let go of: before anybody else can look at it.
struct Writing<'a> {
    state: RwLockWriteGuard<'a, State>,
    standing: &'a Mutex<Standing>,
}

impl Deref for Writing<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.state
    }
}

impl DerefMut for Writing<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        // Half a change counts for nothing.
        let at = self.state.at.filter(|_| !std::thread::panicking());
        let standing = Standing { at, products: self.state.index.len() };
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

/// All products, read as they are asked for.
struct Batches<'a> {
    connection: &'a mut Connection,
    /// The last id that was read; `None` behind the end.
    after: Option<Uuid>,
}

impl Iterator for Batches<'_> {
    type Item = Result<Vec<ListedProduct>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        let after = self.after?;
        let range = reads::range_end(self.connection, after, CHUNK).and_then(|end| {
            self.after = end;
            reads::listed_range(self.connection, after, end.unwrap_or(Uuid::max()))
        });
        if range.is_err() {
            self.after = None;
        }
        Some(range)
    }
}

/// Brands, categories and synonyms: few, so they are read whole.
struct Names {
    brands: Vec<ListedBrand>,
    categories: Vec<ListedCategory>,
    synonyms: Vec<SynonymSet>,
}

impl Names {
    fn read(connection: &mut Connection) -> Result<Self, StoreError> {
        Ok(Self {
            brands: reads::listed_brands(connection)?,
            categories: reads::listed_categories(connection)?,
            synonyms: reads::synonyms(connection)?.value,
        })
    }

    /// Enters them; gives the products that have to be put again.
    fn set(self, index: &mut ListingIndex) -> Vec<Uuid> {
        let mut renamed = index.set_brands(self.brands);
        renamed.extend(index.set_categories(self.categories));
        let words = |set: SynonymSet| set.words.into_iter().map(Into::into).collect();
        index.set_synonyms(self.synonyms.into_iter().map(words).collect());
        renamed.sort_unstable();
        renamed.dedup();
        renamed
    }
}

fn of_era(era: Era, changes: &ListedChanges) -> Result<(), StoreError> {
    if changes.era.is_some() && changes.era == era.id {
        return Ok(());
    }
    Err(StoreError::Unavailable("another era began".to_owned()))
}
