//! raft-rs's `RawNode`, driven deterministically and isolated: the only file that calls it.
//!
//! Invariants: 1. raft-rs's own random election timeout never takes effect: after each call the
//! timeout is set from (seed, node, count of role changes); 2. a panic of raft-rs is an error of
//! this replica, and nothing calls it again. Knows nothing of clients, queues or verdicts.

mod mutated;

use super::entry::{Payload, Stamp, entry_data};
use super::message::APPEND_BYTES;
use super::raft_log::RaftLog;
use crate::ids::{LogIndex, NodeId, Term};
use crate::kv::StoreError;
use crate::log::EntryKind;
use raft::eraftpb::{HardState, Message};
use raft::{RawNode, Ready, StateRole};
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use thiserror::Error;

/// A heartbeat every three ticks, an election after 20 to 39 without one: 150 ms and 1 to 2 s at
/// 50 ms a tick.
pub const HEARTBEAT_TICKS: usize = 3;
pub const ELECTION_TICKS: usize = 20;
/// Appends sent to a peer and not yet answered.
pub const MAX_INFLIGHT_MESSAGES: usize = 32;
/// Proposed and not yet committed, in bytes; beyond it proposals are dropped.
pub const MAX_UNCOMMITTED_BYTES: u64 = 8 * 1024 * 1024;
/// Committed entries raft-rs reads into one `Ready`.
const MAX_COMMITTED_BYTES: u64 = 1024 * 1024;

/// Who a replica is and where it starts.
#[derive(Debug, Clone, Copy)]
pub struct ReplicaConfig {
    pub node: NodeId,
    /// The last entry whose effects are in the store.
    pub applied: LogIndex,
    pub seed: u64,
}

/// Raft's roles (Raft §5.1, pre-vote: thesis §9.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Follower,
    PreCandidate,
    Candidate,
    Leader,
}

/// raft-rs failed; the shard must stop.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ReplicaError {
    #[error(transparent)]
    Store(StoreError),
    #[error("raft-rs panicked: {0}")]
    Panicked(String),
    #[error("raft-rs refuses its configuration: {0}")]
    Config(String),
}

/// What happened to a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proposed {
    At(LogIndex),
    /// Not the leader, or too much is uncommitted: try again later.
    Dropped,
}

/// One member of one Raft group.
pub struct Replica {
    raw: RawNode<RaftLog>,
    node: NodeId,
    seed: u64,
    seen: (Term, StateRole),
    changes: u64,
    /// The election timeout drawn for `changes`, in ticks.
    timeout: usize,
}

impl Replica {
    /// # Errors
    /// [`ReplicaError`].
    pub fn new(config: ReplicaConfig, log: RaftLog) -> Result<Self, ReplicaError> {
        let raft_config = raft::Config {
            id: config.node.0,
            election_tick: ELECTION_TICKS,
            heartbeat_tick: HEARTBEAT_TICKS,
            applied: config.applied,
            max_size_per_msg: APPEND_BYTES,
            max_inflight_msgs: MAX_INFLIGHT_MESSAGES,
            check_quorum: true,
            pre_vote: true,
            read_only_option: raft::ReadOnlyOption::Safe,
            max_uncommitted_size: MAX_UNCOMMITTED_BYTES,
            max_committed_size_per_ready: MAX_COMMITTED_BYTES,
            ..raft::Config::default()
        };
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raw = catch_unwind(AssertUnwindSafe(|| {
            RawNode::new(&raft_config, log, &logger)
        }))
        .map_err(|panic| ReplicaError::Panicked(panic_text(&*panic)))?
        .map_err(|e| ReplicaError::Config(e.to_string()))?;
        let mut replica = Self {
            seen: (raw.raft.term, raw.raft.state),
            raw,
            node: config.node,
            seed: config.seed,
            changes: 0,
            timeout: 0,
        };
        replica.draw_timeout();
        replica.settle_timeout();
        Ok(replica)
    }

    /// Every call that can change raft-rs's state goes through here.
    fn call<R>(&mut self, f: impl FnOnce(&mut RawNode<RaftLog>) -> R) -> Result<R, ReplicaError> {
        let raw = &mut self.raw;
        match catch_unwind(AssertUnwindSafe(|| f(raw))) {
            Ok(value) => {
                self.settle_timeout();
                Ok(value)
            }
            Err(panic) => Err(match self.raw.store().take_failure() {
                Some(error) => ReplicaError::Store(error),
                None => ReplicaError::Panicked(panic_text(&*panic)),
            }),
        }
    }

    /// raft-rs draws a timeout from the thread's RNG whenever it resets; ours replaces it before
    /// the next tick can look at it.
    fn settle_timeout(&mut self) {
        let now = (self.raw.raft.term, self.raw.raft.state);
        if now != self.seen {
            self.seen = now;
            self.changes += 1;
            self.draw_timeout();
        }
        self.raw.raft.set_randomized_election_timeout(self.timeout);
    }

    fn draw_timeout(&mut self) {
        let mut hasher = blake3::Hasher::new_derive_key("ukehi/election-timeout/v1");
        for part in [self.seed, self.node.0, self.changes] {
            hasher.update(&part.to_le_bytes());
        }
        let drawn = u64::from(hasher.finalize().as_bytes()[0]);
        self.timeout = ELECTION_TICKS + (drawn as usize * ELECTION_TICKS) / 256;
    }

