//! Who is not followed for now, and why.
//!
//! Without it one poisoned entry wedges a group for ever: its leader keeps sending heartbeats, and
//! nobody elects another. Invariants: 1. a quarantined node's appends, heartbeats and vote
//! *requests* are dropped, never its vote *responses*, so the group can elect somebody else;
//! 2. it ends when our commit index passes the refused place, or, for a node that has signed two
//! logs, when a person releases it; 3. it is rebuilt from stored evidence at start. Knows nothing of
//! how the evidence was found.

use super::evidence::Evidence;
use crate::ids::{LogIndex, NodeId, Term};
use raft::eraftpb::MessageType;
use serde::Serialize;
use std::collections::BTreeSet;

/// Open cases; further evidence against a node already quarantined changes nothing.
const MAX_CASES: usize = 256;

/// One open case, as status shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Case {
    pub node: NodeId,
    pub term: Term,
    pub index: LogIndex,
}

#[derive(Default)]
pub struct Quarantine {
    cases: Vec<(Case, Evidence)>,
    /// Have signed two logs: not followed any more, whatever is committed.
    forked: BTreeSet<NodeId>,
}

impl Quarantine {
    /// Opens a case for each accused node; says whether any is new.
    pub fn open(&mut self, evidence: &Evidence, commit: LogIndex) -> bool {
        let (term, index) = evidence.place();
        if !evidence.quarantines() || index <= commit {
            return false;
        }
        let mut new = false;
        for node in evidence.accused() {
            let case = Case { node, term, index };
            let known = self.cases.iter().any(|(c, _)| *c == case);
            if !known && self.cases.len() < MAX_CASES {
                self.cases.push((case, evidence.clone()));
                new = true;
            }
        }
        new
    }

    /// Follows this node no more; says whether it did until now.
    pub fn condemn(&mut self, node: NodeId) -> bool {
        self.forked.insert(node)
    }

    /// Closes what our commit index has passed.
    pub fn release(&mut self, commit: LogIndex) {
        self.cases.retain(|(case, _)| case.index > commit);
    }

    #[must_use]
    pub fn blocks(&self, from: NodeId, kind: MessageType) -> bool {
        let leading = matches!(
            kind,
            MessageType::MsgAppend
                | MessageType::MsgHeartbeat
                | MessageType::MsgSnapshot
                | MessageType::MsgRequestVote
                | MessageType::MsgRequestPreVote
        );
        leading && self.holds(from)
    }

    #[must_use]
    pub fn holds(&self, node: NodeId) -> bool {
        self.forked.contains(&node) || self.cases.iter().any(|(case, _)| case.node == node)
    }

    pub fn cases(&self) -> impl Iterator<Item = &Case> {
        self.cases.iter().map(|(case, _)| case)
    }

    /// The evidence behind open cases that others can judge, to be told again until it is heard.
    pub fn portable(&self) -> impl Iterator<Item = &Evidence> {
        self.cases
            .iter()
            .map(|(_, evidence)| evidence)
            .filter(|evidence| matches!(evidence, Evidence::Refused { .. }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::EntryKind;
    use crate::replica::{Payload, Stamp};
    use std::sync::Arc;

    fn refused(index: LogIndex) -> Evidence {
        Evidence::Refused {
            sender: NodeId(1),
            index,
            term: 4,
            payload: Payload::Batch {
                bytes: Arc::from(&b"poison"[..]),
                stamp: Stamp {
                    proposer: NodeId(2),
                    signature: [0; 64],
                },
            },
        }
    }

    #[test]
    fn it_silences_sender_and_proposer_until_our_commit_passes_the_place() {
        let mut quarantine = Quarantine::default();
        assert!(quarantine.open(&refused(7), 5));
        assert!(!quarantine.open(&refused(7), 5), "the same case is not new");
        for node in [NodeId(1), NodeId(2)] {
            assert!(quarantine.blocks(node, MessageType::MsgAppend));
            assert!(quarantine.blocks(node, MessageType::MsgRequestVote));
            assert!(!quarantine.blocks(node, MessageType::MsgRequestVoteResponse));
        }
        assert!(!quarantine.blocks(NodeId(3), MessageType::MsgAppend));
        quarantine.release(6);
        assert!(quarantine.holds(NodeId(1)));
        quarantine.release(7);
        assert!(!quarantine.holds(NodeId(1)));
        assert!(
            !quarantine.open(&refused(7), 7),
            "a passed place accuses nobody any more"
        );
    }

    #[test]
    fn a_node_that_signed_two_logs_stays_silenced_whatever_is_committed() {
        let mut quarantine = Quarantine::default();
        assert!(quarantine.condemn(NodeId(2)));
        assert!(!quarantine.condemn(NodeId(2)), "it is known");
        quarantine.release(LogIndex::MAX);
        assert!(quarantine.holds(NodeId(2)));
        assert!(quarantine.blocks(NodeId(2), MessageType::MsgAppend));
        assert!(quarantine.blocks(NodeId(2), MessageType::MsgRequestPreVote));
        assert!(!quarantine.blocks(NodeId(2), MessageType::MsgRequestVoteResponse));
        assert!(!quarantine.holds(NodeId(1)));
    }

    #[test]
    fn evidence_comes_back_from_its_bytes() {
        let cases = [
            refused(9),
            Evidence::Equivocation {
                index: 3,
                term: 2,
                proposer: NodeId(1),
                contents: [
                    (EntryKind::Batch, [1; 32], [2; 64]),
                    (EntryKind::Registry, [3; 32], [4; 64]),
                ],
            },
            Evidence::Claim {
                sender: NodeId(3),
                index: 8,
                term: 5,
                claim: crate::replica::evidence::Claim::Conflict,
            },
        ];
        for case in cases {
            let mut bytes = case.to_bytes();
            assert_eq!(Evidence::from_bytes(&bytes).as_ref(), Ok(&case));
            bytes.push(0);
            assert!(Evidence::from_bytes(&bytes).is_err());
        }
    }
}
