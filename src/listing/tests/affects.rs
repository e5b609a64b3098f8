//! What is said of a change: never that it leaves a page alone when it does not, and seldom the reverse.

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use uuid::Uuid;

use super::{
    catalogue::{PRODUCTS, attributes, currency, id, index, prices, product, query, shelves, title},
    model::Model,
    pages::{Edit, apply, edit},
};
use crate::{
    domain::{
        list::{ListQuery, Place, Start},
        listed::ListedProduct,
    },
    listing::{ListingIndex, Shown},
};

/// The pages of some lists, from both ends.
fn pages(index: &ListingIndex, queries: &[ListQuery]) -> Vec<ListQuery> {
    let mut all = Vec::new();
    for query in queries {
        let mut query = query.clone();
        while let Some(page) = index.page(&query) {
            all.push(query.clone());
            let (Some(first), Some(last)) = (page.first, page.last) else { break };
            // Places where nothing is, too: beside the first and the last item.
            for id in [first.id, Uuid::nil(), Uuid::max()] {
                let start = Start::Before(Place { id, ..last.clone() });
                all.push(ListQuery { start, ..query.clone() });
                let start = Start::After(Place { id, ..first.clone() });
                all.push(ListQuery { start, ..query.clone() });
            }
            all.push(ListQuery { start: Start::Before(first), ..query.clone() });
            query.start = Start::After(last);
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_change_of_a_page_is_missed(
        edits in vec(edit(), 0..50),
        later in vec(edit(), 1..8),
        queries in vec(query(), 1..4),
        is_asked_before in any::<bool>(),
    ) {
        let (mut index, mut model) = (index(), Model::default());
        apply(&edits, &mut index, &mut model);
        let pages = pages(&index, &queries);
        for edit in &later {
            let (id, after) = match edit {
                Edit::Put(product) => (product.id, Some(Shown::from(&**product))),
                Edit::Remove(id) => (*id, None),
            };
            let before = index.product(&id);
            let answers = pages.iter().map(|query| index.page(query).unwrap()).collect::<Vec<_>>();
            let judge = |index: &ListingIndex| {
                let asked = pages.iter().zip(&answers);
                asked.map(|(query, page)| index.affects(query, page, before.as_ref(), after.as_ref())).collect()
            };
            let mut verdicts: Vec<bool> = judge(&index);
            apply(std::slice::from_ref(edit), &mut index, &mut model);
            if !is_asked_before {
                verdicts = judge(&index);
            }
            for ((query, page), is_affected) in pages.iter().zip(&answers).zip(verdicts) {
                let now = index.page(query);
                prop_assert!(is_affected || now.as_ref() == Some(page), "{query:?}\n{page:?}\n{now:?}");
            }
        }
    }
}

/// An edit as shops make them, by its number.
fn change(runner: &mut TestRunner, product: &mut ListedProduct, number: u32) {
    fn pick<S: Strategy>(runner: &mut TestRunner, strategy: S) -> S::Value {
        strategy.new_tree(runner).unwrap().current()
    }
    match number % 10 {
        0..=3 => product.prices = pick(runner, prices()),
        4..=6 => product.in_stock = !product.in_stock,
        7 => product.title = pick(runner, title()),
        8 => product.attributes = pick(runner, attributes()),
        _ => (product.categories, product.positions) = pick(runner, shelves()),
    }
}

#[test]
fn few_pages_are_given_up_for_nothing() {
    let seed = [7; 32];
    println!("seed {seed:?}");
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let mut index = index();
    let mut products = Vec::new();
    for number in 0..PRODUCTS * 6 {
        let mut product = product().new_tree(&mut runner).unwrap().current();
        product.id = id(number);
        product.published_at_us = i64::try_from(number).unwrap();
        product.prices =
            Box::new([(currency("USD"), Box::new([i64::try_from(number * 37 % 4000).unwrap()]))]);
        index.put(product.clone());
        products.push(product);
    }
    let queries = vec(query(), 8).new_tree(&mut runner).unwrap().current();
    let pages = pages(&index, &queries);
    let (mut unchanged, mut given_up, mut changed) = (0_u32, 0_u32, 0_u32);
    for number in 0..80_u32 {
        let slot = usize::try_from(number * 7919).unwrap() % products.len();
        let mut product = products[slot].clone();
        change(&mut runner, &mut product, number);
        if let Some((_, amounts)) = product.prices.first_mut().filter(|_| number % 10 < 4) {
            *amounts = Box::new([i64::from(number * 613 % 4000)]);
        }
        let (before, after) = (index.product(&product.id), Shown::from(&product));
        let answers = pages.iter().map(|query| index.page(query).unwrap()).collect::<Vec<_>>();
        let asked = pages.iter().zip(&answers);
        let verdicts: Vec<bool> =
            asked.map(|(query, page)| index.affects(query, page, before.as_ref(), Some(&after))).collect();
        index.put(product.clone());
        products[slot] = product;
        for ((query, page), is_affected) in pages.iter().zip(&answers).zip(verdicts) {
            if index.page(query).as_ref() == Some(page) {
                unchanged += 1;
                given_up += u32::from(is_affected);
            } else {
                changed += 1;
                assert!(is_affected, "{query:?}");
            }
        }
    }
    println!("{changed} pages changed, {unchanged} did not, of which {given_up} were given up for nothing");
    assert!(given_up * 20 <= unchanged, "{given_up} of {unchanged}");
}
