//! Importing files: every product whole or not at all, every wrong place named, the same file twice changes nothing.

mod batches;
mod beside_edits;
mod jsonl;
mod memory;
mod processes;
mod real_files;
mod shopify;
mod shopify_faults;
mod shopify_updates;
mod stored;

use std::{io::Write, path::Path};

use aisle::{
    domain::money::Currency,
    import::{
        problem::Problem,
        report::{Observer, Report},
        run::run,
        shopify::ShopifyFile,
        source::{Source, SourceError},
    },
};
use tempfile::NamedTempFile;

use self::memory::Memory;

/// An observer that looks away.
pub(crate) struct Nobody;

impl Observer for Nobody {
    fn problem(&mut self, _problem: &Problem) {}

    fn progress(&mut self, _position: u64, _report: &Report) {}
}

fn import(source: &mut dyn Source, catalogue: &mut Memory) -> Report {
    run(source, catalogue, false, &mut Nobody).unwrap()
}

fn file(content: impl AsRef<[u8]>) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_ref()).unwrap();
    file
}

fn open(path: &Path, currency: &str) -> Result<ShopifyFile, SourceError> {
    ShopifyFile::open(path, Currency::parse(currency).unwrap())
}

/// Imports a Shopify file with prices in US dollars.
fn shopify(content: impl AsRef<[u8]>, catalogue: &mut Memory) -> Report {
    import(&mut open(file(content).path(), "USD").unwrap(), catalogue)
}

/// Created, updated, unchanged and failed products.
fn counts(report: &Report) -> [u64; 4] {
    [report.created, report.updated, report.unchanged, report.failed]
}

/// Problems as people read them.
pub(crate) fn words(report: &Report) -> Vec<String> {
    report.problems.iter().map(ToString::to_string).collect()
}
