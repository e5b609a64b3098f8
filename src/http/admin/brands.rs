//! Brands as editors see and change them.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;

use super::{
    answer::plain,
    fields::{Extent, Fields},
    resource,
    shapes::{AdminBrandList, IfMatch},
};
use crate::{
    catalog::edits::{
        AdminBrand, BrandDraft, CreateBrand, DeleteBrand, GetBrand, ListBrands, PatchBrand, ReplaceBrand,
    },
    http::{
        authorization::{Authorized, ReadScope, WriteScope},
        parameters::Query,
        problem::Problem,
        state::catalog,
    },
};

/// Fields of an answer that cannot be edited; ignored, so that an answer can be sent back.
const READ_ONLY: &[&str] = &["id", "version", "created_at", "updated_at"];

/// List all brands
#[utoipa::path(
    get,
    path = "/v1/admin/brands",
    operation_id = "list_brands",
    tag = "brands",
    responses((status = 200, description = "All brands, by name", body = AdminBrandList))
)]
pub(in crate::http) async fn list(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string()).finish()?;
    plain(&AdminBrandList { items: catalog(&request)?.query(ListBrands).await? })
}

/// Get a brand
#[utoipa::path(
    get,
    path = "/v1/admin/brands/{id}",
    operation_id = "get_brand",
    tag = "brands",
    params(("id" = uuid::Uuid, Path, description = "Id of the brand")),
    responses((status = 200, description = "The brand", body = AdminBrand))
)]
pub(in crate::http) async fn get(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::get(&request, |id| GetBrand { id }).await
}

/// Create a brand
#[utoipa::path(
    post,
    path = "/v1/admin/brands",
    operation_id = "create_brand",
    tag = "brands",
    request_body(content = BrandDraft, example = json!({"name": "Lumen & Co", "description": "Lamps since 1921"})),
    responses((status = 201, description = "The new brand", body = AdminBrand))
)]
pub(in crate::http) async fn create(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    resource::create(&authorized, &request, payload, "/v1/admin/brands", read, |draft| CreateBrand { draft })
        .await
}

/// Replace a brand
#[utoipa::path(
    put,
    path = "/v1/admin/brands/{id}",
    operation_id = "replace_brand",
    tag = "brands",
    params(("id" = uuid::Uuid, Path, description = "Id of the brand"), IfMatch),
    request_body(content = BrandDraft, example = json!({"name": "Lumen & Co", "description": "Lamps since 1921"})),
    responses((status = 200, description = "The brand after the edit", body = AdminBrand))
)]
pub(in crate::http) async fn replace(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, draft| ReplaceBrand { id, precondition, draft };
    resource::replace(&authorized, &request, payload, read, edit).await
}

/// Change parts of a brand
///
/// A JSON Merge Patch (RFC 7396): null removes.
#[utoipa::path(
    patch,
    path = "/v1/admin/brands/{id}",
    operation_id = "patch_brand",
    tag = "brands",
    params(("id" = uuid::Uuid, Path, description = "Id of the brand"), IfMatch),
    request_body(content(
        (Object = "application/merge-patch+json", example = json!({"name": "Lights"})),
        (Object = "application/json", example = json!({"name": "Lights"}))
    )),
    responses((status = 200, description = "The brand after the edit", body = AdminBrand))
)]
pub(in crate::http) async fn patch(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, patch| PatchBrand { id, precondition, patch };
    resource::patch(&authorized, &request, payload, (read, READ_ONLY), edit).await
}

/// Delete a brand
#[utoipa::path(
    delete,
    path = "/v1/admin/brands/{id}",
    operation_id = "delete_brand",
    tag = "brands",
    params(("id" = uuid::Uuid, Path, description = "Id of the brand"), IfMatch),
    responses((status = 204, description = "The brand is gone"))
)]
pub(in crate::http) async fn delete(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::delete(&authorized, &request, |id, precondition| DeleteBrand { id, precondition }).await
}

fn read(document: &Value, extent: Extent) -> Result<BrandDraft, Problem> {
    let mut fields = Fields::of(document, extent);
    fields.ignored(READ_ONLY);
    let draft = BrandDraft { name: fields.name(), slug: fields.slug(), description: fields.description() };
    fields.finish()?;
    Ok(draft)
}
