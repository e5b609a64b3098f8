//! Defined attributes: of which kind their values are, and which values of a product do not fit.
//!
//! Pure and lenient: a product without a defined type is free, and so is an attribute that its type does not have, unless the
//! type is strict. A value that was there before the definition changed may stay until somebody changes it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::invalid::{Invalid, push_token};

/// Of which kind an attribute's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttributeKind {
    /// A text, or a list of texts. The default.
    #[default]
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A day as text, `2026-12-31`.
    Date,
    /// One of the values of the definition, or a list of some.
    Enum,
}

/// All kinds, by the words that name them.
pub const KINDS: [(&str, AttributeKind); 5] = [
    ("text", AttributeKind::Text),
    ("number", AttributeKind::Number),
    ("boolean", AttributeKind::Boolean),
    ("date", AttributeKind::Date),
    ("enum", AttributeKind::Enum),
];

impl AttributeKind {
    /// The word that names it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Enum => "enum",
        }
    }

    /// The kind that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        KINDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind)
    }
}

/// An attribute that lists can be filtered or counted by, as the store shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StoreAttribute {
    /// Name of the attribute in products.
    pub code: String,
    /// Name shown to shoppers.
    pub label: String,
    /// Of which kind its values are.
    pub kind: AttributeKind,
    /// The values of an enum, in the order shown; empty for other kinds.
    pub values: Vec<String>,
    /// Whether lists can be filtered by it.
    pub filterable: bool,
    /// Whether its values are counted beside lists.
    pub facet: bool,
    /// Whether variants have it, not products.
    pub variant_level: bool,
}

/// All attributes that lists can be filtered or counted by.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StoreAttributes {
    /// Attributes by code.
    pub items: Vec<StoreAttribute>,
}

/// What a type says of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeRule {
    /// Name of the attribute in products.
    pub code: String,
    /// Of which kind its values are.
    pub kind: AttributeKind,
    /// The values of an enum.
    pub values: Vec<String>,
    /// Whether variants have it, not products.
    pub variant_level: bool,
}

/// What a product type asks of the attributes of its products.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TypeRules {
    /// Whether attributes that the type does not have are refused.
    pub strict: bool,
    /// The attributes it has.
    pub attributes: Vec<AttributeRule>,
}

/// Where attributes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// In the product itself.
    Product,
    /// In a variant.
    Variant,
}

impl TypeRules {
    /// Reports the attributes that do not fit. Those that `stored`, which is of the same type, has just so are left alone.
    /// `pointer` leads to the object of the attributes.
    pub fn check(
        &self,
        level: Level,
        attributes: &Map<String, Value>,
        stored: Option<&Map<String, Value>>,
        pointer: &str,
        wrong: &mut Vec<Invalid>,
    ) {
        let kept = |code: &str, value: &Value| stored.and_then(|stored| stored.get(code)) == Some(value);
        for (code, value) in attributes.iter().filter(|(code, value)| !kept(code, value)) {
            let mut at = |token: Option<usize>, rule: &'static str, detail: String| {
                let mut pointer = pointer.to_owned();
                push_token(&mut pointer, code);
                if let Some(index) = token {
                    push_token(&mut pointer, &index.to_string());
                }
                wrong.push(Invalid::new(pointer, rule, detail));
            };
            match self.attributes.iter().find(|rule| rule.code == *code) {
                Some(rule) if rule.variant_level && level == Level::Product => {
                    at(None, "wrong_level", "belongs to variants in this product type".to_owned());
                }
                Some(rule) if !rule.variant_level && level == Level::Variant => {
                    at(None, "wrong_level", "belongs to the product in this product type".to_owned());
                }
                Some(rule) => rule.check(value, &mut at),
                None if self.strict => {
                    at(None, "unknown_attribute", "is no attribute of this product type".to_owned());
                }
                None => {}
            }
        }
    }
}

