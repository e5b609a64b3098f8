//! Rows of a CSV file with their lines, where some rows may be broken.
//!
//! The csv crate takes a row apart, but it is lenient about quotes: an unclosed one swallows the file to its end or to the
//! next quote, and nobody learns where it began. So rows are delimited here, strictly by RFC 4180, and only whole ones are
//! handed on. After a broken row that may have swallowed others, reading resumes at its second line: lines are skipped
//! (and reported) until one begins a row with as many cells as the header has.
//!
//! Memory: at most twice [`ROW_BYTES_MAX`].

mod quotes;
mod splitter;
#[cfg(test)]
mod tests;

use std::{
    collections::VecDeque,
    io::{self, BufRead, BufReader, Read},
};

use csv::ByteRecord;

use self::{
    quotes::{Fault, Quotes, Step},
    splitter::{Splitter, cells_of},
};

/// Longest row, in bytes; one whose quote is not closed ends here. A description at its limit fits, whatever its script.
pub(in crate::import) const ROW_BYTES_MAX: usize = 1024 * 1024;

/// Longest row that is tried while looking for an intact one, in bytes: shorter, since every line may begin one.
const TRIED_BYTES_MAX: usize = 64 * 1024;

/// A row, whole or not.
#[derive(Debug)]
pub(in crate::import) enum Scanned {
    /// As many cells as the header has.
    Row(Row),
    /// Not that.
    Broken(BrokenRow),
}

/// A row with as many cells as the header has.
#[derive(Debug)]
pub(in crate::import) struct Row {
    /// First line, from 1.
    pub(in crate::import) line: u64,
    /// Where it begins in the file.
    pub(in crate::import) offset: u64,
    /// Bytes it has.
    pub(in crate::import) size: usize,
    /// Its cells, unquoted.
    pub(in crate::import) cells: ByteRecord,
    /// Its bytes, with the end of the line.
    pub(in crate::import) raw: Vec<u8>,
}

/// A row that cannot be used.
#[derive(Debug)]
pub(in crate::import) struct BrokenRow {
    /// Line where it went wrong, from 1.
    pub(in crate::import) line: u64,
    /// Where the row begins in the file.
    pub(in crate::import) offset: u64,
    /// Bytes of the row as far as it was read.
    pub(in crate::import) size: usize,
    /// Index of the cell that went wrong.
    pub(in crate::import) cell: Option<usize>,
    /// Name of the rule.
    pub(in crate::import) rule: &'static str,
    /// The rule in words.
    pub(in crate::import) detail: String,
    /// Cells before the wrong one.
    pub(in crate::import) cells: ByteRecord,
    /// The line it begins with, the only one of it that is not read again; of skipped lines, as many as fit in a row.
    pub(in crate::import) raw: Vec<u8>,
}

struct Line {
    number: u64,
    offset: u64,
    bytes: Vec<u8>,
    /// Longer than [`ROW_BYTES_MAX`]; the rest was dropped.
    cut: bool,
}

/// Reads rows.
pub(in crate::import) struct Rows<R> {
    input: BufReader<R>,
    /// Number of the next line of `input`.
    line: u64,
    /// Offset of the next line of `input`.
    offset: u64,
    /// Lines read but not used, before those of `input`.
    pending: VecDeque<Line>,
    /// Cells of a row, once the header is known.
    width: Option<usize>,
    /// First line and number of lines skipped since a broken row.
    skipped: Option<(u64, u64)>,
    /// These lines, as many as fit in a row.
    skipped_raw: Vec<u8>,
    /// A row found after skipped lines.
    found: Option<Row>,
    splitter: Splitter,
}

impl<R: Read> Rows<R> {
    /// Reads from here on; `line` and `offset` are those of the first byte of `input`.
    pub(in crate::import) fn new(input: R, line: u64, offset: u64, width: Option<usize>) -> Self {
        let input = BufReader::with_capacity(64 * 1024, input);
        Self {
            input,
            line,
            offset,
            pending: VecDeque::new(),
            width,
            skipped: None,
            skipped_raw: Vec::new(),
            found: None,
            splitter: Splitter::new(),
        }
    }

