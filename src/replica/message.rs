//! What replicas say to each other, and its bytes: our own bounded codec, one form per message.
//!
//! Invariants: 1. each Raft message type carries exactly the fields it uses, so a decoded message
//! has no field raft-rs would read by surprise; 2. entries carry no index: they follow the
//! message's, so they are consecutive by construction; 3. a frame is at most [`MAX_FRAME_BYTES`].
//! Knows nothing of whether a message is true or timely: that is `sanitize` and `gate`.

use super::entry::{Payload, read_entry, write_entry};
use crate::batch::MAX_BATCH_BYTES;
use crate::ids::{LogIndex, ShardId, Term};
use crate::registry::MAX_CHANGE_BYTES;
use crate::wire::{Reader, WireError, Writer};
use raft::eraftpb::{Entry, Message, MessageType};
use std::sync::Arc;
use thiserror::Error;

/// The largest frame on a peer stream.
pub const MAX_FRAME_BYTES: usize = 256 * 1024;
/// How many entries one append carries; only no-ops are small enough to reach it.
pub const MAX_ENTRIES_PER_MESSAGE: usize = 2048;
/// What raft-rs may put into one append before a further entry makes it another message.
pub const APPEND_BYTES: u64 = 128 * 1024;
/// Bound on the context of heartbeats and of ReadIndex.
pub const MAX_CONTEXT_BYTES: usize = 64;

/// A message on a peer lane.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerMessage {
    Raft(Message),
    /// A client's batch, verified by the sender, for the leader to propose.
    Forward {
        batch: Arc<[u8]>,
    },
    /// A client's registry change, verified by the sender, for the leader to propose.
    ForwardChange {
        change: Arc<[u8]>,
    },
    /// "This proposer signed what the gate refuses": re-verified by whoever receives it.
    Refusal {
        index: LogIndex,
        term: Term,
        payload: Payload,
    },
}

/// Why a frame is not a message of this release.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MessageError {
    #[error("the frame does not decode: {0}")]
    Undecodable(#[from] WireError),
    #[error("the frame is for shard {found}")]
    WrongShard { found: ShardId },
    #[error("Raft messages of type {code} are not accepted from peers")]
    Refused { code: u8 },
}

const RAFT: u8 = 1;
const FORWARD: u8 = 2;
const REFUSAL: u8 = 3;
const FORWARD_CHANGE: u8 = 4;

impl PeerMessage {
    /// The frame's bytes, at most [`MAX_FRAME_BYTES`].
    ///
    /// # Panics
    /// If a Raft message is of a type that never leaves this process: the replica sends none.
    #[must_use]
    pub fn encode(&self, shard: ShardId) -> Vec<u8> {
        let mut w = Writer::new();
        w.u32(shard.0);
        match self {
            PeerMessage::Raft(message) => {
                w.u8(RAFT);
                write_raft(&mut w, message);
            }
            PeerMessage::Forward { batch } => {
                w.u8(FORWARD).bytes(batch);
            }
            PeerMessage::ForwardChange { change } => {
                w.u8(FORWARD_CHANGE).bytes(change);
            }
            PeerMessage::Refusal {
                index,
                term,
                payload,
            } => {
                w.u8(REFUSAL).u64(*index);
                write_entry(&mut w, &payload.clone().into_entry(*index, *term));
            }
        }
        w.finish()
    }

    /// # Errors
    /// [`MessageError`]; nothing is allocated beyond the frame's own length.
    pub fn decode(shard: ShardId, frame: &[u8]) -> Result<Self, MessageError> {
        if frame.len() > MAX_FRAME_BYTES {
            return Err(WireError::TooLong {
                field: "frame",
                found: frame.len() as u64,
                limit: MAX_FRAME_BYTES,
            }
            .into());
        }
        let mut r = Reader::new(frame);
        let found = ShardId(r.u32("shard")?);
        if found != shard {
            return Err(MessageError::WrongShard { found });
        }
        let message = match r.u8("peer message")? {
            RAFT => PeerMessage::Raft(read_raft(&mut r)?),
            FORWARD => PeerMessage::Forward {
                batch: Arc::from(r.bytes(MAX_BATCH_BYTES, "batch")?),
            },
            FORWARD_CHANGE => PeerMessage::ForwardChange {
                change: Arc::from(r.bytes(MAX_CHANGE_BYTES, "change")?),
            },
            REFUSAL => {
                let index = r.u64("index")?;
                let (term, payload) = read_entry(&mut r)?;
                PeerMessage::Refusal {
                    index,
                    term,
                    payload,
                }
            }
            found => {
                return Err(WireError::Unknown {
                    field: "peer message",
                    found: u64::from(found),
                }
                .into());
            }
        };
        r.end()?;
        Ok(message)
    }
}

