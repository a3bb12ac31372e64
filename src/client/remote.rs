//! Asks the cluster's nodes: tries one after the other until one answers or time is up.
//!
//! Invariants: 1. a node is authenticated by its key in the trust root before it hears anything;
//! 2. a write is retried with the very same bytes. Knows nothing of keys that seal or open.

use crate::api::{Denial, Reply, Request};
use crate::ids::{ClusterId, LogIndex, NodeId};
use crate::log::Outcome;
use crate::net::client_port::{ClientConnection, ConnectError};
use std::net::SocketAddr;
use std::time::Duration;
use thiserror::Error;
use tokio::time::Instant;

/// How long one node may take to answer before the next is asked; an election is shorter.
const PER_NODE: Duration = Duration::from_secs(8);
/// Between two rounds over all nodes.
const PAUSE: Duration = Duration::from_millis(200);

/// A node's client address and the key it must show.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub node: NodeId,
    pub key: [u8; 32],
    pub address: SocketAddr,
}

/// Why no node did what was asked.
#[derive(Debug, Clone, Error)]
pub enum RemoteError {
    #[error("no node answered within {seconds} s; the last said: {last}")]
    Unavailable { seconds: u64, last: String },
    #[error("{reason}")]
    Refused { reason: String },
    #[error("node {node} answered what was not asked: {what}")]
    Protocol { node: NodeId, what: String },
}

/// A cluster as a client sees it.
pub struct Remote {
    cluster: ClusterId,
    endpoints: Vec<Endpoint>,
    timeout: Duration,
    /// Open connections, by position in `endpoints`, and who answered last.
    connections: Vec<Option<ClientConnection>>,
    preferred: usize,
}

enum Attempt {
    Retry(String),
    Fail(RemoteError),
}

impl Remote {
    #[must_use]
    pub fn new(cluster: ClusterId, endpoints: Vec<Endpoint>, timeout: Duration) -> Self {
        Self {
            cluster,
            connections: endpoints.iter().map(|_| None).collect(),
            endpoints,
            timeout,
            preferred: 0,
        }
    }

    /// How long each question may take from now on.
    pub fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// Submits a sealed batch until it is decided. The same bytes, however often it takes.
    ///
    /// # Errors
    /// [`RemoteError::Unavailable`] leaves the outcome open; `Refused` is the gate's word.
    pub async fn submit(&mut self, batch: &[u8]) -> Result<(LogIndex, Outcome), RemoteError> {
        let reply = self
            .ask(|deadline_ms| Request::Submit {
                deadline_ms,
                batch: batch.to_vec(),
            })
            .await?;
        match reply {
            (_, Reply::Decided { index, outcome }) => Ok((index, outcome)),
            (node, other) => Err(unexpected(node, &other)),
        }
    }

    /// Submits a signed registry change until it is decided.
    ///
    /// # Errors
    /// As [`Remote::submit`].
    pub async fn submit_change(
        &mut self,
        change: &[u8],
    ) -> Result<(LogIndex, Outcome), RemoteError> {
        let reply = self
            .ask(|deadline_ms| Request::Change {
                deadline_ms,
                change: change.to_vec(),
            })
            .await?;
        match reply {
            (_, Reply::Decided { index, outcome }) => Ok((index, outcome)),
            (node, other) => Err(unexpected(node, &other)),
        }
    }

    /// Asks a question with one reply; `request` gets the time left for one node.
    ///
    /// # Errors
    /// [`RemoteError`].
    pub async fn ask(
        &mut self,
        request: impl Fn(u32) -> Request,
    ) -> Result<(NodeId, Reply), RemoteError> {
        let mut only = None;
        let node = self
            .stream(request, |reply| {
                only = Some(reply);
                Ok(true)
            })
            .await?;
        only.map(|reply| (node, reply))
            .ok_or_else(|| RemoteError::Protocol {
                node,
                what: "nothing".into(),
            })
    }

