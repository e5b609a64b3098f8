//! Reading.

use std::io::Read;

use super::{CHUNK_BYTES, DumpError};

/// Reads what a [`super::Writer`] wrote.
pub struct Reader<R> {
    from: R,
    digest: crc32fast::Hasher,
    left: u64,
    buffer: Vec<u8>,
}

impl<R> std::fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<R: Read> Reader<R> {
    /// Reads so many bytes of this.
    pub fn new(from: R, length: u64) -> Self {
        Self { from, digest: crc32fast::Hasher::new(), left: length, buffer: Vec::new() }
    }

    /// CRC-32 of all bytes so far.
    pub fn digest(&self) -> u32 {
        self.digest.clone().finalize()
    }

    /// Whether all bytes were read.
    pub fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// A number.
    pub fn number(&mut self) -> Result<u64, DumpError> {
        let mut bytes = [0; 8];
        self.raw(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Bytes that were written with their number.
    pub fn bytes(&mut self) -> Result<Vec<u8>, DumpError> {
        let length = self.length(1)?;
        let mut bytes = vec![0; length];
        self.raw(&mut bytes)?;
        Ok(bytes)
    }

    /// The same, as text.
    pub fn text(&mut self) -> Result<String, DumpError> {
        String::from_utf8(self.bytes()?).map_err(|_not_text| DumpError::Malformed("a text"))
    }

    /// Items that were written with their number.
    pub fn array<T, const N: usize>(&mut self, decode: impl Fn([u8; N]) -> T) -> Result<Vec<T>, DumpError> {
        let length = self.length(N)?;
        self.items(length, decode)
    }

    /// So many items.
    pub fn items<T, const N: usize>(
        &mut self,
        length: usize,
        decode: impl Fn([u8; N]) -> T,
    ) -> Result<Vec<T>, DumpError> {
        self.check(length, N)?;
        let mut items = Vec::with_capacity(length);
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(CHUNK_BYTES, 0);
        let chunk = (CHUNK_BYTES / N.max(1)).max(1);
        while items.len() < length {
            let count = chunk.min(length.saturating_sub(items.len()));
            let bytes = buffer.get_mut(..count.saturating_mul(N)).ok_or(DumpError::Malformed("an item"))?;
            self.raw(bytes)?;
            items.extend(bytes.as_chunks::<N>().0.iter().map(|item| decode(*item)));
        }
        self.buffer = buffer;
        Ok(items)
    }

    /// How many of something follow, each of which takes at least so many bytes.
    pub fn length(&mut self, bytes_min: usize) -> Result<usize, DumpError> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        self.check(length, bytes_min)?;
        Ok(length)
    }

    /// Nothing is allocated for more than there is.
    fn check(&self, length: usize, bytes: usize) -> Result<(), DumpError> {
        let needed = u64::try_from(length.saturating_mul(bytes.max(1))).unwrap_or(u64::MAX);
        if needed > self.left { Err(DumpError::Malformed("a length")) } else { Ok(()) }
    }

    fn raw(&mut self, bytes: &mut [u8]) -> Result<(), DumpError> {
        self.check(bytes.len(), 1)?;
        self.from.read_exact(bytes)?;
        self.digest.update(bytes);
        self.left = self.left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}
