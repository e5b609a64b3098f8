//! A command of `aisle` as a process of its own.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::{outcome::Outcome, process::peak_kilobytes};

/// How often the memory of a program is looked at; the system keeps its peak itself, as long as the program runs.
const LOOK: Duration = Duration::from_millis(50);

/// A command that ends by itself.
#[derive(Debug)]
pub(crate) struct Program(Child);

impl Program {
    /// Starts it; its output is not shown.
    pub(crate) fn start(arguments: &[&str], url: &str) -> Outcome<Self> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aisle"));
        command.args(arguments).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("RUST_LOG", "error").env("DATABASE_URL", url);
        Ok(Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?))
    }

    /// Waits until it has ended well; gives the most memory it had, in KB.
    pub(crate) fn finish(mut self) -> Outcome<u64> {
        let mut peak = 0;
        let status = loop {
            // Nothing once it has ended.
            peak = peak.max(peak_kilobytes(self.0.id()).unwrap_or_default());
            if let Some(status) = self.0.try_wait()? {
                break status;
            }
            thread::park_timeout(LOOK);
        };
        if status.success() { Ok(peak) } else { Err(format!("it ended with {status}").into()) }
    }
}
