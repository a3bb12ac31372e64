//! A bundle's contents in their one order: preamble, hashes around a range, the registry changes
//! before it, entries, checkpoint, trailer.
//!
//! Invariants: 1. what a reader hands out stood in its place and fits its checksum; 2. entries
//! come in log order without a gap; 3. only after [`BundleReader::finish`] is the file known to be
//! whole. Whether any of it is true is `verify`'s to say.

use super::frames::{BundleError, FrameReader, Sum};
use super::place::Place;
use crate::ids::{ClusterId, Hash, LogIndex, ShardId, TreeSize};
use crate::log::{RECORD_BYTES, Record};
use crate::registry::MAX_CHANGE_BYTES;
use crate::wire::{Reader, WireError, Writer};
use std::io::{BufReader, Read};

/// Bound on an inclusion proof: 64 hashes, its sizes and count.
const MAX_PROOF_BYTES: usize = 64 * 32 + 32;

/// Which log a bundle is cut from, which entries it holds, and the hashes that tie them to the
/// checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub cluster: ClusterId,
    /// `Genesis::canonical_bytes`, at most 1 MiB.
    pub genesis: Vec<u8>,
    pub shard: ShardId,
    /// The entries are `from..to`; never empty.
    pub from: LogIndex,
    pub to: LogIndex,
    /// Leaves under the checkpoint, at least `to`.
    pub size: TreeSize,
    /// `log::tree::frontier` at `from`; empty if `from` is 0.
    pub left: Vec<Hash>,
    /// `log::tree::suffix` from `to` to `size`; empty if they are equal.
    pub right: Vec<Hash>,
    /// The changes the registry took before `from`, in log order; empty if `from` is 0.
    pub registry: Vec<RawChange>,
}

/// A registry change that stands before the range, with the path of its record's leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawChange {
    pub record: Record,
    pub change: Vec<u8>,
    /// An encoded `InclusionProof` under the bundle's checkpoint.
    pub inclusion: Vec<u8>,
}

impl RawChange {
    /// Record, then change and proof behind their lengths.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.record.to_bytes());
        w.bytes(&self.change).bytes(&self.inclusion);
        w.finish()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let change = Self {
            record: Record::from_bytes(r.raw(RECORD_BYTES, "record")?)?,
            change: r.bytes(MAX_CHANGE_BYTES, "change")?.to_vec(),
            inclusion: r.bytes(MAX_PROOF_BYTES, "inclusion proof")?.to_vec(),
        };
        r.end()?;
        Ok(change)
    }
}

/// One entry as the file holds it: its record, and a batch's bytes (nothing for other kinds).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    pub record: Record,
    pub payload: Vec<u8>,
}

impl Start {
    pub(super) fn preamble(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.raw(&self.cluster.0).u32(self.shard.0);
        w.u64(self.from).u64(self.to).u64(self.size);
        w.bytes(&self.genesis);
        w.finish()
    }

    fn from_preamble(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let start = Self {
            cluster: ClusterId(r.array("cluster")?),
            shard: ShardId(r.u32("shard")?),
            from: r.u64("from")?,
            to: r.u64("to")?,
            size: r.u64("size")?,
            genesis: r.bytes(Place::Preamble.limit(), "genesis")?.to_vec(),
            left: Vec::new(),
            right: Vec::new(),
            registry: Vec::new(),
        };
        r.end()?;
        if start.is_ordered() {
            Ok(start)
        } else {
            Err(WireError::NonCanonical { field: "range" })
        }
    }

    pub(super) fn is_ordered(&self) -> bool {
        self.from < self.to && self.to <= self.size
    }

    /// From genesis on, so that every outcome can be recomputed.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.from == 0
    }
}

/// Reads a bundle from its first byte to its last, one frame at a time.
pub struct BundleReader<R> {
    frames: FrameReader<BufReader<R>>,
    start: Start,
    next: LogIndex,
}

