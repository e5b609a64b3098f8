//! Shapes of store parameters and bodies, for the interface description. Bodies are composed elsewhere, as bytes.

use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::domain::rendering::ProductCard;

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

/// Filter, order and page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) struct ListParameters {
    /// Id or URL name of a category: lists what is in it or below it.
    #[param(min_length = 1)]
    category: Option<String>,
    /// Order of the list.
    #[param(inline)]
    sort: Option<SortParameter>,
    /// Items per page.
    #[param(minimum = 1, maximum = 200, default = 20)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

/// Order of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes what the list reads")]
pub(in crate::http) enum SortParameter {
    /// Latest published first. The default.
    Newest,
    /// By title in code point order.
    Title,
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ProductPage<'a> {
    /// The products of the page.
    pub items: Vec<ProductCard<'a>>,
    /// Token of the next page; null on the last one.
    pub next_cursor: Option<String>,
}
