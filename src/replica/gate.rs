//! Stage (b) of the gate: appends wait here, in order per sender, until every new batch in them
//! has its verdict; what is released is the valid prefix and nothing else.
//!
//! Invariants: 1. an entry that raft-rs would append is a no-op, or a batch or change whose stamp
//! verifies, whose verdict is `Valid`, and whose author, circuit or admins the registry of exactly
//! the entries before it knows, those of the same message included; which entries raft-rs would append is decided when the message
//! leaves the lane, not when it came; 2. heartbeats, votes and responses never wait here, so slow
//! verification never causes an election; 3. a full lane drops the message, Raft sends it again.
//! Knows nothing of elections or of what follows from an accusation.

use super::desk::Desk;
use super::entry::{Payload, Position, Stamped};
use super::replica::Replica;
use super::tail::Tail;
use crate::batch::{Fault, NotYet, Verdict, VerifiedBatch};
use crate::genesis::Genesis;
use crate::ids::{ClusterId, Hash, LogIndex, NodeId, ShardId};
use crate::log::EntryKind;
use crate::mutant::{self, Mutant};
use crate::registry::{ChangeFault, ChangeVerifier, Payload as GrantPayload, VerifiedChange};
use raft::eraftpb::{Entry, Message};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use thiserror::Error;
use ukehi_keys::NodePublicKey;

/// Appends of one sender that wait for verdicts: what its inflight window can hold, and retries.
pub const MAX_LANE_MESSAGES: usize = 64;
pub const MAX_LANE_BYTES: usize = 8 * 1024 * 1024;

/// Why an entry accuses its sender.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GateFault {
    #[error("it is no entry of this release")]
    Malformed,
    #[error("its stamp is by node {proposer}, which may not propose there")]
    WrongProposer { proposer: NodeId },
    #[error("its proposer's signature does not verify")]
    BadStamp,
    #[error(transparent)]
    Invalid(Fault),
    #[error(transparent)]
    InvalidChange(ChangeFault),
}

impl GateFault {
    /// Whether it lies in the content that the proposer signed for, so that the entry convicts.
    #[must_use]
    pub fn is_of_content(&self) -> bool {
        matches!(self, GateFault::Invalid(_) | GateFault::InvalidChange(_))
    }
}

/// The message's sender must wait: its lane is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the lane of node {from} is full")]
pub struct LaneFull {
    pub from: NodeId,
}

/// An entry that accuses.
#[derive(Debug, Clone, PartialEq)]
pub struct Accusation {
    pub entry: Entry,
    pub fault: GateFault,
}

/// What leaves a lane.
#[derive(Debug, Clone, PartialEq)]
pub enum Released {
    /// Step this: every entry in it is known or valid. Empty of entries where the sender's
    /// previous entry is not ours; raft-rs then says so to the sender.
    Step(Message),
    /// Step the prefix if it has entries; then deal with the sender.
    Accuse(Message, Accusation),
    /// Step the prefix if it has entries; the rest had no verdict and will come again.
    Deferred(Message, NotYet),
    /// Nothing of it is of use any more.
    Stale,
}

#[derive(Debug, Clone)]
enum Check {
    /// Not looked at: raft-rs would not append it as our log stands.
    Unread,
    NoOp,
    Asked(Hash),
    Batch(VerifiedBatch),
    Change(VerifiedChange),
    Fault(GateFault),
    NotYet(NotYet),
}

struct Waiting {
    message: Message,
    bytes: usize,
    checks: Vec<Check>,
}

/// The lanes, and what an entry is judged by.
pub struct Gate {
    cluster: ClusterId,
    shard: ShardId,
    changes: ChangeVerifier,
    keys: BTreeMap<NodeId, NodePublicKey>,
    lanes: BTreeMap<NodeId, VecDeque<Waiting>>,
}

impl Gate {
    #[must_use]
    pub fn new(genesis: &Genesis, shard: ShardId) -> Self {
        Self {
            cluster: genesis.cluster_id(),
            shard,
            changes: ChangeVerifier::new(genesis, shard),
            keys: genesis.nodes.iter().map(|n| (n.id, n.key)).collect(),
            lanes: BTreeMap::new(),
        }
    }

