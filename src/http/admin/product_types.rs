//! Product types as editors see and change them.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;

use super::{
    answer::plain,
    fields::{Extent, Fields},
    resource,
    shapes::{AdminProductTypeList, IfMatch, MisfitParameters},
};
use crate::{
    catalog::edits::{
        AdminProductType, CreateProductType, DeleteProductType, FindMisfits, GetProductType,
        ListProductTypes, Misfits, PatchProductType, ProductTypeDraft, ReplaceProductType,
    },
    http::{
        authorization::{Authorized, ReadScope, WriteScope},
        parameters::{Query, path_id},
        problem::Problem,
        state::catalog,
    },
    limits::{
        ATTRIBUTE_NAME_LENGTH_MAX, NAME_LENGTH_MAX, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, TYPE_ATTRIBUTES_MAX,
    },
};

/// Fields of an answer that cannot be edited; ignored, so that an answer can be sent back.
const READ_ONLY: &[&str] = &["id", "version", "created_at", "updated_at"];

/// List all product types, by name
#[utoipa::path(
    get,
    path = "/v1/admin/product-types",
    operation_id = "list_product_types",
    tag = "product types",
    responses((status = 200, description = "All product types, by name", body = AdminProductTypeList))
)]
pub(in crate::http) async fn list(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string()).finish()?;
    plain(&AdminProductTypeList { items: catalog(&request)?.query(ListProductTypes).await? })
}

/// Get a product type
#[utoipa::path(
    get,
    path = "/v1/admin/product-types/{id}",
    operation_id = "get_product_type",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the product type")),
    responses((status = 200, description = "The product type", body = AdminProductType))
)]
pub(in crate::http) async fn get(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::get(&request, |id| GetProductType { id }).await
}

/// Create a product type
#[utoipa::path(
    post,
    path = "/v1/admin/product-types",
    operation_id = "create_product_type",
    tag = "product types",
    request_body(content = ProductTypeDraft, example = json!({"code": "lamp", "name": "Lamp", "attributes": ["colour", "watts"]})),
    responses((status = 201, description = "The new product type", body = AdminProductType))
)]
pub(in crate::http) async fn create(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    resource::create(&authorized, &request, payload, "/v1/admin/product-types", read, |draft| {
        CreateProductType { draft }
    })
    .await
}

/// Replace a product type
#[utoipa::path(
    put,
    path = "/v1/admin/product-types/{id}",
    operation_id = "replace_product_type",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the product type"), IfMatch),
    request_body(content = ProductTypeDraft, example = json!({"code": "lamp", "name": "Lamp", "attributes": ["colour", "watts"]})),
    responses((status = 200, description = "The product type after the edit", body = AdminProductType))
)]
pub(in crate::http) async fn replace(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, draft| ReplaceProductType { id, precondition, draft };
    resource::replace(&authorized, &request, payload, read, edit).await
}

/// Change parts of a product type
///
/// A JSON Merge Patch (RFC 7396): null removes.
#[utoipa::path(
    patch,
    path = "/v1/admin/product-types/{id}",
    operation_id = "patch_product_type",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the product type"), IfMatch),
    request_body(content(
        (Object = "application/merge-patch+json", example = json!({"strict": true})),
        (Object = "application/json", example = json!({"strict": true}))
    )),
    responses((status = 200, description = "The product type after the edit", body = AdminProductType))
)]
pub(in crate::http) async fn patch(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, patch| PatchProductType { id, precondition, patch };
    resource::patch(&authorized, &request, payload, (read, READ_ONLY), edit).await
}

/// Delete a product type
#[utoipa::path(
    delete,
    path = "/v1/admin/product-types/{id}",
    operation_id = "delete_product_type",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the product type"), IfMatch),
    responses((status = 204, description = "The product type is gone"))
)]
pub(in crate::http) async fn delete(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::delete(&authorized, &request, |id, precondition| DeleteProductType { id, precondition }).await
}

/// Find products that do not fit their type
///
/// A changed definition leaves products as they are. This looks over up to 1,000 products of the type, by id, and tells which
/// of them hold values that do not fit; `next_after` leads on.
#[utoipa::path(
    get,
    path = "/v1/admin/product-types/{id}/misfits",
    operation_id = "find_misfits",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the product type"), MisfitParameters),
    responses((status = 200, description = "What was looked over and found", body = Misfits))
)]
pub(in crate::http) async fn misfits(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    let mut query = Query::parse(request.query_string());
    let after = query.id("after");
    let limit = query.number("limit", 1..=PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT);
    query.finish()?;
    plain(&catalog(&request)?.query(FindMisfits { id, after, limit }).await?)
}

fn read(document: &Value, extent: Extent) -> Result<ProductTypeDraft, Problem> {
    let mut fields = Fields::of(document, extent);
    fields.ignored(READ_ONLY);
    let draft = ProductTypeDraft {
        code: fields.line("code", NAME_LENGTH_MAX),
        name: fields.name(),
        strict: fields.flag("strict"),
        attributes: fields.lines("attributes", TYPE_ATTRIBUTES_MAX, ATTRIBUTE_NAME_LENGTH_MAX),
    };
    fields.finish()?;
    Ok(draft)
}
