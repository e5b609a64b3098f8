//! Conditional requests (RFC 9110 §13): `If-None-Match` of reads, `If-Match` of edits.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use super::problem::{Code, Fault, Problem};
use crate::catalog::edits::Precondition;

/// A version no object has: a tag that is not one of ours matches nothing.
const NO_VERSION: i64 = -1;

/// Whether the client has the answer with this entity tag already. Weak comparison: a tag weakened on its way still counts.
pub(super) fn none_match_holds(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let etag = etag.as_bytes();
    headers
        .get_all(header::IF_NONE_MATCH)
        .any(|value| Tags(value.as_bytes()).any(|tag| matches!(tag, Tag::Any) || tag.opaque() == Some(etag)))
}

/// What an edit requires of the object it changes. Strong comparison: a weak tag matches nothing.
pub(super) fn required_match(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let mut given = headers.get_all(header::IF_MATCH).peekable();
    if given.peek().is_none() {
        return Err(Problem::new(
            Code::PreconditionRequired,
            "this edit needs If-Match: the ETag of the version that was edited, or *",
        ));
    }
    let mut required = None;
    for tag in given.flat_map(|value| Tags(value.as_bytes())) {
        let wanted = match tag {
            Tag::Any => Precondition::Exists,
            Tag::Strong(opaque) => Precondition::Version(version(opaque).unwrap_or(NO_VERSION)),
            Tag::Weak(_) => Precondition::Version(NO_VERSION),
            Tag::Malformed => return Err(bad_match("malformed", "not an entity tag; send \"v42\" or *")),
        };
        match required {
            None | Some(Precondition::Version(NO_VERSION)) => required = Some(wanted),
            Some(_) if wanted == Precondition::Version(NO_VERSION) => {}
            Some(earlier) if earlier == wanted => {}
            Some(_) => return Err(bad_match("too_many", "name one version, or *")),
        }
    }
    required.ok_or_else(|| bad_match("malformed", "names no entity tag; send \"v42\" or *"))
}

/// The strong entity tag of a version: `"v42"`.
pub(super) fn version_etag(version: i64) -> HeaderValue {
    // Digits and quotes are always a valid header value.
    HeaderValue::try_from(format!("\"v{version}\"")).unwrap_or(HeaderValue::from_static("\"v0\""))
}

fn version(opaque: &[u8]) -> Option<i64> {
    let digits = opaque.strip_prefix(b"\"v")?.strip_suffix(b"\"")?;
    let plain = digits.iter().all(u8::is_ascii_digit) && digits.len() <= 18;
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

fn bad_match(rule: &'static str, detail: &'static str) -> Problem {
    Problem::parameters(vec![Fault::header("If-Match", rule, detail)])
}

/// One element of a list of entity tags; quotes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag<'a> {
    Any,
    Strong(&'a [u8]),
    Weak(&'a [u8]),
    Malformed,
}

impl<'a> Tag<'a> {
    fn opaque(self) -> Option<&'a [u8]> {
        match self {
            Self::Strong(tag) | Self::Weak(tag) => Some(tag),
            Self::Any | Self::Malformed => None,
        }
    }
}

/// The elements of a list of entity tags; ends at the first malformed one.
struct Tags<'a>(&'a [u8]);

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self(rest) = self;
        while let [b' ' | b'\t' | b',', after @ ..] = *rest {
            *rest = after;
        }
        if rest.is_empty() {
            return None;
        }
        if let [b'*', after @ ..] = *rest {
            *rest = after;
            return Some(Tag::Any);
        }
        let (weak, quoted) = match *rest {
            [b'W', b'/', after @ ..] => (true, after),
            all => (false, all),
        };
        let tag = quoted.strip_prefix(b"\"").and_then(|inside| {
            let length = inside.iter().position(|b| *b == b'"')?;
            quoted.split_at_checked(length + 2)
        });
        let Some((tag, after)) = tag else {
            *rest = &[];
            return Some(Tag::Malformed);
        };
        *rest = after;
        Some(if weak { Tag::Weak(tag) } else { Tag::Strong(tag) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(name: &header::HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let holds = |value| {
            none_match_holds(&headers(&header::IF_NONE_MATCH, &[value]), &HeaderValue::from_static("\"abc\""))
        };
        for value in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "\"x\",W/\"abc\"", "*", "\"a,b\" , \"abc\""] {
            assert!(holds(value), "{value}");
        }
        for value in ["", "\"ab\"", "abc", "\"abc", "\"x\"", "W/abc", ", ,"] {
            assert!(!holds(value), "{value}");
        }
    }

    #[test]
    fn if_match_compares_strongly() {
        let required = |values: &[&str]| required_match(&headers(&header::IF_MATCH, values)).unwrap();
        assert_eq!(required(&["\"v42\""]), Precondition::Version(42));
        assert_eq!(required(&["*"]), Precondition::Exists);
        for never in ["W/\"v42\"", "\"42\"", "\"v\"", "\"v-1\"", "\"v99999999999999999999\"", "\"abc\""] {
            assert_eq!(required(&[never]), Precondition::Version(NO_VERSION), "{never}");
        }
        assert_eq!(required(&["\"abc\", \"v3\", W/\"v9\""]), Precondition::Version(3));
        assert_eq!(required(&["\"v3\"", "\"v3\""]), Precondition::Version(3));
    }

    #[test]
    fn if_match_is_required_and_well_formed() {
        let code = |values: &[&str]| required_match(&headers(&header::IF_MATCH, values)).unwrap_err().code();
        assert_eq!(code(&[]), Code::PreconditionRequired);
        for bad in ["", "v42", "\"v42", "42", "\"v1\", \"v2\"", "\"v1\", *"] {
            assert_eq!(code(&[bad]), Code::InvalidParameter, "{bad}");
        }
    }

    #[test]
    fn writes_version_tags() {
        assert_eq!(version_etag(42), "\"v42\"");
        assert_eq!(version(version_etag(42).as_bytes()), Some(42));
    }

    proptest! {
        #[test]
        fn hostile_headers_are_read(bytes in "([\"W/*, v0-9a-c-]|\\PC){0,40}") {
            let Ok(value) = HeaderValue::from_bytes(bytes.as_bytes()) else { return Ok(()) };
            let mut headers = HeaderMap::new();
            for name in [header::IF_MATCH, header::IF_NONE_MATCH, header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE] {
                headers.append(name, value.clone());
            }
            let _holds = none_match_holds(&headers, &HeaderValue::from_static("\"v1-00\""));
            if let Err(problem) = required_match(&headers) {
                prop_assert_eq!(problem.code(), Code::InvalidParameter);
            }
            let acceptable = crate::http::negotiate::codings(&headers);
            prop_assert!(acceptable.is_none_or(|found| found.identity || found.best != crate::catalog::messages::Coding::Identity));
            let languages = ["en", "de-AT"].map(|tag| crate::domain::locale::Locale::parse(tag).unwrap());
            prop_assert!(crate::http::negotiate::accepted(&languages, &headers) < 2);
        }
    }
}
