//! What a peer's message may say before raft-rs sees it: clamped, or refused with a reason.
//!
//! raft-rs trusts its peers and panics on what it believes impossible. Each rule here names what
//! it guards: a panic, an index that overflows, a commit index that is not the sender's to
//! announce (architecture.md, Commit). A clamp only ever makes a message say less.
//! Knows nothing of batches, signatures or queues.

use super::raft_log::Matched;
use super::replica::{Replica, Role};
use crate::ids::{LogIndex, NodeId, Term, TreeSize};
use raft::eraftpb::{Message, MessageType};
use std::collections::BTreeSet;
use thiserror::Error;

/// A term further ahead than this is refused: nobody may burn the term space.
pub const MAX_TERM_LEAP: Term = 1 << 20;
/// Indexes and terms of honest peers stay far below; sums of two never overflow.
const MAX_INDEX: u64 = 1 << 62;
/// Node, start of the process, counter: see [`read_context`].
pub const READ_CONTEXT_BYTES: usize = 24;
/// ReadIndex requests a leader keeps waiting for its quorum.
pub const MAX_PENDING_READS: usize = 1024;

/// Why a message is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    #[error("it is not from the peer that sent it, or not to us, or from no voter")]
    Envelope,
    #[error("its term {term} means nothing")]
    Term { term: Term },
    #[error("its indexes or terms contradict each other")]
    Incoherent,
    #[error("nothing asked for it")]
    Unsolicited,
    #[error("too many reads wait")]
    Overloaded,
    #[error("node {other} claims to lead term {term}, which node {pinned} leads")]
    SecondLeader {
        term: Term,
        pinned: NodeId,
        other: NodeId,
    },
    #[error("leader {leader} of term {term} contradicts entry {index}, which is settled")]
    Conflict {
        leader: NodeId,
        term: Term,
        index: LogIndex,
    },
    #[error("node {node} acknowledges entry {index}, which does not exist")]
    AckBeyondLog { node: NodeId, index: LogIndex },
}

impl Unfit {
    /// Whether it is somebody's misbehaviour rather than delay or confusion.
    #[must_use]
    pub fn is_misbehaviour(self) -> bool {
        matches!(
            self,
            Unfit::SecondLeader { .. } | Unfit::Conflict { .. } | Unfit::AckBeyondLog { .. }
        )
    }
}

/// A ReadIndex context no other process, and no other start of this one, uses: a delayed answer
/// to an older question would otherwise pass for fresh.
#[must_use]
pub fn read_context(node: NodeId, start: u64, counter: u64) -> [u8; READ_CONTEXT_BYTES] {
    let mut context = [0; READ_CONTEXT_BYTES];
    context[..8].copy_from_slice(&node.0.to_le_bytes());
    context[8..16].copy_from_slice(&start.to_le_bytes());
    context[16..].copy_from_slice(&counter.to_le_bytes());
    context
}

/// What a message is judged by besides itself.
pub struct Standing<'a> {
    pub replica: &'a Replica,
    /// Size of the newest checkpoint a majority has cosigned; 0 without one.
    pub cosigned: TreeSize,
    /// The context of our own outstanding ReadIndex.
    pub reading: Option<&'a [u8]>,
}

/// The memory the rules need: who leads the term, what matched, what we asked for.
pub struct Sanitizer {
    me: NodeId,
    voters: BTreeSet<NodeId>,
    pinned: Option<(Term, NodeId)>,
    matched: Matched,
    campaign: Option<(Term, MessageType)>,
}

impl Sanitizer {
    #[must_use]
    pub fn new(me: NodeId, voters: &[NodeId], matched: Matched) -> Self {
        Self {
            me,
            voters: voters.iter().copied().collect(),
            pinned: (matched.leader != 0).then_some((matched.term, NodeId(matched.leader))),
            matched,
            campaign: None,
        }
    }

