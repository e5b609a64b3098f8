//! Many products at once: what is cached needs no database, all that is missing is read in one statement.
//!
//! The parts of an answer are current at one moment: they are checked together at the end. Where edits come faster than that,
//! everything asked for is read in one snapshot.

mod parts;

use std::{collections::HashMap, sync::Arc};

use actix::Addr;
use futures_util::FutureExt;
use tokio::sync::oneshot;
use uuid::Uuid;

pub use self::parts::{Batch, BatchAnswer, Name, Names, Part, Product};
use super::{
    actor::{CatalogMessage, Reader},
    error::CatalogError,
    fill::{FillActor, FillMessage, Filler},
    loader::{Loader, Read},
    loads::{LoadBySkus, LoadBySlugs},
    messages::{Key, Source, ViewKey},
};
use crate::{
    cache::{Entry, Value},
    coherence::Stamp,
    domain::dependency::Dependency,
    store::reads::NamedRow,
    supervision::{Permit, guard::describe},
    telemetry::metrics::Metrics,
};

/// Entries that answer one name.
struct Found {
    /// What the name says, where it is not the product's id.
    via: Option<Arc<Entry>>,
    entry: Arc<Entry>,
}

impl Found {
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.via.iter().map(|via| &**via).chain(std::iter::once(&*self.entry))
    }

    fn part(&self) -> Part {
        match &self.entry.value {
            Value::Product { .. } => Part::Found(Arc::clone(&self.entry)),
            Value::Moved(slug) => Part::Moved(Arc::clone(slug)),
            Value::Body(_) | Value::Names(_) | Value::Ids { .. } | Value::Absent => Part::Absent,
        }
    }
}

/// What the cache has of a batch.
#[derive(Debug)]
pub enum LookedUp {
    /// Everything.
    Hit(BatchAnswer),
    /// Something is missing.
    Miss,
    /// There is no lease, so the caches prove nothing.
    Lapsed,
}

/// Asks for a batch; without a lease only where nobody need vouch for it.
#[derive(Debug, Clone)]
pub struct LookUp {
    /// What is asked for.
    pub batch: Batch,
    /// Whether a lease is needed.
    pub verified: bool,
}

impl CatalogMessage for LookUp {
    type Reply = LookedUp;
    const NAME: &'static str = "look_up_batch";

    fn handle(self, catalog: &mut Reader) -> LookedUp {
        // The lease before anything else; see [`Reader::look_up`].
        if self.verified && !catalog.is_leased() {
            return LookedUp::Lapsed;
        }
        let applied = catalog.coherence.gate().applied();
        let found: Option<Vec<Found>> = cached(catalog, &self.batch).into_iter().collect();
        let Some(found) = found.filter(|found| are_current(catalog, found)) else { return LookedUp::Miss };
        let mut answer = answer(&found, applied, Source::Local);
        if !self.verified {
            answer.unverified = Some(catalog.coherence.age());
        }
        LookedUp::Hit(answer)
    }
}

/// What the local cache has, name by name.
fn cached(reader: &Reader, batch: &Batch) -> Vec<Option<Found>> {
    let found = |key: Key| {
        let entry = reader.current(&key)?;
        let Value::Names(id) = entry.value else { return Some(Found { via: None, entry }) };
        let product = reader.current(&Key::Product(id, batch.view))?;
        Some(Found { via: Some(entry), entry: product })
    };
    batch.names.keys(batch.view).into_iter().map(found).collect()
}

fn are_current(reader: &Reader, found: &[Found]) -> bool {
    found.iter().flat_map(Found::entries).all(|entry| reader.admits(entry))
}

/// Composes the answer of parts that are current, which was looked at after `applied`.
fn answer(found: &[Found], applied: i64, source: Source) -> BatchAnswer {
    let positions = found.iter().map(|found| match found.via {
        Some(_) => applied,
        None => applied.max(found.entry.stamp.position),
    });
    BatchAnswer {
        position: positions.min().unwrap_or(applied),
        parts: found.iter().map(Found::part).collect(),
        source,
        unverified: None,
    }
}

