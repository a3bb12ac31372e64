//! What peers send: sanitised, gated, stepped. What follows when it must not be is in `refusals`.

use super::io::{Alarm, StopReason};
use super::{Driver, mutated};
use crate::batch::Verdict;
use crate::ids::{Hash, NodeId};
use crate::replica::evidence::Claim;
use crate::replica::gate::Released;
use crate::replica::sanitize::{Standing, Unfit};
use crate::replica::{Evidence, PeerMessage};
use raft::eraftpb::{Message, MessageType};

/// A committed batch whose verification gave no verdict is asked about again this much later.
const VERIFY_AGAIN_TICKS: u64 = 4;

impl Driver {
    pub(super) fn on_frame(&mut self, from: NodeId, frame: &[u8]) -> Result<(), StopReason> {
        match PeerMessage::decode(self.shard, frame) {
            Ok(PeerMessage::Raft(message)) => self.on_raft(from, message),
            Ok(PeerMessage::Forward { batch }) => self.on_forward(from, batch),
            Ok(PeerMessage::ForwardChange { change }) => self.on_forward_change(from, &change),
            Ok(PeerMessage::Refusal {
                index,
                term,
                payload,
            }) => self.on_refusal(from, index, term, payload),
            Err(reason) => {
                self.alarm(from, Alarm::Frame { from, reason });
                Ok(())
            }
        }
    }

    fn on_raft(&mut self, from: NodeId, mut message: Message) -> Result<(), StopReason> {
        let kind = message.get_msg_type();
        if mutated::ignores(&message, self.replica.term()) {
            return Ok(());
        }
        if self.quarantine.blocks(from, kind) || !self.admit(from, &mut message) {
            return Ok(());
        }
        if kind != MessageType::MsgAppend {
            return self.raft(|replica| replica.step(message));
        }
        self.check_equivocation(&message);
        let waits = self.gate.is_waiting(from);
        if message.term < self.replica.term() || (message.entries.is_empty() && !waits) {
            return self.step_append(from, message);
        }
        if let Err(full) = self
            .gate
            .enqueue(from, message, &self.replica, &mut self.desk)
        {
            self.alarm(from, Alarm::LaneFull(full));
            return Ok(());
        }
        self.drain_lane(from)
    }

    fn admit(&mut self, from: NodeId, message: &mut Message) -> bool {
        let standing = Standing {
            replica: &self.replica,
            cosigned: self.cosigner.cosigned(),
            reading: self.reads.asking(),
        };
        let Err(reason) = self.sanitizer.admit(from, message, &standing) else {
            return true;
        };
        let claim = match reason {
            Unfit::SecondLeader { term, other, .. } => Some((other, term, 0, Claim::SecondLeader)),
            Unfit::Conflict {
                leader,
                term,
                index,
            } => Some((leader, term, index, Claim::Conflict)),
            _ => None,
        };
        if let Some((sender, term, index, claim)) = claim {
            self.keep_evidence(&Evidence::Claim {
                sender,
                index,
                term,
                claim,
            });
        }
        if reason.is_misbehaviour() {
            self.alarm(from, Alarm::Misbehaviour { from, reason });
        }
        false
    }

    fn step_append(&mut self, from: NodeId, message: Message) -> Result<(), StopReason> {
        let term = message.term;
        let connects = self.replica.term_at(message.index) == Some(message.log_term)
            && message.index >= self.replica.commit();
        let matched = message.index + message.entries.len() as u64;
        self.raft(|replica| replica.step(message))?;
        if connects && self.replica.term() == term {
            let last = self.replica.last_index();
            self.sanitizer.note_matched(term, from, matched, last);
        }
        Ok(())
    }

    fn next_released(&mut self, from: NodeId) -> Option<Released> {
        self.gate
            .release(from, &self.replica, &mut self.desk, &self.tail)
    }

    /// Steps whatever of a sender's lane has its verdicts, in order.
    fn drain_lane(&mut self, from: NodeId) -> Result<(), StopReason> {
        while let Some(released) = self.next_released(from) {
            match released {
                Released::Stale => {}
                Released::Step(message) => self.step_released(from, message)?,
                Released::Deferred(prefix, _) if prefix.entries.is_empty() => {}
                Released::Deferred(prefix, _) => self.step_released(from, prefix)?,
                Released::Accuse(prefix, accusation) => {
                    if !prefix.entries.is_empty() {
                        self.step_released(from, prefix)?;
                    }
                    return self.accuse(from, accusation);
                }
            }
        }
        Ok(())
    }

    /// Terms, leaders and commits may have moved while it waited.
    fn step_released(&mut self, from: NodeId, mut message: Message) -> Result<(), StopReason> {
        match !self.quarantine.holds(from) && self.admit(from, &mut message) {
            true => self.step_append(from, message),
            false => Ok(()),
        }
    }

    pub(super) fn on_verified(
        &mut self,
        ticket: u64,
        verdicts: Vec<Verdict>,
    ) -> Result<(), StopReason> {
        for (digest, verdict) in self.desk.verified(ticket, verdicts) {
            self.gate.settle(&digest, &verdict);
            self.settle_clients(&digest, &verdict)?;
            self.settle_refusal(&digest, &verdict)?;
            self.settle_committed(&digest, &verdict)?;
        }
        for from in self.gate.senders() {
            self.drain_lane(from)?;
        }
        Ok(())
    }

    /// A committed batch was verified again.
    fn settle_committed(&mut self, digest: &Hash, verdict: &Verdict) -> Result<(), StopReason> {
        if !self.unverified.remove(digest) {
            return Ok(());
        }
        match verdict {
            Verdict::Valid(_) => Ok(()),
            Verdict::NotYet(_) => {
                self.verify_again = self.tick + VERIFY_AGAIN_TICKS;
                Ok(())
            }
            Verdict::Invalid(fault) => Err(StopReason::CommittedInvalid {
                index: self.applied + 1,
                fault: fault.clone(),
            }),
        }
    }
}
