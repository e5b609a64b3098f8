//! Categories as editors see and change them.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;

use super::{
    answer::plain,
    fields::{Extent, Fields},
    resource,
    shapes::{AdminCategoryList, IfMatch},
};
use crate::{
    catalog::edits::{
        AdminCategory, CategoryDraft, CreateCategory, DeleteCategory, GetCategory, ListCategories,
        PatchCategory, ReplaceCategory,
    },
    http::{
        authorization::{Authorized, ReadScope, WriteScope},
        parameters::Query,
        problem::Problem,
        state::catalog,
    },
};

/// Fields of an answer that cannot be edited; ignored, so that an answer can be sent back.
const READ_ONLY: &[&str] = &["id", "version", "path", "created_at", "updated_at"];

/// List all categories
#[utoipa::path(
    get,
    path = "/v1/admin/categories",
    operation_id = "list_categories",
    tag = "categories",
    responses((status = 200, description = "All categories, in tree order", body = AdminCategoryList))
)]
pub(in crate::http) async fn list(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string()).finish()?;
    plain(&AdminCategoryList { items: catalog(&request)?.query(ListCategories).await? })
}

/// Get a category
#[utoipa::path(
    get,
    path = "/v1/admin/categories/{id}",
    operation_id = "get_category",
    tag = "categories",
    params(("id" = uuid::Uuid, Path, description = "Id of the category")),
    responses((status = 200, description = "The category", body = AdminCategory))
)]
pub(in crate::http) async fn get(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::get(&request, |id| GetCategory { id }).await
}

/// Create a category
#[utoipa::path(
    post,
    path = "/v1/admin/categories",
    operation_id = "create_category",
    tag = "categories",
    request_body(content = CategoryDraft, example = json!({"name": "Lamps", "slug": "lamps", "position": 3})),
    responses((status = 201, description = "The new category", body = AdminCategory))
)]
pub(in crate::http) async fn create(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    resource::create(&authorized, &request, payload, "/v1/admin/categories", read, |draft| CreateCategory {
        draft,
    })
    .await
}

/// Replace a category
#[utoipa::path(
    put,
    path = "/v1/admin/categories/{id}",
    operation_id = "replace_category",
    tag = "categories",
    params(("id" = uuid::Uuid, Path, description = "Id of the category"), IfMatch),
    request_body(content = CategoryDraft, example = json!({"name": "Lamps", "slug": "lamps", "position": 3})),
    responses((status = 200, description = "The category after the edit", body = AdminCategory))
)]
pub(in crate::http) async fn replace(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, draft| ReplaceCategory { id, precondition, draft };
    resource::replace(&authorized, &request, payload, read, edit).await
}

/// Change parts of a category
///
/// A JSON Merge Patch (RFC 7396): null removes.
#[utoipa::path(
    patch,
    path = "/v1/admin/categories/{id}",
    operation_id = "patch_category",
    tag = "categories",
    params(("id" = uuid::Uuid, Path, description = "Id of the category"), IfMatch),
    request_body(content(
        (Object = "application/merge-patch+json", example = json!({"name": "Lights"})),
        (Object = "application/json", example = json!({"name": "Lights"}))
    )),
    responses((status = 200, description = "The category after the edit", body = AdminCategory))
)]
pub(in crate::http) async fn patch(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, patch| PatchCategory { id, precondition, patch };
    resource::patch(&authorized, &request, payload, (read, READ_ONLY), edit).await
}

/// Delete a category
#[utoipa::path(
    delete,
    path = "/v1/admin/categories/{id}",
    operation_id = "delete_category",
    tag = "categories",
    params(("id" = uuid::Uuid, Path, description = "Id of the category"), IfMatch),
    responses((status = 204, description = "The category is gone"))
)]
pub(in crate::http) async fn delete(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::delete(&authorized, &request, |id, precondition| DeleteCategory { id, precondition }).await
}

fn read(document: &Value, extent: Extent) -> Result<CategoryDraft, Problem> {
    let mut fields = Fields::of(document, extent);
    fields.ignored(READ_ONLY);
    let draft = CategoryDraft {
        name: fields.name(),
        slug: fields.slug(),
        description: fields.description(),
        parent_id: fields.id("parent_id"),
        position: fields.integer("position", i32::MIN..=i32::MAX),
    };
    fields.finish()?;
    Ok(draft)
}
