//! Examples, one for each thing that a shopper expects.

use aisle::{
    domain::locale::Locale,
    search::{TextFields, TextIndex},
};
use roaring::RoaringBitmap;

use super::{Product, indexed, ranked, titled};

#[track_caller]
fn finds(index: &TextIndex, text: &str, ordinals: &[u32]) {
    assert_eq!(ranked(index, text), ordinals, "{text}");
}

fn noted(index: &TextIndex, text: &str) -> (Vec<String>, Vec<(String, String)>) {
    let notes = index.search(text, None).notes;
    let corrected = notes.corrected.iter().map(|(from, to)| (from.to_string(), to.to_string()));
    (notes.dropped.iter().map(ToString::to_string).collect(), corrected.collect())
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn case_accents_forms_and_stems_do_not_matter() {
    let index = titled(&["Crème BRÛLÉE torch", "Running Shoes for women", "Ｗｉｄｅ lamp"]);
    finds(&index, "creme brulee", &[0]);
    finds(&index, "CRÈME", &[0]);
    finds(&index, "women's shoe run", &[1]);
    finds(&index, "wide lamps", &[2]);
    finds(&index, "", &[]);
    finds(&index, "  -- !", &[]);
}

#[test]
fn the_language_decides_stems() {
    let mut german = TextIndex::new(&Locale::parse("de-AT").unwrap());
    Product::titled("Häuser für Vögel").put(0, &mut german);
    finds(&german, "haus vogel", &[0]);
    let mut none = TextIndex::new(&Locale::parse("ja").unwrap());
    Product::titled("青い手袋").put(0, &mut none);
    Product::titled("running").put(1, &mut none);
    finds(&none, "手袋", &[0]);
    finds(&none, "run", &[1]);
    assert!(none.search("runs", None).hits.is_empty());
}

#[test]
fn all_words_come_before_some() {
    let index = titled(&["red shoe", "red hat", "blue shoe", "shoe in red leather"]);
    let found = ranked(&index, "red shoe");
    assert_eq!(found.first(), Some(&0));
    assert_eq!(found.get(1), Some(&3));
    assert!(noted(&index, "red shoe").0.is_empty());
}

#[test]
fn words_that_nothing_has_are_left_out_and_named() {
    let index = titled(&["red shoe", "blue hat"]);
    finds(&index, "red shoe xyzzy", &[0]);
    assert_eq!(noted(&index, "red shoe xyzzy").0, ["xyzzy"]);
    assert_eq!(noted(&index, "red shoe hat").0, ["hat"]);
    assert_eq!(noted(&index, "xyzzy"), (vec![], vec![]));
}

#[test]
fn typos_and_compounds_are_repaired_and_told() {
    let index = titled(&["wireless headphones", "lunch box", "sweetener", "keyboard tray"]);
    finds(&index, "wireles headphnoes", &[0]);
    assert_eq!(noted(&index, "headphnoes").1, [pair("headphnoes", "headphones")]);
    finds(&index, "sweetner", &[2]);
    finds(&index, "head phones", &[0]);
    assert_eq!(noted(&index, "head phones").1, [pair("head phones", "headphones")]);
    finds(&index, "lunchbox", &[1]);
    assert_eq!(noted(&index, "lunchbox").1, [pair("lunchbox", "lunch box")]);
    finds(&index, "keybaord", &[3]);
    assert!(noted(&index, "headphones").1.is_empty());
}

#[test]
fn hyphens_join_words_and_part_them() {
    let index = titled(&["cotton t-shirt", "e-cloth"]);
    finds(&index, "tshirt", &[0]);
    finds(&index, "t shirt", &[0]);
    finds(&index, "t-shirt", &[0]);
    finds(&index, "ecloth", &[1]);
}

#[test]
fn the_last_word_may_be_unfinished() {
    let index = titled(&["blue headphones", "headband"]);
    finds(&index, "blue hea", &[0, 1]);
    finds(&index, "headb", &[1]);
    assert!(index.search("he", None).hits.is_empty());
}

#[test]
fn codes_are_found_whole_whatever_parts_them() {
    let coded = |code: &str| Product { codes: vec![code.into()], ..Product::titled("thing") };
    let index = indexed(&[coded("AB-123-X"), coded("0012345678905"), coded("runs")]);
    for text in ["AB-123-X", "ab123x", "ab 123 x", "AB/123.X"] {
        finds(&index, text, &[0]);
    }
    finds(&index, "12345678905", &[1]);
    finds(&index, "runs", &[2]);
    assert!(index.search("run", None).hits.is_empty());
    assert!(index.search("ab123", None).hits.is_empty());
}

#[test]
fn quoted_words_stand_in_order() {
    let index = titled(&["red leather shoe", "leather red shoe", "red shoe of leather"]);
    finds(&index, "\"red leather\"", &[0]);
    finds(&index, "\"shoe of leather\"", &[2]);
    finds(&index, "shoe \"leather red\"", &[1]);
    finds(&index, "\"red xyzzy\"", &[]);
    let apart = indexed(&[Product { brand: "leather".into(), ..Product::titled("red") }]);
    assert!(apart.search("\"red leather\"", None).hits.is_empty());
}

#[test]
fn a_minus_excludes_and_a_hyphen_does_not() {
    let index = titled(&["red shoe", "blue shoe", "shoe -20 c", "shoe dark-red"]);
    finds(&index, "shoe -red -20", &[2, 1]);
    finds(&index, "shoe -\"dark red\" -blue -c", &[0]);
    finds(&index, "dark-red shoe", &[3, 0]);
}

#[test]
fn synonyms_expand() {
    let mut index = titled(&["television stand", "tv wall mount", "flat screen bracket", "chair"]);
    assert_eq!(ranked(&index, "tv"), [1]);
    index.set_synonyms(&[vec!["TV".into(), "televisions".into(), "flat screen".into()]]);
    assert_eq!(ranked(&index, "tv").first(), Some(&1));
    let mut all = ranked(&index, "tv");
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2]);
    assert_eq!(ranked(&index, "flat screen stand").first(), Some(&0));
    index.set_synonyms(&[]);
    assert_eq!(ranked(&index, "tv"), [1]);
}

