//! The client's side of the client port.

use super::{CALLS_IN_FLIGHT, CONNECTION, END, MAX_REQUEST, MAX_RESPONSE, Status, protocol};
use crate::ids::ClusterId;
use crate::net::frame::{FrameError, append_frame, read_body, read_prefix};
use crate::net::streams::{self, OpenError, OpenReply};
use crate::net::{identity, transport};
use futures::channel::oneshot;
use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::swarm::dial_opts::DialOpts;
use libp2p::swarm::{ConnectionId, DialError, NetworkBehaviour, SwarmEvent};
use libp2p::{PeerId, Stream, Swarm, ping};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

/// From the request's first byte to the node's status: a little more than the node's own limits.
const CALL_DEADLINE: Duration = Duration::from_secs(15);

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConnectError {
    #[error("nobody listens at {addr}")]
    Refused { addr: SocketAddr },
    #[error("{addr} is answered by another node than the trust root names")]
    WrongNode { addr: SocketAddr },
    #[error("the node at {addr} belongs to another cluster")]
    WrongCluster { addr: SocketAddr },
    #[error("no connection to {addr} in time")]
    Timeout { addr: SocketAddr },
    #[error("the node's public key is not an Ed25519 key")]
    BadKey,
    #[error("no connection to {addr}: {reason}")]
    Failed { addr: SocketAddr, reason: String },
}

/// Why a call has no answer, or no more of it. Except for `TooLarge` and `Busy`, the node may have
/// acted on the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CallError {
    #[error("a request of {found} bytes is too long, at most {limit} are allowed")]
    TooLarge { found: usize, limit: usize },
    #[error("the node has too much to do: try again later, or another node")]
    Busy,
    #[error("the connection is lost")]
    Disconnected,
    #[error("the node did not answer in time")]
    Timeout,
    #[error("the node breaks the protocol: {0}")]
    Protocol(FrameError),
    #[error("the node answered with the unknown status {0}")]
    UnknownStatus(u8),
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    ping: ping::Behaviour,
    calls: streams::Behaviour,
}

/// A connection to one node; closed when dropped.
pub struct ClientConnection {
    opens: mpsc::Sender<OpenReply>,
    calls: Arc<Semaphore>,
}

impl ClientConnection {
    /// Connects to the node that holds the secret of `node_public`, under a random identity.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub async fn connect(
        cluster: ClusterId,
        node_public: [u8; 32],
        addr: SocketAddr,
        deadline: Duration,
    ) -> Result<Self, ConnectError> {
        timeout(deadline, Self::connect_now(cluster, node_public, addr))
            .await
            .unwrap_or(Err(ConnectError::Timeout { addr }))
    }

    async fn connect_now(
        cluster: ClusterId,
        node_public: [u8; 32],
        addr: SocketAddr,
    ) -> Result<Self, ConnectError> {
        let node = identity::peer_id(&node_public).map_err(|_| ConnectError::BadKey)?;
        let behaviour = Behaviour {
            ping: ping::Behaviour::default(),
            // Nodes open no streams towards clients.
            calls: streams::Behaviour::new(protocol(cluster), 0, true),
        };
        let us = Keypair::generate_ed25519();
        let mut swarm =
            transport::swarm(us, CONNECTION, Duration::ZERO, CALLS_IN_FLIGHT, behaviour);
        let opts = DialOpts::peer_id(node)
            .addresses(vec![transport::multiaddr(addr)])
            .allocate_new_port()
            .build();
        swarm.dial(opts).map_err(|error| classify(addr, &error))?;
        let connection = loop {
            match swarm.select_next_some().await {
                SwarmEvent::ConnectionEstablished { connection_id, .. } => break connection_id,
                SwarmEvent::OutgoingConnectionError { error, .. } => {
                    return Err(classify(addr, &error));
                }
                _ => {}
            }
        };
        let (opens, requests) = mpsc::channel(CALLS_IN_FLIGHT);
        tokio::spawn(drive(swarm, node, connection, requests));
        let client = Self {
            opens,
            calls: Arc::new(Semaphore::new(CALLS_IN_FLIGHT)),
        };
        // A node of another cluster shakes hands like any other; only a stream tells.
        match client.open().await {
            Ok(mut probe) => {
                let _ = probe.close().await;
                Ok(client)
            }
            Err(OpenError::Unsupported) => Err(ConnectError::WrongCluster { addr }),
            Err(error) => Err(ConnectError::Failed {
                addr,
                reason: error.to_string(),
            }),
        }
    }

    /// Sends a request of at most [`MAX_REQUEST`] bytes; returns once the node has taken it.
    /// Waits while [`CALLS_IN_FLIGHT`] others of this connection are under way.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, request: Vec<u8>) -> Result<ResponseStream, CallError> {
        if request.len() > MAX_REQUEST {
            return Err(CallError::TooLarge {
                found: request.len(),
                limit: MAX_REQUEST,
            });
        }
        let place = self.calls.clone().acquire_owned().await;
        let place = place.expect("never closed");
        timeout(CALL_DEADLINE, self.ask(&request))
            .await
            .unwrap_or(Err(CallError::Timeout))
            .map(|stream| ResponseStream {
                state: State::Open(stream),
                _place: place,
            })
    }

    async fn ask(&self, request: &[u8]) -> Result<Stream, CallError> {
        let mut stream = self.open().await.map_err(|_| CallError::Disconnected)?;
        let mut bytes = Vec::with_capacity(4 + request.len());
        append_frame(&mut bytes, request);
        let written = async {
            stream.write_all(&bytes).await?;
            stream.flush().await
        };
        // A node that refuses reads no further: writing may fail while its reason can be read.
        let _: io::Result<()> = written.await;
        let mut status = [0];
        stream
            .read_exact(&mut status)
            .await
            .map_err(|_| CallError::Disconnected)?;
        match status[0] {
            s if s == Status::Accepted as u8 => Ok(stream),
            s if s == Status::Busy as u8 => Err(CallError::Busy),
            s if s == Status::TooLarge as u8 => Err(CallError::TooLarge {
                found: request.len(),
                limit: MAX_REQUEST,
            }),
            s => Err(CallError::UnknownStatus(s)),
        }
    }

    async fn open(&self) -> Result<Stream, OpenError> {
        let (reply, opened) = oneshot::channel();
        self.opens
            .send(reply)
            .await
            .map_err(|_| OpenError::Closed)?;
        opened.await.map_err(|_| OpenError::Closed)?
    }
}

