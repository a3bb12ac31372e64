//! Yamux with a bound on what one connection may make us buffer.
//!
//! libp2p's own wrapper leaves yamux's limit of 1 GiB per connection in place, and its windows
//! grow with the round-trip time, which the peer can fake by answering pings late. Same protocol,
//! same wire format, and the limits as arguments.
//!
//! Invariant: unread bytes of a connection never exceed `streams` x 256 KiB + `extra`.

use futures::{AsyncRead, AsyncWrite, future, ready};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade, UpgradeInfo};
use std::collections::VecDeque;
use std::io;
use std::iter;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use yamux::{Config, Connection, ConnectionError, Mode};

/// The window yamux grants every stream from the start, in bytes.
const STREAM_WINDOW: usize = 256 << 10;

/// What one connection may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Streams open at once; one more from the peer ends the connection.
    pub streams: usize,
    /// Bytes by which the windows of busy streams may grow, all together.
    pub extra: usize,
}

/// Negotiates `/yamux/1.0.0`.
#[derive(Clone)]
pub(super) struct Upgrade {
    config: Config,
}

impl Upgrade {
    pub(super) fn new(limits: Limits) -> Self {
        let mut config = Config::default();
        config.set_max_num_streams(limits.streams);
        config
            .set_max_connection_receive_window(Some(limits.streams * STREAM_WINDOW + limits.extra));
        Self { config }
    }
}

impl UpgradeInfo for Upgrade {
    type Info = &'static str;
    type InfoIter = iter::Once<Self::Info>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> InboundConnectionUpgrade<C> for Upgrade {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = future::Ready<Result<Self::Output, Self::Error>>;

    fn upgrade_inbound(self, io: C, _: Self::Info) -> Self::Future {
        future::ready(Ok(Muxer::new(Connection::new(
            io,
            self.config,
            Mode::Server,
        ))))
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> OutboundConnectionUpgrade<C> for Upgrade {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = future::Ready<Result<Self::Output, Self::Error>>;

    fn upgrade_outbound(self, io: C, _: Self::Info) -> Self::Future {
        future::ready(Ok(Muxer::new(Connection::new(
            io,
            self.config,
            Mode::Client,
        ))))
    }
}

/// A multiplexed connection.
pub(super) struct Muxer<C> {
    connection: Connection<C>,
    /// Streams that arrived while the swarm asked for something else; yamux makes progress only
    /// through accepting. Never longer than the stream limit.
    arrived: VecDeque<yamux::Stream>,
    waiting: Option<Waker>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Muxer<C> {
    fn new(connection: Connection<C>) -> Self {
        Self {
            connection,
            arrived: VecDeque::new(),
            waiting: None,
        }
    }

    fn poll_arrival(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<yamux::Stream>> {
        let arrival = ready!(self.connection.poll_next_inbound(cx));
        Poll::Ready(
            arrival
                .unwrap_or(Err(ConnectionError::Closed))
                .map_err(into_io),
        )
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Muxer<C> {
    type Substream = yamux::Stream;
    type Error = io::Error;

    fn poll_inbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<yamux::Stream>> {
        if let Some(stream) = self.arrived.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        let arrival = self.poll_arrival(cx);
        if arrival.is_pending() {
            self.waiting = Some(cx.waker().clone());
        }
        arrival
    }

    fn poll_outbound(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<yamux::Stream>> {
        self.connection.poll_new_outbound(cx).map_err(into_io)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.poll_close(cx).map_err(into_io)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        let stream = ready!(self.poll_arrival(cx))?;
        self.arrived.push_back(stream);
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
        // There may be more, and nobody else will ask.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

fn into_io(error: ConnectionError) -> io::Error {
    match error {
        ConnectionError::Io(error) => error,
        other => io::Error::other(other),
    }
}
