//! What is wrong with a file, and where.

use std::fmt;

use serde::Serialize;

use crate::domain::invalid::{Invalid, push_token};

/// Whether a problem keeps a row or product from being imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something was not imported.
    Error,
    /// Imported, but not as the file says.
    Warning,
}

/// A place in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line of the file, from 1; of a cell with several lines, the first.
    pub line: u64,
    /// Name of the column, as the header writes it.
    pub column: Option<String>,
}

/// One thing wrong at one place of a file. Never repeats the value: it may be long or hostile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether something was left out.
    pub severity: Severity,
    /// Line of the file, from 1.
    pub line: u64,
    /// Name of the column (CSV), if the problem has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// JSON pointer inside the line's document (JSON lines), or inside the product made of several rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// Stable snake-case name of the rule.
    pub rule: &'static str,
    /// The rule in words, lowercase, no full stop.
    pub detail: String,
}

impl Problem {
    /// An error at a place.
    pub fn error(place: Place, rule: &'static str, detail: impl Into<String>) -> Self {
        let Place { line, column } = place;
        Self { severity: Severity::Error, line, column, pointer: None, rule, detail: detail.into() }
    }

    /// A warning at a place.
    pub fn warning(place: Place, rule: &'static str, detail: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(place, rule, detail) }
    }

    /// A broken rule of a document that came from this file.
    pub fn invalid(invalid: Invalid, places: &Places) -> Self {
        let (place, exact) = places.find(&invalid.pointer);
        let pointer = (!exact).then_some(invalid.pointer);
        Self { pointer, ..Self::error(place, invalid.rule, invalid.detail) }
    }

    /// Whether something was left out because of it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        if let Some(pointer) = &self.pointer {
            write!(f, ", {pointer}")?;
        }
        let severity = match self.severity {
            Severity::Error => "",
            Severity::Warning => "warning: ",
        };
        write!(f, ": {severity}{}", self.detail)
    }
}

/// Where in the file each part of a product came from.
#[derive(Debug, Clone)]
pub struct Places {
    line: u64,
    /// Pointers of parts and their places, later ones first looked at.
    parts: Vec<(String, Place)>,
}

impl Places {
    /// Everything came from this line.
    pub fn line(line: u64) -> Self {
        Self { line, parts: Vec::new() }
    }

    /// The part at `pointer` came from `place`.
    pub fn add(&mut self, pointer: impl Into<String>, place: Place) {
        self.parts.push((pointer.into(), place));
    }

    /// The member of this name below `pointer` came from `place`.
    pub fn add_member(&mut self, pointer: &str, name: &str, place: Place) {
        let mut pointer = pointer.to_owned();
        push_token(&mut pointer, name);
        self.add(pointer, place);
    }

    /// The place of the smallest known part around `pointer`, and whether that says all: a column was found.
    fn find(&self, pointer: &str) -> (Place, bool) {
        let around = |part: &&(String, Place)| {
            pointer.strip_prefix(part.0.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self.parts.iter().filter(around).max_by_key(|(part, _)| part.len()) {
            Some((_, place)) => (place.clone(), place.column.is_some()),
            None => (Place { line: self.line, column: None }, false),
        }
    }
}
