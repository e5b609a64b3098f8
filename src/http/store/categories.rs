//! The category tree of the store.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{
    answer::answer,
    shapes::ViewParameters,
    surrogate::SurrogateKey,
    view::{View, only_view},
};
use crate::{
    catalog::messages::Key,
    domain::category::{CategoryTree, StoreCategory},
    http::{parameters::path_text, problem::Problem, state::State},
};

/// Get the category tree
#[utoipa::path(
    get,
    path = "/v1/store/categories",
    operation_id = "get_store_category_tree",
    tag = "store",
    params(ViewParameters),
    responses((status = 200, description = "The roots with everything below them", body = CategoryTree))
)]
pub(in crate::http) async fn tree(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let view = untranslated(&request, &state)?;
    answer(&request, &state, Key::Tree, view, SurrogateKey("categories", "")).await
}

/// Get a category by id or URL name
#[utoipa::path(
    get,
    path = "/v1/store/categories/{category}",
    operation_id = "get_store_category",
    tag = "store",
    params(("category" = String, Path, description = "Id or URL name of the category"), ViewParameters),
    responses((status = 200, description = "The category", body = StoreCategory))
)]
pub(in crate::http) async fn one(request: HttpRequest, state: Data<State>) -> Result<HttpResponse, Problem> {
    let category = path_text(&request, "category")?;
    let view = untranslated(&request, &state)?;
    let key = Key::Category(category.as_str().into());
    answer(&request, &state, key, view, SurrogateKey("category", &category)).await
}

/// The view of what has no translations and no prices: parameters are checked, the answer is in the default language.
pub(super) fn untranslated(request: &HttpRequest, state: &State) -> Result<View, Problem> {
    only_view(request, state)?;
    Ok(View { key: state.default_view, varies: false })
}
