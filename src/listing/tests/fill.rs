//! Products entered at once, and an index that was written and read back, answer as products entered one by one do.

use std::convert::Infallible;

use proptest::{collection::vec, prelude::*};

use super::catalogue::{PRODUCTS, id, index, product, query};
use crate::{
    domain::{listed::ListedProduct, locale::Locale},
    dump::{Reader, Writer},
    listing::ListingIndex,
};

fn filled(mut index: ListingIndex, products: &[ListedProduct], batch: usize) -> ListingIndex {
    let Ok(()) = index.fill(products.chunks(batch).map(|batch| Ok::<_, Infallible>(batch.to_vec())));
    index
}

fn written(index: &ListingIndex) -> (Vec<u8>, Vec<u8>) {
    let (mut lists, mut words) = (Writer::new(Vec::new()), Writer::new(Vec::new()));
    index.write(&mut lists).unwrap();
    index.write_words(&mut words).unwrap();
    (lists.finish(), words.finish())
}

fn read((lists, words): (&[u8], &[u8])) -> Option<ListingIndex> {
    let mut lists = Reader::new(lists, u64::try_from(lists.len()).unwrap());
    let mut words = Reader::new(words, u64::try_from(words.len()).unwrap());
    let index = ListingIndex::read(&mut lists, &mut words, &Locale::parse("de").unwrap()).ok()?;
    assert!(lists.is_at_end() && words.is_at_end());
    Some(index)
}

fn check(got: &ListingIndex, expected: &ListingIndex, queries: &[crate::domain::list::ListQuery]) {
    for number in 0..PRODUCTS {
        assert_eq!(got.product(&id(number)), expected.product(&id(number)));
    }
    for query in queries {
        assert_eq!(got.page(query), expected.page(query), "{query:?}");
    }
    for text in ["a", "zan", "rot", "cat", "öko", "apfl"] {
        assert_eq!(got.suggest(text, 5), expected.suggest(text, 5), "{text}");
    }
}

proptest! {
    #[test]
    fn all_ways_lead_to_the_same(
        (first, second, later) in (vec(product(), 0..50), vec(product(), 0..20), vec(product(), 0..10)),
        removed in vec(0..PRODUCTS, 0..20),
        queries in vec(query(), 8),
        batch in 1_usize..9,
    ) {
        let mut single = index();
        for product in &first {
            single.put(product.clone());
        }
        let mut bulk = filled(index(), &first, batch);
        check(&bulk, &single, &queries);
        for number in &removed {
            single.remove(&id(*number));
            bulk.remove(&id(*number));
        }
        for product in &second {
            single.put(product.clone());
        }
        let bulk = filled(bulk, &second, batch);
        check(&bulk, &single, &queries);
        let (lists, words) = written(&bulk);
        let mut back = read((&lists, &words)).unwrap();
        check(&back, &single, &queries);
        for product in &later {
            single.put(product.clone());
            back.put(product.clone());
        }
        check(&back, &single, &queries);
        (0..PRODUCTS).for_each(|number| back.remove(&id(number)));
        prop_assert!(back.holds_nothing());
    }

    /// Damaged bytes are no index, or some index that answers; never a panic.
    #[test]
    fn damaged_bytes_do_no_harm(
        products in vec(product(), 0..20),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        length in any::<prop::sample::Index>(),
        is_cut: bool,
    ) {
        let (mut lists, mut words) = written(&filled(index(), &products, 5));
        for (place, byte) in damage {
            let all = lists.len() + words.len();
            let at = place.index(all);
            if at < lists.len() { lists[at] = byte } else { words[at - lists.len()] = byte }
        }
        if is_cut {
            lists.truncate(length.index(lists.len()));
        }
        let mut lists = Reader::new(&*lists, u64::try_from(lists.len()).unwrap());
        let mut words = Reader::new(&*words, u64::try_from(words.len()).unwrap());
        let _any = ListingIndex::read(&mut lists, &mut words, &Locale::parse("de").unwrap());
    }
}
