//! One instance as a process that ends with this one, however this one ends.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::process::aisle;

/// Runs a program, says its process id, and kills it when standard input closes: the kernel closes it with its owner.
const GUARDIAN: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
pid=$!
echo "pid $pid"
( read -r line <&3; kill -9 "$pid" ) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$pid"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"#;

/// A debug build on a loaded machine that waits for its database.
const START: Duration = Duration::from_secs(30);

/// An orderly end, whatever is broken meanwhile; then it is killed.
const STOP: Duration = Duration::from_secs(20);

/// A guarded process; dropping it kills it.
#[derive(Debug)]
pub(crate) struct Guarded {
    pid: Pid,
    guardian: Child,
    _lifeline: ChildStdin,
}

impl Guarded {
    /// Starts `aisle` with these arguments and variables; its complaints go to the file.
    pub(crate) fn start(
        arguments: &[&str],
        environment: &[(String, String)],
        complaints: &Path,
    ) -> Result<(Self, BufReader<ChildStdout>), String> {
        let program = aisle();
        let mut command = Command::new("/bin/sh");
        command.args(["-c", GUARDIAN, "guardian"]).arg(program.get_program()).args(arguments);
        command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let file = File::options().append(true).create(true).open(complaints);
        let file = file.map_err(|error| format!("{}: {error}", complaints.display()))?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(file).process_group(0);
        let mut guardian = command.spawn().map_err(|error| format!("start aisle: {error}"))?;
        let (Some(lifeline), Some(output)) = (guardian.stdin.take(), guardian.stdout.take()) else {
            return Err("no pipes to a new process".to_owned());
        };
        let mut output = BufReader::new(output);
        let mut line = String::new();
        let read = output.read_line(&mut line).map_err(|error| format!("start aisle: {error}"))?;
        let pid = line.trim().strip_prefix("pid ").and_then(|pid| Pid::from_raw(pid.parse().ok()?));
        let pid = pid.ok_or_else(|| format!("start aisle: it said {line:?} ({read} bytes)"))?;
        Ok((Self { pid, guardian, _lifeline: lifeline }, output))
    }

    /// Sends a signal; an ended process is left alone.
    pub(crate) fn signal(&mut self, signal: Signal) {
        if self.ended().is_none()
            && let Err(error) = kill_process(self.pid, signal)
        {
            eprintln!("process {}: {error}", self.pid);
        }
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.guardian.try_wait().ok().flatten()
    }

    /// Waits for its end for so long.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            let ended = self.ended();
            if ended.is_some() || Instant::now() > deadline {
                return ended;
            }
            thread::park_timeout(Duration::from_millis(2));
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        drop(self.guardian.wait());
    }
}

/// A running `aisle serve`.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) port: u16,
    process: Guarded,
}

impl Server {
    /// Starts an instance and waits until it is ready.
    pub(crate) fn start(environment: &[(String, String)], complaints: &Path) -> Result<Self, String> {
        let (process, output) = Guarded::start(&["serve"], environment, complaints)?;
        let mut server = Self { port: 0, process };
        let (sender, ready) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let port = line
                    .split_once("listening on ")
                    .and_then(|(_, url)| url.rsplit(':').next()?.parse().ok());
                if let Some(port) = port {
                    let _later = sender.send(port);
                }
            }
        });
        let silent = |_| format!("an instance did not get ready, see {}", complaints.display());
        server.port = ready.recv_timeout(START).map_err(silent)?;
        Ok(server)
    }

    pub(crate) fn signal(&mut self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        self.process.pid
    }

    /// Kills it without any chance to clean up.
    pub(crate) fn kill(mut self) {
        self.process.signal(Signal::KILL);
        self.process.ends_within(STOP);
    }

    /// Asks it to end and waits; killed when it does not.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        self.process.signal(Signal::TERM);
        match self.process.ends_within(STOP) {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("an orderly stop ended with {status}")),
            None => Err(format!("no orderly stop within {STOP:?}")),
        }
    }

    /// How it ended, if it did by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.process.ended()
    }
}
