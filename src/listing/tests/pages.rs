//! Pages, counts and walks.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::{
    catalogue::{PRODUCTS, id, index, product, query},
    model::Model,
};
use crate::{
    domain::{
        list::{ListQuery, Place, Start},
        listed::ListedProduct,
    },
    listing::{ListingIndex, Shown},
};

/// A change of the catalogue.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    Put(Box<ListedProduct>),
    Remove(Uuid),
}

pub(super) fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        3 => product().prop_map(|product| Edit::Put(Box::new(product))),
        1 => (0..PRODUCTS).prop_map(|number| Edit::Remove(id(number))),
    ]
}

pub(super) fn apply(edits: &[Edit], index: &mut ListingIndex, model: &mut Model) {
    for edit in edits {
        match edit {
            Edit::Put(product) => {
                index.put((**product).clone());
                model.products.insert(product.id, (**product).clone());
            }
            Edit::Remove(id) => {
                index.remove(id);
                model.products.remove(id);
            }
        }
    }
}

/// Everything from the beginning to the end, page by page, and back again.
fn all_pages(index: &ListingIndex, model: &Model, query: &ListQuery) -> Result<(), TestCaseError> {
    let mut query = query.clone();
    for is_forward in [true, false] {
        loop {
            let page = index.page(&query);
            prop_assert_eq!(&page, &model.page(&query));
            let Some(page) = page else { return Ok(()) };
            match (page.first, page.last) {
                (_, Some(last)) if is_forward => query.start = Start::After(last),
                (Some(first), _) if !is_forward => query.start = Start::Before(first),
                _ => break,
            }
        }
        if let Start::After(last) = &query.start {
            // The last item itself is missed on the way back: it is where the walk turns.
            query.start = Start::Before(last.clone());
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn pages_counts_and_facets_equal_the_model(
        edits in vec(edit(), 0..60),
        queries in vec(query(), 1..6),
    ) {
        let (mut index, mut model) = (index(), Model::default());
        apply(&edits, &mut index, &mut model);
        prop_assert_eq!(index.len(), model.products.len());
        for query in &queries {
            all_pages(&index, &model, query)?;
        }
    }

    #[test]
    fn a_changed_index_equals_one_built_afresh(edits in vec(edit(), 0..120), queries in vec(query(), 1..4)) {
        let (mut index, mut model) = (index(), Model::default());
        apply(&edits, &mut index, &mut model);
        let mut afresh = self::index();
        for product in model.products.values() {
            afresh.put(product.clone());
        }
        for number in 0..PRODUCTS {
            let shown = index.product(&id(number));
            prop_assert_eq!(&shown, &afresh.product(&id(number)));
            prop_assert_eq!(shown, model.products.get(&id(number)).map(Shown::from));
        }
        for query in &queries {
            prop_assert_eq!(index.page(query), afresh.page(query));
        }
        for product in model.products.keys() {
            index.remove(product);
        }
        prop_assert!(index.is_empty());
        prop_assert!(index.holds_nothing());
    }

    #[test]
    fn walks_among_edits_repeat_nothing_and_miss_nothing_that_stays(
        edits in vec(edit(), 20..80),
        between in vec(vec(edit(), 0..3), 1..12),
        query in query(),
        is_forward in any::<bool>(),
    ) {
        let (mut index, mut model) = (index(), Model::default());
        apply(&edits, &mut index, &mut model);
        let before = model.clone();
        let touched = touched(&between);
        let mut query = query;
        if !is_forward {
            let end = ListQuery { limit: 200, ..query.clone() };
            let Some(last) = index.page(&end).and_then(|page| page.last) else { return Ok(()) };
            query.start = Start::Before(Place { id: Uuid::max(), ..last });
        }
        let mut seen = Vec::new();
        let mut expected = BTreeSet::new();
        let mut between = between.iter();
        loop {
            let Some(page) = index.page(&query) else { return Ok(()) };
            if seen.is_empty() {
                let all = ListQuery { limit: 200, ..query.clone() };
                expected = index.page(&all).unwrap_or_default().ids.into_iter().collect();
            }
            seen.extend(page.ids.iter().copied());
            query.start = match (page.first, page.last) {
                (_, Some(last)) if is_forward => Start::After(last),
                (Some(first), _) if !is_forward => Start::Before(first),
                _ => break,
            };
            if let Some(edits) = between.next() {
                apply(edits, &mut index, &mut model);
            }
        }
        let constant = seen.iter().filter(|id| !touched.contains(id)).collect::<Vec<_>>();
        let distinct = constant.iter().collect::<BTreeSet<_>>();
        prop_assert_eq!(distinct.len(), constant.len(), "nothing twice");
        for id in before.products.keys().filter(|id| !touched.contains(id) && expected.contains(id)) {
            prop_assert!(seen.contains(id), "{id} is missed");
        }
    }
}

/// Products that edits name.
fn touched(edits: &[Vec<Edit>]) -> BTreeSet<Uuid> {
    let id = |edit: &Edit| match edit {
        Edit::Put(product) => product.id,
        Edit::Remove(id) => *id,
    };
    edits.iter().flatten().map(id).collect()
}
