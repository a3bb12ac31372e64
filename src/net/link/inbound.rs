//! The lane a peer opened towards us: its hello, then its frames.

use super::hello::{Answer, HELLO_LEN, Hello, Refusal};
use super::{MAX_FRAME, Peer};
use crate::net::NetEvent;
use crate::net::frame::{FrameError, read_frame};
use crate::net::streams::Inbound;
use futures::AsyncWriteExt;
use futures::io::BufReader;
use libp2p::Stream;
use libp2p::swarm::ConnectionId;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// From opening a stream to its hello, and from the hello to its answer.
pub(in crate::net) const HELLO_DEADLINE: Duration = Duration::from_secs(5);
const READ_BUFFER: usize = 16 << 10;

/// The lane that is being read.
pub(super) struct OpenLane {
    age: Age,
    reader: JoinHandle<()>,
}

/// Newer lanes compare greater. Connections come first: a restarted peer that has lost its
/// incarnation must still be heard, to be told so.
type Age = (ConnectionId, u64, u64);

/// Takes over a stream that `peer` opened; returns once it is refused or being read.
pub(in crate::net) async fn accept(
    peer: Arc<Peer>,
    inbound: Inbound,
    events: mpsc::Sender<NetEvent>,
) {
    let Inbound {
        connection,
        mut stream,
        place,
        ..
    } = inbound;
    let hello = match timeout(HELLO_DEADLINE, read_hello(&mut stream)).await {
        Ok(Ok(hello)) => hello,
        // A peer that opened a stream and went away has breached nothing.
        Ok(Err(None)) => return,
        Ok(Err(Some(refusal))) => {
            peer.refused(refusal);
            return answer_last(stream, Answer::Malformed).await;
        }
        Err(_) => return peer.refused(Refusal::NoHello),
    };
    if hello.node != peer.node {
        peer.refused(Refusal::ForeignNode {
            claimed: hello.node,
        });
        return answer_last(stream, Answer::ForeignNode).await;
    }
    let age = (connection, hello.incarnation, hello.generation);
    let mut open = peer.lane.lock().await;
    if let Some(lane) = open.take() {
        if !lane.reader.is_finished() && lane.age >= age {
            *open = Some(lane);
            drop(open);
            peer.refused(Refusal::Stale);
            return answer_last(stream, Answer::Stale).await;
        }
        // Ended before the newer lane is read, so that frames of the two never mix.
        lane.reader.abort();
        let _ = lane.reader.await;
    }
    let accepted = timeout(HELLO_DEADLINE, answer(&mut stream, Answer::Accepted)).await;
    if !matches!(accepted, Ok(Ok(()))) {
        return;
    }
    peer.accepted(hello.incarnation);
    let reader = tokio::spawn({
        let peer = peer.clone();
        async move {
            let _place = place;
            if let Err(error) = read_frames(stream, &peer, &events).await {
                peer.refused(Refusal::Frame(error));
            }
        }
    });
    *open = Some(OpenLane { age, reader });
}

async fn read_hello(stream: &mut Stream) -> Result<Hello, Option<Refusal>> {
    match read_frame(stream, HELLO_LEN).await {
        Ok(Some(bytes)) => Hello::decode(&bytes).map_err(|_| Some(Refusal::BadHello)),
        Ok(None) | Err(FrameError::Truncated | FrameError::Io(_)) => Err(None),
        Err(error @ FrameError::TooLong { .. }) => Err(Some(Refusal::Frame(error))),
    }
}

/// Until the stream ends or breaks (`Ok`), the node is gone (`Ok`), or the peer announces a frame
/// that is too long. While the node is slow this waits, and yamux makes the peer wait.
async fn read_frames(
    stream: Stream,
    peer: &Peer,
    events: &mpsc::Sender<NetEvent>,
) -> Result<(), FrameError> {
    let mut stream = BufReader::with_capacity(READ_BUFFER, stream);
    loop {
        let bytes = match read_frame(&mut stream, MAX_FRAME).await {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(FrameError::Truncated | FrameError::Io(_)) => return Ok(()),
            Err(error @ FrameError::TooLong { .. }) => return Err(error),
        };
        let frame = NetEvent::Frame {
            from: peer.node,
            bytes,
        };
        if events.send(frame).await.is_err() {
            return Ok(());
        }
    }
}

async fn answer(stream: &mut Stream, answer: Answer) -> io::Result<()> {
    stream.write_all(&[answer as u8]).await?;
    stream.flush().await
}

async fn answer_last(mut stream: Stream, reason: Answer) {
    let _ = timeout(HELLO_DEADLINE, async {
        answer(&mut stream, reason).await?;
        stream.close().await
    })
    .await;
}
