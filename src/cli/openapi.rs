//! `aisle openapi`: the description of the HTTP API.

use clap::Args;

use super::{error::CliError, output};
use crate::http::openapi;

/// Print the description of the HTTP API (OpenAPI 3.1, JSON)
#[derive(Debug, Args)]
pub(super) struct Openapi {}

impl Openapi {
    #[expect(clippy::unused_self, reason = "commands are run alike")]
    pub(super) fn run(self) -> Result<(), CliError> {
        output::line(String::from_utf8_lossy(&openapi::description()))
    }
}