    /// Takes an append in and asks for the verdicts it needs.
    ///
    /// # Errors
    /// [`LaneFull`].
    pub fn enqueue(
        &mut self,
        from: NodeId,
        message: Message,
        replica: &Replica,
        desk: &mut Desk,
    ) -> Result<(), LaneFull> {
        let bytes = message.entries.iter().map(|e| e.data.len() + 64).sum();
        let lane = self.lanes.entry(from).or_default();
        let held: usize = lane.iter().map(|w| w.bytes).sum();
        if lane.len() >= MAX_LANE_MESSAGES || held + bytes > MAX_LANE_BYTES {
            return Err(LaneFull { from });
        }
        let mut waiting = Waiting {
            checks: vec![Check::Unread; message.entries.len()],
            message,
            bytes,
        };
        self.examine(&mut waiting, replica, desk);
        self.lanes.entry(from).or_default().push_back(waiting);
        Ok(())
    }

    /// A verdict has come for whoever waits for it.
    pub fn settle(&mut self, digest: &Hash, verdict: &Verdict) {
        for waiting in self.lanes.values_mut().flatten() {
            for check in &mut waiting.checks {
                if matches!(check, Check::Asked(asked) if asked == digest) {
                    *check = match verdict {
                        Verdict::Valid(batch) => Check::Batch(batch.clone()),
                        Verdict::Invalid(fault) => Check::Fault(GateFault::Invalid(fault.clone())),
                        Verdict::NotYet(reason) => Check::NotYet(*reason),
                    };
                }
            }
        }
    }

    /// The next message of a lane, if its verdicts are complete.
    pub fn release(
        &mut self,
        from: NodeId,
        replica: &Replica,
        desk: &mut Desk,
        tail: &Tail,
    ) -> Option<Released> {
        let mut waiting = self.lanes.get_mut(&from)?.pop_front()?;
        if waiting.message.term < replica.term() {
            return Some(Released::Stale);
        }
        let previous = replica.term_at(waiting.message.index);
        if previous != Some(waiting.message.log_term) {
            waiting.message.set_entries(Vec::new().into());
            return Some(Released::Step(waiting.message));
        }
        let fresh = self.examine(&mut waiting, replica, desk);
        if let Some((outsider, fault)) = outsider(&waiting, fresh, tail) {
            waiting.checks[outsider] = Check::Fault(fault);
        }
        let stop = (fresh..waiting.checks.len()).find(|i| {
            !matches!(
                waiting.checks[*i],
                Check::Batch(_) | Check::Change(_) | Check::NoOp
            )
        });
        let Some(stop) = stop else {
            return Some(Released::Step(waiting.message));
        };
        let entry = waiting.message.entries[stop].clone();
        match waiting.checks[stop].clone() {
            Check::Fault(fault) => {
                let prefix = cut(waiting.message, stop);
                Some(Released::Accuse(prefix, Accusation { entry, fault }))
            }
            Check::NotYet(reason) => Some(Released::Deferred(cut(waiting.message, stop), reason)),
            _ => {
                self.lanes.entry(from).or_default().push_front(waiting);
                None
            }
        }
    }

    /// Forgets what a sender has waiting.
    pub fn clear(&mut self, from: NodeId) {
        self.lanes.remove(&from);
    }

    #[must_use]
    pub fn senders(&self) -> Vec<NodeId> {
        self.lanes.keys().copied().collect()
    }

    #[must_use]
    pub fn waiting(&self) -> usize {
        self.lanes.values().map(VecDeque::len).sum()
    }

    #[must_use]
    pub fn is_waiting(&self, from: NodeId) -> bool {
        self.lanes.get(&from).is_some_and(|lane| !lane.is_empty())
    }

    /// The first stage for a change, as an append or a client brings it.
    ///
    /// # Errors
    /// [`ChangeFault`].
    pub fn verify_change(&self, bytes: &Arc<[u8]>) -> Result<VerifiedChange, ChangeFault> {
        self.changes.verify(bytes, GrantPayload::Required)
    }

