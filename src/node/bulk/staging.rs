//! Uploads no applied entry names yet: who sent them, how far they are, which go first.
//!
//! Invariants: 1. uploads, their bytes, and one author's share of both are within named bounds,
//! by the lengths announced; 2. parts come in order, and an upload is whole only if its digest
//! is the announced one. Knows nothing of stores or sockets.

use crate::api::MAX_BULK_PART_BYTES;
use crate::batch::BulkReference;
use crate::ids::Hash;
use crate::keyspace::bulk::UploadToken;
use std::collections::BTreeMap;
use thiserror::Error;

/// Bytes of ciphertext at one node that no applied entry names.
pub const MAX_STAGED_BYTES: u64 = 256 << 20;
/// One author's share of them: four values of the longest kind, less a little.
pub const MAX_STAGED_BYTES_PER_AUTHOR: u64 = 68 << 20;
/// Uploads that no applied entry names.
pub const MAX_STAGED: usize = 256;
/// One author's share of them.
pub const MAX_STAGED_PER_AUTHOR: usize = 32;

/// Why a part or the end of an upload was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UploadFault {
    #[error("no such upload: it was never begun, or had to make room; begin again")]
    Unknown,
    #[error("the part starts at byte {found}, the upload is at {expected}")]
    OutOfOrder { expected: u64, found: u64 },
    #[error("the part has {found} bytes, at this place it must have {expected}")]
    PartLength { expected: u64, found: u64 },
    #[error("the upload ends at byte {found} of {expected}")]
    Incomplete { expected: u64, found: u64 },
    #[error("the ciphertext that came has another digest than announced")]
    Digest,
}

/// One upload.
#[derive(Clone)]
pub struct Upload {
    pub author: [u8; 32],
    pub reference: BulkReference,
    /// Later ones are larger; the smallest makes room first.
    pub order: u64,
    /// `None` once it is whole and its digest was checked.
    progress: Option<Progress>,
}

#[derive(Clone, Default)]
struct Progress {
    received: u64,
    hasher: Box<blake3::Hasher>,
}

impl Upload {
    /// One that was whole when the node last stopped.
    #[must_use]
    pub fn whole(author: [u8; 32], reference: BulkReference, order: u64) -> Self {
        Self {
            author,
            reference,
            order,
            progress: None,
        }
    }

    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.progress.is_none()
    }

    /// How many parts it has when it is whole.
    #[must_use]
    pub fn parts(&self) -> u32 {
        let parts = self.reference.length.div_ceil(MAX_BULK_PART_BYTES as u64);
        u32::try_from(parts).expect("a ciphertext is at most 16 MiB and its overhead")
    }
}

/// What has come of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// To be stored as this part; the upload is then at this byte.
    Part { part: u32, received: u64 },
    /// It had come before: a client repeats what it saw no answer to.
    Again { received: u64 },
}

/// All uploads of a node.
#[derive(Default)]
pub struct Staging {
    uploads: BTreeMap<UploadToken, Upload>,
    last_order: u64,
}

impl Staging {
    /// Puts back what the store held when the node started.
    pub fn restore(&mut self, token: UploadToken, upload: Upload) {
        self.last_order = self.last_order.max(upload.order);
        self.uploads.insert(token, upload);
    }

    /// Whole uploads: the caller finds out which of them an entry names by now.
    #[must_use]
    pub fn whole(&self) -> Vec<(UploadToken, Hash)> {
        let whole = self.uploads.iter().filter(|(_, u)| u.is_whole());
        whole.map(|(t, u)| (*t, u.reference.digest)).collect()
    }

    /// An entry names it now: it is not staged any more.
    pub fn settle(&mut self, token: &UploadToken) {
        self.uploads.remove(token);
    }

