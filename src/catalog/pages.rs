//! Pages of lists: ordered ids, hydrated with the cards of the product cache, composed into one ready-to-send body.
//!
//! The ids fall only when an edit can change membership or order; a card falls with its product; the composed page
//! depends on all of them. So a price edit costs one row and one composition, and no list query.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use uuid::Uuid;

use super::{
    cursor,
    error::CatalogError,
    loader::{self, Loaded, Loader, Read},
    messages::{Cursor, Key, ListQuery, Source, ViewKey},
};
use crate::{
    cache::{Encoded, Entry, SharedCache, Value},
    coherence::Stamp,
    domain::dependency::Dependency,
    store::reads::ProductRow,
};

/// Compositions of cached parts before everything is read in one snapshot instead.
const ATTEMPTS: usize = 2;

/// Composes one page of parts that are current at one moment: they are checked together at the end. Where edits come faster
/// than that, all parts are read anew in one snapshot, which always succeeds.
pub(super) async fn load(
    loader: &Loader,
    query: &ListQuery,
    view: ViewKey,
    shared: Option<&SharedCache>,
) -> Result<Loaded, CatalogError> {
    for _ in 0..ATTEMPTS {
        let gate = loader.reader.coherence.gate();
        let stamp = Stamp { era: gate.era(), position: gate.applied() };
        let (ids, source) = ids_entry(loader, query, shared).await?;
        let Value::Ids { ids: listed, .. } = &ids.value else {
            return Ok(Loaded { entry: ids, source });
        };
        let cards = cards(loader, listed, view).await?;
        if std::iter::once(&ids).chain(cards.values()).all(|part| part.is_current(gate)) {
            // Every part reflects all events on its dependencies up to `stamp`, taken before any of them was checked.
            return Ok(Loaded { entry: Arc::new(page(query, stamp, &ids, &cards)), source });
        }
    }
    load_snapshot(loader, query, view).await
}

/// Reads a page and its products in one snapshot.
async fn load_snapshot(loader: &Loader, query: &ListQuery, view: ViewKey) -> Result<Loaded, CatalogError> {
    let era = loader.reader.coherence.era();
    let Read { stamp, value } = loader.page(query).await?;
    let is_absent = value.is_none();
    let (listed, rows) = value.map_or((None, Vec::new()), |page| (Some(page.ids), page.products));
    let ids = loader::ids_entry(stamp, listed);
    let cards: HashMap<Uuid, Arc<Entry>> = entries(loader, &rows, view, stamp)?.into_iter().collect();
    loader.settle(era, std::iter::once(&ids).chain(cards.values().map(|card| &**card))).await;
    let entry = if is_absent { ids } else { page(query, stamp, &ids, &cards) };
    Ok(Loaded { entry: Arc::new(entry), source: Source::Database })
}

/// The entry of a page: it depends on all that its parts depend on.
fn page(query: &ListQuery, stamp: Stamp, ids: &Entry, cards: &HashMap<Uuid, Arc<Entry>>) -> Entry {
    let parts = std::iter::once(ids).chain(cards.values().map(|card| &**card));
    let dependencies: Vec<Dependency> = parts.flat_map(|part| part.dependencies.iter().copied()).collect();
    let body = match &ids.value {
        Value::Ids { ids, next } => Value::Body(compose(query, ids, next.as_ref(), cards)),
        Value::Product { .. } | Value::Body(_) | Value::Names(_) | Value::Moved(_) | Value::Absent => {
            Value::Absent
        }
    };
    Entry { stamp, dependencies: dependencies.into(), value: body }
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

async fn ids_entry(
    loader: &Loader,
    query: &ListQuery,
    shared: Option<&SharedCache>,
) -> Result<(Arc<Entry>, Source), CatalogError> {
    let key = Key::Ids(Box::new(query.clone()));
    if let Some(entry) = loader.reader.current(&key) {
        return Ok((entry, Source::Database));
    }
    let loaded = Box::pin(loader.load(&key, shared)).await?;
    if let (Source::Database, Some(shared)) = (loaded.source, shared) {
        loader.share(&key, &loaded.entry, shared).await;
    }
    loader.reader.local.insert(key, Arc::clone(&loaded.entry));
    Ok((loaded.entry, loaded.source))
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

fn compose(
    query: &ListQuery,
    ids: &[Uuid],
    next: Option<&Cursor>,
    cards: &HashMap<Uuid, Arc<Entry>>,
) -> Encoded {
    let listed = ids.iter().filter_map(|id| match &cards.get(id)?.value {
        Value::Product { card, .. } => Some(card),
        Value::Body(_) | Value::Names(_) | Value::Moved(_) | Value::Ids { .. } | Value::Absent => None,
    });
    let mut json = b"{\"items\":[".to_vec();
    for (index, card) in listed.enumerate() {
        if index > 0 {
            json.push(b',');
        }
        let card: &Bytes = card;
        json.extend_from_slice(card);
    }
    json.extend_from_slice(b"],\"next_cursor\":");
    let token: Option<Arc<str>> = next.map(|next| cursor::token(query, next.clone()).into());
    match &token {
        // A token is base64url: nothing in it needs escaping.
        Some(token) => json.extend_from_slice(format!("\"{token}\"").as_bytes()),
        None => json.extend_from_slice(b"null"),
    }
    json.push(b'}');
    Encoded::new(0, &json).followed_by(token)
}
