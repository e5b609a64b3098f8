//! Asking one instance over HTTP.

use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::Value;
use ureq::{Agent, Body, http::Response};
use uuid::Uuid;

use super::subject::{Content, Subject};
use crate::{
    cli::plain_http,
    domain::{locale::Locale, money::Currency, rendering::View},
};

/// Longest body that is read: a page of products at their limits.
const BODY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// An instance to ask.
#[derive(Debug)]
pub(super) struct Member {
    /// Its incarnation, where the database named it.
    pub(super) id: Option<Uuid>,
    /// Its address.
    pub(super) url: String,
    /// Currency and language of its answers.
    pub(super) view: View,
    agent: Agent,
}

/// An answer of the store.
#[derive(Debug)]
pub(super) struct Answer {
    /// What it says.
    pub(super) content: Content,
    /// Position it names.
    pub(super) position: i64,
}

/// Why there is no answer to compare.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It cannot be reached, or is something else than an instance.
    Unreachable(String),
    /// It says itself that it cannot vouch for an answer now.
    NotVerified(String),
}

/// Whether an instance says that it works.
#[derive(Debug)]
pub(super) enum Readiness {
    Ready,
    /// It lacks these.
    Lacks(String),
}

impl Member {
    pub(super) fn new(id: Option<Uuid>, url: &str, currency: Currency, timeout: Duration) -> Self {
        let view = View { currency, locale: Locale::default() };
        Self { id, url: url.trim_end_matches('/').to_owned(), view, agent: plain_http::agent(timeout) }
    }

    /// Asks whether it works, and learns its language.
    pub(super) fn greet(&mut self) -> Result<Readiness, NoAnswer> {
        let mut tree = self.get("/v1/store/categories", 0)?;
        let language = header(&tree, "content-language").and_then(Locale::parse);
        if let Some(language) = language {
            self.view.locale = language;
        }
        drain(&mut tree)?;
        let mut readiness = self.get("/readyz", 0)?;
        let status = readiness.status().as_u16();
        let text = read(&mut readiness)?;
        let checks: Value = serde_json::from_str(&text).unwrap_or_default();
        match status {
            200 => Ok(Readiness::Ready),
            503 => Ok(Readiness::Lacks(lacking(&checks))),
            other => Err(NoAnswer::Unreachable(format!("/readyz answers {other}"))),
        }
    }

    /// Asks the store, for an answer of this position or later.
    pub(super) fn ask(&self, subject: &Subject, min_position: i64) -> Result<Answer, NoAnswer> {
        let mut response = self.get(&self.path(subject), min_position)?;
        let status = response.status().as_u16();
        let position = header(&response, "catalog-position").and_then(|text| text.parse().ok());
        let labels = header(&response, "cache-status").unwrap_or_default().to_owned();
        let location = header(&response, "location").map(str::to_owned);
        let text = read(&mut response)?;
        if labels.contains("unverified") {
            return Err(NoAnswer::NotVerified("the answer is labelled as unverified".to_owned()));
        }
        if status == 503 {
            let problem: Value = serde_json::from_str(&text).unwrap_or_default();
            let code = problem.get("code").and_then(Value::as_str).unwrap_or("without a code");
            return Err(NoAnswer::NotVerified(format!("503 {code}")));
        }
        let Some(position) = position else {
            return Err(NoAnswer::Unreachable(format!("{status} without a Catalog-Position")));
        };
        let content = match (status, location) {
            (404, _) => Content::Absent,
            (301, Some(location)) => Content::Moved(slug(&location)),
            (200, _) => Content::Body(
                serde_json::from_str(&text)
                    .map_err(|error| NoAnswer::Unreachable(format!("200 without JSON: {error}")))?,
            ),
            (other, _) => return Err(NoAnswer::Unreachable(format!("the store answers {other}"))),
        };
        Ok(Answer { content, position })
    }

    /// Path and query of a subject. The currency is named, the language is the one the instance has.
    pub(super) fn path(&self, subject: &Subject) -> String {
        let encoded = |name: &str| utf8_percent_encode(name, NON_ALPHANUMERIC).to_string();
        let products = "/v1/store/products";
        let path = match subject {
            Subject::Product(id) => format!("{products}/{id}?"),
            Subject::Slug(slug) => format!("{products}/by-slug/{}?", encoded(slug)),
            Subject::Sku(sku) => format!("{products}/by-sku/{}?", encoded(sku)),
            Subject::Tree => "/v1/store/categories?".to_owned(),
            Subject::Brands => "/v1/store/brands?".to_owned(),
            Subject::Page => format!("{products}?sort=newest&"),
            Subject::Attributes => "/v1/store/attributes?".to_owned(),
        };
        format!("{path}currency={}", self.view.currency)
    }

    fn get(&self, path: &str, min_position: i64) -> Result<Response<Body>, NoAnswer> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if min_position > 0 {
            request = request.header("Catalog-Min-Position", min_position.to_string());
        }
        request.call().map_err(unreachable)
    }
}

fn unreachable(error: impl std::fmt::Display) -> NoAnswer {
    NoAnswer::Unreachable(error.to_string())
}

fn header<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

fn read(response: &mut Response<Body>) -> Result<String, NoAnswer> {
    response.body_mut().with_config().limit(BODY_BYTES_MAX).read_to_string().map_err(unreachable)
}

/// Reads the body away, so that the connection can be used again.
fn drain(response: &mut Response<Body>) -> Result<(), NoAnswer> {
    read(response).map(drop)
}

/// Names of the required dependencies that do not work.
fn lacking(health: &Value) -> String {
    let checks = health.get("checks").and_then(Value::as_array);
    let is = |check: &Value, name: &str| check.get(name).and_then(Value::as_bool).unwrap_or(false);
    let broken = checks.into_iter().flatten().filter(|check| is(check, "required") && !is(check, "ok"));
    let names: Vec<&str> = broken.filter_map(|check| check.get("name").and_then(Value::as_str)).collect();
    if names.is_empty() { "not ready".to_owned() } else { format!("not ready: {}", names.join(", ")) }
}

/// The slug at the end of a redirect.
fn slug(location: &str) -> String {
    let path = location.split('?').next().unwrap_or_default();
    percent_decode_str(path.rsplit('/').next().unwrap_or_default()).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_names_a_slug() {
        assert_eq!(slug("/v1/store/products/by-slug/caf%C3%A9?currency=USD"), "caf\u{e9}");
        assert_eq!(slug("http://h/v1/store/products/by-slug/lamp"), "lamp");
    }

    #[test]
    fn names_are_encoded_and_paths_complete() {
        let usd = Currency::parse("USD").unwrap();
        let member = Member::new(None, "http://h:1/", usd, Duration::from_secs(1));
        assert_eq!(member.url, "http://h:1");
        let sku = Subject::Sku("../A B?".to_owned());
        assert_eq!(member.path(&sku), "/v1/store/products/by-sku/%2E%2E%2FA%20B%3F?currency=USD");
        assert_eq!(member.path(&Subject::Page), "/v1/store/products?sort=newest&currency=USD");
    }

    #[test]
    fn readiness_names_what_is_missing() {
        let health = serde_json::json!({"checks": [
            {"name": "lease", "ok": false, "required": true}, {"name": "redis", "ok": false, "required": false}]});
        assert_eq!(lacking(&health), "not ready: lease");
        assert_eq!(lacking(&Value::Null), "not ready");
    }
}
