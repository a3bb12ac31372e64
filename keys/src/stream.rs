//! Bulk values: bytes of any length up to 16 MiB under a fresh content key, in chunks, with
//! bounded memory.
//!
//! A ciphertext is the commitment to its content key (32 bytes), then the chunks of 64 KiB of
//! plaintext, each with a tag of 16 bytes; only the last may be shorter, and only an empty value
//! has an empty one. STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over ChaCha20Poly1305:
//! nonce = 7 zero bytes ‖ chunk number u32 big-endian ‖ last flag.
//!
//! Invariants: 1. a content key encrypts one value: [`seal`] draws it and nothing else uses it;
//! 2. a ciphertext opens under one key only (ChaCha20Poly1305 alone does not promise that);
//! 3. at most two chunks are in memory. Knows nothing of slots, files or nodes.

use crate::entropy::{EntropyError, random};
use aead_stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::{ChaCha20Poly1305, Key, KeyInit};
use std::io::{self, Read, Write};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// The longest bulk value.
pub const MAX_PLAINTEXT_BYTES: u64 = 16 << 20;
/// Plaintext of a chunk that is not the last.
pub const CHUNK_BYTES: usize = 64 << 10;
/// What the key commitment and one tag for each chunk add to the longest value.
pub const MAX_OVERHEAD_BYTES: u64 =
    COMMITMENT_BYTES as u64 + MAX_PLAINTEXT_BYTES / CHUNK_BYTES as u64 * TAG_BYTES as u64;
/// The longest ciphertext.
pub const MAX_CIPHERTEXT_BYTES: u64 = MAX_PLAINTEXT_BYTES + MAX_OVERHEAD_BYTES;

const COMMITMENT_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// The key is fresh for every value, so the nonce's prefix may be constant.
const NONCE_PREFIX: [u8; 7] = [0; 7];

/// The key of one bulk value; zeroised on drop.
pub struct ContentKey(Zeroizing<[u8; 32]>);

impl ContentKey {
    #[must_use]
    pub fn from_secret_bytes(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(bytes)
    }

    /// For the slot that carries it, encrypted.
    #[must_use]
    pub fn secret_bytes(&self) -> &Zeroizing<[u8; 32]> {
        &self.0
    }

    /// Two keys with one commitment would be a collision of BLAKE3.
    fn commitment(&self) -> blake3::Hash {
        blake3::Hash::from_bytes(blake3::derive_key(
            "ukehi/bulk-key-commitment/v1",
            self.0.as_ref(),
        ))
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        let mut key = blake3::derive_key("ukehi/bulk-stream-key/v1", self.0.as_ref());
        let cipher = ChaCha20Poly1305::new(&Key::from(key));
        key.zeroize();
        cipher
    }
}

/// What [`seal`] made, beside the ciphertext it wrote.
pub struct SealedStream {
    pub key: ContentKey,
    /// BLAKE3 of the ciphertext.
    pub digest: [u8; 32],
    pub ciphertext_bytes: u64,
    pub plaintext_bytes: u64,
}

