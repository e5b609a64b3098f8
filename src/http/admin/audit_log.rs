//! The audit log: who edited what, and when.

use actix_web::{HttpRequest, HttpResponse};

use super::{
    answer::plain,
    shapes::{AuditLogPage, AuditLogParameters},
};
use crate::{
    catalog::edits::ListAuditEntries,
    domain::{
        cursor,
        list::{Place, Start},
        origin::canonical_path,
    },
    http::{
        authorization::{Authorized, ManageScope},
        parameters::Query,
        problem::Problem,
        state::catalog,
    },
    limits::{PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX},
};

/// List entries of the audit log, newest first
///
/// Every committed edit of this API leaves one, and `aisle token` does; imports and edits by SQL do not. `next_cursor` leads to
/// older ones, also when newer ones come meanwhile; it belongs to this `path`.
#[utoipa::path(
    get,
    path = "/v1/admin/audit-log",
    operation_id = "list_audit_entries",
    tag = "audit log",
    params(AuditLogParameters),
    responses((status = 200, description = "A page of entries", body = AuditLogPage))
)]
pub(in crate::http) async fn list(
    _: Authorized<ManageScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut query = Query::parse(request.query_string());
    let path = query.text("path").map(|path| canonical_path(&path));
    let limit = query.number("limit", 1..=PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT);
    let words = words(path.as_deref());
    let after =
        query.read("cursor", "bad_cursor", "a next_cursor of this path", |token| place(&words, token));
    query.finish()?;
    let page = catalog(&request)?.query(ListAuditEntries { path, after, limit }).await?;
    let next_cursor = page.next.map(|place| cursor::encode(&words, &Start::After(place)));
    plain(&AuditLogPage { items: page.items, next_cursor })
}

/// What a cursor is bound to: the entries of one path, or all of them.
fn words(path: Option<&str>) -> Vec<u8> {
    format!("audit-log {}", path.unwrap_or_default()).into_bytes()
}

fn place(words: &[u8], token: &str) -> Option<Place> {
    match cursor::decode(words, token) {
        Ok(Start::After(place)) => Some(place),
        Ok(Start::Beginning | Start::Before(_)) | Err(cursor::BadCursor) => None,
    }
}
