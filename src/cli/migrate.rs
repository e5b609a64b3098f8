//! `aisle migrate`: brings the schema up to date, as every start of a server does.

use clap::Args;

use super::{error::CliError, output, services};
use crate::{settings::ServiceSettings, store::pool};

/// Bring the database schema up to date and exit
///
/// Servers do this at their start; a fleet may want it done once, before.
#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    services: ServiceSettings,
}

impl Migrate {
    pub(super) fn run(self) -> Result<(), CliError> {
        let opened = services::join(&self.services)?;
        pool::migrate(&opened.backends.database_url)?;
        output::line("the schema is up to date")
    }
}
