//! The brands of the store.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{answer::answer, categories::untranslated, shapes::ViewParameters, surrogate::SurrogateKey};
use crate::{
    catalog::messages::Key,
    domain::category::StoreBrands,
    http::{problem::Problem, state::State},
};

/// List all brands
#[utoipa::path(
    get,
    path = "/v1/store/brands",
    operation_id = "list_store_brands",
    tag = "store",
    params(ViewParameters),
    responses((status = 200, description = "All brands by name", body = StoreBrands))
)]
pub(in crate::http) async fn all(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let view = untranslated(&request, &state)?;
    answer(&request, &state, Key::Brands, view, SurrogateKey("brands", "")).await
}
