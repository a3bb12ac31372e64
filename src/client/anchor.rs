//! The newest checkpoint this client has seen: what its batches are anchored to.
//!
//! Invariant: it never goes back, and two roots at one size are a fork, not an update.
//! Knows nothing of how a checkpoint reaches it.

use crate::batch::Anchor;
use crate::genesis::Genesis;
use crate::log::{ConsistencyProof, SignedCheckpoint, tree};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Far above any note: 64 cosignatures and a head.
const MAX_ANCHOR_BYTES: u64 = 16 * 1024;

#[derive(Debug, Error)]
pub enum AnchorError {
    #[error("{path}: {source}")]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{path} is no checkpoint of this cluster: {reason}")]
    Damaged { path: PathBuf, reason: String },
    #[error("the checkpoint has fewer cosignatures than a majority of the nodes")]
    NoMajority,
    #[error(
        "nothing shows that the cosigned checkpoint of size {to} extends the one of size {from} seen before: {reason}"
    )]
    NoConsistency { from: u64, to: u64, reason: String },
    #[error(
        "two cosigned checkpoints of size {size} have different roots: {known} was seen before, {found} is shown now"
    )]
    Fork {
        size: u64,
        known: String,
        found: String,
    },
}

/// A file with one signed note.
pub struct AnchorFile {
    path: PathBuf,
}

impl AnchorFile {
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The checkpoint on file, if there is one.
    ///
    /// # Errors
    /// [`AnchorError`].
    pub fn load(&self, genesis: &Genesis) -> Result<Option<SignedCheckpoint>, AnchorError> {
        match fs::metadata(&self.path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(self.io(source)),
            Ok(meta) if meta.len() > MAX_ANCHOR_BYTES => {
                return Err(self.damaged("it is too large".into()));
            }
            Ok(_) => {}
        }
        let note = fs::read_to_string(&self.path).map_err(|e| self.io(e))?;
        let signed =
            SignedCheckpoint::from_note(&note, genesis).map_err(|e| self.damaged(e.to_string()))?;
        Ok(Some(signed))
    }

    /// The sizes between which `shown` must prove consistency before [`AnchorFile::advance`].
    ///
    /// # Errors
    /// [`AnchorError`].
    pub fn gap(
        &self,
        shown: &SignedCheckpoint,
        genesis: &Genesis,
    ) -> Result<Option<(u64, u64)>, AnchorError> {
        let known = self.load(genesis)?.map(|known| known.checkpoint.size);
        let size = shown.checkpoint.size;
        Ok(known
            .filter(|known| *known < size)
            .map(|known| (known, size)))
    }

    /// Takes a checkpoint a node showed: checks its majority, compares it with the one on file,
    /// keeps the larger, and returns what to anchor to. `proof` spans [`AnchorFile::gap`].
    ///
    /// # Errors
    /// [`AnchorError::Fork`] if both have one size and differ, [`AnchorError::NoConsistency`] if
    /// the larger is not shown to extend the smaller.
    pub fn advance(
        &self,
        shown: &SignedCheckpoint,
        proof: Option<&ConsistencyProof>,
        genesis: &Genesis,
    ) -> Result<Anchor, AnchorError> {
        if !shown.has_majority(genesis) {
            return Err(AnchorError::NoMajority);
        }
        let known = self.load(genesis)?;
        if let Some(known) = &known {
            extends(known, shown, proof)?;
        }
        let newest = match known {
            Some(known) if known.checkpoint.size == shown.checkpoint.size => {
                if known.checkpoint.root != shown.checkpoint.root {
                    return Err(AnchorError::Fork {
                        size: known.checkpoint.size,
                        known: hex::encode(known.checkpoint.root),
                        found: hex::encode(shown.checkpoint.root),
                    });
                }
                known
            }
            Some(known) if known.checkpoint.size > shown.checkpoint.size => known,
            _ => {
                self.save(&shown.to_note())?;
                shown.clone()
            }
        };
        Ok(Anchor {
            size: newest.checkpoint.size,
            root: newest.checkpoint.root,
        })
    }

