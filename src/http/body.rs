//! Request bodies: bounded, in time, of the right type, UTF-8, JSON. Whatever is wrong is named by place.

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderName, HeaderValue},
    web::{BytesMut, Payload},
};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::timeout;

use super::problem::{Code, Fault, Problem};
use crate::{
    domain::invalid::Invalid,
    limits::{BODY_BYTES_MAX, BODY_TIMEOUT, INVALIDS_MAX},
};

static ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Media types of a PATCH body, as `Accept-Patch` lists them.
pub(super) const PATCH_TYPES: &str = "application/merge-patch+json, application/json";

/// How much more of a body is read and thrown away after it proved too large, so that a client that sends everything before
/// it listens gets to read the answer.
const DRAIN_BYTES_MAX: usize = 4 * BODY_BYTES_MAX;

/// Reads a JSON document.
pub(super) async fn document(request: &HttpRequest, payload: Payload) -> Result<Value, Problem> {
    require_type(request, &["application/json"])?;
    json(request, payload).await
}

/// Reads a JSON Merge Patch (RFC 7396).
pub(super) async fn patch(request: &HttpRequest, payload: Payload) -> Result<Value, Problem> {
    require_type(request, &["application/merge-patch+json", "application/json"]).map_err(|problem| {
        problem.with_header(ACCEPT_PATCH.clone(), HeaderValue::from_static(PATCH_TYPES))
    })?;
    json(request, payload).await
}

fn require_type(request: &HttpRequest, taken: &[&str]) -> Result<(), Problem> {
    let unsupported = |header, detail: String| {
        let fault = Fault::header(header, "unsupported", detail);
        Problem::new(Code::UnsupportedMediaType, "the body is not of a type taken here")
            .with_errors(vec![fault])
    };
    let coding = request.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if coding.is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(unsupported("Content-Encoding", "send the body without content coding".to_owned()));
    }
    let given = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let mut parts = given.unwrap_or_default().split(';').map(str::trim);
    let media_type = parts.next().unwrap_or_default();
    let utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if utf8 && taken.iter().any(|known| media_type.eq_ignore_ascii_case(known)) {
        return Ok(());
    }
    Err(unsupported("Content-Type", format!("{}, in UTF-8", taken.join(" or "))))
}

async fn json(request: &HttpRequest, payload: Payload) -> Result<Value, Problem> {
    let bytes = timeout(BODY_TIMEOUT, bytes(request, payload))
        .await
        .map_err(|_elapsed| Problem::new(Code::RequestTimeout, "the body was not complete in time"))??;
    let document = parse(&bytes)?;
    let mut invalid = Vec::new();
    // JSON can say U+0000 in one way only; few documents have anything like it.
    if bytes.windows(NUL.len()).any(|window| window == NUL) {
        find_nul(&document, &mut String::from("#"), &mut invalid);
    }
    if invalid.is_empty() { Ok(document) } else { Err(Problem::invalid(invalid)) }
}

async fn bytes(request: &HttpRequest, mut payload: Payload) -> Result<BytesMut, Problem> {
    let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|digits| digits.parse::<usize>().ok()).unwrap_or(0);
    let mut body = BytesMut::with_capacity(length.min(BODY_BYTES_MAX));
    let mut total = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Problem::new(Code::MalformedRequest, format!("the body could not be read: {error}"))
        })?;
        total = total.saturating_add(chunk.len());
        if total > DRAIN_BYTES_MAX {
            break;
        }
        if total <= BODY_BYTES_MAX {
            body.extend_from_slice(&chunk);
        }
    }
    if total > BODY_BYTES_MAX {
        return Err(Problem::new(Code::BodyTooLarge, format!("a body may have {BODY_BYTES_MAX} bytes")));
    }
    Ok(body)
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    let malformed = |rule, detail: String| {
        Problem::new(Code::MalformedBody, "the body is not a JSON document")
            .with_errors(vec![Fault::pointer("#", rule, detail)])
    };
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(malformed("empty", "the body is empty".to_owned()));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let before = bytes.split_at_checked(error.valid_up_to()).map_or(bytes, |(before, _)| before);
            let line = before.split(|b| *b == b'\n').count();
            let column = before.rsplit(|b| *b == b'\n').next().map_or(0, <[u8]>::len) + 1;
            let detail = format!("wrong UTF-8 at byte {}, line {line} column {column}", before.len());
            return Err(malformed("not_utf8", detail));
        }
    };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map_err(|error| malformed("not_json", error.to_string()))
}

/// U+0000 as JSON writes it: nothing else is taken by a parser.
const NUL: &[u8] = br"\u0000";

/// Postgres text cannot hold U+0000; JSON can.
fn find_nul(value: &Value, pointer: &mut String, found: &mut Vec<Invalid>) {
    let report = |pointer: &str, found: &mut Vec<Invalid>| {
        if found.len() < INVALIDS_MAX {
            found.push(Invalid::new(pointer, "nul", "must not contain U+0000"));
        }
    };
    match value {
        Value::String(text) if text.contains('\0') => report(pointer, found),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                below(pointer, &index.to_string(), |pointer| find_nul(item, pointer, found));
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                below(pointer, name, |pointer| {
                    if name.contains('\0') {
                        report(pointer, found);
                    }
                    find_nul(item, pointer, found);
                });
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Does something with the pointer one level deeper.
fn below(pointer: &mut String, segment: &str, visit: impl FnOnce(&mut String)) {
    let length = pointer.len();
    pointer.push('/');
    push_segment(pointer, segment);
    visit(pointer);
    pointer.truncate(length);
}

/// Appends one segment of a JSON Pointer in fragment form: `~` and `/` escaped, the rest percent-encoded where a fragment
/// needs it.
pub(super) fn push_segment(pointer: &mut String, segment: &str) {
    let escaped = segment.replace('~', "~0").replace('/', "~1");
    for part in percent_encoding::utf8_percent_encode(&escaped, FRAGMENT) {
        pointer.push_str(part);
    }
}

/// What cannot stand in a fragment as it is.
const FRAGMENT: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_place_of_wrong_bytes() {
        let problem = parse(b"{\n  \"a\": \"\xff\"}").unwrap_err();
        assert_eq!(problem.code(), Code::MalformedBody);
        assert_eq!(problem.errors()[0].detail, "wrong UTF-8 at byte 10, line 2 column 9");
        let problem = parse(b"{\"a\": }").unwrap_err();
        assert!(problem.errors()[0].detail.contains("line 1 column 7"), "{:?}", problem.errors());
        assert_eq!(parse(b" \n").unwrap_err().errors()[0].rule, "empty");
        assert_eq!(parse("\u{feff}{}".as_bytes()).unwrap(), serde_json::json!({}));
    }

    #[test]
    fn refuses_depth_and_broken_json() {
        let deep = "[".repeat(100_000);
        for bad in [deep.as_str(), "{", "nul", "{}{}", "\"\\ud800\"", "1e999", "{'a':1}", "[1,]", "01"] {
            assert_eq!(parse(bad.as_bytes()).unwrap_err().code(), Code::MalformedBody, "{bad:.20}");
        }
    }

    #[test]
    fn finds_every_nul() {
        let document = serde_json::json!({"a": "x\0", "b": [1, {"c/d": "\0"}], "e\0": null, "f": "fine"});
        let mut found = Vec::new();
        find_nul(&document, &mut String::from("#"), &mut found);
        let pointers: Vec<_> = found.iter().map(|invalid| invalid.pointer.as_str()).collect();
        assert_eq!(pointers, ["#/a", "#/b/1/c~1d", "#/e%00"]);
    }
}
