//! A bundle's frames: where each begins, what it is, and whether a byte of it was changed.
//!
//! Invariants: 1. every byte of a file is under a check that belongs to one named place, so one
//! flipped bit names it; 2. a length is checked against its kind's bound, and against its own
//! check, before anything is allocated; 3. at most one frame is in memory.
//! Knows nothing of what payloads mean. Checksums find accidents; forgery is `verify`'s to find.
//!
//! File: magic (8), format version (u16), check (16), then frames. Frame: kind (u8), entry index
//! (u64, zero where there is none), payload length (u32), check of these (16), payload, check of
//! all but the first check (32). Integers little-endian, checks BLAKE3, payloads uncompressed.

use super::place::Place;
use crate::ids::LogIndex;
use crate::wire::{Reader, WireError, Writer};
use std::fmt;
use std::io::{self, Read, Write};
use thiserror::Error;

/// The layout written and read by this release.
pub const FORMAT_VERSION: u16 = 1;
const MAGIC: [u8; 8] = *b"UKEHIBDL";
const HEAD_CHECK: usize = 16;
const HEADER_BYTES: usize = MAGIC.len() + 2 + HEAD_CHECK;
/// kind, index, length; their check follows.
const HEAD_FIELDS: usize = 1 + 8 + 4;
const HEAD_BYTES: usize = HEAD_FIELDS + HEAD_CHECK;
const FRAME_CHECK: usize = 32;

/// Damaged frames behind the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Further {
    /// Every other frame was checked.
    Exactly(u64),
    /// Behind a damaged frame head nothing can be told apart any more.
    AtLeast(u64),
}

impl fmt::Display for Further {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Further::Exactly(0) => f.write_str("no other frame is damaged"),
            Further::Exactly(count) => write!(f, "{count} more frames are damaged"),
            Further::AtLeast(0) => f.write_str("what follows cannot be told apart"),
            Further::AtLeast(count) => {
                write!(
                    f,
                    "{count} more frames are damaged, the rest cannot be told apart"
                )
            }
        }
    }
}

/// Why a file is not a whole, undamaged bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BundleError {
    #[error("cannot read {place}: {reason}")]
    Io { place: Place, reason: String },
    #[error("the file is not a Ukehi bundle, or its first bytes are damaged")]
    NotABundle,
    #[error("the bundle has format version {found}, this release reads {FORMAT_VERSION}")]
    Version { found: u16 },
    /// The file stops early.
    #[error("the file ends in {place}: expected {expected} bytes there, found {found}")]
    Incomplete {
        place: Place,
        expected: usize,
        found: usize,
    },
    /// Bytes changed since they were written.
    #[error("{place} is damaged: its checksum should be {expected}, it is {found}; {further}")]
    Damaged {
        place: Place,
        expected: String,
        found: String,
        further: Further,
    },
    #[error("expected {expected}, found {found}")]
    Unexpected { expected: Place, found: Place },
    #[error("{place} claims {found} bytes, at most {limit} are allowed")]
    TooLong {
        place: Place,
        found: u64,
        limit: usize,
    },
    #[error("{place} does not decode: {source}")]
    Malformed { place: Place, source: WireError },
    #[error("{place}: {what} should be {expected}, it is {found}")]
    Mismatch {
        place: Place,
        what: &'static str,
        expected: String,
        found: String,
    },
    #[error("bytes follow the bundle's last frame")]
    Trailing,
}

/// What the trailer says of all frames before it: how many, and the digest of all bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sum {
    pub frames: u64,
    pub digest: [u8; 32],
}

/// Writes the header, then frames.
pub(super) struct FrameWriter<W> {
    output: W,
    digest: blake3::Hasher,
    frames: u64,
}

impl<W: Write> FrameWriter<W> {
    pub fn new(output: W) -> io::Result<Self> {
        let mut writer = Self {
            output,
            digest: running_digest(),
            frames: 0,
        };
        writer.put(&header(FORMAT_VERSION))?;
        Ok(writer)
    }

