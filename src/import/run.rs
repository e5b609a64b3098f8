//! Writes the products of a source to the catalogue, in batches, and counts what happened.
//!
//! A batch is one transaction, so that a file costs few commits, and its products are written together. A batch that collides with
//! other edits is tried again as a whole. One with a product that the database refuses, which is rare since all rules are checked before, is written in halves, down to a handful of
//! products that are written one by one, each in a savepoint: so a wrong one costs nothing but itself. When the database
//! goes away the import stops and says at which line; running it again finishes the work, since what is in is *unchanged*.
//!
//! Memory: the products of two batches, since the next one is read while one is written.

use std::{borrow::Cow, thread};

use super::{
    ahead::{Ahead, Read},
    catalogue::{Catalogue, How, Products, Upserted},
    keys::{self, Keys, Unique},
    problem::{Places, Problem},
    report::{Cause, Interrupted, Observer, Report},
    source::{Content, Entry, Source},
};
use crate::{
    domain::{draft::ProductDraft, draft_reader, invalid::Invalid},
    store::error::StoreError,
};

/// A batch of so many products that the database refuses is not halved but written product by product.
const SINGLY_MAX: usize = 8;

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
    catalogue.begin();
    thread::scope(|scope| {
        let batches = Ahead::start(scope, source);
        let mut import = Import { catalogue, observer, report };
        loop {
            let Read { batch, ended, position } = batches.next();
            let line = batch.first().map_or(0, |entry| entry.line);
            if let Err(error) = import.write(&batch) {
                let cause = match error {
                    Stopped::Store(error) => Cause::Database { line, error },
                    Stopped::Rejects(error) => Cause::Rejects(error),
                };
                return Err(Interrupted::new(import.report, cause));
            }
            import.observer.progress(position, &import.report);
            match ended {
                Ok(false) => {}
                Ok(true) => return Ok(import.report),
                Err(error) => return Err(Interrupted::new(import.report, Cause::File(error))),
            }
        }
    })
}

struct Import<'a> {
    catalogue: &'a mut dyn Catalogue,
    observer: &'a mut dyn Observer,
    report: Report,
}

/// Why the import cannot go on.
enum Stopped {
    Store(StoreError),
    Rejects(std::io::Error),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What became of an entry.
struct Verdict {
    upserted: Option<Upserted>,
    /// Problems beyond those of the file.
    problems: Vec<Problem>,
}

impl Import<'_> {
    fn write(&mut self, batch: &[Entry]) -> Result<(), Stopped> {
        if batch.is_empty() {
            return Ok(());
        }
        let written = match self.attempt(batch, false) {
            Err(error) if is_of_a_product(&error) || matches!(error, StoreError::Collision) => {
                if batch.len() > SINGLY_MAX {
                    let (first, second) = batch.split_at(batch.len().div_ceil(2));
                    self.write(first)?;
                    return self.write(second);
                }
                if matches!(error, StoreError::Collision) { Err(error) } else { self.attempt(batch, true) }
            }
            written => written,
        };
        let (verdicts, keys) = written?;
        let (keys, lines): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
        self.catalogue.remember(&keys, &lines)?;
        for (entry, verdict) in batch.iter().zip(verdicts) {
            self.report.count(verdict.upserted);
            let mut rejected = verdict.upserted.is_none();
            for problem in entry.problems.iter().chain(&verdict.problems) {
                self.observer.problem(problem);
                self.report.add(problem);
                rejected |= problem.is_error();
            }
            if rejected && !entry.raw.is_empty() {
                self.observer.rejected(&entry.raw).map_err(Stopped::Rejects)?;
            }
        }
        Ok(())
    }

    /// Writes a batch in a transaction, again while it collides; gives what became of it and the lines of its keys.
    fn attempt(&mut self, batch: &[Entry], singly: bool) -> Result<(Vec<Verdict>, Keys), StoreError> {
        let dry_run = self.report.dry_run;
        let mut attempt = 1;
        loop {
            let mut verdicts = Vec::with_capacity(batch.len());
            let mut keys = Keys::new();
            let done = self.catalogue.transaction(How { keep: !dry_run, singly }, &mut |products| {
                verdicts.clear();
                keys.clear();
                let drafts = drafts(batch, products)?;
                let whole: Vec<&ProductDraft> =
                    drafts.iter().filter_map(|draft| draft.as_deref().ok()).collect();
                products.expect(&whole)?;
                let known = keys::known(&whole, products, dry_run)?;
                for (entry, draft) in batch.iter().zip(drafts) {
                    let mut unique = Unique { known: &known, added: &mut keys, dry_run };
                    verdicts.push(write_entry(entry, draft, products, &mut unique)?);
                }
                Ok(())
            });
            match done {
                Ok(()) => return Ok((verdicts, keys)),
                Err(StoreError::Collision) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }
}

/// A draft that was read as it is, or made; or what is wrong with it.
type Draft<'a> = Result<Cow<'a, ProductDraft>, Vec<Problem>>;

/// The whole products that entries stand for. Those that a file tells in part are completed by what is stored, before any of
/// them is written: no two of a batch have one slug.
fn drafts<'a>(batch: &'a [Entry], products: &mut dyn Products) -> Result<Vec<Draft<'a>>, StoreError> {
    let slugs = batch.iter().filter_map(|entry| match &entry.content {
        Some(Content::Shopify(product)) => Some(product.slug()),
        Some(Content::Whole(_)) | None => None,
    });
    products.expect_slugs(&slugs.collect::<Vec<_>>())?;
    batch.iter().map(|entry| draft(entry, products)).collect()
}

fn draft<'a>(entry: &'a Entry, products: &mut dyn Products) -> Result<Draft<'a>, StoreError> {
    Ok(match &entry.content {
        None => Err(Vec::new()),
        Some(Content::Whole(draft)) => Ok(Cow::Borrowed(draft)),
        Some(Content::Shopify(product)) => {
            let existing = products.find(product.slug())?;
            let document = product.merged(existing.as_ref()).map_err(|problem| vec![problem]);
            document.and_then(|document| {
                let draft = draft_reader::read(&document);
                draft.map(Cow::Owned).map_err(|invalids| at_places(invalids, &entry.places))
            })
        }
    })
}

/// Writes one product; errors are those that end the batch.
fn write_entry(
    entry: &Entry,
    draft: Draft<'_>,
    products: &mut dyn Products,
    unique: &mut Unique<'_>,
) -> Result<Verdict, StoreError> {
    let failed = |problems| Ok(Verdict { upserted: None, problems });
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

/// Whether the database refuses something that a product says: not the products before or after it.
fn is_of_a_product(error: &StoreError) -> bool {
    match error {
        StoreError::Duplicate { .. }
        | StoreError::Invalid(_)
        | StoreError::NotFound
        | StoreError::VersionConflict { .. }
        | StoreError::Internal(_) => true,
        StoreError::Unavailable(_) | StoreError::Timeout | StoreError::Collision => false,
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
