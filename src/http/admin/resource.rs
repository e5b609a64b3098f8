//! What is the same for every noun that editors create, read, replace, patch and delete whole: brands, categories, types,
//! definitions, synonyms. A noun brings how its document is read, and its messages.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use serde_json::Value;
use uuid::Uuid;

use super::{
    answer::{Identified, Versioned, created, edited, gone, shown},
    fields::{Extent, drop_fields},
};
use crate::{
    catalog::edits::{Edit, Precondition, Query},
    http::{
        authorization::{Authorized, WriteScope},
        body,
        conditional::required_match,
        parameters::path_id,
        problem::Problem,
        state::catalog,
    },
};

/// Reads a noun's document, or a patch of one, and reports all its faults.
pub(super) type Read<D> = fn(&Value, Extent) -> Result<D, Problem>;

/// Answers with the one that the path names.
pub(super) async fn get<M>(
    request: &HttpRequest,
    query: impl FnOnce(Uuid) -> M,
) -> Result<HttpResponse, Problem>
where
    M: Query<Reply: Versioned>,
{
    let id = path_id(request, "id")?;
    shown(&catalog(request)?.query(query(id)).await?)
}

/// Makes one below `path`.
pub(super) async fn create<D, M>(
    authorized: &Authorized<WriteScope>,
    request: &HttpRequest,
    payload: Payload,
    path: &str,
    read: Read<D>,
    edit: impl FnOnce(D) -> M,
) -> Result<HttpResponse, Problem>
where
    M: Edit<Reply: Identified>,
{
    let draft = read(&body::document(request, payload).await?, Extent::Whole)?;
    let edit = authorized.edit(edit(draft)).await?;
    created(&edit, path, edit.reply.id())
}

/// Replaces the one that the path names.
pub(super) async fn replace<D, M>(
    authorized: &Authorized<WriteScope>,
    request: &HttpRequest,
    payload: Payload,
    read: Read<D>,
    edit: impl FnOnce(Uuid, Precondition, D) -> M,
) -> Result<HttpResponse, Problem>
where
    M: Edit<Reply: Versioned>,
{
    let id = path_id(request, "id")?;
    let precondition = required_match(request.headers())?;
    let draft = read(&body::document(request, payload).await?, Extent::Whole)?;
    edited(&authorized.edit(edit(id, precondition, draft)).await?)
}

/// Changes parts of the one that the path names; `read_only` are the fields that an answer has and a patch may repeat.
pub(super) async fn patch<D, M>(
    authorized: &Authorized<WriteScope>,
    request: &HttpRequest,
    payload: Payload,
    (read, read_only): (Read<D>, &[&str]),
    edit: impl FnOnce(Uuid, Precondition, Value) -> M,
) -> Result<HttpResponse, Problem>
where
    M: Edit<Reply: Versioned>,
{
    let id = path_id(request, "id")?;
    let precondition = required_match(request.headers())?;
    let mut patch = body::patch(request, payload).await?;
    read(&patch, Extent::Patch)?;
    drop_fields(&mut patch, read_only);
    edited(&authorized.edit(edit(id, precondition, patch)).await?)
}

/// Deletes the one that the path names.
pub(super) async fn delete<M: Edit>(
    authorized: &Authorized<WriteScope>,
    request: &HttpRequest,
    edit: impl FnOnce(Uuid, Precondition) -> M,
) -> Result<HttpResponse, Problem> {
    let id = path_id(request, "id")?;
    let precondition = required_match(request.headers())?;
    Ok(gone(&authorized.edit(edit(id, precondition)).await?))
}
