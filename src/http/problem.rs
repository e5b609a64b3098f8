//! Errors as clients see them: RFC 9457 problem documents, one per failed request.
//!
//! [`Code`] is the stable part that scripts rely on. Whatever fails below becomes a [`Problem`] in exactly one place, the
//! conversion from [`CatalogError`], which has no wildcard: a new kind of failure forces a decision here. Causes that are
//! nobody's business stay in the log, under the request id that the document carries.

use std::{borrow::Cow, fmt};

use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{catalog::CatalogError, domain::invalid::Invalid};

pub use super::problem_code::Code;

/// Media type of problem documents.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Header that carries the request id.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Why a request failed.
#[derive(Debug, Clone)]
pub struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    errors: Vec<Fault>,
    current_version: Option<i64>,
    headers: Vec<(HeaderName, HeaderValue)>,
    cause: Option<String>,
}

/// One wrong place of a request. Exactly one of `pointer`, `parameter` and `header` is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// JSON Pointer into the body, in fragment form (RFC 6901 §6).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "#/variants/0/prices/1/amount")]
    pub pointer: Option<String>,
    /// Name of a path or query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Name of a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<&'static str>,
    /// Stable name of the broken rule, in snake case.
    #[schema(example = "too_long")]
    pub rule: &'static str,
    /// The rule in words, with its limit.
    pub detail: Cow<'static, str>,
}

impl Fault {
    /// A wrong path or query parameter.
    pub fn parameter(
        name: impl Into<String>,
        rule: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: None, parameter: Some(name.into()), header: None, rule, detail: detail.into() }
    }

    /// A wrong header.
    pub fn header(name: &'static str, rule: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: None, header: Some(name), rule, detail: detail.into() }
    }

    /// A wrong place of the body.
    pub fn pointer(
        pointer: impl Into<String>,
        rule: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, header: None, rule, detail: detail.into() }
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Self::pointer(invalid.pointer, invalid.rule, invalid.detail)
    }
}

/// A problem document (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDocument<'a> {
    /// Stable URI of the kind of problem, relative to the server; a GET on it explains the kind.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid")]
    pub kind: String,
    /// Stable name of the kind of problem; the last part of `type`.
    #[schema(example = "invalid")]
    pub code: &'static str,
    /// The kind of problem in words.
    #[schema(example = "The document breaks rules")]
    pub title: &'static str,
    /// Status of the answer.
    #[schema(example = 422)]
    pub status: u16,
    /// This occurrence in words.
    pub detail: &'a str,
    /// Id of the request, also in the server's log.
    #[schema(example = "5f0c9a7e-1b")]
    pub request_id: &'a str,
    /// Every wrong place of the request, where there are any.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub errors: &'a [Fault],
    /// The version the object has, where another was required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_version: Option<i64>,
}

