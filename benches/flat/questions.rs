//! What is asked, each in many forms that cost about the same and that no cache knows.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    Side,
    catalogue::Catalogue,
    support::{client::Client, outcome::Outcome},
};

/// The page that is far away, where pages have nine products: the small catalogue has that many.
const FAR: usize = 500;

/// Forms of each question.
const FORMS: usize = 100;

/// Facets that are counted.
const FACETS: &str = "facets=brand,category,price,attr.material,attr.care,attr.handmade";

/// Words that many products have, in lists that start with the most common.
const WORDS: &str = "SELECT word AS text FROM ( \
      SELECT lower(word) AS word, count(*) AS products FROM (SELECT title FROM product WHERE status = 'active' LIMIT 1000) p, \
             regexp_split_to_table(p.title, '[^[:alpha:]]+') word WHERE length(word) >= 5 GROUP BY 1) w \
      WHERE products >= 5 ORDER BY products DESC, word";

/// One form of a question.
pub(crate) enum Asked {
    /// A path that answers.
    Page(String),
    /// A slug that no product has.
    Missing(String),
}

/// A question to both catalogues.
pub(crate) struct Question {
    /// What the table calls it.
    pub(crate) name: String,
    /// Its forms for the small catalogue.
    pub(crate) few: Vec<Asked>,
    /// And for the large one.
    pub(crate) many: Vec<Asked>,
}

impl Question {
    fn same(name: &str, form: impl Fn(usize) -> String) -> Self {
        let forms = || (0..FORMS).map(|number| Asked::Page(form(number))).collect();
        Self { name: name.to_owned(), few: forms(), many: forms() }
    }
}

/// All questions, the cheap ones first.
pub(crate) fn all(few: &mut Side, many: &mut Side) -> Outcome<Vec<Question>> {
    let names = Names::read(&few.catalogue)?;
    let list = |rest: String| format!("/v1/store/products?{rest}");
    let page = |number: usize| list(format!("category=everything&limit={}", 20 + number));
    let mut questions = vec![
        Question {
            name: "a product".to_owned(),
            few: products(&few.catalogue)?,
            many: products(&many.catalogue)?,
        },
        Question { name: "a product that is not there".to_owned(), few: missing(), many: missing() },
        Question::same("page 1 of the biggest category", page),
        Question {
            name: format!("page {FAR} of it"),
            few: far(&mut few.client)?,
            many: far(&mut many.client)?,
        },
        Question::same("completions of some letters", |number| {
            format!("/v1/store/search/suggest?q={}", names.beginning(number))
        }),
    ];
    for facets in ["", FACETS] {
        let with = if facets.is_empty() { "" } else { ", and facets" };
        let mut add = |name: &str, form: &dyn Fn(usize) -> String| {
            let form = |number| list(format!("{}&{facets}&limit={}", form(number), 20 + number));
            questions.push(Question::same(&format!("{name}{with}"), form));
        };
        if !facets.is_empty() {
            add("page 1 of the biggest category", &|_| "category=everything".to_owned());
        }
        add("one filter", &|number| format!("category=everything&brand={}", names.brand(number)));
        add("four filters", &|number| {
            format!(
                "category=everything&brand={}&brand={}&brand={}&attr.material={}&attr.material={}&price_min=1000&in_stock=true",
                names.brand(number),
                names.brand(number + 1),
                names.brand(number + 2),
                names.material(number),
                names.material(number + 1)
            )
        });
        add("the most common word", &|_| format!("q={}", names.word(0)));
        add("three words", &|number| format!("q={}", names.title(number)));
        add("a word with a typing error", &|number| format!("q={}", mistyped(names.word(number))));
    }
    Ok(questions)
}

/// What the small catalogue calls things; the large one calls them the same.
struct Names {
    brands: Vec<String>,
    materials: Vec<String>,
    words: Vec<String>,
    titles: Vec<String>,
}

impl Names {
    fn read(catalogue: &Catalogue) -> Outcome<Self> {
        let words = catalogue.texts(WORDS)?;
        let titles = catalogue.texts("SELECT min(title) AS text FROM product WHERE external_id NOT LIKE '%-%-%' GROUP BY title ORDER BY title")?;
        let titles: BTreeSet<String> = titles.iter().filter_map(|title| three_words(title)).collect();
        let names = Self {
            brands: catalogue.texts("SELECT slug AS text FROM brand WHERE slug NOT LIKE 'grown-%' ORDER BY slug")?,
            materials: catalogue.texts("SELECT DISTINCT attributes->>'material' AS text FROM product WHERE attributes ? 'material' ORDER BY 1")?
                .iter().map(|text| encoded(text)).collect(),
            words,
            titles: titles.into_iter().collect(),
        };
        let lists = [&names.brands, &names.materials, &names.words, &names.titles];
        if lists.iter().any(|list| list.is_empty()) {
            Err("a catalogue without names".into())
        } else {
            Ok(names)
        }
    }

    fn brand(&self, number: usize) -> &str {
        at(&self.brands, number)
    }

    fn material(&self, number: usize) -> &str {
        at(&self.materials, number)
    }

    fn word(&self, number: usize) -> &str {
        at(&self.words, number)
    }

    fn title(&self, number: usize) -> &str {
        at(&self.titles, number)
    }

    /// Two letters of a word, then three of each, and so on.
    fn beginning(&self, number: usize) -> String {
        let letters = 2 + number / self.words.len();
        encoded(&self.word(number).chars().take(letters).collect::<String>())
    }
}

/// The name at a place, counted round.
fn at(names: &[String], place: usize) -> &str {
    let place = place.checked_rem(names.len()).unwrap_or_default();
    names.get(place).map_or("", String::as_str)
}

/// The first three words of a title that say something.
fn three_words(title: &str) -> Option<String> {
    let words = title.split(|c: char| !c.is_alphabetic()).filter(|word| word.len() >= 4);
    let words: Vec<&str> = words.take(3).collect();
    (words.len() == 3).then(|| encoded(&words.join(" ")))
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The third letter is one too many.
fn mistyped(word: &str) -> String {
    let third = word.chars().nth(2).unwrap_or('x');
    let (begin, end): (String, String) = (word.chars().take(2).collect(), word.chars().skip(2).collect());
    encoded(&format!("{begin}{third}{end}"))
}

fn products(catalogue: &Catalogue) -> Outcome<Vec<Asked>> {
    let ids = catalogue.texts(&format!(
        "SELECT id::text AS text FROM product WHERE status = 'active' AND deleted_at IS NULL \
          ORDER BY uuid_hash_extended(id, 11) LIMIT {FORMS}"
    ))?;
    Ok(ids.into_iter().map(|id| Asked::Page(format!("/v1/store/products/{id}"))).collect())
}

fn missing() -> Vec<Asked> {
    (0..FORMS).map(|number| Asked::Missing(format!("no-such-product-{number}"))).collect()
}

/// Follows the cursors there once; the forms differ in their limit.
fn far(client: &mut Client) -> Outcome<Vec<Asked>> {
    let mut cursor = String::new();
    for _ in 1..FAR {
        let answer = client.get(&format!("/v1/store/products?category=everything&limit=9{cursor}"))?;
        let body: Value = serde_json::from_slice(&answer.body)?;
        let next = body.get("next_cursor").and_then(Value::as_str).ok_or("a list that ends too soon")?;
        cursor = format!("&cursor={next}");
    }
    let form =
        |number| Asked::Page(format!("/v1/store/products?category=everything&limit={}{cursor}", 20 + number));
    Ok((0..FORMS).map(form).collect())
}
