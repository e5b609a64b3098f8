//! The collecting reader: walks a JSON value, notes every broken rule with its pointer, and never stops at the first.

use serde_json::{Map, Value};

use super::nearest::nearest;
use crate::{
    domain::invalid::{Invalid, push_token},
    limits::INVALIDS_MAX,
};

/// Longest name of an unknown field that is repeated in an answer, in bytes.
const SHOWN_NAME_LENGTH_MAX: usize = 100;

/// Where the walk stands and what it found wrong so far.
#[derive(Debug)]
pub(super) struct Reader {
    pointer: String,
    invalids: Vec<Invalid>,
    unlisted: usize,
}

/// What a text field may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text {
    /// Most characters.
    pub(super) length_max: usize,
    /// Whether tabs and line breaks are allowed.
    pub(super) lines: bool,
    /// Whether white space around it is removed.
    pub(super) trim: bool,
}

impl Text {
    /// A text of one line; white space around it is removed.
    pub(super) const fn line(length_max: usize) -> Self {
        Self { length_max, lines: false, trim: true }
    }

    /// A text that may have several lines; white space around it is removed.
    pub(super) const fn lines(length_max: usize) -> Self {
        Self { length_max, lines: true, trim: true }
    }
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { pointer: "#".to_owned(), invalids: Vec::new(), unlisted: 0 }
    }

    /// The value when nothing was wrong, else everything that was.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Invalid>> {
        match value {
            Some(value) if self.invalids.is_empty() => Ok(value),
            Some(_) | None => {
                if self.unlisted > 0 {
                    let detail = format!("{} more places are wrong", self.unlisted);
                    self.invalids.push(Invalid::new("#", "more", detail));
                }
                Err(self.invalids)
            }
        }
    }

    /// How many rules were broken so far.
    pub(super) fn broken(&self) -> usize {
        self.invalids.len() + self.unlisted
    }

    /// Notes a broken rule at the present place.
    pub(super) fn invalid(&mut self, rule: &'static str, detail: impl Into<String>) {
        if self.invalids.len() < INVALIDS_MAX {
            self.invalids.push(Invalid::new(self.pointer.clone(), rule, detail));
        } else {
            self.unlisted += 1;
        }
    }

    /// Notes a broken rule at a place below the present one.
    pub(super) fn invalid_at(&mut self, names: &[&str], rule: &'static str, detail: impl Into<String>) {
        let length = self.pointer.len();
        for name in names {
            push_token(&mut self.pointer, name);
        }
        self.invalid(rule, detail);
        self.pointer.truncate(length);
    }

    /// Reads one level deeper, at the member or item of this name.
    pub(super) fn at<T>(&mut self, name: impl AsRef<str>, read: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.pointer.len();
        push_token(&mut self.pointer, name.as_ref());
        let result = read(self);
        self.pointer.truncate(length);
        result
    }

    /// Reads one level deeper, at the list item of this index.
    pub(super) fn at_index<T>(&mut self, index: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        self.at(index.to_string(), read)
    }

    /// An object whose members are all among `known`; those `ignored` are read-only and skipped by the caller.
    pub(super) fn object<'a>(
        &mut self,
        value: &'a Value,
        known: &[&str],
        ignored: &[&str],
    ) -> Option<&'a Map<String, Value>> {
        let map = self.map(value)?;
        for name in map.keys() {
            if !known.contains(&name.as_str()) && !ignored.contains(&name.as_str()) {
                self.unknown_field(name, known);
            }
        }
        Some(map)
    }

    /// An object with names of the caller's choice.
    pub(super) fn map<'a>(&mut self, value: &'a Value) -> Option<&'a Map<String, Value>> {
        let map = value.as_object();
        if map.is_none() {
            self.wrong_type("an object", value);
        }
        map
    }

    /// Notes a name that nothing reads, with the known name it resembles.
    pub(super) fn unknown_field(&mut self, name: &str, known: &[&str]) {
        if name.len() > SHOWN_NAME_LENGTH_MAX {
            let detail = format!("has a field that is not known, with a name of {} bytes", name.len());
            self.invalid("unknown_field", detail);
            return;
        }
        let detail = match nearest(name, known) {
            Some(known) => format!("is not a known field; did you mean `{known}`?"),
            None => "is not a known field".to_owned(),
        };
        self.at(name, |r| r.invalid("unknown_field", detail));
    }

    /// Reads a member; absent and `null` are the same: not given.
    pub(super) fn field<'a, T>(
        &mut self,
        map: &'a Map<String, Value>,
        name: &str,
        read: impl FnOnce(&mut Self, &'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = map.get(name).filter(|value| !value.is_null())?;
        self.at(name, |r| read(r, value))
    }

    /// Reads a member that must be given.
    pub(super) fn required<'a, T>(
        &mut self,
        map: &'a Map<String, Value>,
        name: &str,
        read: impl FnOnce(&mut Self, &'a Value) -> Option<T>,
    ) -> Option<T> {
        match map.get(name) {
            None | Some(Value::Null) => {
                self.at(name, |r| r.invalid("required", "is required"));
                None
            }
            Some(value) => self.at(name, |r| read(r, value)),
        }
    }

    /// Reads a list of at most `count_max` items; those that cannot be read at all are left out, the others
    /// keep their index.
    pub(super) fn list<'a, T>(
        &mut self,
        value: &'a Value,
        count_max: usize,
        mut read: impl FnMut(&mut Self, &'a Value) -> Option<T>,
    ) -> Option<Vec<(usize, T)>> {
        let Some(items) = value.as_array() else {
            self.wrong_type("a list", value);
            return None;
        };
        if items.len() > count_max {
            let detail = format!("must have at most {count_max} items, has {}", items.len());
            self.invalid("too_many", detail);
            return None;
        }
        let read = |(index, item)| Some((index, self.at_index(index, |r| read(r, item))?));
        Some(items.iter().enumerate().filter_map(read).collect())
    }

    /// A text within its rule; may be empty.
    pub(super) fn text(&mut self, value: &Value, rule: Text) -> Option<String> {
        let Some(text) = value.as_str() else {
            self.wrong_type("a text", value);
            return None;
        };
        let text = if rule.trim { text.trim() } else { text };
        let forbidden = |c: &char| c.is_control() && !(rule.lines && matches!(c, '\t' | '\n' | '\r'));
        if let Some((place, character)) = text.chars().enumerate().find(|(_, c)| forbidden(c)) {
            let code = u32::from(character);
            let detail = format!("must not hold control characters; character {} is U+{code:04X}", place + 1);
            self.invalid("control_character", detail);
            return None;
        }
        let length = text.chars().count();
        if length > rule.length_max {
            let detail = format!("must have at most {} characters, has {length}", rule.length_max);
            self.invalid("too_long", detail);
            return None;
        }
        Some(text.to_owned())
    }

    /// A text that must not be blank.
    pub(super) fn name(&mut self, value: &Value, rule: Text) -> Option<String> {
        let text = self.text(value, rule)?;
        if text.trim().is_empty() {
            self.invalid("blank", "must not be blank");
            return None;
        }
        Some(text)
    }

    /// A text of which a blank one means that there is none.
    pub(super) fn optional_text(&mut self, value: &Value, rule: Text) -> Option<String> {
        self.text(value, rule).filter(|text| !text.trim().is_empty())
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&mut self, value: &Value, words: &[(&str, T)]) -> Option<T> {
        let Some(text) = value.as_str() else {
            self.wrong_type("a text", value);
            return None;
        };
        let meaning = words.iter().find(|(word, _)| *word == text).map(|(_, meaning)| *meaning);
        if meaning.is_none() {
            let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.invalid("not_one_of", format!("must be one of {}", words.join(", ")));
        }
        meaning
    }

    /// A boolean.
    pub(super) fn boolean(&mut self, value: &Value) -> Option<bool> {
        let boolean = value.as_bool();
        if boolean.is_none() {
            self.wrong_type("true or false", value);
        }
        boolean
    }

    /// An integer from `min` to `max`.
    pub(super) fn integer(&mut self, value: &Value, min: i64, max: i64) -> Option<i64> {
        let Value::Number(number) = value else {
            self.wrong_type("a whole number", value);
            return None;
        };
        match number.as_i64() {
            Some(integer) if (min..=max).contains(&integer) => Some(integer),
            // Above 64 bits a whole number can only be too large, whatever its exact value.
            Some(_) => {
                self.invalid("out_of_range", format!("must be from {min} to {max}"));
                None
            }
            None if number.is_u64() => {
                self.invalid("out_of_range", format!("must be from {min} to {max}"));
                None
            }
            None => {
                let detail =
                    format!("must be a whole number from {min} to {max}, without fraction or exponent");
                self.invalid("not_an_integer", detail);
                None
            }
        }
    }

    /// An integer from `min` to `max`, both within 32 bits.
    pub(super) fn small_integer(&mut self, value: &Value, min: i32, max: i32) -> Option<i32> {
        self.integer(value, i64::from(min), i64::from(max)).and_then(|integer| i32::try_from(integer).ok())
    }

    /// An id as hyphenated text.
    pub(super) fn id(&mut self, value: &Value) -> Option<uuid::Uuid> {
        let Some(text) = value.as_str() else {
            self.wrong_type("a text", value);
            return None;
        };
        let id = uuid::Uuid::try_parse(text).ok();
        if id.is_none() {
            self.invalid("not_an_id", "must be a UUID such as 0190163d-8694-739b-aea5-966c26f8ad91");
        }
        id
    }

    /// Notes that another type of value was expected.
    pub(super) fn wrong_type(&mut self, expected: &str, value: &Value) {
        let found = match value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        self.invalid("wrong_type", format!("must be {expected}, not {found}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_at_most_so_many() {
        let mut reader = Reader::new();
        for index in 0..INVALIDS_MAX + 7 {
            reader.at_index(index, |r| r.invalid("wrong_type", "is wrong"));
        }
        let invalids = reader.finish(Some(())).unwrap_err();
        assert_eq!(invalids.len(), INVALIDS_MAX + 1);
        assert_eq!(invalids.last().unwrap().detail, "7 more places are wrong");
    }
}