    /// How many cells all further rows must have.
    pub(in crate::import) fn set_width(&mut self, width: usize) {
        self.width = Some(width);
    }

    /// Bytes used so far.
    pub(in crate::import) fn position(&self) -> u64 {
        self.pending.front().map_or(self.offset, |line| line.offset)
    }

    /// The next row that is not blank.
    pub(in crate::import) fn next(&mut self) -> io::Result<Option<Scanned>> {
        if let Some(row) = self.found.take() {
            return Ok(Some(Scanned::Row(row)));
        }
        while let Some(first) = self.next_line()? {
            let scanned = self.row_from(first)?;
            match (scanned, self.skipped) {
                (None, _) => {}
                (Some(Scanned::Row(row)), Some((_, 0))) => {
                    self.skipped = None;
                    return Ok(Some(Scanned::Row(row)));
                }
                (Some(Scanned::Row(row)), Some(skipped)) => {
                    self.skipped = None;
                    self.found = Some(row);
                    return Ok(Some(self.skipped_lines(skipped)));
                }
                (Some(Scanned::Broken(broken)), Some((line, count))) => {
                    self.skipped = Some((line, count + 1));
                    if self.skipped_raw.len() + broken.raw.len() <= ROW_BYTES_MAX {
                        self.skipped_raw.extend(broken.raw);
                    }
                }
                (Some(Scanned::Broken(broken)), None) => {
                    let end = broken.offset + u64_from(broken.size);
                    self.skipped =
                        self.pending.front().filter(|line| line.offset < end).map(|line| (line.number, 0));
                    return Ok(Some(Scanned::Broken(broken)));
                }
                (Some(row), None) => return Ok(Some(row)),
            }
        }
        let skipped = self.skipped.take().filter(|(_, count)| *count > 0);
        Ok(skipped.map(|skipped| self.skipped_lines(skipped)))
    }

    /// The row that begins with this line; `None` when it is blank. Of a broken row only the first line is used up.
    fn row_from(&mut self, first: Line) -> io::Result<Option<Scanned>> {
        let (number, offset) = (first.number, first.offset);
        let bytes_max = if self.skipped.is_some() { TRIED_BYTES_MAX } else { ROW_BYTES_MAX };
        let mut quotes = Quotes::new(number);
        let mut bytes = Vec::new();
        let mut rest: Vec<Line> = Vec::new();
        let first_size = if first.cut { 0 } else { first.bytes.len() };
        let mut line = first;
        let fault = loop {
            let step = if line.cut { Err(Fault::TooLong) } else { quotes.feed(&line) };
            bytes.extend_from_slice(&line.bytes);
            if line.number != number {
                rest.push(line);
            }
            match step {
                Ok(Step::Complete) => break None,
                Ok(Step::Open) if bytes.len() > bytes_max => break Some(Fault::Unclosed),
                Ok(Step::Open) => match self.next_line()? {
                    Some(next) => line = next,
                    None => break Some(Fault::Unclosed),
                },
                Err(fault) => break Some(fault),
            }
        };
        let size = bytes.len();
        let first_line = |mut bytes: Vec<u8>| {
            bytes.truncate(first_size);
            ended(bytes)
        };
        let scanned = match fault {
            None if bytes.trim_ascii().is_empty() => None,
            // Looking for an intact row, most lines are seen to be none by the number of their cells.
            None if self.skipped.is_some() && self.width.is_some_and(|width| width > quotes.cell + 1) => {
                Some(broken(Fault::Unclosed, &quotes, (offset, size), &ByteRecord::new(), first_line(bytes)))
            }
            None => {
                let raw = ended(bytes.clone());
                let cells = self.splitter.split(bytes)?;
                self.judge(Row { line: number, offset, size, cells, raw }, first_size)
            }
            Some(fault) => {
                let cells = if self.skipped.is_some() { ByteRecord::new() } else { cells_of(&bytes)? };
                Some(broken(fault, &quotes, (offset, size), &cells, first_line(bytes)))
            }
        };
        if matches!(scanned, Some(Scanned::Broken(_))) {
            for line in rest.into_iter().rev() {
                self.pending.push_front(line);
            }
        }
        Ok(scanned)
    }

