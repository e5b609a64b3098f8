//! A plain HTTP client: one connection, one request at a time, nothing that would show in a latency.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::Value;
use uuid::Uuid;

use super::{instance::TOKEN, outcome::Outcome};

/// The server closes a connection that is idle for longer; it is opened anew before that.
const IDLE_MAX: Duration = Duration::from_secs(2);

/// No answer takes longer, not even after a death.
const PATIENCE: Duration = Duration::from_secs(20);

/// A kept connection to one instance.
#[derive(Debug)]
pub(crate) struct Client {
    authority: String,
    stream: BufReader<TcpStream>,
    used: Instant,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Status and headers as they came.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Client {
    /// Connects to `authority`, as in `127.0.0.1:8080`.
    pub(crate) fn connect(authority: &str) -> Outcome<Self> {
        Ok(Self { authority: authority.to_owned(), stream: open(authority)?, used: Instant::now() })
    }

    /// Gets a path that must answer 200.
    pub(crate) fn get(&mut self, path: &str) -> Outcome<Answer> {
        self.exchange(&self.get_request(path), 200)
    }

    /// Asks for a product by a name that nobody has asked for and no product has: a cache miss.
    pub(crate) fn miss(&mut self, name: &str) -> Outcome<()> {
        self.exchange(&self.get_request(&format!("/v1/store/products/by-slug/{name}")), 404).map(drop)
    }

    fn get_request(&self, path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.authority)
    }

    /// Gets a product of the store.
    pub(crate) fn product(&mut self, id: Uuid) -> Outcome<Answer> {
        self.get(&product_path(id))
    }

    /// Edits a product through the API; time from the request to the acknowledgement.
    pub(crate) fn patch_title(&mut self, id: Uuid, title: &str) -> Outcome<Duration> {
        let body = title_patch(title).to_string();
        let request = format!(
            "PATCH /v1/admin/products/{id} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {TOKEN}\r\nIf-Match: *\r\n\
             Content-Type: application/merge-patch+json\r\nContent-Length: {}\r\n\r\n{body}",
            self.authority,
            body.len(),
        );
        self.freshen()?;
        let began = Instant::now();
        self.exchange(&request, 200)?;
        Ok(began.elapsed())
    }

    /// Opens the connection anew if the server may have closed it.
    pub(crate) fn freshen(&mut self) -> Outcome<()> {
        if self.used.elapsed() > IDLE_MAX {
            self.stream = open(&self.authority)?;
            self.used = Instant::now();
        }
        Ok(())
    }

    /// Sends a request as it is; the answer must have that status.
    pub(crate) fn exchange(&mut self, request: &str, status: u16) -> Outcome<Answer> {
        self.freshen()?;
        self.stream.get_mut().write_all(request.as_bytes())?;
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head)? == 0 {
                return Err(format!("{} closed the connection", self.authority).into());
            }
        }
        let length = content_length(&head).ok_or_else(|| format!("an answer without a length: {head}"))?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        self.used = Instant::now();
        if !head.starts_with(&format!("HTTP/1.1 {status} ")) {
            return Err(format!("not a {status}: {head}{}", String::from_utf8_lossy(&body)).into());
        }
        Ok(Answer { head, body })
    }
}

fn open(authority: &str) -> Outcome<BufReader<TcpStream>> {
    let stream = TcpStream::connect(authority)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// Length of the body that a head announces.
pub(crate) fn content_length(head: &str) -> Option<usize> {
    let (_, rest) = head.split_once("content-length: ")?;
    rest.split("\r\n").next()?.trim().parse().ok()
}

/// Where the store shows a product.
pub(crate) fn product_path(id: Uuid) -> String {
    format!("/v1/store/products/{id}")
}

/// The patch that changes a title.
pub(crate) fn title_patch(title: &str) -> Value {
    serde_json::json!({ "title": title })
}
