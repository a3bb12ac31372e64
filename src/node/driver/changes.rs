//! Clients' registry changes on their way to an outcome.
//!
//! They are few and cheap to verify, so they are verified where they come in; else they go the way
//! of batches: proposed by the leader, wherever it is, answered by the node that took them in.
//! Invariants: 1. a change is proposed only while no unapplied entry carries it; 2. one that was
//! used up its number is never proposed again: its first outcome stands; 3. the bound holds.

use super::clients::PROPOSE_AGAIN_TICKS;
use super::io::{ClientReply, Effect, MAX_PENDING_CHANGES, RETRY_TICKS, StopReason};
use super::submits::Waiter;
use super::{Driver, RequestId};
use crate::ids::{Hash, LogIndex, NodeId};
use crate::log::{EntryKind, Outcome};
use crate::registry::{ChangeFault, VerifiedChange};
use crate::replica::entry::content_digest;
use crate::replica::replica::Proposed;
use crate::replica::{PeerMessage, Role, Stamp};
use raft::eraftpb::Entry;
use std::collections::BTreeMap;
use std::sync::Arc;

struct Waiting {
    change: VerifiedChange,
    waiters: Vec<Waiter>,
    next_try: u64,
}

/// By the change's digest.
#[derive(Default)]
pub struct Changes {
    waiting: BTreeMap<Hash, Waiting>,
}

impl Changes {
    fn has_room(&self) -> bool {
        self.waiting
            .values()
            .map(|w| w.waiters.len())
            .sum::<usize>()
            < MAX_PENDING_CHANGES
    }

    fn wait(&mut self, change: VerifiedChange, waiter: Waiter) {
        let digest = change.digest();
        let waiting = self.waiting.entry(digest).or_insert_with(|| Waiting {
            change,
            waiters: Vec::new(),
            next_try: 0,
        });
        waiting.waiters.push(waiter);
    }

    fn due(&self, tick: u64) -> Vec<Hash> {
        let due = self.waiting.iter().filter(|(_, w)| w.next_try <= tick);
        due.map(|(digest, _)| *digest).collect()
    }

    /// Takes out whoever's deadline has come.
    pub fn expire(&mut self, tick: u64) -> Vec<RequestId> {
        let mut expired = Vec::new();
        self.waiting.retain(|_, waiting| {
            waiting.waiters.retain(|waiter| {
                let wait = waiter.deadline > tick;
                if !wait {
                    expired.push(waiter.request);
                }
                wait
            });
            !waiting.waiters.is_empty()
        });
        expired
    }
}

/// A registry change that was applied or refused.
#[derive(Debug, Clone, Copy)]
pub struct DecidedChange {
    pub digest: Hash,
    pub index: LogIndex,
    pub outcome: Outcome,
}

impl Driver {
    pub(super) fn submit_change(
        &mut self,
        bytes: &Arc<[u8]>,
        waiter: Waiter,
    ) -> Result<(), StopReason> {
        let change = match self.check_change(bytes) {
            Ok(change) => change,
            // A leader's log holds every admin there ever was; another's may lag behind it.
            Err(ChangeFault::UnknownAdmin { .. }) if self.replica.role() != Role::Leader => {
                self.reply(waiter.request, ClientReply::Unavailable);
                return Ok(());
            }
            Err(fault) => {
                self.reply(waiter.request, ClientReply::ChangeRefused(fault));
                return Ok(());
            }
        };
        if !self.changes.has_room() {
            self.reply(waiter.request, ClientReply::Overloaded);
            return Ok(());
        }
        let digest = change.digest();
        self.changes.wait(change, waiter);
        self.drive_change(&digest)
    }

    /// Another node's client's change. Only a leader takes it; its ingress node sends it again.
    pub(super) fn on_forward_change(
        &mut self,
        from: NodeId,
        bytes: &Arc<[u8]>,
    ) -> Result<(), StopReason> {
        if self.replica.role() != Role::Leader {
            return Ok(());
        }
        match self.check_change(bytes) {
            Ok(change) => self.propose_change(&change).map(|_| ()),
            Err(fault) => {
                let alarm = super::Alarm::InvalidForwardedChange { from, fault };
                self.alarm(from, alarm);
                Ok(())
            }
        }
    }

    /// Both stages of the gate, for the entry that would be the next.
    fn check_change(&self, bytes: &Arc<[u8]>) -> Result<VerifiedChange, ChangeFault> {
        let change = self.gate.verify_change(bytes)?;
        let next = self.replica.last_index() + 1;
        self.tail.head().admit_change(next, &change)?;
        Ok(change)
    }

