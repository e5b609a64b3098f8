//! The index in a file, so that a restart reads what changed since instead of everything.
//!
//! A snapshot is worth what the log makes of it: it says of which catalogue and era it is and where in the log it stands, with
//! the nonce of the event there, and whoever reads it applies the log from there as an index does that fell behind. So it may be
//! of any age; whatever is wrong with it, from another era to a single bit, leads to reading everything.
//!
//! It is written beside its place and moved there when all of it is on the disk: a death in the midst leaves the one before.

use std::{
    fs::{self, File},
    io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use rustix::fs::{FlockOperation, flock};
use uuid::Uuid;

use crate::{
    domain::locale::Locale,
    dump::{DumpError, Reader, Writer},
    listing::{FORMAT, ListingIndex},
};

/// What the file begins with.
const MAGIC: [u8; 8] = *b"aislesnp";

/// Room for the head.
const HEAD_BYTES: usize = 512;

/// Read from the file at a time.
const BUFFER_BYTES: usize = 1 << 18;

/// Where snapshots are, and of what.
#[derive(Debug, Clone)]
pub struct SnapshotFile {
    folder: PathBuf,
    catalogue: Uuid,
    language: Locale,
}

/// A place in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) era: Uuid,
    pub(super) position: i64,
    pub(super) nonce: Option<Uuid>,
}

/// Why there is no snapshot to begin with.
#[derive(Debug, thiserror::Error)]
pub(super) enum SnapshotError {
    #[error("there is none")]
    Absent,
    #[error("it is {0}")]
    Foreign(&'static str),
    #[error("another process is writing one")]
    Busy,
    #[error(transparent)]
    Dump(#[from] DumpError),
}

impl From<std::io::Error> for SnapshotError {
    fn from(error: std::io::Error) -> Self {
        Self::Dump(error.into())
    }
}

/// Bytes of a part of the file, and their digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Part {
    length: u64,
    digest: u32,
}

/// What stands at the head.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    mark: Mark,
    lists: Part,
    words: Part,
}

impl SnapshotFile {
    /// In this folder, of this catalogue with texts in this language.
    pub fn new(folder: PathBuf, catalogue: Uuid, language: Locale) -> Self {
        Self { folder, catalogue, language }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.folder.join("lists.snapshot")
    }

