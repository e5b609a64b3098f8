//! The load balancers of `deploy/`, with their files as they are but for the addresses.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::blocking::Response;
use tempfile::TempDir;

use super::waiting::{PATIENCE, wait_until};

/// A balancer in front of three instances; killed with the test.
#[derive(Debug)]
pub(crate) struct Balancer {
    /// Where clients go.
    pub(crate) url: String,
    /// Where HAProxy tells its state.
    operations: String,
    child: Child,
    _folder: TempDir,
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

/// Whether a program is there; without it a test is left out, but not where everything must be tested.
pub(crate) fn is_installed(program: &str) -> bool {
    let found = is_there(program);
    assert!(found || std::env::var_os("CI").is_none(), "{program} is not installed");
    found
}

/// The same for a program that is too large to be installed for tests alone.
pub(crate) fn is_there(program: &str) -> bool {
    let found = Command::new(program).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("left out: {program} is not installed");
    }
    found
}

impl Balancer {
    /// HAProxy in front of instances at these ports.
    pub(crate) fn haproxy(instances: [u16; 3]) -> Self {
        Self::start("haproxy.cfg", instances, |file, _| {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "haproxy", "-db", "-f"]).arg(file);
            command
        })
    }

    /// nginx in front of instances at these ports.
    pub(crate) fn nginx(instances: [u16; 3]) -> Self {
        Self::start("nginx.conf", instances, |file, folder| {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", "nginx", "-g", "daemon off; master_process off;", "-p"]);
            command.arg(folder).arg("-c").arg(file);
            command
        })
    }

    fn start(file: &str, instances: [u16; 3], command: impl Fn(&Path, &Path) -> Command) -> Self {
        let (port, operations) = (free_port(), free_port());
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(file);
        let mut text = fs::read_to_string(source).expect("the file of deploy");
        let ports = [(8081, instances[0]), (8082, instances[1]), (8083, instances[2])];
        for (from, to) in ports {
            text = text.replace(&format!("127.0.0.1:{from}"), &format!("127.0.0.1:{to}"));
        }
        text = text.replace("127.0.0.1:8404", &format!("127.0.0.1:{operations}"));
        text = text.replace("bind :8000", &format!("bind 127.0.0.1:{port}"));
        text = text.replace("listen 8000 reuseport", &format!("listen 127.0.0.1:{port}"));
        let folder = tempfile::Builder::new().prefix("aisle-balancer-").tempdir().expect("a folder");
        let own = folder.path().join(file);
        fs::write(&own, text).expect("a file of its own");
        let child = command(&own, folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.unwrap_or_else(|error| panic!("{file}: {error}"));
        let url = format!("http://127.0.0.1:{port}");
        let operations = format!("http://127.0.0.1:{operations}");
        let balancer = Self { url, operations, child, _folder: folder };
        wait_until(PATIENCE, "the balancer's port", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        balancer
    }

    /// State of the instances as HAProxy sees them, e.g. `["UP", "DOWN", "UP"]`.
    pub(crate) fn states(&self) -> Vec<String> {
        let csv = reqwest::blocking::get(format!("{}/;csv", self.operations)).and_then(Response::text);
        let csv = csv.expect("the state of haproxy");
        let rows = csv.lines().filter(|line| line.starts_with("store,") && !line.contains(",BACKEND,"));
        rows.filter_map(|line| line.split(',').nth(17).map(str::to_owned)).collect()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