    /// Whether a row has the right number of cells; blank ones beyond are dropped.
    fn judge(&self, mut row: Row, first_size: usize) -> Option<Scanned> {
        let blank = |cell: &[u8]| cell.iter().all(u8::is_ascii_whitespace);
        if row.cells.iter().all(blank) {
            return None;
        }
        let Some(width) = self.width else { return Some(Scanned::Row(row)) };
        let found = row.cells.len();
        if found > width && row.cells.iter().skip(width).all(blank) {
            row.cells.truncate(width);
        }
        if row.cells.len() == width {
            return Some(Scanned::Row(row));
        }
        row.raw.truncate(first_size);
        Some(Scanned::Broken(BrokenRow {
            line: row.line,
            offset: row.offset,
            size: row.size,
            cell: (found < width).then_some(found),
            rule: "ragged_row",
            detail: format!("the row has {found} cells, the header has {width}"),
            cells: row.cells,
            raw: ended(row.raw),
        }))
    }

    fn skipped_lines(&mut self, (line, count): (u64, u64)) -> Scanned {
        Scanned::Broken(BrokenRow {
            line,
            offset: 0,
            size: 0,
            cell: None,
            rule: "skipped_lines",
            detail: format!("{count} lines after the broken row were skipped: none begins a whole row"),
            cells: ByteRecord::new(),
            raw: std::mem::take(&mut self.skipped_raw),
        })
    }

    fn next_line(&mut self) -> io::Result<Option<Line>> {
        if let Some(line) = self.pending.pop_front() {
            return Ok(Some(line));
        }
        let mut bytes = Vec::new();
        let limit = u64_from(ROW_BYTES_MAX) + 1;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut bytes)?;
        if read == 0 {
            return Ok(None);
        }
        let cut = bytes.len() > ROW_BYTES_MAX;
        if self.offset == 0 && bytes.starts_with(b"\xEF\xBB\xBF") {
            bytes.drain(..3);
        }
        let line = Line { number: self.line, offset: self.offset, cut, bytes };
        self.offset += u64_from(read);
        if cut && line.bytes.last() != Some(&b'\n') {
            self.offset += skip_line(&mut self.input)?;
        }
        self.line += 1;
        Ok(Some(line))
    }
}

/// Reads and drops the rest of a line, however long; gives its bytes.
pub(in crate::import) fn skip_line(input: &mut impl BufRead) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let available = input.fill_buf()?;
        let end = available.iter().position(|byte| *byte == b'\n');
        let used = end.map_or(available.len(), |end| end + 1);
        let done = end.is_some() || available.is_empty();
        input.consume(used);
        skipped += u64_from(used);
        if done {
            return Ok(skipped);
        }
    }
}

/// A line with its end, also when it is the last of a file that does not end it.
fn ended(mut line: Vec<u8>) -> Vec<u8> {
    if line.last().is_some_and(|byte| *byte != b'\n') {
        line.push(b'\n');
    }
    line
}

fn broken(
    fault: Fault,
    quotes: &Quotes,
    (offset, size): (u64, usize),
    cells: &ByteRecord,
    raw: Vec<u8>,
) -> Scanned {
    let (rule, detail) = match fault {
        Fault::Unclosed => ("unclosed_quote", "the quote that opens this cell is not closed".to_owned()),
        Fault::TextAfterQuote => {
            let detail = "text follows the closing quote; a quote inside a quoted cell is written twice";
            ("text_after_quote", detail.to_owned())
        }
        Fault::LoneReturn => {
            ("lone_carriage_return", "a carriage return without a line feed ends no line here".to_owned())
        }
        Fault::TooLong => ("row_too_long", format!("a row has at most {ROW_BYTES_MAX} bytes")),
    };
    let cells = cells.iter().take(quotes.cell).collect();
    Scanned::Broken(BrokenRow {
        line: quotes.opened,
        offset,
        size,
        cell: Some(quotes.cell),
        rule,
        detail: detail.clone(),
        cells,
        raw,
    })
}

fn u64_from(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}
