//! Writing to standard output and error; a reader that has gone away is no error.

use std::{
    fmt::Display,
    io::{self, Write},
};

use serde::Serialize;

use super::error::CliError;

/// Writes a line of data.
pub(super) fn line(text: impl Display) -> Result<(), CliError> {
    let mut output = io::stdout().lock();
    forgive(writeln!(output, "{text}").and_then(|()| output.flush()))
}

/// Writes a value as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value).map_err(|error| CliError::Failed(error.to_string()))?;
    line(text)
}

/// Tells why the command failed.
pub(super) fn complain(error: &CliError) {
    if writeln!(io::stderr().lock(), "error: {error}").is_err() {
        log::debug!("nobody reads standard error");
    }
}

/// Tells something on the way, on standard error.
pub(super) fn notice(text: impl Display) {
    if writeln!(io::stderr().lock(), "{text}").is_err() {
        log::debug!("nobody reads standard error");
    }
}

fn forgive(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(CliError::io("write to standard output")),
    }
}
