//! The BLAKE3 digest of a whole file, by which a file that was checked once is known again; `b3sum` prints the same.

use std::io::{ErrorKind, Read, Seek, SeekFrom};

use super::error::FileError;

const BUFFER: usize = 1 << 20;

/// Reads `input` from its start to its end.
///
/// # Errors
/// [`FileError::Io`].
pub fn file_digest<R: Read + Seek>(input: &mut R) -> Result<[u8; 32], FileError> {
    input.seek(SeekFrom::Start(0))?;
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; BUFFER];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(*hasher.finalize().as_bytes()),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        };
    }
}
