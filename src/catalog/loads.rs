//! Reads that fills ask of the store actors. Each is one round trip whose rows and log position share a snapshot.

use uuid::Uuid;

use super::{
    edits::{Edit, Query},
    error::CatalogError,
    pool::StoreMessage,
    workers::{Equipment, Work, WorkerPool},
};
use crate::{
    coherence::{Change, Coherence, Era},
    domain::{
        attribute::StoreAttribute,
        category::StoreCategory,
        document::BrandReference,
        list::{ListPage, ListQuery},
        origin::Origin,
    },
    limits::LOG_PULL_MAX,
    store::{
        Connection,
        audit_log::NewEntry,
        edit,
        error::StoreError,
        events::{self, Pulled},
        pool::Pool,
        reads::{self, CategoryRow, NamedRow, ProductRow, SlugTarget, Snapshot},
    },
};

/// One visible product.
pub(super) struct LoadProduct(pub(super) Uuid);

/// Several visible products in one statement; those not visible are missing in the answer.
pub(super) struct LoadProducts(pub(super) Vec<Uuid>);

/// What several slugs name, with the products.
pub(super) struct LoadBySlugs(pub(super) Vec<String>);

/// What several SKUs name, with the products.
pub(super) struct LoadBySkus(pub(super) Vec<String>);

/// What a slug names.
pub(super) struct LoadSlug(pub(super) Box<str>);

/// What a SKU names.
pub(super) struct LoadSku(pub(super) Box<str>);

/// Ids of one page, by the database; `None` for an unknown category.
pub(super) struct LoadIds(pub(super) ListQuery);

/// All categories.
pub(super) struct LoadCategories;

/// One category by id or slug.
pub(super) struct LoadCategory(pub(super) Box<str>);

/// All brands.
pub(super) struct LoadBrands;

/// The attributes that lists can be filtered or counted by.
pub(super) struct LoadAttributes;

impl Query for LoadProduct {
    type Reply = Snapshot<Option<ProductRow>>;
    const NAME: &'static str = "load_product";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::product(connection, self.0)
    }
}

impl Query for LoadProducts {
    type Reply = Snapshot<Vec<(Uuid, ProductRow)>>;
    const NAME: &'static str = "load_products";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::products(connection, &self.0)
    }
}

impl Query for LoadBySlugs {
    type Reply = Snapshot<Vec<NamedRow>>;
    const NAME: &'static str = "load_by_slugs";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::by_slugs(connection, &self.0)
    }
}

impl Query for LoadBySkus {
    type Reply = Snapshot<Vec<NamedRow>>;
    const NAME: &'static str = "load_by_skus";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::by_skus(connection, &self.0)
    }
}

impl Query for LoadSlug {
    type Reply = Snapshot<Option<SlugTarget>>;
    const NAME: &'static str = "load_slug";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::by_slug(connection, &self.0)
    }
}

impl Query for LoadSku {
    type Reply = Snapshot<Option<Uuid>>;
    const NAME: &'static str = "load_sku";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::by_sku(connection, &self.0)
    }
}

impl Query for LoadIds {
    type Reply = Snapshot<Option<ListPage>>;
    const NAME: &'static str = "load_ids";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::list_ids(connection, &self.0)
    }
}

impl Query for LoadCategories {
    type Reply = Snapshot<Vec<StoreCategory>>;
    const NAME: &'static str = "load_categories";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::category_tree(connection)
    }
}

impl Query for LoadCategory {
    type Reply = Snapshot<Option<CategoryRow>>;
    const NAME: &'static str = "load_category";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::category(connection, &self.0)
    }
}

impl Query for LoadBrands {
    type Reply = Snapshot<Vec<BrandReference>>;
    const NAME: &'static str = "load_brands";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::brands(connection)
    }
}

impl Query for LoadAttributes {
    type Reply = Snapshot<Vec<StoreAttribute>>;
    const NAME: &'static str = "load_attributes";

    fn run(&self, connection: &mut Connection) -> Result<Self::Reply, StoreError> {
        reads::attributes(connection)
    }
}

/// The log after a position, as much as one pull takes.
pub(super) struct PullLog {
    pub(super) after: i64,
}

impl Query for PullLog {
    type Reply = Pulled;
    const NAME: &'static str = "pull_log";

    fn run(&self, connection: &mut Connection) -> Result<Pulled, StoreError> {
        events::pull(connection, self.after, LOG_PULL_MAX)
    }
}

/// A query on its way to a store or admin actor.
pub(super) struct Run<Q>(pub(super) Q);

impl<Q: Query> StoreMessage for Run<Q> {
    type Reply = Q::Reply;
    const NAME: &'static str = Q::NAME;

    fn run(self, pool: &Pool) -> Result<Q::Reply, CatalogError> {
        with_connection(pool, |connection| self.0.run(connection))
    }
}

/// Reads with a connection that works. Idle ones may have died unnoticed, all of them when Postgres was restarted: each
/// failure throws one away.
pub(super) fn with_connection<T>(
    pool: &Pool,
    read: impl Fn(&mut Connection) -> Result<T, StoreError>,
) -> Result<T, CatalogError> {
    let mut idle = pool.state().idle;
    loop {
        match read(&mut *pool.get()?) {
            Err(StoreError::Unavailable(_)) if idle > 0 => idle -= 1,
            outcome => return Ok(outcome?),
        }
    }
}

/// An edit on its way to an admin actor.
pub(super) struct RunEdit<E> {
    /// Where it comes from.
    pub(super) origin: Origin,
    /// What is to be done.
    pub(super) edit: E,
}

/// An edit that was committed.
#[derive(Debug)]
pub(super) struct Committed<T> {
    /// What the edit answers.
    pub(super) reply: T,
    /// The change it made, if any.
    pub(super) change: Option<Change>,
    /// The last position that it can have seen, where it changed nothing.
    pub(super) seen: i64,
}

impl<E: Edit> StoreMessage for RunEdit<E> {
    type Reply = Committed<E::Reply>;
    const NAME: &'static str = E::NAME;

    fn run(self, pool: &Pool) -> Result<Self::Reply, CatalogError> {
        // An edit is not tried on another connection, so this one is looked at first.
        let mut connection = pool.get_live()?;
        let entry = NewEntry { origin: &self.origin, action: E::NAME };
        let (reply, event) = edit::retried(&mut connection, entry, |connection| self.edit.run(connection))?;
        let seen = if event.is_none() { events::head(&mut connection)? } else { 0 };
        Ok(Committed { reply, change: event.map(Change::from), seen })
    }
}

/// Applies the log at least up to `position`, which was read in `era`: whoever saw a change in one answer must not miss it
/// in another. Normally it is applied already; else this pulls it.
pub(super) async fn apply_up_to<E>(
    coherence: &Coherence,
    workers: &WorkerPool<E>,
    era: Era,
    position: i64,
) -> Result<(), CatalogError>
where
    E: Equipment,
    Run<PullLog>: Work<E, Reply = Pulled>,
{
    let gate = coherence.gate();
    while gate.applied() < position && gate.era() == era.ordinal {
        let from = gate.applied();
        let pulled = workers.ask(Run(PullLog { after: from })).await?;
        let changes: Vec<Change> = pulled.events.into_iter().map(Change::from).collect();
        coherence.pulled(era.id, from, &changes);
        if gate.applied() == from {
            // Positions behind the head are gone, or another era began: the log is not the one that was read.
            return Err(CatalogError::Unavailable("the log ends before what was read".to_owned()));
        }
    }
    if gate.era() == era.ordinal {
        Ok(())
    } else {
        Err(CatalogError::Unavailable("another era began".to_owned()))
    }
}
