//! Path and query parameters, strictly: an unknown or repeated one is an error, since a typo in a filter must not silently
//! give something else. Campaign parameters (`utm_…`) are ignored. All wrong ones are reported at once.

use std::{borrow::Cow, ops::RangeInclusive};

use actix_web::HttpRequest;
use percent_encoding::percent_decode_str;
use url::form_urlencoded;
use uuid::Uuid;

use super::problem::{Fault, Problem};

/// Longest text taken as a path or query parameter, in bytes: a SKU or name of 255 characters of four bytes.
const TEXT_BYTES_MAX: usize = 1020;

/// The parameters of a query string that were not yet taken.
#[derive(Debug)]
pub(super) struct Query<'a> {
    rest: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    faults: Vec<Fault>,
}

impl<'a> Query<'a> {
    pub(super) fn parse(query: &'a str) -> Self {
        let rest = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| !name.starts_with("utm_"));
        Self { rest: rest.collect(), faults: Vec::new() }
    }

    /// Takes a parameter; reports it when it is given twice or is not text.
    pub(super) fn text(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        let index = self.rest.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.rest.swap_remove(index);
        let count = self.rest.len();
        self.rest.retain(|(key, _)| key != name);
        if self.rest.len() < count {
            self.fault(name, "repeated", "may be given once");
            return None;
        }
        if let Err(fault) = check_text(name, &value) {
            self.faults.push(fault);
            return None;
        }
        Some(value)
    }

    /// Takes all values of a parameter that may be repeated, at most `most`; reports those that are not text.
    pub(super) fn texts(&mut self, name: &'static str, most: usize) -> Vec<String> {
        let taken = self.take(|key| key == name);
        self.checked(taken, most).into_iter().map(|(_, value)| value).collect()
    }

    /// Takes all parameters whose name begins with `prefix`, at most `most`: what follows it, and the value.
    pub(super) fn prefixed(&mut self, prefix: &str, most: usize) -> Vec<(String, String)> {
        let taken = self.take(|key| key.starts_with(prefix));
        let taken = self.checked(taken, most).into_iter();
        taken.map(|(name, value)| (name.strip_prefix(prefix).unwrap_or_default().to_owned(), value)).collect()
    }

    /// Takes the parameters of these names, in their order. Allocates only where there are any: most lists have few.
    fn take(&mut self, is_taken: impl Fn(&str) -> bool) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
        self.rest.extract_if(.., |(key, _)| is_taken(key)).collect()
    }

    fn checked(&mut self, taken: Vec<(Cow<'a, str>, Cow<'a, str>)>, most: usize) -> Vec<(String, String)> {
        let mut texts = Vec::with_capacity(taken.len());
        if let Some((name, _)) = taken.get(most) {
            self.faults.push(Fault::parameter(printable(name), "too_many", format!("at most {most} values")));
        }
        for (name, value) in taken {
            let name = printable(&name);
            match check_text(&name, &value) {
                Ok(()) if name.ends_with('.') => {
                    self.faults.push(Fault::parameter(name, "unknown", "a name must follow the point"));
                }
                Ok(()) => texts.push((name, value.into_owned())),
                Err(fault) => self.faults.push(fault),
            }
        }
        texts
    }

    /// Takes a parameter and reads it; reports it with this rule and explanation when that fails.
    pub(super) fn read<T>(
        &mut self,
        name: &'static str,
        rule: &'static str,
        detail: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.text(name)?;
        let found = read(&value);
        if found.is_none() {
            self.fault(name, rule, detail);
        }
        found
    }

    /// Takes a whole number within bounds.
    pub(super) fn number(&mut self, name: &'static str, bounds: RangeInclusive<u16>, default: u16) -> u16 {
        let Some(value) = self.text(name) else { return default };
        let number = value.bytes().all(|b| b.is_ascii_digit()).then(|| value.parse().ok()).flatten();
        if let Some(number) = number.filter(|number| bounds.contains(number)) {
            return number;
        }
        let detail = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        self.faults.push(Fault::parameter(name, "out_of_range", detail));
        default
    }

    /// Takes `true` or `false`; absent is false.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        self.read(name, "not_boolean", "true or false", |value| value.parse().ok()).unwrap_or(false)
    }

    /// Takes an id.
    pub(super) fn id(&mut self, name: &'static str) -> Option<Uuid> {
        self.read(name, "not_uuid", "a UUID", |value| Uuid::try_parse(value).ok())
    }

    /// Reports that a parameter is not there, unless it was reported otherwise.
    pub(super) fn missing(&mut self, name: &'static str) {
        if !self.faults.iter().any(|fault| fault.parameter.as_deref() == Some(name)) {
            self.fault(name, "missing", "must be given");
        }
    }

    pub(super) fn fault(&mut self, name: &'static str, rule: &'static str, detail: &'static str) {
        self.faults.push(Fault::parameter(name, rule, detail));
    }

    /// Ends reading: whatever was not taken is unknown.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        for (name, _) in self.rest {
            self.faults.push(Fault::parameter(
                printable(&name),
                "unknown",
                "this resource has no such parameter",
            ));
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::parameters(self.faults)) }
    }
}

