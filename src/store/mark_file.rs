//! The mark: how far a node had come, in two slots of a file outside RocksDB, so that a store
//! which lost its tail is told apart from one that only lost what was never promised.
//!
//! Invariants: 1. a slot is overwritten only while the other holds the newer mark; 2. of two sound
//! slots the later one counts; a slot that is not sound is as if it were not there.
//! Crash points: a mark is written after the batch it speaks of, so it never runs ahead of the store.
//! Without `sync` it survives the process, and a power cut only by luck: then the store may be
//! ahead of it by what was written since the last synced one.
//! Knows nothing of what a mark says.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use thiserror::Error;

const MAGIC: &[u8; 8] = b"ukmark01";
const CONTEXT: &str = "ukehi 2026-11 mark v1";
/// A slot in its own page: a torn write cannot reach the other.
const SLOT_BYTES: u64 = 4096;
/// The longest content of a slot.
const MAX_CONTENT: usize = 1024;
/// Magic, owner, number, content's length; then the content and 32 bytes of BLAKE3.
const HEADER_BYTES: usize = 8 + 32 + 8 + 4;

#[derive(Debug, Error)]
pub enum MarkError {
    #[error("{path} cannot be {operation}: {source}")]
    Io {
        path: PathBuf,
        operation: &'static str,
        source: io::Error,
    },
    #[error("{path} has no sound slot, and it had one: the file is damaged")]
    Damaged { path: PathBuf },
    #[error("{path} is of another cluster or node")]
    Other { path: PathBuf },
}

/// The file, open for the next mark.
pub struct MarkFile {
    path: PathBuf,
    file: File,
    owner: [u8; 32],
    /// Of the newest slot; 0 before the first.
    number: u64,
}

impl MarkFile {
    /// Opens the file of `owner`, or makes an empty one; returns its newest content.
    ///
    /// # Errors
    /// [`MarkError`].
    pub fn open(path: &Path, owner: [u8; 32]) -> Result<(Self, Option<Vec<u8>>), MarkError> {
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .and_then(|file| sync_directory(path).map(|()| file))
            .map_err(|source| failed(path, "opened", source))?;
        let (number, content) = newest(path, &file, &owner)?;
        let mark_file = Self {
            path: path.to_owned(),
            file,
            owner,
            number,
        };
        Ok((mark_file, content))
    }

    /// The newest content of a file that is not written to; `None` without a file, or in an empty
    /// one.
    ///
    /// # Errors
    /// [`MarkError`].
    pub fn read(path: &Path, owner: [u8; 32]) -> Result<Option<Vec<u8>>, MarkError> {
        match File::open(path) {
            Ok(file) => Ok(newest(path, &file, &owner)?.1),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(failed(path, "opened", source)),
        }
    }

    /// Writes over the older slot.
    ///
    /// # Errors
    /// [`MarkError::Io`]; the newer slot is as it was.
    ///
    /// # Panics
    /// If the content is longer than 1,024 bytes.
    pub fn write(&mut self, content: &[u8], sync: bool) -> Result<(), MarkError> {
        assert!(content.len() <= MAX_CONTENT, "a mark fits its slot");
        let number = self.number + 1;
        let slot = encode(&self.owner, number, content);
        self.file
            .write_all_at(&slot, (number % 2) * SLOT_BYTES)
            .and_then(|()| if sync { self.file.sync_data() } else { Ok(()) })
            .map_err(|source| failed(&self.path, "written", source))?;
        self.number = number;
        Ok(())
    }
}

/// So that a file just made is still there after a power cut.
fn sync_directory(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if parent != Path::new("") => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn newest(path: &Path, file: &File, owner: &[u8; 32]) -> Result<(u64, Option<Vec<u8>>), MarkError> {
    let length = file
        .metadata()
        .map_err(|source| failed(path, "read", source))?
        .len();
    if length == 0 {
        return Ok((0, None));
    }
    let mut found: Option<(u64, Vec<u8>)> = None;
    for at in [0, SLOT_BYTES] {
        let bytes = slot_at(file, at).map_err(|source| failed(path, "read", source))?;
        let Some((of, number, content)) = decode(&bytes) else {
            continue;
        };
        if of != *owner {
            return Err(MarkError::Other {
                path: path.to_owned(),
            });
        }
        if found.as_ref().is_none_or(|(newest, _)| number > *newest) {
            found = Some((number, content));
        }
    }
    let (number, content) = found.ok_or_else(|| MarkError::Damaged {
        path: path.to_owned(),
    })?;
    Ok((number, Some(content)))
}

/// Shorter at the file's end.
fn slot_at(file: &File, at: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; HEADER_BYTES + MAX_CONTENT + 32];
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], at + read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    bytes.truncate(read);
    Ok(bytes)
}

