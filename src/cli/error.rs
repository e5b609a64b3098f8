//! Why a command failed, and the exit code that tells a script.

use std::{io, process::ExitCode};

use crate::{
    application::StartError, embedded::EmbeddedError, import::report::Cause, store::error::StoreError,
    supervision::supervisor::EXIT_RESTART_STORM,
};

/// A failed command.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The private servers.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// Postgres, or what was asked of it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server did not start.
    #[error(transparent)]
    Start(#[from] StartError),
    /// An import that could not go on.
    #[error(transparent)]
    Import(#[from] Cause),
    /// A file, a terminal or the system.
    #[error("{doing}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The actors were restarted too often.
    #[error("actors broke more often than they may")]
    RestartStorm,
    /// Answers of the store that are not what the database has.
    #[error("answers differ from the database: {0}")]
    Differs(usize),
    /// An instance that does not answer, or none at all.
    #[error("{0}")]
    MemberUnreachable(String),
    /// Answers that no instance vouched for.
    #[error("answers that nobody vouched for: {0}")]
    NotVerified(usize),
    /// Anything a command has to say in its own words.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// For `map_err`: names what was tried.
    pub fn io(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, source }
    }

    /// The exit code of this failure.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Embedded(error) => of_embedded(error),
            Self::Store(error)
            | Self::Start(StartError::Store(error))
            | Self::Import(Cause::Database { error, .. }) => of_store(error),
            Self::RestartStorm => Exit::RestartStorm,
            Self::Differs(_) => Exit::Differs,
            Self::MemberUnreachable(_) => Exit::MemberUnreachable,
            Self::NotVerified(_) => Exit::NotVerified,
            Self::Start(StartError::Listen { .. } | StartError::Certificate(_) | StartError::Metrics(_))
            | Self::Import(Cause::File(_) | Cause::Rejects(_))
            | Self::Io { .. }
            | Self::Failed(_) => Exit::Failed,
        }
    }
}

fn of_embedded(error: &EmbeddedError) -> Exit {
    match error {
        EmbeddedError::InUse { .. } => Exit::InUse,
        EmbeddedError::Missing { .. }
        | EmbeddedError::OtherVersion { .. }
        | EmbeddedError::TooOld { .. }
        | EmbeddedError::NoAccount => Exit::NotInstalled,
        EmbeddedError::Foreign { .. }
        | EmbeddedError::Unreachable { .. }
        | EmbeddedError::Io { .. }
        | EmbeddedError::Failed { .. } => Exit::Failed,
    }
}

fn of_store(error: &StoreError) -> Exit {
    if matches!(error, StoreError::Unavailable(_)) { Exit::Unreachable } else { Exit::Failed }
}

/// How a command ends, for scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done as asked.
    Done,
    /// Anything not listed below.
    Failed,
    /// Wrong arguments (clap's own).
    Usage,
    /// The data folder is in use by another process.
    InUse,
    /// Postgres is not installed, or does not fit the data folder.
    NotInstalled,
    /// Postgres cannot be reached.
    Unreachable,
    /// `check`: an answer is not what the database has.
    Differs,
    /// `check`: an instance cannot be reached, or there is none.
    MemberUnreachable,
    /// `check`: an instance could not vouch for its answers.
    NotVerified,
    /// Restart intensity exceeded: the process must be started again.
    RestartStorm,
}

impl Exit {
    /// Every way to end.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::Failed,
        Self::Usage,
        Self::InUse,
        Self::NotInstalled,
        Self::Unreachable,
        Self::Differs,
        Self::MemberUnreachable,
        Self::NotVerified,
        Self::RestartStorm,
    ];

    /// The number a shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::InUse => 3,
            Self::NotInstalled => 4,
            Self::Unreachable => 5,
            Self::Differs => 6,
            Self::MemberUnreachable => 7,
            Self::NotVerified => 8,
            Self::RestartStorm => RESTART_STORM,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

const RESTART_STORM: u8 = 70;
const _: () = assert!(EXIT_RESTART_STORM == 70);
