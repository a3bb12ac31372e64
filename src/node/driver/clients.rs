//! Clients' commands: verified here first, then proposed by the leader, wherever it is; answered
//! by the node that took them in, when it has applied them.

use super::io::{Alarm, ClientCommand, ClientReply, Effect, MAX_FORWARDS, RETRY_TICKS, StopReason};
use super::pipeline::Decided;
use super::submits::{Key, Waiter};
use super::{Driver, RequestId};
use crate::batch::{Header, MAX_BATCH_BYTES, NotYet, SealedBatch, Verdict, VerifiedBatch};
use crate::ids::{AuthorSeq, Hash, LogIndex, NodeId};
use crate::keyspace::session::{self, Freshness};
use crate::log::{EntryKind, Outcome};
use crate::mutant::{self, Mutant};
use crate::replica::{PeerMessage, Role};
use crate::wire::WireError;
use std::sync::Arc;
use ukehi_circuits::field;
use ukehi_keys::AuthorId;

/// A leader whose uncommitted log is full tries again this soon, in ticks.
pub(super) const PROPOSE_AGAIN_TICKS: u64 = 2;

impl Driver {
    pub(super) fn on_client(
        &mut self,
        request: RequestId,
        command: ClientCommand,
        deadline_ticks: u64,
    ) -> Result<(), StopReason> {
        let deadline = self.tick.saturating_add(deadline_ticks.max(1));
        match command {
            ClientCommand::Barrier => {
                if !self.reads.add(request, deadline) {
                    self.reply(request, ClientReply::Overloaded);
                }
                Ok(())
            }
            ClientCommand::Submit(bytes) => self.submit(bytes, Waiter { request, deadline }),
            ClientCommand::Change(bytes) => {
                self.submit_change(&bytes, Waiter { request, deadline })
            }
        }
    }

    fn submit(&mut self, bytes: Arc<[u8]>, waiter: Waiter) -> Result<(), StopReason> {
        if bytes.len() > MAX_BATCH_BYTES {
            let too_long = WireError::TooLong {
                field: "batch",
                found: bytes.len() as u64,
                limit: MAX_BATCH_BYTES,
            };
            self.reply(waiter.request, ClientReply::Refused(too_long.into()));
            return Ok(());
        }
        if !self.submits.has_room(bytes.len()) {
            self.reply(waiter.request, ClientReply::Overloaded);
            return Ok(());
        }
        let digest = SealedBatch::digest(&bytes);
        match self.desk.ask(digest, || bytes.clone()).cloned() {
            Some(batch) => self.wait_for(batch, waiter),
            None => {
                self.submits.verify(digest, bytes.len(), waiter);
                Ok(())
            }
        }
    }

    /// A verdict has come for clients here, or for another node's.
    pub(super) fn settle_clients(
        &mut self,
        digest: &Hash,
        verdict: &Verdict,
    ) -> Result<(), StopReason> {
        for waiter in self.submits.take_verifying(digest) {
            match verdict {
                Verdict::Valid(batch) => self.wait_for(batch.clone(), waiter)?,
                Verdict::Invalid(fault) => {
                    self.reply(waiter.request, ClientReply::Refused(fault.clone()));
                }
                Verdict::NotYet(reason) => {
                    let reply = self.undecided(*reason);
                    self.reply(waiter.request, reply);
                }
            }
        }
        let Some(from) = self.forwards.remove(digest) else {
            return Ok(());
        };
        match verdict {
            Verdict::Valid(batch) => self.propose(batch).map(|_| ()),
            Verdict::Invalid(fault) => {
                let fault = fault.clone();
                self.alarm(from, Alarm::InvalidForward { from, fault });
                Ok(())
            }
            Verdict::NotYet(_) => Ok(()),
        }
    }

    /// A batch under a circuit that was never activated is refused; under one whose key is on its
    /// way here, it may come again.
    fn undecided(&self, reason: NotYet) -> ClientReply {
        let NotYet::UnknownCircuit { circuit } = reason else {
            return ClientReply::Overloaded;
        };
        let next = self.replica.last_index() + 1;
        match self.tail.head().admit_circuit(next, &circuit) {
            Err(fault) if self.replica.role() == Role::Leader => ClientReply::Refused(fault),
            _ => ClientReply::Unavailable,
        }
    }

    /// Why a client's batch is not taken: its author or circuit stands in no entry before it.
    fn turned_away(&self, header: &Header) -> Option<ClientReply> {
        let next = self.replica.last_index() + 1;
        let fault = self.tail.head().admit(next, header).err()?;
        // Who was registered behind the anchor is refused anyway; an author of the anchored
        // prefix may be one this node has not heard of yet, and another node knows.
        match self.replica.role() == Role::Leader || header.anchor.size <= next {
            true => Some(ClientReply::Refused(fault)),
            false => Some(ClientReply::Unavailable),
        }
    }

    fn wait_for(&mut self, batch: VerifiedBatch, waiter: Waiter) -> Result<(), StopReason> {
        if let Some(reply) = self.turned_away(&batch.batch().header) {
            self.reply(waiter.request, reply);
            return Ok(());
        }
        let key = self.submits.wait(batch, waiter);
        self.drive_submit(&key)
    }

