//! Brands, categories, tags and locations that a batch names: those there are, and those it makes.
//!
//! Names are compared as the database does it: by its `lower()`, which is asked for every name once.

use std::collections::{BTreeSet, HashMap, HashSet};

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::made::Made;
use crate::{
    domain::{draft::ProductDraft, invalid::Invalid},
    store::{
        Connection,
        error::StoreError,
        products::names::{Names, known_categories, known_locations, steps},
        statement::{Bind, Statement},
    },
};

/// A place in the tree and a name in lowercase.
pub(super) type Step = (Option<Uuid>, String);

/// Rows of one lowercase name, those that count most first.
pub(super) type Same = Vec<(String, Uuid)>;

/// What the database holds, and what the batch adds.
#[derive(Debug, Default)]
pub(super) struct KnownNames {
    pub(super) lower: HashMap<String, String>,
    pub(super) brands: HashMap<String, Same>,
    pub(super) brand_ids: HashSet<Uuid>,
    pub(super) categories: HashMap<Step, Same>,
    pub(super) category_ids: HashSet<Uuid>,
    pub(super) tags: HashMap<String, Option<Uuid>>,
    pub(super) locations: HashMap<String, Option<Uuid>>,
    pub(super) made: Made,
}

impl KnownNames {
    /// Reads everything that these drafts name.
    pub(super) fn read(
        &mut self,
        connection: &mut Connection,
        drafts: &[&ProductDraft],
    ) -> Result<(), StoreError> {
        let paths: BTreeSet<&str> =
            drafts.iter().flat_map(|draft| &draft.categories).map(String::as_str).collect();
        let brands: BTreeSet<&str> = drafts.iter().filter_map(|draft| draft.brand.as_deref()).collect();
        let tags: BTreeSet<&str> = drafts.iter().flat_map(|draft| &draft.tags).map(String::as_str).collect();
        let stock =
            drafts.iter().flat_map(|draft| &draft.variants).filter_map(|v| v.stock.as_ref()).flatten();
        let locations: BTreeSet<&str> = stock.map(|level| level.location.as_str()).collect();
        let names = paths.iter().flat_map(|path| steps(path));
        self.read_lower(connection, names.chain(brands.iter().copied()).chain(tags.iter().copied()))?;
        self.read_brands(connection, &brands)?;
        self.read_tags(connection, &tags)?;
        self.read_locations(connection, &locations)?;
        self.read_ids(connection, drafts)?;
        self.read_paths(connection, &paths)
    }

