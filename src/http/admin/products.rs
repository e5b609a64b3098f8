//! Products, with all their parts, as editors see and change them.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;

use super::{
    answer::{binned, created, edited, plain, shown},
    shapes::{IfMatch, PageParameters},
};
use crate::{
    catalog::edits::{
        AdminProduct, AdminProductPage, CreateProduct, DeleteProduct, GetProduct, ListProducts, PatchProduct,
        ReplaceProduct, RestoreProduct,
    },
    domain::{draft::ProductDraft, draft_reader},
    http::{
        authorization::{Authorized, ReadScope, WriteScope},
        body,
        conditional::required_match,
        parameters::{Query, path_id},
        problem::Problem,
        state::catalog,
    },
    limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX},
};

/// List products, newest first
#[utoipa::path(
    get,
    path = "/v1/admin/products",
    operation_id = "list_products",
    tag = "products",
    params(PageParameters),
    responses((status = 200, description = "A page of products, whatever their status", body = AdminProductPage))
)]
pub(in crate::http) async fn list(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::parse(request.query_string());
    let after = query.id("after");
    let limit = query.number("limit", 1..=PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT);
    let deleted = query.flag("deleted");
    query.finish()?;
    plain(&catalog(&request)?.query(ListProducts { after, limit, deleted }).await?)
}

/// Get a product, a deleted one too
#[utoipa::path(
    get,
    path = "/v1/admin/products/{id}",
    operation_id = "get_product",
    tag = "products",
    params(("id" = uuid::Uuid, Path, description = "Id of the product")),
    responses((status = 200, description = "The product", body = AdminProduct))
)]
pub(in crate::http) async fn get(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    shown(&catalog(&request)?.query(GetProduct { id }).await?)
}

/// Create a product
///
/// Only `title` is required.
#[utoipa::path(
    post,
    path = "/v1/admin/products",
    operation_id = "create_product",
    tag = "products",
    request_body(content = ProductDraft, example = json!({
        "title": "Floor lamp",
        "tags": ["light"],
        "variants": [{
            "sku": "LAMP-RED", "options": {"Colour": "red"},
            "prices": [{"currency": "USD", "amount": 6999, "compare_at": 7999}],
            "stock": [{"location": "default", "quantity": 12}]
        }]
    })),
    responses((status = 201, description = "The new product", body = AdminProduct))
)]
pub(in crate::http) async fn create(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let draft = draft(&body::document(&request, payload).await?)?;
    let edit = authorized.edit(CreateProduct { draft }).await?;
    created(&edit, "/v1/admin/products", edit.reply.id)
}

/// Replace a product
///
/// What the document leaves out is removed. Variants and media keep their identity by `id`, `sku`, options or `url`.
#[utoipa::path(
    put,
    path = "/v1/admin/products/{id}",
    operation_id = "replace_product",
    tag = "products",
    params(("id" = uuid::Uuid, Path, description = "Id of the product"), IfMatch),
    request_body(content = ProductDraft, example = json!({"title": "Floor lamp", "slug": "floor-lamp"})),
    responses((status = 200, description = "The product after the edit", body = AdminProduct))
)]
pub(in crate::http) async fn replace(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let precondition = required_match(request.headers())?;
    let draft = draft(&body::document(&request, payload).await?)?;
    edited(&authorized.edit(ReplaceProduct { id, precondition, draft }).await?)
}

/// Change parts of a product
///
/// A JSON Merge Patch (RFC 7396) of the document that GET answers: null removes, lists are replaced whole.
#[utoipa::path(
    patch,
    path = "/v1/admin/products/{id}",
    operation_id = "patch_product",
    tag = "products",
    params(("id" = uuid::Uuid, Path, description = "Id of the product"), IfMatch),
    request_body(content(
        (Object = "application/merge-patch+json", example = json!({"status": "archived", "tags": ["light", "sale"]})),
        (Object = "application/json", example = json!({"title": "Floor lamp, tall"}))
    )),
    responses((status = 200, description = "The product after the edit", body = AdminProduct))
)]
pub(in crate::http) async fn patch(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let precondition = required_match(request.headers())?;
    let patch = body::patch(&request, payload).await?;
    edited(&authorized.edit(PatchProduct { id, precondition, patch }).await?)
}

/// Delete a product
///
/// It leaves the store and can be restored.
#[utoipa::path(
    delete,
    path = "/v1/admin/products/{id}",
    operation_id = "delete_product",
    tag = "products",
    params(("id" = uuid::Uuid, Path, description = "Id of the product"), IfMatch),
    responses((status = 204, description = "The product is in the bin, at the version of `ETag`"))
)]
pub(in crate::http) async fn delete(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let precondition = required_match(request.headers())?;
    Ok(binned(&authorized.edit(DeleteProduct { id, precondition }).await?))
}

/// Restore a deleted product
#[utoipa::path(
    post,
    path = "/v1/admin/products/{id}/restore",
    operation_id = "restore_product",
    tag = "products",
    params(("id" = uuid::Uuid, Path, description = "Id of the product"), IfMatch),
    responses((status = 200, description = "The product, back from the bin", body = AdminProduct))
)]
pub(in crate::http) async fn restore(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let precondition = required_match(request.headers())?;
    edited(&authorized.edit(RestoreProduct { id, precondition }).await?)
}

fn draft(document: &Value) -> Result<Box<ProductDraft>, Problem> {
    draft_reader::read(document).map(Box::new).map_err(Problem::invalid)
}
