//! Rows of a Shopify file as text cells with their columns.

use std::io::{self, Read};

use super::columns::{Column, Header};
use crate::{
    domain::slug::{is_slug, slugify},
    import::{
        problem::{Place, Problem},
        rows::{BrokenRow, Row, Rows, Scanned},
    },
};

/// One row, whole or broken.
#[derive(Debug)]
pub(super) struct TableRow {
    /// First line, from 1.
    pub(super) line: u64,
    /// Where it begins in the file.
    pub(super) offset: u64,
    /// Bytes it has.
    pub(super) size: usize,
    /// The very bytes; of a broken row those that are not read again.
    pub(super) raw: Vec<u8>,
    /// Slug of the product it belongs to; `None` for a product of its own, or when it cannot be told.
    pub(super) handle: Option<String>,
    /// Its cells, or what is wrong with it.
    pub(super) cells: Result<Cells, Problem>,
}

/// Cells of a whole row.
#[derive(Debug)]
pub(super) struct Cells(Vec<(u64, String)>);

impl Cells {
    /// Text of the cell without white space around it; `None` where the file has no such column.
    pub(super) fn text(&self, header: &Header, column: &Column) -> Option<&str> {
        self.0.get(header.index(column)?).map(|(_, text)| text.trim())
    }

    /// Text of the cell, unless it is blank.
    pub(super) fn filled(&self, header: &Header, column: &Column) -> Option<&str> {
        self.text(header, column).filter(|text| !text.is_empty())
    }

    /// Where the cell stands; for a column the file does not have, the row.
    pub(super) fn place(&self, header: &Header, column: &Column) -> Place {
        let row = self.0.first().map_or(0, |(line, _)| *line);
        let line = header.index(column).and_then(|index| self.0.get(index)).map_or(row, |(line, _)| *line);
        Place { line, column: header.name_of(column) }
    }
}

/// Reads the next row.
pub(super) fn next_row<R: Read>(rows: &mut Rows<R>, header: &Header) -> io::Result<Option<TableRow>> {
    Ok(rows.next()?.map(|scanned| match scanned {
        Scanned::Row(row) => whole(row, header),
        Scanned::Broken(row) => broken(row, header),
    }))
}

fn whole(row: Row, header: &Header) -> TableRow {
    let mut line = row.line;
    let mut cells = Vec::with_capacity(row.cells.len());
    let mut problem = None;
    for (index, bytes) in row.cells.iter().enumerate() {
        let text = String::from_utf8_lossy(bytes);
        if matches!(text, std::borrow::Cow::Owned(_)) && problem.is_none() {
            let place = Place { line, column: Some(header.name(index)) };
            problem = Some(Problem::error(place, "not_utf8", "is not UTF-8; save the file as UTF-8"));
        }
        let lines = text.bytes().filter(|byte| *byte == b'\n').count();
        cells.push((line, text.into_owned()));
        line += u64::try_from(lines).unwrap_or_default();
    }
    let cells = Cells(cells);
    let handle = cells.filled(header, &Column::Handle).and_then(handle_slug);
    if problem.is_none() {
        problem = unfindable(&cells, header, handle.as_deref());
    }
    let cells = problem.map_or(Ok(cells), Err);
    TableRow { line: row.line, offset: row.offset, size: row.size, raw: row.raw, handle, cells }
}

/// Why a row belongs to no product, if so.
fn unfindable(cells: &Cells, header: &Header, handle: Option<&str>) -> Option<Problem> {
    if handle.is_some() || cells.filled(header, &Column::Title).and_then(handle_slug).is_some() {
        return None;
    }
    let column = if header.has(&Column::Handle) { Column::Handle } else { Column::Title };
    let detail = match cells.filled(header, &column) {
        Some(_) => "has no letter or digit to make a slug of",
        None => "is required: the row belongs to no product without it",
    };
    Some(Problem::error(cells.place(header, &column), "required", detail))
}

/// The slug that a handle means: itself, in lowercase, where it is one.
pub(super) fn handle_slug(handle: &str) -> Option<String> {
    let lowercase = handle.to_lowercase();
    let slug = if is_slug(&lowercase) { lowercase } else { slugify(handle) };
    Some(slug).filter(|slug| !slug.is_empty())
}

fn broken(row: BrokenRow, header: &Header) -> TableRow {
    let handle = header
        .index(&Column::Handle)
        .and_then(|index| row.cells.get(index))
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .and_then(|handle| handle_slug(handle.trim()));
    let place = Place { line: row.line, column: row.cell.map(|index| header.name(index)) };
    let problem = Problem::error(place, row.rule, row.detail.clone());
    TableRow { line: row.line, offset: row.offset, size: row.size, raw: row.raw, handle, cells: Err(problem) }
}
