//! What completes a text while it is typed.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{
    answer::answer,
    shapes::{SuggestionParameters, ViewParameters},
    surrogate::SurrogateKey,
    view,
};
use crate::{
    catalog::messages::Key,
    domain::list_body::SuggestionsBody,
    http::{parameters::Query, problem::Problem, state::State},
    limits::{SEARCH_TEXT_MAX, SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX},
};

/// Suggest while typing
///
/// Products, categories and brands whose names have the words of `q`, the last one as a beginning, with small typing errors.
#[utoipa::path(
    get,
    path = "/v1/store/search/suggest",
    operation_id = "suggest",
    tag = "store",
    params(SuggestionParameters, ViewParameters),
    responses((status = 200, description = "Suggestions, best first", body = SuggestionsBody))
)]
pub(in crate::http) async fn suggest(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::parse(request.query_string());
    let view = view::take(&request, &state, &mut query);
    let limit = query.number("limit", 1..=SUGGESTIONS_MAX, SUGGESTIONS_DEFAULT);
    let text = query.read("q", "too_long", "at most 200 characters", |text| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        (text.chars().count() <= SEARCH_TEXT_MAX).then_some(text)
    });
    if text.is_none() {
        query.missing("q");
    }
    query.finish()?;
    let key = Key::Suggestions(text.unwrap_or_default().into(), u8::try_from(limit).unwrap_or(u8::MAX));
    answer(&request, &state, key, view, SurrogateKey("suggestions", "")).await
}