impl Problem {
    /// A problem of a kind; `detail` says what happened this time, without repeating what a client sent.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            current_version: None,
            headers: Vec::new(),
            cause: None,
        }
    }

    /// A defect of ours: the cause goes to the log, the client gets an id to name.
    pub fn internal(cause: impl Into<String>) -> Self {
        let mut problem = Self::new(
            Code::Internal,
            "the server failed to answer; its log tells more under this request id",
        );
        problem.cause = Some(cause.into());
        problem
    }

    /// Nothing is there.
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, "nothing is here")
    }

    /// Wrong path or query parameters or headers.
    pub fn parameters(errors: Vec<Fault>) -> Self {
        Self::new(Code::InvalidParameter, "the request's parameters or headers are wrong").with_errors(errors)
    }

    /// A document that breaks rules.
    pub fn invalid(errors: Vec<Invalid>) -> Self {
        Self::new(Code::Invalid, "the document breaks rules; all of them are listed")
            .with_errors(errors.into_iter().map(Fault::from).collect())
    }

    /// Names wrong places.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<Fault>) -> Self {
        self.errors = errors;
        self
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The kind of problem.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The wrong places of the request.
    pub fn errors(&self) -> &[Fault] {
        &self.errors
    }

    /// What went wrong inside, for the log only.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer. Never kept by caches: a 404 becomes a product by one edit.
    pub fn respond(&self, request_id: &str) -> HttpResponse {
        let document = ProblemDocument {
            kind: self.code.uri(),
            code: self.code.name(),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            request_id,
            errors: &self.errors,
            current_version: self.current_version,
        };
        let mut answer = HttpResponse::build(self.code.status());
        answer
            .insert_header((header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE)))
            .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
        if let Some(seconds) = self.code.retry_after() {
            answer.insert_header((header::RETRY_AFTER, HeaderValue::from(seconds)));
        }
        if let Ok(id) = HeaderValue::from_str(request_id) {
            answer.insert_header((REQUEST_ID.clone(), id));
        }
        for header in &self.headers {
            answer.insert_header(header.clone());
        }
        // A document of strings and numbers always serialises; an empty body would still carry the status.
        answer.body(serde_json::to_vec(&document).unwrap_or_default())
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::NotFound => Self::not_found(),
            CatalogError::Invalid(errors) => Self::invalid(errors),
            CatalogError::VersionConflict { current } => {
                let mut problem = Self::new(
                    Code::VersionConflict,
                    "the object has another version than If-Match names; read it again and repeat the edit",
                );
                problem.current_version = Some(current);
                problem.with_header(header::ETAG, super::conditional::version_etag(current))
            }
            CatalogError::Duplicate { pointer, detail } => {
                Self::new(Code::Duplicate, "a value that must be unique belongs to something else")
                    .with_errors(vec![Fault::pointer(pointer, "duplicate", detail)])
            }
            CatalogError::Overloaded => {
                Self::new(Code::Overloaded, "too many requests are under way; try again shortly")
            }
            CatalogError::DeadlineExceeded => {
                Self::new(Code::DeadlineExceeded, "no answer was ready in time; try again shortly")
            }
            CatalogError::Unavailable(why) => {
                let mut problem =
                    Self::new(Code::Unavailable, "a service this one needs is away; try again shortly");
                problem.cause = Some(why);
                problem
            }
            CatalogError::Unvouched => Self::new(
                Code::Unvouched,
                "this instance cannot tell whether what it has cached is still true; try again shortly, or elsewhere",
            ),
            CatalogError::PositionAhead => Self::new(
                Code::PositionNotReached,
                "the position of Catalog-Min-Position has not arrived here in time; try again shortly",
            ),
            CatalogError::Internal(why) => Self::internal(why),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.code.status()
    }

    /// Only the status: the document is written where the request id is known.
    fn error_response(&self) -> HttpResponse {
        HttpResponse::new(self.code.status())
    }
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody;
    use serde_json::Value;

    use super::*;

    fn document(problem: &Problem) -> (HttpResponse, Value) {
        let (head, body) = problem.respond("id-1").into_parts();
        let bytes = body.try_into_bytes().unwrap();
        (head.set_body(actix_web::body::BoxBody::new(())), serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn tells_the_client_what_it_may_know() {
        let (head, body) = document(&Problem::from(CatalogError::Internal("password is hunter2".into())));
        assert_eq!(head.status(), 500);
        assert_eq!(head.headers().get("content-type").unwrap(), MEDIA_TYPE);
        assert_eq!(head.headers().get("x-request-id").unwrap(), "id-1");
        assert_eq!(body["code"], "internal");
        assert_eq!(body["request_id"], "id-1");
        assert!(!body.to_string().contains("hunter2"));
    }

    #[test]
    fn lists_every_wrong_place() {
        let wrong = vec![
            Invalid::new("#/title", "required", "is required"),
            Invalid::new("#/variants/0/sku", "too_long", "at most 255 characters"),
        ];
        let (head, body) = document(&CatalogError::Invalid(wrong).into());
        assert_eq!(head.status(), 422);
        assert_eq!(body["errors"][0]["pointer"], "#/title");
        assert_eq!(body["errors"][1]["rule"], "too_long");
        assert!(body["errors"][0].get("parameter").is_none());
    }

    #[test]
    fn a_version_conflict_names_the_current_one() {
        let (head, body) = document(&CatalogError::VersionConflict { current: 7 }.into());
        assert_eq!(head.status(), 412);
        assert_eq!(head.headers().get("etag").unwrap(), "\"v7\"");
        assert_eq!(body["current_version"], 7);
    }

    #[test]
    fn what_passes_is_worth_trying_again() {
        let passing = [
            CatalogError::Overloaded,
            CatalogError::DeadlineExceeded,
            CatalogError::Unavailable("postgres".into()),
        ];
        for error in passing {
            let (head, _) = document(&error.into());
            assert_eq!(head.status(), 503);
            assert!(head.headers().contains_key("retry-after"));
        }
    }
}
