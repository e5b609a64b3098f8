//! `aisle` as processes of its own: an import, and an instance that serves meanwhile.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use crate::outcome::Outcome;

/// What the ready line says before the address.
const READY: &str = "listening on http://";

/// Start of a release build on a loaded machine; the schema is there already.
const START: Duration = Duration::from_mins(2);

/// How often the memory of a program is looked at; the system keeps its peak itself, as long as the program runs.
const LOOK: Duration = Duration::from_millis(50);

fn aisle(arguments: &[&str], url: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aisle"));
    command.args(arguments).env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("RUST_LOG", "error").env("DATABASE_URL", url).stdin(Stdio::null());
    command
}

/// A command that ends by itself.
#[derive(Debug)]
pub(crate) struct Program(Child);

impl Program {
    /// Starts it; its output is not shown.
    pub(crate) fn start(arguments: &[&str], url: &str) -> Outcome<Self> {
        Ok(Self(aisle(arguments, url).stdout(Stdio::null()).spawn()?))
    }

    /// Waits until it has ended well; gives the most memory it had, in KB.
    pub(crate) fn finish(mut self) -> Outcome<u64> {
        let mut peak = 0;
        let status = loop {
            peak = peak.max(self.peak().unwrap_or_default());
            if let Some(status) = self.0.try_wait()? {
                break status;
            }
            thread::park_timeout(LOOK);
        };
        if status.success() { Ok(peak) } else { Err(format!("it ended with {status}").into()) }
    }

    fn peak(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

/// A running instance; killed with the value.
#[derive(Debug)]
pub(crate) struct Instance {
    authority: String,
    child: Child,
}

impl Instance {
    /// Starts one, and waits until it is ready.
    pub(crate) fn serve(url: &str) -> Outcome<Self> {
        let mut command = aisle(&["serve"], url);
        command.env("AISLE_LISTEN", "127.0.0.1:0").env("AISLE_ADMIN_TOKEN", "bench-token-0123456789");
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("the instance has no output")?;
        let mut instance = Self { authority: String::new(), child };
        let (sender, ready) = mpsc::channel();
        // Reads on after the address, so that the instance never meets a full pipe.
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once(READY) {
                    drop(sender.send(address.trim().to_owned()));
                }
            }
        });
        instance.authority = ready.recv_timeout(START)?;
        Ok(instance)
    }

    /// Where it listens, as in `127.0.0.1:41234`.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            drop(self.child.kill());
            drop(self.child.wait());
        }
    }
}
