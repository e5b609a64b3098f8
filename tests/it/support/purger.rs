//! `aisle purge` as a process of its own.

use std::process::{Child, ExitStatus};

use rustix::process::{Pid, Signal, kill_process};

use super::{
    process::aisle,
    waiting::{PATIENCE, wait_for},
};

/// A running purger; killed with the test.
#[derive(Debug)]
pub(crate) struct Purger(Child);

impl Purger {
    /// One that follows the log of this database and purges the cache at this address.
    pub(crate) fn start(database_url: &str, cache: &str) -> Self {
        let mut command = aisle();
        command.args(["purge", "--cache", cache]).env("DATABASE_URL", database_url);
        Self(command.spawn().expect("start aisle"))
    }

    /// Asks it to stop (SIGTERM) and waits for its end.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("signal");
        wait_for(PATIENCE, "the end of the purger", || self.0.try_wait().expect("wait"))
    }

    /// Kills it.
    pub(crate) fn kill9(&mut self) {
        self.0.kill().expect("kill");
        self.0.wait().expect("wait");
    }
}

impl Drop for Purger {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}