#[test]
fn stop_words_ask_for_nothing_unless_alone() {
    let index = titled(&["house of cards", "the who", "cards"]);
    let mut found = ranked(&index, "the cards of");
    found.sort_unstable();
    assert_eq!(found, [0, 2]);
    finds(&index, "the", &[1]);
}

#[test]
fn descriptions_are_found_without_their_tags() {
    let product =
        Product { description: "<p class=\"fancy\">soft &amp; warm</p>".into(), ..Product::titled("x") };
    let index = indexed(&[product]);
    finds(&index, "warm", &[0]);
    assert!(index.search("fancy", None).hits.is_empty());
}

#[test]
fn only_what_is_within_is_found() {
    let index = titled(&["red shoe", "red shoe", "red hat"]);
    let within: RoaringBitmap = [1, 2].into_iter().collect();
    let found = index.search("red shoe", Some(&within));
    assert_eq!(found.hits.iter().map(|(ordinal, _)| *ordinal).collect::<Vec<_>>(), [1, 2]);
    let hat: RoaringBitmap = [2].into_iter().collect();
    let found = index.search("red shoe", Some(&hat));
    assert_eq!(found.hits.len(), 1);
    assert_eq!(found.notes.dropped, [Box::from("shoe")]);
}

#[test]
fn a_title_counts_more_than_a_description() {
    let described = Product { description: "A fine teapot".into(), ..Product::titled("Kettle") };
    let index = indexed(&[described, Product::titled("Teapot")]);
    finds(&index, "teapot", &[1, 0]);
}

#[test]
fn replacing_and_removing_leave_nothing_behind() {
    let mut index = titled(&["red shoe", "blue shoe"]);
    Product::titled("green hat").put(0, &mut index);
    finds(&index, "shoe", &[1]);
    finds(&index, "hat", &[0]);
    index.remove(1);
    index.remove(7);
    assert!(index.search("shoe", None).hits.is_empty());
    finds(&index, "green", &[0]);
}

#[test]
fn completes_titles() {
    let described = Product { description: "headphones".into(), ..Product::titled("cable") };
    let index =
        indexed(&[described, Product::titled("headphones"), Product::titled("blue headphones for kids")]);
    let ordinals = |text: &str| index.complete(text, 5).into_iter().map(|(o, _)| o).collect::<Vec<_>>();
    assert_eq!(ordinals("headph"), [1, 2]);
    assert_eq!(ordinals("h"), [1, 2]);
    assert_eq!(ordinals("blue h").first(), Some(&2));
    assert_eq!(ordinals("headphnoes"), [1, 2]);
    assert_eq!(index.complete("headph", 1).len(), 1);
    assert!(index.complete("", 5).is_empty());
}

#[test]
fn scores_hold_still_while_others_change() {
    let mut index = titled(&["red shoe", "red leather shoe with laces", "shoe red", "hat"]);
    let before = index.search("red shoe", None).hits;
    let text = TextFields {
        title: "red shoe rack",
        brand: "",
        product_type: "",
        categories: &[],
        codes: &[],
        words: &[],
        description: "",
    };
    index.put(4, &text);
    let after = index.search("red shoe", None).hits;
    assert_eq!(after.get(..before.len()), Some(before.as_slice()));
}
