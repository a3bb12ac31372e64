//! The outbox: every sealed batch is on disk before it is sent, so that a retry sends the very
//! same bytes, even after a crash of the client.
//!
//! Invariants: 1. a sequence is given out once, whatever crashes in between; 2. a batch leaves the
//! outbox only when its outcome is known. Knows nothing of sealing or of the network.

use crate::batch::{MAX_BATCH_BYTES, SealedBatch};
use crate::ids::AuthorSeq;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use thiserror::Error;
use ukehi_keys::AuthorId;

/// How far a node's word may move an author's sequence: a lying node cannot use them all up.
pub const MAX_SEQ_JUMP: u64 = 1 << 32;

#[derive(Debug, Error)]
pub enum OutboxError {
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "a node says that author {author} has used sequence {found}, this client knows {known}"
    )]
    Jump {
        author: AuthorId,
        known: AuthorSeq,
        found: AuthorSeq,
    },
    #[error("author {author} has used its last sequence: register another key")]
    Exhausted { author: AuthorId },
    #[error("{path} is not what an outbox holds: {reason}")]
    Damaged { path: PathBuf, reason: String },
}

/// A directory of batches under way, and per author the last sequence given out.
pub struct Outbox {
    dir: PathBuf,
    /// Held as long as the outbox is open: two clients would give out one sequence twice.
    _lock: File,
}

impl Outbox {
    /// Opens or makes the directory; waits for another client that has it open.
    ///
    /// # Errors
    /// [`OutboxError::Io`].
    pub fn open(dir: &Path) -> Result<Self, OutboxError> {
        fs::create_dir_all(dir).map_err(|e| io(dir, e))?;
        let path = dir.join("lock");
        let lock = File::create(&path).map_err(|e| io(&path, e))?;
        lock.lock().map_err(|e| io(&path, e))?;
        Ok(Self {
            dir: dir.to_owned(),
            _lock: lock,
        })
    }

    /// A sequence above all given out here and above `highest`, the cluster's word.
    ///
    /// # Errors
    /// [`OutboxError`].
    pub fn next_seq(
        &self,
        author: &AuthorId,
        highest: Option<AuthorSeq>,
    ) -> Result<AuthorSeq, OutboxError> {
        let path = self.dir.join(format!("{author}.seq"));
        let last = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| OutboxError::Damaged {
                path: path.clone(),
                reason: "it should hold one number".into(),
            })?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => 0,
            Err(e) => return Err(io(&path, e)),
        };
        let highest = highest.unwrap_or(0);
        if highest.saturating_sub(last) > MAX_SEQ_JUMP {
            return Err(OutboxError::Jump {
                author: *author,
                known: last,
                found: highest,
            });
        }
        let seq = highest
            .max(last)
            .checked_add(1)
            .ok_or(OutboxError::Exhausted { author: *author })?;
        // Durable before it is used: a crash may skip a sequence, never repeat one.
        self.write(&path, seq.to_string().as_bytes())?;
        Ok(seq)
    }

    /// Stores a batch before it is first sent.
    ///
    /// # Errors
    /// [`OutboxError::Io`].
    pub fn store(&self, batch: &SealedBatch, bytes: &[u8]) -> Result<(), OutboxError> {
        let path = self.path(&batch.header.author, batch.header.author_seq);
        self.write(&path, bytes)
    }

    /// Removes a batch whose outcome is known.
    ///
    /// # Errors
    /// [`OutboxError::Io`].
    pub fn remove(&self, author: &AuthorId, seq: AuthorSeq) -> Result<(), OutboxError> {
        let path = self.path(author, seq);
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(&path, e)),
            _ => Ok(()),
        }
    }

    /// The batches whose outcome is not known, by author and sequence.
    ///
    /// # Errors
    /// [`OutboxError`]; a damaged file is named, not passed over.
    pub fn pending(&self) -> Result<Vec<(SealedBatch, Vec<u8>)>, OutboxError> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(&self.dir).map_err(|e| io(&self.dir, e))? {
            let path = entry.map_err(|e| io(&self.dir, e))?.path();
            if path.extension().is_some_and(|e| e == "batch") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| read(path)).collect()
    }

    fn path(&self, author: &AuthorId, seq: AuthorSeq) -> PathBuf {
        // Zero-padded, so that names sort as sequences do.
        self.dir.join(format!("{author}-{seq:020}.batch"))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), OutboxError> {
        let temporary = path.with_extension("tmp");
        let attempt = || {
            let mut file = File::create(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, path)?;
            File::open(&self.dir)?.sync_all()
        };
        attempt().map_err(|e| io(path, e))
    }
}

fn read(path: &Path) -> Result<(SealedBatch, Vec<u8>), OutboxError> {
    let damaged = |reason: String| OutboxError::Damaged {
        path: path.to_owned(),
        reason,
    };
    let size = fs::metadata(path).map_err(|e| io(path, e))?.len();
    if size > MAX_BATCH_BYTES as u64 {
        return Err(damaged(format!("it is {size} bytes long")));
    }
    let bytes = fs::read(path).map_err(|e| io(path, e))?;
    let batch = SealedBatch::from_bytes(&bytes).map_err(|e| damaged(e.to_string()))?;
    Ok((batch, bytes))
}

fn io(path: &Path, source: std::io::Error) -> OutboxError {
    OutboxError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_never_given_out_twice() {
        let dir = tempfile::tempdir().unwrap();
        let author = ukehi_keys::AuthorKey::generate().unwrap().public();
        let outbox = Outbox::open(dir.path()).unwrap();
        assert_eq!(outbox.next_seq(&author, None).unwrap(), 1);
        assert_eq!(outbox.next_seq(&author, Some(7)).unwrap(), 8);
        drop(outbox);
        let outbox = Outbox::open(dir.path()).unwrap();
        assert_eq!(outbox.next_seq(&author, None).unwrap(), 9);
        assert_eq!(outbox.next_seq(&author, None).unwrap(), 10);
        // Not round to 0.
        let path = dir.path().join(format!("{author}.seq"));
        fs::write(path, u64::MAX.to_string()).unwrap();
        let none_left = outbox.next_seq(&author, None);
        assert!(matches!(none_left, Err(OutboxError::Exhausted { .. })));
    }

    #[test]
    fn a_node_cannot_talk_a_client_into_its_last_sequences() {
        let dir = tempfile::tempdir().unwrap();
        let author = ukehi_keys::AuthorKey::generate().unwrap().public();
        let outbox = Outbox::open(dir.path()).unwrap();
        let refused = outbox.next_seq(&author, Some(u64::MAX - 1));
        assert!(matches!(refused, Err(OutboxError::Jump { known: 0, .. })));
        assert_eq!(outbox.next_seq(&author, None).unwrap(), 1);
    }

    #[test]
    fn a_damaged_batch_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(dir.path()).unwrap();
        fs::write(dir.path().join("a-1.batch"), b"torn").unwrap();
        assert!(matches!(outbox.pending(), Err(OutboxError::Damaged { .. })));
    }
}
