//! What stands beside the items of a page, as the store answers it.

use serde::{Serialize, Serializer, ser::SerializeMap};
use utoipa::ToSchema;
use uuid::Uuid;

use super::list::{FacetCounts, ListPage, SearchNotes, Total};

/// Everything of a page but its items.
#[derive(Debug, Serialize)]
pub struct Beside<'a> {
    next_cursor: Option<&'a str>,
    previous_cursor: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facets: Option<Facets<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<TotalBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<SearchBody<'a>>,
}

impl<'a> Beside<'a> {
    /// What stands beside the items of this page, with the tokens of the pages around it.
    pub fn new(page: &'a ListPage, next_cursor: Option<&'a str>, previous_cursor: Option<&'a str>) -> Self {
        let facets = (!page.facets.is_empty()).then_some(Facets(&page.facets));
        let total = page.total.map(|Total { count, is_capped }| TotalBody { count, is_capped });
        let search = page.search.as_ref().map(SearchBody::new);
        Self { next_cursor, previous_cursor, facets, total, search }
    }
}

/// How many products match.
#[derive(Debug, Serialize, ToSchema)]
pub struct TotalBody {
    /// So many, at most 10,000.
    count: u32,
    /// Whether there are more.
    is_capped: bool,
}

/// What a search did to answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchBody<'a> {
    /// Words left out, because nothing has them together with the others.
    dropped: Vec<&'a str>,
    /// Words that nothing has, and what was looked for instead.
    corrected: Vec<Correction<'a>>,
}

impl<'a> SearchBody<'a> {
    fn new(notes: &'a SearchNotes) -> Self {
        let correction = |(word, instead): &'a (Box<str>, Box<str>)| Correction { word, instead };
        Self {
            dropped: notes.dropped.iter().map(|word| &**word).collect(),
            corrected: notes.corrected.iter().map(correction).collect(),
        }
    }
}

/// A word that nothing has.
#[derive(Debug, Serialize, ToSchema)]
pub struct Correction<'a> {
    /// The word.
    word: &'a str,
    /// What was looked for instead.
    instead: &'a str,
}

/// Products of one brand.
#[derive(Debug, Serialize, ToSchema)]
pub struct BrandCount<'a> {
    /// Id of the brand.
    id: Uuid,
    /// Its URL name, as `brand` takes it.
    slug: &'a str,
    /// Its name.
    name: &'a str,
    /// How many.
    count: u32,
}

/// Products of one category and those below it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CategoryCount<'a> {
    /// Id of the category.
    id: Uuid,
    /// Its URL name, as `category` takes it.
    slug: &'a str,
    /// Its name.
    name: &'a str,
    /// URL names from the root to it.
    path: &'a str,
    /// How many.
    count: u32,
}

/// Products with one value of an attribute.
#[derive(Debug, Serialize, ToSchema)]
pub struct ValueCount<'a> {
    /// The value, as `attr.NAME` takes it.
    value: &'a str,
    /// How many.
    count: u32,
}

/// Products whose lowest price lies in a range.
#[derive(Debug, Serialize, ToSchema)]
pub struct PriceCount {
    /// Lowest amount of the range, in minor units.
    min: i64,
    /// Highest amount of the range.
    max: i64,
    /// How many.
    count: u32,
}

/// Counts by the name of their facet, as the parameter names it.
#[derive(Debug)]
struct Facets<'a>(&'a [FacetCounts]);

impl Serialize for Facets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for counts in self.0 {
            match counts {
                FacetCounts::Brands(all) => {
                    let counts = all.iter().map(|(brand, count)| BrandCount {
                        id: brand.id,
                        slug: &brand.slug,
                        name: &brand.name,
                        count: *count,
                    });
                    map.serialize_entry("brand", &counts.collect::<Vec<_>>())?;
                }
                FacetCounts::Categories(all) => {
                    let counts = all.iter().map(|(category, count)| CategoryCount {
                        id: category.id,
                        slug: &category.slug,
                        name: &category.name,
                        path: &category.path,
                        count: *count,
                    });
                    map.serialize_entry("category", &counts.collect::<Vec<_>>())?;
                }
                FacetCounts::Attribute(code, all) => {
                    let counts = all.iter().map(|(value, count)| ValueCount { value, count: *count });
                    map.serialize_entry(&format!("attr.{code}"), &counts.collect::<Vec<_>>())?;
                }
                FacetCounts::Prices(all) => {
                    let counts = all.iter().map(|(min, max, count)| PriceCount {
                        min: *min,
                        max: *max,
                        count: *count,
                    });
                    map.serialize_entry("price", &counts.collect::<Vec<_>>())?;
                }
            }
        }
        map.end()
    }
}

/// What completes a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionsBody {
    /// Products by their titles, best first.
    pub products: Vec<SuggestedProduct>,
    /// Categories by their names, best first.
    pub categories: Vec<SuggestedName>,
    /// Brands by their names, best first.
    pub brands: Vec<SuggestedName>,
}

/// A product whose title fits.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestedProduct {
    /// Its id.
    pub id: Uuid,
    /// Its title.
    pub title: Box<str>,
}

/// A category or brand whose name fits.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestedName {
    /// Its id.
    pub id: Uuid,
    /// Its URL name.
    pub slug: Box<str>,
    /// Its name.
    pub name: Box<str>,
}
