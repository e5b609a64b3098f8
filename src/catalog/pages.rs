//! Pages of lists: ordered ids, hydrated with the cards of the product cache, composed into one ready-to-send body.
//!
//! The ids are made anew only when an edit can have changed membership or order; a card falls with its product; the composed
//! page depends on all of them. So a price edit costs one row and one composition, and no list query.

use std::{collections::HashMap, sync::Arc};

use uuid::Uuid;

use super::{
    compose::compose,
    error::CatalogError,
    lists::{Access, Earlier, LoadList, LoadListSnapshot},
    loader::{Loaded, Loader, Read, absent},
    loads::LoadIds,
    messages::{Key, Source, ViewKey},
};
use crate::{
    cache::{Entry, Listing, Value},
    coherence::{Era, Moment, Stamp},
    domain::{
        dependency::Dependency,
        list::{Facet, ListPage, ListQuery, Sort},
    },
    limits::{LISTS_PATIENCE, LISTS_POLL},
    store::reads::{self, ProductRow, Snapshot},
};

/// Compositions of cached parts before everything is read in one snapshot instead.
const ATTEMPTS: usize = 2;

/// Composes one page of parts that are current at one moment: they are checked together at the end. Where edits come faster
/// than that, all parts are read anew in one snapshot, which always succeeds.
pub(super) async fn load(loader: &Loader, query: &ListQuery, view: ViewKey) -> Result<Loaded, CatalogError> {
    for _ in 0..ATTEMPTS {
        let (gate, read) = (loader.reader.coherence.gate(), acknowledged_before(loader));
        let stamp = Stamp { era: gate.era(), position: gate.applied() };
        let ids = ids_entry(loader, query).await?;
        let Value::Ids(listed) = &ids.value else {
            return Ok(Loaded { entry: ids, source: Source::Database });
        };
        let cards = cards(loader, &listed.ids, view).await?;
        if std::iter::once(&ids).chain(cards.values()).all(|part| part.is_current(gate)) {
            // Every part reflects all events on its dependencies up to `stamp`, taken before any of them was checked.
            let entry = Arc::new(page(loader, query, view, (stamp, read), &ids, &cards));
            return Ok(Loaded { entry, source: Source::Database });
        }
    }
    load_snapshot(loader, query, view).await
}

/// Loads the ids of a page, of which what was cached may still be right.
pub(super) async fn load_ids(loader: &Loader, query: &ListQuery) -> Result<Loaded, CatalogError> {
    let access = loader.access();
    let era = access.era.ordinal;
    if access.lists.is_read(era) {
        let listed = load_indexed(loader, query, &access).await;
        if listed.is_ok() || access.lists.is_read(era) {
            return listed;
        }
    }
    // It is being read, for the first time, or because too much has changed at once.
    if reads::is_plain(query) {
        return load_plain(loader, query, access.era).await;
    }
    let began = Moment::now();
    while !access.lists.is_read(era) && Moment::now().since(began) < LISTS_PATIENCE {
        tokio::time::sleep(LISTS_POLL).await;
    }
    load_indexed(loader, query, &access).await
}

async fn load_indexed(loader: &Loader, query: &ListQuery, access: &Access) -> Result<Loaded, CatalogError> {
    let earlier = loader.reader.local.get(&Key::Ids(Arc::new(query.clone())));
    let earlier =
        earlier.filter(|entry| entry.stamp.era == access.era.ordinal).and_then(|entry| match &entry.value {
            Value::Ids(page) => Some(Earlier { page: Arc::clone(page), position: entry.stamp.position }),
            Value::Product { .. } | Value::Body(_) | Value::Names(_) | Value::Moved(_) | Value::Absent => {
                None
            }
        });
    access.refresh(&loader.store).await?;
    let message = LoadList { access: access.clone(), query: query.clone(), earlier: earlier.clone() };
    let Snapshot { head, value } = loader.list_actors.ask(message).await?;
    let stamp = loader.stamp(access.era, head).await?;
    settle(loader, access, value.touched).await;
    let counters = &loader.metrics.lists;
    match (&earlier, &value.page) {
        (Some(earlier), Some(page)) if Arc::ptr_eq(&earlier.page, page) => counters.kept.inc(),
        (Some(earlier), Some(page)) if earlier.page == *page => counters.remade_in_vain.inc(),
        (Some(_), _) => counters.remade.inc(),
        (None, _) => counters.made.inc(),
    }
    Ok(Loaded { entry: Arc::new(entry_of(query, stamp, value.page)), source: Source::Database })
}