/// Why a bulk value was not sealed or not opened.
#[derive(Debug, Error)]
pub enum StreamError {
    #[error("the value is longer than {limit} bytes")]
    TooLong { limit: u64 },
    #[error("the ciphertext ends too early")]
    Truncated,
    #[error("bytes follow the end of the ciphertext")]
    Trailing,
    #[error("the ciphertext was made under another content key")]
    WrongKey,
    #[error("chunk {chunk} of the ciphertext is altered or out of its place")]
    Altered { chunk: u64 },
    #[error("the ciphertext's digest is not the one its slot names")]
    OtherDigest,
    #[error("cannot read: {0}")]
    Read(#[source] io::Error),
    #[error("cannot write: {0}")]
    Write(#[source] io::Error),
    #[error(transparent)]
    Entropy(#[from] EntropyError),
}

/// The ciphertext's length for a plaintext's, both in bytes.
#[must_use]
pub fn ciphertext_bytes(plaintext_bytes: u64) -> u64 {
    let tags = chunks(plaintext_bytes) * TAG_BYTES as u64;
    COMMITMENT_BYTES as u64 + plaintext_bytes + tags
}

/// At least one: an empty value has an empty last chunk.
fn chunks(plaintext_bytes: u64) -> u64 {
    plaintext_bytes.div_ceil(CHUNK_BYTES as u64).max(1)
}

/// Encrypts all of `input` under a fresh key.
///
/// # Errors
/// [`StreamError::TooLong`] once more than [`MAX_PLAINTEXT_BYTES`] were read; `Read`, `Write`,
/// `Entropy`. What `output` then holds is of no use and shows nothing.
pub fn seal(input: &mut dyn Read, output: &mut dyn Write) -> Result<SealedStream, StreamError> {
    let key = ContentKey(random()?);
    let mut output = Digesting::new(output);
    output.write(key.commitment().as_bytes())?;
    let mut stream = EncryptorBE32::from_aead(key.cipher(), &NONCE_PREFIX.into());
    let mut chunk = read_chunk(input)?;
    let mut plaintext_bytes = chunk.len() as u64;
    loop {
        // Only a look at the next chunk tells whether this is the last.
        let next = match chunk.len() {
            CHUNK_BYTES => read_chunk(input)?,
            _ => Zeroizing::new(Vec::new()),
        };
        plaintext_bytes += next.len() as u64;
        if plaintext_bytes > MAX_PLAINTEXT_BYTES {
            return Err(StreamError::TooLong {
                limit: MAX_PLAINTEXT_BYTES,
            });
        }
        let fits = "256 chunks of 64 KiB are within the counter and the cipher's limit";
        if next.is_empty() {
            stream.encrypt_last_in_place(b"", &mut *chunk).expect(fits);
            output.write(&chunk)?;
            break;
        }
        stream.encrypt_next_in_place(b"", &mut *chunk).expect(fits);
        output.write(&chunk)?;
        chunk = next;
    }
    let (digest, ciphertext_bytes) = output.finish();
    Ok(SealedStream {
        key,
        digest,
        ciphertext_bytes,
        plaintext_bytes,
    })
}

/// Decrypts a ciphertext of `plaintext_bytes`, whose BLAKE3 must be `digest`. What `output` got is
/// to be thrown away unless this returns `Ok`: a prefix of the value may have been written.
///
/// # Errors
/// [`StreamError`].
pub fn open(
    key: &ContentKey,
    digest: &[u8; 32],
    plaintext_bytes: u64,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<(), StreamError> {
    if plaintext_bytes > MAX_PLAINTEXT_BYTES {
        return Err(StreamError::TooLong {
            limit: MAX_PLAINTEXT_BYTES,
        });
    }
    let mut hasher = blake3::Hasher::new();
    let mut commitment = [0; COMMITMENT_BYTES];
    read_whole(input, &mut commitment)?;
    hasher.update(&commitment);
    // `blake3::Hash` compares in constant time.
    if key.commitment() != blake3::Hash::from_bytes(commitment) {
        return Err(StreamError::WrongKey);
    }
    let mut stream = DecryptorBE32::from_aead(key.cipher(), &NONCE_PREFIX.into());
    let last = chunks(plaintext_bytes) - 1;
    let mut buffer = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
    for chunk in 0..last {
        buffer.resize(CHUNK_BYTES + TAG_BYTES, 0);
        read_whole(input, &mut buffer)?;
        hasher.update(&buffer);
        stream
            .decrypt_next_in_place(b"", &mut *buffer)
            .map_err(|_| StreamError::Altered { chunk })?;
        output.write_all(&buffer).map_err(StreamError::Write)?;
    }
    let rest = (plaintext_bytes - last * CHUNK_BYTES as u64) as usize;
    buffer.resize(rest + TAG_BYTES, 0);
    read_whole(input, &mut buffer)?;
    hasher.update(&buffer);
    stream
        .decrypt_last_in_place(b"", &mut *buffer)
        .map_err(|_| StreamError::Altered { chunk: last })?;
    output.write_all(&buffer).map_err(StreamError::Write)?;
    if read_up_to(input, &mut [0])? > 0 {
        return Err(StreamError::Trailing);
    }
    match hasher.finalize() == blake3::Hash::from_bytes(*digest) {
        true => Ok(()),
        false => Err(StreamError::OtherDigest),
    }
}

/// Up to [`CHUNK_BYTES`], with room for the tag: growing would leave plaintext in freed memory.
fn read_chunk(input: &mut dyn Read) -> Result<Zeroizing<Vec<u8>>, StreamError> {
    let mut chunk = Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + TAG_BYTES));
    chunk.resize(CHUNK_BYTES, 0);
    let read = read_up_to(input, &mut chunk)?;
    chunk.truncate(read);
    Ok(chunk)
}

fn read_whole(input: &mut dyn Read, buffer: &mut [u8]) -> Result<(), StreamError> {
    match read_up_to(input, buffer)? == buffer.len() {
        true => Ok(()),
        false => Err(StreamError::Truncated),
    }
}

/// Fills the buffer as far as the input goes.
fn read_up_to(input: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, StreamError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(StreamError::Read(error)),
        }
    }
    Ok(filled)
}

/// Passes bytes on and keeps their BLAKE3 and count.
struct Digesting<'a> {
    output: &'a mut dyn Write,
    hasher: blake3::Hasher,
    count: u64,
}

impl<'a> Digesting<'a> {
    fn new(output: &'a mut dyn Write) -> Self {
        Self {
            output,
            hasher: blake3::Hasher::new(),
            count: 0,
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.hasher.update(bytes);
        self.count += bytes.len() as u64;
        self.output.write_all(bytes).map_err(StreamError::Write)
    }

    fn finish(self) -> ([u8; 32], u64) {
        (*self.hasher.finalize().as_bytes(), self.count)
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
