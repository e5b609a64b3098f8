//! Rate limits of requests: who is counted, how a client is told what is left, how one that went too far is refused.
//!
//! Headers as in draft-ietf-httpapi-ratelimit-headers: `RateLimit-Policy` says what is allowed, `RateLimit` what is left of it.

use std::sync::Arc;

use actix_web::{
    HttpMessage, HttpRequest,
    http::header::{self, HeaderMap, HeaderName, HeaderValue},
};

use super::{
    client_address,
    problem::{Code, Problem},
};
use crate::limiting::{Key, Limit, Limits, Verdict};

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The limits of requests, and how a client is told from others.
#[derive(Debug, Clone)]
pub(super) struct RateLimits {
    limits: Arc<Limits>,
    trusted_proxies: u8,
}

impl RateLimits {
    /// Limits of clients behind so many balancers.
    pub(super) fn new(limits: Arc<Limits>, trusted_proxies: u8) -> Self {
        Self { limits, trusted_proxies }
    }

    /// Counts a request to the store API by its address.
    pub(super) fn count_address(&self, request: &HttpRequest) -> Result<(), Problem> {
        match (&self.limits.address, self.client(request)) {
            (Some(limit), Some(client)) => judge(request, limit.count(client)),
            _ => Ok(()),
        }
    }

    /// Counts a request to the admin API by its token, which works.
    pub(super) fn count_token(&self, request: &HttpRequest, token: Key) -> Result<(), Problem> {
        match &self.limits.token {
            Some(limits) => judge(request, limits.requests.count(token)),
            None => Ok(()),
        }
    }

    /// Refuses an address that has come with too many tokens that do not work, whatever token it comes with now: it must not
    /// learn whether that one does.
    pub(super) fn refuse_guessing(&self, request: &HttpRequest) -> Result<(), Problem> {
        let Some((limit, client)) = self.failures(request) else { return Ok(()) };
        let verdict = limit.look(client);
        if verdict.admitted { Ok(()) } else { judge(request, verdict) }
    }

    /// Counts a token that does not work by its address. A request without any is no guess and is not counted: strangers could
    /// send it from the browser of somebody who has one.
    pub(super) fn count_failure(&self, request: &HttpRequest) -> Result<(), Problem> {
        match self.failures(request) {
            Some((limit, client)) => judge(request, limit.count(client)),
            None => Ok(()),
        }
    }

    /// Tells the client what was decided, unless a cache may give the answer to others without asking: to them it would say
    /// what is left for somebody else.
    pub(super) fn label(request: &HttpRequest, headers: &mut HeaderMap) {
        let decided = request.extensions().get::<Verdict>().copied();
        let Some(verdict) = decided.filter(|_| is_asked_for_each_time(headers)) else { return };
        let Verdict { name, quota, window, remaining, resets_in, .. } = verdict;
        let policy = HeaderValue::try_from(format!("\"{name}\";q={quota};w={window}"));
        let limit = HeaderValue::try_from(format!("\"{name}\";r={remaining};t={resets_in}"));
        if let (Ok(policy), Ok(limit)) = (policy, limit) {
            headers.insert(RATE_LIMIT_POLICY.clone(), policy);
            headers.insert(RATE_LIMIT.clone(), limit);
        }
    }

    fn failures(&self, request: &HttpRequest) -> Option<(&Limit, Key)> {
        Some((&self.limits.token.as_ref()?.failures, self.client(request)?))
    }

    fn client(&self, request: &HttpRequest) -> Option<Key> {
        client_address::of(request, self.trusted_proxies).map(Key::of_address)
    }
}

/// Keeps what was decided for the answer, and refuses if that is what it was.
fn judge(request: &HttpRequest, verdict: Verdict) -> Result<(), Problem> {
    request.extensions_mut().insert(verdict);
    if verdict.admitted {
        return Ok(());
    }
    let detail = format!("the limit of {} in {} seconds is used up", verdict.quota, verdict.window);
    let problem = Problem::new(Code::RateLimited, detail);
    Err(problem.with_header(header::RETRY_AFTER, HeaderValue::from(verdict.resets_in)))
}

fn is_asked_for_each_time(headers: &HeaderMap) -> bool {
    let control = headers.get(header::CACHE_CONTROL).and_then(|control| control.to_str().ok());
    control.is_some_and(|control| control.contains("no-store") || control.contains("no-cache"))
}
