//! `aisle serve` as a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{client::Client, outcome::Outcome, process::cpu};

/// Admin token of every instance.
pub(crate) const TOKEN: &str = "bench-token-0123456789";

/// What the ready line says before the address.
const READY: &str = "listening on http://";

/// Start of a release build on a loaded machine; the schema is there already.
const START: Duration = Duration::from_mins(1);

/// A running instance; killed with the value.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Where it listens, as in `127.0.0.1:41234`.
    pub(crate) authority: String,
    child: Child,
}

impl Instance {
    /// Starts one with these variables, and waits until it is ready: a member with a lease.
    pub(crate) fn serve(variables: &[(&str, &str)]) -> Outcome<Self> {
        Self::serve_by(env!("CARGO_BIN_EXE_aisle"), variables)
    }

    /// The same by another build of the program.
    pub(crate) fn serve_by(program: &str, variables: &[(&str, &str)]) -> Outcome<Self> {
        let mut command = Command::new(program);
        command.arg("serve").env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.env("RUST_LOG", "error").env("AISLE_LISTEN", "127.0.0.1:0").env("AISLE_ADMIN_TOKEN", TOKEN);
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn()?;
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
        instance.authority =
            ready.recv_timeout(START).map_err(|error| format!("an instance did not get ready: {error}"))?;
        Ok(instance)
    }

    /// A connection to it.
    pub(crate) fn client(&self) -> Outcome<Client> {
        Client::connect(&self.authority)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Time that all its threads have spent on a core, user and kernel.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        cpu(self.child.id())
    }

    /// Sum and count of a histogram that it publishes.
    pub(crate) fn histogram(&self, name: &str) -> Outcome<(f64, f64)> {
        Ok((self.metric(&format!("{name}_sum"))?, self.metric(&format!("{name}_count"))?))
    }

    /// A value without labels that it publishes.
    pub(crate) fn metric(&self, name: &str) -> Outcome<f64> {
        let answer = self.client()?.get("/metrics")?;
        let text = String::from_utf8(answer.body)?;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.ok_or_else(|| format!("no metric {name}"))?.parse()?)
    }

    /// Asks it to stop, and waits until it has: it saves its index of lists.
    pub(crate) fn stop(&mut self) -> Outcome<()> {
        let pid = i32::try_from(self.child.id())?;
        kill_process(Pid::from_raw(pid).ok_or("a process without a number")?, Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }

    /// Kills it without any chance to say goodbye.
    pub(crate) fn kill9(&mut self) -> Outcome<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
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