    pub(super) fn drive_all_changes(&mut self) -> Result<(), StopReason> {
        for digest in self.changes.due(u64::MAX) {
            self.drive_change(&digest)?;
        }
        Ok(())
    }

    pub(super) fn retry_changes(&mut self) -> Result<(), StopReason> {
        for digest in self.changes.due(self.tick) {
            self.drive_change(&digest)?;
        }
        Ok(())
    }

    fn drive_change(&mut self, digest: &Hash) -> Result<(), StopReason> {
        if let Some((index, outcome)) = self.durable_change(digest) {
            self.answer_change(digest, index, outcome);
            return Ok(());
        }
        let Some(waiting) = self.changes.waiting.get_mut(digest) else {
            return Ok(());
        };
        waiting.next_try = self.tick + RETRY_TICKS;
        let change = waiting.change.clone();
        if self.replica.role() == Role::Leader {
            if !self.propose_change(&change)?
                && !self.tail.holds(digest)
                && let Some(waiting) = self.changes.waiting.get_mut(digest)
            {
                waiting.next_try = self.tick + PROPOSE_AGAIN_TICKS;
            }
        } else if let Some(leader) = self.replica.leader()
            && !self.quarantine.holds(leader)
        {
            let forward = PeerMessage::ForwardChange {
                change: change.bytes().clone(),
            };
            self.effects.push(Effect::Send {
                to: leader,
                frame: forward.encode(self.shard),
            });
        }
        Ok(())
    }

    /// Where the change with this digest used up its number, durably, and what became of it.
    fn durable_change(&self, digest: &Hash) -> Option<(LogIndex, Outcome)> {
        let changes = self.tail.applied().changes().iter().rev();
        let mut durable = changes.filter(|c| c.index <= self.applied);
        let found = durable.find(|c| c.digest == *digest);
        found.map(|c| (c.index, c.outcome))
    }

    fn propose_change(&mut self, change: &VerifiedChange) -> Result<bool, StopReason> {
        let applied = self.tail.applied().changes().iter();
        let known = applied.rev().any(|c| c.digest == change.digest());
        if known || self.tail.holds(&change.digest()) {
            return Ok(false);
        }
        self.propose_content(EntryKind::Registry, change.bytes())
    }

    /// Proposes content of a kind, signed for the place it takes. Says whether it was proposed.
    pub(super) fn propose_content(
        &mut self,
        kind: EntryKind,
        bytes: &[u8],
    ) -> Result<bool, StopReason> {
        let (me, signing) = (self.me, self.key.clone());
        let (cluster, shard, digest) = (self.cluster, self.shard, content_digest(kind, bytes));
        let proposed = self.raft(|replica| {
            replica.propose(kind, bytes, |index, term| {
                let position = crate::replica::entry::Position {
                    cluster,
                    shard,
                    term,
                    index,
                    kind,
                    digest,
                };
                Stamp::sign(me, &signing, &position)
            })
        })?;
        Ok(matches!(proposed, Proposed::At(_)))
    }

    /// The log's end moved: the registry of the tail follows it.
    pub(super) fn note_change(&mut self, entry: &Entry) -> Result<(), StopReason> {
        let Some((kind, bytes)) = entry.data.split_first() else {
            return Ok(());
        };
        if *kind != EntryKind::Registry.code() {
            return Ok(());
        }
        let index = entry.index;
        let change = self
            .gate
            .verify_change(&Arc::from(bytes))
            .map_err(|fault| StopReason::InvalidChange { index, fault })?;
        let manifest = change.manifest().cloned();
        if self.tail.append(index, change) == Outcome::Applied
            && let Some(manifest) = manifest
        {
            self.effects.push(Effect::LearnCircuit(manifest));
        }
        Ok(())
    }

    /// A change was decided and is durable: whoever waits for it here is answered.
    pub(super) fn answer_decided_change(&mut self, decided: &DecidedChange) {
        // A second copy of such a change is refused in the log; the first outcome stands.
        let first = self.durable_change(&decided.digest);
        let (index, outcome) = first.unwrap_or((decided.index, decided.outcome));
        self.answer_change(&decided.digest, index, outcome);
    }

    fn answer_change(&mut self, digest: &Hash, index: LogIndex, outcome: Outcome) {
        let waiting = self.changes.waiting.remove(digest);
        for waiter in waiting.into_iter().flat_map(|w| w.waiters) {
            self.reply(waiter.request, ClientReply::Decided { index, outcome });
        }
    }
}
