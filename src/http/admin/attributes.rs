//! Attribute definitions as editors see and change them.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;

use super::{
    answer::plain,
    fields::{Extent, Fields},
    resource,
    shapes::{AdminAttributeDefinitionList, IfMatch},
};
use crate::{
    catalog::edits::{
        AdminAttributeDefinition, AttributeDefinitionDraft, CreateAttributeDefinition,
        DeleteAttributeDefinition, GetAttributeDefinition, ListAttributeDefinitions,
        PatchAttributeDefinition, ReplaceAttributeDefinition,
    },
    domain::attribute::KINDS,
    http::{
        authorization::{Authorized, ReadScope, WriteScope},
        parameters::Query,
        problem::Problem,
        state::catalog,
    },
    limits::{ATTRIBUTE_NAME_LENGTH_MAX, ENUM_VALUES_MAX, NAME_LENGTH_MAX},
};

/// Fields of an answer that cannot be edited; ignored, so that an answer can be sent back.
const READ_ONLY: &[&str] = &["id", "version", "created_at", "updated_at"];

/// List all attribute definitions, by code
#[utoipa::path(
    get,
    path = "/v1/admin/attributes",
    operation_id = "list_attribute_definitions",
    tag = "product types",
    responses((status = 200, description = "All attribute definitions, by code", body = AdminAttributeDefinitionList))
)]
pub(in crate::http) async fn list(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string()).finish()?;
    plain(&AdminAttributeDefinitionList { items: catalog(&request)?.query(ListAttributeDefinitions).await? })
}

/// Get an attribute definition
#[utoipa::path(
    get,
    path = "/v1/admin/attributes/{id}",
    operation_id = "get_attribute_definition",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the attribute definition")),
    responses((status = 200, description = "The attribute definition", body = AdminAttributeDefinition))
)]
pub(in crate::http) async fn get(
    _: Authorized<ReadScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::get(&request, |id| GetAttributeDefinition { id }).await
}

/// Create an attribute definition
#[utoipa::path(
    post,
    path = "/v1/admin/attributes",
    operation_id = "create_attribute_definition",
    tag = "product types",
    request_body(content = AttributeDefinitionDraft, example = json!({"code": "colour", "label": "Colour", "kind": "enum", "values": ["red", "blue"], "filterable": true, "facet": true})),
    responses((status = 201, description = "The new attribute definition", body = AdminAttributeDefinition))
)]
pub(in crate::http) async fn create(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    resource::create(&authorized, &request, payload, "/v1/admin/attributes", read, |draft| {
        CreateAttributeDefinition { draft }
    })
    .await
}

/// Replace an attribute definition
#[utoipa::path(
    put,
    path = "/v1/admin/attributes/{id}",
    operation_id = "replace_attribute_definition",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the attribute definition"), IfMatch),
    request_body(content = AttributeDefinitionDraft, example = json!({"code": "colour", "label": "Colour", "kind": "enum", "values": ["red", "blue"], "filterable": true, "facet": true})),
    responses((status = 200, description = "The attribute definition after the edit", body = AdminAttributeDefinition))
)]
pub(in crate::http) async fn replace(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, draft| ReplaceAttributeDefinition { id, precondition, draft };
    resource::replace(&authorized, &request, payload, read, edit).await
}

/// Change parts of an attribute definition
///
/// A JSON Merge Patch (RFC 7396): null removes.
#[utoipa::path(
    patch,
    path = "/v1/admin/attributes/{id}",
    operation_id = "patch_attribute_definition",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the attribute definition"), IfMatch),
    request_body(content(
        (Object = "application/merge-patch+json", example = json!({"values": ["red", "blue", "green"]})),
        (Object = "application/json", example = json!({"values": ["red", "blue", "green"]}))
    )),
    responses((status = 200, description = "The attribute definition after the edit", body = AdminAttributeDefinition))
)]
pub(in crate::http) async fn patch(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let edit = |id, precondition, patch| PatchAttributeDefinition { id, precondition, patch };
    resource::patch(&authorized, &request, payload, (read, READ_ONLY), edit).await
}

/// Delete an attribute definition
#[utoipa::path(
    delete,
    path = "/v1/admin/attributes/{id}",
    operation_id = "delete_attribute_definition",
    tag = "product types",
    params(("id" = uuid::Uuid, Path, description = "Id of the attribute definition"), IfMatch),
    responses((status = 204, description = "The attribute definition is gone"))
)]
pub(in crate::http) async fn delete(
    authorized: Authorized<WriteScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    resource::delete(&authorized, &request, |id, precondition| DeleteAttributeDefinition { id, precondition })
        .await
}

fn read(document: &Value, extent: Extent) -> Result<AttributeDefinitionDraft, Problem> {
    let mut fields = Fields::of(document, extent);
    fields.ignored(READ_ONLY);
    let draft = AttributeDefinitionDraft {
        code: fields.line("code", ATTRIBUTE_NAME_LENGTH_MAX),
        label: fields.line("label", NAME_LENGTH_MAX),
        kind: fields.word("kind", &KINDS),
        values: fields.lines("values", ENUM_VALUES_MAX, NAME_LENGTH_MAX),
        filterable: fields.flag("filterable"),
        searchable: fields.flag("searchable"),
        facet: fields.flag("facet"),
        variant_level: fields.flag("variant_level"),
    };
    fields.finish()?;
    Ok(draft)
}
