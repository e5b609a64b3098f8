//! Brands, categories, tags and locations that a batch makes.

use std::collections::HashSet;

use diesel::{RunQueryDsl, sql_types as sql};
use uuid::Uuid;

use super::names::{KnownNames, Same};
use crate::store::{
    Connection,
    error::StoreError,
    named::lock_names,
    products::names::{make_brand, make_category},
    statement::{Bind, Statement},
};

/// What is to be made, in order.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) brands: Vec<(Uuid, String)>,
    pub(super) categories: Vec<(Uuid, Option<Uuid>, String)>,
    /// With every way the first draft spells it.
    pub(super) tags: Vec<(Uuid, Vec<String>)>,
    pub(super) locations: Vec<(Uuid, String)>,
}

/// How much there was to be made at some moment.
#[derive(Debug)]
pub(super) struct Mark([usize; 4]);

impl KnownNames {
    /// What is to be made until now.
    pub(super) fn mark(&self) -> Mark {
        let Made { brands, categories, tags, locations } = &self.made;
        Mark([brands.len(), categories.len(), tags.len(), locations.len()])
    }

    /// Forgets what was to be made since then.
    pub(super) fn undo(&mut self, mark: &Mark) {
        let Mark([brands, categories, tags, locations]) = *mark;
        let forget = |same: &mut Same, id: Uuid| same.retain(|(_, known)| *known != id);
        for (id, _) in self.made.brands.split_off(brands) {
            self.brands.values_mut().for_each(|same| forget(same, id));
        }
        for (id, ..) in self.made.categories.split_off(categories) {
            self.categories.values_mut().for_each(|same| forget(same, id));
        }
        for (id, _) in self.made.tags.split_off(tags) {
            self.tags.values_mut().filter(|known| **known == Some(id)).for_each(|known| *known = None);
        }
        for (id, _) in self.made.locations.split_off(locations) {
            self.locations.values_mut().filter(|known| **known == Some(id)).for_each(|known| *known = None);
        }
    }

    /// Makes what is missing. Before any product is locked: the lock on names comes first of all.
    pub(super) fn make(&mut self, connection: &mut Connection) -> Result<(), StoreError> {
        let made = std::mem::take(&mut self.made);
        if !made.brands.is_empty() || !made.categories.is_empty() {
            lock_names(connection)?;
            self.are_still_missing(connection, &made)?;
        }
        for (id, name) in &made.brands {
            make_brand(connection, *id, name)?;
        }
        for (id, parent, name) in &made.categories {
            make_category(connection, *id, *parent, name)?;
        }
        // In one order for everybody, so that two imports do not wait for each other.
        if !made.tags.is_empty() {
            let spelt = made.tags.iter().flat_map(|(id, names)| names.iter().map(|name| (*id, name.clone())));
            let (ids, names): (Vec<Uuid>, Vec<String>) = spelt.unzip();
            let text = "INSERT INTO tag (id, name) SELECT id, min(name) FROM unnest($1, $2) AS n (id, name) \
                GROUP BY id ORDER BY lower(min(name)) ON CONFLICT DO NOTHING";
            all_are_made(connection, text, &ids, &names, made.tags.len())?;
        }
        if !made.locations.is_empty() {
            let (ids, codes): (Vec<Uuid>, Vec<String>) = made.locations.into_iter().unzip();
            let text = "INSERT INTO location (id, code) SELECT id, code FROM unnest($1, $2) AS n (id, code) \
                ORDER BY code ON CONFLICT DO NOTHING";
            all_are_made(connection, text, &ids, &codes, ids.len())?;
        }
        Ok(())
    }

    /// Looks again, with the lock: what somebody made meanwhile is to be used.
    fn are_still_missing(&self, connection: &mut Connection, made: &Made) -> Result<(), StoreError> {
        let mut now = Self { lower: self.lower.clone(), ..Self::default() };
        now.read_brands(connection, &made.brands.iter().map(|(_, name)| name.as_str()).collect())?;
        let ids: HashSet<Uuid> = made.categories.iter().map(|(id, ..)| *id).collect();
        let below_known =
            made.categories.iter().filter(|(_, parent, _)| parent.is_none_or(|id| !ids.contains(&id)));
        now.read_steps(
            connection,
            below_known.map(|(_, parent, name)| (*parent, self.lower(name))).collect(),
        )?;
        let mut found = now.brands.values().chain(now.categories.values());
        if found.all(Vec::is_empty) { Ok(()) } else { Err(StoreError::Collision) }
    }
}

fn all_are_made(
    connection: &mut Connection,
    text: &'static str,
    ids: &[Uuid],
    names: &[String],
    count: usize,
) -> Result<(), StoreError> {
    let made = Statement::<sql::Bool>::new(text, [Bind::Ids(ids), Bind::Texts(names)]).execute(connection)?;
    if made == count { Ok(()) } else { Err(StoreError::Collision) }
}
