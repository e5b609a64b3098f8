//! Admin tokens. Only the hash of a secret is stored: a token's text is shown once, when it is made.
//!
//! They have a scope of their own: whoever holds the token of an editor must not make another that outlives its revocation.

use actix_web::{HttpRequest, HttpResponse, web::Payload};
use chrono::{DateTime, Utc};
use serde_json::Value;

use super::{
    answer::{created_plain, gone, plain},
    fields::{Extent, Fields},
    shapes::{CreatedToken, NewToken, TokenList},
};
use crate::{
    catalog::edits::{CreateToken, ListTokens, RevokeToken, Scope},
    domain::token,
    http::{
        authorization::{Authorized, ManageScope},
        body,
        parameters::{Query, path_id},
        problem::Problem,
        state::catalog,
    },
};

/// List all tokens, newest first
#[utoipa::path(
    get,
    path = "/v1/admin/tokens",
    operation_id = "list_tokens",
    tag = "tokens",
    responses((status = 200, description = "All tokens, without their secrets", body = TokenList))
)]
pub(in crate::http) async fn list(
    _: Authorized<ManageScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    Query::parse(request.query_string()).finish()?;
    plain(&TokenList { items: catalog(&request)?.query(ListTokens).await? })
}

/// Create a token
///
/// `secret` of the answer is the token's text; it cannot be read again.
#[utoipa::path(
    post,
    path = "/v1/admin/tokens",
    operation_id = "create_token",
    tag = "tokens",
    request_body(content = NewToken, example = json!({"name": "storefront build", "scope": "read"})),
    responses((status = 201, description = "The new token", body = CreatedToken))
)]
pub(in crate::http) async fn create(
    authorized: Authorized<ManageScope>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (name, scope, expires_at) = read(&body::document(&request, payload).await?)?;
    let (edit, secret) = CreateToken::with_new_secret(name, scope, expires_at);
    let created = authorized.edit(edit).await?.reply;
    let location = format!("/v1/admin/tokens/{}", created.id);
    let secret = token::format(created.id, &secret);
    created_plain(location, &CreatedToken { secret, token: created })
}

/// Revoke a token
#[utoipa::path(
    delete,
    path = "/v1/admin/tokens/{id}",
    operation_id = "revoke_token",
    tag = "tokens",
    params(("id" = uuid::Uuid, Path, description = "Id of the token")),
    responses((status = 204, description = "The token works no more"))
)]
pub(in crate::http) async fn revoke(
    authorized: Authorized<ManageScope>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = path_id(&request, "id")?;
    Ok(gone(&authorized.edit(RevokeToken { id }).await?))
}

fn read(document: &Value) -> Result<(String, Scope, Option<DateTime<Utc>>), Problem> {
    let mut fields = Fields::of(document, Extent::Whole);
    let name = fields.name();
    let scope = fields.text("scope", 16).and_then(|name| Scope::parse(&name)).unwrap_or_else(|| {
        fields.report("scope", "unknown_scope", "must be read, write or manage");
        Scope::Read
    });
    let expires_at = fields.text("expires_at", 64).and_then(|text| {
        let time = DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc());
        match time {
            None => fields.report("expires_at", "not_a_time", "must be a time as in RFC 3339"),
            Some(time) if time <= Utc::now() => fields.report("expires_at", "past", "must be in the future"),
            Some(_) => {}
        }
        time
    });
    fields.finish()?;
    Ok((name, scope, expires_at))
}