    fn read_lower<'a>(
        &mut self,
        connection: &mut Connection,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<(), StoreError> {
        let new: BTreeSet<&str> = names.filter(|name| !self.lower.contains_key(*name)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let new: Vec<String> = new.into_iter().map(str::to_owned).collect();
        let lower = Statement::<(sql::Text, sql::Text)>::new(
            "SELECT name, lower(name) FROM unnest($1) AS name",
            [Bind::Texts(&new)],
        )
        .load::<(String, String)>(connection)?;
        self.lower.extend(lower);
        Ok(())
    }

    pub(super) fn lower(&self, name: &str) -> String {
        self.lower.get(name).cloned().unwrap_or_else(|| name.to_lowercase())
    }

    pub(super) fn read_brands(
        &mut self,
        connection: &mut Connection,
        names: &BTreeSet<&str>,
    ) -> Result<(), StoreError> {
        let lower: BTreeSet<String> = names.iter().map(|name| self.lower(name)).collect();
        let new: Vec<String> = lower.into_iter().filter(|name| !self.brands.contains_key(name)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = Statement::<(sql::Text, sql::Text, sql::Uuid)>::new(
            "SELECT lower(name), name, id FROM brand WHERE lower(name) = ANY ($1) ORDER BY created_at, id",
            [Bind::Texts(&new)],
        )
        .load::<(String, String, Uuid)>(connection)?;
        self.brands.extend(new.into_iter().map(|name| (name, Vec::new())));
        for (lower, name, id) in found {
            self.brands.entry(lower).or_default().push((name, id));
        }
        Ok(())
    }

    fn read_tags(&mut self, connection: &mut Connection, names: &BTreeSet<&str>) -> Result<(), StoreError> {
        let lower: BTreeSet<String> = names.iter().map(|name| self.lower(name)).collect();
        let new: Vec<String> = lower.into_iter().filter(|name| !self.tags.contains_key(name)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let text = "SELECT lower(name), id FROM tag WHERE lower(name) = ANY ($1)";
        let found = by_text(connection, text, &new)?;
        self.tags.extend(new.into_iter().map(|name| (name, None)));
        self.tags.extend(found);
        Ok(())
    }

    fn read_locations(
        &mut self,
        connection: &mut Connection,
        codes: &BTreeSet<&str>,
    ) -> Result<(), StoreError> {
        let new = codes.iter().filter(|code| !self.locations.contains_key(**code));
        let new: Vec<String> = new.map(|code| (*code).to_owned()).collect();
        if new.is_empty() {
            return Ok(());
        }
        let found = known_locations(connection, &new)?;
        self.locations.extend(new.into_iter().map(|code| (code, None)));
        self.locations.extend(found.into_iter().map(|(code, id)| (code, Some(id))));
        Ok(())
    }

    /// Brands and categories that drafts give by id.
    fn read_ids(&mut self, connection: &mut Connection, drafts: &[&ProductDraft]) -> Result<(), StoreError> {
        let brands: BTreeSet<Uuid> = drafts.iter().filter_map(|draft| draft.brand_id).collect();
        let brands: Vec<Uuid> = brands.into_iter().filter(|id| !self.brand_ids.contains(id)).collect();
        if !brands.is_empty() {
            let text = "SELECT id FROM brand WHERE id = ANY ($1)";
            self.brand_ids
                .extend(Statement::<sql::Uuid>::new(text, [Bind::Ids(&brands)]).load::<Uuid>(connection)?);
        }
        let categories: BTreeSet<Uuid> =
            drafts.iter().flat_map(|draft| &draft.category_ids).copied().collect();
        let categories: Vec<Uuid> =
            categories.into_iter().filter(|id| !self.category_ids.contains(id)).collect();
        if !categories.is_empty() {
            self.category_ids.extend(known_categories(connection, &categories)?);
        }
        Ok(())
    }

    /// Walks down all paths together, a level at a time, as far as they lead.
    fn read_paths(&mut self, connection: &mut Connection, paths: &BTreeSet<&str>) -> Result<(), StoreError> {
        let mut level: Vec<(Option<Uuid>, Vec<&str>)> =
            paths.iter().map(|path| (None, steps(path).collect())).collect();
        let mut depth = 0;
        while !level.is_empty() {
            let wanted: BTreeSet<Step> = level
                .iter()
                .filter_map(|(parent, names)| Some((*parent, self.lower(names.get(depth)?))))
                .filter(|step| !self.categories.contains_key(step))
                .collect();
            self.read_steps(connection, wanted)?;
            level = level
                .into_iter()
                .filter_map(|(parent, names)| {
                    let id = self.child(parent, names.get(depth)?)?;
                    Some((Some(id), names))
                })
                .collect();
            depth += 1;
        }
        Ok(())
    }

    pub(super) fn read_steps(
        &mut self,
        connection: &mut Connection,
        wanted: BTreeSet<Step>,
    ) -> Result<(), StoreError> {
        let roots: Vec<String> =
            wanted.iter().filter(|(parent, _)| parent.is_none()).map(|(_, name)| name.clone()).collect();
        let (parents, names): (Vec<Uuid>, Vec<String>) =
            wanted.iter().filter_map(|(parent, name)| Some(((*parent)?, name.clone()))).unzip();
        self.categories.extend(wanted.into_iter().map(|step| (step, Vec::new())));
        if !roots.is_empty() {
            let found = Statement::<(sql::Text, sql::Text, sql::Uuid)>::new(
                "SELECT lower(name), name, id FROM category WHERE parent_id IS NULL AND lower(name) = ANY ($1) \
                 ORDER BY position, id",
                [Bind::Texts(&roots)],
            )
            .load::<(String, String, Uuid)>(connection)?;
            for (lower, name, id) in found {
                self.categories.entry((None, lower)).or_default().push((name, id));
            }
        }
        if !parents.is_empty() {
            let found = Statement::<(sql::Uuid, sql::Text, sql::Text, sql::Uuid)>::new(
                "SELECT c.parent_id, lower(c.name), c.name, c.id FROM unnest($1, $2) AS n (parent_id, name) \
                   JOIN category c ON c.parent_id = n.parent_id AND lower(c.name) = n.name ORDER BY c.position, c.id",
                [Bind::Ids(&parents), Bind::Texts(&names)],
            )
            .load::<(Uuid, String, String, Uuid)>(connection)?;
            for (parent, lower, name, id) in found {
                self.categories.entry((Some(parent), lower)).or_default().push((name, id));
            }
        }
        Ok(())
    }

    fn child(&self, parent: Option<Uuid>, name: &str) -> Option<Uuid> {
        best(self.categories.get(&(parent, self.lower(name)))?, name)
    }

    /// As `names::resolve`, making what is missing. What it made is undone by the caller when the draft fails.
    pub(super) fn resolve(
        &mut self,
        connection: &mut Connection,
        draft: &ProductDraft,
    ) -> Result<Names, StoreError> {
        self.read(connection, &[draft])?;
        let mut wrong = Vec::new();
        let brand_id = self.brand(draft, &mut wrong);
        let category_ids = self.draft_categories(connection, draft, &mut wrong)?;
        if !wrong.is_empty() {
            return Err(StoreError::Invalid(wrong));
        }
        let tag_ids = self.draft_tags(draft);
        let stock = draft.variants.iter().filter_map(|variant| variant.stock.as_ref()).flatten();
        let codes: BTreeSet<&str> = stock.map(|level| level.location.as_str()).collect();
        let location_ids = codes.into_iter().map(|code| (code.to_owned(), self.location(code))).collect();
        Ok(Names { brand_id, category_ids, tag_ids, location_ids })
    }

    fn brand(&mut self, draft: &ProductDraft, wrong: &mut Vec<Invalid>) -> Option<Uuid> {
        if let Some(id) = draft.brand_id {
            if self.brand_ids.contains(&id) {
                return Some(id);
            }
            wrong.push(Invalid::new("#/brand_id", "unknown", "no such brand"));
            return None;
        }
        let name = draft.brand.as_deref()?;
        let same = self.brands.entry(self.lower.get(name).cloned().unwrap_or_default()).or_default();
        Some(best(same, name).unwrap_or_else(|| {
            let id = Uuid::now_v7();
            same.push((name.to_owned(), id));
            self.made.brands.push((id, name.to_owned()));
            id
        }))
    }

    fn draft_categories(
        &mut self,
        connection: &mut Connection,
        draft: &ProductDraft,
        wrong: &mut Vec<Invalid>,
    ) -> Result<Vec<Uuid>, StoreError> {
        let mut found = Vec::new();
        for (place, id) in draft.category_ids.iter().enumerate() {
            if self.category_ids.contains(id) {
                found.push(*id);
            } else {
                let pointer = format!("#/category_ids/{place}");
                wrong.push(Invalid::new(pointer, "unknown", "no such category"));
            }
        }
        for (place, path) in draft.categories.iter().enumerate() {
            let mut at = None;
            for name in steps(path) {
                at = Some(self.category(connection, at, name)?);
            }
            if let Some(id) = at {
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

    fn category(
        &mut self,
        connection: &mut Connection,
        parent: Option<Uuid>,
        name: &str,
    ) -> Result<Uuid, StoreError> {
        let step = (parent, self.lower(name));
        if !self.categories.contains_key(&step) {
            let is_made = parent.is_some_and(|id| self.made.categories.iter().any(|(made, ..)| *made == id));
            if is_made {
                self.categories.insert(step.clone(), Vec::new());
            } else {
                self.read_steps(connection, BTreeSet::from([step.clone()]))?;
            }
        }
        let same = self.categories.entry(step).or_default();
        Ok(best(same, name).unwrap_or_else(|| {
            let id = Uuid::now_v7();
            same.push((name.to_owned(), id));
            self.made.categories.push((id, parent, name.to_owned()));
            id
        }))
    }

    /// In the order of the draft, each once.
    fn draft_tags(&mut self, draft: &ProductDraft) -> Vec<Uuid> {
        let mut ids = Vec::with_capacity(draft.tags.len());
        for name in &draft.tags {
            let lower = self.lower(name);
            let id = self.tags.get(&lower).copied().flatten().unwrap_or_else(|| {
                let id = Uuid::now_v7();
                let spellings =
                    draft.tags.iter().filter(|other| self.lower(other) == lower).cloned().collect();
                self.tags.insert(lower, Some(id));
                self.made.tags.push((id, spellings));
                id
            });
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids
    }

    fn location(&mut self, code: &str) -> Uuid {
        self.locations.get(code).copied().flatten().unwrap_or_else(|| {
            let id = Uuid::now_v7();
            self.locations.insert(code.to_owned(), Some(id));
            self.made.locations.push((id, code.to_owned()));
            id
        })
    }
}

/// The row of exactly this name, else the first.
fn best(same: &Same, name: &str) -> Option<Uuid> {
    same.iter().find(|(known, _)| known == name).or_else(|| same.first()).map(|(_, id)| *id)
}

fn by_text(
    connection: &mut Connection,
    text: &'static str,
    keys: &[String],
) -> Result<Vec<(String, Option<Uuid>)>, StoreError> {
    let found = Statement::<(sql::Text, sql::Uuid)>::new(text, [Bind::Texts(keys)])
        .load::<(String, Uuid)>(connection)?;
    Ok(found.into_iter().map(|(key, id)| (key, Some(id))).collect())
}
