//! Cells of rows whose ends are known.

use std::io::{self, Read};

use csv::ByteRecord;

/// Takes whole rows apart, one at a time, with one csv reader: making one for each row costs more than the row.
pub(super) struct Splitter(csv::Reader<Chunk>);

/// The bytes of one row.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    used: usize,
}

impl Read for Chunk {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.get(self.used..).unwrap_or_default().read(buffer)?;
        self.used += read;
        Ok(read)
    }
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self(csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(Chunk::default()))
    }

    /// Cells of a row that is neither blank nor broken. It is given its line feed, so that the reader finds its end and
    /// never learns of an end of input.
    pub(super) fn split(&mut self, mut bytes: Vec<u8>) -> io::Result<ByteRecord> {
        if bytes.last() != Some(&b'\n') {
            bytes.push(b'\n');
        }
        *self.0.get_mut() = Chunk { bytes, used: 0 };
        let mut cells = ByteRecord::new();
        self.0.read_byte_record(&mut cells).map_err(io::Error::other)?;
        Ok(cells)
    }
}

/// Cells of a row that may be broken, as far as they can be told.
pub(super) fn cells_of(bytes: &[u8]) -> io::Result<ByteRecord> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut cells = ByteRecord::new();
    reader.read_byte_record(&mut cells).map_err(io::Error::other)?;
    Ok(cells)
}
