//! The node's side of the client port.

use super::{CONNECTION, END, MAX_REQUEST, MAX_RESPONSE, Status, protocol};
use crate::ids::ClusterId;
use crate::net::frame::{append_frame, read_body, read_prefix};
use crate::net::{ListenError, identity, streams, transport};
use futures::{AsyncWriteExt, StreamExt};
use libp2p::connection_limits::ConnectionLimits;
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{Stream, Swarm, connection_limits, ping};
use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, timeout};
use zeroize::Zeroizing;

/// Clients connected at once.
const CONNECTIONS: u32 = 64;
const PENDING_CONNECTIONS: u32 = 32;
/// Streams of one connection at once: twice what a client uses, since they end here later.
const STREAMS: usize = 2 * super::CALLS_IN_FLIGHT;
/// A connection without a stream is closed after this.
const IDLE: Duration = Duration::from_secs(60);
/// Requests of one connection: so many at once, and so many every second.
const REQUEST_BURST: f64 = 200.0;
const REQUESTS_PER_SECOND: f64 = 100.0;
/// Requests that wait for the node.
const QUEUE: usize = 64;
/// Bytes of requests, and of responses, in memory at once.
const REQUEST_BYTES: usize = 64 << 20;
const RESPONSE_BYTES: usize = 64 << 20;
/// For a request to arrive whole.
const REQUEST_DEADLINE: Duration = Duration::from_secs(10);
/// For a place in the queue or in memory.
const BUSY_DEADLINE: Duration = Duration::from_secs(2);
/// For one response to be taken by a client.
const RESPONSE_DEADLINE: Duration = Duration::from_secs(10);

/// The clients' listener. Ends when the receiver of its requests is dropped.
pub struct ClientPort;

/// What a client asked, and where the answer goes.
pub struct ClientRequest {
    pub bytes: Vec<u8>,
    pub responder: Responder,
}

/// The responses to one request; dropping it ends them.
pub struct Responder {
    to_writer: mpsc::Sender<Response>,
    memory: Arc<Semaphore>,
}

struct Response {
    bytes: Vec<u8>,
    _memory: OwnedSemaphorePermit,
}

/// Why a response was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ResponseError {
    #[error("a response of {found} bytes is too long, at most {limit} are allowed")]
    TooLarge { found: usize, limit: usize },
    #[error("the client is gone, or reads too slowly")]
    Gone,
}

impl Responder {
    /// Sends one response of at most [`MAX_RESPONSE`] bytes; waits while the client is slow.
    ///
    /// # Errors
    /// [`ResponseError`]; after `Gone` nothing more will be taken.
    pub async fn send(&self, bytes: Vec<u8>) -> Result<(), ResponseError> {
        if bytes.len() > MAX_RESPONSE {
            return Err(ResponseError::TooLarge {
                found: bytes.len(),
                limit: MAX_RESPONSE,
            });
        }
        let len = u32::try_from(bytes.len()).expect("at most MAX_RESPONSE");
        // Whoever holds memory gives it back within RESPONSE_DEADLINE.
        let memory = self.memory.clone().acquire_many_owned(len).await;
        let response = Response {
            bytes,
            _memory: memory.expect("never closed"),
        };
        self.to_writer
            .send(response)
            .await
            .map_err(|_| ResponseError::Gone)
    }
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    limits: connection_limits::Behaviour,
    ping: ping::Behaviour,
    requests: streams::Behaviour,
}

impl ClientPort {
    /// Listens for clients of `cluster` on the current tokio runtime, as the node that `secret`
    /// belongs to; returns the address with the port that was bound.
    ///
    /// # Errors
    /// [`ListenError`].
    pub async fn start(
        cluster: ClusterId,
        secret: &Zeroizing<[u8; 32]>,
        listen: SocketAddr,
    ) -> Result<(mpsc::Receiver<ClientRequest>, SocketAddr), ListenError> {
        let limits = ConnectionLimits::default()
            .with_max_pending_incoming(Some(PENDING_CONNECTIONS))
            .with_max_established_incoming(Some(CONNECTIONS));
        let behaviour = Behaviour {
            limits: connection_limits::Behaviour::new(limits),
            ping: ping::Behaviour::default(),
            requests: streams::Behaviour::new(protocol(cluster), STREAMS, false),
        };
        let mut swarm = transport::swarm(
            identity::keypair(secret),
            CONNECTION,
            IDLE,
            STREAMS,
            behaviour,
        );
        let bound = transport::listen(&mut swarm, listen).await?;
        let (to_node, requests) = mpsc::channel(QUEUE);
        let server = Server {
            swarm,
            quotas: BTreeMap::new(),
            shared: Shared {
                to_node,
                request_memory: Arc::new(Semaphore::new(REQUEST_BYTES)),
                response_memory: Arc::new(Semaphore::new(RESPONSE_BYTES)),
            },
        };
        tokio::spawn(server.run());
        Ok((requests, bound))
    }
}