/// An id in the path.
pub(super) fn path_id(request: &HttpRequest, name: &'static str) -> Result<Uuid, Problem> {
    Uuid::try_parse(request.match_info().get(name).unwrap_or_default())
        .map_err(|_not_a_uuid| wrong(Fault::parameter(name, "not_uuid", "a UUID")))
}

/// A text in the path, percent-decoded.
pub(super) fn path_text(request: &HttpRequest, name: &'static str) -> Result<String, Problem> {
    // The router leaves only %25, %2B and %2F encoded.
    let raw = request.match_info().get(name).unwrap_or_default();
    let text = percent_decode_str(raw).decode_utf8_lossy().into_owned();
    check_text(name, &text).map_err(wrong)?;
    Ok(text)
}

fn wrong(fault: Fault) -> Problem {
    Problem::parameters(vec![fault])
}

/// A parameter's name as a problem tells it.
fn printable(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// What can be a name, slug, SKU or code: text without control characters, of bounded length.
fn check_text(name: &str, text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        return Err(Fault::parameter(name, "empty", "must not be empty"));
    }
    if text.len() > TEXT_BYTES_MAX {
        return Err(Fault::parameter(name, "too_long", format!("at most {TEXT_BYTES_MAX} bytes")));
    }
    if text.chars().any(|c| c.is_control() || c == char::REPLACEMENT_CHARACTER) {
        return Err(Fault::parameter(name, "not_text", "UTF-8 text without control characters"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn faults(read: impl FnOnce(&mut Query<'_>), query: &str) -> Vec<(String, String)> {
        let mut query = Query::parse(query);
        read(&mut query);
        let problem = query.finish().err();
        let place = |fault: &Fault| (fault.parameter.clone().unwrap_or_default(), fault.rule.to_owned());
        problem.iter().flat_map(Problem::errors).map(place).collect()
    }

    #[test]
    fn reports_every_wrong_parameter_at_once() {
        let read = |query: &mut Query<'_>| {
            query.number("limit", 1..=200, 20);
            query.text("category");
            query.id("after");
            query.flag("deleted");
        };
        let found =
            faults(read, "limit=0&category=a%00b&after=x&deleted=yes&colour=red&utm_source=mail&limt=5");
        let expected = [
            ("limit", "out_of_range"),
            ("category", "not_text"),
            ("after", "not_uuid"),
            ("deleted", "not_boolean"),
        ];
        for (name, rule) in expected.into_iter().chain([("colour", "unknown"), ("limt", "unknown")]) {
            assert!(found.contains(&(name.to_owned(), rule.to_owned())), "{name} in {found:?}");
        }
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn a_repeated_parameter_is_an_error() {
        let read = |query: &mut Query<'_>| assert_eq!(query.number("limit", 1..=200, 20), 20);
        assert_eq!(faults(read, "limit=5&limit=6"), [("limit".to_owned(), "repeated".to_owned())]);
    }

    #[test]
    fn numbers_are_plain_and_bounded() {
        let number = |text: &str| Query::parse(text).number("limit", 1..=200, 20);
        assert_eq!(number("limit=200"), 200);
        assert_eq!(number(""), 20);
        for bad in ["201", "0", "-1", "+5", "5.0", "", " 5", "99999999999999999999", "\u{661}"] {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.append_pair("limit", bad).finish();
            let mut query = Query::parse(&query);
            query.number("limit", 1..=200, 20);
            assert!(query.finish().is_err(), "{bad}");
        }
    }

    #[test]
    fn path_texts_are_decoded_and_checked() {
        let text = |value: &'static str| {
            let request = TestRequest::default().param("sku", value).to_http_request();
            path_text(&request, "sku")
        };
        assert_eq!(text("A%2FB%25%2B").unwrap(), "A/B%+");
        assert_eq!(text("caf\u{e9}").unwrap(), "caf\u{e9}");
        for bad in ["", "a\0b", "a%00b", "\u{fffd}", "%FF", "a\nb"] {
            assert!(text(bad).is_err(), "{bad:?}");
        }
    }
}
