//! `aisle import`: brings products in from files.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::{error::CliError, output, services};
use crate::{
    domain::money::Currency,
    import::{
        catalogue::StoredCatalogue,
        jsonl::JsonLines,
        problem::Problem,
        report::{Cause, Observer, Report},
        run,
        shopify::ShopifyFile,
        source::{Source, SourceError},
    },
    settings::{ServiceSettings, parse_currency},
    store::{Connection, members, pool},
};

/// What the help of both formats says below their options.
const AFTER_HELP: &str = "\
A product is imported whole or not at all. Each wrong row is named by line and column on standard error \
and spoils only its own product; the rest of the file is imported. Importing the same file again \
changes nothing. When the command ends, every running instance answers what was imported.

Exit codes: 0 everything was imported, 1 something was not, others as in `aisle --help`.";

/// Import products from a file
#[derive(Debug, Subcommand)]
pub(super) enum Import {
    Shopify(Shopify),
    Jsonl(Jsonl),
}

/// Import a Shopify product CSV, as exported or in the template's form
///
/// Products are found again by their handle. A column that the file does not have leaves the value alone, an empty cell
/// empties it; variants and images that the file does not name are removed. Published = FALSE makes a draft, unless there
/// is a Status. Columns that say nothing to a catalogue (gift card, tax, other markets) are listed once and not used.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Shopify {
    /// The file; UTF-8, cells separated by commas
    file: PathBuf,

    /// Currency of the prices in the file; prices in other currencies stay
    #[arg(long, default_value = "USD", value_parser = parse_currency)]
    currency: Currency,

    #[command(flatten)]
    common: Common,
}

/// Import JSON lines: one product a line, as POST /v1/admin/products takes it
///
/// Products are found again by their external id, else by slug, else by the slug their title makes. A line is the whole product:
/// what it leaves out is removed. Brands by name and categories by path ("Home > Lamps") are made when missing.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Jsonl {
    /// The file; - for standard input
    file: PathBuf,

    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Check everything, also what only the database knows, and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Write what is not imported to this file, as it stands in the imported one, to be corrected and imported
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    services: ServiceSettings,
}

impl Import {
    pub(super) fn run(self) -> Result<(), CliError> {
        match self {
            Self::Shopify(shopify) => {
                let size = size(&shopify.file);
                shopify.common.spares(&shopify.file)?;
                let mut source =
                    ShopifyFile::open(&shopify.file, shopify.currency).map_err(unreadable(&shopify.file))?;
                shopify.common.run(&mut source, size)
            }
            Self::Jsonl(Jsonl { file, common }) if file.as_os_str() == "-" => {
                common.run(&mut JsonLines::new(io::stdin()), None)
            }
            Self::Jsonl(Jsonl { file, common }) => {
                common.spares(&file)?;
                let opened = File::open(&file).map_err(|error| unreadable(&file)(error.into()))?;
                common.run(&mut JsonLines::new(opened), size(&file))
            }
        }
    }
}

impl Common {
    /// Refuses to write what is rejected over what is imported.
    fn spares(&self, file: &Path) -> Result<(), CliError> {
        let same = |rejects: &PathBuf| {
            rejects.canonicalize().is_ok_and(|rejects| file.canonicalize().is_ok_and(|file| file == rejects))
        };
        if self.rejects.as_ref().is_some_and(same) {
            return Err(CliError::Failed("--rejects names the imported file itself".to_owned()));
        }
        Ok(())
    }

