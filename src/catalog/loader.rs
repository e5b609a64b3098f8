//! What a flight does: shared cache, else store actors; the rows become an entry.

use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::{
    actor::Reader,
    edits::Query,
    error::CatalogError,
    lists::{Access, ListPool, Lists, LoadSuggestions},
    loads::{
        LoadAttributes, LoadBrands, LoadCategories, LoadCategory, LoadProducts, LoadSku, LoadSlug, Run,
        apply_up_to,
    },
    messages::{Key, Source, ViewKey},
    pages,
    pool::StorePool,
    together::Together,
};
use crate::{
    cache::{Encoded, Entry, SharedCache, Value},
    coherence::{Era, Moment, Stamp},
    domain::{
        attribute::StoreAttributes,
        category::{self, StoreBrands},
        dependency::Dependency,
        list_body::{SuggestedName, SuggestedProduct, SuggestionsBody},
        listed::{ListedBrand, ListedCategory},
        locale::Locale,
        rendering::{self, View},
    },
    listing::Suggestions,
    store::reads::{ProductRow, Snapshot},
    telemetry::metrics::Metrics,
};

/// Everything a flight needs. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Loader {
    /// The local cache and coherence state.
    pub reader: Reader,
    /// The store actors.
    pub store: StorePool,
    /// Products that wait for them.
    pub together: Together,
    /// The index of lists.
    pub lists: Arc<Lists>,
    /// The actors that read it.
    pub list_actors: ListPool,
    /// Languages by their index in keys.
    pub locales: Arc<[Locale]>,
    /// Counters.
    pub metrics: Arc<Metrics>,
}

/// What was read of Postgres, and where.
#[derive(Debug)]
pub(super) struct Read<T> {
    /// Position and era.
    pub(super) stamp: Stamp,
    /// What was found.
    pub(super) value: T,
}

/// What a flight brings.
#[derive(Debug)]
pub struct Loaded {
    /// The entry; it may already be overtaken by a change.
    pub entry: Arc<Entry>,
    /// Where it came from.
    pub source: Source,
}

impl Loader {
    /// Loads `key`: from Redis if it has a current entry, else from Postgres. What it brings reflects stable events only.
    pub async fn load(&self, key: &Key, shared: Option<&SharedCache>) -> Result<Loaded, CatalogError> {
        let era = self.reader.coherence.era();
        if let Some(entry) = self.ask_shared(era, key, shared).await {
            return Ok(Loaded { entry: Arc::new(entry), source: Source::Shared });
        }
        let entry = match key {
            Key::Product(id, view) => self.product(*id, *view).await?,
            Key::Slug(slug) => self.slug(slug).await?,
            Key::Sku(sku) => self.sku(sku).await?,
            Key::Ids(query) => return pages::load_ids(self, query).await,
            Key::Page(query, view) => return pages::load(self, query, *view).await,
            Key::Suggestions(text, limit) => self.suggestions(text, *limit).await?,
            Key::Tree => self.tree().await?,
            Key::Category(name) => self.category(name).await?,
            Key::Brands => self.brands().await?,
            Key::Attributes => self.attributes().await?,
        };
        self.settle(era, [&entry]).await;
        Ok(Loaded { entry: Arc::new(entry), source: Source::Database })
    }

    /// Gives an entry to the shared cache, under the era it was read in: its position says nothing in another.
    pub(super) async fn share(&self, key: &Key, entry: &Entry, shared: &SharedCache) {
        let era = self.reader.coherence.era();
        if era.ordinal == entry.stamp.era
            && let Some(name) = shared_key(key, &self.locales)
        {
            shared.set(era, &name, entry).await;
        }
    }

    /// Waits until everything that was seen in these entries, just read from Postgres, is stable: else this answer would
    /// show an edit that another instance does not show yet, and the same client could see the old state there afterwards.
    pub(super) async fn settle(&self, era: Era, entries: impl IntoIterator<Item = &Entry>) {
        let (coherence, since) = (&self.reader.coherence, Moment::now());
        let touched = entries
            .into_iter()
            .map(|entry| coherence.gate().height(&entry.dependencies).min(entry.stamp.position));
        let Some(seen) = touched.max() else { return };
        if !coherence.is_stable(era.ordinal, seen) {
            coherence.stable(era.ordinal, seen, since).await;
            let waited = Moment::now().since(since);
            self.metrics.coherence.dirty_wait.observe(waited.as_secs_f64());
        }
    }