    #[must_use]
    pub fn matched(&self) -> Matched {
        self.matched
    }

    /// Vote requests have left, so that votes for them may come. Before this none may: raft-rs
    /// asserts that a new leader's whole log is on disk, and requests leave only when it is.
    pub fn campaigned(&mut self, term: Term, kind: MessageType) {
        self.campaign = Some((term, kind));
    }

    /// An append was stepped: our log agrees with its sender's up to `index`.
    pub fn note_matched(&mut self, term: Term, leader: NodeId, index: LogIndex, last: LogIndex) {
        let before = if (self.matched.term, self.matched.leader) == (term, leader.0) {
            self.matched.index
        } else {
            0
        };
        self.matched = Matched {
            term,
            leader: leader.0,
            index: before.max(index).min(last),
        };
    }

    fn matched_with(&self, m: &Message) -> LogIndex {
        match (self.matched.term, self.matched.leader) == (m.term, m.from) {
            true => self.matched.index,
            false => 0,
        }
    }

    /// Clamps `m`, or says why it must not be stepped. Appends are judged when they arrive and
    /// again when they leave their lane.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn admit(
        &mut self,
        from: NodeId,
        m: &mut Message,
        standing: &Standing<'_>,
    ) -> Result<(), Unfit> {
        use MessageType as T;
        if m.from != from.0 || m.to != self.me.0 || from == self.me || !self.voters.contains(&from)
        {
            return Err(Unfit::Envelope);
        }
        let kind = m.get_msg_type();
        let term = m.term;
        // Term 0 marks a local message in raft-rs and would skip every term check; only ReadIndex
        // really travels without one.
        let local = kind == T::MsgReadIndex;
        if (term == 0) != local || term > standing.replica.term().saturating_add(MAX_TERM_LEAP) {
            return Err(Unfit::Term { term });
        }
        if m.index > MAX_INDEX || term > MAX_INDEX || m.log_term > term.max(standing.replica.term())
        {
            return Err(Unfit::Incoherent);
        }
        match kind {
            T::MsgAppend => self.admit_append(from, m, standing.replica),
            T::MsgHeartbeat => {
                self.pin_leader(from, m, standing.replica)?;
                m.commit = m.commit.min(self.matched_with(m));
                Ok(())
            }
            T::MsgAppendResponse => admit_append_response(from, m, standing.replica),
            T::MsgHeartbeatResponse => {
                m.commit = m.commit.min(standing.replica.last_index());
                Ok(())
            }
            T::MsgRequestVote | T::MsgRequestPreVote => {
                clamp_vote_commit(m, standing.cosigned);
                Ok(())
            }
            T::MsgRequestVoteResponse | T::MsgRequestPreVoteResponse => {
                if !m.reject && self.campaign != Some((term, request_of(kind))) {
                    return Err(Unfit::Unsolicited);
                }
                clamp_vote_commit(m, standing.cosigned);
                Ok(())
            }
            T::MsgReadIndex => admit_read(from, m, standing.replica),
            T::MsgReadIndexResp => {
                let asked = standing.reading == m.entries.first().map(|e| &e.data[..]);
                let leads = standing.replica.leader() == Some(from);
                if !asked || !leads || term != standing.replica.term() {
                    return Err(Unfit::Unsolicited);
                }
                Ok(())
            }
            _ => Err(Unfit::Incoherent),
        }
    }

    fn admit_append(
        &mut self,
        from: NodeId,
        m: &mut Message,
        replica: &Replica,
    ) -> Result<(), Unfit> {
        // raft-rs takes the term of an index beyond the log for 0: a previous term of 0 anywhere
        // but at index 0 would match there, and panic.
        if (m.index == 0) != (m.log_term == 0) || m.log_term > m.term {
            return Err(Unfit::Incoherent);
        }
        let mut term = m.log_term;
        for (at, entry) in (m.index + 1..).zip(m.entries.iter()) {
            if entry.index != at || entry.term == 0 || entry.term < term || entry.term > m.term {
                return Err(Unfit::Incoherent);
            }
            term = entry.term;
        }
        if m.term < replica.term() {
            // raft-rs only answers with our term; nothing in it is looked at.
            m.set_entries(Vec::new().into());
            return Ok(());
        }
        self.pin_leader(from, m, replica)?;
        self.check_settled(from, m, replica)
    }

    /// The first leader seen in a term is that term's leader (Raft §5.2: there is at most one).
    fn pin_leader(&mut self, from: NodeId, m: &Message, replica: &Replica) -> Result<(), Unfit> {
        if m.term < replica.term() {
            return Ok(());
        }
        let second = |pinned| Unfit::SecondLeader {
            term: m.term,
            pinned,
            other: from,
        };
        if replica.role() == Role::Leader && m.term == replica.term() {
            return Err(second(self.me));
        }
        match self.pinned {
            Some((term, leader)) if term == m.term && leader != from => Err(second(leader)),
            Some((term, _)) if term >= m.term => Ok(()),
            _ => {
                self.pinned = Some((m.term, from));
                Ok(())
            }
        }
    }

    /// Nothing at or below our commit index may differ (leader completeness, Raft §5.4), nor
    /// below what this very leader had us match (a leader only appends, Raft §5.3).
    fn check_settled(&self, from: NodeId, m: &Message, replica: &Replica) -> Result<(), Unfit> {
        let settled = replica.commit().max(self.matched_with(m));
        let previous = std::iter::once((m.index, m.log_term));
        let entries = m.entries.iter().map(|e| (e.index, e.term));
        for (index, term) in previous.chain(entries) {
            if index > settled {
                break;
            }
            if replica.term_at(index) != Some(term) {
                return Err(Unfit::Conflict {
                    leader: from,
                    term: m.term,
                    index,
                });
            }
        }
        Ok(())
    }
}

