//! A light HTTP/1.1 client: one connection per instance, no more than is needed here.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crate::history::{Life, Stage};

/// Connecting on the loopback takes long only when the listener's queue is full.
const CONNECT: Duration = Duration::from_secs(1);

/// The connections of one client.
#[derive(Debug)]
pub(crate) struct Browser {
    connections: Vec<Option<(u16, TcpStream)>>,
    buffer: Vec<u8>,
}

/// An answer; the body stays in the browser.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) life: Life,
    pub(crate) status: u16,
    pub(crate) position: Option<i64>,
    pub(crate) cache_status: String,
    pub(crate) body: String,
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Not a byte of the request was sent.
    NotSent,
    /// The request was sent at that time, wholly or in part.
    NoAnswer { life: Life, begin: u64 },
}

impl Browser {
    pub(crate) fn new(stage: &Stage) -> Self {
        Self { connections: stage.endpoints.iter().map(|_| None).collect(), buffer: vec![0; 64 * 1024] }
    }

    /// Sends a request to an instance and waits for the whole answer. After a failure the connection is a new one.
    pub(crate) fn send(
        &mut self,
        stage: &Stage,
        instance: usize,
        request: &[u8],
        patience: Duration,
    ) -> Result<Answer, Failure> {
        let endpoint = &stage.endpoints[instance];
        let port = endpoint.port.load(Ordering::Acquire);
        let incarnation = endpoint.incarnation.load(Ordering::Acquire);
        let life = Life { instance: u8::try_from(instance).expect("few instances"), incarnation };
        let known = self.connections[instance].take().filter(|(known, _)| *known == port && port != 0);
        let Some(mut stream) = known.map(|(_, stream)| stream).or_else(|| connect(port)) else {
            return Err(Failure::NotSent);
        };
        let begin = stage.now();
        let no_answer = |_| Failure::NoAnswer { life, begin };
        stream.write_all(request).map_err(no_answer)?;
        let (head, body) = self.receive(&mut stream, patience).map_err(no_answer)?;
        let end = stage.now();
        let answer = Answer {
            life,
            status: head.status,
            position: head.position,
            cache_status: head.cache_status,
            body: String::from_utf8_lossy(&self.buffer[body]).into_owned(),
            begin,
            end,
        };
        if !head.close {
            self.connections[instance] = Some((port, stream));
        }
        Ok(answer)
    }

    fn receive(
        &mut self,
        stream: &mut TcpStream,
        patience: Duration,
    ) -> io::Result<(Head, std::ops::Range<usize>)> {
        let deadline = Instant::now() + patience;
        let mut filled = 0;
        let mut head: Option<(Head, usize)> = None;
        loop {
            if head.is_none() {
                head = Head::parse(&self.buffer[..filled])?;
            }
            let wanted = head.as_ref().map_or(filled + 1, |(head, start)| start + head.length);
            if filled >= wanted
                && let Some((head, start)) = head
            {
                return Ok((head, start..wanted));
            }
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted.next_power_of_two(), 0);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(ErrorKind::TimedOut.into());
            }
            stream.set_read_timeout(Some(left))?;
            match stream.read(&mut self.buffer[filled..])? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                more => filled += more,
            }
        }
    }
}

fn connect(port: u16) -> Option<TcpStream> {
    if port == 0 {
        return None;
    }
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect_timeout(&address, CONNECT).ok()?;
    stream.set_nodelay(true).ok()?;
    stream.set_write_timeout(Some(CONNECT)).ok()?;
    Some(stream)
}

#[derive(Debug, Default)]
struct Head {
    status: u16,
    length: usize,
    position: Option<i64>,
    cache_status: String,
    close: bool,
}

impl Head {
    /// The head and where the body starts; `None` while the head is incomplete.
    fn parse(bytes: &[u8]) -> io::Result<Option<(Self, usize)>> {
        let text = String::from_utf8_lossy(bytes);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { return Ok(None) };
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let mut found = Self { status: status.ok_or(ErrorKind::InvalidData)?, ..Self::default() };
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim();
            match name {
                _ if name.eq_ignore_ascii_case("content-length") => {
                    found.length = value.parse().map_err(|_no_number| ErrorKind::InvalidData)?;
                }
                _ if name.eq_ignore_ascii_case("catalog-position") => found.position = value.parse().ok(),
                _ if name.eq_ignore_ascii_case("cache-status") => value.clone_into(&mut found.cache_status),
                _ if name.eq_ignore_ascii_case("connection") => found.close = value == "close",
                _ => {}
            }
        }
        Ok(Some((found, head.len() + 4)))
    }
}
