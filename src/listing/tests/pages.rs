//! Pages, counts and walks.

use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*, strategy::ValueTree};
use uuid::Uuid;

use super::{
    catalogue::{PRODUCTS, id, index, product, query},
    model::Model,
};
use crate::{
    domain::{
        list::{ListPage, ListQuery, Place, Start},
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

/// Without the words that a search left out: among equally good hits the ordinal decides which of them these are told for.
fn comparable(mut page: ListPage) -> ListPage {
    if let Some(notes) = &mut page.search {
        notes.dropped.clear();
    }
    page
}

/// Everything from the beginning to the end, page by page, and back again.
fn all_pages(index: &ListingIndex, model: &Model, query: &ListQuery) -> Result<(), TestCaseError> {
    let mut query = query.clone();
    for is_forward in [true, false] {
        loop {
            let page = index.page(&query);
            prop_assert_eq!(page.clone().map(comparable), model.page(&query).map(comparable));
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
            prop_assert_eq!(index.page(query).map(comparable), afresh.page(query).map(comparable));
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
        // Words are weighed against each other, so edits can move hits.
        let mut query = query;
        query.filter.text = None;
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
            prop_assert!(seen.len() < 1000, "the walk ends");
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

#[test]
fn suggests_what_has_products() {
    let mut index = index();
    let product = |number, title: &str| ListedProduct {
        id: id(number),
        published_at_us: 0,
        title: title.into(),
        brand: Some(id(1)),
        categories: Box::new([id(2), id(1)]),
        positions: Box::default(),
        tags: Box::default(),
        prices: Box::default(),
        in_stock: true,
        attributes: Box::default(),
        text: crate::domain::listed::ListedText::default(),
    };
    index.put(product(10, "Wasserpumpenzange"));
    index.put(product(11, "Hammer"));
    let titles = |text: &str| {
        index.suggest(text, 5).products.iter().map(|(_, title)| title.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(titles("hamm"), ["Hammer"]);
    assert_eq!(titles("Wasserpumpenznge"), ["Wasserpumpenzange"]);
    assert_eq!(index.suggest("öko", 5).brands.iter().map(|brand| brand.id).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(index.suggest("zeta", 5).brands, []);
    let mut found = index.suggest("cat", 5).categories.iter().map(|category| category.id).collect::<Vec<_>>();
    found.sort_unstable();
    let mut expected = [id(1), id(2)];
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn names_the_products_whose_words_change_with_a_name() {
    let mut index = index();
    let found = |index: &ListingIndex, text: &str| {
        let filter = crate::domain::list::Filter { text: Some(text.into()), ..Default::default() };
        index.page(&ListQuery { filter, limit: 5, ..ListQuery::default() }).unwrap().ids
    };
    let runner = &mut proptest::test_runner::TestRunner::deterministic();
    let mut product = product().new_tree(runner).unwrap().current();
    product.brand = Some(id(2));
    index.put(product.clone());
    assert_eq!(found(&index, "zeta"), [product.id]);
    let mut brands = super::catalogue::brands();
    assert!(index.set_brands(brands.clone()).is_empty());
    brands[1].name = "Omega".into();
    assert_eq!(index.set_brands(brands), [product.id]);
    index.put(product.clone());
    assert_eq!(found(&index, "omega"), [product.id]);
    index.set_synonyms(vec![vec!["omega".into(), "letzter".into()]]);
    assert_eq!(found(&index, "letzter"), [product.id]);
}
