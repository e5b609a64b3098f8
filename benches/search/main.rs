//! What a search costs over made-up products whose words are as unevenly frequent as real ones: time by kind of text, edits,
//! memory. One thread; whoever else uses the machine shows in the figures.
//!
//! ```text
//! make bench-search          a million products
//! make bench-search QUICK=1  fifty thousand, to try it out
//! ```

#![expect(clippy::print_stdout, clippy::float_arithmetic, reason = "a program that measures and prints")]

mod text;

use std::{
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use aisle::{
    domain::locale::Locale,
    search::{TextFields, TextIndex},
};
use roaring::RoaringBitmap;

use crate::text::{Made, Maker};

/// As in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Texts of each kind.
const TEXTS: usize = 200;

fn main() {
    let products: u32 =
        if std::env::args().any(|argument| argument == "--quick") { 50_000 } else { 1_000_000 };
    let mut maker = Maker::new(7);
    let before = resident();
    let mut index = TextIndex::new(&Locale::default());
    let mut puts = Vec::new();
    for ordinal in 0..products {
        let made = maker.product();
        puts.push(timed(|| put(&mut index, ordinal, &made)));
    }
    println!("{products} products, memory of the index {} MB", resident().saturating_sub(before) / 1_000_000);
    row("put, new", puts);
    let mut edits = Vec::new();
    for _ in 0..20_000 {
        let ordinal = maker.below(products);
        let made = maker.product();
        edits.push(timed(|| put(&mut index, ordinal, &made)));
    }
    row("put, replacing", edits);
    let removed: Vec<u32> = (0..1000).map(|_| maker.below(products)).collect();
    row("remove", removed.iter().map(|ordinal| timed(|| index.remove(*ordinal))).collect());
    searches(&index, &mut maker, products);
    println!("memory at the end {} MB", resident().saturating_sub(before) / 1_000_000);
}

/// Makes a text of one kind.
type Kind = fn(&mut Maker) -> String;

fn searches(index: &TextIndex, maker: &mut Maker, products: u32) {
    let kinds: [(&str, Kind); 13] = [
        ("1 common word", |m| m.ranked(20, 200)),
        ("1 of the ten most common", |m| m.ranked(0, 10)),
        ("1 rare word", |m| m.ranked(20_000, 100_000)),
        ("2 words of a title", |m| m.of_title(2)),
        ("3 words of a title", |m| m.of_title(3)),
        ("4 words of a title", |m| m.of_title(4)),
        ("2 common words", |m| m.several(2, 0, 200)),
        ("4 common words", |m| m.several(4, 0, 200)),
        ("common and rare", |m| format!("{} {}", m.ranked(0, 200), m.ranked(20_000, 100_000))),
        ("4 words, few together", |m| m.several(4, 100, 5000)),
        ("2 words, 1 typo", |m| {
            let (word, right) = (m.ranked(100, 5000), m.ranked(100, 5000));
            format!("{} {right}", Maker::mistyped(&word))
        }),
        ("unfinished, 3-4 letters", |m| {
            let letters = 3 + usize::try_from(m.below(2)).unwrap_or_default();
            m.ranked(0, 5000).chars().take(letters).collect()
        }),
        ("quoted, 2 words of a title", |m| format!("\"{}\"", m.of_title(2))),
    ];
    let half: RoaringBitmap = (0..products).filter(|ordinal| ordinal % 2 == 0).collect();
    for (name, kind) in kinds {
        let texts: Vec<String> = (0..TEXTS).map(|_| kind(maker)).collect();
        let hits: usize = texts.iter().map(|text| index.search(text, None).hits.len()).sum();
        let times = texts.iter().map(|text| timed(|| index.search(text, None))).collect();
        row(&format!("{name} ({} hits)", hits / TEXTS), times);
        let times = texts.iter().map(|text| timed(|| index.search(text, Some(&half)))).collect();
        row("    within half of all", times);
    }
    for (name, letters) in [("complete, 1 letter", 1), ("complete, 4 letters", 4)] {
        let texts: Vec<String> =
            (0..TEXTS).map(|_| maker.ranked(0, 5000).chars().take(letters).collect()).collect();
        row(name, texts.iter().map(|text| timed(|| index.complete(text, 10))).collect());
    }
}

fn put(index: &mut TextIndex, ordinal: u32, made: &Made) {
    let text = TextFields {
        title: &made.title,
        brand: &made.brand,
        product_type: &made.product_type,
        categories: &[&made.product_type],
        codes: &made.codes,
        words: &[],
        description: &made.description,
    };
    index.put(ordinal, &text);
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

fn row(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |permille: usize| {
        let place = (times.len() * permille / 1000).min(times.len().saturating_sub(1));
        times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    println!("{name:45} p50 {:8.3} ms  p95 {:8.3} ms  max {:8.3} ms", at(500), at(950), at(1000));
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or_default() * 4096
}
