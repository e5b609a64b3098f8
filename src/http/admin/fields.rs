//! Reads the fields of small documents: brands, categories, types, tokens, stock. Every broken rule is reported, with its place.
//!
//! A patch is read by the same rules; what it leaves out is not reported as missing.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    domain::{invalid::Invalid, slug},
    http::{body::push_segment, problem::Problem},
    limits::{DESCRIPTION_LENGTH_MAX, NAME_LENGTH_MAX},
};

/// Whether a document is whole or a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What is required must be there.
    Whole,
    /// What is not there stays as it is.
    Patch,
}

/// The fields of an object that were read so far.
pub(super) struct Fields<'a> {
    object: Option<&'a Map<String, Value>>,
    extent: Extent,
    known: Vec<&'static str>,
    invalid: Vec<Invalid>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(document: &'a Value, extent: Extent) -> Self {
        let object = document.as_object();
        let invalid = match object {
            Some(_) => Vec::new(),
            None => vec![Invalid::new("#", "wrong_type", "must be an object")],
        };
        Self { object, extent, known: Vec::new(), invalid }
    }

    /// A name: required, not blank, bounded.
    pub(super) fn name(&mut self) -> String {
        self.line("name", NAME_LENGTH_MAX)
    }

    /// A text on one line: required, not blank, bounded.
    pub(super) fn line(&mut self, name: &'static str, characters_max: usize) -> String {
        let text = self.text(name, characters_max);
        if let Some(text) = &text {
            if text.trim().is_empty() {
                self.report(name, "required", "must not be blank");
            } else if text.chars().any(char::is_control) {
                self.report(name, "control_character", "must not contain control characters");
            }
        }
        self.require(name);
        text.unwrap_or_default()
    }

    /// A list of texts on one line each; empty when absent.
    pub(super) fn lines(
        &mut self,
        name: &'static str,
        items_max: usize,
        characters_max: usize,
    ) -> Vec<String> {
        let Some(value) = self.value(name) else { return Vec::new() };
        let Some(items) = value.as_array() else {
            self.report(name, "wrong_type", "must be a list of texts");
            return Vec::new();
        };
        if items.len() > items_max {
            self.report(name, "too_many", format!("at most {items_max} items"));
            return Vec::new();
        }
        let mut lines = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let wrong = match item.as_str() {
                None => Some(("wrong_type", "must be a text".to_owned())),
                Some(text) if text.chars().count() > characters_max => {
                    Some(("too_long", format!("at most {characters_max} characters")))
                }
                Some(text) if text.trim().is_empty() => Some(("required", "must not be blank".to_owned())),
                Some(text) if text.chars().any(char::is_control) => {
                    Some(("control_character", "must not contain control characters".to_owned()))
                }
                Some(text) => {
                    lines.push(text.to_owned());
                    None
                }
            };
            if let Some((rule, detail)) = wrong {
                self.invalid.push(Invalid::new(format!("#/{name}/{index}"), rule, detail));
            }
        }
        lines
    }

    /// True or false; false when absent.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let Some(value) = self.value(name) else { return false };
        let flag = value.as_bool();
        if flag.is_none() {
            self.report(name, "wrong_type", "must be true or false");
        }
        flag.unwrap_or(false)
    }

    /// One of several words; the default when absent.
    pub(super) fn word<T: Copy + Default>(&mut self, name: &'static str, words: &[(&str, T)]) -> T {
        let Some(value) = self.value(name) else { return T::default() };
        let word = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if word.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.report(name, "not_one_of", format!("must be one of {}", words.join(", ")));
        }
        word.map(|(_, meaning)| *meaning).unwrap_or_default()
    }

    /// A URL name; absent or null lets the server derive one.
    pub(super) fn slug(&mut self) -> Option<String> {
        let text = self.text("slug", slug::SLUG_LENGTH_MAX)?;
        if !slug::is_slug(&text) {
            let rule = "lowercase letters and digits, with single hyphens, dots or underscores inside";
            self.report("slug", "not_a_slug", rule);
        }
        Some(text)
    }

    /// A text shown to shoppers; absent or null is empty.
    pub(super) fn description(&mut self) -> String {
        self.text("description", DESCRIPTION_LENGTH_MAX).unwrap_or_default()
    }

    /// An optional text.
    pub(super) fn text(&mut self, name: &'static str, characters_max: usize) -> Option<String> {
        let value = self.value(name)?;
        let Some(text) = value.as_str() else {
            self.report(name, "wrong_type", "must be a text");
            return None;
        };
        if text.chars().count() > characters_max {
            self.report(name, "too_long", format!("at most {characters_max} characters"));
        }
        Some(text.to_owned())
    }

    /// An optional id.
    pub(super) fn id(&mut self, name: &'static str) -> Option<Uuid> {
        let value = self.value(name)?;
        let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
        if id.is_none() {
            self.report(name, "not_uuid", "must be a UUID");
        }
        id
    }

    /// A whole number within bounds; 0 when absent.
    pub(super) fn integer(&mut self, name: &'static str, bounds: RangeInclusive<i32>) -> i32 {
        let Some(value) = self.value(name) else { return 0 };
        let number = value.as_i64().and_then(|number| i32::try_from(number).ok());
        let number = number.filter(|number| bounds.contains(number));
        if number.is_none() {
            let detail = format!("must be a whole number from {} to {}", bounds.start(), bounds.end());
            self.report(name, "out_of_range", detail);
        }
        number.unwrap_or(0)
    }

    /// Reports a field that is missing.
    pub(super) fn require(&mut self, name: &'static str) {
        if self.missing(name) {
            self.report(name, "required", "is required");
        }
    }

    /// Declares a field that answers carry and that cannot be edited, so that an answer can be sent back.
    pub(super) fn ignored(&mut self, names: &[&'static str]) {
        self.known.extend_from_slice(names);
    }

    pub(super) fn report(&mut self, name: &str, rule: &'static str, detail: impl Into<String>) {
        let mut pointer = String::from("#/");
        push_segment(&mut pointer, name);
        self.invalid.push(Invalid::new(pointer, rule, detail));
    }

    /// Ends reading: whatever was not asked for is unknown.
    pub(super) fn finish(mut self) -> Result<(), Problem> {
        let fields = self.object.into_iter().flat_map(Map::keys);
        let unknown: Vec<_> = fields.filter(|name| !self.known.contains(&name.as_str())).take(20).collect();
        for name in unknown {
            let shown: String = name.chars().take(64).collect();
            self.report(&shown, "unknown_field", "there is no such field");
        }
        if self.invalid.is_empty() { Ok(()) } else { Err(Problem::invalid(self.invalid)) }
    }

    /// Whether a required field is missing: absent in a whole document, or null, which in a patch would remove it.
    fn missing(&self, name: &str) -> bool {
        self.object.is_some_and(|object| match object.get(name) {
            None => self.extent == Extent::Whole,
            Some(value) => value.is_null(),
        })
    }

    fn value(&mut self, name: &'static str) -> Option<&'a Value> {
        self.known.push(name);
        self.object?.get(name).filter(|value| !value.is_null())
    }
}

/// Removes members of an object.
pub(super) fn drop_fields(document: &mut Value, names: &[&str]) {
    if let Some(object) = document.as_object_mut() {
        object.retain(|name, _| !names.contains(&name.as_str()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(document: &Value, extent: Extent) -> Vec<(String, &'static str)> {
        let mut fields = Fields::of(document, extent);
        fields.name();
        fields.slug();
        fields.description();
        fields.id("parent_id");
        fields.integer("position", 0..=10);
        fields.ignored(&["version"]);
        let problem = fields.finish().err();
        let errors = problem.iter().flat_map(Problem::errors);
        errors.map(|fault| (fault.pointer.clone().unwrap_or_default(), fault.rule)).collect()
    }

    #[test]
    fn reports_every_broken_rule() {
        let document = json!({
            "name": " ", "slug": "A b", "description": 5, "parent_id": "x", "position": 3_000_000_000_u32,
            "colour": "red", "version": 3
        });
        let expected = [
            ("#/name", "required"),
            ("#/slug", "not_a_slug"),
            ("#/description", "wrong_type"),
            ("#/parent_id", "not_uuid"),
            ("#/position", "out_of_range"),
            ("#/colour", "unknown_field"),
        ];
        let expected = expected.map(|(pointer, rule)| (pointer.to_owned(), rule));
        assert_eq!(rules(&document, Extent::Whole), expected);
    }

    #[test]
    fn a_patch_may_leave_out_but_not_remove_what_is_required() {
        assert_eq!(rules(&json!({"position": 1}), Extent::Patch), []);
        let required = [("#/name".to_owned(), "required")];
        assert_eq!(rules(&json!({"position": 1}), Extent::Whole), required);
        assert_eq!(rules(&json!({"name": null}), Extent::Patch), required);
    }

    #[test]
    fn only_objects_are_documents() {
        for document in [json!(null), json!([]), json!("x"), json!(1)] {
            assert_eq!(rules(&document, Extent::Whole), [("#".to_owned(), "wrong_type")]);
        }
    }
}
