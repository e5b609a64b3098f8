//! Numbers and bytes written one after the other, and read back: what a large structure is saved in.
//!
//! Little endian, lengths before what has a length. Whoever writes and reads agrees on the order; [`Writer::digest`] and
//! [`Reader::digest`] tell whether the bytes are the same. Reading trusts nothing: it never allocates more than there are bytes
//! left to read, and fails instead of panicking.

mod reader;
mod writer;

pub use reader::Reader;
pub use writer::Writer;

/// Why something cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file or pipe failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The bytes are not what was written.
    #[error("not what was written: {0}")]
    Malformed(&'static str),
}

/// Bytes that are converted at a time.
const CHUNK_BYTES: usize = 1 << 17;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn comes_back_as_it_was(
            small in prop::collection::vec(any::<u16>(), 0..9),
            numbers in prop::collection::vec(any::<u32>(), 0..70_000),
            bytes in prop::collection::vec(any::<u8>(), 0..300),
            text in "\\PC{0,20}",
            number: u64,
        ) {
            let mut writer = Writer::new(Vec::new());
            writer.array(&small, |n| n.to_le_bytes()).unwrap();
            writer.array(&numbers, |n| n.to_le_bytes()).unwrap();
            writer.bytes(&bytes).unwrap();
            writer.bytes(text.as_bytes()).unwrap();
            writer.number(number).unwrap();
            let digest = writer.digest();
            let written = writer.finish();
            let length = u64::try_from(written.len()).unwrap();
            let mut reader = Reader::new(&*written, length);
            prop_assert_eq!(reader.array(u16::from_le_bytes).unwrap(), small);
            prop_assert_eq!(reader.array(u32::from_le_bytes).unwrap(), numbers);
            prop_assert_eq!(reader.bytes().unwrap(), bytes);
            prop_assert_eq!(reader.text().unwrap(), text);
            prop_assert_eq!(reader.number().unwrap(), number);
            prop_assert_eq!(reader.digest(), digest);
            prop_assert!(reader.is_at_end());
            prop_assert!(reader.number().is_err());
        }

        /// Whatever stands there, reading ends with an error or with no more than was there.
        #[test]
        fn reads_anything(written in prop::collection::vec(any::<u8>(), 0..100)) {
            let length = u64::try_from(written.len()).unwrap();
            let mut reader = Reader::new(&*written, length);
            while let Ok(items) = reader.array(u32::from_le_bytes) {
                prop_assert!(items.len() * 4 <= written.len());
            }
        }
    }
}
