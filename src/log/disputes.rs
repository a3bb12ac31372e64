//! Who signed what against our own roots, and whom that convicts.
//!
//! Invariant: per node one remembered checkpoint of either kind and one piece of evidence, whoever
//! sends what.
//! Knows nothing of stores: it is told which checkpoints are ours.

use super::checkpoint::SignedCheckpoint;
use super::fork::ForkEvidence;
use crate::ids::NodeId;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
pub(super) struct Disputes {
    /// Per node the largest checkpoint it signed against our root.
    against_us: BTreeMap<NodeId, SignedCheckpoint>,
    /// Per node the largest checkpoint it signed with our root: a majority's, saved, need not bear
    /// its signature.
    with_us: BTreeMap<NodeId, SignedCheckpoint>,
    accused: BTreeSet<NodeId>,
}

impl Disputes {
    /// A verified checkpoint with our root: did one of its signers sign another before?
    pub(super) fn agreeing(&mut self, theirs: &SignedCheckpoint) -> Vec<ForkEvidence> {
        let before = self.against_us.values();
        let found = before
            .flat_map(|other| ForkEvidence::find(theirs, other))
            .collect();
        remember(&mut self.with_us, theirs);
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
        for other in self.against_us.values().chain(self.with_us.values()) {
            found.extend(ForkEvidence::find(theirs, other));
        }
        let news = remember(&mut self.against_us, theirs);
        (self.new_only(found), news)
    }

    /// Drops what convicts nodes that are convicted already.
    pub(super) fn new_only(&mut self, found: Vec<ForkEvidence>) -> Vec<ForkEvidence> {
        let mut found = found;
        found.retain(|evidence| self.accused.insert(evidence.node()));
        found
    }
}

/// Keeps each signer's cosignature where it is of a larger size than the one before; says whether
/// any was.
fn remember(held: &mut BTreeMap<NodeId, SignedCheckpoint>, theirs: &SignedCheckpoint) -> bool {
    let size = theirs.checkpoint.size;
    let mut news = false;
    for cosignature in theirs.cosignatures() {
        let before = held.get(&cosignature.node);
        if before.is_none_or(|before| before.checkpoint.size < size) {
            let alone = theirs.checkpoint.with(*cosignature);
            held.insert(cosignature.node, alone);
            news = true;
        }
    }
    news
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::ShardId;
    use crate::log::Checkpoint;
    use crate::log::testing::{genesis, node_key};

    fn signed(size: u64, root: u8, node: u64) -> SignedCheckpoint {
        let checkpoint = Checkpoint {
            cluster: genesis(3).cluster_id(),
            shard: ShardId(0),
            size,
            root: [root; 32],
        };
        checkpoint.with(checkpoint.sign(NodeId(node), &node_key(node), 1_700_000_000))
    }

    #[test]
    fn who_signs_with_us_and_against_us_at_one_size_is_convicted_in_either_order() {
        let (ours, other) = (signed(9, 1, 2), signed(9, 2, 2));
        let mut disputes = Disputes::default();
        assert_eq!(disputes.agreeing(&ours), []);
        let (found, news) = disputes.differing(&other, std::iter::empty());
        assert_eq!((found.len(), news), (1, true));
        assert_eq!(found[0].node(), NodeId(2));

        let mut disputes = Disputes::default();
        assert_eq!(disputes.differing(&other, std::iter::empty()).0, []);
        assert_eq!(disputes.agreeing(&ours).len(), 1);
    }

    #[test]
    fn another_node_or_another_size_convicts_nobody() {
        let mut disputes = Disputes::default();
        disputes.agreeing(&signed(9, 1, 2));
        assert_eq!(
            disputes.differing(&signed(9, 2, 3), std::iter::empty()).0,
            []
        );
        assert_eq!(
            disputes.differing(&signed(8, 2, 2), std::iter::empty()).0,
            []
        );
    }
}
