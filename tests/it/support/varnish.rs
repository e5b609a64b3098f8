//! Varnish with the file of `deploy/` as it is but for the ports.

use std::{
    fs,
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{
    balancer::{free_port, is_installed},
    waiting::{PATIENCE, wait_until},
};

/// A Varnish of its own; ended with the test.
#[derive(Debug)]
pub(crate) struct Varnish {
    /// Where clients go.
    pub(crate) url: String,
    port: u16,
    child: Child,
    folder: TempDir,
}

/// Whether Varnish is there with the modules that the file names; without them a test is left out, but not where everything
/// must be tested.
pub(crate) fn is_complete() -> bool {
    if !is_installed("varnishd") {
        return false;
    }
    let folders = fs::read_dir("/usr/lib").expect("a folder").flatten().map(|entry| entry.path());
    let folders = folders.chain(["/usr/lib", "/usr/local/lib"].map(Into::into));
    let found = folders.into_iter().any(|folder| folder.join("varnish/vmods/libvmod_xkey.so").exists());
    assert!(found || std::env::var_os("CI").is_none(), "varnish-modules is not installed");
    if !found {
        eprintln!("left out: varnish-modules is not installed");
    }
    found
}

impl Varnish {
    /// In front of instances at these addresses, one or two.
    pub(crate) fn start(instances: &[&str]) -> Self {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/varnish/default.vcl");
        let mut text = fs::read_to_string(source).expect("the file of deploy");
        for (from, to) in ["8081", "8082", "8083"].iter().zip(instances.iter().cycle()) {
            let (_, to) = to.rsplit_once(':').expect("a port");
            text = text.replace(&format!(".port = \"{from}\""), &format!(".port = \"{to}\""));
        }
        let folder = tempfile::Builder::new().prefix("aisle-varnish-").tempdir().expect("a folder");
        fs::write(folder.path().join("default.vcl"), text).expect("a file of its own");
        let port = free_port();
        let child = spawn(&folder, port);
        let varnish = Self { url: format!("http://127.0.0.1:{port}"), port, child, folder };
        varnish.wait();
        varnish
    }

    /// Ends it and starts it again.
    pub(crate) fn restart(&mut self) {
        self.end();
        self.child = spawn(&self.folder, self.port);
        self.wait();
    }

    fn wait(&self) {
        wait_until(PATIENCE, "the port of Varnish", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    /// In order, since its own child would otherwise go on for a moment.
    fn end(&mut self) {
        if kill_process(Pid::from_child(&self.child), Signal::TERM).is_ok() {
            drop(self.child.wait());
        }
    }
}

impl Drop for Varnish {
    fn drop(&mut self) {
        self.end();
    }
}

fn spawn(folder: &TempDir, port: u16) -> Child {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "varnishd", "-F", "-j", "none", "-s", "malloc,64m"]);
    command.args(["-p", "http_gzip_support=off", "-a", &format!("127.0.0.1:{port}")]);
    command.arg("-n").arg(folder.path().join("work")).arg("-f").arg(folder.path().join("default.vcl"));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("varnishd: {error}"))
}