/// Asks for a batch of which something is missing.
#[derive(Debug)]
pub struct FillBatch {
    /// What is asked for.
    pub batch: Batch,
    /// The right to be in flight; held until it is over.
    pub permit: Permit,
}

impl FillMessage for FillBatch {
    type Reply = oneshot::Receiver<Result<BatchAnswer, CatalogError>>;
    const NAME: &'static str = "fill_batch";

    fn handle(self, filler: &mut Filler, _own: &Addr<FillActor>) -> Self::Reply {
        let (reply, receiver) = oneshot::channel();
        let loader = filler.loader().clone();
        actix_rt::spawn(async move {
            let Self { batch, permit } = self;
            let load = std::panic::AssertUnwindSafe(load(&loader, &batch));
            let loaded = load.catch_unwind().await.unwrap_or_else(|payload| {
                Err(CatalogError::Internal(format!("panic while filling: {}", describe(payload.as_ref()))))
            });
            drop(permit);
            let _gone = reply.send(loaded);
        });
        receiver
    }
}

/// Completes what is cached by one statement; if changes overtake that, reads everything by one.
async fn load(loader: &Loader, batch: &Batch) -> Result<BatchAnswer, CatalogError> {
    let reader = &loader.reader;
    let applied = reader.coherence.gate().applied();
    let mut found = cached(reader, batch);
    read_missing(loader, batch, &mut found).await?;
    let complete: Option<Vec<Found>> = found.into_iter().collect();
    if let Some(found) = complete.filter(|found| are_current(reader, found)) {
        return Ok(answer(&found, applied, Source::Database));
    }
    let mut found: Vec<Option<Found>> = Vec::new();
    found.resize_with(batch.names.len(), || None);
    let stamp = read_missing(loader, batch, &mut found).await?;
    let found: Option<Vec<Found>> = found.into_iter().collect();
    let found = found.ok_or_else(|| CatalogError::Internal("a batch with gaps".to_owned()))?;
    // One snapshot: it is what was there when it was read, whatever has changed since.
    let position = stamp.map_or(applied, |stamp| stamp.position);
    Ok(BatchAnswer { position, ..answer(&found, 0, Source::Database) })
}

/// Reads what is not found yet in one statement, waits until it is stable, and keeps it.
async fn read_missing(
    loader: &Loader,
    batch: &Batch,
    found: &mut [Option<Found>],
) -> Result<Option<Stamp>, CatalogError> {
    let era = loader.reader.coherence.era();
    let missing = |names: &[String]| -> Vec<String> {
        let names = names.iter().zip(found.iter()).filter(|(_, found)| found.is_none());
        names.map(|(name, _)| name.clone()).collect()
    };
    let (stamp, entries) = match &*batch.names {
        Names::Ids(ids) => {
            let missing = ids.iter().zip(found.iter()).filter(|(_, found)| found.is_none());
            let missing: Vec<Uuid> = missing.map(|(id, _)| *id).collect();
            if missing.is_empty() {
                return Ok(None);
            }
            by_id(loader, missing, batch.view).await?
        }
        Names::Slugs(names) => {
            let missing = missing(names);
            if missing.is_empty() {
                return Ok(None);
            }
            let Read { stamp, value } = loader.read(LoadBySlugs(missing.clone())).await?;
            (stamp, named(loader, &missing, value, batch.view, stamp, |name| Key::Slug(name.into()))?)
        }
        Names::Skus(names) => {
            let missing = missing(names);
            if missing.is_empty() {
                return Ok(None);
            }
            let Read { stamp, value } = loader.read(LoadBySkus(missing.clone())).await?;
            (stamp, named(loader, &missing, value, batch.view, stamp, |name| Key::Sku(name.into()))?)
        }
    };
    loader.settle(era, entries.values().map(|entry| &**entry)).await;
    for (key, entry) in &entries {
        loader.reader.local.insert(key.clone(), Arc::clone(entry));
    }
    for (key, place) in batch.names.keys(batch.view).iter().zip(found).filter(|(_, place)| place.is_none()) {
        let Some(entry) = entries.get(key) else { continue };
        *place = match entry.value {
            Value::Names(id) => entries
                .get(&Key::Product(id, batch.view))
                .map(|product| Found { via: Some(Arc::clone(entry)), entry: Arc::clone(product) }),
            Value::Product { .. } | Value::Body(_) | Value::Moved(_) | Value::Ids { .. } | Value::Absent => {
                Some(Found { via: None, entry: Arc::clone(entry) })
            }
        };
    }
    Ok(Some(stamp))
}

