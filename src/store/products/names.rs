//! What a draft names rather than identifies: brand, categories, tags, locations.

use std::collections::{BTreeMap, BTreeSet};

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::rows::Stored;
use crate::{
    domain::{draft::ProductDraft, invalid::Invalid, slug::slugify},
    limits::SLUG_TRIES,
    store::{
        Connection, MissingNames,
        error::StoreError,
        named::lock_names_late,
        statement::{Bind, Statement},
    },
};

/// The ids of what a draft names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) brand_id: Option<Uuid>,
    pub(super) category_ids: Vec<Uuid>,
    /// In the order of the draft's tags.
    pub(super) tag_ids: Vec<Uuid>,
    /// By code.
    pub(super) location_ids: BTreeMap<String, Uuid>,
}

/// Looks up the names of a draft; tags and locations are always made when missing, brands and categories as told.
/// Reports every unknown name at once. What the product has already, as it is stored, is known.
pub(super) fn resolve(
    connection: &mut Connection,
    stored: Option<&Stored>,
    draft: &ProductDraft,
    missing: MissingNames,
) -> Result<Names, StoreError> {
    let mut wrong = Vec::new();
    let brand_id = brand(connection, stored, draft, missing, &mut wrong)?;
    let category_ids = categories(connection, stored, draft, missing, &mut wrong)?;
    if !wrong.is_empty() {
        return Err(StoreError::Invalid(wrong));
    }
    let tag_ids = match stored {
        Some(stored) if stored.tag_names == draft.tags => {
            stored.rows.tags.iter().map(|row| row.tag_id).collect()
        }
        _ => tags(connection, &draft.tags)?,
    };
    Ok(Names { brand_id, category_ids, tag_ids, location_ids: locations(connection, stored, draft)? })
}

fn ids(
    connection: &mut Connection,
    text: &'static str,
    binds: Vec<Bind<'_>>,
) -> Result<Vec<Uuid>, StoreError> {
    Ok(Statement::<sql::Uuid>::new(text, binds).load(connection)?)
}

fn first_id(
    connection: &mut Connection,
    text: &'static str,
    binds: Vec<Bind<'_>>,
) -> Result<Option<Uuid>, StoreError> {
    Ok(ids(connection, text, binds)?.into_iter().next())
}

fn brand(
    connection: &mut Connection,
    stored: Option<&Stored>,
    draft: &ProductDraft,
    missing: MissingNames,
    wrong: &mut Vec<Invalid>,
) -> Result<Option<Uuid>, StoreError> {
    if let Some(id) = draft.brand_id {
        if stored.is_some_and(|stored| stored.rows.product.brand_id == Some(id)) {
            return Ok(Some(id));
        }
        let found = first_id(connection, "SELECT id FROM brand WHERE id = $1", vec![Bind::Id(id)])?;
        if found.is_none() {
            wrong.push(Invalid::new("#/brand_id", "unknown", "no such brand"));
        }
        return Ok(found);
    }
    let Some(name) = draft.brand.as_deref() else { return Ok(None) };
    let find =
        "SELECT id FROM brand WHERE lower(name) = lower($1) ORDER BY name <> $1, created_at, id LIMIT 1";
    let found = first_id(connection, find, vec![Bind::Text(name)])?;
    match (found, missing) {
        (Some(id), _) => Ok(Some(id)),
        (None, MissingNames::Refuse) => {
            wrong.push(Invalid::new("#/brand", "unknown", "no such brand"));
            Ok(None)
        }
        (None, MissingNames::Create) => {
            lock_names_late(connection)?;
            if let Some(id) = first_id(connection, find, vec![Bind::Text(name)])? {
                return Ok(Some(id));
            }
            let id = Uuid::now_v7();
            make_brand(connection, id, name)?;
            Ok(Some(id))
        }
    }
}

/// Makes a brand. The lock on names is held.
pub(super) fn make_brand(connection: &mut Connection, id: Uuid, name: &str) -> Result<(), StoreError> {
    let insert = "INSERT INTO brand (id, slug, name) VALUES ($1, $2, $3) ON CONFLICT (slug) DO NOTHING";
    with_free_slug(connection, Named::Brand, name, None, |connection, slug| {
        written(connection, insert, vec![Bind::Id(id), Bind::Text(slug), Bind::Text(name)])
    })
}

