//! JSON lines: one whole product a line.
//!
//! Each line is a document as the admin API takes it. Blank lines are skipped, a byte order mark is forgiven, the last
//! line needs no end. A product is found again by `external_id`, else by `slug`, else by the slug its title makes.

use std::io::{BufRead, BufReader, Read};

use serde_json::Value;

use super::{
    problem::{Place, Places, Problem},
    rows::skip_line,
    source::{Content, Entry, Source, SourceError},
};
use crate::{
    domain::{draft::ProductDraft, draft_reader, invalid::Invalid, slug::slugify},
    limits::BODY_BYTES_MAX,
};

/// Reads products from JSON lines; memory: one line.
#[derive(Debug)]
pub struct JsonLines<R> {
    input: BufReader<R>,
    line: u64,
    position: u64,
}

/// A line without its end and without a byte order mark.
enum Line {
    End,
    TooLong,
    Text(Vec<u8>),
}

impl<R: Read> JsonLines<R> {
    /// Reads from the start of a file or stream.
    pub fn new(input: R) -> Self {
        Self { input: BufReader::with_capacity(64 * 1024, input), line: 0, position: 0 }
    }

    fn read(&self, bytes: &[u8], places: &Places) -> Result<ProductDraft, Vec<Problem>> {
        let value = parse(bytes, self.line)?;
        draft_reader::read(&value).and_then(with_key).map_err(|invalids| {
            invalids.into_iter().map(|invalid| Problem::invalid(invalid, places)).collect()
        })
    }

    fn next_line(&mut self) -> std::io::Result<Line> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(2);
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(Line::End);
        }
        self.line += 1;
        self.position += u64::try_from(read).unwrap_or_default();
        let ended = bytes.pop_if(|byte| *byte == b'\n').is_some();
        bytes.pop_if(|byte| *byte == b'\r');
        if !ended && bytes.len() >= BODY_BYTES_MAX {
            self.position += skip_line(&mut self.input)?;
        }
        if bytes.len() > BODY_BYTES_MAX {
            return Ok(Line::TooLong);
        }
        if self.line == 1 && bytes.starts_with(b"\xEF\xBB\xBF") {
            bytes.drain(..3);
        }
        Ok(Line::Text(bytes))
    }
}

impl<R: Read + Send> Source for JsonLines<R> {
    fn next(&mut self) -> Result<Option<Entry>, SourceError> {
        loop {
            let line = self.next_line()?;
            let places = Places::line(self.line);
            let mut raw = Vec::new();
            let (size, result) = match line {
                Line::End => return Ok(None),
                Line::Text(bytes) if bytes.trim_ascii().is_empty() => continue,
                Line::Text(bytes) => {
                    let result = self.read(&bytes, &places);
                    raw = bytes;
                    raw.push(b'\n');
                    (raw.len(), result)
                }
                Line::TooLong => {
                    let place = Place { line: self.line, column: None };
                    let detail = format!("a line has at most {BODY_BYTES_MAX} bytes");
                    (BODY_BYTES_MAX, Err(vec![Problem::error(place, "line_too_long", detail)]))
                }
            };
            let (problems, content) = match result {
                Ok(draft) => (Vec::new(), Some(Content::Whole(Box::new(draft)))),
                Err(problems) => (problems, None),
            };
            return Ok(Some(Entry { problems, content, places, line: self.line, size, raw }));
        }
    }

    fn position(&self) -> u64 {
        self.position
    }
}

fn parse(bytes: &[u8], line: u64) -> Result<Value, Vec<Problem>> {
    let at = |column: usize, rule, detail: String| {
        let place = Place { line, column: None };
        vec![Problem::error(place, rule, format!("{detail} (character {column} of the line)"))]
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let detail = "is not UTF-8; save the file as UTF-8".to_owned();
        at(
            String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default()).chars().count() + 1,
            "not_utf8",
            detail,
        )
    })?;
    serde_json::from_str(text).map_err(|error| {
        let column = text.get(..error.column()).map_or(error.column(), |before| before.chars().count());
        // The parser's words end in a place of their own, counted from this line.
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        at(column, "not_json", format!("is not JSON: {words}"))
    })
}

/// A product must be found again by the next import of the same line.
fn with_key(mut draft: ProductDraft) -> Result<ProductDraft, Vec<Invalid>> {
    if draft.external_id.is_none() && draft.slug.is_none() {
        let slug = slugify(&draft.title);
        if slug.is_empty() {
            let detail =
                "is required with an `external_id` or a title that makes a slug, to find the product again";
            return Err(vec![Invalid::new("#/slug", "required", detail)]);
        }
        draft.slug = Some(slug);
    }
    Ok(draft)
}