impl AttributeRule {
    fn check(&self, value: &Value, at: &mut impl FnMut(Option<usize>, &'static str, String)) {
        let mut one = |place: Option<usize>, value: &Value| match self.kind {
            AttributeKind::Text if !value.is_string() => at(place, "wrong_kind", "must be a text".to_owned()),
            AttributeKind::Number if !value.is_number() => {
                at(place, "wrong_kind", "must be a number".to_owned());
            }
            AttributeKind::Boolean if !value.is_boolean() => {
                at(place, "wrong_kind", "must be true or false".to_owned());
            }
            AttributeKind::Date if !value.as_str().is_some_and(is_date) => {
                at(place, "wrong_kind", "must be a day such as 2026-12-31".to_owned());
            }
            AttributeKind::Enum if !value.as_str().is_some_and(|text| self.knows(text)) => {
                at(place, "not_one_of", format!("must be {}", self.choices()));
            }
            AttributeKind::Text
            | AttributeKind::Number
            | AttributeKind::Boolean
            | AttributeKind::Date
            | AttributeKind::Enum => {}
        };
        match (self.kind, value) {
            (AttributeKind::Text | AttributeKind::Enum, Value::Array(items)) => {
                items.iter().enumerate().for_each(|(index, item)| one(Some(index), item));
            }
            _ => one(None, value),
        }
    }

    fn knows(&self, text: &str) -> bool {
        self.values.iter().any(|known| known == text)
    }

    /// The values in words, the first of them where there are many.
    fn choices(&self) -> String {
        let shown: Vec<String> =
            self.values.iter().take(CHOICES_SHOWN).map(|value| format!("`{value}`")).collect();
        match self.values.len().checked_sub(CHOICES_SHOWN) {
            Some(more) if more > 0 => format!("one of {} and {more} more", shown.join(", ")),
            _ => format!("one of {}", shown.join(", ")),
        }
    }
}

/// Values of an enum that a broken rule names.
const CHOICES_SHOWN: usize = 10;

/// Whether a text is a day of the calendar in the one form `YYYY-MM-DD`.
fn is_date(text: &str) -> bool {
    let form = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    form && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(code: &str, kind: AttributeKind, variant_level: bool) -> AttributeRule {
        AttributeRule {
            code: code.to_owned(),
            kind,
            values: vec!["oak".to_owned(), "pine".to_owned()],
            variant_level,
        }
    }

    fn rules(strict: bool) -> TypeRules {
        let attributes = vec![
            rule("name", AttributeKind::Text, false),
            rule("watts", AttributeKind::Number, false),
            rule("dimmable", AttributeKind::Boolean, false),
            rule("since", AttributeKind::Date, false),
            rule("wood/kind", AttributeKind::Enum, false),
            rule("size", AttributeKind::Text, true),
        ];
        TypeRules { strict, attributes }
    }

    fn wrong(
        rules: &TypeRules,
        level: Level,
        value: &Value,
        stored: Option<&Value>,
    ) -> Vec<(String, &'static str)> {
        let mut wrong = Vec::new();
        let (value, stored) = (value.as_object().unwrap(), stored.and_then(Value::as_object));
        rules.check(level, value, stored, "#/attributes", &mut wrong);
        wrong.into_iter().map(|one| (one.pointer, one.rule)).collect()
    }

    #[test]
    fn every_misfit_is_named() {
        let bad = json!({
            "name": 5, "watts": "9", "dimmable": "yes", "since": "2026-02-30", "wood/kind": ["oak", "plastic"],
            "size": "L", "unknown": true
        });
        let expected = [
            ("#/attributes/name", "wrong_kind"),
            ("#/attributes/watts", "wrong_kind"),
            ("#/attributes/dimmable", "wrong_kind"),
            ("#/attributes/since", "wrong_kind"),
            ("#/attributes/wood~1kind/1", "not_one_of"),
            ("#/attributes/size", "wrong_level"),
        ]
        .map(|(pointer, rule)| (pointer.to_owned(), rule));
        assert_eq!(wrong(&rules(false), Level::Product, &bad, None), expected);
        let mut strict = expected.to_vec();
        strict.push(("#/attributes/unknown".to_owned(), "unknown_attribute"));
        assert_eq!(wrong(&rules(true), Level::Product, &bad, None), strict);
        let level = [("#/attributes/watts".to_owned(), "wrong_level")];
        assert_eq!(wrong(&rules(true), Level::Variant, &json!({"size": "L", "watts": 9}), None), level);
    }

    #[test]
    fn what_fits_is_let_through() {
        let good = json!({
            "name": ["a", "b"], "watts": 9.5, "dimmable": false, "since": "2024-02-29", "wood/kind": "pine"
        });
        assert_eq!(wrong(&rules(true), Level::Product, &good, None), []);
    }

    #[test]
    fn what_was_there_before_may_stay() {
        let stored = json!({"watts": "9", "wood/kind": "steel"});
        let kept = json!({"watts": "9", "wood/kind": "glass"});
        let expected = [("#/attributes/wood~1kind".to_owned(), "not_one_of")];
        assert_eq!(wrong(&rules(true), Level::Product, &kept, Some(&stored)), expected);
    }

    #[test]
    fn days_have_one_form() {
        for good in ["2026-12-31", "0001-01-01", "2024-02-29"] {
            assert!(is_date(good), "{good}");
        }
        for bad in ["2026-1-31", "2025-02-29", "20260-1-01", "2026-12-31T00:00", "", "\u{662}026-12-31"] {
            assert!(!is_date(bad), "{bad}");
        }
    }

    #[test]
    fn words_name_kinds() {
        for (word, kind) in KINDS {
            assert_eq!((AttributeKind::parse(word), kind.word()), (Some(kind), word));
            assert_eq!(serde_json::to_value(kind).unwrap(), json!(word));
        }
        assert_eq!(AttributeKind::parse("Text"), None);
    }
}
