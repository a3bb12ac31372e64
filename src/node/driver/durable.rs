//! From raft-rs's `Ready` to the store and back: persist, release, apply.
//!
//! Crash points: 1. entries, hard state and the effects of apply are in one batch, so a crash
//! leaves all of it or none; 2. messages, replies and signatures that speak of a batch leave after
//! its `Persisted`, so nothing is promised that a crash takes back.

use super::changes::DecidedChange;
use super::io::{ClientReply, Effect, MAX_APPLY_ENTRIES, StopReason};
use super::pipeline::{Decided, Gathered};
use super::{Driver, DriverError};
use crate::ids::{ClusterId, LogIndex, NodeId, ShardId};
use crate::kv::{Overlay, Read, StoreError};
use crate::log::{EntryKind, Outcome, Record, ledger};
use crate::replica::entry::batch_digest;
use crate::replica::message::is_peer_message;
use crate::replica::stored;
use crate::replica::{Mark, Payload, PeerMessage};
use raft::eraftpb::{Entry, Message, MessageType};
use ukehi_circuits::field;

/// Entries that are verified again ahead of apply, after a restart.
const VERIFY_AHEAD: u64 = 64;

/// The applied index, or `None` for a store nothing was ever written to.
pub(super) fn load_applied(
    store: &dyn Read,
    shard: ShardId,
    cluster: ClusterId,
) -> Result<Option<LogIndex>, DriverError> {
    match stored::applied(store, shard)? {
        Some((_, found)) if found != cluster => Err(DriverError::WrongCluster),
        applied => Ok(applied.map(|(index, _)| index)),
    }
}

impl Driver {
    /// Leaf 0, in a batch of its own.
    pub(super) fn write_genesis(&mut self) -> Result<(), StoreError> {
        let gathered = &mut self.pipeline.next;
        let mut overlay = Overlay::new(&*self.store, &mut gathered.writes);
        ledger::append_record(&mut overlay, self.shard, &Record::genesis(self.cluster))?;
        gathered.applied = Some(0);
        self.put_applied(0);
        Ok(())
    }

    /// The registry of the stored log's unapplied entries, and the circuits the log activated.
    pub(super) fn load_tail(&mut self) -> Result<(), DriverError> {
        let learned = self.tail.head().manifests().cloned();
        self.effects.extend(learned.map(Effect::LearnCircuit));
        for index in self.applied + 1..=self.replica.log().last() {
            let entry = self.replica.log().entry(index)?;
            let entry = entry.expect("an entry within the log is there, or is damage");
            self.note_change(&entry).map_err(|stop| match stop {
                StopReason::InvalidChange { index, fault } => {
                    DriverError::InvalidChange { index, fault }
                }
                other => unreachable!("noting a change does nothing else: {other}"),
            })?;
        }
        Ok(())
    }

    fn put_applied(&mut self, index: LogIndex) {
        let writes = &mut self.pipeline.next.writes;
        stored::put_applied(self.shard, index, self.cluster, writes);
    }

    /// Takes everything raft-rs has ready.
    pub(super) fn absorb(&mut self) -> Result<(), StopReason> {
        while let Some(mut ready) = self.replica.ready().map_err(StopReason::Replica)? {
            for state in ready.take_read_states() {
                self.reads.confirmed(&state.request_ctx, state.index);
            }
            let entries = ready.take_entries();
            if let Some(first) = entries.first() {
                self.submits.truncate_log(first.index);
                self.tail.truncate(first.index);
                let writes = &mut self.pipeline.next.writes;
                self.replica.log_mut().append(&entries, writes);
                for entry in &entries {
                    self.note_in_log(entry);
                    self.note_change(entry)?;
                }
            }
            if let Some(last) = ready.committed_entries().last() {
                self.committed = last.index;
            }
            let next = &mut self.pipeline.next;
            next.hard |= ready.must_sync();
            next.ready = Some(ready.number());
            next.messages.extend(ready.take_persisted_messages());
            // Only a leader has these: it may send before its own write is done (thesis §10.2.1).
            let at_once = ready.take_messages();
            self.replica.absorbed(ready).map_err(StopReason::Replica)?;
            self.send_raft(at_once);
        }
        self.quarantine.release(self.replica.commit());
        Ok(())
    }

    fn note_in_log(&mut self, entry: &Entry) {
        if let Some(batch) = batch_digest(entry).and_then(|digest| self.desk.get(&digest)) {
            let header = &batch.batch().header;
            self.submits
                .note_in_log(header.author, header.author_seq, entry.index);
        }
    }

    fn send_raft(&mut self, messages: Vec<Message>) {
        for message in messages {
            let kind = message.get_msg_type();
            if !is_peer_message(kind) {
                continue;
            }
            if matches!(
                kind,
                MessageType::MsgRequestVote | MessageType::MsgRequestPreVote
            ) {
                self.sanitizer.campaigned(message.term, kind);
            }
            let to = NodeId(message.to);
            let frame = PeerMessage::Raft(message).encode(self.shard);
            self.effects.push(Effect::Send { to, frame });
        }
    }

    /// Applies what can be applied and hands out the next batch, unless one is outstanding.
    pub(super) fn flush(&mut self) -> Result<(), StopReason> {
        while !self.pipeline.is_writing() {
            self.apply_committed()?;
            if self.pipeline.next.is_empty() {
                return Ok(());
            }
            if self.pipeline.next.writes_anything() {
                // The hard record goes with every batch: on disk, commit is never below applied.
                let hard = self.replica.hard_state();
                let matched = self.sanitizer.matched();
                let next = &mut self.pipeline.next;
                let log = self.replica.log_mut();
                let hard = log.emit(&hard, matched, &mut next.writes);
                let applied = next.applied.unwrap_or(self.applied);
                let cosigned = self.cosigned_size.max(next.saved.unwrap_or(0));
                let (token, batch) = self.pipeline.start();
                self.effects.push(Effect::Persist {
                    token,
                    batch,
                    mark: Mark::new(&hard, applied, cosigned),
                    sync: true,
                });
                return Ok(());
            }
            // Only the commit index moved, or nothing at all: all it rests on is on disk.
            let gathered = std::mem::take(&mut self.pipeline.next);
            self.release(gathered)?;
        }
        Ok(())
    }

