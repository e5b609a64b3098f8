//! `aisle demo`: fills the catalogue with made-up products.

use clap::Args;

use super::{
    error::CliError,
    import::{Terminal, sync, tell},
    output, services,
};
use crate::{
    import::{catalogue::StoredCatalogue, demo::DemoCatalogue, report::Report, run},
    settings::ServiceSettings,
    store::{Connection, pool},
};

/// Fill the catalogue with made-up products
///
/// The same seed makes the same products everywhere, and making them again changes nothing. They have the external ids
/// demo-000001 and so on; other products are left alone.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// How many products there shall be
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    products: u32,

    /// Which catalogue to make
    #[arg(long, default_value_t = SEED)]
    seed: u64,

    /// Print the report as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    services: ServiceSettings,
}

/// The seed when none is given.
pub(super) const SEED: u64 = 1;

impl Demo {
    pub(super) fn run(self) -> Result<(), CliError> {
        let opened = services::join(&self.services)?;
        let mut connection = pool::connect_for_bulk(&opened.backends.database_url)?;
        let report = load(&mut connection, self.products, self.seed)?;
        sync(&mut connection);
        if self.json { output::json(&report) } else { tell(&report) }
    }
}

/// Writes the products of a seed to the catalogue.
pub(super) fn load(connection: &mut Connection, products: u32, seed: u64) -> Result<Report, CliError> {
    let mut terminal = Terminal::new(Some(products.into()), true);
    let mut catalogue = StoredCatalogue::new(connection);
    let result = run::run(&mut DemoCatalogue::new(seed, products), &mut catalogue, false, &mut terminal);
    terminal.finish();
    match result {
        Ok(report) if report.is_complete() => Ok(report),
        Ok(report) => Err(CliError::Failed(format!("{} products could not be made", report.failed))),
        Err(interrupted) => Err(interrupted.cause.into()),
    }
}
