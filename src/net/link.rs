//! The two lanes between this node and one peer: ordered frames out, ordered frames in.
//!
//! Invariants: 1. a lane opens with a hello (node id, incarnation, generation), and an inbound one
//! is taken only if the node id is the one bound to the connection's peer id; 2. a newer lane
//! replaces an older one, whose reader has ended before the newer one's first frame is read;
//! 3. queues are bounded in frames and bytes: outbound ones drop (Raft repeats itself), inbound
//! ones make that peer wait, and no other.
//! Knows nothing of addresses, dialling or what frames mean.

mod hello;
mod inbound;
mod outbound;

pub use hello::Refusal;
pub(super) use inbound::accept;
pub(super) use outbound::{LaneRequest, run};

use super::SendError;
use crate::ids::NodeId;
use libp2p::PeerId;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// The longest frame, in bytes.
pub const MAX_FRAME: usize = 256 << 10;
/// Frames waiting for one peer; one more is dropped.
pub const OUTBOUND_FRAMES: usize = 512;
/// Bytes waiting for one peer; a frame beyond is dropped.
pub const OUTBOUND_BYTES: usize = 8 << 20;
/// Frames of one peer that the node has not taken yet; its reader then waits.
pub const INBOUND_FRAMES: usize = 32;

/// A frame on its way out.
pub(super) struct Outgoing {
    frame: Vec<u8>,
    /// Its share of [`OUTBOUND_BYTES`], given back once it is written or dropped.
    _bytes: OwnedSemaphorePermit,
}

/// A peer's standing, for status reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerState {
    /// Whether frames can be sent.
    pub connected: bool,
    /// Frames dropped because its queue was full, since this process started.
    pub dropped_frames: u64,
    /// The incarnation it named in its newest accepted hello.
    pub incarnation: Option<u64>,
    /// Streams of it that were refused or ended for a breach of the protocol.
    pub refused_streams: u64,
    /// Why the last one was.
    pub last_refusal: Option<Refusal>,
}

/// What the lanes, the swarm's loop and the handle share about one peer.
pub(super) struct Peer {
    pub(super) node: NodeId,
    pub(super) id: PeerId,
    up: AtomicBool,
    dropped: AtomicU64,
    queue: mpsc::Sender<Outgoing>,
    bytes: Arc<Semaphore>,
    seen: Mutex<Seen>,
    lane: tokio::sync::Mutex<Option<inbound::OpenLane>>,
}

#[derive(Default)]
struct Seen {
    incarnation: Option<u64>,
    refused_streams: u64,
    last_refusal: Option<Refusal>,
}

impl Peer {
    pub(super) fn new(node: NodeId, id: PeerId) -> (Self, mpsc::Receiver<Outgoing>) {
        let (queue, waiting) = mpsc::channel(OUTBOUND_FRAMES);
        let peer = Self {
            node,
            id,
            up: AtomicBool::new(false),
            dropped: AtomicU64::new(0),
            queue,
            bytes: Arc::new(Semaphore::new(OUTBOUND_BYTES)),
            seen: Mutex::default(),
            lane: tokio::sync::Mutex::new(None),
        };
        (peer, waiting)
    }

    pub(super) fn send(&self, frame: Vec<u8>) -> Result<(), SendError> {
        if frame.len() > MAX_FRAME {
            return Err(SendError::TooLarge {
                found: frame.len(),
                limit: MAX_FRAME,
            });
        }
        if !self.up.load(Ordering::Acquire) {
            return Err(SendError::NotConnected);
        }
        self.enqueue(frame).ok_or_else(|| {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            SendError::QueueFull
        })
    }

    fn enqueue(&self, frame: Vec<u8>) -> Option<()> {
        let len = u32::try_from(frame.len()).expect("at most MAX_FRAME");
        let bytes = self.bytes.clone().try_acquire_many_owned(len).ok()?;
        let outgoing = Outgoing {
            frame,
            _bytes: bytes,
        };
        self.queue.try_send(outgoing).ok()
    }

    pub(super) fn state(&self) -> PeerState {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        PeerState {
            connected: self.up.load(Ordering::Acquire),
            dropped_frames: self.dropped.load(Ordering::Relaxed),
            incarnation: seen.incarnation,
            refused_streams: seen.refused_streams,
            last_refusal: seen.last_refusal,
        }
    }

    fn refused(&self, refusal: Refusal) {
        tracing::warn!(node = %self.node, peer = %self.id, %refusal, "a stream is closed");
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.refused_streams += 1;
        seen.last_refusal = Some(refusal);
    }

    fn accepted(&self, incarnation: u64) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.incarnation = Some(incarnation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_drops_and_counts_and_a_read_frame_makes_room() {
        let (peer, mut waiting) = Peer::new(NodeId(2), PeerId::random());
        assert_eq!(peer.send(vec![0]), Err(SendError::NotConnected));
        peer.up.store(true, Ordering::Release);
        let fits = OUTBOUND_BYTES / MAX_FRAME;
        for _ in 0..fits {
            assert_eq!(peer.send(vec![0; MAX_FRAME]), Ok(()));
        }
        assert_eq!(peer.send(vec![0]), Err(SendError::QueueFull));
        assert_eq!(peer.state().dropped_frames, 1);
        drop(waiting.recv().await);
        assert_eq!(peer.send(vec![0]), Ok(()));
    }

    #[test]
    fn a_frame_above_the_limit_is_refused_whatever_the_queue_holds() {
        let (peer, _waiting) = Peer::new(NodeId(2), PeerId::random());
        assert_eq!(
            peer.send(vec![0; MAX_FRAME + 1]),
            Err(SendError::TooLarge {
                found: MAX_FRAME + 1,
                limit: MAX_FRAME
            })
        );
    }
}
