//! Ids of requests: the client's own, or one made when it is needed (errors, admin answers, the access log).

use std::{
    fmt::Write,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use actix_web::{HttpMessage, HttpRequest, http::header::HeaderMap};
use uuid::Uuid;

use super::problem::REQUEST_ID;

/// Longest id taken from a client, in bytes.
const LENGTH_MAX: usize = 128;

static PROCESS: LazyLock<String> = LazyLock::new(|| {
    let mut prefix = Uuid::new_v4().simple().to_string();
    prefix.truncate(8);
    prefix
});

static NEXT: AtomicU64 = AtomicU64::new(1);

/// An id that was made for a request, kept with it: whoever asks later is told the same.
struct Made(String);

/// The request's id: the one the client gave, if it is harmless in logs and headers, else one made for it.
pub(super) fn of(request: &HttpRequest) -> String {
    if let Some(Made(id)) = request.extensions().get() {
        return id.clone();
    }
    let id = given_or_made(request.headers());
    request.extensions_mut().insert(Made(id.clone()));
    id
}

fn given_or_made(headers: &HeaderMap) -> String {
    let given = headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_sane(id));
    given.map_or_else(make, str::to_owned)
}

/// A new id: unique in the process by counting, and very likely among processes by its first half.
pub(super) fn make() -> String {
    let mut id = PROCESS.clone();
    // Writing to a string cannot fail.
    let _infallible = write!(id, "-{:x}", NEXT.fetch_add(1, Ordering::Relaxed));
    id
}

fn is_sane(id: &str) -> bool {
    let sane =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'/' | b'+' | b'=');
    (1..=LENGTH_MAX).contains(&id.len()) && id.bytes().all(sane)
}

#[cfg(test)]
mod tests {
    use actix_web::{http::header::HeaderValue, test::TestRequest};

    use super::*;

    fn given(id: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID.clone(), HeaderValue::from_bytes(id.as_bytes()).unwrap());
        given_or_made(&headers)
    }

    #[test]
    fn keeps_a_sane_id_and_replaces_others() {
        assert_eq!(given("4bf92f35-77b3"), "4bf92f35-77b3");
        for bad in ["", "a b", "a\"b", "é", &"x".repeat(129)] {
            assert_ne!(given(bad), bad);
        }
        assert_ne!(given_or_made(&HeaderMap::new()), given_or_made(&HeaderMap::new()));
    }

    #[test]
    fn a_request_keeps_its_id() {
        let request = TestRequest::default().to_http_request();
        assert_eq!(of(&request), of(&request.clone()));
        assert_ne!(of(&request), of(&TestRequest::default().to_http_request()));
    }
}
