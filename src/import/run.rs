//! Writes the products of a source to the catalogue, in batches, and counts what happened.
//!
//! A batch is one transaction, so that a file costs few commits; each product has a savepoint in it, so that a wrong one
//! costs nothing but itself. A batch that collides with other edits is tried again as a whole. When the database goes
//! away the import stops and says at which line; running it again finishes the work, since what is in is *unchanged*.
//!
//! Memory: the products of one batch, and the keys of every product of the file; see [`super::keys`].

use super::{
    catalogue::{Catalogue, Products, Upserted},
    keys::{Keys, Unique},
    problem::{Places, Problem},
    report::{Cause, Interrupted, Observer, Report},
    source::{Content, Entry, Source},
};
use crate::{
    domain::{draft_reader, invalid::Invalid},
    store::error::StoreError,
};

/// Most products of one transaction. The transaction's event is merged at every statement, which costs more the more it
/// holds: ten products were written twice as fast as a hundred. Few also hold locks briefly.
const BATCH_PRODUCTS_MAX: usize = 10;

/// Bytes of the file at which a batch is full.
const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// How often a batch that collides with other edits is tried.
const ATTEMPTS: usize = 4;

/// Imports everything a source has. A dry run does the same and undoes every batch: it finds what an import would find.
///
/// # Errors
/// The file cannot be read on or the database cannot go on; what was imported until then is in the report.
pub fn run(
    source: &mut dyn Source,
    catalogue: &mut dyn Catalogue,
    dry_run: bool,
    observer: &mut dyn Observer,
) -> Result<Report, Box<Interrupted>> {
    let report = Report { dry_run, ignored_columns: source.ignored_columns().to_vec(), ..Report::default() };
    let mut import = Import { catalogue, observer, report, keys: Keys::new() };
    loop {
        let (batch, ended) = next_batch(source);
        let line = batch.first().map_or(0, |entry| entry.line);
        if let Err(error) = import.write(&batch) {
            return Err(Interrupted::new(import.report, Cause::Database { line, error }));
        }
        import.observer.progress(source.position(), &import.report);
        match ended {
            Ok(false) => {}
            Ok(true) => return Ok(import.report),
            Err(error) => return Err(Interrupted::new(import.report, Cause::File(error))),
        }
    }
}

/// The next entries, and whether they are the last.
fn next_batch(source: &mut dyn Source) -> (Vec<Entry>, Result<bool, super::source::SourceError>) {
    let mut batch = Vec::new();
    let mut size = 0;
    while batch.len() < BATCH_PRODUCTS_MAX && size < BATCH_BYTES {
        match source.next() {
            Ok(Some(entry)) => {
                size += entry.size;
                batch.push(entry);
            }
            Ok(None) => return (batch, Ok(true)),
            Err(error) => return (batch, Err(error)),
        }
    }
    (batch, Ok(false))
}

struct Import<'a> {
    catalogue: &'a mut dyn Catalogue,
    observer: &'a mut dyn Observer,
    report: Report,
    /// Line of each key written so far.
    keys: Keys,
}

/// What became of an entry.
struct Verdict {
    upserted: Option<Upserted>,
    /// Problems beyond those of the file.
    problems: Vec<Problem>,
}

impl Import<'_> {
    fn write(&mut self, batch: &[Entry]) -> Result<(), StoreError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut attempt = 1;
        let (verdicts, keys) = loop {
            let mut verdicts = Vec::with_capacity(batch.len());
            let mut keys = Keys::new();
            let (known, dry_run) = (&self.keys, self.report.dry_run);
            let done = self.catalogue.transaction(!dry_run, &mut |products| {
                verdicts.clear();
                keys.clear();
                for entry in batch {
                    let mut unique = Unique { known, added: &mut keys, dry_run };
                    verdicts.push(write_entry(entry, products, &mut unique)?);
                }
                Ok(())
            });
            match done {
                Ok(()) => break (verdicts, keys),
                Err(StoreError::Collision) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        };
        self.keys.extend(keys);
        for (entry, verdict) in batch.iter().zip(verdicts) {
            self.report.count(verdict.upserted);
            for problem in entry.problems.iter().chain(&verdict.problems) {
                self.observer.problem(problem);
                self.report.add(problem);
            }
        }
        Ok(())
    }
}

/// Writes one product; errors are those that end the batch.
fn write_entry(
    entry: &Entry,
    products: &mut dyn Products,
    unique: &mut Unique<'_>,
) -> Result<Verdict, StoreError> {
    let failed = |problems| Ok(Verdict { upserted: None, problems });
    let Some(content) = &entry.content else { return failed(Vec::new()) };
    let draft = match content {
        Content::Whole(draft) => Ok(draft.as_ref().clone()),
        Content::Shopify(product) => {
            let existing = products.find(product.slug())?;
            product.merged(existing.as_ref()).map_err(|problem| vec![problem]).and_then(|document| {
                draft_reader::read(&document).map_err(|invalids| at_places(invalids, &entry.places))
            })
        }
    };
    let draft = match draft {
        Ok(draft) => draft,
        Err(problems) => return failed(problems),
    };
    let mut wrong = unique.repeated(&draft);
    if wrong.is_empty() {
        wrong.extend(unique.same_product(&draft, products)?);
    }
    if !wrong.is_empty() {
        return failed(at_places(wrong, &entry.places));
    }
    match products.upsert(&draft) {
        Ok(upserted) => {
            unique.add(&draft, upserted.id(), entry.line, products)?;
            Ok(Verdict { upserted: Some(upserted), problems: Vec::new() })
        }
        Err(error) => failed(at_places(refusal(error)?, &entry.places)),
    }
}

/// What the database has against a product; errors that are not about the product are passed on.
fn refusal(error: StoreError) -> Result<Vec<Invalid>, StoreError> {
    match error {
        StoreError::Duplicate { pointer, detail } => Ok(vec![Invalid::new(pointer, "duplicate", detail)]),
        StoreError::Invalid(invalids) => Ok(invalids),
        StoreError::NotFound | StoreError::VersionConflict { .. } | StoreError::Internal(_) => {
            Ok(vec![Invalid::new("#", "refused", format!("was not imported: {error}"))])
        }
        StoreError::Unavailable(_) | StoreError::Timeout | StoreError::Collision => Err(error),
    }
}

fn at_places(invalids: Vec<Invalid>, places: &Places) -> Vec<Problem> {
    invalids.into_iter().map(|invalid| Problem::invalid(invalid, places)).collect()
}