/// The same by the database, for as long as the index is not read: what one of its indexes answers.
async fn load_plain(loader: &Loader, query: &ListQuery, era: Era) -> Result<Loaded, CatalogError> {
    let Read { stamp, value } = loader.read(LoadIds(query.clone())).await?;
    let entry = entry_of(query, stamp, value.map(Arc::new));
    loader.settle(era, [&entry]).await;
    Ok(Loaded { entry: Arc::new(entry), source: Source::Database })
}

/// Waits until the last change that is seen in a page is stable.
async fn settle(loader: &Loader, access: &Access, touched: i64) {
    let (coherence, since) = (&access.coherence, Moment::now());
    if touched > 0 && !coherence.is_stable(access.era.ordinal, touched) {
        coherence.stable(access.era.ordinal, touched, since).await;
        loader.metrics.coherence.dirty_wait.observe(Moment::now().since(since).as_secs_f64());
    }
}

/// Reads a page and its products in one snapshot.
async fn load_snapshot(loader: &Loader, query: &ListQuery, view: ViewKey) -> Result<Loaded, CatalogError> {
    let (access, read) = (loader.access(), acknowledged_before(loader));
    let message = LoadListSnapshot { access: access.clone(), query: query.clone() };
    let turn = access.turn().await?;
    let Snapshot { head, value: (listed, rows) } = loader.store.ask(message).await?;
    drop(turn);
    let stamp = loader.stamp(access.era, head).await?;
    let ids = entry_of(query, stamp, listed.page);
    let cards: HashMap<Uuid, Arc<Entry>> = entries(loader, &rows, view, stamp)?.into_iter().collect();
    settle(loader, &access, listed.touched).await;
    loader.settle(access.era, cards.values().map(|card| &**card)).await;
    let entry = match ids.value {
        Value::Ids(_) => page(loader, query, view, (stamp, read), &ids, &cards),
        Value::Product { .. } | Value::Body(_) | Value::Names(_) | Value::Moved(_) | Value::Absent => ids,
    };
    Ok(Loaded { entry: Arc::new(entry), source: Source::Database })
}

/// The entry of a composed page: it depends on all that its parts depend on. One that says what it said before keeps its codings.
fn page(
    loader: &Loader,
    query: &ListQuery,
    view: ViewKey,
    (stamp, read): (Stamp, Moment),
    ids: &Entry,
    cards: &HashMap<Uuid, Arc<Entry>>,
) -> Entry {
    let Value::Ids(listed) = &ids.value else { return absent(stamp, [Dependency::category_tree()]) };
    let mut of_cards: Vec<Dependency> =
        cards.values().flat_map(|card| card.dependencies.iter().copied()).collect();
    of_cards.sort_unstable();
    of_cards.dedup();
    let listing = Listing { read, dependencies: ids.dependencies.len() };
    let dependencies = [&ids.dependencies, &of_cards[..]].concat();
    let composed = compose(query, listed, cards);
    let earlier = loader.reader.local.get(&Key::Page(Arc::new(query.clone()), view));
    let same = earlier.as_deref().and_then(|entry| match &entry.value {
        Value::Body(body) => Some(body).filter(|body| body.identity() == composed.identity()).cloned(),
        Value::Product { .. } | Value::Names(_) | Value::Moved(_) | Value::Ids(_) | Value::Absent => None,
    });
    let body = same.unwrap_or(composed).listing(listing);
    Entry::new(stamp, dependencies, Value::Body(body))
}

