//! A libp2p behaviour for one protocol whose streams are handed out whole.
//!
//! libp2p-stream (0.5.0-alpha) does nearly this, but drops inbound streams whenever its queue of
//! one is full and opens on a random connection of the peer. Here a stream is opened on the
//! connection that is named, and an inbound one reaches the swarm's loop with the connection it
//! came on.
//!
//! Invariant: at most `inbound_limit` inbound streams of a connection are alive at once; one more
//! is reset. Knows nothing of what streams carry.

use futures::channel::oneshot;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::core::{Endpoint, Multiaddr};
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, NotifyHandler, StreamUpgradeError, SubstreamProtocol, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{PeerId, Stream, StreamProtocol};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why a stream was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum OpenError {
    #[error("the peer does not speak the protocol")]
    Unsupported,
    #[error("the connection is closed")]
    Closed,
    #[error("the stream failed while it was negotiated: {0}")]
    Io(io::ErrorKind),
}

/// Where the result of an opening goes. Dropped unanswered when the connection is gone.
pub(super) type OpenReply = oneshot::Sender<Result<Stream, OpenError>>;

/// A stream that a peer opened.
#[derive(Debug)]
pub(super) struct Inbound {
    pub peer: PeerId,
    pub connection: ConnectionId,
    pub stream: Stream,
    /// One of the connection's places; to be kept as long as the stream.
    pub place: OwnedSemaphorePermit,
}

pub(super) struct Behaviour {
    protocol: StreamProtocol,
    inbound_limit: usize,
    keep_alive: bool,
    pending: VecDeque<ToSwarm<Inbound, OpenReply>>,
    waker: Option<Waker>,
}

impl Behaviour {
    /// With `keep_alive` a connection stays open though no stream is.
    pub(super) fn new(protocol: StreamProtocol, inbound_limit: usize, keep_alive: bool) -> Self {
        Self {
            protocol,
            inbound_limit,
            keep_alive,
            pending: VecDeque::new(),
            waker: None,
        }
    }

    pub(super) fn open(&mut self, peer: PeerId, connection: ConnectionId, reply: OpenReply) {
        self.push(ToSwarm::NotifyHandler {
            peer_id: peer,
            handler: NotifyHandler::One(connection),
            event: reply,
        });
    }

    fn push(&mut self, event: ToSwarm<Inbound, OpenReply>) {
        self.pending.push_back(event);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn handler(&self) -> Handler {
        Handler {
            protocol: self.protocol.clone(),
            keep_alive: self.keep_alive,
            places: Arc::new(Semaphore::new(self.inbound_limit)),
            opening: VecDeque::new(),
            arrived: VecDeque::new(),
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Inbound;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler())
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        (stream, place): THandlerOutEvent<Self>,
    ) {
        self.push(ToSwarm::GenerateEvent(Inbound {
            peer,
            connection,
            stream,
            place,
        }));
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.pending.pop_front() {
            Some(event) => Poll::Ready(event),
            None => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// One connection's side of [`Behaviour`].
pub(super) struct Handler {
    protocol: StreamProtocol,
    keep_alive: bool,
    places: Arc<Semaphore>,
    opening: VecDeque<OpenReply>,
    /// Never longer than `places` has permits.
    arrived: VecDeque<(Stream, OwnedSemaphorePermit)>,
}

type Upgrade = ReadyUpgrade<StreamProtocol>;

impl ConnectionHandler for Handler {
    type FromBehaviour = OpenReply;
    type ToBehaviour = (Stream, OwnedSemaphorePermit);
    type InboundProtocol = Upgrade;
    type OutboundProtocol = Upgrade;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = OpenReply;

    fn listen_protocol(&self) -> SubstreamProtocol<Upgrade, ()> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
    }

    fn connection_keep_alive(&self) -> bool {
        self.keep_alive
    }

    // The swarm polls again after every event and every call of `on_*`, so no waker is kept.
    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Upgrade, OpenReply, Self::ToBehaviour>> {
        if let Some(arrival) = self.arrived.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(arrival));
        }
        if let Some(reply) = self.opening.pop_front() {
            let upgrade = ReadyUpgrade::new(self.protocol.clone());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest {
                protocol: SubstreamProtocol::new(upgrade, reply),
            });
        }
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, reply: OpenReply) {
        self.opening.push_back(reply);
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Upgrade, Upgrade, (), OpenReply>) {
        // An answer nobody waits for any more drops the stream, which resets it.
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol: stream,
                ..
            }) => match self.places.clone().try_acquire_owned() {
                Ok(place) => self.arrived.push_back((stream, place)),
                Err(_) => tracing::debug!("a connection's inbound stream limit is reached"),
            },
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol: stream,
                info: reply,
            }) => {
                let _ = reply.send(Ok(stream));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { info: reply, error }) => {
                let error = match error {
                    StreamUpgradeError::Timeout => OpenError::Io(io::ErrorKind::TimedOut),
                    StreamUpgradeError::NegotiationFailed => OpenError::Unsupported,
                    StreamUpgradeError::Io(error) => OpenError::Io(error.kind()),
                    StreamUpgradeError::Apply(never) => match never {},
                };
                let _ = reply.send(Err(error));
            }
            _ => {}
        }
    }
}