    /// Writes a snapshot. `held` keeps the index as it is at the mark, and is let go once nothing more is read of it.
    pub(super) fn write<G>(
        &self,
        mark: Mark,
        held: G,
        index: impl Fn(&G) -> &ListingIndex,
    ) -> Result<u64, SnapshotError> {
        fs::create_dir_all(&self.folder)?;
        let beside = self.folder.join("lists.snapshot.new");
        let file = File::options().create(true).truncate(false).write(true).open(&beside)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_taken| SnapshotError::Busy)?;
        // Whoever had the lock may have moved the file to its place meanwhile.
        let is_beside = fs::metadata(&beside).is_ok_and(|there| {
            file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
        });
        if !is_beside {
            return Err(SnapshotError::Busy);
        }
        file.set_len(0)?;
        let mut file = std::io::BufWriter::with_capacity(BUFFER_BYTES, file);
        file.write_all(&[0; HEAD_BYTES])?;
        let (file, lists) = write_part(file, |to| index(&held).write(to))?;
        let (file, words) = write_part(file, |to| index(&held).write_words(to))?;
        drop(held);
        let mut file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&self.head_bytes(&Head { mark, lists, words })?)?;
        file.sync_all()?;
        fs::rename(&beside, self.path())?;
        File::open(&self.folder)?.sync_all()?;
        Ok(lists.length.saturating_add(words.length))
    }

    /// Reads the snapshot of an era.
    pub(super) fn read(&self, era: Uuid) -> Result<(Mark, ListingIndex), SnapshotError> {
        let path = self.path();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(SnapshotError::Absent),
            Err(error) => return Err(error.into()),
        };
        let mut bytes = [0; HEAD_BYTES];
        file.read_exact(&mut bytes)?;
        let head = self.head(&bytes)?;
        if head.mark.era != era {
            return Err(SnapshotError::Foreign("of another era"));
        }
        let start = u64::try_from(HEAD_BYTES).unwrap_or_default();
        let size = file.metadata()?.len();
        if start.checked_add(head.lists.length).and_then(|sum| sum.checked_add(head.words.length))
            != Some(size)
        {
            return Err(SnapshotError::Foreign("of another size"));
        }
        let mut lists = part(&path, start, head.lists)?;
        let mut words = part(&path, start.saturating_add(head.lists.length), head.words)?;
        let index = ListingIndex::read(&mut lists, &mut words, &self.language)?;
        for (reader, part) in [(&lists, head.lists), (&words, head.words)] {
            if !reader.is_at_end() || reader.digest() != part.digest {
                return Err(SnapshotError::Foreign("damaged"));
            }
        }
        Ok((head.mark, index))
    }

    /// What the snapshot must be of, apart from the era.
    fn write_origin(&self, to: &mut Writer<Vec<u8>>) -> Result<(), DumpError> {
        to.number(FORMAT)?;
        to.bytes(env!("CARGO_PKG_VERSION").as_bytes())?;
        to.items(&[self.catalogue], |id| id.into_bytes())?;
        to.bytes(self.language.as_str().as_bytes())
    }

    fn head_bytes(&self, head: &Head) -> Result<Vec<u8>, DumpError> {
        let mut to = Writer::new(Vec::new());
        self.write_origin(&mut to)?;
        let Mark { era, position, nonce } = head.mark;
        to.items(&[era, nonce.unwrap_or_default()], |id| id.into_bytes())?;
        to.number(nonce.is_some().into())?;
        to.number(position.cast_unsigned())?;
        for part in [head.lists, head.words] {
            to.number(part.length)?;
            to.number(part.digest.into())?;
        }
        let digest = to.digest();
        let mut bytes = Vec::from(MAGIC);
        let body = to.finish();
        bytes.extend(digest.to_le_bytes());
        bytes.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(body);
        if bytes.len() > HEAD_BYTES {
            return Err(DumpError::Malformed("a head"));
        }
        bytes.resize(HEAD_BYTES, 0);
        Ok(bytes)
    }

    fn head(&self, bytes: &[u8; HEAD_BYTES]) -> Result<Head, SnapshotError> {
        let mut rest = bytes.as_slice();
        let mut take = |length: usize| {
            let (taken, behind) = rest.split_at_checked(length)?;
            rest = behind;
            Some(taken)
        };
        if take(MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(SnapshotError::Foreign("no snapshot"));
        }
        let mut number = || Some(u32::from_le_bytes(*take(4)?.first_chunk()?));
        let (digest, length) = (number(), number());
        let body = length.and_then(|length| take(usize::try_from(length).ok()?)).unwrap_or_default();
        let length = u64::try_from(body.len()).unwrap_or_default();
        if digest != Some(crc32(body)) {
            return Err(SnapshotError::Foreign("damaged"));
        }
        let mut own = Writer::new(Vec::new());
        self.write_origin(&mut own)?;
        let own = own.finish();
        let body = body
            .strip_prefix(own.as_slice())
            .ok_or(SnapshotError::Foreign("of another version, catalogue or language"))?;
        let mut from = Reader::new(body, length);
        let ids = from.items(2, Uuid::from_bytes)?;
        let [era, nonce] = *ids.as_slice() else { return Err(SnapshotError::Foreign("damaged")) };
        let nonce = Some(nonce).filter(|_| matches!(from.number(), Ok(1)));
        let mark = Mark { era, position: from.number()?.cast_signed(), nonce };
        let mut part = || -> Result<Part, DumpError> {
            let (length, digest) = (from.number()?, from.number()?);
            Ok(Part { length, digest: u32::try_from(digest).unwrap_or_default() })
        };
        Ok(Head { mark, lists: part()?, words: part()? })
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

fn write_part<W: std::io::Write>(
    to: W,
    write: impl FnOnce(&mut Writer<W>) -> Result<(), DumpError>,
) -> Result<(W, Part), DumpError> {
    let mut writer = Writer::new(to);
    write(&mut writer)?;
    let part = Part { length: writer.written(), digest: writer.digest() };
    Ok((writer.finish(), part))
}

/// A part of the file, with a place in it of its own: parts are read at the same time.
fn part(path: &Path, start: u64, part: Part) -> Result<Reader<BufReader<File>>, SnapshotError> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(start))?;
    Ok(Reader::new(BufReader::with_capacity(BUFFER_BYTES, file), part.length))
}