    /// # Errors
    /// [`ReplicaError`], after which nothing may be called.
    pub fn tick(&mut self) -> Result<(), ReplicaError> {
        self.call(|raw| {
            raw.tick();
        })
    }

    /// Steps a sanitised, gated message. What raft-rs itself declines is not an error.
    ///
    /// # Errors
    /// As [`Replica::tick`].
    pub fn step(&mut self, message: Message) -> Result<(), ReplicaError> {
        self.call(|raw| {
            mutated::before_step(raw, &message);
            let _ = raw.step(message);
            mutated::after_step(raw);
        })
    }

    /// Proposes a batch or a change, signed for the place it will take.
    ///
    /// # Errors
    /// As [`Replica::tick`].
    ///
    /// # Panics
    /// If raft-rs puts the entry elsewhere than after the last one: the stamp would be for another
    /// place.
    pub fn propose(
        &mut self,
        kind: EntryKind,
        content: &[u8],
        stamp: impl FnOnce(LogIndex, Term) -> Stamp,
    ) -> Result<Proposed, ReplicaError> {
        if self.role() != Role::Leader {
            return Ok(Proposed::Dropped);
        }
        let index = self.last_index() + 1;
        let term = self.term();
        let context = stamp(index, term).to_bytes();
        let data = entry_data(kind, content);
        if self.call(|raw| raw.propose(context, data))?.is_err() {
            return Ok(Proposed::Dropped);
        }
        assert_eq!(
            self.last_index(),
            index,
            "a proposal follows the last entry"
        );
        assert_eq!(self.term(), term, "proposing does not change the term");
        Ok(Proposed::At(index))
    }

    /// Asks for a read index under `context` (Raft thesis §6.4). May be dropped silently.
    ///
    /// # Errors
    /// As [`Replica::tick`].
    pub fn read_index(&mut self, context: Vec<u8>) -> Result<(), ReplicaError> {
        self.call(|raw| raw.read_index(context))
    }

    /// # Errors
    /// As [`Replica::tick`].
    pub fn report_unreachable(&mut self, node: NodeId) -> Result<(), ReplicaError> {
        self.call(|raw| raw.report_unreachable(node.0))
    }

    /// The next `Ready`, if there is one. It must be absorbed before anything else is called.
    ///
    /// # Errors
    /// As [`Replica::tick`].
    pub fn ready(&mut self) -> Result<Option<Ready>, ReplicaError> {
        self.call(|raw| raw.has_ready().then(|| raw.ready()))
    }

    /// Its entries are in the log's memory; they count once `persisted` has been called.
    ///
    /// # Errors
    /// As [`Replica::tick`].
    pub fn absorbed(&mut self, ready: Ready) -> Result<(), ReplicaError> {
        self.call(|raw| raw.advance_append_async(ready))
    }

    /// Everything up to the numbered `Ready` is on disk.
    ///
    /// # Errors
    /// As [`Replica::tick`].
    pub fn persisted(&mut self, number: u64) -> Result<(), ReplicaError> {
        self.call(|raw| raw.on_persist_ready(number))
    }

    /// # Errors
    /// As [`Replica::tick`].
    pub fn applied_to(&mut self, index: LogIndex) -> Result<(), ReplicaError> {
        self.call(|raw| raw.advance_apply_to(index))
    }

    #[must_use]
    pub fn log(&self) -> &RaftLog {
        self.raw.store()
    }

    pub fn log_mut(&mut self) -> &mut RaftLog {
        self.raw.mut_store()
    }

    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    #[must_use]
    pub fn role(&self) -> Role {
        match self.raw.raft.state {
            StateRole::Follower => Role::Follower,
            StateRole::PreCandidate => Role::PreCandidate,
            StateRole::Candidate => Role::Candidate,
            StateRole::Leader => Role::Leader,
        }
    }

    #[must_use]
    pub fn term(&self) -> Term {
        self.raw.raft.term
    }

    /// The leader of the current term, if known.
    #[must_use]
    pub fn leader(&self) -> Option<NodeId> {
        match self.raw.raft.leader_id {
            0 => None,
            id => Some(NodeId(id)),
        }
    }

    #[must_use]
    pub fn commit(&self) -> LogIndex {
        self.raw.raft.raft_log.committed
    }

    #[must_use]
    pub fn last_index(&self) -> LogIndex {
        self.raw.raft.raft_log.last_index()
    }

    /// The term of an entry, unwritten ones included.
    #[must_use]
    pub fn term_at(&self, index: LogIndex) -> Option<Term> {
        if index > self.last_index() {
            return None;
        }
        self.raw.raft.raft_log.term(index).ok()
    }

    #[must_use]
    pub fn hard_state(&self) -> HardState {
        self.raw.raft.hard_state()
    }

    #[must_use]
    pub fn pending_reads(&self) -> usize {
        self.raw.raft.pending_read_count()
    }

    #[must_use]
    pub fn uncommitted_bytes(&self) -> usize {
        self.raw.raft.uncommitted_size()
    }

    /// The payload of an entry of the log.
    ///
    /// # Errors
    /// Those of the store.
    pub fn payload(&self, index: LogIndex) -> Result<Option<Payload>, StoreError> {
        let Some(entry) = self.log().entry(index)? else {
            return Ok(None);
        };
        Payload::of_entry(&entry)
            .map(Some)
            .map_err(|e| StoreError::Undecodable {
                what: "Raft entry",
                reason: e.to_string(),
            })
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else {
        "without a message".to_owned()
    }
}