    /// Another node's client's batch. Only a leader takes it; its ingress node sends it again.
    pub(super) fn on_forward(&mut self, from: NodeId, bytes: Arc<[u8]>) -> Result<(), StopReason> {
        if self.replica.role() != Role::Leader || self.forwards.len() >= MAX_FORWARDS {
            return Ok(());
        }
        let digest = SealedBatch::digest(&bytes);
        match self.desk.ask(digest, || bytes).cloned() {
            Some(batch) => self.propose(&batch).map(|_| ()),
            None => {
                self.forwards.insert(digest, from);
                Ok(())
            }
        }
    }

    pub(super) fn drive_all_submits(&mut self) -> Result<(), StopReason> {
        for key in self.submits.keys() {
            self.drive_submit(&key)?;
        }
        Ok(())
    }

    pub(super) fn retry_submits(&mut self) -> Result<(), StopReason> {
        for key in self.submits.due(self.tick) {
            self.drive_submit(&key)?;
        }
        Ok(())
    }

    /// Answers a waiting submit if it is decided, else proposes it or sends it to who can.
    fn drive_submit(&mut self, key: &Key) -> Result<(), StopReason> {
        let (author, seq, _) = key;
        if let Some((index, outcome)) = self.decision(key)? {
            self.answer(key, index, outcome);
            return Ok(());
        }
        let Some(batch) = self.submits.attempt(key, self.tick + RETRY_TICKS) else {
            return Ok(());
        };
        if self.replica.role() == Role::Leader {
            if !self.propose(&batch)? && !self.submits.is_in_log(*author, *seq) {
                self.submits.attempt(key, self.tick + PROPOSE_AGAIN_TICKS);
            }
        } else if let Some(leader) = self.replica.leader()
            && !self.quarantine.holds(leader)
        {
            let forward = PeerMessage::Forward {
                batch: Arc::from(batch.bytes()),
            };
            self.effects.push(Effect::Send {
                to: leader,
                frame: forward.encode(self.shard),
            });
        }
        Ok(())
    }

    /// What the durable state says of a sequence, seen from the batch with this x.
    fn decision(&self, key: &Key) -> Result<Option<(LogIndex, Outcome)>, StopReason> {
        let (author, seq, x) = key;
        let found = session::lookup(&*self.store, self.shard, author, *seq);
        Ok(match found.map_err(StopReason::Store)? {
            Freshness::Fresh => None,
            Freshness::Used(session) if session.x == *x => Some((session.index, session.outcome)),
            Freshness::Used(session) => Some((session.index, Outcome::SequenceConflict)),
            Freshness::BelowWindow => Some((self.applied, Outcome::OutcomeUnknown)),
        })
    }

    /// Proposes a batch unless its sequence is used or its entry is already on the way. Says
    /// whether it was proposed.
    fn propose(&mut self, batch: &VerifiedBatch) -> Result<bool, StopReason> {
        let header = &batch.batch().header;
        let (author, seq): (AuthorId, AuthorSeq) = (header.author, header.author_seq);
        let key = (author, seq, field::encode(batch.x()));
        if self.replica.role() != Role::Leader
            || self.submits.is_in_log(author, seq)
            || self.decision(&key)?.is_some()
            || self.turned_away(header).is_some()
        {
            return Ok(false);
        }
        // The memo must know the batch when its entry is appended and when it is applied.
        self.desk.keep(batch);
        self.propose_content(EntryKind::Batch, batch.bytes())
    }

    /// A batch was applied and is durable: whoever waits for it here is answered.
    pub(super) fn answer_decided(&mut self, decided: &Decided) -> Result<(), StopReason> {
        let key = (decided.author, decided.seq, decided.x);
        // A duplicate's outcome is the first one's, and that is what its session says.
        let (index, outcome) = match self.decision(&key)? {
            Some(first) if decided.outcome == Outcome::Duplicate => first,
            _ => (decided.index, decided.outcome),
        };
        self.answer(&key, index, outcome);
        Ok(())
    }

    fn answer(&mut self, key: &Key, index: LogIndex, outcome: Outcome) {
        for waiter in self.submits.finish(key) {
            self.reply(waiter.request, ClientReply::Decided { index, outcome });
        }
    }

    pub(super) fn drive_reads(&mut self) -> Result<(), StopReason> {
        if let Some(context) = self.reads.next(self.tick) {
            match mutant::is(Mutant::ReadWithoutQuorum) && self.replica.role() == Role::Leader {
                true => self.reads.confirmed(&context, self.replica.commit()),
                false => self.raft(|replica| replica.read_index(context))?,
            }
        }
        for request in self.reads.readable(self.applied) {
            let applied = self.applied;
            self.reply(request, ClientReply::Readable { applied });
        }
        Ok(())
    }

    pub(super) fn expire_clients(&mut self) {
        let expired = self.submits.expire(self.tick);
        let reads = self.reads.expire(self.tick);
        let changes = self.changes.expire(self.tick);
        for request in expired.into_iter().chain(reads).chain(changes) {
            self.reply(request, ClientReply::Unavailable);
        }
    }
}
