//! What must be durable before something may leave, in order.
//!
//! Invariants: 1. one batch is outstanding at most; what arrives meanwhile gathers in the next
//! (group commit); 2. a follower's messages leave only after everything raft-rs had produced
//! before them is on disk. Crash point: a vote or an acknowledgement that left before its batch
//! was durable would let this node vote twice, or forget what it acknowledged (Raft §5.2, §5.4).

use super::changes::DecidedChange;
use crate::ids::{AuthorSeq, Hash, LogIndex, TreeSize};
use crate::kv::WriteBatch;
use crate::log::Outcome;
use raft::eraftpb::Message;
use ukehi_keys::AuthorId;

/// What waits on one batch.
#[derive(Default)]
pub struct Gathered {
    pub writes: WriteBatch,
    /// Term, vote or entries changed: the hard record goes with the batch, synced.
    pub hard: bool,
    /// The newest `Ready` in it.
    pub ready: Option<u64>,
    pub messages: Vec<Message>,
    /// The last entry applied in it.
    pub applied: Option<LogIndex>,
    /// The batches decided in it.
    pub decided: Vec<Decided>,
    /// The registry changes decided in it.
    pub decided_changes: Vec<DecidedChange>,
    /// The size of a cosigned checkpoint saved in it.
    pub saved: Option<TreeSize>,
}

/// A batch that was applied or refused.
#[derive(Debug, Clone, Copy)]
pub struct Decided {
    pub digest: Hash,
    pub author: AuthorId,
    pub seq: AuthorSeq,
    pub x: [u8; 32],
    pub index: LogIndex,
    pub outcome: Outcome,
}

impl Gathered {
    /// Whether anything has to be written.
    #[must_use]
    pub fn writes_anything(&self) -> bool {
        self.hard || !self.writes.is_empty()
    }

    /// Whether anything waits, written or not.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.writes_anything() && self.ready.is_none() && self.messages.is_empty()
    }
}

#[derive(Default)]
pub struct Pipeline {
    pub next: Gathered,
    outstanding: Option<(u64, Gathered)>,
    last_token: u64,
}

impl Pipeline {
    #[must_use]
    pub fn is_writing(&self) -> bool {
        self.outstanding.is_some()
    }

    /// The token of the newest batch handed out.
    #[must_use]
    pub fn last_token(&self) -> u64 {
        self.last_token
    }

    /// Moves the gathered batch out: its token and what to write.
    pub fn start(&mut self) -> (u64, WriteBatch) {
        debug_assert!(self.outstanding.is_none(), "one write at a time");
        let mut gathered = std::mem::take(&mut self.next);
        let writes = std::mem::take(&mut gathered.writes);
        self.last_token += 1;
        self.outstanding = Some((self.last_token, gathered));
        (self.last_token, writes)
    }

    /// The outstanding batch, if `token` names it.
    pub fn finish(&mut self, token: u64) -> Option<Gathered> {
        match &self.outstanding {
            Some((outstanding, _)) if *outstanding == token => {
                self.outstanding.take().map(|(_, gathered)| gathered)
            }
            _ => None,
        }
    }
}
