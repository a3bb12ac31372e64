//! What follows when a peer sends what must not be stepped: evidence, quarantine, telling the others, and joining
//! another's refusal.
//!
//! Invariant: nobody is convicted on another's word: this node's own gate has refused the entry too.

use super::Driver;
use super::io::{Alarm, Effect, MAX_REFUSALS, StopReason};
use crate::batch::{NotYet, Verdict};
use crate::ids::{Hash, LogIndex, NodeId, Term};
use crate::log::EntryKind;
use crate::registry::Registry;
use crate::replica::evidence::{Claim, MAX_EVIDENCE};
use crate::replica::gate::{Accusation, GateFault};
use crate::replica::{Evidence, Payload, PeerMessage};
use raft::eraftpb::Message;
use std::collections::BTreeSet;

impl Driver {
    /// The gate refuses an entry of `from`.
    pub(super) fn accuse(
        &mut self,
        from: NodeId,
        accusation: Accusation,
    ) -> Result<(), StopReason> {
        let Accusation { entry, fault } = accusation;
        let (index, term) = (entry.index, entry.term);
        let evidence = match (&fault, Payload::of_entry(&entry)) {
            (fault, Ok(payload)) if fault.is_of_content() => Evidence::Refused {
                sender: from,
                index,
                term,
                payload,
            },
            _ => Evidence::Claim {
                sender: from,
                index,
                term,
                claim: Claim::BadStamp,
            },
        };
        self.convict(&evidence, fault);
        self.check_gate_disagreement(&evidence)
    }

    /// Opens the quarantine, keeps the evidence and tells the others.
    fn convict(&mut self, evidence: &Evidence, reason: GateFault) {
        for node in evidence.accused() {
            self.gate.clear(node);
        }
        if !self.quarantine.open(evidence, self.replica.commit()) {
            return;
        }
        self.keep_evidence(evidence);
        let (term, index) = evidence.place();
        for node in evidence.accused() {
            let reason = reason.clone();
            let alarm = Alarm::Quarantined {
                node,
                term,
                index,
                reason,
            };
            self.alarm(node, alarm);
        }
        self.tell_refusal(evidence);
    }

    pub(super) fn keep_evidence(&mut self, evidence: &Evidence) {
        if self.evidence_count < MAX_EVIDENCE {
            self.evidence_count += 1;
            evidence.put(self.shard, &mut self.pipeline.next.writes);
        }
    }

    /// The same refused batch from a majority is not one node's crime: their gate differs.
    fn check_gate_disagreement(&self, evidence: &Evidence) -> Result<(), StopReason> {
        let Some(digest) = evidence.refused_digest() else {
            return Ok(());
        };
        let same = self
            .quarantine
            .portable()
            .filter(|e| e.refused_digest() == Some(digest));
        let senders: BTreeSet<NodeId> = same
            .filter_map(|e| match e {
                Evidence::Refused { sender, .. } => Some(*sender),
                _ => None,
            })
            .collect();
        if senders.len() >= self.genesis.majority() {
            let (_, index) = evidence.place();
            return Err(StopReason::GateDisagreement { index });
        }
        Ok(())
    }

    /// A majority's checkpoint lies beyond a place where we refused something.
    pub(super) fn warn_of_disagreement(&mut self) {
        let size = self.cosigned_size;
        let mut cases = self.quarantine.cases();
        let Some(index) = cases.find(|case| case.index < size).map(|case| case.index) else {
            return;
        };
        if self.warned_disagreement != Some(index) {
            self.warned_disagreement = Some(index);
            self.effects
                .push(Effect::Alarm(Alarm::GateDisagreement { index }));
        }
    }

    fn tell_refusal(&mut self, evidence: &Evidence) {
        let Evidence::Refused {
            index,
            term,
            payload,
            ..
        } = evidence
        else {
            return;
        };
        let frame = PeerMessage::Refusal {
            index: *index,
            term: *term,
            payload: payload.clone(),
        }
        .encode(self.shard);
        let me = self.me;
        for to in self.genesis.nodes.iter().map(|n| n.id).filter(|n| *n != me) {
            self.effects.push(Effect::Send {
                to,
                frame: frame.clone(),
            });
        }
    }

    /// Frames get lost: an open case is told again.
    pub(super) fn repeat_refusals(&mut self) {
        let open: Vec<Evidence> = self.quarantine.portable().take(1).cloned().collect();
        for evidence in &open {
            self.tell_refusal(evidence);
        }
    }