/// Makes a category. The lock on names is held.
pub(super) fn make_category(
    connection: &mut Connection,
    id: Uuid,
    parent: Option<Uuid>,
    name: &str,
) -> Result<(), StoreError> {
    let insert = "INSERT INTO category (id, parent_id, slug, name) VALUES ($1, $2, $3, $4) \
        ON CONFLICT (slug) DO NOTHING";
    with_free_slug(connection, Named::Category, name, parent, |connection, slug| {
        let binds = vec![Bind::Id(id), Bind::OptionalId(parent), Bind::Text(slug), Bind::Text(name)];
        written(connection, insert, binds)
    })
}

/// The names on a path, `Home > Lamps`.
pub(super) fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.split('>').map(str::trim).filter(|name| !name.is_empty())
}

fn categories(
    connection: &mut Connection,
    stored: Option<&Stored>,
    draft: &ProductDraft,
    missing: MissingNames,
    wrong: &mut Vec<Invalid>,
) -> Result<Vec<Uuid>, StoreError> {
    let mut found = Vec::new();
    let rows = stored.map_or(&[][..], |stored| &stored.rows.categories);
    let mut known: BTreeSet<Uuid> = rows.iter().map(|row| row.category_id).collect();
    let others: Vec<Uuid> = draft.category_ids.iter().filter(|id| !known.contains(id)).copied().collect();
    if !others.is_empty() {
        known.extend(known_categories(connection, &others)?);
    }
    for (place, id) in draft.category_ids.iter().enumerate() {
        if known.contains(id) {
            found.push(*id);
        } else {
            let pointer = format!("#/category_ids/{place}");
            wrong.push(Invalid::new(pointer, "unknown", "no such category"));
        }
    }
    for (place, path) in draft.categories.iter().enumerate() {
        if let Some(id) = category_by_path(connection, path, missing)? {
            found.push(id);
        } else {
            let pointer = format!("#/categories/{place}");
            wrong.push(Invalid::new(pointer, "unknown", "no such category"));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Those of these ids that categories have.
pub(super) fn known_categories(connection: &mut Connection, of: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    ids(connection, "SELECT id FROM category WHERE id = ANY ($1)", vec![Bind::Ids(of)])
}

/// Walks down a path of names, `Home > Lamps`.
fn category_by_path(
    connection: &mut Connection,
    path: &str,
    missing: MissingNames,
) -> Result<Option<Uuid>, StoreError> {
    let find = "SELECT id FROM category WHERE parent_id IS NOT DISTINCT FROM $1 AND lower(name) = lower($2) \
        ORDER BY name <> $2, position, id LIMIT 1";
    let mut at = None;
    for name in steps(path) {
        let binds = || vec![Bind::OptionalId(at), Bind::Text(name)];
        let mut child = first_id(connection, find, binds())?;
        if child.is_none() && missing == MissingNames::Create {
            lock_names_late(connection)?;
            child = first_id(connection, find, binds())?;
            if child.is_none() {
                let id = Uuid::now_v7();
                make_category(connection, id, at, name)?;
                child = Some(id);
            }
        }
        at = child;
        if at.is_none() {
            break;
        }
    }
    Ok(at)
}

/// Things whose slug may be derived from a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Named {
    Brand,
    Category,
}

/// Makes something with the first free slug for its name. `insert` tells whether the slug was free until then: of two who
/// want the same one at once the second takes the next, since nobody sent it and nobody can choose another.
pub(in crate::store) fn with_free_slug(
    connection: &mut Connection,
    kind: Named,
    name: &str,
    parent: Option<Uuid>,
    mut insert: impl FnMut(&mut Connection, &str) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    for _ in 0..SLUG_TRIES {
        let slug = free_slug(connection, kind, name, parent)?;
        if insert(connection, &slug)? {
            return Ok(());
        }
    }
    if insert(connection, &Uuid::now_v7().to_string())? { Ok(()) } else { Err(StoreError::Collision) }
}

fn written(
    connection: &mut Connection,
    text: &'static str,
    binds: Vec<Bind<'_>>,
) -> Result<bool, StoreError> {
    Ok(Statement::<sql::Uuid>::new(text, binds).execute(connection)? == 1)
}

/// A free slug for a name: the name's own, for a category also with its parent's in front, else with a number.
fn free_slug(
    connection: &mut Connection,
    kind: Named,
    name: &str,
    parent: Option<Uuid>,
) -> Result<String, StoreError> {
    let plain = super::slugs::base(name);
    let mut candidates = vec![plain.clone()];
    if let Some(parent) = parent {
        let above =
            Statement::<sql::Text>::new("SELECT slug FROM category WHERE id = $1", [Bind::Id(parent)])
                .load::<String>(connection)?;
        candidates.extend(above.iter().map(|above| slugify(&format!("{above}-{plain}"))));
    }
    let text = match kind {
        Named::Brand => {
            "SELECT c.slug FROM unnest($1 || ARRAY(SELECT $2 || '-' || n FROM generate_series(2, 1000) n)) \
             WITH ORDINALITY AS c (slug, place) WHERE NOT EXISTS (SELECT FROM brand b WHERE b.slug = c.slug) \
             ORDER BY c.place LIMIT 1"
        }
        Named::Category => {
            "SELECT c.slug FROM unnest($1 || ARRAY(SELECT $2 || '-' || n FROM generate_series(2, 1000) n)) \
             WITH ORDINALITY AS c (slug, place) WHERE NOT EXISTS (SELECT FROM category b WHERE b.slug = c.slug) \
             ORDER BY c.place LIMIT 1"
        }
    };
    let free = Statement::<sql::Text>::new(text, [Bind::Texts(&candidates), Bind::Text(&plain)])
        .load::<String>(connection)?;
    Ok(free.into_iter().next().unwrap_or_else(|| Uuid::now_v7().to_string()))
}

/// Ids of tags in the order of their names; missing ones are made, in one order for everybody (no deadlock).
fn tags(connection: &mut Connection, names: &[String]) -> Result<Vec<Uuid>, StoreError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let find = "SELECT t.id FROM unnest($1) WITH ORDINALITY AS n (name, place) \
        JOIN tag t ON lower(t.name) = lower(n.name) GROUP BY t.id ORDER BY min(n.place)";
    let known = ids(connection, find, vec![Bind::Texts(names)])?;
    if known.len() == names.len() {
        return Ok(known);
    }
    ids(
        connection,
        "INSERT INTO tag (name) SELECT min(n) FROM unnest($1) AS n GROUP BY lower(n) ORDER BY lower(n) \
         ON CONFLICT DO NOTHING RETURNING id",
        vec![Bind::Texts(names)],
    )?;
    ids(connection, find, vec![Bind::Texts(names)])
}

fn locations(
    connection: &mut Connection,
    stored: Option<&Stored>,
    draft: &ProductDraft,
) -> Result<BTreeMap<String, Uuid>, StoreError> {
    let levels = stored.into_iter().flat_map(|stored| stored.location_codes.iter().zip(&stored.rows.stock));
    let mut known: BTreeMap<String, Uuid> =
        levels.map(|(code, level)| (code.clone(), level.location_id)).collect();
    let stock = draft.variants.iter().filter_map(|variant| variant.stock.as_ref()).flatten();
    let codes = stock.map(|level| &level.location).filter(|code| !known.contains_key(*code));
    let codes: BTreeSet<String> = codes.cloned().collect();
    known.extend(location_ids(connection, &codes.into_iter().collect::<Vec<_>>())?);
    Ok(known)
}

/// Ids of locations by code; missing ones are made.
pub(in crate::store) fn location_ids(
    connection: &mut Connection,
    codes: &[String],
) -> Result<BTreeMap<String, Uuid>, StoreError> {
    if codes.is_empty() {
        return Ok(BTreeMap::new());
    }
    let known = known_locations(connection, codes)?;
    if known.len() == codes.len() {
        return Ok(known);
    }
    ids(
        connection,
        "INSERT INTO location (code) SELECT code FROM unnest($1) AS code ORDER BY code ON CONFLICT DO NOTHING RETURNING id",
        vec![Bind::Texts(codes)],
    )?;
    known_locations(connection, codes)
}

/// Those of these codes that locations have.
pub(super) fn known_locations(
    connection: &mut Connection,
    codes: &[String],
) -> Result<BTreeMap<String, Uuid>, StoreError> {
    let known = Statement::<(sql::Text, sql::Uuid)>::new(
        "SELECT code, id FROM location WHERE code = ANY ($1)",
        [Bind::Texts(codes)],
    )
    .load::<(String, Uuid)>(connection)?;
    Ok(known.into_iter().collect())
}
