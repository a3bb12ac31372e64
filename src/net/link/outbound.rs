//! The lane we open towards a peer: reopened for as long as there is a connection.

use super::hello::{Answer, Hello};
use super::inbound::HELLO_DEADLINE;
use super::{Outgoing, Peer};
use crate::ids::NodeId;
use crate::net::NetEvent;
use crate::net::backoff::Backoff;
use crate::net::frame::append_frame;
use crate::net::streams::{OpenError, OpenReply};
use futures::channel::oneshot;
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::ConnectionId;
use libp2p::{PeerId, Stream};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};

const OPEN_DEADLINE: Duration = Duration::from_secs(5);
/// A peer that takes nothing for so long loses the lane, and what was queued for it.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);
const REOPEN_FIRST: Duration = Duration::from_millis(50);
const REOPEN_MAX: Duration = Duration::from_secs(2);
/// Small frames that wait together leave together, up to this many bytes.
const COALESCE_BYTES: usize = 64 << 10;

/// What a lane asks of the swarm's loop.
pub(in crate::net) enum LaneRequest {
    Open {
        peer: PeerId,
        connection: ConnectionId,
        reply: OpenReply,
    },
    Close {
        peer: PeerId,
        connection: ConnectionId,
    },
    /// The peer took our hello: the connection has proven useful.
    Up { peer: PeerId },
}

#[derive(Debug, Error)]
enum LaneError {
    #[error(transparent)]
    NotOpened(#[from] OpenError),
    #[error("the peer answered {0} to our hello")]
    Refused(u8),
    #[error("the peer did not answer our hello: {0}")]
    Io(#[from] io::Error),
    #[error("no answer in time")]
    Deadline,
}

/// Keeps a lane to `peer` open until the swarm's loop ends.
pub(in crate::net) async fn run(
    peer: Arc<Peer>,
    us: NodeId,
    incarnation: u64,
    mut connection: watch::Receiver<Option<ConnectionId>>,
    mut queue: mpsc::Receiver<Outgoing>,
    swarm: mpsc::Sender<LaneRequest>,
    events: mpsc::Sender<NetEvent>,
) {
    let mut backoff = Backoff::new(REOPEN_FIRST, REOPEN_MAX);
    let mut hello = Hello {
        node: us,
        incarnation,
        generation: 0,
    };
    loop {
        let Ok(current) = connection.wait_for(Option::is_some).await.map(|c| *c) else {
            return;
        };
        let current = current.expect("waited for one");
        hello.generation += 1;
        match open(&peer, current, hello, &swarm).await {
            Ok(stream) => {
                backoff.reset();
                let _ = swarm.send(LaneRequest::Up { peer: peer.id }).await;
                peer.up.store(true, Ordering::Release);
                let _ = events.send(NetEvent::PeerUp(peer.node)).await;
                let end = write_frames(stream, current, &mut connection, &mut queue).await;
                peer.up.store(false, Ordering::Release);
                tracing::debug!(node = %peer.node, ?end, "the lane is closed");
                // What waited belongs to the past; Raft will send anew.
                while queue.try_recv().is_ok() {}
                let _ = events.send(NetEvent::PeerDown(peer.node)).await;
            }
            Err(error) => {
                tracing::debug!(node = %peer.node, %error, "no lane");
                if let LaneError::NotOpened(OpenError::Unsupported) = error {
                    // Our key, another cluster: there is nothing to talk about.
                    let close = LaneRequest::Close {
                        peer: peer.id,
                        connection: current,
                    };
                    let _ = swarm.send(close).await;
                }
            }
        }
        tokio::select! {
            changed = connection.wait_for(|now| *now != Some(current)) => {
                if changed.is_err() {
                    return;
                }
            }
            () = sleep(backoff.next()) => {}
        }
    }
}

async fn open(
    peer: &Peer,
    connection: ConnectionId,
    hello: Hello,
    swarm: &mpsc::Sender<LaneRequest>,
) -> Result<Stream, LaneError> {
    let (reply, opened) = oneshot::channel();
    let request = LaneRequest::Open {
        peer: peer.id,
        connection,
        reply,
    };
    swarm.send(request).await.map_err(|_| OpenError::Closed)?;
    let mut stream = timeout(OPEN_DEADLINE, opened)
        .await
        .map_err(|_| LaneError::Deadline)?
        .map_err(|_| OpenError::Closed)??;
    let greeting = async {
        let mut bytes = Vec::new();
        append_frame(&mut bytes, &hello.encode());
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        let mut answer = [0];
        stream.read_exact(&mut answer).await?;
        Ok::<u8, io::Error>(answer[0])
    };
    let answer = timeout(HELLO_DEADLINE, greeting)
        .await
        .map_err(|_| LaneError::Deadline)??;
    if answer != Answer::Accepted as u8 {
        return Err(LaneError::Refused(answer));
    }
    Ok(stream)
}

#[derive(Debug)]
enum LaneEnd {
    ClosedByPeer,
    ConnectionGone,
    ShuttingDown,
    Stalled,
    Broken,
}

async fn write_frames(
    stream: Stream,
    current: ConnectionId,
    connection: &mut watch::Receiver<Option<ConnectionId>>,
    queue: &mut mpsc::Receiver<Outgoing>,
) -> LaneEnd {
    let (mut reader, mut writer) = stream.split();
    let mut buffer = Vec::new();
    // The peer sends nothing after its answer, so whatever can be read is the end.
    let mut last = [0];
    loop {
        let first = tokio::select! {
            biased;
            _ = reader.read(&mut last) => return LaneEnd::ClosedByPeer,
            _ = connection.wait_for(|now| *now != Some(current)) => return LaneEnd::ConnectionGone,
            first = queue.recv() => match first {
                Some(first) => first,
                None => return LaneEnd::ShuttingDown,
            },
        };
        buffer.clear();
        append_frame(&mut buffer, &first.frame);
        // Their shares of the queue's bytes are kept until they are written.
        let mut batch = vec![first];
        while buffer.len() < COALESCE_BYTES {
            let Ok(next) = queue.try_recv() else { break };
            append_frame(&mut buffer, &next.frame);
            batch.push(next);
        }
        let written = async {
            writer.write_all(&buffer).await?;
            writer.flush().await
        };
        tokio::select! {
            written = timeout(WRITE_DEADLINE, written) => match written {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return LaneEnd::Broken,
                Err(_) => return LaneEnd::Stalled,
            },
            _ = connection.wait_for(|now| *now != Some(current)) => return LaneEnd::ConnectionGone,
        }
    }
}
