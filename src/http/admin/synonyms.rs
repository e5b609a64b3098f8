//! Sets of synonyms as editors see and change them.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;

use super::{
    answer::plain,
    fields::{Extent, Fields},
    resource,
    shapes::{AdminSynonymSetList, IfMatch},
};
use crate::{
    catalog::edits::{
        AdminSynonymSet, CreateSynonymSet, DeleteSynonymSet, GetSynonymSet, ListSynonymSets, PatchSynonymSet,
        ReplaceSynonymSet, SynonymSetDraft,
    },
    http::{
        authorization::{Authorized, ReadScope, WriteScope},
        parameters::Query,
        problem::Problem,
        state::catalog,
    },
    limits::{SYNONYM_LENGTH_MAX, SYNONYM_WORDS_MAX},
};

/// Fields of an answer that cannot be edited; ignored, so that an answer can be sent back.
const READ_ONLY: &[&str] = &["id", "version", "created_at", "updated_at"];

/// List all synonym sets, by their words
#[utoipa::path(
    get,
    path = "/v1/admin/synonyms",
    operation_id = "list_synonym_sets",
    tag = "synonyms",
    responses((status = 200, description = "All synonym sets, by their words", body = AdminSynonymSetList))
)]
pub(in crate::http) async fn list(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string()).finish()?;
    plain(&AdminSynonymSetList { items: catalog(&request)?.query(ListSynonymSets).await? })
}

/// Get a synonym set
#[utoipa::path(
    get,
    path = "/v1/admin/synonyms/{id}",
    operation_id = "get_synonym_set",
    tag = "synonyms",
    params(("id" = uuid::Uuid, Path, description = "Id of the synonym set")),
    responses((status = 200, description = "The synonym set", body = AdminSynonymSet))
)]
pub(in crate::http) async fn get(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::get(&request, |id| GetSynonymSet { id }).await
}

/// Create a synonym set
#[utoipa::path(
    post,
    path = "/v1/admin/synonyms",
    operation_id = "create_synonym_set",
    tag = "synonyms",
    request_body(content = SynonymSetDraft, example = json!({"words": ["sofa", "couch", "settee"]})),
    responses((status = 201, description = "The new synonym set", body = AdminSynonymSet))
)]
pub(in crate::http) async fn create(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    resource::create(&authorized, &request, payload, "/v1/admin/synonyms", read, |draft| CreateSynonymSet {
        draft,
    })
    .await
}

/// Replace a synonym set
#[utoipa::path(
    put,
    path = "/v1/admin/synonyms/{id}",
    operation_id = "replace_synonym_set",
    tag = "synonyms",
    params(("id" = uuid::Uuid, Path, description = "Id of the synonym set"), IfMatch),
    request_body(content = SynonymSetDraft, example = json!({"words": ["sofa", "couch", "settee"]})),
    responses((status = 200, description = "The synonym set after the edit", body = AdminSynonymSet))
)]
pub(in crate::http) async fn replace(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, draft| ReplaceSynonymSet { id, precondition, draft };
    resource::replace(&authorized, &request, payload, read, edit).await
}

/// Change parts of a synonym set
///
/// A JSON Merge Patch (RFC 7396): null removes.
#[utoipa::path(
    patch,
    path = "/v1/admin/synonyms/{id}",
    operation_id = "patch_synonym_set",
    tag = "synonyms",
    params(("id" = uuid::Uuid, Path, description = "Id of the synonym set"), IfMatch),
    request_body(content(
        (Object = "application/merge-patch+json", example = json!({"words": ["sofa", "couch"]})),
        (Object = "application/json", example = json!({"words": ["sofa", "couch"]}))
    )),
    responses((status = 200, description = "The synonym set after the edit", body = AdminSynonymSet))
)]
pub(in crate::http) async fn patch(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, patch| PatchSynonymSet { id, precondition, patch };
    resource::patch(&authorized, &request, payload, (read, READ_ONLY), edit).await
}

/// Delete a synonym set
#[utoipa::path(
    delete,
    path = "/v1/admin/synonyms/{id}",
    operation_id = "delete_synonym_set",
    tag = "synonyms",
    params(("id" = uuid::Uuid, Path, description = "Id of the synonym set"), IfMatch),
    responses((status = 204, description = "The synonym set is gone"))
)]
pub(in crate::http) async fn delete(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::delete(&authorized, &request, |id, precondition| DeleteSynonymSet { id, precondition }).await
}

fn read(document: &Value, extent: Extent) -> Result<SynonymSetDraft, Problem> {
    let mut fields = Fields::of(document, extent);
    fields.ignored(READ_ONLY);
    let draft = SynonymSetDraft { words: fields.lines("words", SYNONYM_WORDS_MAX, SYNONYM_LENGTH_MAX) };
    fields.require("words");
    fields.finish()?;
    Ok(draft)
}
