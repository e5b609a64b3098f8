//! Currency and language of a store answer.

use actix_web::HttpRequest;

use crate::{
    catalog::messages::ViewKey,
    domain::{locale::Locale, money::Currency},
    http::{negotiate, parameters::Query, problem::Problem, state::State},
};

/// What a request asks for, or gets.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// Currency and language.
    pub(super) key: ViewKey,
    /// Whether `Accept-Language` decided, so that caches must keep answers apart by it.
    pub(super) varies: bool,
}

/// The view of a request without parameters of its own.
pub(super) fn only_view(request: &HttpRequest, state: &State) -> Result<View, Problem> {
    let text = request.query_string();
    if text.is_empty() {
        return Ok(of_headers(request, state));
    }
    let mut query = Query::parse(text);
    let view = take(request, state, &mut query);
    query.finish()?;
    Ok(view)
}

/// Takes `currency` and `locale` out of a query.
pub(super) fn take(request: &HttpRequest, state: &State, query: &mut Query<'_>) -> View {
    let mut view = of_headers(request, state);
    let known = "an ISO 4217 code of a currency with a minor unit";
    if let Some(currency) = query.read("currency", "unknown_currency", known, Currency::parse) {
        view.key.currency = currency;
    }
    if let Some(tag) = query.read("locale", "not_a_language", "a BCP 47 language tag", Locale::parse) {
        view.key.locale = negotiate::lookup(&state.locales, &tag).unwrap_or(0);
        view.varies = false;
    }
    view
}

fn of_headers(request: &HttpRequest, state: &State) -> View {
    let mut key = state.default_view;
    let varies = state.locales.len() > 1;
    if varies {
        key.locale = negotiate::accepted(&state.locales, request.headers());
    }
    View { key, varies }
}