    /// The shared cache's entry of `key`, if it has missed no known change.
    pub(super) async fn ask_shared(
        &self,
        era: Era,
        key: &Key,
        shared: Option<&SharedCache>,
    ) -> Option<Entry> {
        let shared = shared?;
        let name = shared_key(key, &self.locales)?;
        let counters = &self.metrics.cache;
        if !shared.is_available() {
            counters.shared_skipped.inc();
            return None;
        }
        let found = shared.get(era, &name).await;
        let gate = self.reader.coherence.gate();
        // One that was read further on than is applied here may be right, but nothing here fits it yet.
        let current = found
            .as_ref()
            .is_some_and(|entry| entry.is_current(gate) && entry.stamp.position <= gate.applied());
        match (&found, current) {
            (Some(_), true) => counters.shared_hits.inc(),
            (Some(_), false) => counters.shared_fenced.inc(),
            (None, _) => counters.shared_misses.inc(),
        }
        found.filter(|_| current)
    }

    async fn product(&self, id: Uuid, view: ViewKey) -> Result<Entry, CatalogError> {
        let era = self.reader.coherence.era();
        let Snapshot { head, value } =
            self.together.load(&self.store, &self.metrics.flights.statements, id).await?;
        let stamp = self.stamp(era, head).await?;
        match value {
            Some(row) => self.product_entry(id, &row, view, stamp),
            None => Ok(absent(stamp, [Dependency::product(&id)])),
        }
    }

    /// Reads a snapshot and applies the log up to it, so that what it shows is not older anywhere else here.
    pub(super) async fn read<Q, T>(&self, query: Q) -> Result<Read<T>, CatalogError>
    where
        Q: Query<Reply = Snapshot<T>>,
    {
        let era = self.reader.coherence.era();
        let Snapshot { head, value } = self.store.ask(Run(query)).await?;
        Ok(Read { stamp: self.stamp(era, head).await?, value })
    }

    /// Makes a product's entry from its row.
    pub(super) fn product_entry(
        &self,
        id: Uuid,
        row: &ProductRow,
        view: ViewKey,
        stamp: Stamp,
    ) -> Result<Entry, CatalogError> {
        let rendered = serde_json::from_str(&row.body)
            .and_then(|document| {
                let view = View { currency: view.currency, locale: self.locale(view) };
                rendering::render(&document, row.brand.as_ref(), &row.categories, &view)
            })
            .map_err(|error| CatalogError::Internal(format!("document of product {id}: {error}")))?;
        let mut dependencies = vec![Dependency::product(&id)];
        dependencies.extend(row.brand.iter().map(|brand| Dependency::brand(&brand.id)));
        dependencies.extend(row.categories.iter().map(|category| Dependency::category(&category.id)));
        let value = Value::Product {
            body: Encoded::new(row.version, &rendered.product),
            card: Bytes::copy_from_slice(&rendered.card),
        };
        Ok(Entry::new(stamp, dependencies, value))
    }

    /// Several products' rows in one statement.
    pub(super) async fn products(
        &self,
        ids: Vec<Uuid>,
    ) -> Result<Read<Vec<(Uuid, ProductRow)>>, CatalogError> {
        self.read(LoadProducts(ids)).await
    }

    async fn slug(&self, slug: &str) -> Result<Entry, CatalogError> {
        let Read { stamp, value } = self.read(LoadSlug(slug.into())).await?;
        let by_name = Dependency::slug(slug);
        let Some(target) = value else { return Ok(absent(stamp, [by_name])) };
        let (value, dependencies) = if target.is_current {
            (Value::Names(target.product_id), vec![by_name])
        } else {
            // Where it moved to changes with the product.
            let product = Dependency::product(&target.product_id);
            (Value::Moved(target.current_slug.into()), vec![by_name, product])
        };
        Ok(Entry::new(stamp, dependencies, value))
    }

    async fn sku(&self, sku: &str) -> Result<Entry, CatalogError> {
        let Read { stamp, value } = self.read(LoadSku(sku.into())).await?;
        let value = value.map_or(Value::Absent, Value::Names);
        Ok(Entry::new(stamp, [Dependency::sku(sku)], value))
    }

