//! What a client accepts: content codings and languages, by quality values (RFC 9110 §12).

mod codings;
mod languages;

pub(super) use codings::codings;
pub(super) use languages::{accepted, lookup};

/// A quality value in thousandths; `None` when it is not of the form `0[.ddd]` or `1[.000]`.
fn quality(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths =
        fraction.bytes().chain(*b"000").take(3).fold(0, |sum, b| sum * 10 + u16::from(b - b'0'));
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

/// The elements of a header such as `Accept-Encoding`: name and quality. Elements that are not well formed are left out.
fn elements(value: &str) -> impl Iterator<Item = (&str, u16)> {
    value.split(',').filter_map(|element| {
        let mut parts = element.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let mut found = 1000;
        for parameter in parts {
            if let Some((key, value)) = parameter.split_once('=')
                && key.trim().eq_ignore_ascii_case("q")
            {
                found = quality(value.trim())?;
            }
        }
        Some((name, found))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_quality_values() {
        assert_eq!(quality("1"), Some(1000));
        assert_eq!(quality("1.000"), Some(1000));
        assert_eq!(quality("0.8"), Some(800));
        assert_eq!(quality("0.125"), Some(125));
        assert_eq!(quality("0."), Some(0));
        for bad in ["", "2", "1.1", "0.1234", "-1", "0,5", "0.x", ".5"] {
            assert_eq!(quality(bad), None, "{bad}");
        }
    }

    #[test]
    fn leaves_out_malformed_elements() {
        let found: Vec<_> = elements("gzip, br;q=0.5,, ;q=1, zstd;q=9, de ; Q=0.1;x=y").collect();
        assert_eq!(found, [("gzip", 1000), ("br", 500), ("de", 100)]);
    }
}