    fn run(self, source: &mut dyn Source, size: Option<u64>) -> Result<(), CliError> {
        let opened = services::join(&self.services)?;
        let mut connection = pool::connect_for_bulk(&opened.backends.database_url)?;
        let mut terminal = Terminal::new(size, !self.json);
        if let Some(file) = &self.rejects {
            let created = Rejects::create(file, source.preamble());
            terminal.rejects = Some(created.map_err(|error| unreadable(file)(error.into()))?);
        }
        let mut catalogue = StoredCatalogue::new(&mut connection);
        let result = run::run(source, &mut catalogue, self.dry_run, &mut terminal);
        terminal.finish();
        let (report, cause) = match result {
            Ok(report) => (report, None),
            Err(interrupted) => (interrupted.report, Some(interrupted.cause)),
        };
        // Without the database there is nothing to ask it.
        if !self.dry_run && !matches!(cause, Some(Cause::Database { .. })) {
            sync(&mut connection);
        }
        if self.json {
            output::json(&report)?;
        } else {
            tell(&report)?;
        }
        match cause {
            Some(cause) => Err(cause.into()),
            None if report.is_complete() => Ok(()),
            None => {
                Err(CliError::Failed(format!("not everything was imported; problems: {}", report.errors)))
            }
        }
    }
}

/// Lets "done" mean "seen by every instance". What is imported stays imported where that fails.
pub(super) fn sync(connection: &mut Connection) {
    if let Err(error) = members::sync(connection) {
        output::notice(format_args!("warning: running instances may see it a few seconds later: {error}"));
    }
}

/// Writes a report for people.
pub(super) fn tell(report: &Report) -> Result<(), CliError> {
    if !report.ignored_columns.is_empty() {
        output::line(format_args!("columns not used: {}", report.ignored_columns.join(", ")))?;
    }
    let Report { created, updated, unchanged, failed, warnings, .. } = report;
    let intent = if report.dry_run { "dry run, nothing was changed: " } else { "" };
    output::line(format_args!(
        "{intent}{created} created, {updated} updated, {unchanged} unchanged, {failed} failed, {warnings} warnings"
    ))
}

/// Shows an import on standard error: problems as they are met, and a bar when somebody watches.
pub(super) struct Terminal {
    bar: ProgressBar,
    problems: bool,
    began: Instant,
    rejects: Option<Rejects>,
}

/// The file for what is not imported.
struct Rejects(BufWriter<File>);

impl Rejects {
    fn create(file: &Path, preamble: &[u8]) -> io::Result<Self> {
        let mut rejects = Self(BufWriter::new(File::create(file)?));
        rejects.0.write_all(preamble)?;
        rejects.0.flush()?;
        Ok(rejects)
    }
}

impl Terminal {
    /// A bar up to `size` (bytes or products), or only a count when that is not known.
    pub(super) fn new(size: Option<u64>, problems: bool) -> Self {
        if !io::stderr().is_terminal() {
            return Self { bar: ProgressBar::hidden(), problems, began: Instant::now(), rejects: None };
        }
        let template =
            if size.is_some() { "{bar:40} {percent}% {msg}, {eta} left" } else { "{spinner} {msg}" };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = size.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        Self { bar: bar.with_style(style), problems, began: Instant::now(), rejects: None }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Terminal {
    fn problem(&mut self, problem: &Problem) {
        if self.problems {
            self.bar.suspend(|| output::notice(problem));
        }
    }

    fn rejected(&mut self, raw: &[u8]) -> io::Result<()> {
        match &mut self.rejects {
            // Flushed at once: there are few, and they outlive an import that is killed.
            Some(Rejects(file)) => file.write_all(raw).and_then(|()| file.flush()),
            None => Ok(()),
        }
    }

    fn progress(&mut self, position: u64, report: &Report) {
        let done = report.created + report.updated + report.unchanged;
        let milliseconds = self.began.elapsed().as_millis().max(1);
        let rate = u128::from(done + report.failed) * 1000 / milliseconds;
        self.bar.set_message(format!("{done} products, {} failed, {rate}/s", report.failed));
        self.bar.set_position(position);
    }
}

fn size(file: &Path) -> Option<u64> {
    file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
}

fn unreadable(file: &Path) -> impl Fn(SourceError) -> CliError {
    move |error| CliError::Failed(format!("{}: {error}", file.display()))
}