    /// Where content of a kind would stand.
    #[must_use]
    pub fn position(
        &self,
        (term, index): (u64, LogIndex),
        kind: EntryKind,
        digest: Hash,
    ) -> Position {
        Position {
            cluster: self.cluster,
            shard: self.shard,
            term,
            index,
            kind,
            digest,
        }
    }

    /// Whether the stamp of an entry's content is its claimed proposer's.
    #[must_use]
    pub fn stamp_holds(&self, index: LogIndex, term: u64, payload: &Payload) -> bool {
        let Some(content) = payload.stamped() else {
            return false;
        };
        let position = self.position((term, index), content.kind, content.digest());
        self.keys
            .get(&content.stamp.proposer)
            .is_some_and(|key| content.stamp.verifies(key, &position))
    }

    /// Looks at every entry raft-rs would append as our log stands now: from the first one that is
    /// not in it under the same term. Returns that one's position in the message.
    fn examine(&self, waiting: &mut Waiting, replica: &Replica, desk: &mut Desk) -> usize {
        let message = &waiting.message;
        let fresh = message
            .entries
            .iter()
            .position(|e| replica.term_at(e.index) != Some(e.term))
            .unwrap_or(message.entries.len());
        for (entry, check) in message.entries.iter().zip(&mut waiting.checks).skip(fresh) {
            if matches!(check, Check::Unread) {
                *check = self.check_entry(entry, message, desk);
            }
        }
        fresh
    }

    fn check_entry(&self, entry: &Entry, message: &Message, desk: &mut Desk) -> Check {
        let Ok(payload) = Payload::of_entry(entry) else {
            return Check::Fault(GateFault::Malformed);
        };
        let Some(content) = payload.stamped() else {
            return Check::NoOp;
        };
        let Stamped { kind, bytes, stamp } = content;
        let proposer = stamp.proposer;
        // Only a term's leader proposes in it, and it is the sender who leads this one.
        if entry.term == message.term && proposer.0 != message.from {
            return Check::Fault(GateFault::WrongProposer { proposer });
        }
        let Some(key) = self.keys.get(&proposer) else {
            return Check::Fault(GateFault::WrongProposer { proposer });
        };
        let digest = content.digest();
        let position = self.position((entry.term, entry.index), kind, digest);
        if !stamp.verifies(key, &position) {
            return Check::Fault(GateFault::BadStamp);
        }
        if kind == EntryKind::Registry {
            return match self.verify_change(bytes) {
                Ok(change) => Check::Change(change),
                Err(fault) => Check::Fault(GateFault::InvalidChange(fault)),
            };
        }
        if mutant::is(Mutant::GateSkipped) {
            return Check::NoOp;
        }
        match desk.ask(digest, || Arc::clone(bytes)) {
            Some(batch) => Check::Batch(batch.clone()),
            None => Check::Asked(digest),
        }
    }
}

/// The first entry whose author, circuit or admins the entries before it do not know. What has no
/// verdict of the first stage yet ends the search: it is not at fault before.
fn outsider(waiting: &Waiting, fresh: usize, tail: &Tail) -> Option<(usize, GateFault)> {
    let first = waiting.message.entries.get(fresh)?.index;
    let mut registry = tail.at(first - 1);
    let entries = waiting.message.entries.iter().zip(&waiting.checks);
    for (at, (entry, check)) in entries.enumerate().skip(fresh) {
        let index = entry.index;
        let fault = match check {
            Check::NoOp => continue,
            Check::Batch(batch) => {
                let admitted = registry.admit(index, &batch.batch().header);
                admitted.map_err(GateFault::Invalid)
            }
            Check::Change(change) => {
                let admitted = registry.admit_change(index, change);
                if admitted.is_ok() {
                    registry.to_mut().apply(index, change);
                }
                admitted.map_err(GateFault::InvalidChange)
            }
            Check::NotYet(NotYet::UnknownCircuit { circuit }) => {
                let admitted = registry.admit_circuit(index, circuit);
                return admitted.err().map(|fault| (at, GateFault::Invalid(fault)));
            }
            _ => return None,
        };
        if let Err(fault) = fault {
            return Some((at, fault));
        }
    }
    None
}

fn cut(mut message: Message, len: usize) -> Message {
    message.mut_entries().truncate(len);
    message
}