    async fn suggestions(&self, text: &str, limit: u8) -> Result<Entry, CatalogError> {
        let access = self.access();
        let message =
            LoadSuggestions { access: access.clone(), text: text.into(), limit: usize::from(limit) };
        access.refresh(&self.store).await?;
        let Snapshot { head, value } = self.list_actors.ask(message).await?;
        let stamp = self.stamp(access.era, head).await?;
        let dependencies = [Dependency::goods(), Dependency::brand_list(), Dependency::category_tree()];
        json_entry(stamp, 0, dependencies, &suggestions(value))
    }

    /// What a read of lists needs, beginning now.
    pub(super) fn access(&self) -> Access {
        let coherence = Arc::clone(&self.reader.coherence);
        Access { lists: Arc::clone(&self.lists), era: coherence.era(), coherence }
    }

    /// Applies the log up to what was read; the stamp of it.
    pub(super) async fn stamp(&self, era: Era, head: i64) -> Result<Stamp, CatalogError> {
        apply_up_to(&self.reader.coherence, &self.store, era, head).await?;
        Ok(Stamp { era: era.ordinal, position: head })
    }

    async fn tree(&self) -> Result<Entry, CatalogError> {
        let Read { stamp, value } = self.read(LoadCategories).await?;
        json_entry(stamp, 0, [Dependency::category_tree()], &category::tree(value))
    }

    async fn category(&self, name: &str) -> Result<Entry, CatalogError> {
        let Read { stamp, value } = self.read(LoadCategory(name.into())).await?;
        let tree = Dependency::category_tree();
        match value {
            Some(found) => json_entry(stamp, found.version, [tree], &found.category),
            None => Ok(absent(stamp, [tree])),
        }
    }

    async fn brands(&self) -> Result<Entry, CatalogError> {
        let Read { stamp, value } = self.read(LoadBrands).await?;
        json_entry(stamp, 0, [Dependency::brand_list()], &StoreBrands { items: value })
    }

    async fn attributes(&self) -> Result<Entry, CatalogError> {
        let Read { stamp, value } = self.read(LoadAttributes).await?;
        json_entry(stamp, 0, [Dependency::attribute_list()], &StoreAttributes { items: value })
    }

    fn locale(&self, view: ViewKey) -> Locale {
        let index = usize::from(view.locale);
        self.locales.get(index).or(self.locales.first()).cloned().unwrap_or_default()
    }
}

fn suggestions(found: Suggestions) -> SuggestionsBody {
    let Suggestions { products, categories, brands } = found;
    SuggestionsBody {
        products: products.into_iter().map(|(id, title)| SuggestedProduct { id, title }).collect(),
        categories: categories
            .into_iter()
            .map(|ListedCategory { id, slug, name, path: _ }| SuggestedName { id, slug, name })
            .collect(),
        brands: brands
            .into_iter()
            .map(|ListedBrand { id, slug, name }| SuggestedName { id, slug, name })
            .collect(),
    }
}

pub(super) fn absent(stamp: Stamp, dependencies: [Dependency; 1]) -> Entry {
    Entry::new(stamp, dependencies, Value::Absent)
}

fn json_entry<const N: usize>(
    stamp: Stamp,
    version: i64,
    dependencies: [Dependency; N],
    body: &impl serde::Serialize,
) -> Result<Entry, CatalogError> {
    let json = serde_json::to_vec(body).map_err(|error| CatalogError::Internal(error.to_string()))?;
    let value = Value::Body(Encoded::new(version, &json));
    Ok(Entry::new(stamp, dependencies, value))
}

/// Name of a key in the shared cache; `None` for what is composed from other entries.
pub(super) fn shared_key(key: &Key, locales: &[Locale]) -> Option<String> {
    match key {
        Key::Product(id, view) => {
            let locale = locales.get(usize::from(view.locale))?;
            Some(format!("p:{}:{}:{locale}", id.simple(), view.currency))
        }
        Key::Slug(slug) => Some(format!("s:{slug}")),
        Key::Sku(sku) => Some(format!("k:{sku}")),
        Key::Ids(_) | Key::Page(..) | Key::Suggestions(..) => None,
        Key::Tree => Some("t".to_owned()),
        Key::Category(name) => Some(format!("c:{name}")),
        Key::Brands => Some("b".to_owned()),
        Key::Attributes => Some("a".to_owned()),
    }
}