/// An acknowledgement beyond the leader's log overflows raft-rs's progress.
fn admit_append_response(from: NodeId, m: &mut Message, replica: &Replica) -> Result<(), Unfit> {
    m.commit = m.commit.min(replica.last_index());
    if replica.role() != Role::Leader || m.term != replica.term() {
        return Ok(());
    }
    if m.index > replica.last_index() {
        return Err(Unfit::AckBeyondLog {
            node: from,
            index: m.index,
        });
    }
    if m.reject {
        m.reject_hint = m.reject_hint.min(m.index);
        if m.log_term > 0 {
            // The same answer raft-rs would find, one entry at a time, at the peer's bidding.
            (m.reject_hint, m.log_term) = replica.log().conflict_by_term(m.reject_hint, m.log_term);
        }
    }
    Ok(())
}

fn admit_read(from: NodeId, m: &Message, replica: &Replica) -> Result<(), Unfit> {
    let fits = m.entries.len() == 1
        && m.entries[0].data.len() == READ_CONTEXT_BYTES
        && m.entries[0].data[..8] == from.0.to_le_bytes();
    if !fits {
        return Err(Unfit::Incoherent);
    }
    if replica.role() != Role::Leader {
        return Err(Unfit::Unsolicited);
    }
    if replica.pending_reads() >= MAX_PENDING_READS {
        return Err(Unfit::Overloaded);
    }
    Ok(())
}

/// A vote message's commit index counts only where a majority has signed that it is one.
fn clamp_vote_commit(m: &mut Message, cosigned: TreeSize) {
    if m.commit >= cosigned {
        (m.commit, m.commit_term) = (0, 0);
    }
}

fn request_of(response: MessageType) -> MessageType {
    match response {
        MessageType::MsgRequestPreVoteResponse => MessageType::MsgRequestPreVote,
        _ => MessageType::MsgRequestVote,
    }
}

#[cfg(test)]
#[path = "sanitize_tests.rs"]
mod tests;
