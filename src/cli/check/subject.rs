//! What can be asked of the store and of the database alike, and what the database says it is.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    catalog::cursor,
    domain::{
        attribute::StoreAttributes,
        category::{self, StoreBrands},
        dependency::Dependency,
        list::{ListPage, ListQuery, Start},
        rendering::{self, Rendered, View},
    },
    limits::{LOG_PULL_MAX, PAGE_SIZE_DEFAULT},
    store::{
        Connection,
        error::StoreError,
        events,
        reads::{self, ProductRow, Snapshot, audit},
    },
};

/// Something to ask for.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Product(Uuid),
    Slug(String),
    Sku(String),
    Tree,
    Brands,
    Attributes,
    Page,
}

/// What the database has.
#[derive(Debug)]
pub(super) struct Truth {
    /// Log position it was read at.
    pub(super) position: i64,
    found: Found,
    /// What can change it.
    dependencies: Vec<Dependency>,
}

#[derive(Debug)]
enum Found {
    Absent,
    Moved(String),
    Product(Box<ProductRow>),
    Page(ListQuery, Box<ListPage>, Vec<ProductRow>),
    Json(Value),
}

/// What an answer says, or would have to say.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Content {
    Absent,
    /// The current slug.
    Moved(String),
    Body(Value),
}

impl Content {
    /// The version it shows, where it shows one.
    pub(super) fn version(&self) -> Option<i64> {
        match self {
            Self::Body(body) => body.get("version").and_then(Value::as_i64),
            Self::Absent | Self::Moved(_) => None,
        }
    }

    /// In a few words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Absent => "nothing".to_owned(),
            Self::Moved(slug) => format!("a redirect to {slug:?}"),
            Self::Body(body) => match body.get("version").and_then(Value::as_i64) {
                Some(version) => format!("version {version}"),
                None => "a list".to_owned(),
            },
        }
    }
}

impl Subject {
    /// Everything that leads to a product.
    pub(super) fn of_product(connection: &mut Connection, id: Uuid) -> Result<Vec<Self>, StoreError> {
        let audit::Names { slugs, sku } = audit::names(connection, id)?;
        let slugs = slugs.into_iter().take(SLUGS_MAX).map(Self::Slug);
        Ok(std::iter::once(Self::Product(id)).chain(slugs).chain(sku.map(Self::Sku)).collect())
    }

    /// Reads it in one snapshot.
    pub(super) fn read(&self, connection: &mut Connection) -> Result<Truth, StoreError> {
        reads::in_snapshot(connection, |connection| match self {
            Self::Product(id) => product(connection, *id, None),
            Self::Sku(sku) => {
                let name = Dependency::sku(sku);
                let Snapshot { head, value } = reads::by_sku(connection, sku)?;
                match value {
                    Some(id) => product(connection, id, Some(name)),
                    None => Ok(Truth { position: head, found: Found::Absent, dependencies: vec![name] }),
                }
            }
            Self::Slug(slug) => by_slug(connection, slug),
            Self::Tree => {
                let Snapshot { head, value } = reads::category_tree(connection)?;
                Ok(list(head, &category::tree(value), Dependency::category_tree()))
            }
            Self::Brands => {
                let Snapshot { head, value } = reads::brands(connection)?;
                Ok(list(head, &StoreBrands { items: value }, Dependency::brand_list()))
            }
            Self::Attributes => {
                let Snapshot { head, value } = reads::attributes(connection)?;
                Ok(list(head, &StoreAttributes { items: value }, Dependency::attribute_list()))
            }
            Self::Page => page(connection),
        })
    }
}

/// Slugs asked for of one product; the current one is the first.
const SLUGS_MAX: usize = 3;

fn product(connection: &mut Connection, id: Uuid, name: Option<Dependency>) -> Result<Truth, StoreError> {
    let Snapshot { head, value } = audit::product(connection, id)?;
    let mut dependencies = vec![Dependency::product(&id)];
    dependencies.extend(name);
    dependencies.extend(value.iter().flat_map(embedded));
    let found = value.map_or(Found::Absent, |row| Found::Product(Box::new(row)));
    Ok(Truth { position: head, found, dependencies })
}

