//! The newest checkpoint this client has seen: what its batches are anchored to, and what everything
//! shown to it later is compared with.
//!
//! Invariants: 1. it never goes back, also with several programs at one file; 2. a checkpoint of another
//! size is taken in only with a proof that one of the two extends the other; two roots at one size are
//! a fork. Knows nothing of how a checkpoint reaches it.

use crate::batch::Anchor;
use crate::genesis::Genesis;
use crate::ids::TreeSize;
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
        "nothing shows that the cosigned checkpoints of size {from} and {to}, one seen before and one shown now, \
         are of one history: {reason}"
    )]
    NoConsistency { from: u64, to: u64, reason: String },
    /// Another program has moved the file on since it was loaded: load it and compare again.
    #[error("{path} has changed meanwhile")]
    Moved { path: PathBuf },
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
#[derive(Debug, Clone)]
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

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
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

    /// The sizes between which a proof of consistency is needed before [`AnchorFile::advance`].
    #[must_use]
    pub fn gap(
        known: Option<&SignedCheckpoint>,
        shown: &SignedCheckpoint,
    ) -> Option<(TreeSize, TreeSize)> {
        let (known, shown) = (known?.checkpoint.size, shown.checkpoint.size);
        (known != shown).then(|| (known.min(shown), known.max(shown)))
    }

    /// Takes a checkpoint a node showed: checks its majority, compares it with `known`, the one
    /// loaded before, keeps the larger, and returns what to anchor to. `proof` spans
    /// [`AnchorFile::gap`].
    ///
    /// # Errors
    /// [`AnchorError::Fork`] if both have one size and differ, [`AnchorError::NoConsistency`] if
    /// neither is shown to extend the other, [`AnchorError::Moved`] if `known` is not on file any more.
    pub fn advance(
        &self,
        known: Option<&SignedCheckpoint>,
        shown: &SignedCheckpoint,
        proof: Option<&ConsistencyProof>,
        genesis: &Genesis,
    ) -> Result<Anchor, AnchorError> {
        if !shown.has_majority(genesis) {
            return Err(AnchorError::NoMajority);
        }
        if let Some(known) = known {
            one_history(known, shown, proof)?;
        }
        let newest = match known {
            Some(known) if known.checkpoint.size >= shown.checkpoint.size => known,
            _ => {
                self.replace(known, shown, genesis)?;
                shown
            }
        };
        Ok(Anchor {
            size: newest.checkpoint.size,
            root: newest.checkpoint.root,
        })
    }

    /// Compares and writes under a lock: of two programs, neither undoes the other's step.
    fn replace(
        &self,
        known: Option<&SignedCheckpoint>,
        shown: &SignedCheckpoint,
        genesis: &Genesis,
    ) -> Result<(), AnchorError> {
        let lock = fs::File::create(self.path.with_extension("lock"));
        let lock = lock.and_then(|file| file.lock().map(|()| file));
        let _lock = lock.map_err(|e| self.io(e))?;
        let on_file = self.load(genesis)?;
        let same = on_file.map(|found| found.checkpoint) == known.map(|known| known.checkpoint);
        match same {
            true => self.save(&shown.to_note()),
            false => Err(AnchorError::Moved {
                path: self.path.clone(),
            }),
        }
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

/// Of two checkpoints of different sizes one must be proven to extend the other.
fn one_history(
    known: &SignedCheckpoint,
    shown: &SignedCheckpoint,
    proof: Option<&ConsistencyProof>,
) -> Result<(), AnchorError> {
    let Some((from, to)) = AnchorFile::gap(Some(known), shown) else {
        return match known.checkpoint.root == shown.checkpoint.root {
            true => Ok(()),
            false => Err(AnchorError::Fork {
                size: known.checkpoint.size,
                known: hex::encode(known.checkpoint.root),
                found: hex::encode(shown.checkpoint.root),
            }),
        };
    };
    let refused = |reason: String| AnchorError::NoConsistency { from, to, reason };
    let proof = proof.ok_or_else(|| refused("no proof was given".into()))?;
    if (proof.from, proof.to) != (from, to) {
        return Err(refused(format!(
            "the proof is of sizes {} and {}",
            proof.from, proof.to
        )));
    }
    let (smaller, larger) = match known.checkpoint.size == from {
        true => (known, shown),
        false => (shown, known),
    };
    tree::verify_consistency(proof, &smaller.checkpoint.root, &larger.checkpoint.root)
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

    struct Place {
        _dir: tempfile::TempDir,
        file: AnchorFile,
        trust: std::sync::Arc<Genesis>,
    }

    impl Place {
        fn with(size: u64) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let file = AnchorFile::new(&dir.path().join("anchor"));
            let trust = genesis(3);
            let seen = signed(&trust, size, 1, &[1, 2], NOW);
            file.advance(None, &seen, None, &trust).unwrap();
            Self {
                _dir: dir,
                file,
                trust,
            }
        }

        fn shown(
            &self,
            shown: &SignedCheckpoint,
            proof: Option<ConsistencyProof>,
        ) -> Result<u64, AnchorError> {
            let known = self.file.load(&self.trust)?;
            let anchor = self
                .file
                .advance(known.as_ref(), shown, proof.as_ref(), &self.trust);
            anchor.map(|anchor| anchor.size)
        }
    }

    #[test]
    fn a_larger_checkpoint_needs_a_proof_that_it_extends_the_one_on_file() {
        let place = Place::with(5);
        let larger = signed(&place.trust, 9, 1, &[2, 3], NOW);
        let known = place.file.load(&place.trust).unwrap();
        assert_eq!(AnchorFile::gap(known.as_ref(), &larger), Some((5, 9)));
        for proof in [None, Some(proof(1, 4, 9)), Some(proof(2, 5, 9))] {
            let refused = place.shown(&larger, proof);
            assert!(matches!(refused, Err(AnchorError::NoConsistency { .. })));
        }
        assert_eq!(place.shown(&larger, Some(proof(1, 5, 9))).unwrap(), 9);
    }

    #[test]
    fn another_branch_is_refused_at_a_larger_a_smaller_and_the_same_size() {
        let place = Place::with(5);
        let fork = |size| signed(&place.trust, size, 2, &[1, 2, 3], NOW);
        for (size, proof) in [
            (9, proof(2, 5, 9)),
            (3, proof(2, 3, 5)),
            (3, proof(1, 3, 5)),
        ] {
            let refused = place.shown(&fork(size), Some(proof));
            assert!(matches!(refused, Err(AnchorError::NoConsistency { .. })));
        }
        let refused = place.shown(&fork(5), None);
        assert!(matches!(refused, Err(AnchorError::Fork { size: 5, .. })));
    }

    #[test]
    fn a_smaller_checkpoint_is_compared_and_leaves_the_anchor_where_it_is() {
        let place = Place::with(5);
        let smaller = signed(&place.trust, 3, 1, &[1, 2], NOW);
        let unproven = place.shown(&smaller, None);
        assert!(matches!(unproven, Err(AnchorError::NoConsistency { .. })));
        assert_eq!(place.shown(&smaller, Some(proof(1, 3, 5))).unwrap(), 5);
        let minority = signed(&place.trust, 9, 1, &[3], NOW);
        let refused = place.shown(&minority, Some(proof(1, 5, 9)));
        assert!(matches!(refused, Err(AnchorError::NoMajority)));
    }

    #[test]
    fn a_step_from_what_is_not_on_file_any_more_is_not_taken() {
        let place = Place::with(5);
        let known = place.file.load(&place.trust).unwrap();
        let larger = signed(&place.trust, 9, 1, &[1, 2], NOW);
        place.shown(&larger, Some(proof(1, 5, 9))).unwrap();
        // Loaded before the other's step, written after it: the anchor would go back.
        let between = signed(&place.trust, 7, 1, &[1, 2], NOW);
        let proof = proof(1, 5, 7);
        let late = place
            .file
            .advance(known.as_ref(), &between, Some(&proof), &place.trust);
        assert!(matches!(late, Err(AnchorError::Moved { .. })));
        let kept = place.file.load(&place.trust).unwrap().unwrap();
        assert_eq!(kept.checkpoint.size, 9);
    }
}
