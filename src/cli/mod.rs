//! The command line: one file per command, each a struct of its arguments and a `run`.
//!
//! Data goes to standard output, everything else to standard error. Exit codes are part of the contract: see [`Exit`].

mod check;
mod demo;
mod error;
mod import;
mod migrate;
pub mod open_files;
mod openapi;
mod output;
mod plain_http;
mod purge;
mod serve;
mod services;
mod signals;
mod token;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::error::{CliError, Exit};
use crate::telemetry::logging;

/// What is logged unless `RUST_LOG` says otherwise: the HTTP server's own life cycle is ours to tell.
const LOG_DEFAULT: &str = "info,actix_server=warn";

/// What `--help` says below the options.
const AFTER_HELP: &str = "\
Every setting is a flag and an environment variable; `aisle COMMAND --help` names both.
Without DATABASE_URL, commands use a private Postgres and Redis in the data folder
(AISLE_DATA_DIR, default ./aisle-data), also while a server is running from there.
RUST_LOG chooses what is logged to standard error, e.g. RUST_LOG=warn,aisle=debug.

Exit codes:
  0   done
  1   failed
  2   wrong usage
  3   the data folder is in use by another process
  4   Postgres is not installed, or does not fit the data folder
  5   Postgres cannot be reached
  6   check: an answer is not what the database has
  7   check: an instance cannot be reached, or there is none
  8   check: an instance could not vouch for its answers
  70  actors broke too often: start the process again";

/// A product catalogue server that is never silently stale.
#[derive(Debug, Parser)]
#[command(name = "aisle", version, about, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(Box<serve::Serve>),
    Migrate(migrate::Migrate),
    Token(token::Token),
    #[command(subcommand)]
    Import(import::Import),
    Demo(demo::Demo),
    Check(check::Check),
    Purge(purge::Purge),
    Openapi(openapi::Openapi),
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    logging::init(LOG_DEFAULT);
    let done = match Cli::parse().command {
        Command::Serve(command) => command.run(),
        Command::Migrate(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Import(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Purge(command) => command.run(),
        Command::Openapi(command) => command.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            error.exit().into()
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn help_names_every_exit_code() {
        for exit in Exit::ALL {
            let code = exit.code().to_string();
            assert!(AFTER_HELP.lines().any(|line| line.split_whitespace().next() == Some(&code)), "{code}");
        }
    }
}
