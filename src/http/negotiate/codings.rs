//! `Accept-Encoding`: which stored coding of a body to send.

use actix_web::http::header::{self, HeaderMap};

use super::elements;
use crate::catalog::messages::Coding;

/// Codings in order of preference where the client has none: the smallest first, then the cheapest to read.
const PREFERENCE: [Coding; 4] = [Coding::Brotli, Coding::Zstd, Coding::Gzip, Coding::Identity];

/// What may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) struct Acceptable {
    /// The best coding.
    pub(in crate::http) best: Coding,
    /// Whether the body may be sent as it is, where coding does not pay.
    pub(in crate::http) identity: bool,
}

/// What the client accepts; `None` when it refuses everything.
///
/// Without the header, only identity: clients that can decode say so.
pub(in crate::http) fn codings(headers: &HeaderMap) -> Option<Acceptable> {
    let mut found = [None; PREFERENCE.len()];
    let mut others = None;
    let mut asked = false;
    for value in headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok()) {
        for (name, quality) in elements(value) {
            asked = true;
            if name == "*" {
                others = Some(quality);
            } else if let Some(place) = place(name).and_then(|place| found.get_mut(place)) {
                *place = Some(quality);
            }
        }
    }
    if !asked {
        return Some(Acceptable { best: Coding::Identity, identity: true });
    }
    let mut best = None;
    let mut identity = false;
    for (coding, stated) in PREFERENCE.into_iter().zip(found) {
        let quality = match (stated, others) {
            (Some(quality), _) | (None, Some(quality)) => quality,
            // Acceptable unless refused, but only when nothing asked for can be sent.
            (None, None) => u16::from(coding == Coding::Identity),
        };
        if quality == 0 {
            continue;
        }
        identity |= coding == Coding::Identity;
        if best.is_none_or(|(_, best_quality)| quality > best_quality) {
            best = Some((coding, quality));
        }
    }
    best.map(|(best, _)| Acceptable { best, identity })
}

fn place(name: &str) -> Option<usize> {
    let coding = match name {
        name if name.eq_ignore_ascii_case("br") => Coding::Brotli,
        name if name.eq_ignore_ascii_case("zstd") => Coding::Zstd,
        name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => Coding::Gzip,
        name if name.eq_ignore_ascii_case("identity") => Coding::Identity,
        _ => return None,
    };
    PREFERENCE.iter().position(|known| *known == coding)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn accept(value: &'static str) -> Option<(Coding, bool)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        codings(&headers).map(|found| (found.best, found.identity))
    }

    #[test]
    fn chooses_by_quality_then_by_size() {
        use Coding::{Brotli, Gzip, Identity, Zstd};
        let cases = [
            ("gzip, deflate, br, zstd", Some((Brotli, true))),
            ("gzip, zstd", Some((Zstd, true))),
            ("gzip, deflate", Some((Gzip, true))),
            ("GZIP", Some((Gzip, true))),
            ("br;q=0.5, gzip;q=0.8", Some((Gzip, true))),
            ("br;q=0, gzip;q=0.001", Some((Gzip, true))),
            ("gzip;q=0.5, identity", Some((Identity, true))),
            ("gzip;q=0.5, identity;q=0.1", Some((Gzip, true))),
            ("identity", Some((Identity, true))),
            ("", Some((Identity, true))),
            ("deflate", Some((Identity, true))),
            ("*", Some((Brotli, true))),
            ("br;q=0, *", Some((Zstd, true))),
            ("gzip, identity;q=0", Some((Gzip, false))),
            ("gzip, *;q=0", Some((Gzip, false))),
            ("identity;q=0", None),
            ("*;q=0", None),
            ("*;q=0, identity", Some((Identity, true))),
            ("deflate, identity;q=0", None),
            ("gzip;q=nonsense", Some((Identity, true))),
        ];
        for (value, expected) in cases {
            assert_eq!(accept(value), expected, "{value:?}");
        }
    }

    #[test]
    fn without_the_header_nothing_is_coded() {
        let found = codings(&HeaderMap::new()).unwrap();
        assert_eq!(found, Acceptable { best: Coding::Identity, identity: true });
    }

    #[test]
    fn joins_several_header_lines() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static("br"));
        assert_eq!(codings(&headers).unwrap().best, Coding::Brotli);
    }
}
