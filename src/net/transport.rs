//! What both swarms are built from: TCP, Noise, bounded Yamux, and names that carry the cluster.
//!
//! Invariant: every protocol name of ours starts with `/ukehi/<cluster>/`, so nodes of two
//! clusters agree on none.

use super::mux::{self, Limits};
use crate::ids::ClusterId;
use futures::StreamExt;
use libp2p::core::multiaddr::Protocol;
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, StreamProtocol, Swarm, SwarmBuilder, noise, tcp};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use thiserror::Error;

/// TCP connect and both handshakes together.
const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(5);
/// A free port is announced at once; only a wildcard address waits for the list of interfaces.
const LISTEN_DEADLINE: Duration = Duration::from_secs(5);

/// Why an address cannot be listened on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListenError {
    #[error("{addr} is in use by another process")]
    PortInUse { addr: SocketAddr },
    #[error("cannot listen on {addr}: {reason}")]
    Unusable { addr: SocketAddr, reason: String },
}

/// `/ukehi/<cluster>/<suffix>`.
pub(super) fn protocol(cluster: ClusterId, suffix: &str) -> StreamProtocol {
    StreamProtocol::try_from_owned(format!("/ukehi/{cluster}/{suffix}"))
        .expect("the name starts with a slash")
}

/// # Panics
/// Outside a tokio runtime.
pub(super) fn swarm<B: NetworkBehaviour>(
    keypair: Keypair,
    limits: Limits,
    idle: Duration,
    negotiating_streams: usize,
    behaviour: B,
) -> Swarm<B> {
    SwarmBuilder::with_existing_identity(keypair)
        .with_tokio()
        .with_tcp(tcp::Config::default(), noise::Config::new, || {
            mux::Upgrade::new(limits)
        })
        .expect("Noise signs with any Ed25519 key")
        .with_behaviour(|_| behaviour)
        .unwrap_or_else(|never| match never {})
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(idle)
                .with_max_negotiating_inbound_streams(negotiating_streams)
        })
        .with_connection_timeout(HANDSHAKE_DEADLINE)
        .build()
}

/// Listens on `addr` and returns it with the port that was bound.
pub(super) async fn listen<B: NetworkBehaviour>(
    swarm: &mut Swarm<B>,
    addr: SocketAddr,
) -> Result<SocketAddr, ListenError> {
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => ListenError::PortInUse { addr },
        _ => ListenError::Unusable {
            addr,
            reason: error.to_string(),
        },
    };
    // libp2p listens with SO_REUSEPORT, with which two nodes would share one port and each get
    // half of the connections. A plain bind fails if anybody listens. (Two nodes that start within
    // the same few microseconds can still slip through.)
    drop(TcpListener::bind(addr).map_err(refused)?);
    let listener = swarm
        .listen_on(multiaddr(addr))
        .map_err(|error| match error {
            libp2p::TransportError::Other(error) => refused(error),
            other => refused(io::Error::other(other)),
        })?;
    let bound = async {
        loop {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr {
                    listener_id,
                    address,
                } if listener_id == listener => {
                    if let Some(bound) = socket_addr(&address) {
                        return Ok(SocketAddr::new(addr.ip(), bound.port()));
                    }
                }
                SwarmEvent::ListenerClosed {
                    listener_id,
                    reason,
                    ..
                } if listener_id == listener => {
                    return Err(refused(reason.err().unwrap_or_else(|| {
                        io::Error::other("the listener closed at once")
                    })));
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(LISTEN_DEADLINE, bound)
        .await
        .unwrap_or_else(|_| Err(refused(io::ErrorKind::TimedOut.into())))
}

/// `/ip4/…/tcp/…` or `/ip6/…/tcp/…`.
pub(super) fn multiaddr(addr: SocketAddr) -> Multiaddr {
    Multiaddr::from(addr.ip()).with(Protocol::Tcp(addr.port()))
}

/// The socket address that `address` starts with, if it does.
pub(super) fn socket_addr(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}