/// Everything acknowledged before this moment is in what is read from now on: with a lease that is now, without one it is when
/// somebody last vouched.
fn acknowledged_before(loader: &Loader) -> Moment {
    let (gate, now) = (loader.reader.coherence.gate(), Moment::now());
    if gate.is_leased(now) { now } else { gate.vouched() }
}

/// The entry of a page's ids; of an unknown category, where there is none.
fn entry_of(query: &ListQuery, stamp: Stamp, page: Option<Arc<ListPage>>) -> Entry {
    let Some(page) = page else {
        // Any change of the tree may make it known.
        return absent(stamp, [Dependency::category_tree()]);
    };
    Entry::new(stamp, dependencies(query, &page), Value::Ids(page))
}

/// What can change a page's ids and counts. Lists that know of nothing but places and titles have a dependency for each
/// category; all others fall with any product and are looked at before they are made anew (see [`super::lists`]).
fn dependencies(query: &ListQuery, page: &ListPage) -> Vec<Dependency> {
    let is_by_place = matches!(query.sort, Sort::Newest | Sort::Title | Sort::Position | Sort::Relevance);
    let is_plain = is_by_place && !query.filter.narrows() && query.facets.is_empty() && !query.has_total;
    let counts = |facet: &Facet| query.facets.contains(facet);
    let has_text = query.filter.text.is_some();
    let mut all = vec![match page.category {
        Some(id) if is_plain => Dependency::listing(&id),
        None if is_plain => Dependency::listing_all(),
        Some(_) | None => Dependency::goods(),
    }];
    all.extend(page.category.map(|id| Dependency::category(&id)));
    if has_text || counts(&Facet::Category) {
        all.push(Dependency::category_tree());
    }
    if has_text || !query.filter.brands.is_empty() || counts(&Facet::Brand) {
        all.push(Dependency::brand_list());
    }
    if has_text {
        all.push(Dependency::synonyms());
    }
    all
}

/// The entries of products that were read at `stamp`.
fn entries(
    loader: &Loader,
    rows: &[(Uuid, ProductRow)],
    view: ViewKey,
    stamp: Stamp,
) -> Result<Vec<(Uuid, Arc<Entry>)>, CatalogError> {
    let entry = |(id, row): &(Uuid, ProductRow)| {
        loader.product_entry(*id, row, view, stamp).map(|entry| (*id, Arc::new(entry)))
    };
    rows.iter().map(entry).collect()
}

async fn ids_entry(loader: &Loader, query: &ListQuery) -> Result<Arc<Entry>, CatalogError> {
    let key = Key::Ids(Arc::new(query.clone()));
    if let Some(entry) = loader.reader.current(&key) {
        return Ok(entry);
    }
    let loaded = load_ids(loader, query).await?;
    loader.reader.local.insert(key, Arc::clone(&loaded.entry));
    Ok(loaded.entry)
}

/// Current entries of the listed products; what the local cache lacks is read in one statement.
async fn cards(
    loader: &Loader,
    ids: &[Uuid],
    view: ViewKey,
) -> Result<HashMap<Uuid, Arc<Entry>>, CatalogError> {
    let mut found = HashMap::with_capacity(ids.len());
    let mut missing = Vec::new();
    for id in ids {
        match loader.reader.current(&Key::Product(*id, view)) {
            Some(entry) => {
                found.insert(*id, entry);
            }
            None => missing.push(*id),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let era = loader.reader.coherence.era();
    let read = loader.products(missing).await?;
    let entries = entries(loader, &read.value, view, read.stamp)?;
    loader.settle(era, entries.iter().map(|(_, entry)| &**entry)).await;
    for (id, entry) in &entries {
        loader.reader.local.insert(Key::Product(*id, view), Arc::clone(entry));
        found.insert(*id, Arc::clone(entry));
    }
    Ok(found)
}
