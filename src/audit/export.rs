//! Writes a bundle as its entries arrive.
//!
//! Invariants: 1. a bundle that `finish` returned `Ok` for holds exactly the entries its preamble
//! promises; 2. what was written before an error, or without `finish`, is read as incomplete.
//! Knows nothing of where entries come from, nor whether they are true.

use super::bundle::Start;
use super::frames::FrameWriter;
use super::place::Place;
use crate::ids::{Hash, LogIndex};
use crate::log::Record;
use std::io::{self, Write};
use thiserror::Error;

/// Why a bundle cannot be written.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error("cannot write the bundle: {0}")]
    Io(#[from] io::Error),
    #[error("the range {from}..{to} of a log of {size} leaves is empty or out of order")]
    Range { from: u64, to: u64, size: u64 },
    #[error("{place} takes {found} bytes, at most {limit} are allowed")]
    TooLong {
        place: Place,
        found: usize,
        limit: usize,
    },
    #[error("expected entry {expected} next, got entry {found}")]
    OutOfOrder { expected: LogIndex, found: LogIndex },
    #[error("the trail stops before entry {next}, it was to go up to entry {to}")]
    Incomplete { next: LogIndex, to: LogIndex },
}

/// A bundle being written: the start, each entry in order, then the signed note.
pub struct BundleWriter<W> {
    frames: FrameWriter<W>,
    next: LogIndex,
    to: LogIndex,
}

impl<W: Write> BundleWriter<W> {
    /// Writes the preamble, the hashes around the range and the registry changes before it.
    ///
    /// # Errors
    /// [`ExportError::Range`], [`ExportError::TooLong`], [`ExportError::Io`].
    pub fn new(output: W, start: &Start) -> Result<Self, ExportError> {
        if !start.is_ordered() {
            return Err(ExportError::Range {
                from: start.from,
                to: start.to,
                size: start.size,
            });
        }
        let mut writer = Self {
            frames: FrameWriter::new(output)?,
            next: start.from,
            to: start.to,
        };
        writer.frame(Place::Preamble, &start.preamble())?;
        if start.from > 0 {
            writer.hashes(Place::Frontier, &start.left)?;
        }
        if start.to < start.size {
            writer.hashes(Place::Suffix, &start.right)?;
        }
        for change in &start.registry {
            let place = Place::Registry(change.record.index);
            writer.frame(place, &change.to_bytes())?;
        }
        Ok(writer)
    }

    /// `payload`: the bytes of a batch or a registry change, nothing for other kinds.
    ///
    /// # Errors
    /// [`ExportError::OutOfOrder`], also beyond the last entry promised;
    /// [`ExportError::TooLong`], [`ExportError::Io`].
    pub fn entry(&mut self, record: &Record, payload: &[u8]) -> Result<(), ExportError> {
        if record.index != self.next || self.next == self.to {
            return Err(ExportError::OutOfOrder {
                expected: self.next,
                found: record.index,
            });
        }
        let bytes = [&record.to_bytes()[..], payload].concat();
        self.frame(Place::Entry(self.next), &bytes)?;
        self.next += 1;
        Ok(())
    }

    /// Writes the checkpoint's signed note and the trailer, and flushes. The caller syncs.
    ///
    /// # Errors
    /// [`ExportError::Incomplete`], [`ExportError::TooLong`] beyond 16 KiB,
    /// [`ExportError::Io`].
    pub fn finish(mut self, note: &str) -> Result<W, ExportError> {
        if self.next != self.to {
            return Err(ExportError::Incomplete {
                next: self.next,
                to: self.to,
            });
        }
        self.frame(Place::Checkpoint, note.as_bytes())?;
        let sum = self.frames.sum().to_bytes();
        self.frame(Place::Trailer, &sum)?;
        Ok(self.frames.into_inner()?)
    }

    fn hashes(&mut self, place: Place, hashes: &[Hash]) -> Result<(), ExportError> {
        self.frame(place, hashes.as_flattened())
    }

    fn frame(&mut self, place: Place, payload: &[u8]) -> Result<(), ExportError> {
        let limit = place.limit();
        if payload.len() > limit {
            return Err(ExportError::TooLong {
                place,
                found: payload.len(),
                limit,
            });
        }
        Ok(self.frames.frame(place, payload)?)
    }
}
