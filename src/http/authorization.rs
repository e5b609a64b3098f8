//! Who may use the admin API: `Authorization: Bearer <token>`.
//!
//! A handler names the scope it needs in its signature, `Authorized<WriteScope>`; it cannot run without one. The check comes
//! before anything else is read of a request, so that a stranger learns neither what exists nor what a body would do.

use std::{fmt, marker::PhantomData};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap, HeaderValue},
    web,
};
use futures_util::future::LocalBoxFuture;
use subtle::ConstantTimeEq;

use super::{
    problem::{Code, Problem},
    state::{State, catalog},
};
use crate::{
    catalog::edits::{FindToken, Scope},
    domain::token,
    limiting::Key,
};

/// Proof that the request's token has the scope.
pub(super) struct Authorized<S>(PhantomData<S>);

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

/// A scope that a handler can require.
pub(super) trait RequiredScope: 'static {
    /// Whether a token that may only read is refused.
    const WRITES: bool;
}

impl RequiredScope for ReadScope {
    const WRITES: bool = false;
}

impl RequiredScope for WriteScope {
    const WRITES: bool = true;
}

impl<S: RequiredScope> FromRequest for Authorized<S> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let scope = authorize(&request).await?;
            if S::WRITES && scope != Scope::Write {
                let challenge = r#"Bearer realm="aisle", error="insufficient_scope", scope="write""#;
                return Err(Problem::new(Code::Forbidden, "this token may read but not edit")
                    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
            }
            Ok(Self(PhantomData))
        })
    }
}

/// Scope of the request's token.
pub(super) async fn authorize(request: &HttpRequest) -> Result<Scope, Problem> {
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
        return Ok(Scope::Write);
    }
    if let Some((id, secret)) = token::parse(text)
        && let Some((found, expected)) = catalog(request)?.query(FindToken { id }).await?
        && bool::from(token::hash(secret).ct_eq(&expected))
    {
        limits.map_or(Ok(()), |limits| limits.count_token(request, Key::Token(id)))?;
        return Ok(found.scope);
    }
    limits.map_or(Ok(()), |limits| limits.count_failure(request))?;
    let challenge = r#"Bearer realm="aisle", error="invalid_token""#;
    Err(unauthorized("the token is unknown, expired or revoked", challenge))
}

fn unauthorized(detail: &'static str, challenge: &'static str) -> Problem {
    Problem::new(Code::Unauthorized, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
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
