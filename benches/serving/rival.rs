//! Servers that answers are compared with or pass through: the bare one, nginx, Varnish, HAProxy. Each is a process that ends with its value.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{
    bare, shelf,
    shelf::Stored,
    support::{outcome::Outcome, pace::rest, process::cpu_of_tree},
};

/// Longest start.
const START: Duration = Duration::from_secs(30);

/// A running server.
#[derive(Debug)]
pub(crate) struct Rival {
    /// Where it listens.
    pub(crate) authority: String,
    child: Child,
    _folder: TempDir,
}

impl Rival {
    /// The bare server with these answers.
    pub(crate) fn bare(answers: &[Stored]) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("answers");
        shelf::write(&file, answers)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(bare::ARGUMENT).arg(file).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let output = child.stdout.take().ok_or("the bare server has no output")?;
        let mut rival = Self { authority: String::new(), child, _folder: folder };
        let mut line = String::new();
        let mut output = BufReader::new(output);
        output.read_line(&mut line)?;
        let (_, authority) = line.trim().split_once("http://").ok_or("the bare server did not start")?;
        authority.clone_into(&mut rival.authority);
        thread::spawn(move || output.lines().map_while(Result::ok).for_each(drop));
        Ok(rival)
    }

    /// nginx with these answers as files.
    pub(crate) fn files(answers: &[Stored]) -> Outcome<Self> {
        let folder = folder()?;
        for answer in answers {
            let path = folder.path().join(format!("root{}", answer.target));
            fs::create_dir_all(path.parent().ok_or("a file without a folder")?)?;
            fs::write(path, answer.body()?)?;
        }
        let location = "root root; default_type application/json; open_file_cache max=20000 inactive=1h; \
                        add_header Cache-Control 'public, no-cache';";
        Self::nginx(folder, "", location)
    }

    /// nginx before `origin`, with a cache that keeps what it may keep.
    pub(crate) fn nginx_cache(origin: &str) -> Outcome<Self> {
        let http = format!(
            "proxy_cache_path cache keys_zone=all:32m max_size=1g inactive=1h; upstream origin {{ server {origin}; keepalive 64; }}"
        );
        let location = "proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_cache all;";
        Self::nginx(folder()?, &http, location)
    }

    fn nginx(folder: TempDir, http: &str, location: &str) -> Outcome<Self> {
        let authority = free_authority()?;
        let file = folder.path().join("nginx.conf");
        let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
        fs::write(
            &file,
            format!(
                "daemon off; {user} worker_processes auto; error_log stderr error; pid pid;\n\
                 events {{ worker_connections 1024; }}\n\
                 http {{ access_log off; keepalive_requests 100000000; client_body_temp_path body; proxy_temp_path proxy; {http}\n\
                 server {{ listen {authority}; location / {{ {location} }} }} }}"
            ),
        )?;
        let mut command = Command::new(program("nginx"));
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        Self::start(authority, command, folder)
    }

    /// HAProxy before `origins`, by turns.
    pub(crate) fn haproxy(origins: &[&str]) -> Outcome<Self> {
        let (folder, authority) = (folder()?, free_authority()?);
        let file = folder.path().join("haproxy.cfg");
        let servers =
            origins.iter().enumerate().map(|(number, origin)| format!(" server s{number} {origin}\n"));
        fs::write(
            &file,
            format!(
                "defaults\n mode http\n timeout connect 1s\n timeout client 60s\n timeout server 60s\n\
                 listen all\n bind {authority}\n balance roundrobin\n http-reuse always\n{}",
                servers.collect::<String>()
            ),
        )?;
        let mut command = Command::new(program("haproxy"));
        command.arg("-db").arg("-f").arg(&file);
        Self::start(authority, command, folder)
    }

    /// Varnish before `origin`.
    pub(crate) fn varnish(origin: &str) -> Outcome<Self> {
        let folder = folder()?;
        let authority = free_authority()?;
        let mut command = Command::new(program("varnishd"));
        // Without its own compression it gives what it got, with a length.
        command.args(["-F", "-p", "http_gzip_support=off", "-a", &authority, "-b", origin]);
        command.args(["-s", "malloc,512m", "-j", "none", "-n"]);
        command.arg(folder.path().join("work"));
        Self::start(authority, command, folder)
    }

    fn start(authority: String, mut command: Command, folder: TempDir) -> Outcome<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let rival = Self { authority, child, _folder: folder };
        let began = Instant::now();
        while TcpStream::connect(&rival.authority).is_err() {
            if began.elapsed() > START {
                return Err(format!("{command:?} did not start").into());
            }
            rest(Duration::from_millis(20));
        }
        Ok(rival)
    }

    /// Time that it and its children have spent on a core.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        cpu_of_tree(self.child.id())
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        // Their children are ended by their parents: SIGTERM, not SIGKILL.
        let pid = rustix::process::Pid::from_child(&self.child);
        if rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok() {
            drop(self.child.wait());
        }
    }
}

/// Whether a program is installed.
pub(crate) fn is_installed(name: &str) -> bool {
    let mut command = Command::new(program(name));
    command.arg(if name == "varnishd" { "-V" } else { "-v" });
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Servers' folder is often missing in the PATH.
fn program(name: &str) -> PathBuf {
    let sbin = Path::new("/usr/sbin").join(name);
    if sbin.exists() { sbin } else { name.into() }
}

fn folder() -> Outcome<TempDir> {
    Ok(tempfile::Builder::new().prefix("aisle-bench-").tempdir()?)
}

/// An address that was free a moment ago.
fn free_authority() -> Outcome<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
