//! The attributes of the store that lists can be filtered or counted by.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{answer::answer, categories::untranslated, shapes::ViewParameters, surrogate::SurrogateKey};
use crate::{
    catalog::messages::Key,
    domain::attribute::StoreAttributes,
    http::{problem::Problem, state::State},
};

/// List the attributes to filter and count by
#[utoipa::path(
    get,
    path = "/v1/store/attributes",
    operation_id = "list_store_attributes",
    tag = "store",
    params(ViewParameters),
    responses((status = 200, description = "The attributes that are filters or facets, by code", body = StoreAttributes))
)]
pub(in crate::http) async fn all(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let view = untranslated(&request, &state)?;
    answer(&request, &state, Key::Attributes, view, SurrogateKey("attributes", "")).await
}
