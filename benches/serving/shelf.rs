//! Answers to be given again: what the bare server and the proxies' files are made of.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::support::outcome::Outcome;

/// One answer, with what was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stored {
    /// Path and query.
    pub(crate) target: String,
    /// `Accept-Encoding`; empty without one.
    pub(crate) coding: String,
    /// Body of the request; empty but for a batch.
    pub(crate) asked: String,
    /// Headers that the application sets, without those of the transport.
    pub(crate) headers: Vec<(String, String)>,
    /// Body, as Base64.
    body: String,
}

impl Stored {
    /// An answer as it came: its head as text.
    pub(crate) fn new(target: &str, coding: &str, asked: &str, head: &str, body: &[u8]) -> Self {
        let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
        let transport = ["content-length", "date", "connection", "server"];
        let headers = lines
            .filter(|(name, _)| !transport.contains(&name.to_ascii_lowercase().as_str()))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let (target, coding, asked) = (target.to_owned(), coding.to_owned(), asked.to_owned());
        Self { target, coding, asked, headers, body: STANDARD.encode(body) }
    }

    /// Its body.
    pub(crate) fn body(&self) -> Outcome<Vec<u8>> {
        Ok(STANDARD.decode(&self.body)?)
    }

    /// A header by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Writes answers, one per line.
pub(crate) fn write(path: &Path, answers: &[Stored]) -> Outcome<()> {
    let mut file = BufWriter::new(File::create(path)?);
    for answer in answers {
        serde_json::to_writer(&mut file, answer)?;
        file.write_all(b"\n")?;
    }
    Ok(file.flush()?)
}

/// Reads them back.
pub(crate) fn read(path: &Path) -> Outcome<Vec<Stored>> {
    BufReader::new(File::open(path)?).lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}
