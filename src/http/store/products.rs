//! Single products of the store.

use actix_web::{HttpRequest, HttpResponse, web::Data};

use super::{answer::answer, surrogate::SurrogateKey, view::only_view};
use crate::{
    catalog::messages::Key,
    domain::rendering::StoreProduct,
    http::{
        parameters::{path_id, path_text},
        problem::Problem,
        state::State,
    },
};

/// Get a product by id
#[utoipa::path(
    get,
    path = "/v1/store/products/{id}",
    operation_id = "get_store_product",
    tag = "store",
    params(("id" = uuid::Uuid, Path, description = "Id of the product"), super::shapes::ViewParameters),
    responses((status = 200, description = "The product", body = StoreProduct<'_>))
)]
pub(in crate::http) async fn by_id(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let view = only_view(&request, &state)?;
    let text = request.match_info().get("id").unwrap_or_default();
    answer(&request, &state, Key::Product(id, view.key), view, SurrogateKey("product", text)).await
}

/// Get a product by its URL name
///
/// A retired name answers 301 with the address under the current one.
#[utoipa::path(
    get,
    path = "/v1/store/products/by-slug/{slug}",
    operation_id = "get_store_product_by_slug",
    tag = "store",
    params(("slug" = String, Path, description = "URL name of the product"), super::shapes::ViewParameters),
    responses(
        (status = 200, description = "The product", body = StoreProduct<'_>),
        (status = 301, description = "The product has another URL name now",
            headers(("Location" = String, description = "The product under its current name")))
    )
)]
pub(in crate::http) async fn by_slug(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let slug = path_text(&request, "slug")?;
    let view = only_view(&request, &state)?;
    let key = Key::Slug(slug.as_str().into());
    answer(&request, &state, key, view, SurrogateKey("slug", &slug)).await
}

/// Get the product of a SKU
#[utoipa::path(
    get,
    path = "/v1/store/products/by-sku/{sku}",
    operation_id = "get_store_product_by_sku",
    tag = "store",
    params(
        ("sku" = String, Path, description = "Stock keeping unit of one of the product's variants"),
        super::shapes::ViewParameters
    ),
    responses((status = 200, description = "The product", body = StoreProduct<'_>))
)]
pub(in crate::http) async fn by_sku(
    request: HttpRequest,
    state: Data<State>,
) -> Result<HttpResponse, Problem> {
    let sku = path_text(&request, "sku")?;
    let view = only_view(&request, &state)?;
    let key = Key::Sku(sku.as_str().into());
    answer(&request, &state, key, view, SurrogateKey("sku", &sku)).await
}
