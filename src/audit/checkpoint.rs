//! The signed end of a trail: is it this log's, did a majority sign it, does another majority
//! contradict it.
//!
//! Invariant: a checkpoint is used for nothing before its cosignatures have been verified under
//! the trust root's node keys.

use super::bundle::Start;
use super::error::{AuditError, Which};
use super::place::Place;
use super::replay::Replay;
use super::report::Comparison;
use crate::genesis::Genesis;
use crate::ids::Hash;
use crate::log::SignedCheckpoint;

/// The bundle's checkpoint: of its log and size, cosigned by a majority.
pub(super) fn of_bundle(
    note: &str,
    start: &Start,
    genesis: &Genesis,
) -> Result<SignedCheckpoint, AuditError> {
    let signed = cosigned(note, genesis, Which::Bundle)?;
    let found = &signed.checkpoint;
    let differs = |what, expected: String, found: String| {
        Err(AuditError::mismatch(
            Place::Checkpoint,
            what,
            expected,
            found,
        ))
    };
    if found.shard != start.shard {
        return differs(
            "its shard",
            start.shard.to_string(),
            found.shard.to_string(),
        );
    }
    if found.size != start.size {
        return differs("its size", start.size.to_string(), found.size.to_string());
    }
    Ok(signed)
}

/// That the judged entries lead to the root that was signed.
pub(super) fn same_root(signed: &SignedCheckpoint, computed: &Hash) -> Result<(), AuditError> {
    let root = &signed.checkpoint.root;
    if root == computed {
        return Ok(());
    }
    Err(AuditError::mismatch(
        Place::Checkpoint,
        "the root that the entries lead to",
        hex::encode(root),
        hex::encode(computed),
    ))
}

/// A checkpoint from elsewhere, of the same log and cosigned by a majority: where it contradicts
/// the bundle's, the log was forked.
pub(super) struct Other(SignedCheckpoint);

impl Other {
    pub fn new(note: &str, start: &Start, genesis: &Genesis) -> Result<Self, AuditError> {
        let signed = cosigned(note, genesis, Which::Other)?;
        let mut ours = signed.checkpoint;
        ours.shard = start.shard;
        if ours != signed.checkpoint {
            return Err(AuditError::OtherLog {
                expected: ours.origin(),
                found: signed.checkpoint.origin(),
            });
        }
        Ok(Self(signed))
    }

    /// Two signed roots of one size need no entries to contradict each other.
    pub fn same_size(&self, ours: &SignedCheckpoint, genesis: &Genesis) -> Result<(), AuditError> {
        if self.0.checkpoint.size != ours.checkpoint.size {
            return Ok(());
        }
        self.same_root(&ours.checkpoint.root, ours, genesis)
            .map(drop)
    }

    /// At an earlier size, which the bundle's checkpoint covers: to be asked only once the entries
    /// are known to lead to that checkpoint.
    pub fn compare(
        &self,
        ours: &SignedCheckpoint,
        replay: &Replay<'_>,
        genesis: &Genesis,
    ) -> Result<Comparison, AuditError> {
        let size = self.0.checkpoint.size;
        let root = if size == ours.checkpoint.size {
            Some(ours.checkpoint.root)
        } else {
            replay.root_at(size)?
        };
        match root {
            Some(root) => self.same_root(&root, ours, genesis),
            None => Ok(Comparison::NotComparable { size }),
        }
    }

    fn same_root(
        &self,
        root: &Hash,
        ours: &SignedCheckpoint,
        genesis: &Genesis,
    ) -> Result<Comparison, AuditError> {
        let theirs = &self.0.checkpoint;
        if theirs.root == *root {
            return Ok(Comparison::Agrees { size: theirs.size });
        }
        Err(AuditError::Fork {
            size: theirs.size,
            ours: *root,
            our_signers: ours.valid_signers(genesis),
            theirs: theirs.root,
            their_signers: self.0.valid_signers(genesis),
        })
    }
}

fn cosigned(note: &str, genesis: &Genesis, which: Which) -> Result<SignedCheckpoint, AuditError> {
    let signed = SignedCheckpoint::from_note(note, genesis)
        .map_err(|source| AuditError::Checkpoint { which, source })?;
    if !signed.has_majority(genesis) {
        return Err(AuditError::NoMajority {
            which,
            needed: genesis.majority(),
            found: signed.valid_signers(genesis),
        });
    }
    Ok(signed)
}
