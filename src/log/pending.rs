//! Checkpoints on their way to a majority: of sizes ahead of this node, and of sizes it has.
//!
//! Invariants: 1. ahead, at most two per signer, the nearest and the furthest. The furthest alone
//! would not do: a node that is always a little behind would see it replaced before it gets
//! there, and never cosign anything. 2. open, at most [`MAX_OPEN`] sizes.
//! Knows nothing of roots or stores.

use super::checkpoint::{Checkpoint, Cosignature, SignedCheckpoint};
use super::fork::ForkEvidence;
use crate::ids::{Hash, NodeId, TreeSize};
use std::collections::BTreeMap;

/// How many sizes may be short of a majority at once; beyond, the smallest is given up.
pub const MAX_OPEN: usize = 16;

/// Ahead of us: per signer, by size.
#[derive(Default)]
pub(super) struct Ahead {
    by_signer: BTreeMap<NodeId, Vec<(Checkpoint, Cosignature)>>,
}

impl Ahead {
    /// Keeps a verified checkpoint, and tells of signers that had signed another root at its size.
    pub(super) fn add(&mut self, signed: &SignedCheckpoint) -> Vec<ForkEvidence> {
        let mut forks = Vec::new();
        for cosignature in signed.cosignatures() {
            let held = self.by_signer.entry(cosignature.node).or_default();
            let size = signed.checkpoint.size;
            match held.binary_search_by_key(&size, |(checkpoint, _)| checkpoint.size) {
                Ok(at) => {
                    let (checkpoint, before) = held[at];
                    forks.extend(ForkEvidence::find(&checkpoint.with(before), signed));
                }
                Err(at) => {
                    held.insert(at, (signed.checkpoint, *cosignature));
                    if held.len() > 2 {
                        held.remove(1);
                    }
                }
            }
        }
        forks
    }

    /// Removes and returns what is not ahead of `size`, smallest first, each checkpoint once.
    pub(super) fn take_up_to(&mut self, size: TreeSize) -> Vec<SignedCheckpoint> {
        let mut reached: BTreeMap<(TreeSize, Hash), SignedCheckpoint> = BTreeMap::new();
        for held in self.by_signer.values_mut() {
            held.retain(|(checkpoint, cosignature)| {
                if checkpoint.size > size {
                    return true;
                }
                reached
                    .entry((checkpoint.size, checkpoint.root))
                    .or_insert_with(|| SignedCheckpoint::new(*checkpoint))
                    .add(*cosignature);
                false
            });
        }
        reached.into_values().collect()
    }
}

/// Checkpoints with our root and the verified cosignatures so far, by size.
#[derive(Default)]
pub(super) struct Open {
    by_size: BTreeMap<TreeSize, SignedCheckpoint>,
}

impl Open {
    pub(super) fn get(&self, size: TreeSize) -> Option<&SignedCheckpoint> {
        self.by_size.get(&size)
    }

    /// Adds verified cosignatures to what is held of their checkpoint, and returns that.
    ///
    /// # Panics
    /// If another root is held at that size: only ours may be added, and it never changes.
    pub(super) fn add(&mut self, signed: &SignedCheckpoint) -> &SignedCheckpoint {
        let size = signed.checkpoint.size;
        while self.by_size.len() >= MAX_OPEN && !self.by_size.contains_key(&size) {
            self.by_size.pop_first();
        }
        let held = self
            .by_size
            .entry(size)
            .or_insert_with(|| SignedCheckpoint::new(signed.checkpoint));
        held.merge(signed)
            .expect("a log's root at a size never changes");
        held
    }

    /// The checkpoint of `size` if it has `majority` cosignatures; it and what is smaller is over.
    pub(super) fn take_complete(
        &mut self,
        size: TreeSize,
        majority: usize,
    ) -> Option<SignedCheckpoint> {
        let done = self.by_size.get(&size)?;
        if done.cosignatures().len() < majority {
            return None;
        }
        let done = done.clone();
        self.by_size.retain(|&open, _| open > size);
        Some(done)
    }
}
