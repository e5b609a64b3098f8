//! What can be asked of a list: filters, order, facets, and where a page starts.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::money::Currency;

/// One page of a list. Also a cache key: whoever makes one sorts what has no order, and leaves the currency out where it
/// decides nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct ListQuery {
    /// Which products.
    pub filter: Filter,
    /// Currency of prices; set where a filter, the order or a facet asks for prices.
    pub currency: Option<Currency>,
    /// Order of the list.
    pub sort: Sort,
    /// What is counted beside the items.
    pub facets: Box<[Facet]>,
    /// Whether all matches are counted, up to [`crate::limits::TOTAL_MAX`].
    pub has_total: bool,
    /// Items per page, 1 to [`crate::limits::PAGE_SIZE_MAX`].
    pub limit: u16,
    /// Where the page starts or ends.
    pub start: Start,
}

impl ListQuery {
    /// Bytes it holds, roughly.
    pub fn weight(&self) -> usize {
        let Filter { category, brands, tags, attributes, text, .. } = &self.filter;
        let attributes =
            attributes.iter().flat_map(|filter| std::iter::once(&filter.code).chain(&filter.values));
        let texts = category.iter().chain(text).chain(brands).chain(tags).chain(attributes);
        let place = match &self.start {
            Start::Beginning => None,
            Start::After(place) | Start::Before(place) => Some(&place.key),
        };
        let title = match place {
            Some(SortKey::Title(title)) => title.len(),
            Some(_) | None => 0,
        };
        let each = size_of::<Box<str>>();
        size_of::<Self>()
            + texts.map(|text| text.len() + each).sum::<usize>()
            + title
            + size_of_val(&*self.facets)
    }
}

/// Which products: all of these that are given, each with any one of its values.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize)]
pub struct Filter {
    /// Id or slug of the category whose subtree is listed.
    pub category: Option<Box<str>>,
    /// Ids or slugs of brands.
    pub brands: Box<[Box<str>]>,
    /// Names of tags, in any case.
    pub tags: Box<[Box<str>]>,
    /// A variant must cost at least this, in minor units of the query's currency.
    pub price_min: Option<i64>,
    /// A variant must cost at most this. With both, one variant lies between.
    pub price_max: Option<i64>,
    /// Only what can be ordered.
    pub in_stock: bool,
    /// Values by attribute code: any of an attribute's, of every attribute.
    pub attributes: Box<[AttributeFilter]>,
    /// What is searched for.
    pub text: Option<Box<str>>,
}

impl Filter {
    /// Whether it asks for more than a category.
    pub fn narrows(&self) -> bool {
        let Self { category: _, brands, tags, price_min, price_max, in_stock, attributes, text } = self;
        !brands.is_empty()
            || !tags.is_empty()
            || price_min.is_some()
            || price_max.is_some()
            || *in_stock
            || !attributes.is_empty()
            || text.is_some()
    }
}

/// An attribute and the values of which a product must have one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct AttributeFilter {
    /// Code of the attribute.
    pub code: Box<str>,
    /// Its values.
    pub values: Box<[Box<str>]>,
}

/// Order of a list. Ties are broken by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize)]
pub enum Sort {
    /// Latest published first, later ids first among equals.
    #[default]
    Newest,
    /// Lowest price in the query's currency first; what has none comes last.
    Price,
    /// Highest of the lowest prices first; what has none comes last.
    PriceDescending,
    /// By title, as the catalogue's language collates.
    Title,
    /// As the editor of the category placed them; then what has no place there, newest first.
    Position,
    /// Best match of the text first; among equals what can be ordered.
    Relevance,
}

/// What is counted beside the items: for each value, how many products match all filters but the facet's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Facet {
    /// Brands.
    Brand,
    /// Categories, each with its subtree.
    Category,
    /// Values of an attribute, by its code.
    Attribute(Box<str>),
    /// Ranges of the lowest price.
    Price,
}

/// Where a page starts or ends.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Start {
    /// At the beginning of the list.
    #[default]
    Beginning,
    /// After this place.
    After(Place),
    /// Before this place: the page that ends there.
    Before(Place),
}

/// A place in a list: that of an item, by what it is sorted by and its id. The item itself need not be there any more.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The item's sort value.
    pub key: SortKey,
    /// The item's id.
    pub id: Uuid,
}

/// What an item is sorted by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SortKey {
    /// [`Sort::Newest`]: microseconds since 1970.
    Time(i64),
    /// [`Sort::Price`] and [`Sort::PriceDescending`]: the lowest price, if there is one.
    Amount(Option<i64>),
    /// [`Sort::Title`].
    Title(Box<str>),
    /// [`Sort::Position`]: the place in the category, if there is one, and when it was published.
    Position(Option<i32>, i64),
    /// [`Sort::Relevance`]: the score, higher is better, and whether it can be ordered.
    Score(u32, bool),
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// Products in order.
    pub ids: Vec<Uuid>,
    /// Place of the first item.
    pub first: Option<Place>,
    /// Place of the last item.
    pub last: Option<Place>,
    /// Whether there are items before the first.
    pub has_previous: bool,
    /// Whether there are items after the last.
    pub has_next: bool,
    /// The category that was named, by id.
    pub category: Option<Uuid>,
    /// One count for each facet of the query, in its order.
    pub facets: Vec<FacetCounts>,
    /// How many match, if that was asked for.
    pub total: Option<Total>,
    /// What the search did to answer at all.
    pub search: Option<SearchNotes>,
}

impl ListPage {
    /// Bytes it holds, roughly.
    pub fn weight(&self) -> usize {
        let counts = self.facets.iter().map(|facet| match facet {
            FacetCounts::Brands(counts) => counts.len(),
            FacetCounts::Categories(counts) => counts.len(),
            FacetCounts::Attribute(_, counts) => counts.len(),
            FacetCounts::Prices(counts) => counts.len(),
        });
        // A count stands beside a name or two.
        size_of::<Self>() + size_of_val(&*self.ids) + counts.sum::<usize>() * 96
    }
}

/// How many match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    /// So many, at most [`crate::limits::TOTAL_MAX`].
    pub count: u32,
    /// There are more.
    pub is_capped: bool,
}

/// What is counted for one facet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FacetCounts {
    /// Brands, most products first, then by name.
    Brands(Vec<(super::listed::ListedBrand, u32)>),
    /// Categories, most products first, then by path.
    Categories(Vec<(super::listed::ListedCategory, u32)>),
    /// Values of the attribute of this code, most products first, then by value.
    Attribute(Box<str>, Vec<(Box<str>, u32)>),
    /// Ranges of the lowest price, ascending: from, to (both included), how many.
    Prices(Vec<(i64, i64, u32)>),
}

/// What a search did to answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchNotes {
    /// Words that nothing has together with the others, left out.
    pub dropped: Vec<Box<str>>,
    /// Words that nothing has, and those that were looked for instead.
    pub corrected: Vec<(Box<str>, Box<str>)>,
}