type Entries = HashMap<Key, Arc<Entry>>;

async fn by_id(loader: &Loader, ids: Vec<Uuid>, view: ViewKey) -> Result<(Stamp, Entries), CatalogError> {
    let mut entries = Entries::with_capacity(ids.len());
    let Read { stamp, value } = loader.products(ids.clone()).await?;
    for (id, row) in &value {
        let entry = loader.product_entry(*id, row, view, stamp)?;
        entries.insert(Key::Product(*id, view), Arc::new(entry));
    }
    for id in ids {
        let absent = || entry(stamp, vec![Dependency::product(&id)], Value::Absent);
        entries.entry(Key::Product(id, view)).or_insert_with(absent);
    }
    Ok((stamp, entries))
}

/// The entries of names and of what they name, read at `stamp`.
fn named(
    loader: &Loader,
    names: &[String],
    rows: Vec<NamedRow>,
    view: ViewKey,
    stamp: Stamp,
    key: impl Fn(&str) -> Key,
) -> Result<Entries, CatalogError> {
    let mut entries = Entries::with_capacity(names.len() * 2);
    let by_name = |key: &Key, name: &str| match key {
        Key::Sku(_) => Dependency::sku(name),
        Key::Slug(_)
        | Key::Product(..)
        | Key::Ids(_)
        | Key::Page(..)
        | Key::Suggestions(..)
        | Key::Tree
        | Key::Category(_)
        | Key::Brands
        | Key::Attributes => Dependency::slug(name),
    };
    for NamedRow { name, id, moved_to, row } in rows {
        let key = key(&name);
        let by_name = by_name(&key, &name);
        let made = if let Some(slug) = moved_to {
            // Where it moved to changes with the product.
            entry(stamp, vec![by_name, Dependency::product(&id)], Value::Moved(slug.into()))
        } else {
            let product = loader.product_entry(id, &row, view, stamp)?;
            entries.insert(Key::Product(id, view), Arc::new(product));
            entry(stamp, vec![by_name], Value::Names(id))
        };
        entries.insert(key, made);
    }
    for name in names {
        let key = key(name);
        let by_name = by_name(&key, name);
        entries.entry(key).or_insert_with(|| entry(stamp, vec![by_name], Value::Absent));
    }
    Ok(entries)
}

fn entry(stamp: Stamp, dependencies: Vec<Dependency>, value: Value) -> Arc<Entry> {
    Arc::new(Entry::new(stamp, dependencies, value))
}

/// Key by whose hash a fill actor is chosen, so that equal batches meet at one.
pub(super) fn first_key(batch: &Batch) -> Key {
    batch.names.keys(batch.view).into_iter().next().unwrap_or(Key::Tree)
}

/// Counts a look-up.
pub(super) fn count(metrics: &Metrics, found: &LookedUp) {
    match found {
        LookedUp::Hit(_) => metrics.cache.local_hits.inc(),
        LookedUp::Miss | LookedUp::Lapsed => metrics.cache.local_misses.inc(),
    }
}
