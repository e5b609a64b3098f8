//! Free attributes: text, number, boolean, or a list of texts.

use serde_json::{Map, Value};

use super::reader::{Reader, Text};
use crate::limits::{
    ATTRIBUTE_NAME_LENGTH_MAX, ATTRIBUTE_NUMBER_MAX, ATTRIBUTE_TEXT_LENGTH_MAX, ATTRIBUTES_MAX,
};

/// The attributes of a product or a variant, in the order given; one that is `null` is not there.
pub(super) fn attributes(reader: &mut Reader, value: &Value) -> Option<Map<String, Value>> {
    let map = reader.map(value)?;
    if map.len() > ATTRIBUTES_MAX {
        reader.invalid("too_many", format!("must have at most {ATTRIBUTES_MAX} members, has {}", map.len()));
        return None;
    }
    let mut attributes = Map::with_capacity(map.len());
    for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        reader.at(name, |r| {
            attribute_name(r, name);
            if let Some(value) = attribute(r, value) {
                attributes.insert(name.clone(), value);
            }
        });
    }
    Some(attributes)
}

fn attribute_name(reader: &mut Reader, name: &str) {
    let rule = Text { length_max: ATTRIBUTE_NAME_LENGTH_MAX, lines: false, trim: false };
    if reader.name(&Value::String(name.to_owned()), rule).is_some() && name.trim() != name {
        reader.invalid("surrounding_space", "must have a name without surrounding white space");
    }
}

fn attribute(reader: &mut Reader, value: &Value) -> Option<Value> {
    let rule = Text { length_max: ATTRIBUTE_TEXT_LENGTH_MAX, lines: true, trim: false };
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::Number(number) => {
            let bounds = -ATTRIBUTE_NUMBER_MAX..=ATTRIBUTE_NUMBER_MAX;
            let fits = match number.as_i64() {
                Some(integer) => bounds.contains(&integer),
                None => number.is_f64() && number.as_f64().is_some_and(within_bounds),
            };
            if !fits {
                let detail =
                    format!("must be a number from -{ATTRIBUTE_NUMBER_MAX} to {ATTRIBUTE_NUMBER_MAX}");
                reader.invalid("out_of_range", detail);
            }
            fits.then(|| value.clone())
        }
        Value::String(_) => reader.text(value, rule).map(Value::String),
        Value::Array(_) => {
            let texts = reader.list(value, ATTRIBUTES_MAX, |r, v| r.text(v, rule))?;
            Some(texts.into_iter().map(|(_, text)| Value::String(text)).collect())
        }
        Value::Null | Value::Object(_) => {
            reader.wrong_type("a text, a number, true or false, or a list of texts", value);
            None
        }
    }
}

/// [`ATTRIBUTE_NUMBER_MAX`] as a float; exact, since it is below 2^53.
const ATTRIBUTE_FLOAT_MAX: f64 = 1e15;

fn within_bounds(number: f64) -> bool {
    number.abs() <= ATTRIBUTE_FLOAT_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn float_bound_is_the_integer_bound() {
        assert_eq!(format!("{ATTRIBUTE_FLOAT_MAX}"), ATTRIBUTE_NUMBER_MAX.to_string());
    }
}
