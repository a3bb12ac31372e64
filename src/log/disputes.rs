//! Who signed what against our own roots, and whom that convicts.
//!
//! Invariant: one remembered checkpoint and one piece of evidence per node, whoever sends what.
//! Knows nothing of stores: it is told which checkpoints are ours.

use super::checkpoint::SignedCheckpoint;
use super::fork::ForkEvidence;
use crate::ids::NodeId;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Disputes {
    /// Per node the largest checkpoint it signed against our root.
    against_us: BTreeMap<NodeId, SignedCheckpoint>,
    accused: BTreeSet<NodeId>,
}

impl Disputes {
    /// A verified checkpoint with our root: did one of its signers sign another before?
    pub(super) fn agreeing(&mut self, theirs: &SignedCheckpoint) -> Vec<ForkEvidence> {
        let before = self.against_us.values();
        let found = before
            .flat_map(|other| ForkEvidence::find(theirs, other))
            .collect();
        self.new_only(found)
    }

    /// A verified checkpoint with another root than ours, and what is `known` to have been signed.
    /// Also tells whether it is news that one of its signers disagrees at this size.
    pub(super) fn differing<'a>(
        &mut self,
        theirs: &SignedCheckpoint,
        known: impl Iterator<Item = &'a SignedCheckpoint>,
    ) -> (Vec<ForkEvidence>, bool) {
        let mut found = Vec::new();
        for other in known {
            found.extend(ForkEvidence::find(theirs, other));
        }
        for other in self.against_us.values() {
            found.extend(ForkEvidence::find(theirs, other));
        }
        let size = theirs.checkpoint.size;
        let mut news = false;
        for cosignature in theirs.cosignatures() {
            let before = self.against_us.get(&cosignature.node);
            if before.is_none_or(|before| before.checkpoint.size < size) {
                let alone = theirs.checkpoint.with(*cosignature);
                self.against_us.insert(cosignature.node, alone);
                news = true;
            }
        }
        (self.new_only(found), news)
    }

    /// Drops what convicts nodes that are convicted already.
    pub(super) fn new_only(&mut self, found: Vec<ForkEvidence>) -> Vec<ForkEvidence> {
        let mut found = found;
        found.retain(|evidence| self.accused.insert(evidence.node()));
        found
    }
}