    /// Makes room, oldest first, the author's own before others', and begins an upload. Returns
    /// what had to go. An author who begins the same again gives the earlier attempt up.
    pub fn begin(
        &mut self,
        token: UploadToken,
        author: [u8; 32],
        reference: BulkReference,
    ) -> Vec<(UploadToken, Upload)> {
        let mut gone = Vec::new();
        let same = |u: &Upload| u.author == author && u.reference == reference && !u.is_whole();
        self.evict_while(&mut gone, same, |_| true);
        self.evict_while(
            &mut gone,
            |u| u.author == author,
            |mine| {
                mine.count >= MAX_STAGED_PER_AUTHOR
                    || mine.bytes + reference.length > MAX_STAGED_BYTES_PER_AUTHOR
            },
        );
        self.evict_while(
            &mut gone,
            |_| true,
            |all| all.count >= MAX_STAGED || all.bytes + reference.length > MAX_STAGED_BYTES,
        );
        self.last_order += 1;
        let upload = Upload {
            author,
            reference,
            order: self.last_order,
            progress: Some(Progress::default()),
        };
        self.uploads.insert(token, upload);
        gone
    }

    /// The order of what was begun last.
    #[must_use]
    pub fn last_order(&self) -> u64 {
        self.last_order
    }

    fn evict_while(
        &mut self,
        gone: &mut Vec<(UploadToken, Upload)>,
        among: impl Fn(&Upload) -> bool,
        too_much: impl Fn(&Share) -> bool,
    ) {
        loop {
            let mut share = Share::default();
            let mut oldest: Option<(u64, UploadToken)> = None;
            for (token, upload) in self.uploads.iter().filter(|(_, u)| among(u)) {
                share.count += 1;
                share.bytes += upload.reference.length;
                let next = (upload.order, *token);
                oldest = Some(oldest.map_or(next, |before| before.min(next)));
            }
            let Some((_, token)) = oldest.filter(|_| too_much(&share)) else {
                return;
            };
            gone.extend(self.uploads.remove_entry(&token));
        }
    }

    /// Takes the part that starts at `offset`.
    ///
    /// # Errors
    /// [`UploadFault`]; the upload stays as it was.
    pub fn take(
        &mut self,
        token: &UploadToken,
        offset: u64,
        bytes: &[u8],
    ) -> Result<Taken, UploadFault> {
        let upload = self.uploads.get_mut(token).ok_or(UploadFault::Unknown)?;
        let length = upload.reference.length;
        let Some(progress) = &mut upload.progress else {
            return Ok(Taken::Again { received: length });
        };
        let received = progress.received;
        if offset < received {
            return Ok(Taken::Again { received });
        }
        if offset > received {
            return Err(UploadFault::OutOfOrder {
                expected: received,
                found: offset,
            });
        }
        let (expected, found) = (
            (length - received).min(MAX_BULK_PART_BYTES as u64),
            bytes.len() as u64,
        );
        if found != expected || found == 0 {
            return Err(UploadFault::PartLength { expected, found });
        }
        progress.hasher.update(bytes);
        progress.received += found;
        Ok(Taken::Part {
            part: (received / MAX_BULK_PART_BYTES as u64) as u32,
            received: progress.received,
        })
    }

    /// Checks that an upload is all there and is what was announced; `false` if it was before.
    ///
    /// # Errors
    /// [`UploadFault`]. After [`UploadFault::Digest`] the upload can only be begun again.
    pub fn end(&mut self, token: &UploadToken) -> Result<(Upload, bool), UploadFault> {
        let upload = self.uploads.get_mut(token).ok_or(UploadFault::Unknown)?;
        let Some(progress) = &upload.progress else {
            return Ok((upload.clone(), false));
        };
        let (expected, found) = (upload.reference.length, progress.received);
        if found < expected {
            return Err(UploadFault::Incomplete { expected, found });
        }
        if progress.hasher.finalize() != blake3::Hash::from_bytes(upload.reference.digest) {
            return Err(UploadFault::Digest);
        }
        upload.progress = None;
        Ok((upload.clone(), true))
    }

    /// A whole upload is asked for again: it makes room last.
    pub fn refresh(&mut self, digest: &Hash) {
        self.last_order += 1;
        let mut uploads = self.uploads.values_mut();
        if let Some(upload) = uploads.find(|u| u.is_whole() && u.reference.digest == *digest) {
            upload.order = self.last_order;
        }
    }
}

#[derive(Default)]
struct Share {
    count: usize,
    bytes: u64,
}

#[cfg(test)]
#[path = "staging_tests.rs"]
mod tests;
