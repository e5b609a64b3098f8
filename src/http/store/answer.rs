//! From a store read to its answer: body, validators, and where it came from.
//!
//! The path of a cache hit. Every header value is shared or made once, the body is sent as it lies in the cache.

use std::{fmt::Write, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    surrogate::{self, SurrogateKey},
    view::View,
};
use crate::{
    catalog::messages::{Answer, Body, Coding, Get, Key, Outcome, Source},
    http::{
        conditional, negotiate,
        problem::{Code, Fault, Problem},
        state::{State, catalog},
    },
};

/// What stands in a path segment or key as it is.
pub(super) const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

static CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
static CATALOG_POSITION: HeaderName = HeaderName::from_static("catalog-position");
static CATALOG_MIN_POSITION: HeaderName = HeaderName::from_static("catalog-min-position");

static HIT_LOCAL: HeaderValue = HeaderValue::from_static("aisle; hit; detail=local");
static HIT_SHARED: HeaderValue = HeaderValue::from_static("aisle; hit; detail=shared");
static UNVERIFIED: HeaderValue = HeaderValue::from_static("aisle; hit; detail=unverified");
static MISS: HeaderValue = HeaderValue::from_static("aisle; fwd=miss; stored");
static MISS_COLLAPSED: HeaderValue = HeaderValue::from_static("aisle; fwd=miss; collapsed; stored");
static JSON: HeaderValue = HeaderValue::from_static("application/json");
static BROTLI: HeaderValue = HeaderValue::from_static("br");
static GZIP: HeaderValue = HeaderValue::from_static("gzip");
static ZSTD: HeaderValue = HeaderValue::from_static("zstd");
static VARY_CODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
static VARY_BOTH: HeaderValue = HeaderValue::from_static("Accept-Encoding, Accept-Language");

/// Asks the catalogue and answers with what it found.
pub(super) async fn answer(
    request: &HttpRequest,
    state: &State,
    key: Key,
    view: View,
    surrogate: SurrogateKey<'_>,
) -> Result<HttpResponse, Problem> {
    answer_within(request, state, key, view, surrogate, None).await
}

/// The same, or a page that is cached and whose choice is at most so old: labelled as what nobody vouches for.
pub(super) async fn answer_within(
    request: &HttpRequest,
    state: &State,
    key: Key,
    view: View,
    surrogate: SurrogateKey<'_>,
    age_max: Option<Duration>,
) -> Result<HttpResponse, Problem> {
    let Some(acceptable) = negotiate::codings(request.headers()) else {
        return Err(not_acceptable());
    };
    let min_position = min_position(request.headers())?;
    let get = Get { key, view: view.key, coding: acceptable.best, min_position, age_max };
    let answer = catalog(request)?.get(get).await?;
    // All that was committed longer ago is in it.
    let age = answer.unverified.map(|age| HeaderValue::from(age.as_secs().saturating_add(1)));
    let response = respond(request, state, view, surrogate, acceptable.identity, answer);
    let Some(age) = age else { return response };
    match response {
        Ok(mut response) => {
            response.headers_mut().insert(header::AGE, age);
            Ok(response)
        }
        Err(problem) => Err(problem.with_header(header::AGE, age)),
    }
}

fn respond(
    request: &HttpRequest,
    state: &State,
    view: View,
    surrogate: SurrogateKey<'_>,
    takes_identity: bool,
    answer: Answer,
) -> Result<HttpResponse, Problem> {
    let Answer { outcome, position, source, unverified, parts } = answer;
    let position = state.headers.position(position);
    let is_verified = unverified.is_none();
    let source = if is_verified { cache_status(source) } else { UNVERIFIED.clone() };
    // Only what a cache may keep is ever purged.
    let may_keep = state.headers.surrogate_keys && is_verified;
    let keys = if may_keep { surrogate.value(parts.dependencies()) } else { None };
    match outcome {
        Outcome::Found(body) => {
            if body.coding == Coding::Identity && !takes_identity {
                return Err(not_acceptable());
            }
            let mut response = found(request, state, view, body);
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, state.headers.cache_control(is_verified));
            headers.insert(CATALOG_POSITION.clone(), position);
            headers.insert(CACHE_STATUS.clone(), source);
            surrogate::insert(headers, keys);
            Ok(response)
        }
        Outcome::MovedTo(slug) => {
            let mut response = moved(request, &slug);
            let headers = response.headers_mut();
            headers.insert(header::CACHE_CONTROL, state.headers.cache_control(is_verified));
            headers.insert(CATALOG_POSITION.clone(), position);
            headers.insert(CACHE_STATUS.clone(), source);
            surrogate::insert(headers, keys);
            Ok(response)
        }
        Outcome::Absent => {
            let mut problem = Problem::not_found()
                .with_header(CATALOG_POSITION.clone(), position)
                .with_header(CACHE_STATUS.clone(), source);
            // Problems are kept by nobody, unless they can be purged.
            if keys.is_some() {
                problem =
                    problem.with_header(header::CACHE_CONTROL, state.headers.absent_cache_control.clone());
            }
            Err(surrogate::add(problem, keys))
        }
    }
}

