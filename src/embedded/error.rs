//! What can go wrong with the private servers, in words that name the way out.

use std::{io, path::PathBuf};

/// A private server that could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// A server program is not installed.
    #[error("{program} was not found in PATH or the usual places; install {packages}, or set {variable}")]
    Missing {
        /// The program looked for.
        program: &'static str,
        /// The packages that bring it, by system.
        packages: &'static str,
        /// The setting that makes it unnecessary.
        variable: &'static str,
    },
    /// Another process serves from this data folder.
    #[error("{} is in use by {}; stop that one, or choose another folder with AISLE_DATA_DIR", folder.display(), holder_name(*.holder))]
    InUse {
        /// The data folder.
        folder: PathBuf,
        /// Process that holds it, if it said so.
        holder: Option<u32>,
    },
    /// The data was written by a PostgreSQL of another major version.
    #[error(
        "{} was made by PostgreSQL {made_by}, installed is {found}; \
         install postgresql-{made_by}, or choose another folder with AISLE_DATA_DIR", folder.display()
    )]
    OtherVersion {
        /// The database folder.
        folder: PathBuf,
        /// Major version that made it.
        made_by: u32,
        /// Newest major version installed.
        found: u32,
    },
    /// The installed PostgreSQL is too old.
    #[error("PostgreSQL {found} is too old, {needed} or newer is needed")]
    TooOld {
        /// Newest major version installed.
        found: u32,
        /// Oldest major version that works.
        needed: u32,
    },
    /// The data belongs to another user of this machine.
    #[error(
        "{} belongs to user id {owner}; run as that user or as root, or choose another folder with AISLE_DATA_DIR",
        folder.display()
    )]
    Foreign {
        /// The database folder.
        folder: PathBuf,
        /// Its owner.
        owner: u32,
    },
    /// Run as root on a machine without any user to step down to.
    #[error("PostgreSQL refuses to run as root, and this machine has neither a user postgres nor nobody")]
    NoAccount,
    /// The data is where the unprivileged user cannot reach it.
    #[error("user {account} cannot reach {}; move the data folder, or let that user traverse its parents", folder.display())]
    Unreachable {
        /// The folder.
        folder: PathBuf,
        /// Who must reach it.
        account: String,
    },
    /// A file or process operation failed.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was tried.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// A server program ended or did not get ready.
    #[error("{program} {problem}{}", indented(.said))]
    Failed {
        /// The program.
        program: &'static str,
        /// What happened.
        problem: String,
        /// The last lines it wrote.
        said: String,
    },
}

impl EmbeddedError {
    /// For `map_err`: names what was tried.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing: doing.into(), source }
    }
}

fn holder_name(holder: Option<u32>) -> String {
    holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

fn indented(said: &str) -> String {
    said.lines().flat_map(|line| ["\n    ", line]).collect()
}
