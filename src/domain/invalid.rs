//! A rule that a submitted value breaks, and where.

use serde::Serialize;
use utoipa::ToSchema;

/// One broken rule at one place of a submitted document.
///
/// Never holds the raw value: it may be long, secret or hostile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Invalid {
    /// JSON Pointer in fragment form (RFC 6901 §6), e.g. `#/variants/0/prices/1/amount`; `#` is the whole document.
    pub pointer: String,
    /// Stable snake-case name of the rule, e.g. `required`, `too_long`, `unknown_field`.
    pub rule: &'static str,
    /// The rule in words with its limit, lowercase, no full stop.
    pub detail: String,
}

impl Invalid {
    /// Makes one from a pointer, a rule name and its explanation.
    pub fn new(pointer: impl Into<String>, rule: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), rule, detail: detail.into() }
    }
}

/// Appends a reference token as RFC 6901 escapes it (§3) and as a URI fragment needs it (§6).
pub fn push_token(pointer: &mut String, token: &str) {
    pointer.push('/');
    for character in token.chars() {
        match character {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c if c.is_ascii_alphanumeric() || "-._!$&'()*+,;=:@?".contains(c) => pointer.push(c),
            c => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    pointer.push('%');
                    pointer.extend([byte >> 4, byte & 15].map(hex_digit));
                }
            }
        }
    }
}

fn hex_digit(half: u8) -> char {
    char::from_digit(u32::from(half), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_escaped_for_json_and_for_fragments() {
        let mut pointer = "#".to_owned();
        for token in ["variants", "0", "a/b~c", "Größe %", "\"<>\u{0}", "(x)?"] {
            push_token(&mut pointer, token);
        }
        assert_eq!(pointer, "#/variants/0/a~1b~0c/Gr%C3%B6%C3%9Fe%20%25/%22%3C%3E%00/(x)?");
    }
}
