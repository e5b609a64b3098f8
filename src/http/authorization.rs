//! Who may use the admin API: `Authorization: Bearer <token>`.
//!
//! A handler names the scope it needs in its signature, `Authorized<WriteScope>`; it cannot run without one. The check comes
//! before anything else is read of a request, so that a stranger learns neither what exists nor what a body would do. And it is
//! what edits are made with, so that the audit log can tell of each who made it.

use std::{fmt, marker::PhantomData, net::IpAddr};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap, HeaderValue},
    web,
};
use futures_util::future::LocalBoxFuture;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use super::{
    client_address,
    problem::{Code, Problem},
    request_id,
    state::{State, catalog},
};
use crate::{
    catalog::{
        edits::{Edit, FindToken, Scope},
        handle::Acknowledged,
    },
    domain::{
        origin::{Origin, RequestOrigin},
        token,
    },
    limiting::Key,
};

/// Proof that the request's token has the scope.
pub(super) struct Authorized<S> {
    holder: Holder,
    request: HttpRequest,
    scope: PhantomData<S>,
}

impl<S> fmt::Debug for Authorized<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorized")
    }
}

/// May read the admin API.
#[derive(Debug)]
pub(super) struct ReadScope;

/// May read and edit.
#[derive(Debug)]
pub(super) struct WriteScope;

/// May also manage tokens and read the audit log.
#[derive(Debug)]
pub(super) struct ManageScope;

/// A scope that a handler can require.
pub(super) trait RequiredScope: 'static {
    /// Tokens of less are refused.
    const LEAST: Scope;
}

impl RequiredScope for ReadScope {
    const LEAST: Scope = Scope::Read;
}

impl RequiredScope for WriteScope {
    const LEAST: Scope = Scope::Write;
}

impl RequiredScope for ManageScope {
    const LEAST: Scope = Scope::Manage;
}

/// A scope that edits something.
pub(super) trait EditingScope: RequiredScope {}

impl EditingScope for WriteScope {}

impl EditingScope for ManageScope {}

/// Whose token it is.
#[derive(Debug)]
pub(super) struct Holder {
    /// Id and name of a stored token; absent for the token of the settings.
    token: Option<(Uuid, String)>,
    scope: Scope,
}

impl<S: EditingScope> Authorized<S> {
    /// Makes an edit on behalf of the token's holder.
    pub(super) async fn edit<M: Edit>(&self, edit: M) -> Result<Acknowledged<M::Reply>, Problem> {
        Ok(catalog(&self.request)?.edit(self.origin(), edit).await?)
    }

    /// Whose request it is, behind the balancers of the settings.
    fn address(&self) -> Option<IpAddr> {
        let state = self.request.app_data::<web::Data<State>>()?;
        client_address::of(&self.request, state.trusted_proxies)
    }

    fn origin(&self) -> Origin {
        let request = RequestOrigin {
            method: self.request.method().as_str().to_owned(),
            id: request_id::of(&self.request),
            address: self.address().map(|address| address.to_canonical().to_string()),
        };
        let token = self.holder.token.as_ref().map(|(id, name)| (*id, name.as_str()));
        Origin::request(token, self.request.match_info().as_str(), request)
    }
}

impl<S: RequiredScope> FromRequest for Authorized<S> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let holder = authorize(&request).await?;
            if holder.scope < S::LEAST {
                return Err(forbidden(S::LEAST));
            }
            Ok(Self { holder, request, scope: PhantomData })
        })
    }
}

/// Whose token the request has.
pub(super) async fn authorize(request: &HttpRequest) -> Result<Holder, Problem> {
    let Some(text) = bearer(request.headers()) else {
        return Err(unauthorized("send Authorization: Bearer <token>", r#"Bearer realm="aisle""#));
    };
    let state = request.app_data::<web::Data<State>>();
    let state = state.ok_or_else(|| Problem::internal("the worker has no state"))?;
    let limits = state.limits.as_ref();
    limits.map_or(Ok(()), |limits| limits.refuse_guessing(request))?;
    if let Some(expected) = &state.admin_token
        && bool::from(token::hash(text).ct_eq(expected))
    {
        limits.map_or(Ok(()), |limits| limits.count_token(request, Key::SettingsToken))?;
        return Ok(Holder { token: None, scope: Scope::Manage });
    }
    if let Some((id, secret)) = token::parse(text)
        && let Some((found, expected)) = catalog(request)?.query(FindToken { id }).await?
        && bool::from(token::hash(secret).ct_eq(&expected))
    {
        limits.map_or(Ok(()), |limits| limits.count_token(request, Key::Token(id)))?;
        catalog(request)?.note_use(id);
        return Ok(Holder { token: Some((id, found.name)), scope: found.scope });
    }
    limits.map_or(Ok(()), |limits| limits.count_failure(request))?;
    let challenge = r#"Bearer realm="aisle", error="invalid_token""#;
    Err(unauthorized("the token is unknown, expired or revoked", challenge))
}

fn unauthorized(detail: &'static str, challenge: &'static str) -> Problem {
    Problem::new(Code::Unauthorized, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// The refusal of a token that has less than this scope.
fn forbidden(least: Scope) -> Problem {
    let detail = match least {
        Scope::Read => "this token may not read",
        Scope::Write => "this token may read but not edit",
        Scope::Manage => "this token may neither manage tokens nor read the audit log",
    };
    let challenge = format!(r#"Bearer realm="aisle", error="insufficient_scope", scope="{}""#, least.name());
    let challenge = HeaderValue::try_from(challenge).unwrap_or(HeaderValue::from_static("Bearer"));
    Problem::new(Code::Forbidden, detail).with_header(header::WWW_AUTHENTICATE, challenge)
}

/// The token of `Authorization: Bearer`; the scheme in any case (RFC 9110 §11.1).
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        bearer(&headers).map(str::to_owned)
    }

    #[test]
    fn reads_bearer_tokens() {
        assert_eq!(found("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(found("bearer  abc ").as_deref(), Some("abc"));
        for bad in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(found(bad), None, "{bad:?}");
        }
    }
}
