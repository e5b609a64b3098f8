//! The real program as a process of its own, to be killed for real.

use std::{
    fs::Permissions,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use aisle::embedded;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::waiting::{PATIENCE, wait_for};

/// What the ready line says before the address.
const READY: &str = "listening on ";

/// Start of a program in a debug build on a loaded machine, with a new database cluster.
const START: Duration = Duration::from_mins(2);

/// A running `aisle serve`; killed with the test.
#[derive(Debug)]
pub(crate) struct Instance {
    /// Its address, e.g. `http://127.0.0.1:41234`.
    pub(crate) url: String,
    child: Child,
    said: Arc<Mutex<Vec<String>>>,
    logged: Arc<Mutex<String>>,
}

/// The program under test, with a clean environment.
pub(crate) fn aisle() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aisle"));
    command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
    command.env("RUST_LOG", "warn").stdin(Stdio::null());
    command
}

impl Instance {
    /// Starts `aisle serve` on a free port with these variables, and waits until it is ready.
    pub(crate) fn serve(environment: &[(&str, &str)]) -> Self {
        Self::serve_with(&[], environment)
    }

    /// The same with further arguments.
    pub(crate) fn serve_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = aisle();
        command
            .arg("serve")
            .args(arguments)
            .env("AISLE_LISTEN", "127.0.0.1:0")
            .envs(environment.iter().copied());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start aisle");
        let output = child.stdout.take().expect("its output");
        let log = child.stderr.take().expect("its log");
        let logged = Arc::new(Mutex::new(String::new()));
        let noted = Arc::clone(&logged);
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                eprintln!("{line}");
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                noted.push_str(&line);
                noted.push('\n');
            }
        });
        let said = Arc::new(Mutex::new(Vec::new()));
        let (sender, ready) = mpsc::channel();
        let listening = Arc::clone(&said);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, address)) = line.split_once(READY) {
                    drop(sender.send(address.trim().to_owned()));
                }
                listening.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        let mut instance = Self { url: String::new(), child, said, logged };
        instance.url =
            ready.recv_timeout(START).unwrap_or_else(|_| panic!("not ready: {:?}", instance.output()));
        instance
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The lines it wrote to standard output so far.
    pub(crate) fn output(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What it logged so far.
    pub(crate) fn log(&self) -> String {
        self.logged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Kills it without any chance to clean up.
    pub(crate) fn kill9(&mut self) {
        self.child.kill().expect("kill");
        self.child.wait().expect("wait");
    }

    /// Asks it to stop (SIGTERM) and waits for its orderly end.
    pub(crate) fn stop_and_wait(&mut self) -> ExitStatus {
        self.terminate();
        self.wait()
    }

    /// Asks it to stop (SIGTERM).
    pub(crate) fn terminate(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("signal");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_for(PATIENCE, "orderly end of the server", || self.child.try_wait().expect("wait"))
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

/// A folder for private servers that every user may enter, as a clone's usually is; removed with the value.
///
/// `None` where the servers are given and none are installed: then there is nothing to test about private ones.
pub(crate) fn open_folder() -> Option<TempDir> {
    if let (Some(_), Err(error)) = (std::env::var_os("DATABASE_URL"), embedded::installed()) {
        eprintln!("left out: {error}");
        return None;
    }
    let permissions = Permissions::from_mode(0o755);
    let made = tempfile::Builder::new().prefix("aisle-data-").permissions(permissions).tempdir();
    Some(made.expect("a temporary folder"))
}
