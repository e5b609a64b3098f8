//! Shapes of store parameters and bodies, for the interface description. Bodies are composed elsewhere, as bytes.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::domain::{
    list_body::{BrandCount, CategoryCount, PriceCount, SearchBody, TotalBody, ValueCount},
    rendering::{ProductCard, StoreProduct},
};

/// Currency and language of an answer.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `view` reads")]
pub(in crate::http) struct ViewParameters {
    /// Currency of prices, an ISO 4217 code; the server's default when absent.
    #[param(example = "USD", pattern = "^[A-Za-z]{3}$")]
    currency: Option<String>,
    /// Language of texts, a BCP 47 tag, looked up in the languages served (RFC 4647 §3.4); goes before `Accept-Language`.
    #[param(example = "en", pattern = "^[A-Za-z]{2,3}([-_][A-Za-z]{4})?([-_]([A-Za-z]{2}|[0-9]{3}))?$")]
    locale: Option<String>,
}

/// Filter, order and page of a list. Besides these, `attr.NAME=VALUE` for every attribute, repeated for other values.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) struct ListParameters {
    /// Id or URL name of a category: lists what is in it or below it.
    #[param(min_length = 1)]
    category: Option<String>,
    /// Id or URL name of a brand; repeat for any of several.
    #[param(max_items = 100)]
    brand: Option<Vec<String>>,
    /// Name of a tag, in any case; repeat for any of several.
    #[param(max_items = 100)]
    tag: Option<Vec<String>>,
    /// Lowest price of a variant, in minor units of the currency.
    #[param(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    price_min: Option<i64>,
    /// Highest price of a variant, in minor units of the currency.
    #[param(minimum = 0, maximum = 1_000_000_000_000_000_i64)]
    price_max: Option<i64>,
    /// Only what can be ordered.
    in_stock: Option<bool>,
    /// What to search for: words, `"phrases"`, `-words` to leave out.
    #[param(min_length = 1, max_length = 200)]
    q: Option<String>,
    /// Order of the list.
    #[param(inline)]
    sort: Option<SortParameter>,
    /// What to count: `brand`, `category`, `price`, `attr.NAME`, separated by commas; at most ten.
    #[param(
        example = "brand,price",
        pattern = "^(brand|category|price|attr[.][^,]+)(,(brand|category|price|attr[.][^,]+)){0,9}$"
    )]
    facets: Option<String>,
    /// `total` counts the matches, up to 10,000.
    #[param(inline)]
    include: Option<IncludeParameter>,
    /// `bounded` takes a choice of products that may be some seconds old; only with `q`.
    #[param(inline)]
    freshness: Option<FreshnessParameter>,
    /// Items per page.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u16>,
    /// `next_cursor` or `previous_cursor` of another page.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

/// Order of a list.
#[derive(Debug, Serialize, ToSchema)]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) enum SortParameter {
    /// Latest published first. The default without `q`.
    #[serde(rename = "newest")]
    Newest,
    /// Lowest price first.
    #[serde(rename = "price")]
    Price,
    /// Highest price first.
    #[serde(rename = "-price")]
    PriceDescending,
    /// By title, as the catalogue's language collates.
    #[serde(rename = "title")]
    Title,
    /// As the editor of the category placed them.
    #[serde(rename = "position")]
    Position,
    /// Best match first. The default with `q`.
    #[serde(rename = "relevance")]
    Relevance,
}

/// What else to tell of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) enum IncludeParameter {
    /// How many match.
    Total,
}

/// How fresh a search must be; as fresh as everything else where this is absent.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) enum FreshnessParameter {
    /// As old as the server's settings allow.
    Bounded,
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ProductPage<'a> {
    /// The products of the page.
    pub items: Vec<ProductCard<'a>>,
    /// Token of the next page; null on the last one.
    pub next_cursor: Option<String>,
    /// Token of the page before; null on the first one.
    pub previous_cursor: Option<String>,
    /// Counts by the name of their facet, where facets were asked for.
    #[schema(required = false)]
    pub facets: Option<FacetsBody<'a>>,
    /// How many match, where that was asked for.
    #[schema(required = false)]
    pub total: Option<TotalBody>,
    /// What the search did, where one was asked for.
    #[schema(required = false)]
    pub search: Option<SearchBody<'a>>,
}

/// Counts by the name of their facet; those of attributes under `attr.NAME`.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct FacetsBody<'a> {
    /// Brands, most products first.
    #[schema(required = false)]
    pub brand: Option<Vec<BrandCount<'a>>>,
    /// Categories with their subtrees, most products first.
    #[schema(required = false)]
    pub category: Option<Vec<CategoryCount<'a>>>,
    /// Ranges of the lowest price, ascending.
    #[schema(required = false)]
    pub price: Option<Vec<PriceCount>>,
    /// Values of each attribute, most products first.
    #[serde(flatten)]
    pub attributes: std::collections::BTreeMap<String, Vec<ValueCount<'a>>>,
}

/// What to complete.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the suggestions read")]
pub(in crate::http) struct SuggestionParameters {
    /// What was typed so far.
    #[param(min_length = 1, max_length = 200)]
    q: String,
    /// How many of each kind at most.
    #[param(minimum = 1, maximum = 20, default = 8)]
    limit: Option<u16>,
}

/// Names of products, of exactly one kind.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BatchRequest {
    /// By id.
    #[schema(max_items = 200)]
    pub ids: Option<Vec<BatchEntry>>,
    /// By URL name.
    #[schema(max_items = 200)]
    pub slugs: Option<Vec<BatchEntry>>,
    /// By stock keeping unit of a variant.
    #[schema(max_items = 200)]
    pub skus: Option<Vec<BatchEntry>>,
}

/// A name, or a name with what the client has.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what the batch reads")]
pub(in crate::http) enum BatchEntry {
    /// The name alone.
    Name(String),
    /// The name and what the client has.
    Known(KnownEntry),
}

/// A name with what the client has of it. The name is the field of the list's kind.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct KnownEntry {
    /// The id, in `ids`.
    pub id: Option<uuid::Uuid>,
    /// The URL name, in `slugs`.
    pub slug: Option<String>,
    /// The stock keeping unit, in `skus`.
    pub sku: Option<String>,
    /// Version of the product that the client has.
    pub version: Option<i64>,
    /// Entity tag of the product that the client has; goes before `version`.
    pub etag: Option<String>,
}

/// Products by the names asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BatchAnswer<'a> {
    /// One for each entry, in their order.
    pub items: Vec<BatchItem<'a>>,
}

/// What a name leads to.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct BatchItem<'a> {
    /// The id asked for.
    pub id: Option<uuid::Uuid>,
    /// The URL name asked for.
    pub slug: Option<String>,
    /// The stock keeping unit asked for.
    pub sku: Option<String>,
    /// What was found.
    pub status: BatchStatus,
    /// Version of the product; with `found` and `unchanged`.
    pub version: Option<i64>,
    /// Entity tag of the product; with `found` and `unchanged`.
    pub etag: Option<String>,
    /// The product's current URL name; with `moved`.
    pub moved_to: Option<String>,
    /// The product; with `found`.
    pub product: Option<StoreProduct<'a>>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what the batch answers")]
pub(in crate::http) enum BatchStatus {
    /// A product.
    Found,
    /// The product that the client has.
    Unchanged,
    /// A retired URL name.
    Moved,
    /// Nothing.
    Absent,
}
