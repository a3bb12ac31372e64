//! A node's wire: frames to and from members, gossip among them, and requests from clients.
//!
//! Invariants: 1. bytes reach the node only from configured members, named by the key that
//! authenticated the connection, or through the client port, which says so; 2. whatever one peer
//! does, memory stays bounded and the others are served; 3. nothing here blocks the caller.
//! Knows nothing of what frames, messages and requests mean, and nothing of the store.
//!
//! - [`identity`]: an Ed25519 key as a peer id
//! - [`link`]: the two lanes between this node and one peer
//! - [`gossip`]: signed broadcast, forwarded only after the node's verdict
//! - [`discovery`]: the address file and mDNS
//! - [`client_port`]: requests and their streamed answers
//! - `control`: the loop that owns the swarm; `transport`, `mux`, `streams`, `frame`: below it

mod backoff;
pub mod client_port;
mod control;
pub mod discovery;
mod frame;
pub mod gossip;
pub mod identity;
pub mod link;
mod mux;
mod streams;
mod transport;

pub use discovery::{AddressFileError, publish_address};
pub use frame::FrameError;
pub use gossip::{GossipToken, GossipVerdict, MAX_GOSSIP};
pub use link::{MAX_FRAME, PeerState, Refusal};
pub use transport::ListenError;

use crate::ids::{ClusterId, NodeId, ShardId};
use control::{Command, Control};
use link::Peer;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use zeroize::Zeroizing;

/// Events that wait for the node, of all peers together. Short: each peer has a queue of its own
/// behind it, and they take turns.
const EVENTS: usize = 16;
/// Publications and verdicts that wait for the swarm's loop.
const COMMANDS: usize = 256;

/// What a network needs to start.
pub struct NetConfig {
    pub cluster: ClusterId,
    pub node: NodeId,
    /// The node's Ed25519 secret.
    pub secret: Zeroizing<[u8; 32]>,
    /// Port 0 takes any free one.
    pub listen: SocketAddr,
    /// Every member's Ed25519 public key, our own among them.
    pub members: BTreeMap<NodeId, [u8; 32]>,
    /// See [`discovery`]. It is read, never written, here: a node that wants to be found calls
    /// [`publish_address`], and one behind a proxy does not.
    pub address_file: Option<PathBuf>,
    /// Look for members on the local network as well. Finds nothing on loopback.
    pub mdns: bool,
    /// Whose checkpoints are gossiped.
    pub shard: ShardId,
    /// How often this node has started, as it remembers it.
    pub incarnation: u64,
}

/// Why a network does not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetError {
    #[error("{addr} is in use by another process: stop it, or choose another port")]
    PortInUse { addr: SocketAddr },
    #[error("cannot listen on {addr}: {reason}")]
    Listen { addr: SocketAddr, reason: String },
    #[error("the public key of member {node} is not an Ed25519 key")]
    BadMemberKey { node: NodeId },
    #[error("the secret is not that of member {node}")]
    NotThisMember { node: NodeId },
    #[error("mDNS does not start: {reason}")]
    Mdns { reason: String },
}

impl From<ListenError> for NetError {
    fn from(error: ListenError) -> Self {
        match error {
            ListenError::PortInUse { addr } => Self::PortInUse { addr },
            ListenError::Unusable { addr, reason } => Self::Listen { addr, reason },
        }
    }
}

/// Why bytes were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SendError {
    #[error("{found} bytes are too long, at most {limit} can be sent")]
    TooLarge { found: usize, limit: usize },
    #[error("the queue is full")]
    QueueFull,
    #[error("the peer is not connected")]
    NotConnected,
}

/// What the network tells the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetEvent {
    /// A frame; those of one peer arrive in the order they were sent, with gaps where a
    /// connection was lost or a queue full.
    Frame { from: NodeId, bytes: Vec<u8> },
    /// A message signed by `from`, or by nobody who is a member. It is forwarded once the node
    /// has accepted it by its token.
    Gossip {
        from: Option<NodeId>,
        data: Vec<u8>,
        token: GossipToken,
    },
    /// Frames can be sent to the peer.
    PeerUp(NodeId),
    /// They cannot any more, and those that waited are gone.
    PeerDown(NodeId),
}

/// A running network. Ends when its last handle or its event receiver is dropped.
pub struct Network;

impl Network {
    /// Starts on the current tokio runtime; returns the address with the port that was bound.
    ///
    /// # Errors
    /// [`NetError`].
    pub async fn start(
        config: NetConfig,
    ) -> Result<(NetHandle, mpsc::Receiver<NetEvent>, SocketAddr), NetError> {
        let (commands, from_handle) = mpsc::channel(COMMANDS);
        let (events, to_node) = mpsc::channel(EVENTS);
        let (control, peers, bound) = Control::start(config, from_handle, events).await?;
        tokio::spawn(control.run());
        Ok((NetHandle { commands, peers }, to_node, bound))
    }
}

/// The node's end of a running network.
#[derive(Clone)]
pub struct NetHandle {
    commands: mpsc::Sender<Command>,
    peers: Arc<BTreeMap<NodeId, Arc<Peer>>>,
}

impl NetHandle {
    /// Queues a frame of at most [`MAX_FRAME`] bytes. `Ok` promises nothing about arrival.
    ///
    /// # Errors
    /// [`SendError`]; the frame is dropped, and counted if the queue was full.
    pub fn send(&self, to: NodeId, frame: Vec<u8>) -> Result<(), SendError> {
        self.peers
            .get(&to)
            .ok_or(SendError::NotConnected)?
            .send(frame)
    }

    /// Broadcasts at most [`MAX_GOSSIP`] bytes to the members that listen now. The same bytes
    /// within a minute are sent once.
    ///
    /// # Errors
    /// [`SendError::TooLarge`], [`SendError::QueueFull`], and [`SendError::NotConnected`] after
    /// the network has ended.
    pub fn publish(&self, data: Vec<u8>) -> Result<(), SendError> {
        if data.len() > MAX_GOSSIP {
            return Err(SendError::TooLarge {
                found: data.len(),
                limit: MAX_GOSSIP,
            });
        }
        self.command(Command::Publish(data))
    }

    /// Forwards or drops a received message. A verdict that finds the queue full is lost, and the
    /// message with it.
    pub fn gossip_verdict(&self, token: GossipToken, verdict: GossipVerdict) {
        if self.command(Command::Verdict(token, verdict)).is_err() {
            tracing::debug!("a gossip verdict was lost");
        }
    }

    /// Every other member's standing.
    #[must_use]
    pub fn peers(&self) -> BTreeMap<NodeId, PeerState> {
        self.peers
            .iter()
            .map(|(node, peer)| (*node, peer.state()))
            .collect()
    }

    /// Closes every connection and frees the port; returns once that is done.
    pub async fn shutdown(&self) {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::Shutdown(done)).await.is_ok() {
            let _ = wait.await;
        }
    }

    fn command(&self, command: Command) -> Result<(), SendError> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => SendError::QueueFull,
                mpsc::error::TrySendError::Closed(_) => SendError::NotConnected,
            })
    }
}
