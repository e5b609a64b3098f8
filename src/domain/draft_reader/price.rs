//! Prices: integers of minor units, or decimal texts; never floats.

use serde_json::Value;

use super::reader::Reader;
use crate::{
    domain::{draft::PriceDraft, money::Currency},
    limits::{AMOUNT_MAX, PRICES_MAX},
};

const FIELDS: &[&str] = &["currency", "amount", "compare_at"];

/// The prices of one variant, one per currency.
pub(super) fn prices(reader: &mut Reader, value: &Value) -> Option<Vec<PriceDraft>> {
    let prices = reader.list(value, PRICES_MAX, price)?;
    for (position, (index, price)) in prices.iter().enumerate() {
        let first = prices.iter().take(position).find(|(_, earlier)| earlier.currency == price.currency);
        if let Some((first, _)) = first {
            let detail = format!("must be unique; price {first} has the same currency");
            reader.invalid_at(&[&index.to_string(), "currency"], "duplicate", detail);
        }
    }
    Some(prices.into_iter().map(|(_, price)| price).collect())
}

/// One price.
pub(super) fn price(reader: &mut Reader, value: &Value) -> Option<PriceDraft> {
    let map = reader.object(value, FIELDS, &[])?;
    let currency = reader.required(map, "currency", currency);
    let amount = reader.required(map, "amount", |r, v| amount(r, v, currency));
    let compare_at = reader.field(map, "compare_at", |r, v| self::amount(r, v, currency));
    Some(PriceDraft { currency: currency?, amount: amount?, compare_at })
}

fn currency(reader: &mut Reader, value: &Value) -> Option<Currency> {
    let Some(code) = value.as_str() else {
        reader.wrong_type("a text", value);
        return None;
    };
    let currency = Currency::parse(code.trim());
    if currency.is_none() {
        reader.invalid(
            "unknown_currency",
            "must be an ISO 4217 code of a currency with a minor unit, such as USD",
        );
    }
    currency
}

/// An amount; `currency` is absent when it could not be read, and then a decimal text is not judged.
fn amount(reader: &mut Reader, value: &Value, currency: Option<Currency>) -> Option<i64> {
    match value {
        Value::String(text) => decimal(reader, text.trim(), currency?),
        Value::Number(number) if number.is_f64() => {
            let example = currency.map_or(String::new(), |currency| match currency.exponent() {
                0 => format!("; {currency} has no smaller unit"),
                _ => format!("; or a text with its decimals, such as \"{}\"", example(currency)),
            });
            reader.invalid("not_an_integer", format!("must be a whole number of minor units{example}"));
            None
        }
        Value::Number(number) if number.as_i64().is_some_and(i64::is_negative) => {
            reader.invalid("out_of_range", "must not be negative");
            None
        }
        Value::Number(number) => {
            let amount = number.as_i64().filter(|amount| *amount <= AMOUNT_MAX);
            if amount.is_none() {
                reader.invalid("out_of_range", format!("must be at most {AMOUNT_MAX} minor units"));
            }
            amount
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            reader.wrong_type("a whole number of minor units", value);
            None
        }
    }
}

/// A decimal text. One without a point is refused where the currency has decimals: `"10"` may mean ten dollars or ten
/// cents, and a price wrong by a hundred is worse than an error.
fn decimal(reader: &mut Reader, text: &str, currency: Currency) -> Option<i64> {
    match currency.minor_units(text) {
        Ok(_) if currency.exponent() > 0 && !text.contains('.') => {
            let detail = format!(
                "must have a decimal point when it is a text, such as \"{}\"; or be a number of minor units",
                example(currency)
            );
            reader.invalid("ambiguous_amount", detail);
            None
        }
        Ok(amount) => Some(amount),
        Err(error) => {
            reader.invalid("not_an_amount", error.to_string());
            None
        }
    }
}

fn example(currency: Currency) -> String {
    format!("19.{}", "9".repeat(usize::from(currency.exponent())))
}