/// eraftpb's own numbers; a type without one never crosses the wire.
fn code(kind: MessageType) -> Option<u8> {
    use MessageType as T;
    match kind {
        T::MsgAppend
        | T::MsgAppendResponse
        | T::MsgRequestVote
        | T::MsgRequestVoteResponse
        | T::MsgHeartbeat
        | T::MsgHeartbeatResponse
        | T::MsgReadIndex
        | T::MsgReadIndexResp
        | T::MsgRequestPreVote
        | T::MsgRequestPreVoteResponse => Some(kind as u8),
        _ => None,
    }
}

fn kind_of(found: u8) -> Result<MessageType, MessageError> {
    use MessageType as T;
    [
        T::MsgAppend,
        T::MsgAppendResponse,
        T::MsgRequestVote,
        T::MsgRequestVoteResponse,
        T::MsgHeartbeat,
        T::MsgHeartbeatResponse,
        T::MsgReadIndex,
        T::MsgReadIndexResp,
        T::MsgRequestPreVote,
        T::MsgRequestPreVoteResponse,
    ]
    .into_iter()
    .find(|kind| code(*kind) == Some(found))
    .ok_or(MessageError::Refused { code: found })
}

/// Whether a message may leave this process at all.
#[must_use]
pub fn is_peer_message(kind: MessageType) -> bool {
    code(kind).is_some()
}

fn write_raft(w: &mut Writer, m: &Message) {
    use MessageType as T;
    let kind = m.get_msg_type();
    w.u8(code(kind).expect("the replica hands out only messages of these types"));
    w.u64(m.from).u64(m.to).u64(m.term);
    match kind {
        T::MsgAppend => {
            w.u64(m.index).u64(m.log_term).u64(m.commit);
            // Cutting an append short is safe: the next one's previous index reveals the gap.
            let count = m.entries.len().min(MAX_ENTRIES_PER_MESSAGE);
            w.u32(u32::try_from(count).expect("bounded just above"));
            for entry in m.entries.iter().take(count) {
                write_entry(w, entry);
            }
        }
        T::MsgAppendResponse => {
            w.u64(m.index).u64(m.log_term).u64(m.commit);
            w.bool(m.reject).u64(m.reject_hint);
        }
        T::MsgRequestVote | T::MsgRequestPreVote => {
            w.u64(m.index).u64(m.log_term);
            w.u64(m.commit).u64(m.commit_term);
        }
        T::MsgRequestVoteResponse | T::MsgRequestPreVoteResponse => {
            w.bool(m.reject).u64(m.commit).u64(m.commit_term);
        }
        T::MsgHeartbeat | T::MsgHeartbeatResponse => {
            w.u64(m.commit).bytes(&m.context);
        }
        T::MsgReadIndex | T::MsgReadIndexResp => {
            w.u64(m.index);
            w.bytes(m.entries.first().map_or(&[][..], |e| &e.data[..]));
        }
        _ => unreachable!("code() knows these types only"),
    }
}

fn read_raft(r: &mut Reader<'_>) -> Result<Message, MessageError> {
    use MessageType as T;
    let kind = kind_of(r.u8("message type")?)?;
    let mut m = Message::default();
    m.set_msg_type(kind);
    m.from = r.u64("from")?;
    m.to = r.u64("to")?;
    m.term = r.u64("term")?;
    match kind {
        T::MsgAppend => {
            m.index = r.u64("index")?;
            m.log_term = r.u64("log_term")?;
            m.commit = r.u64("commit")?;
            m.set_entries(read_entries(r, m.index)?.into());
        }
        T::MsgAppendResponse => {
            m.index = r.u64("index")?;
            m.log_term = r.u64("log_term")?;
            m.commit = r.u64("commit")?;
            m.reject = r.bool("reject")?;
            m.reject_hint = r.u64("reject_hint")?;
        }
        T::MsgRequestVote | T::MsgRequestPreVote => {
            m.index = r.u64("index")?;
            m.log_term = r.u64("log_term")?;
            m.commit = r.u64("commit")?;
            m.commit_term = r.u64("commit_term")?;
        }
        T::MsgRequestVoteResponse | T::MsgRequestPreVoteResponse => {
            m.reject = r.bool("reject")?;
            m.commit = r.u64("commit")?;
            m.commit_term = r.u64("commit_term")?;
        }
        T::MsgHeartbeat | T::MsgHeartbeatResponse => {
            m.commit = r.u64("commit")?;
            m.context = r.bytes(MAX_CONTEXT_BYTES, "context")?.to_vec().into();
        }
        _ => {
            m.index = r.u64("index")?;
            let entry = Entry {
                data: r.bytes(MAX_CONTEXT_BYTES, "context")?.to_vec().into(),
                ..Entry::default()
            };
            m.set_entries(vec![entry].into());
        }
    }
    Ok(m)
}

fn read_entries(r: &mut Reader<'_>, index: LogIndex) -> Result<Vec<Entry>, WireError> {
    let count = r.count(MAX_ENTRIES_PER_MESSAGE, "entries")?;
    (1..=count as u64)
        .map(|i| {
            let at = index
                .checked_add(i)
                .ok_or(WireError::NonCanonical { field: "index" })?;
            let (term, payload) = read_entry(r)?;
            Ok(payload.into_entry(at, term))
        })
        .collect()
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