    pub(super) fn on_persisted(&mut self, token: u64) -> Result<(), StopReason> {
        let Some(gathered) = self.pipeline.finish(token) else {
            return Ok(());
        };
        self.replica.log_mut().persisted();
        self.release(gathered)
    }

    /// Everything in `gathered` is durable: what waited for that happens now.
    fn release(&mut self, gathered: Gathered) -> Result<(), StopReason> {
        self.send_raft(gathered.messages);
        if let Some(number) = gathered.ready {
            self.raft(|r| r.persisted(number))?;
        }
        if let Some(size) = gathered.saved {
            self.cosigned_size = self.cosigned_size.max(size);
            self.warn_of_disagreement();
        }
        let Some(applied) = gathered.applied else {
            return Ok(());
        };
        self.applied = applied;
        self.raft(|r| r.applied_to(applied))?;
        self.cosigner.applied(applied + 1);
        self.submits.applied_to(applied);
        for decided in &gathered.decided {
            self.desk.forget(&decided.digest);
            self.answer_decided(decided)?;
        }
        for decided in &gathered.decided_changes {
            self.answer_decided_change(decided);
        }
        for request in self.reads.readable(applied) {
            self.reply(request, ClientReply::Readable { applied });
        }
        Ok(())
    }

    /// Applies committed entries into the next batch, in order, as far as they are verified.
    fn apply_committed(&mut self) -> Result<(), StopReason> {
        let from = match self.pipeline.next.applied {
            // Leaf 0 waits there: nothing is applied on top of it before it is written.
            Some(_) => return Ok(()),
            None => self.applied + 1,
        };
        let to = self.committed.min(self.applied + MAX_APPLY_ENTRIES as u64);
        let mut last = None;
        for index in from..=to {
            if !self.apply_entry(index)? {
                break;
            }
            last = Some(index);
        }
        if let Some(last) = last {
            self.pipeline.next.applied = Some(last);
            self.put_applied(last);
        }
        Ok(())
    }

    /// Applies one entry; `false` if its batch has to be verified first.
    fn apply_entry(&mut self, index: LogIndex) -> Result<bool, StopReason> {
        let entry = self.committed_entry(index)?;
        let Some(digest) = batch_digest(&entry) else {
            match entry.data.is_empty() {
                true => self.append_record(&Record::no_op(index))?,
                false => self.apply_change(index)?,
            }
            return Ok(true);
        };
        let Some(batch) = self.desk.get(&digest).cloned() else {
            self.verify_committed(index)?;
            return Ok(false);
        };
        let mut overlay = Overlay::new(&*self.store, &mut self.pipeline.next.writes);
        let outcome = self
            .machine
            .apply(index, &batch, &mut overlay)
            .map_err(StopReason::Store)?;
        let header = &batch.batch().header;
        let x = field::encode(batch.x());
        self.append_record(&Record {
            index,
            kind: EntryKind::Batch,
            header_digest: header.digest(),
            x,
            outcome,
        })?;
        self.pipeline.next.decided.push(Decided {
            digest,
            author: header.author,
            seq: header.author_seq,
            x,
            index,
            outcome,
        });
        Ok(true)
    }

    fn apply_change(&mut self, index: LogIndex) -> Result<(), StopReason> {
        let change = self.tail.change(index).cloned();
        let change = change.expect("the tail holds every unapplied change of the log");
        let mut overlay = Overlay::new(&*self.store, &mut self.pipeline.next.writes);
        let outcome = self
            .machine
            .apply_change(index, &change, &mut overlay)
            .map_err(StopReason::Store)?;
        self.tail.decided(outcome);
        let digest = change.digest();
        self.append_record(&Record::registry(index, digest, outcome))?;
        self.pipeline.next.decided_changes.push(DecidedChange {
            digest,
            index,
            outcome,
        });
        Ok(())
    }

    fn append_record(&mut self, record: &Record) -> Result<(), StopReason> {
        debug_assert!(record.kind != EntryKind::NoOp || record.outcome == Outcome::Applied);
        let mut overlay = Overlay::new(&*self.store, &mut self.pipeline.next.writes);
        ledger::append_record(&mut overlay, self.shard, record).map_err(StopReason::Store)
    }

    fn committed_entry(&self, index: LogIndex) -> Result<Entry, StopReason> {
        self.replica
            .log()
            .entry(index)
            .map_err(StopReason::Store)
            .map(|entry| entry.expect("a committed entry is in the log"))
    }

    /// Asks again for the verdicts of committed batches this process has not verified itself:
    /// after a restart, or when the memo had to forget them.
    fn verify_committed(&mut self, from: LogIndex) -> Result<(), StopReason> {
        if self.tick < self.verify_again {
            return Ok(());
        }
        for index in from..=self.committed.min(from + VERIFY_AHEAD - 1) {
            let entry = self.committed_entry(index)?;
            let Ok(Payload::Batch { bytes, .. }) = Payload::of_entry(&entry) else {
                continue;
            };
            let digest = batch_digest(&entry).expect("a batch entry has data");
            if self.unverified.contains(&digest) {
                continue;
            }
            if self.desk.ask(digest, || bytes).is_none() {
                self.unverified.insert(digest);
            }
        }
        Ok(())
    }
}