    /// The caller keeps payloads within their kind's bound.
    pub fn frame(&mut self, place: Place, payload: &[u8]) -> io::Result<()> {
        let len = u32::try_from(payload.len()).expect("payloads are bounded far below 4 GiB");
        let fields = head_fields(place, len);
        self.put(&fields)?;
        self.put(&head_check(&fields))?;
        self.put(payload)?;
        self.put(&frame_check(&fields, payload))?;
        self.frames += 1;
        Ok(())
    }

    pub fn sum(&self) -> Sum {
        Sum {
            frames: self.frames,
            digest: *self.digest.finalize().as_bytes(),
        }
    }

    pub fn into_inner(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.digest.update(bytes);
        self.output.write_all(bytes)
    }
}

/// Reads the header, then frames, each expected in its place.
pub(super) struct FrameReader<R> {
    input: R,
    digest: blake3::Hasher,
    frames: u64,
    /// A frame's head that was read to see what it is.
    peeked: Option<Vec<u8>>,
}

impl<R: Read> FrameReader<R> {
    pub fn new(input: R) -> Result<Self, BundleError> {
        let mut reader = Self {
            input,
            digest: running_digest(),
            frames: 0,
            peeked: None,
        };
        let bytes = reader.exactly(HEADER_BYTES, Place::Header)?;
        let version = u16::from_le_bytes([bytes[8], bytes[9]]);
        if bytes != header(version) {
            return Err(BundleError::NotABundle);
        }
        if version != FORMAT_VERSION {
            return Err(BundleError::Version { found: version });
        }
        Ok(reader)
    }

    /// The payload of the frame that has to stand here.
    pub fn frame(&mut self, place: Place) -> Result<Vec<u8>, BundleError> {
        let head = match self.peeked.take() {
            Some(head) if head.len() == HEAD_BYTES => head,
            Some(head) => {
                return Err(BundleError::Incomplete {
                    place,
                    expected: HEAD_BYTES,
                    found: head.len(),
                });
            }
            None => self.exactly(HEAD_BYTES, place)?,
        };
        let (fields, found, len) = parse_head(&head, place)?;
        if found != place {
            return Err(BundleError::Unexpected {
                expected: place,
                found,
            });
        }
        let payload = self.payload(place, len)?;
        let expected = frame_check(&fields, &payload);
        let check = self.exactly(FRAME_CHECK, place)?;
        if check != expected {
            return Err(BundleError::Damaged {
                place,
                expected: hex::encode(&check),
                found: hex::encode(expected),
                further: self.scan(),
            });
        }
        self.frames += 1;
        Ok(payload)
    }

    /// The next frame if it is a registry change's; else it is left for [`FrameReader::frame`],
    /// which also says what is wrong with it.
    pub fn registry(&mut self) -> Result<Option<(LogIndex, Vec<u8>)>, BundleError> {
        let head = self.up_to(HEAD_BYTES, Place::Registry(0))?;
        let place = parse_head(&head, Place::Registry(0)).map(|(_, place, _)| place);
        self.peeked = Some(head);
        match place {
            Ok(Place::Registry(index)) => self
                .frame(Place::Registry(index))
                .map(|payload| Some((index, payload))),
            _ => Ok(None),
        }
    }

    pub fn sum(&self) -> Sum {
        Sum {
            frames: self.frames,
            digest: *self.digest.finalize().as_bytes(),
        }
    }

    /// That nothing follows.
    pub fn end(&mut self) -> Result<(), BundleError> {
        match self.up_to(1, Place::End)?.len() {
            0 => Ok(()),
            _ => Err(BundleError::Trailing),
        }
    }

    fn payload(&mut self, place: Place, len: u32) -> Result<Vec<u8>, BundleError> {
        let limit = place.limit();
        if len as usize > limit {
            return Err(BundleError::TooLong {
                place,
                found: u64::from(len),
                limit,
            });
        }
        self.exactly(len as usize, place)
    }