struct Server {
    swarm: Swarm<Behaviour>,
    quotas: BTreeMap<ConnectionId, Quota>,
    shared: Shared,
}

#[derive(Clone)]
struct Shared {
    to_node: mpsc::Sender<ClientRequest>,
    request_memory: Arc<Semaphore>,
    response_memory: Arc<Semaphore>,
}

impl Server {
    async fn run(mut self) {
        loop {
            let event = tokio::select! {
                event = self.swarm.select_next_some() => event,
                () = self.shared.to_node.closed() => return,
            };
            match event {
                SwarmEvent::Behaviour(BehaviourEvent::Requests(inbound)) => {
                    let quota = self.quotas.entry(inbound.connection).or_default();
                    let streams::Inbound { stream, place, .. } = inbound;
                    if quota.take(Instant::now()) {
                        tokio::spawn(self.shared.clone().serve(stream, place));
                    } else {
                        tokio::spawn(refuse(stream, place, Status::Busy));
                    }
                }
                SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                    connection,
                    result: Err(ping::Failure::Timeout),
                    ..
                })) => {
                    self.swarm.close_connection(connection);
                }
                SwarmEvent::ConnectionClosed { connection_id, .. } => {
                    self.quotas.remove(&connection_id);
                }
                _ => {}
            }
        }
    }
}

impl Shared {
    async fn serve(self, mut stream: Stream, place: OwnedSemaphorePermit) {
        let request = timeout(REQUEST_DEADLINE, self.read(&mut stream)).await;
        let (bytes, _memory) = match request {
            Ok(Ok(Some(request))) => request,
            Ok(Err(status)) => return refuse(stream, place, status).await,
            // Nothing was asked, or not to its end.
            Ok(Ok(None)) | Err(_) => return,
        };
        let (to_writer, responses) = mpsc::channel(1);
        let request = ClientRequest {
            bytes,
            responder: Responder {
                to_writer,
                memory: self.response_memory,
            },
        };
        match timeout(BUSY_DEADLINE, self.to_node.send(request)).await {
            Ok(Ok(())) => {
                if let Err(error) = respond(stream, responses).await {
                    tracing::debug!(%error, "a client did not take its answer");
                }
            }
            _ => refuse(stream, place, Status::Busy).await,
        }
    }

    async fn read(
        &self,
        stream: &mut Stream,
    ) -> Result<Option<(Vec<u8>, OwnedSemaphorePermit)>, Status> {
        let Ok(Some(len)) = read_prefix(stream).await else {
            return Ok(None);
        };
        if len as usize > MAX_REQUEST {
            return Err(Status::TooLarge);
        }
        let memory = self.request_memory.clone().acquire_many_owned(len);
        let memory = timeout(BUSY_DEADLINE, memory)
            .await
            .map_err(|_| Status::Busy)?
            .expect("never closed");
        let body = read_body(stream, len as usize).await;
        Ok(body.ok().map(|body| (body, memory)))
    }
}

async fn respond(mut stream: Stream, mut responses: mpsc::Receiver<Response>) -> io::Result<()> {
    write(&mut stream, &[Status::Accepted as u8]).await?;
    let mut buffer = Vec::new();
    // `responses` is dropped on the way out, and the node's next send fails.
    while let Some(response) = responses.recv().await {
        buffer.clear();
        append_frame(&mut buffer, &response.bytes);
        write(&mut stream, &buffer).await?;
    }
    write(&mut stream, &END.to_le_bytes()).await?;
    timeout(RESPONSE_DEADLINE, stream.close()).await?
}

async fn refuse(mut stream: Stream, _place: OwnedSemaphorePermit, status: Status) {
    if write(&mut stream, &[status as u8]).await.is_ok() {
        let _ = timeout(RESPONSE_DEADLINE, stream.close()).await;
    }
}

async fn write(stream: &mut Stream, bytes: &[u8]) -> io::Result<()> {
    let written = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    timeout(RESPONSE_DEADLINE, written).await?
}

/// A token bucket (ITU-T I.371): one token a request.
struct Quota {
    tokens: f64,
    filled: Instant,
}

impl Default for Quota {
    fn default() -> Self {
        Self {
            tokens: REQUEST_BURST,
            filled: Instant::now(),
        }
    }
}

impl Quota {
    fn take(&mut self, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + since * REQUESTS_PER_SECOND).min(REQUEST_BURST);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_allows_its_burst_and_then_its_rate() {
        let mut quota = Quota::default();
        let start = quota.filled;
        let allowed = (0..1000).filter(|_| quota.take(start)).count();
        assert_eq!(allowed as f64, REQUEST_BURST);
        let later = start + Duration::from_millis(100);
        let allowed = (0..1000).filter(|_| quota.take(later)).count();
        assert_eq!(allowed as f64, REQUESTS_PER_SECOND / 10.0);
    }
}
