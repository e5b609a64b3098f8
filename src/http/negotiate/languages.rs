//! Languages: the look-up of RFC 4647 §3.4 in the languages served.

use actix_web::http::header::{self, HeaderMap};

use super::elements;
use crate::domain::locale::Locale;

/// Index of the language served that a tag names, by the tag or one of its shorter forms.
pub(in crate::http) fn lookup(served: &[Locale], tag: &Locale) -> Option<u8> {
    let index = tag.fallbacks().find_map(|form| served.iter().position(|known| known.as_str() == form))?;
    u8::try_from(index).ok()
}

/// Index of the language served that `Accept-Language` likes best; 0, the default, when it likes none or is malformed.
pub(in crate::http) fn accepted(served: &[Locale], headers: &HeaderMap) -> u8 {
    let mut best = None;
    for value in headers.get_all(header::ACCEPT_LANGUAGE).filter_map(|value| value.to_str().ok()) {
        for (range, quality) in elements(value) {
            if quality == 0 || best.is_some_and(|(_, liked)| quality <= liked) {
                continue;
            }
            if let Some(index) = Locale::parse(range).and_then(|tag| lookup(served, &tag)) {
                best = Some((index, quality));
            }
        }
    }
    best.map_or(0, |(index, _)| index)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn served() -> Vec<Locale> {
        ["en", "de", "de-CH", "zh-Hant"].map(|tag| Locale::parse(tag).unwrap()).to_vec()
    }

    #[test]
    fn looks_up_shorter_forms() {
        let index = |tag| lookup(&served(), &Locale::parse(tag).unwrap());
        assert_eq!(index("de-CH"), Some(2));
        assert_eq!(index("de-AT"), Some(1));
        assert_eq!(index("zh-Hant-TW"), Some(3));
        assert_eq!(index("zh"), None);
        assert_eq!(index("fr"), None);
    }

    #[test]
    fn takes_the_best_liked_language() {
        let cases = [
            ("de", 1),
            ("fr, de;q=0.5", 1),
            ("en;q=0.1, de-CH;q=0.9", 2),
            ("de;q=0.5, zh-Hant-TW;q=0.5", 1),
            ("de;q=0", 0),
            ("*", 0),
            ("", 0),
            ("!!, de;q=x", 0),
            ("fr-FR", 0),
        ];
        for (value, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value));
            assert_eq!(accepted(&served(), &headers), expected, "{value:?}");
        }
        assert_eq!(accepted(&served(), &HeaderMap::new()), 0);
    }
}