/// The responses to one call.
pub struct ResponseStream {
    state: State,
    _place: OwnedSemaphorePermit,
}

enum State {
    Open(Stream),
    /// The node said so.
    Ended,
    /// Broken off, or left within a response by a caller that stopped waiting.
    Broken,
}

impl ResponseStream {
    /// The next response, or `None` once the node has said that there are no more. Waits as long
    /// as the node takes: what is a long time depends on what was asked. Who drops the future
    /// before it is ready gets no further response.
    ///
    /// # Errors
    /// [`CallError::Disconnected`] if the answer broke off, [`CallError::Protocol`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, CallError> {
        let mut stream = match std::mem::replace(&mut self.state, State::Broken) {
            State::Open(stream) => stream,
            State::Broken => return Err(CallError::Disconnected),
            State::Ended => {
                self.state = State::Ended;
                return Ok(None);
            }
        };
        let prefix = read_prefix(&mut stream).await.map_err(broken_off)?;
        let len = match prefix {
            None => return Err(CallError::Disconnected),
            Some(END) => {
                self.state = State::Ended;
                return Ok(None);
            }
            Some(len) => len,
        };
        if len as usize > MAX_RESPONSE {
            return Err(CallError::Protocol(FrameError::TooLong {
                found: len,
                limit: MAX_RESPONSE,
            }));
        }
        let body = read_body(&mut stream, len as usize)
            .await
            .map_err(broken_off)?;
        self.state = State::Open(stream);
        Ok(Some(body))
    }
}

fn broken_off(error: FrameError) -> CallError {
    match error {
        FrameError::Truncated | FrameError::Io(_) => CallError::Disconnected,
        FrameError::TooLong { .. } => CallError::Protocol(error),
    }
}

/// Owns the swarm until the connection ends or nobody asks any more.
async fn drive(
    mut swarm: Swarm<Behaviour>,
    node: PeerId,
    connection: ConnectionId,
    mut opens: mpsc::Receiver<OpenReply>,
) {
    loop {
        tokio::select! {
            event = swarm.select_next_some() => match event {
                SwarmEvent::ConnectionClosed { .. } => return,
                SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                    result: Err(ping::Failure::Timeout),
                    ..
                })) => return,
                _ => {}
            },
            open = opens.recv() => match open {
                Some(reply) => swarm.behaviour_mut().calls.open(node, connection, reply),
                None => return,
            },
        }
    }
}

fn classify(addr: SocketAddr, error: &DialError) -> ConnectError {
    let reason = match error {
        DialError::WrongPeerId { .. } => return ConnectError::WrongNode { addr },
        other => other.to_string(),
    };
    // The transport's layers box each other's errors out of reach of a downcast; what is left of
    // the operating system's error is its text (tests/net_client.rs holds it).
    if reason.contains("Connection refused") {
        ConnectError::Refused { addr }
    } else if reason.contains("timed out") || reason.contains("Timeout has been reached") {
        ConnectError::Timeout { addr }
    } else {
        ConnectError::Failed { addr, reason }
    }
}
