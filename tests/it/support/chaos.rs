//! A network that can be broken: a relay between the application and a server.
//!
//! ```text
//! application → 127.0.0.1:PORT (Relay) → Postgres or Redis, by TCP or Unix socket
//! ```

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    path::PathBuf,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use url::Url;

use super::trap::{Ill, Trap};

/// A relay in front of one server; dropping it cuts it for good.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    network: Arc<Network>,
}

/// Where a relay leads.
#[derive(Debug, Clone)]
enum Target {
    Tcp(String),
    Unix(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Bytes pass, each portion this much later.
    Flowing(Duration),
    /// Connections stay, new ones are taken, nothing passes.
    Frozen,
    /// Connections are closed, new ones at once.
    Cut,
}

#[derive(Debug)]
struct Network {
    target: Mutex<Target>,
    state: Mutex<(State, Vec<Pair>)>,
    changed: Condvar,
    trap: Trap,
    refused: AtomicUsize,
}

/// Both ends of a relayed connection, kept to be closed.
#[derive(Debug)]
struct Pair {
    client: TcpStream,
    server: Server,
}

#[derive(Debug)]
enum Server {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Relay {
    /// A relay to the Postgres of this address, and the address through the relay.
    pub(crate) fn to_postgres(url: &str) -> (Self, String) {
        let mut url = Url::parse(url).expect("a Postgres URL");
        let relay = Self::start(Target::of_postgres(&url));
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(key, _)| key != "host" && key != "port")
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        url.set_query(None);
        url.query_pairs_mut().extend_pairs(kept);
        url.set_host(Some("127.0.0.1")).expect("a host can be set");
        url.set_port(Some(relay.address.port())).expect("a port can be set");
        (relay, url.to_string())
    }

    /// A relay to the Redis of this address, and the address through the relay.
    pub(crate) fn to_redis(url: &str) -> (Self, String) {
        let parsed = Url::parse(url).expect("a Redis URL");
        if parsed.scheme().contains("unix") {
            let relay = Self::start(Target::Unix(PathBuf::from(parsed.path())));
            let address = format!("redis://{}", relay.address);
            return (relay, address);
        }
        let host = parsed.host_str().expect("a host in the Redis URL");
        let relay = Self::start(Target::Tcp(format!("{host}:{}", parsed.port().unwrap_or(6379))));
        let mut through = parsed.clone();
        through.set_host(Some("127.0.0.1")).expect("a host can be set");
        through.set_port(Some(relay.address.port())).expect("a port can be set");
        (relay, through.to_string())
    }

    /// A relay to the HTTP server at this address, and the address through the relay.
    pub(crate) fn to_http(url: &str) -> (Self, String) {
        let parsed = Url::parse(url).expect("an HTTP URL");
        let host = parsed.host_str().expect("a host in the URL");
        let relay = Self::start(Target::Tcp(format!("{host}:{}", parsed.port().unwrap_or(80))));
        let through = format!("http://{}", relay.address);
        (relay, through)
    }

    fn start(target: Target) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let state = Mutex::new((State::Flowing(Duration::ZERO), Vec::new()));
        let network = Arc::new(Network {
            target: Mutex::new(target),
            state,
            changed: Condvar::new(),
            trap: Trap::default(),
            refused: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&network);
        thread::spawn(move || listener.incoming().flatten().for_each(|client| serving.take(client)));
        Self { address, network }
    }

