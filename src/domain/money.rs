//! Currencies and amounts: integers of minor units, never floats.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::AMOUNT_MAX;

/// An ISO 4217 currency that has a minor unit definition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

impl Currency {
    /// Parses a code of three letters in any case; `None` for unknown codes and those without a minor unit (XAU, XTS, …).
    pub fn parse(code: &str) -> Option<Self> {
        let upper = code.to_ascii_uppercase();
        let known = iso_currency::Currency::from_code(&upper)?;
        let exponent = u8::try_from(known.exponent()?).ok()?;
        let bytes = upper.as_bytes();
        let code: [u8; 3] = bytes.try_into().ok()?;
        Some(Self { code, exponent })
    }

    /// The code in capitals.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// How many decimal digits the minor unit has: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Reads a decimal number of this currency, such as `19.99` or `25`, as minor units; exact, without floats.
    ///
    /// Digits and at most one point between digits: no sign, no thousands separator, no exponent. Fewer decimals than
    /// the currency has are fine, more are refused even when they are zeros, since `1.000` means a thousand to some.
    pub fn minor_units(self, decimal: &str) -> Result<i64, AmountError> {
        let magnitude = decimal.strip_prefix('-').unwrap_or(decimal);
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(AmountError::NotDecimal);
        }
        if magnitude.len() != decimal.len() {
            return Err(AmountError::Negative);
        }
        let exponent = usize::from(self.exponent);
        let fraction = if magnitude.len() == whole.len() { "" } else { fraction };
        if fraction.len() > exponent {
            return Err(AmountError::TooManyDecimals { currency: self });
        }
        let padding = std::iter::repeat_n(b'0', exponent - fraction.len());
        whole
            .bytes()
            .chain(fraction.bytes())
            .chain(padding)
            .try_fold(0_i64, |amount, digit| {
                amount
                    .checked_mul(10)?
                    .checked_add(i64::from(digit - b'0'))
                    .filter(|amount| *amount <= AMOUNT_MAX)
            })
            .ok_or(AmountError::TooLarge)
    }
}

/// Why a text is not an amount of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not of the form digits, or digits point digits.
    #[error("must be digits with at most one decimal point, such as 19.99")]
    NotDecimal,
    /// A number below zero.
    #[error("must not be negative")]
    Negative,
    /// More digits after the point than the currency's minor unit has.
    #[error("must not have more than {} decimals in {currency}", currency.exponent())]
    TooManyDecimals {
        /// The currency.
        currency: Currency,
    },
    /// Beyond [`AMOUNT_MAX`].
    #[error("must be at most {AMOUNT_MAX} minor units")]
    TooLarge,
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&code).ok_or_else(|| serde::de::Error::custom("unknown ISO 4217 currency"))
    }
}

impl utoipa::PartialSchema for Currency {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .description(Some("ISO 4217 currency code"))
            .pattern(Some("^[A-Za-z]{3}$"))
            .examples([serde_json::json!("USD")])
            .into()
    }
}

impl utoipa::ToSchema for Currency {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn decimals_by_currency() {
        let read = |code: &str, text: &str| currency(code).minor_units(text);
        assert_eq!(read("USD", "19.99"), Ok(1999));
        assert_eq!(read("USD", "25"), Ok(2500));
        assert_eq!(read("USD", "0.5"), Ok(50));
        assert_eq!(read("USD", "007.50"), Ok(750));
        assert_eq!(read("JPY", "1500"), Ok(1500));
        assert_eq!(read("KWD", "1.234"), Ok(1234));
        assert_eq!(read("CLF", "1.2345"), Ok(12345));
        assert_eq!(read("JPY", "10.5"), Err(AmountError::TooManyDecimals { currency: currency("JPY") }));
        assert_eq!(read("KWD", "1.2345"), Err(AmountError::TooManyDecimals { currency: currency("KWD") }));
        assert_eq!(read("EUR", "1.000"), Err(AmountError::TooManyDecimals { currency: currency("EUR") }));
        assert_eq!(read("USD", "-1"), Err(AmountError::Negative));
        assert_eq!(read("USD", "10000000000000.00"), Ok(AMOUNT_MAX));
        assert_eq!(read("USD", "10000000000000.01"), Err(AmountError::TooLarge));
        assert_eq!(read("USD", &"9".repeat(1000)), Err(AmountError::TooLarge));
        for bad in
            ["", ".", "1.", ".5", "1,299.00", "1 000", "+1", "1e3", "--1", "-", "1.2.3", "١", "NaN", " 1"]
        {
            assert_eq!(read("USD", bad), Err(AmountError::NotDecimal), "{bad}");
        }
    }

    #[test]
    fn errors_name_the_limit() {
        let error = currency("JPY").minor_units("10.5").unwrap_err();
        assert_eq!(error.to_string(), "must not have more than 0 decimals in JPY");
    }

    proptest! {
        #[test]
        fn reads_what_is_written(amount in 0..=AMOUNT_MAX, code in prop::sample::select(vec!["JPY", "USD", "KWD", "UYW"])) {
            let currency = currency(code);
            let exponent = usize::from(currency.exponent());
            let digits = format!("{amount:0width$}", width = exponent + 1);
            let (whole, fraction) = digits.split_at(digits.len() - exponent);
            let text = if exponent == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") };
            prop_assert_eq!(currency.minor_units(&text), Ok(amount));
        }

        #[test]
        fn never_panics(text in "\\PC*") {
            let amount = currency("USD").minor_units(&text).unwrap_or(0);
            prop_assert!((0..=AMOUNT_MAX).contains(&amount));
        }
    }
}