    /// Checks the frames that are left, for the number of damaged ones only.
    fn scan(&mut self) -> Further {
        let mut damaged = 0;
        loop {
            match self.scan_one() {
                Ok(Some(whole)) => damaged += u64::from(!whole),
                Ok(None) => return Further::Exactly(damaged),
                Err(_) => return Further::AtLeast(damaged),
            }
        }
    }

    /// Whether the next frame, whatever it is, fits its checksum; `None` at the end of the file.
    fn scan_one(&mut self) -> Result<Option<bool>, BundleError> {
        let head = self.up_to(HEAD_BYTES, Place::End)?;
        if head.is_empty() {
            return Ok(None);
        }
        let (fields, place, len) = parse_head(&head, Place::End)?;
        let payload = self.payload(place, len)?;
        Ok(Some(
            self.exactly(FRAME_CHECK, place)? == frame_check(&fields, &payload),
        ))
    }

    fn exactly(&mut self, expected: usize, place: Place) -> Result<Vec<u8>, BundleError> {
        let bytes = self.up_to(expected, place)?;
        if bytes.len() < expected {
            return Err(BundleError::Incomplete {
                place,
                expected,
                found: bytes.len(),
            });
        }
        Ok(bytes)
    }

    /// Grows as bytes arrive: a length that the file does not hold allocates nothing.
    fn up_to(&mut self, len: usize, place: Place) -> Result<Vec<u8>, BundleError> {
        let mut bytes = Vec::new();
        (&mut self.input)
            .take(len as u64)
            .read_to_end(&mut bytes)
            .map_err(|e| BundleError::Io {
                place,
                reason: e.to_string(),
            })?;
        self.digest.update(&bytes);
        Ok(bytes)
    }
}

fn parse_head(head: &[u8], place: Place) -> Result<([u8; HEAD_FIELDS], Place, u32), BundleError> {
    let incomplete = BundleError::Incomplete {
        place,
        expected: HEAD_BYTES,
        found: head.len(),
    };
    let (fields, check) = head.split_first_chunk::<HEAD_FIELDS>().ok_or(incomplete)?;
    let expected = head_check(fields);
    if check != expected {
        return Err(BundleError::Damaged {
            place,
            expected: hex::encode(check),
            found: hex::encode(expected),
            further: Further::AtLeast(0),
        });
    }
    let mut r = Reader::new(fields);
    let read = |source| BundleError::Malformed { place, source };
    let kind = r.u8("frame kind").map_err(read)?;
    let index = r.u64("entry index").map_err(read)?;
    let len = r.u32("payload length").map_err(read)?;
    Ok((*fields, Place::of(kind, index), len))
}

fn head_fields(place: Place, len: u32) -> [u8; HEAD_FIELDS] {
    let mut w = Writer::new();
    w.u8(place.kind()).u64(place.index()).u32(len);
    w.finish()
        .try_into()
        .expect("the fields add up to HEAD_FIELDS")
}

fn header(version: u16) -> Vec<u8> {
    let mut w = Writer::new();
    w.raw(&MAGIC).u16(version);
    let fields = w.finish();
    let check = blake3::derive_key("ukehi/bundle-header/v1", &fields);
    [&fields[..], &check[..HEAD_CHECK]].concat()
}

fn head_check(fields: &[u8; HEAD_FIELDS]) -> [u8; HEAD_CHECK] {
    let hash = blake3::derive_key("ukehi/bundle-frame-head/v1", fields);
    *hash.first_chunk().expect("a hash is longer")
}

fn frame_check(fields: &[u8; HEAD_FIELDS], payload: &[u8]) -> [u8; FRAME_CHECK] {
    let mut hasher = blake3::Hasher::new_derive_key("ukehi/bundle-frame/v1");
    hasher.update(fields).update(payload);
    *hasher.finalize().as_bytes()
}

fn running_digest() -> blake3::Hasher {
    blake3::Hasher::new_derive_key("ukehi/bundle-digest/v1")
}
