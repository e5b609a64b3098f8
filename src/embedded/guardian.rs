//! Ties a server to the life of the process that started it, even when that is killed.
//!
//! The server's parent is a tiny shell that waits for the end of its standard input, a pipe whose other end only
//! the owner holds: the kernel closes it however the owner ends. Parent-death signals would not do: they fire when
//! the *thread* that spawned ends. Shell and server form a process group of their own, so a Ctrl-C meant for the
//! owner does not reach the server before the owner has drained.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ExitStatus, Stdio},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{account::Account, error::EmbeddedError};
use crate::limits::PRIVATE_SERVER_STOP_TIMEOUT;

/// Arguments: signal that stops the server, folder to remove at the end (or empty), the server and its arguments.
///
/// Says the server's process id on standard output. The signal is repeated, since it may come before the server
/// listens to it.
const SCRIPT: &str = r#"
signal=$1 remove=$2
shift 2
trap '' HUP
exec 3<&0 </dev/null
"$@" 3<&- >&2 &
server=$!
echo "$server"
exec >&2
(
    read -r line <&3
    while kill -s "$signal" "$server" 2>/dev/null; do sleep 1; done
) &
watcher=$!
exec 3<&-
wait "$server"
status=$?
kill "$watcher" 2>/dev/null
if [ -n "$remove" ]; then rm -rf -- "$remove"; fi
exit "$status"
"#;

/// Log files are started anew beyond this, at a start.
const LOG_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Lines of a log shown when a server failed.
const LOG_LINES_SHOWN: usize = 12;

/// A server to be started.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    /// Name in messages.
    pub(super) name: &'static str,
    /// The server program.
    pub(super) program: &'a Path,
    /// Its arguments.
    pub(super) arguments: Vec<String>,
    /// Who runs it.
    pub(super) account: &'a Account,
    /// Its working folder.
    pub(super) folder: &'a Path,
    /// Where its output goes.
    pub(super) log: PathBuf,
    /// The signal of an orderly stop.
    pub(super) stop: Signal,
    /// The signal when the orderly stop takes too long.
    pub(super) abort: Signal,
    /// Folder the guardian removes after the server's end.
    pub(super) remove: Option<&'a Path>,
}

/// A running server; dropping it stops it.
#[derive(Debug)]
pub(super) struct Guarded {
    name: &'static str,
    log: PathBuf,
    pid: Pid,
    abort: Signal,
    /// Closing it stops the server.
    lifeline: Option<ChildStdin>,
    end: Arc<End>,
}

/// How a server ended, once it has.
#[derive(Debug, Default)]
struct End {
    expected: AtomicBool,
    status: Mutex<Option<ExitStatus>>,
    set: Condvar,
}

impl Guarded {
    /// Starts a server under its guardian.
    pub(super) fn launch(launch: Launch<'_>) -> Result<Self, EmbeddedError> {
        let log = open_log(&launch.log)?;
        let mut command = launch.account.command(Path::new("/bin/sh"));
        command.args(["-c", SCRIPT, "aisle-guardian", signal_name(launch.stop)]);
        command.arg(launch.remove.unwrap_or(Path::new(""))).arg(launch.program).args(&launch.arguments);
        command.current_dir(launch.folder).process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(EmbeddedError::io(format!("start {}", launch.name)))?;
        let lifeline = child.stdin.take();
        let Some(pid) = read_pid(&mut child) else {
            return Err(failed(launch.name, "could not be started", &launch.log));
        };
        let end = reap(launch.name, child)?;
        Ok(Self { name: launch.name, log: launch.log, pid, abort: launch.abort, lifeline, end })
    }

    /// Process of the server.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// An error when the server has ended by itself.
    pub(super) fn check(&self) -> Result<(), EmbeddedError> {
        match self.end.within(Duration::ZERO) {
            None => Ok(()),
            Some(status) => Err(failed(self.name, &format!("ended ({status})"), &self.log)),
        }
    }

    /// The error for a server that does not get ready in time.
    pub(super) fn not_ready(&self) -> EmbeddedError {
        failed(self.name, "did not get ready in time", &self.log)
    }

    /// Stops the server in an orderly way, and by force when that takes too long. Returns when it has ended.
    pub(super) fn stop(&mut self) {
        if self.lifeline.take().is_none() {
            return;
        }
        self.end.expected.store(true, Ordering::Release);
        if self.end.within(PRIVATE_SERVER_STOP_TIMEOUT).is_some() {
            return;
        }
        log::warn!("{} does not stop, ending it by force", self.name);
        for signal in [self.abort, Signal::KILL] {
            if let Err(error) = kill_process(self.pid, signal) {
                log::debug!("{} could not be signalled: {error}", self.name);
            }
            if self.end.within(PRIVATE_SERVER_STOP_TIMEOUT).is_some() {
                return;
            }
        }
        log::error!("{} (process {}) could not be ended", self.name, self.pid);
    }
}

impl End {
    /// The status of an end within this time.
    fn within(&self, timeout: Duration) -> Option<ExitStatus> {
        let status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.set.wait_timeout_while(status, timeout, |status| status.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop();
    }
}

fn signal_name(signal: Signal) -> &'static str {
    if signal == Signal::INT { "INT" } else { "TERM" }
}

/// The first line the guardian says.
fn read_pid(child: &mut Child) -> Option<Pid> {
    let mut line = String::new();
    BufReader::new(child.stdout.take()?).read_line(&mut line).ok()?;
    Pid::from_raw(line.trim().parse().ok()?)
}

/// Waits for the guardian on a thread of its own, so its end is known at once and no zombie stays.
fn reap(name: &'static str, mut child: Child) -> Result<Arc<End>, EmbeddedError> {
    let end = Arc::new(End::default());
    let reaped = Arc::clone(&end);
    let wait = move || {
        let Ok(status) = child.wait() else { return };
        if !reaped.expected.load(Ordering::Acquire) {
            log::error!("{name} ended without being asked ({status})");
        }
        *reaped.status.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
        reaped.set.notify_all();
    };
    thread::Builder::new()
        .name(format!("{name} reaper"))
        .spawn(wait)
        .map_err(EmbeddedError::io(format!("watch {name}")))?;
    Ok(end)
}

fn open_log(path: &Path) -> Result<File, EmbeddedError> {
    let grown = fs::metadata(path).is_ok_and(|found| found.len() > LOG_BYTES_MAX);
    let opened =
        if grown { File::create(path) } else { File::options().append(true).create(true).open(path) };
    opened.map_err(EmbeddedError::io(format!("write {}", path.display())))
}

fn failed(program: &'static str, problem: &str, log: &Path) -> EmbeddedError {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.len().saturating_sub(LOG_LINES_SHOWN);
    let said = lines.get(shown..).unwrap_or_default().join("\n");
    EmbeddedError::Failed { program, problem: format!("{problem}; {} ends with", log.display()), said }
}
