//! Rows of one product, wherever they stand in the file.
//!
//! Most files keep the rows of a product together, some do not. A first pass over the file notes where each run of rows
//! with one handle begins; products with several runs are put together by going to each of them. Memory: in the first
//! pass about 100 bytes for each handle, afterwards for handles with several runs only, and the rows of one product.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    columns::Header,
    table::{TableRow, next_row},
};
use crate::import::{
    rows::{Rows, Scanned},
    source::SourceError,
};

/// Most rows of one product: its variants and its media, and as many repetitions.
pub(super) const ROWS_MAX: usize = 2000;

/// Consecutive rows of one handle.
#[derive(Debug, Clone, Copy)]
struct Run {
    offset: u64,
    line: u64,
    rows: u32,
}

/// Rows of one product, in the file's order.
#[derive(Debug)]
pub(super) struct Group {
    /// The slug its rows share; `None` for a row that is a product of its own or belongs to none.
    pub(super) handle: Option<String>,
    /// Its rows; at most [`ROWS_MAX`].
    pub(super) rows: Vec<TableRow>,
    /// Whether it had more.
    pub(super) cut: bool,
    /// The bytes of its rows, and of one more when it is cut: so these, too, are too many.
    pub(super) raw: Vec<u8>,
}

/// Reads a file product by product.
pub(super) struct Groups {
    path: PathBuf,
    rows: Rows<File>,
    header: Header,
    /// The header as it stands in the file.
    preamble: Vec<u8>,
    /// Runs of the handles that have several, in the file's order.
    split: HashMap<String, Vec<Run>>,
    /// The first row of the next run.
    next: Option<TableRow>,
}

impl Groups {
    /// Reads the header and notes the runs.
    pub(super) fn open(path: &Path) -> Result<Self, SourceError> {
        let (mut rows, header, preamble) = read_header(path)?;
        let split = index(&mut rows, &header)?;
        let (mut rows, header, _) = read_header(path)?;
        let next = next_row(&mut rows, &header)?;
        Ok(Self { path: path.to_owned(), rows, header, preamble, split, next })
    }

    pub(super) fn header(&self) -> &Header {
        &self.header
    }

    pub(super) fn preamble(&self) -> &[u8] {
        &self.preamble
    }

    pub(super) fn position(&self) -> u64 {
        self.rows.position()
    }

    /// The rows of the product that begins next.
    pub(super) fn next(&mut self) -> io::Result<Option<Group>> {
        while let Some(first) = self.next.take() {
            let Some(handle) = first.handle.clone() else {
                self.next = next_row(&mut self.rows, &self.header)?;
                return Ok(Some(Group::begin(None, first)));
            };
            let offset = first.offset;
            let mut group = Group::begin(Some(handle.clone()), first);
            loop {
                self.next = next_row(&mut self.rows, &self.header)?;
                match self.next.take_if(|row| row.handle.as_ref() == Some(&handle)) {
                    Some(row) => group.push(row),
                    None => break,
                }
            }
            let Some((first, others)) = self.split.get(&handle).and_then(|runs| runs.split_first()) else {
                return Ok(Some(group));
            };
            if first.offset == offset {
                for run in others {
                    self.gather(run, &mut group)?;
                }
                return Ok(Some(group));
            }
        }
        Ok(None)
    }

    fn gather(&self, run: &Run, group: &mut Group) -> io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(run.offset))?;
        let mut rows = Rows::new(file, run.line, run.offset, Some(self.header.width()));
        for _ in 0..run.rows {
            match next_row(&mut rows, &self.header)? {
                Some(row) if row.handle == group.handle && !group.cut => group.push(row),
                Some(_) | None => break,
            }
        }
        Ok(())
    }
}

impl Group {
    fn begin(handle: Option<String>, first: TableRow) -> Self {
        let mut group = Self { handle, rows: Vec::new(), cut: false, raw: Vec::new() };
        group.push(first);
        group
    }

    fn push(&mut self, mut row: TableRow) {
        if !self.cut {
            self.raw.append(&mut row.raw);
        }
        if self.rows.len() < ROWS_MAX {
            self.rows.push(row);
        } else {
            self.cut = true;
        }
    }
}

fn read_header(path: &Path) -> Result<(Rows<File>, Header, Vec<u8>), SourceError> {
    let mut rows = Rows::new(File::open(path)?, 1, 0, None);
    let fault = |line, detail: &str| SourceError::Header { line, detail: detail.to_owned() };
    match rows.next()? {
        None => Err(fault(1, "the file is empty")),
        Some(Scanned::Broken(broken)) => Err(fault(broken.line, &broken.detail)),
        Some(Scanned::Row(row)) => {
            let header =
                Header::read(&row.cells).map_err(|detail| SourceError::Header { line: row.line, detail })?;
            rows.set_width(header.width());
            Ok((rows, header, row.raw))
        }
    }
}

fn index(rows: &mut Rows<File>, header: &Header) -> io::Result<HashMap<String, Vec<Run>>> {
    let mut runs: HashMap<String, Vec<Run>> = HashMap::new();
    let mut before: Option<String> = None;
    while let Some(row) = next_row(rows, header)? {
        if let Some(handle) = &row.handle {
            let known = runs.entry(handle.clone()).or_default();
            match known.last_mut() {
                Some(run) if before.as_ref() == Some(handle) => run.rows = run.rows.saturating_add(1),
                _ => known.push(Run { offset: row.offset, line: row.line, rows: 1 }),
            }
        }
        before = row.handle;
    }
    runs.retain(|_, runs| runs.len() > 1);
    Ok(runs)
}
