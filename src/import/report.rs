//! What an import came to.

use serde::Serialize;

use super::{
    catalogue::Upserted,
    problem::{Problem, Severity},
    source::SourceError,
};
use crate::store::error::StoreError;

/// Most problems that a report lists; all are counted and shown to the observer.
const PROBLEMS_MAX: usize = 1000;

/// Counts and problems of an import.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether everything was undone.
    pub dry_run: bool,
    /// Products that were not there.
    pub created: u64,
    /// Products that were there and changed.
    pub updated: u64,
    /// Products that were there and equal.
    pub unchanged: u64,
    /// Products, or rows of no product, that were not imported.
    pub failed: u64,
    /// Problems because of which something was left out.
    pub errors: u64,
    /// Problems with something that was imported.
    pub warnings: u64,
    /// The first 1,000 problems, in the order of the file.
    pub problems: Vec<Problem>,
    /// Columns of the file that say nothing to a catalogue.
    pub ignored_columns: Vec<String>,
}

impl Report {
    /// Whether everything in the file was imported.
    pub fn is_complete(&self) -> bool {
        self.errors == 0 && self.failed == 0
    }

    /// Counts what became of a product.
    pub(super) fn count(&mut self, upserted: Option<Upserted>) {
        let counter = match upserted {
            Some(Upserted::Created(_)) => &mut self.created,
            Some(Upserted::Updated(_)) => &mut self.updated,
            Some(Upserted::Unchanged(_)) => &mut self.unchanged,
            None => &mut self.failed,
        };
        *counter += 1;
    }

    pub(super) fn add(&mut self, problem: &Problem) {
        match problem.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem.clone());
        }
    }
}

/// Sees an import while it runs.
pub trait Observer {
    /// Something is wrong with the file.
    fn problem(&mut self, problem: &Problem);

    /// These lines of the file were not imported, or not wholly.
    ///
    /// # Errors
    /// They cannot be kept; the import stops.
    fn rejected(&mut self, _raw: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    /// So many bytes of the file are done.
    fn progress(&mut self, position: u64, report: &Report);
}

/// An import that could not go on.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Interrupted {
    /// What was done until then, and stays.
    pub report: Report,
    /// Why it could not go on.
    #[source]
    pub cause: Cause,
}

impl Interrupted {
    pub(super) fn new(report: Report, cause: Cause) -> Box<Self> {
        Box::new(Self { report, cause })
    }
}

/// Why an import could not go on.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The file.
    #[error(transparent)]
    File(#[from] SourceError),
    /// The file for what is rejected.
    #[error("what is rejected cannot be kept: {0}")]
    Rejects(std::io::Error),
    /// The database.
    #[error("stopped at line {line}; import the file again to go on: {error}")]
    Database {
        /// First line that was not imported.
        line: u64,
        /// Why.
        error: StoreError,
    },
}