fn embedded(row: &ProductRow) -> impl Iterator<Item = Dependency> {
    let brand = row.brand.iter().map(|brand| Dependency::brand(&brand.id));
    brand.chain(row.categories.iter().map(|category| Dependency::category(&category.id)))
}

fn by_slug(connection: &mut Connection, slug: &str) -> Result<Truth, StoreError> {
    let name = Dependency::slug(slug);
    let Snapshot { head, value } = reads::by_slug(connection, slug)?;
    match value {
        Some(target) if target.is_current => product(connection, target.product_id, Some(name)),
        Some(target) => {
            let dependencies = vec![name, Dependency::product(&target.product_id)];
            Ok(Truth { position: head, found: Found::Moved(target.current_slug), dependencies })
        }
        None => Ok(Truth { position: head, found: Found::Absent, dependencies: vec![name] }),
    }
}

fn list(position: i64, body: &impl serde::Serialize, dependency: Dependency) -> Truth {
    let found = Found::Json(serde_json::to_value(body).unwrap_or_default());
    Truth { position, found, dependencies: vec![dependency] }
}

fn page(connection: &mut Connection) -> Result<Truth, StoreError> {
    let query = ListQuery { limit: PAGE_SIZE_DEFAULT, ..ListQuery::default() };
    let Snapshot { head, value } = audit::page(connection, &query)?;
    let mut dependencies = vec![Dependency::listing_all()];
    let Some((ids, rows)) = value else {
        return Ok(Truth { position: head, found: Found::Absent, dependencies });
    };
    dependencies.extend(ids.ids.iter().map(Dependency::product));
    dependencies.extend(rows.iter().flat_map(embedded));
    Ok(Truth { position: head, found: Found::Page(query, Box::new(ids), rows), dependencies })
}

impl Truth {
    /// What a member that shows this view must answer.
    pub(super) fn content(&self, view: &View) -> Result<Content, StoreError> {
        Ok(match &self.found {
            Found::Absent => Content::Absent,
            Found::Moved(slug) => Content::Moved(slug.clone()),
            Found::Json(body) => Content::Body(body.clone()),
            Found::Product(row) => Content::Body(parse(&rendered(row, view)?.product)?),
            Found::Page(query, ids, rows) => {
                let items = rows.iter().map(|row| parse(&rendered(row, view)?.card));
                let items: Vec<Value> = items.collect::<Result<_, _>>()?;
                let last = ids.last.clone().filter(|_| ids.has_next);
                let next = last.map(|last| cursor::token(query, &Start::After(last)));
                Content::Body(json!({"items": items, "next_cursor": next, "previous_cursor": null}))
            }
        })
    }

    /// Whether the log tells of a change of this between the two reads: then an answer from in between may be neither.
    pub(super) fn changed_before(
        &self,
        later: &Self,
        connection: &mut Connection,
    ) -> Result<bool, StoreError> {
        let mut after = self.position;
        // Earlier than before: another history.
        if later.position < after {
            return Ok(true);
        }
        while after < later.position {
            let events = events::pull(connection, after, LOG_PULL_MAX)?.events;
            let Some(last) = events.last() else { return Ok(true) };
            after = last.pos;
            let read = events.iter().take_while(|event| event.pos <= later.position);
            if read
                .flat_map(|event| &event.deps)
                .any(|dependency| self.depends_on(Dependency(*dependency), later))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn depends_on(&self, dependency: Dependency, later: &Self) -> bool {
        dependency == Dependency::ALL
            || self.dependencies.contains(&dependency)
            || later.dependencies.contains(&dependency)
    }
}

fn rendered(row: &ProductRow, view: &View) -> Result<Rendered, StoreError> {
    serde_json::from_str(&row.body)
        .and_then(|document| rendering::render(&document, row.brand.as_ref(), &row.categories, view))
        .map_err(unreadable)
}

fn parse(body: &[u8]) -> Result<Value, StoreError> {
    serde_json::from_slice(body).map_err(unreadable)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unreadable(error: serde_json::Error) -> StoreError {
    StoreError::Internal(format!("a document that cannot be read: {error}"))
}