impl<R: Read> BundleReader<R> {
    /// Reads what precedes the entries.
    ///
    /// # Errors
    /// [`BundleError`] naming the place.
    pub fn open(input: R) -> Result<Self, BundleError> {
        let mut frames = FrameReader::new(BufReader::new(input))?;
        let preamble = frames.frame(Place::Preamble)?;
        let mut start =
            Start::from_preamble(&preamble).map_err(|e| malformed(Place::Preamble, e))?;
        if start.from > 0 {
            start.left = read_hashes(&mut frames, Place::Frontier)?;
        }
        if start.to < start.size {
            start.right = read_hashes(&mut frames, Place::Suffix)?;
        }
        while start.from > 0
            && let Some((index, bytes)) = frames.registry()?
        {
            let place = Place::Registry(index);
            let change = RawChange::from_bytes(&bytes).map_err(|e| malformed(place, e))?;
            if change.record.index != index {
                let what = "its record's index";
                return Err(mismatch(place, what, index, change.record.index));
            }
            start.registry.push(change);
        }
        Ok(Self {
            frames,
            next: start.from,
            start,
        })
    }

    #[must_use]
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The next entry, or `None` behind the last.
    ///
    /// # Errors
    /// [`BundleError`] naming the entry; nothing can be read after an error.
    pub fn entry(&mut self) -> Result<Option<RawEntry>, BundleError> {
        if self.next == self.start.to {
            return Ok(None);
        }
        let place = Place::Entry(self.next);
        let bytes = self.frames.frame(place)?;
        let (record, payload) = bytes
            .split_at_checked(RECORD_BYTES)
            .ok_or(WireError::Truncated {
                field: "record",
                missing: RECORD_BYTES.saturating_sub(bytes.len()),
            })
            .map_err(|e| malformed(place, e))?;
        let record = Record::from_bytes(record).map_err(|e| malformed(place, e))?;
        if record.index != self.next {
            return Err(mismatch(
                place,
                "its record's index",
                self.next,
                record.index,
            ));
        }
        self.next += 1;
        Ok(Some(RawEntry {
            record,
            payload: payload.to_vec(),
        }))
    }

    /// The checkpoint's note; checks the trailer and that nothing follows it.
    ///
    /// # Errors
    /// [`BundleError`]; [`BundleError::Unexpected`] if there are entries left.
    pub fn finish(mut self) -> Result<String, BundleError> {
        let note = self.frames.frame(Place::Checkpoint)?;
        let note = String::from_utf8(note)
            .map_err(|_| malformed(Place::Checkpoint, WireError::NonCanonical { field: "note" }))?;
        let expected = self.frames.sum();
        let trailer = self.frames.frame(Place::Trailer)?;
        let found = Sum::from_bytes(&trailer).map_err(|e| malformed(Place::Trailer, e))?;
        if found.frames != expected.frames {
            let what = "the number of frames";
            return Err(mismatch(
                Place::Trailer,
                what,
                found.frames,
                expected.frames,
            ));
        }
        if found.digest != expected.digest {
            let (found, expected) = (hex::encode(found.digest), hex::encode(expected.digest));
            return Err(mismatch(
                Place::Trailer,
                "the digest of the file",
                found,
                expected,
            ));
        }
        self.frames.end()?;
        Ok(note)
    }
}

impl Sum {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.u64(self.frames).raw(&self.digest);
        w.finish()
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Reader::new(bytes);
        let sum = Self {
            frames: r.u64("frames")?,
            digest: r.array("digest")?,
        };
        r.end()?;
        Ok(sum)
    }
}

fn read_hashes<R: Read>(
    frames: &mut FrameReader<R>,
    place: Place,
) -> Result<Vec<Hash>, BundleError> {
    let bytes = frames.frame(place)?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    match rest.len() {
        0 => Ok(hashes.to_vec()),
        count => Err(malformed(place, WireError::Trailing { count })),
    }
}

fn malformed(place: Place, source: WireError) -> BundleError {
    BundleError::Malformed { place, source }
}

fn mismatch(
    place: Place,
    what: &'static str,
    expected: impl ToString,
    found: impl ToString,
) -> BundleError {
    BundleError::Mismatch {
        place,
        what,
        expected: expected.to_string(),
        found: found.to_string(),
    }
}
