//! What a cell means.

use serde_json::Value;

use crate::domain::money::{AmountError, Currency};

/// What a file says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stated<T> {
    /// Nothing: it has no column for it.
    Nothing,
    /// That there is none: the cell is empty.
    None,
    /// The value.
    Value(T),
}

impl<T> Stated<T> {
    /// What the value is then, when it was `before`.
    pub(super) fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Self::Nothing => before,
            Self::None => None,
            Self::Value(value) => Some(value),
        }
    }

    /// The value, if one is stated.
    pub(super) fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Nothing | Self::None => None,
        }
    }
}

/// A text without the apostrophe that keeps spreadsheets from calculating it.
pub(super) fn unguarded(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        Some(_) | None => text,
    }
}

/// A code without the apostrophe that keeps spreadsheets from rounding it.
pub(super) fn code(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text).trim()
}

/// Whether a spreadsheet has turned the digits of a code into powers of ten, such as `9.78E+12`.
pub(super) fn is_scientific(code: &str) -> bool {
    let Some((mantissa, exponent)) = code.split_once(['E', 'e']) else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_digits =
        mantissa.split_once(['.', ',']).map_or(digits(mantissa), |(a, b)| digits(a) && digits(b));
    mantissa_digits && exponent.strip_prefix('+').is_some_and(digits)
}

/// A price: a decimal number; zeros after the point are forgiven where the currency has no decimals.
pub(super) fn amount(text: &str, currency: Currency) -> Result<i64, AmountError> {
    let whole = match text.split_once('.') {
        Some((whole, "0" | "00")) if currency.exponent() == 0 => whole,
        Some(_) | None => text,
    };
    currency.minor_units(whole)
}

/// A whole number, also written with zeros after a point.
pub(super) fn integer(text: &str) -> Option<i32> {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        Some(_) => return None,
        None => text,
    };
    whole.parse().ok()
}

/// Grams, rounded to whole ones.
pub(super) fn grams(text: &str) -> Option<i32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    whole.parse::<i32>().ok()?.checked_add(i32::from(fraction.as_bytes().first() >= Some(&b'5')))
}

/// `TRUE` or `FALSE` in any case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Some(true),
        "false" | "0" | "no" => Some(false),
        _ => None,
    }
}

/// A metafield: a list where the cell is a JSON list of texts, else text; `null` when blank.
pub(super) fn metafield(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    let list = text.starts_with('[').then(|| serde_json::from_str::<Vec<String>>(text).ok()).flatten();
    list.map_or_else(|| Value::from(unguarded(text)), Value::from)
}

/// Text, or `null` when blank.
pub(super) fn text_or_null(text: &str) -> Value {
    if text.trim().is_empty() { Value::Null } else { Value::from(unguarded(text)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells() {
        assert_eq!(code("'7350012"), "7350012");
        assert_eq!(unguarded("'=1+1"), "=1+1");
        assert_eq!(unguarded("'s Hertogenbosch"), "'s Hertogenbosch");
        assert!(is_scientific("9.78E+12") && is_scientific("9,78e+12") && is_scientific("5E+3"));
        assert!(
            !is_scientific("9780000000000")
                && !is_scientific("E+12")
                && !is_scientific("1E5")
                && !is_scientific("AE+1")
        );
        assert_eq!(
            [integer("-11"), integer("5.0"), integer("5.5"), integer("x"), integer("")],
            [Some(-11), Some(5), None, None, None]
        );
        assert_eq!(
            [grams("0.0"), grams("3629"), grams("10.5"), grams("-1"), grams("")],
            [Some(0), Some(3629), Some(11), None, None]
        );
        let currency = |code| Currency::parse(code).unwrap();
        assert_eq!(amount("150000.00", currency("VND")), Ok(150_000));
        assert_eq!(amount("25", currency("USD")), Ok(2500));
        assert!(amount("1.000", currency("VND")).is_err());
        assert_eq!(metafield("[\"a\", \"b\"]"), serde_json::json!(["a", "b"]));
        assert_eq!(metafield("[1, 2]"), serde_json::json!("[1, 2]"));
    }
}
