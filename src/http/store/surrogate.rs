//! Names an answer for caches in front that are told to forget it.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::utf8_percent_encode;

use super::answer::SEGMENT;
use crate::{
    domain::{dependency::Dependency, surrogate_key},
    http::problem::Problem,
};

static SURROGATE_KEY: HeaderName = HeaderName::from_static("surrogate-key");

/// Kind and name of what was asked for, as people write them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SurrogateKey<'a>(pub(super) &'static str, pub(super) &'a str);

impl SurrogateKey<'_> {
    /// The header of an answer with these dependencies.
    pub(super) fn value(self, dependencies: impl Iterator<Item = Dependency>) -> Option<HeaderValue> {
        let Self(kind, name) = self;
        let name = if name.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}-{}", utf8_percent_encode(name, SEGMENT))
        };
        HeaderValue::try_from(surrogate_key::header(&name, dependencies)).ok()
    }
}

/// Adds the header to an answer.
pub(super) fn insert(headers: &mut HeaderMap, value: Option<HeaderValue>) {
    if let Some(value) = value {
        headers.insert(SURROGATE_KEY.clone(), value);
    }
}

/// Adds the header to a problem.
pub(super) fn add(problem: Problem, value: Option<HeaderValue>) -> Problem {
    match value {
        Some(value) => problem.with_header(SURROGATE_KEY.clone(), value),
        None => problem,
    }
}
