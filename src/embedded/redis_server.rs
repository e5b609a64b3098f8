//! The private Redis: a cache on a Unix socket, without persistence, gone with its owner.

use std::{
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
};

use rustix::process::{Pid, Signal};

use super::{
    account::Account,
    binaries::find_redis,
    error::EmbeddedError,
    guardian::{Guarded, Launch},
    waiting::wait_for,
};
use crate::limits::{PRIVATE_REDIS_START_TIMEOUT, PRIVATE_SERVER_STOP_TIMEOUT, REDIS_TIMEOUT};

/// Memory of the private shared cache; the least recently used goes first.
const MEMORY: &str = "256mb";

/// A running private Redis; dropping it stops it.
#[derive(Debug)]
pub struct RedisServer {
    server: Guarded,
    url: String,
}

impl RedisServer {
    /// Starts a Redis in a folder of its own user; `None` when no Redis is installed.
    ///
    /// The folder must exist and have a short path: the socket is made in it. Starting again in the same folder
    /// gives the same address.
    pub fn start(folder: &Path) -> Result<Option<Self>, EmbeddedError> {
        let account = Account::for_database(folder)?;
        account.own(folder)?;
        Self::start_as(&account, folder, folder)
    }

    /// Starts a Redis with its log in `home` and its socket in `sockets`.
    pub(super) fn start_as(
        account: &Account,
        home: &Path,
        sockets: &Path,
    ) -> Result<Option<Self>, EmbeddedError> {
        let Some(program) = find_redis() else { return Ok(None) };
        let socket = sockets.join("redis.sock");
        end_leftover(&socket)?;
        let server = Guarded::launch(Launch {
            name: "redis",
            program: &program,
            arguments: arguments(&socket),
            account,
            folder: sockets,
            log: home.join("redis.log"),
            stop: Signal::TERM,
            abort: Signal::KILL,
            remove: None,
        })?;
        let ready =
            wait_for(PRIVATE_REDIS_START_TIMEOUT, || server.check().is_err() || ask(&socket, "PING").is_ok());
        server.check()?;
        if !ready {
            return Err(server.not_ready());
        }
        Ok(Some(Self { server, url: format!("unix://{}", socket.display()) }))
    }

    /// Address as the `redis` crate takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Process of the server, for those who want to pause it.
    pub fn pid(&self) -> Pid {
        self.server.pid()
    }

    /// Stops the server; returns when it has ended.
    pub fn stop(&mut self) {
        self.server.stop();
    }
}

fn arguments(socket: &Path) -> Vec<String> {
    let socket = socket.display().to_string();
    let pairs = [
        ("--port", "0"),
        ("--unixsocket", &socket),
        ("--unixsocketperm", "700"),
        ("--save", ""),
        ("--appendonly", "no"),
        ("--maxmemory", MEMORY),
        ("--maxmemory-policy", "allkeys-lru"),
        ("--daemonize", "no"),
    ];
    pairs.into_iter().flat_map(|(name, value)| [name.to_owned(), value.to_owned()]).collect()
}

/// Ends a server that a killed owner left on this socket; its guardian is normally already at it.
fn end_leftover(socket: &PathBuf) -> Result<(), EmbeddedError> {
    if ask(socket, "PING").is_err() {
        return Ok(());
    }
    log::info!("stopping the Redis that a killed server left on {}", socket.display());
    if let Err(error) = ask(socket, "SHUTDOWN NOSAVE") {
        log::debug!("redis closed the connection as asked: {error}");
    }
    if wait_for(PRIVATE_SERVER_STOP_TIMEOUT, || UnixStream::connect(socket).is_err()) {
        return Ok(());
    }
    let problem = "left by a killed server does not stop".to_owned();
    Err(EmbeddedError::Failed { program: "redis", problem, said: String::new() })
}

/// Sends one command and expects any answer but an error.
fn ask(socket: &Path, command: &str) -> io::Result<()> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(REDIS_TIMEOUT))?;
    stream.set_write_timeout(Some(REDIS_TIMEOUT))?;
    stream.write_all(format!("{command}\r\n").as_bytes())?;
    let mut first = [0_u8; 1];
    stream.read_exact(&mut first)?;
    if first == *b"+" { Ok(()) } else { Err(io::Error::from(io::ErrorKind::InvalidData)) }
}