/// The position that the answer must have been read at, or later; 0 where the request names none.
pub(super) fn min_position(headers: &HeaderMap) -> Result<i64, Problem> {
    let Some(value) = headers.get(&CATALOG_MIN_POSITION) else { return Ok(0) };
    let position = value.to_str().ok().and_then(|text| text.trim().parse::<u64>().ok());
    position.and_then(|position| i64::try_from(position).ok()).ok_or_else(|| {
        let fault = Fault::header(
            "Catalog-Min-Position",
            "malformed",
            "must be a position as `Catalog-Position` names it",
        );
        Problem::parameters(vec![fault])
    })
}

/// The body, or 304 when the client has it.
fn found(request: &HttpRequest, state: &State, view: View, body: Body) -> HttpResponse {
    let Body { bytes, coding, etag, cursors } = body;
    let mut response = if conditional::none_match_holds(request.headers(), &etag) {
        HttpResponse::new(StatusCode::NOT_MODIFIED)
    } else {
        let mut response = HttpResponse::with_body(StatusCode::OK, bytes).map_into_boxed_body();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, JSON.clone());
        if let Some(coding) = content_coding(coding) {
            headers.insert(header::CONTENT_ENCODING, coding);
        }
        for (cursor, relation) in [(cursors.next, "next"), (cursors.previous, "prev")] {
            if let Some(link) = cursor.and_then(|cursor| link(request, &cursor, relation)) {
                headers.append(header::LINK, link);
            }
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::VARY, if view.varies { VARY_BOTH.clone() } else { VARY_CODING.clone() });
    if let Some(language) = state.headers.content_languages.get(usize::from(view.key.locale)) {
        headers.insert(header::CONTENT_LANGUAGE, language.clone());
    }
    response
}

pub(super) fn not_acceptable() -> Problem {
    Problem::new(Code::NotAcceptable, "the answer can be sent as br, zstd, gzip or identity")
}

/// Headers of an answer to many names at once, which no cache keeps.
pub(super) fn batch_headers(
    headers: &mut HeaderMap,
    state: &State,
    view: View,
    source: Source,
    position: i64,
) {
    headers.insert(header::CONTENT_TYPE, JSON.clone());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(CATALOG_POSITION.clone(), state.headers.position(position));
    headers.insert(CACHE_STATUS.clone(), cache_status(source));
    if let Some(language) = state.headers.content_languages.get(usize::from(view.key.locale)) {
        headers.insert(header::CONTENT_LANGUAGE, language.clone());
    }
}

/// Says that nobody can vouch for an answer.
pub(super) fn label_unverified(headers: &mut HeaderMap) {
    headers.insert(CACHE_STATUS.clone(), UNVERIFIED.clone());
}

fn cache_status(source: Source) -> HeaderValue {
    match source {
        Source::Local => HIT_LOCAL.clone(),
        Source::Shared => HIT_SHARED.clone(),
        Source::Database => MISS.clone(),
        Source::Collapsed => MISS_COLLAPSED.clone(),
    }
}

fn content_coding(coding: Coding) -> Option<HeaderValue> {
    match coding {
        Coding::Identity => None,
        Coding::Gzip => Some(GZIP.clone()),
        Coding::Brotli => Some(BROTLI.clone()),
        Coding::Zstd => Some(ZSTD.clone()),
    }
}

/// The product's address under its current slug, with the query as it came.
fn moved(request: &HttpRequest, slug: &str) -> HttpResponse {
    let mut location = format!("/v1/store/products/by-slug/{}", utf8_percent_encode(slug, SEGMENT));
    if !request.query_string().is_empty() {
        location.push('?');
        location.push_str(request.query_string());
    }
    let mut response = HttpResponse::new(StatusCode::MOVED_PERMANENTLY);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Another page's address: the same query with another cursor (RFC 8288).
fn link(request: &HttpRequest, cursor: &str, relation: &str) -> Option<HeaderValue> {
    let mut link = format!("<{}?", request.path());
    let others = request.query_string().split('&').filter(|pair| !pair.is_empty());
    for pair in others.filter(|pair| !pair.starts_with("cursor=") && !pair.contains(['<', '>'])) {
        link.push_str(pair);
        link.push('&');
    }
    // Writing to a string cannot fail.
    let _infallible = write!(link, "cursor={cursor}>; rel=\"{relation}\"");
    HeaderValue::try_from(link).ok()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn the_next_page_keeps_the_query() {
        let request = TestRequest::with_uri("/v1/store/products?category=lamps&cursor=old&limit=5");
        let next = link(&request.to_http_request(), "new", "next").unwrap();
        assert_eq!(next, "</v1/store/products?category=lamps&limit=5&cursor=new>; rel=\"next\"");
        let next = link(&TestRequest::with_uri("/v1/store/products").to_http_request(), "a", "next").unwrap();
        assert_eq!(next, "</v1/store/products?cursor=a>; rel=\"next\"");
    }

    #[test]
    fn a_retired_slug_leads_to_the_current_one() {
        let request = TestRequest::with_uri("/v1/store/products/by-slug/old?currency=EUR").to_http_request();
        let response = moved(&request, "caf\u{e9}");
        assert_eq!(response.status(), 301);
        let location = response.headers().get("location").unwrap();
        assert_eq!(location, "/v1/store/products/by-slug/caf%C3%A9?currency=EUR");
    }
}