    fn save(&self, note: &str) -> Result<(), AnchorError> {
        let temporary = self.path.with_extension("tmp");
        let write = || {
            let mut file = fs::File::create(&temporary)?;
            file.write_all(note.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)
        };
        write().map_err(|e| self.io(e))
    }

    fn io(&self, source: std::io::Error) -> AnchorError {
        AnchorError::Io {
            path: self.path.clone(),
            source,
        }
    }

    fn damaged(&self, reason: String) -> AnchorError {
        AnchorError::Damaged {
            path: self.path.clone(),
            reason,
        }
    }
}

/// A larger checkpoint must be proven to extend a smaller one; others need no proof here.
fn extends(
    known: &SignedCheckpoint,
    shown: &SignedCheckpoint,
    proof: Option<&ConsistencyProof>,
) -> Result<(), AnchorError> {
    let (from, to) = (known.checkpoint.size, shown.checkpoint.size);
    if to <= from {
        return Ok(());
    }
    let refused = |reason: String| AnchorError::NoConsistency { from, to, reason };
    let proof = proof.ok_or_else(|| refused("no proof was given".into()))?;
    if (proof.from, proof.to) != (from, to) {
        return Err(refused(format!(
            "the proof is of sizes {} and {}",
            proof.from, proof.to
        )));
    }
    tree::verify_consistency(proof, &known.checkpoint.root, &shown.checkpoint.root)
        .map_err(|e| refused(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::testing::{Mem, NOW, SHARD, genesis, grow, signed};

    fn proof(branch: u8, from: u64, to: u64) -> ConsistencyProof {
        let mut log = Mem::default();
        grow(&mut log, to, branch);
        tree::consistency_proof(&log, SHARD, from, to).unwrap()
    }

    fn file_with(size: u64) -> (tempfile::TempDir, AnchorFile) {
        let dir = tempfile::tempdir().unwrap();
        let file = AnchorFile::new(&dir.path().join("anchor"));
        let trust = genesis(3);
        let seen = signed(&trust, size, 1, &[1, 2], NOW);
        file.advance(&seen, None, &trust).unwrap();
        (dir, file)
    }

    #[test]
    fn a_larger_checkpoint_needs_a_proof_that_it_extends_the_one_on_file() {
        let (_dir, file) = file_with(5);
        let trust = genesis(3);
        let larger = signed(&trust, 9, 1, &[2, 3], NOW);
        assert_eq!(file.gap(&larger, &trust).unwrap(), Some((5, 9)));
        let refused = file.advance(&larger, None, &trust);
        assert!(matches!(refused, Err(AnchorError::NoConsistency { .. })));
        let other_sizes = file.advance(&larger, Some(&proof(1, 4, 9)), &trust);
        assert!(matches!(
            other_sizes,
            Err(AnchorError::NoConsistency { .. })
        ));
        let anchor = file.advance(&larger, Some(&proof(1, 5, 9)), &trust);
        assert_eq!(anchor.unwrap().size, 9);
    }

    #[test]
    fn another_branch_is_refused_at_a_larger_and_at_the_same_size() {
        let (_dir, file) = file_with(5);
        let trust = genesis(3);
        let fork = signed(&trust, 9, 2, &[1, 2, 3], NOW);
        let refused = file.advance(&fork, Some(&proof(2, 5, 9)), &trust);
        assert!(matches!(refused, Err(AnchorError::NoConsistency { .. })));
        let fork = signed(&trust, 5, 2, &[1, 2, 3], NOW);
        let refused = file.advance(&fork, None, &trust);
        assert!(matches!(refused, Err(AnchorError::Fork { size: 5, .. })));
    }

    #[test]
    fn a_smaller_checkpoint_leaves_the_anchor_where_it_is() {
        let (_dir, file) = file_with(5);
        let trust = genesis(3);
        let anchor = file.advance(&signed(&trust, 3, 1, &[1, 2], NOW), None, &trust);
        assert_eq!(anchor.unwrap().size, 5);
        let minority = signed(&trust, 9, 1, &[3], NOW);
        let refused = file.advance(&minority, Some(&proof(1, 5, 9)), &trust);
        assert!(matches!(refused, Err(AnchorError::NoMajority)));
    }
}