    /// Somebody shows an entry its gate refuses. If the stamp holds and our gate agrees, we join.
    pub(super) fn on_refusal(
        &mut self,
        from: NodeId,
        index: LogIndex,
        term: Term,
        payload: Payload,
    ) -> Result<(), StopReason> {
        let Some(content) = payload.stamped() else {
            return Ok(());
        };
        let proposer = content.stamp.proposer;
        if index <= self.replica.commit()
            || proposer == self.me
            || self.refusals.len() >= MAX_REFUSALS
            || self
                .quarantine
                .cases()
                .any(|c| (c.node, c.index) == (proposer, index))
            || !self.gate.stamp_holds(index, term, &payload)
        {
            return Ok(());
        }
        let (kind, digest, bytes) = (content.kind, content.digest(), content.bytes.clone());
        let case = Evidence::Refused {
            sender: proposer,
            index,
            term,
            payload,
        };
        if kind == EntryKind::Registry {
            let judged = match self.gate.verify_change(&bytes) {
                Ok(change) => self.judge_there(&case, |registry| {
                    let admitted = registry.admit_change(index, &change);
                    admitted.map_err(GateFault::InvalidChange)
                }),
                Err(fault) => Some(Err(GateFault::InvalidChange(fault))),
            };
            self.conclude(from, &case, judged);
        } else if let Some(batch) = self.desk.ask(digest, || bytes).cloned() {
            self.conclude_batch(from, &case, &Verdict::Valid(batch));
        } else {
            self.refusals.insert(digest, (from, case));
        }
        Ok(())
    }

    /// What the registry of the log before a refused entry says of it; `None` if this node does
    /// not have that log. It does where its entry before that place is of the same term: a leader's
    /// term starts with its no-op, and entries of one index and term have one log before them
    /// (Raft §5.3).
    fn judge_there(
        &self,
        case: &Evidence,
        judge: impl FnOnce(&Registry) -> Result<(), GateFault>,
    ) -> Option<Result<(), GateFault>> {
        let (term, index) = case.place();
        if self.replica.term_at(index.checked_sub(1)?) != Some(term) {
            return None;
        }
        Some(judge(&self.tail.at(index - 1)))
    }

    fn conclude_batch(&mut self, accuser: NodeId, case: &Evidence, verdict: &Verdict) {
        let (_, index) = case.place();
        let judged = match verdict {
            Verdict::Valid(batch) => self.judge_there(case, |registry| {
                let admitted = registry.admit(index, &batch.batch().header);
                admitted.map_err(GateFault::Invalid)
            }),
            Verdict::Invalid(fault) => Some(Err(GateFault::Invalid(fault.clone()))),
            // That the circuit is known to the log does not say that the batch is valid.
            Verdict::NotYet(NotYet::UnknownCircuit { circuit }) => self
                .judge_there(case, |registry| {
                    let admitted = registry.admit_circuit(index, circuit);
                    admitted.map_err(GateFault::Invalid)
                })
                .filter(Result::is_err),
            Verdict::NotYet(_) => None,
        };
        self.conclude(accuser, case, judged);
    }

    fn conclude(
        &mut self,
        accuser: NodeId,
        case: &Evidence,
        judged: Option<Result<(), GateFault>>,
    ) {
        match judged {
            None => {}
            Some(Err(fault)) => self.convict(case, fault),
            Some(Ok(())) => {
                for proposer in case.accused() {
                    self.alarm(accuser, Alarm::FalseRefusal { accuser, proposer });
                }
            }
        }
    }

    pub(super) fn settle_refusal(
        &mut self,
        digest: &Hash,
        verdict: &Verdict,
    ) -> Result<(), StopReason> {
        let Some((accuser, case)) = self.refusals.remove(digest) else {
            return Ok(());
        };
        self.conclude_batch(accuser, &case, verdict);
        Ok(())
    }

    /// Two stamps of one proposer for one place: kept, whichever of the batches is in our log.
    pub(super) fn check_equivocation(&mut self, message: &Message) {
        let mut found = None;
        for entry in &message.entries {
            let Some(ours) = self.replica.log().cached(entry.index) else {
                continue;
            };
            if ours.term != entry.term || ours.data == entry.data {
                continue;
            }
            if let (Ok(ours), Ok(theirs)) = (Payload::of_entry(ours), Payload::of_entry(entry))
                && let (Some(one), Some(two)) = (ours.stamped(), theirs.stamped())
                && one.stamp.proposer == two.stamp.proposer
                && self.gate.stamp_holds(entry.index, entry.term, &theirs)
            {
                found = Some(Evidence::Equivocation {
                    index: entry.index,
                    term: entry.term,
                    proposer: one.stamp.proposer,
                    contents: [one, two].map(|c| (c.kind, c.digest(), c.stamp.signature)),
                });
                break;
            }
        }
        if let Some(evidence) = found {
            self.keep_evidence(&evidence);
            let (term, index) = evidence.place();
            for proposer in evidence.accused() {
                self.alarm(
                    proposer,
                    Alarm::Equivocation {
                        proposer,
                        term,
                        index,
                    },
                );
            }
        }
    }
}