fn encode(owner: &[u8; 32], number: u64, content: &[u8]) -> Vec<u8> {
    let mut slot = Vec::with_capacity(HEADER_BYTES + content.len() + 32);
    slot.extend_from_slice(MAGIC);
    slot.extend_from_slice(owner);
    slot.extend_from_slice(&number.to_le_bytes());
    slot.extend_from_slice(&(content.len() as u32).to_le_bytes());
    slot.extend_from_slice(content);
    let sum = blake3::derive_key(CONTEXT, &slot);
    slot.extend_from_slice(&sum);
    slot
}

/// Owner, number and content of a sound slot.
fn decode(bytes: &[u8]) -> Option<([u8; 32], u64, Vec<u8>)> {
    let (magic, rest) = bytes.split_first_chunk::<8>()?;
    let (owner, rest) = rest.split_first_chunk::<32>()?;
    let (number, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let content = rest.get(..length.min(MAX_CONTENT))?;
    let sum = rest.get(length..)?.first_chunk::<32>()?;
    let whole = &bytes[..HEADER_BYTES + content.len()];
    (magic == MAGIC && blake3::derive_key(CONTEXT, whole) == *sum)
        .then(|| (*owner, u64::from_le_bytes(*number), content.to_vec()))
}

fn failed(path: &Path, operation: &'static str, source: io::Error) -> MarkError {
    MarkError::Io {
        path: path.to_owned(),
        operation,
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: [u8; 32] = [7; 32];

    fn read(path: &Path) -> Option<Vec<u8>> {
        MarkFile::read(path, OWNER).unwrap()
    }

    #[test]
    fn the_newest_mark_is_read_back_after_any_number_of_writes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        assert_eq!(read(&path), None);
        for number in 0..5u8 {
            let (mut file, before) = MarkFile::open(&path, OWNER).unwrap();
            assert_eq!(before, number.checked_sub(1).map(|n| vec![n; 48]));
            file.write(&[number; 48], number % 2 == 0).unwrap();
            assert_eq!(read(&path), Some(vec![number; 48]));
        }
        let (mut file, _) = MarkFile::open(&path, OWNER).unwrap();
        file.write(b"one", false).unwrap();
        file.write(b"two, in one opening", false).unwrap();
        assert_eq!(read(&path), Some(b"two, in one opening".to_vec()));
    }

    #[test]
    fn a_slot_torn_or_flipped_anywhere_leaves_the_one_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        let (mut file, _) = MarkFile::open(&path, OWNER).unwrap();
        file.write(b"older", true).unwrap();
        file.write(b"newer", true).unwrap();
        let whole = std::fs::read(&path).unwrap();
        // The second mark is in the first slot.
        let slot = HEADER_BYTES + b"newer".len() + 32;
        for bit in 0..slot * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &flipped).unwrap();
            let found = read(&path);
            assert_eq!(found, Some(b"older".to_vec()), "bit {bit}");
        }
        for cut in 1..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let found = MarkFile::read(&path, OWNER);
            match found {
                Ok(found) => assert_eq!(found, Some(b"newer".to_vec()), "cut at {cut}"),
                Err(MarkError::Damaged { .. }) => assert!(cut < slot, "cut at {cut}"),
                Err(other) => panic!("cut at {cut}: {other}"),
            }
        }
    }

    #[test]
    fn a_mark_of_somebody_else_and_a_file_without_a_sound_slot_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mark");
        let (mut file, _) = MarkFile::open(&path, OWNER).unwrap();
        file.write(b"ours", true).unwrap();
        let other = MarkFile::open(&path, [8; 32]).err();
        assert!(matches!(other, Some(MarkError::Other { .. })), "{other:?}");
        std::fs::write(&path, vec![0; 9000]).unwrap();
        let found = MarkFile::open(&path, OWNER).err();
        assert!(
            matches!(found, Some(MarkError::Damaged { .. })),
            "{found:?}"
        );
    }
}
