//! What goes into the driver and what comes out: plain data, so that a simulator can hold it.

use crate::batch::{Fault, Verdict};
use crate::ids::{LogIndex, NodeId, Term, TreeSize};
use crate::kv::{StoreError, WriteBatch};
use crate::log::Outcome;
use crate::registry::ChangeFault;
use crate::replica::gate::{GateFault, LaneFull};
use crate::replica::quarantine::Case;
use crate::replica::replica::ReplicaError;
use crate::replica::sanitize::Unfit;
use crate::replica::{Mark, MessageError, Role};
use serde::Serialize;
use std::sync::Arc;
use thiserror::Error;
use ukehi_keys::Manifest;

/// Names a client's command until it is answered; chosen by the caller, never reused.
pub type RequestId = u64;
/// Names a gossip message until its verdict; chosen by the caller.
pub type GossipToken = u64;

/// Submits waiting for an outcome, and barriers waiting for a read index; one more is refused.
pub const MAX_PENDING_SUBMITS: usize = 1024;
pub const MAX_PENDING_SUBMIT_BYTES: usize = 32 * 1024 * 1024;
pub const MAX_PENDING_BARRIERS: usize = 1024;
/// Clients waiting for a registry change.
pub const MAX_PENDING_CHANGES: usize = 64;
/// Other nodes' clients' batches in verification or waiting to be proposed.
pub const MAX_FORWARDS: usize = 256;
/// Refusals of others in verification.
pub const MAX_REFUSALS: usize = 64;
/// Entries applied in one store batch.
pub const MAX_APPLY_ENTRIES: usize = 256;
/// A waiting submit is forwarded (or proposed) again after this many ticks.
pub const RETRY_TICKS: u64 = crate::replica::replica::ELECTION_TICKS as u64;
/// The length of one tick, in milliseconds.
pub const TICK_MS: u64 = 50;
/// Alarms about one peer in [`RETRY_TICKS`]; the rest is dropped, a peer could send them for ever.
pub const MAX_ALARMS: u32 = 8;
/// An unanswered ReadIndex is asked again, with a fresh context, after this many ticks.
pub const READ_RETRY_TICKS: u64 = 6;

/// What happened outside.
#[derive(Debug, Clone)]
pub enum Event {
    /// One tick of virtual time; `now_unix` in seconds goes into cosignatures only.
    Tick {
        now_unix: u64,
    },
    /// A frame on the stream bound to `from`.
    PeerFrame {
        from: NodeId,
        bytes: Vec<u8>,
    },
    PeerUp(NodeId),
    PeerDown(NodeId),
    Gossip {
        data: Vec<u8>,
        token: GossipToken,
    },
    /// One verdict per batch of the ticket, in order.
    Verified {
        ticket: u64,
        verdicts: Vec<Verdict>,
    },
    /// The batch of [`Effect::Persist`] is in the store (and on disk, if it asked for `sync`).
    Persisted {
        token: u64,
    },
    PersistFailed {
        reason: String,
    },
    Client {
        request: RequestId,
        command: ClientCommand,
        /// Answered `Unavailable` after this many ticks.
        deadline_ticks: u64,
    },
}

#[derive(Debug, Clone)]
pub enum ClientCommand {
    /// Decide this sealed batch.
    Submit(Arc<[u8]>),
    /// Decide this registry change.
    Change(Arc<[u8]>),
    /// Answer once everything committed before now is readable in this node's store.
    Barrier,
}

/// The one answer to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientReply {
    /// The record at `index` says so, and is in this node's store.
    Decided { index: LogIndex, outcome: Outcome },
    /// The gate refuses the batch: no retry of these bytes can succeed.
    Refused(Fault),
    /// The same of a registry change.
    ChangeRefused(ChangeFault),
    /// No decision by the deadline; a submitted batch may still be applied.
    Unavailable,
    /// A bound of this node is reached; nothing was taken in.
    Overloaded,
    /// To a barrier: the store holds the effects of every entry up to `applied`.
    Readable { applied: LogIndex },
}

/// Whether gossip goes on to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GossipVerdict {
    Accept,
    Reject,
    Ignore,
}