    /// Leads new connections to another Postgres; those that stand stay where they are.
    pub(crate) fn retarget_to_postgres(&self, url: &str) {
        let target = Target::of_postgres(&Url::parse(url).expect("a Postgres URL"));
        *self.network.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// Closes every connection; new ones are closed at once.
    pub(crate) fn cut(&self) {
        self.network.turn(State::Cut);
    }

    /// Stops every byte on its way, as a network that swallows packets does.
    pub(crate) fn freeze(&self) {
        self.network.turn(State::Frozen);
    }

    /// Lets everything pass, frozen bytes first.
    pub(crate) fn heal(&self) {
        self.network.turn(State::Flowing(Duration::ZERO));
    }

    /// Lets everything pass, each portion this much later in each direction.
    pub(crate) fn delay(&self, milliseconds: u64) {
        self.network.turn(State::Flowing(Duration::from_millis(milliseconds)));
    }

    /// What can go wrong with a single portion that clients send.
    pub(crate) fn trap(&self) -> &Trap {
        &self.network.trap
    }

    /// Connections that were closed because the network was cut.
    pub(crate) fn refused(&self) -> usize {
        self.network.refused.load(Ordering::Acquire)
    }

    /// Connections that stand now.
    pub(crate) fn connections(&self) -> usize {
        self.network.lock().1.len()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Network {
    fn lock(&self) -> MutexGuard<'_, (State, Vec<Pair>)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, state: State) {
        let mut held = self.lock();
        held.0 = state;
        if state == State::Cut {
            held.1.drain(..).for_each(Pair::close);
        }
        self.changed.notify_all();
    }

    /// Relays one connection, unless the network is cut or the server is gone: then it is closed.
    fn take(self: &Arc<Self>, client: TcpStream) {
        let target = self.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Ok(server) = target.connect() else { return };
        let (Ok(kept_client), Ok(kept_server)) = (client.try_clone(), server.try_clone()) else { return };
        let mut held = self.lock();
        if held.0 == State::Cut {
            self.refused.fetch_add(1, Ordering::AcqRel);
            return;
        }
        let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
        held.1.push(Pair { client: kept_client, server: kept_server });
        let peer = client.peer_addr().ok();
        let (up, down) = (Arc::clone(self), Arc::clone(self));
        thread::spawn(move || up.pump(from_client, to_server, peer, Some(&up.trap)));
        thread::spawn(move || down.pump(server, client, peer, None));
    }

    /// Carries bytes one way until an end closes, then closes the connection.
    fn pump(&self, mut from: impl Read, mut to: impl Write, peer: Option<SocketAddr>, trap: Option<&Trap>) {
        let mut portion = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut portion) {
            let ill = trap.and_then(Trap::pass);
            if ill == Some(Ill::Unheard) || !self.may_pass() || to.write_all(&portion[..length]).is_err() {
                break;
            }
            if ill == Some(Ill::Unanswered) {
                break;
            }
        }
        let mut held = self.lock();
        let ended = held.1.iter().position(|pair| pair.client.peer_addr().ok() == peer);
        if let Some(position) = ended {
            held.1.swap_remove(position).close();
        }
    }

    /// Waits out freeze and delay; false when the network has been cut.
    fn may_pass(&self) -> bool {
        let arrived = Instant::now();
        let mut held = self.lock();
        loop {
            let delay = match held.0 {
                State::Cut => return false,
                State::Flowing(delay) => delay,
                State::Frozen => Duration::MAX,
            };
            let left = delay.saturating_sub(arrived.elapsed());
            if left.is_zero() {
                return true;
            }
            let left = left.min(Duration::from_secs(1));
            held = self.changed.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Target {
    fn of_postgres(url: &Url) -> Self {
        let option =
            |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        let host =
            url.host_str().filter(|host| !host.is_empty()).map(str::to_owned).or_else(|| option("host"));
        let host = host.expect("a host in the Postgres URL").replace("%2F", "/");
        let port = url.port().or_else(|| option("port")?.parse().ok()).unwrap_or(5432);
        match host.strip_prefix('/') {
            Some(_) => Self::Unix(PathBuf::from(host).join(format!(".s.PGSQL.{port}"))),
            None => Self::Tcp(format!("{host}:{port}")),
        }
    }

    fn connect(&self) -> io::Result<Server> {
        match self {
            Self::Tcp(address) => TcpStream::connect(address).map(Server::Tcp),
            Self::Unix(path) => UnixStream::connect(path).map(Server::Unix),
        }
    }
}

impl Pair {
    /// Errors mean that an end closed first.
    fn close(self) {
        drop(self.client.shutdown(Shutdown::Both));
        drop(match self.server {
            Server::Tcp(stream) => stream.shutdown(Shutdown::Both),
            Server::Unix(stream) => stream.shutdown(Shutdown::Both),
        });
    }
}

impl Server {
    fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        }
    }
}

impl Read for Server {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(into),
            Self::Unix(stream) => stream.read(into),
        }
    }
}

impl Write for Server {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(from),
            Self::Unix(stream) => stream.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.flush(),
            Self::Unix(stream) => stream.flush(),
        }
    }
}
