//! Writing.

use std::io::Write;

use super::{CHUNK_BYTES, DumpError};

/// Writes numbers and bytes to a file or to memory.
pub struct Writer<W> {
    to: W,
    digest: crc32fast::Hasher,
    written: u64,
}

impl<W> std::fmt::Debug for Writer<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("written", &self.written).finish_non_exhaustive()
    }
}

impl<W: Write> Writer<W> {
    /// Writes to this.
    pub fn new(to: W) -> Self {
        Self { to, digest: crc32fast::Hasher::new(), written: 0 }
    }

    /// CRC-32 of all bytes so far.
    pub fn digest(&self) -> u32 {
        self.digest.clone().finalize()
    }

    /// Bytes so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// What was written to.
    pub fn finish(self) -> W {
        self.to
    }

    /// A number.
    pub fn number(&mut self, number: u64) -> Result<(), DumpError> {
        self.raw(&number.to_le_bytes())
    }

    /// Bytes, with their number before them.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), DumpError> {
        self.length(bytes.len())?;
        self.raw(bytes)
    }

    /// Items of one size, with their number before them.
    pub fn array<T, const N: usize>(
        &mut self,
        items: &[T],
        encode: impl Fn(&T) -> [u8; N],
    ) -> Result<(), DumpError> {
        self.length(items.len())?;
        self.items(items, encode)
    }

    /// The same without their number.
    pub fn items<T, const N: usize>(
        &mut self,
        items: &[T],
        encode: impl Fn(&T) -> [u8; N],
    ) -> Result<(), DumpError> {
        let mut buffer = Vec::with_capacity(items.len().saturating_mul(N).min(CHUNK_BYTES));
        for chunk in items.chunks((CHUNK_BYTES / N.max(1)).max(1)) {
            buffer.clear();
            buffer.extend(chunk.iter().flat_map(&encode));
            self.raw(&buffer)?;
        }
        Ok(())
    }

    /// How many of something follow.
    pub fn length(&mut self, length: usize) -> Result<(), DumpError> {
        self.number(u64::try_from(length).unwrap_or(u64::MAX))
    }

    fn raw(&mut self, bytes: &[u8]) -> Result<(), DumpError> {
        self.digest.update(bytes);
        self.written = self.written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(self.to.write_all(bytes)?)
    }
}