/// What is to be done outside, in order.
#[derive(Debug, Clone)]
pub enum Effect {
    Send {
        to: NodeId,
        frame: Vec<u8>,
    },
    Verify {
        ticket: u64,
        batches: Vec<Arc<[u8]>>,
    },
    /// Commit to the store, then say [`Event::Persisted`]. Only one is ever outstanding.
    Persist {
        token: u64,
        batch: WriteBatch,
        /// What the store then holds.
        mark: Mark,
        sync: bool,
    },
    /// The log activates this circuit: batches under it must be verifiable from now on.
    LearnCircuit(Arc<Manifest>),
    /// Gossip this checkpoint note.
    Publish(Vec<u8>),
    GossipVerdict {
        token: GossipToken,
        verdict: GossipVerdict,
    },
    Reply {
        request: RequestId,
        reply: ClientReply,
    },
    Alarm(Alarm),
    /// The driver answers nothing any more; the process ends.
    Stop(StopReason),
}

/// What an operator should hear of. None of these needs an action to stay safe.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Alarm {
    #[error("node {node} is quarantined: entry {index} of term {term}, {reason}")]
    Quarantined {
        node: NodeId,
        term: Term,
        index: LogIndex,
        reason: GateFault,
    },
    #[error("node {accuser} says an entry of node {proposer} is invalid, and it is valid")]
    FalseRefusal { accuser: NodeId, proposer: NodeId },
    #[error("node {proposer} signed two entries for index {index} of term {term}")]
    Equivocation {
        proposer: NodeId,
        term: Term,
        index: LogIndex,
    },
    #[error("dropped from node {from}: {reason}")]
    Misbehaviour { from: NodeId, reason: Unfit },
    #[error("undecodable frame from node {from}: {reason}")]
    Frame { from: NodeId, reason: MessageError },
    #[error("dropped: {0}")]
    LaneFull(LaneFull),
    #[error("node {from} forwards an invalid batch: {fault}")]
    InvalidForward { from: NodeId, fault: Fault },
    #[error("node {from} forwards an invalid registry change: {fault}")]
    InvalidForwardedChange { from: NodeId, fault: ChangeFault },
    #[error("node {node} has signed two logs")]
    Fork { node: NodeId },
    #[error("checkpoints of size {size} name another root than ours")]
    Disagreement { size: TreeSize },
    #[error(
        "a majority has signed past entry {index}, which this node refuses: its gate and ours may differ"
    )]
    GateDisagreement { index: LogIndex },
}

/// Why the driver stopped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StopReason {
    #[error("the store failed: {0}")]
    Store(StoreError),
    #[error("a write failed: {reason}")]
    WriteFailed { reason: String },
    #[error("the replica failed: {0}")]
    Replica(ReplicaError),
    /// A majority has sent us one and the same entry that our gate refuses: the rules differ.
    #[error("gate disagreement: a majority sends entry {index}, which this node refuses")]
    GateDisagreement { index: LogIndex },
    /// A committed batch fails this process's own verification.
    #[error("committed entry {index} does not verify: {fault}")]
    CommittedInvalid { index: LogIndex, fault: Fault },
    /// A change that passed the gate does not pass it again.
    #[error("the registry change at {index} does not verify: {fault}")]
    InvalidChange { index: LogIndex, fault: ChangeFault },
    #[error("a majority has signed another root than ours at size {size}")]
    Diverged { size: TreeSize },
}

/// Why a driver does not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DriverError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    #[error("the store belongs to another cluster")]
    WrongCluster,
    #[error("node {0} is not a voter of this cluster")]
    NotAVoter(NodeId),
    #[error("the registry change at {index} of the stored log does not verify: {fault}")]
    InvalidChange { index: LogIndex, fault: ChangeFault },
}

/// A snapshot for status pages and tests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DriverStatus {
    pub node: NodeId,
    pub role: Role,
    pub term: Term,
    pub leader: Option<NodeId>,
    pub commit: LogIndex,
    pub applied: LogIndex,
    pub last_index: LogIndex,
    /// Registry changes applied.
    pub registry_changes: usize,
    /// Size of the newest majority-cosigned checkpoint in the store; 0 without one.
    pub cosigned_size: TreeSize,
    pub quarantined: Vec<Case>,
    /// Stored cases of refused entries, equivocation and claims.
    pub evidence: usize,
    /// Nodes that have signed two logs.
    pub forked: Vec<NodeId>,
    pub pending_submits: usize,
    pub pending_barriers: usize,
    pub pending_verifications: usize,
    pub waiting_appends: usize,
    pub stopped: bool,
}
