//! What lists in memory cost at a million products: pages, filters with facets, edits, memory. Prints a table.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

mod catalogue;

use std::{
    convert::Infallible,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use aisle::{
    domain::{
        list::{AttributeFilter, Facet, Filter, ListQuery, Sort, Start},
        locale::Locale,
    },
    dump::{Reader, Writer},
    listing::ListingIndex,
    search::{TextFields, TextIndex},
};
use catalogue::Dice;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Products entered at a time.
const BATCH: u64 = 5000;

/// Repetitions of each row.
const TIMES: u64 = 200;

/// Resident memory in megabytes, as Linux tells it.
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// Runs something often and prints how long it takes.
fn measure(name: &str, mut run: impl FnMut(u64)) {
    let mut times = (0..TIMES)
        .map(|number| {
            let start = Instant::now();
            run(number);
            start.elapsed()
        })
        .collect::<Vec<Duration>>();
    times.sort_unstable();
    let at = |percent: usize| times.get(times.len() * percent / 100).map_or(0, Duration::as_micros);
    let worst = times.last().map_or(0, Duration::as_micros);
    println!("{name:<54} p50 {:>8} us   p95 {:>8} us   max {worst:>8} us", at(50), at(95));
}

fn all_facets() -> Box<[Facet]> {
    let attributes = (0..10).map(|number| Facet::Attribute(format!("attribute-{number}").into()));
    [Facet::Brand, Facet::Category, Facet::Price].into_iter().chain(attributes).collect()
}

fn in_category(category: u64, sort: Sort) -> ListQuery {
    let category = Some(format!("category-{category}").into());
    ListQuery {
        filter: Filter { category, ..Filter::default() },
        currency: catalogue::currency(),
        sort,
        limit: 48,
        ..ListQuery::default()
    }
}

/// Category, brands, an attribute and prices.
fn four_filters(number: u64, category: u64) -> ListQuery {
    let mut dice = Dice(number);
    let mut query = in_category(category, Sort::Price);
    query.filter.brands = (0..20).map(|_| format!("brand-{}", dice.skewed(200)).into()).collect();
    let (code, value) = catalogue::attribute(&mut dice);
    let values = [value, "value-0".into(), "value-1".into()].into();
    query.filter.attributes = Box::new([AttributeFilter { code, values }]);
    query.filter.price_min = Some(200);
    query.filter.price_max = Some(50_000);
    query.facets = all_facets();
    query.has_total = true;
    query
}

fn pages(index: &ListingIndex) {
    for (name, category) in [("biggest", 0), ("middle", 40), ("small", 700)] {
        for sort in [Sort::Newest, Sort::Price, Sort::PriceDescending, Sort::Title, Sort::Position] {
            let mut query = in_category(category, sort);
            let count =
                index.page(&ListQuery { has_total: true, ..query.clone() }).and_then(|page| page.total);
            let count = count.map_or(0, |total| total.count);
            measure(&format!("{name} category ({count}), {sort:?}, page 1"), |_| {
                black_box(index.page(&query));
            });
            for _ in 1..500 {
                let Some(last) = index.page(&query).filter(|page| page.has_next).and_then(|page| page.last)
                else {
                    break;
                };
                query.start = Start::After(last);
            }
            measure(&format!("{name} category, {sort:?}, page 500 or last"), |_| {
                black_box(index.page(&query));
            });
        }
    }
    for rank in [4, 400, 4900] {
        let mut query = in_category(0, Sort::Price);
        query.filter.brands = Box::new([format!("brand-{rank}").into()]);
        measure(&format!("biggest category, one brand (rank {rank})"), |_| {
            black_box(index.page(&query));
        });
    }
}

fn facets(index: &ListingIndex) {
    for (name, category) in [("biggest", 0), ("middle", 40), ("small", 700)] {
        let query =
            ListQuery { facets: all_facets(), has_total: true, ..in_category(category, Sort::Newest) };
        measure(&format!("{name} category, page and all facets"), |_| {
            black_box(index.page(&query));
        });
        let mut in_stock = query.clone();
        in_stock.filter.in_stock = true;
        measure(&format!("{name} category, in stock, page and all facets"), |_| {
            black_box(index.page(&in_stock));
        });
        measure(&format!("{name} category, four filters, page and all facets"), |number| {
            black_box(index.page(&four_filters(number, category)));
        });
    }
    let query = ListQuery { facets: all_facets(), limit: 48, ..in_category(0, Sort::Newest) };
    let query = ListQuery { filter: Filter::default(), ..query };
    measure("everything, page and all facets", |_| {
        black_box(index.page(&query));
    });
    for (name, words) in [("one word", 1), ("three words", 3)] {
        measure(&format!("{name} searched, page and all facets"), |number| {
            let text = Some(catalogue::words(&mut Dice(number * 77), words).into());
            let filter = Filter { text, ..Filter::default() };
            black_box(index.page(&ListQuery { filter, sort: Sort::Relevance, ..query.clone() }));
        });
    }
    measure("suggestions", |number| {
        let text = catalogue::words(&mut Dice(number * 77), 1);
        black_box(index.suggest(text.get(..text.len().min(4)).unwrap_or(""), 8));
    });
}

fn edits(index: &mut ListingIndex, products: u64) {
    let mut dice = Dice(5);
    let mut product = |_| catalogue::product(dice.below(products));
    let edited = (0..TIMES).map(&mut product).collect::<Vec<_>>();
    measure("put: stock and price", |number| {
        let Some(product) = edited.get(usize::try_from(number).unwrap_or(0)) else { return };
        let mut product = product.clone();
        product.in_stock = !product.in_stock;
        for (_, amounts) in &mut product.prices {
            *amounts = Box::new([i64::try_from(100 + number * 997).unwrap_or(0)]);
        }
        index.put(product);
    });
    measure("put: title", |number| {
        let Some(product) = edited.get(usize::try_from(number).unwrap_or(0)) else { return };
        let mut product = product.clone();
        product.title = catalogue::words(&mut Dice(number), 6).into();
        index.put(product);
    });
    measure("remove", |number| {
        if let Some(product) = edited.get(usize::try_from(number).unwrap_or(0)) {
            index.remove(&product.id);
        }
    });
    let mut number = products;
    measure("put: new", |_| {
        number += 1;
        index.put(catalogue::product(number));
    });
}

fn affects(index: &mut ListingIndex, products: u64) {
    let lists = (0..500).map(|number| match number % 4 {
        0 => in_category(number % 97, Sort::Newest),
        1 => in_category(number % 97, Sort::Price),
        2 => ListQuery { facets: all_facets(), has_total: true, ..in_category(number % 97, Sort::Newest) },
        _ => four_filters(number, number % 97),
    });
    let pages = lists.filter_map(|query| Some((index.page(&query)?, query))).collect::<Vec<_>>();
    let mut dice = Dice(9);
    measure(&format!("affects: {} pages asked about one edit", pages.len()), |number| {
        let mut product = catalogue::product(dice.below(products));
        let before = index.product(&product.id);
        product.in_stock = !product.in_stock;
        product.prices = catalogue::product(number).prices;
        let after = (&product).into();
        let touched = pages
            .iter()
            .filter(|(page, query)| index.affects(query, page, before.as_ref(), Some(&after)))
            .count();
        black_box(touched);
    });
}

/// What it costs to write the index and to read it back, from memory to memory.
fn saving(index: &ListingIndex) {
    let start = Instant::now();
    let (mut lists, mut words) = (Writer::new(Vec::new()), Writer::new(Vec::new()));
    let written = index.write(&mut lists).and_then(|()| index.write_words(&mut words));
    let (lists, words) = (lists.finish(), words.finish());
    let sizes = (lists.len() / 1_000_000, words.len() / 1_000_000);
    println!("written in {} ms: lists {} MB, words {} MB", start.elapsed().as_millis(), sizes.0, sizes.1);
    let start = Instant::now();
    let mut lists = Reader::new(&*lists, u64::try_from(lists.len()).unwrap_or(0));
    let mut words = Reader::new(&*words, u64::try_from(words.len()).unwrap_or(0));
    let read = ListingIndex::read(&mut lists, &mut words, &Locale::default());
    println!("read back in {} ms", start.elapsed().as_millis());
    assert!(written.is_ok() && read.is_ok_and(|read| read.len() == index.len()), "it came back");
}

/// What of the memory is the words'.
fn text_alone(products: u64) {
    let before = resident();
    let mut text = TextIndex::new(&Locale::default());
    for number in 0..products {
        let product = catalogue::product(number);
        let fields = TextFields {
            title: &product.title,
            brand: "brand",
            product_type: &product.text.product_type,
            categories: &["category"],
            codes: &product.text.codes,
            words: &product.text.words,
            description: &product.text.description,
        };
        text.put(u32::try_from(number).unwrap_or(u32::MAX), &fields);
    }
    println!("words alone take {} MB", resident().saturating_sub(before));
    black_box(text);
}

fn main() {
    let products: u64 = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let mut index = ListingIndex::new(&Locale::default());
    index.set_brands(catalogue::brands());
    index.set_categories(catalogue::categories());
    let before = resident();
    let (mut text, mut making) = (0, Duration::ZERO);
    let start = Instant::now();
    let batches = (0..products.div_ceil(BATCH)).map(|batch| {
        let start = Instant::now();
        let numbers = batch * BATCH..products.min((batch + 1) * BATCH);
        let made = numbers.map(catalogue::product).collect::<Vec<_>>();
        text += made.iter().map(|product| product.title.len()).sum::<usize>();
        making += start.elapsed();
        Ok::<_, Infallible>(made)
    });
    let Ok(()) = index.fill(batches);
    let built = start.elapsed();
    println!(
        "{} products filled in {} ms, {} ms of which made them; titles have {} MB",
        index.len(),
        built.as_millis(),
        making.as_millis(),
        text / 1_000_000
    );
    saving(&index);
    println!("resident {} MB, of which {before} MB were there before", resident());
    pages(&index);
    facets(&index);
    affects(&mut index, products);
    edits(&mut index, products);
    println!("resident {} MB at the end", resident());
    text_alone(products);
}