    /// Asks a question with many replies; `each` says whether the last has come. What one node
    /// began is never continued by another: after the first reply a failure is final.
    ///
    /// # Errors
    /// [`RemoteError`], or what `each` returns.
    pub async fn stream(
        &mut self,
        request: impl Fn(u32) -> Request,
        mut each: impl FnMut(Reply) -> Result<bool, RemoteError>,
    ) -> Result<NodeId, RemoteError> {
        let deadline = Instant::now() + self.timeout;
        loop {
            for _ in 0..self.endpoints.len() {
                let at = self.preferred;
                let node = self.endpoints[at].node;
                let reason = match self.attempt(at, deadline, &request, &mut each).await {
                    Ok(()) => return Ok(node),
                    Err(Attempt::Fail(error)) => return Err(error),
                    Err(Attempt::Retry(reason)) => reason,
                };
                self.preferred = (at + 1) % self.endpoints.len();
                if Instant::now() >= deadline {
                    return Err(RemoteError::Unavailable {
                        seconds: self.timeout.as_secs(),
                        last: format!("node {node}: {reason}"),
                    });
                }
            }
            tokio::time::sleep_until((Instant::now() + PAUSE).min(deadline)).await;
        }
    }

    async fn attempt(
        &mut self,
        at: usize,
        deadline: Instant,
        request: &impl Fn(u32) -> Request,
        each: &mut impl FnMut(Reply) -> Result<bool, RemoteError>,
    ) -> Result<(), Attempt> {
        let until = (Instant::now() + PER_NODE).min(deadline);
        let node = self.endpoints[at].node;
        let connection = self.connection(at, until).await?;
        let left = until.saturating_duration_since(Instant::now());
        let request = request(u32::try_from(left.as_millis()).unwrap_or(u32::MAX));
        let mut begun = false;
        let outcome = async {
            let mut replies = connection
                .call(request.to_bytes())
                .await
                .map_err(|e| Attempt::Retry(e.to_string()))?;
            loop {
                let bytes = match replies.next().await {
                    Ok(Some(bytes)) => bytes,
                    Ok(None) => return Err(Attempt::Retry("the answer broke off".into())),
                    Err(error) => return Err(Attempt::Retry(error.to_string())),
                };
                let reply = Reply::from_bytes(&bytes).map_err(|e| {
                    Attempt::Fail(RemoteError::Protocol {
                        node,
                        what: e.to_string(),
                    })
                })?;
                if let Reply::Denied { denial, reason } = reply {
                    return Err(match denial {
                        Denial::Unavailable | Denial::Overloaded => Attempt::Retry(reason),
                        Denial::Invalid | Denial::BadRequest => {
                            Attempt::Fail(RemoteError::Refused { reason })
                        }
                    });
                }
                begun = true;
                let done = each(reply).map_err(|error| match error {
                    // `each` does not know whom it hears.
                    RemoteError::Protocol { what, .. } => RemoteError::Protocol { node, what },
                    other => other,
                });
                if done.map_err(Attempt::Fail)? {
                    return Ok(());
                }
            }
        };
        // A stream may last longer than the wait for its first reply; each reply renews nothing,
        // the whole is bounded by the caller's deadline.
        let result = tokio::time::timeout_at(deadline.min(until + PER_NODE), outcome)
            .await
            .unwrap_or_else(|_| Err(Attempt::Retry("it did not answer in time".into())));
        if result.is_err() {
            self.connections[at] = None;
        }
        match result {
            Err(Attempt::Retry(reason)) if begun => Err(Attempt::Fail(RemoteError::Unavailable {
                seconds: self.timeout.as_secs(),
                last: format!("node {node} broke off: {reason}"),
            })),
            other => other,
        }
    }

    async fn connection(
        &mut self,
        at: usize,
        until: Instant,
    ) -> Result<&ClientConnection, Attempt> {
        if self.connections[at].is_none() {
            let endpoint = &self.endpoints[at];
            let left = until.saturating_duration_since(Instant::now());
            let connection =
                ClientConnection::connect(self.cluster, endpoint.key, endpoint.address, left)
                    .await
                    .map_err(|e: ConnectError| Attempt::Retry(e.to_string()))?;
            self.connections[at] = Some(connection);
        }
        Ok(self.connections[at].as_ref().expect("just connected"))
    }
}

fn unexpected(node: NodeId, reply: &Reply) -> RemoteError {
    RemoteError::Protocol {
        node,
        what: format!("{reply:?}"),
    }
}
