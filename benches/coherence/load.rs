//! A light load on one instance: kept connections, one request at a time on each, every answer checked.

use futures_util::future::try_join_all;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};
use uuid::Uuid;

use crate::{
    client::{content_length, product_path},
    instance::Instance,
    outcome::Outcome,
};

/// Connections of a load.
pub(crate) const CONNECTIONS: usize = 48;

/// What is asked for, and how many bytes of body answer it.
#[derive(Debug)]
struct Request {
    bytes: Vec<u8>,
    body: usize,
}

/// A load on the products of one instance, which are in its cache.
#[derive(Debug)]
pub(crate) struct Load {
    requests: Vec<Request>,
    connections: Vec<Connection>,
}

#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The next product.
    place: usize,
}

impl Load {
    /// Gets every product into the cache and connects.
    pub(crate) fn prepare(runtime: &Runtime, instance: &Instance, products: &[Uuid]) -> Outcome<Self> {
        let mut client = instance.client()?;
        let mut requests = Vec::new();
        for &id in products {
            client.product(id)?;
            let answer = client.product(id)?;
            if !answer.head.contains("cache-status: aisle; hit; detail=local\r\n") {
                return Err(format!("not a local hit: {}", answer.head).into());
            }
            let text = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", product_path(id), instance.authority);
            requests.push(Request { bytes: text.into_bytes(), body: answer.body.len() });
        }
        let mut load = Self { requests, connections: Vec::new() };
        load.reconnect(runtime, &instance.authority)?;
        Ok(load)
    }

    /// Average length of a body.
    pub(crate) fn body_bytes(&self) -> usize {
        self.requests.iter().map(|request| request.body).sum::<usize>() / self.requests.len().max(1)
    }

    /// New connections, each with an answer behind it: the server spreads them over its threads anew.
    pub(crate) fn reconnect(&mut self, runtime: &Runtime, authority: &str) -> Outcome<()> {
        self.connections.clear();
        for number in 0..CONNECTIONS {
            let stream = runtime.block_on(TcpStream::connect(authority))?;
            stream.set_nodelay(true)?;
            let place = number * self.requests.len() / CONNECTIONS;
            self.connections.push(Connection { stream, buffer: vec![0; 16 * 1024], place });
        }
        self.run(runtime, 1)
    }

    /// Sends so many requests on each connection.
    pub(crate) fn run(&mut self, runtime: &Runtime, each: usize) -> Outcome<()> {
        let Self { requests, connections } = self;
        let all = connections.iter_mut().map(|connection| connection.run(requests, each));
        runtime.block_on(try_join_all(all)).map(drop)
    }
}

impl Connection {
    async fn run(&mut self, requests: &[Request], each: usize) -> Outcome<()> {
        for _ in 0..each {
            // A stride that meets every product, far from the last.
            self.place = (self.place + 7) % requests.len().max(1);
            let request = requests.get(self.place).ok_or("nothing to ask for")?;
            self.exchange(request).await?;
        }
        Ok(())
    }

    async fn exchange(&mut self, request: &Request) -> Outcome<()> {
        self.stream.write_all(&request.bytes).await?;
        let mut filled = 0;
        let mut whole = None;
        while whole.is_none_or(|whole| filled < whole) {
            let free = self.buffer.get_mut(filled..).ok_or("an answer that is too long")?;
            let read = self.stream.read(free).await?;
            if read == 0 {
                return Err("the server closed a connection".into());
            }
            filled += read;
            if whole.is_none() {
                whole = expected(self.buffer.get(..filled).unwrap_or_default(), request.body)?;
            }
        }
        if whole == Some(filled) { Ok(()) } else { Err("more than one answer to a request".into()) }
    }
}

/// Length of the whole answer once its head is there; an error unless that is a 200 with this much body.
fn expected(received: &[u8], body: usize) -> Outcome<Option<usize>> {
    let Some(head) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let text = std::str::from_utf8(received.get(..head + 4).unwrap_or_default())?;
    if text.starts_with("HTTP/1.1 200 ") && content_length(text) == Some(body) {
        Ok(Some(head + 4 + body))
    } else {
        Err(format!("not the expected answer of {body} bytes: {text}").into())
    }
}
