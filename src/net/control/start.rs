//! Building the control swarm, one task per peer, and the forwarder of events.

use super::{Behaviour, Command, Control, Slot};
use crate::ids::NodeId;
use crate::net::backoff::Backoff;
use crate::net::discovery::AddressBook;
use crate::net::link::{self, INBOUND_FRAMES, Peer};
use crate::net::mux::Limits;
use crate::net::{NetConfig, NetError, NetEvent, gossip, identity, streams, transport};
use futures::StreamExt;
use futures::stream::{self, SelectAll};
use libp2p::connection_limits::ConnectionLimits;
use libp2p::identity::Keypair;
use libp2p::{PeerId, allow_block_list, connection_limits, mdns, ping};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Connections that have not shown a key yet.
const PENDING_CONNECTIONS: u32 = 64;
/// One that lives, one that is about to replace it, and given-up ones that cannot close yet.
const CONNECTIONS_PER_PEER: u32 = 4;
/// Two lanes, gossip and pings both ways, and as many again while one is replaced.
const CONNECTION: Limits = Limits {
    streams: 32,
    extra: 8 << 20,
};
/// Inbound lanes of one connection, those that are still greeting included.
const INBOUND_LANES: usize = 4;
const NEGOTIATING_STREAMS: usize = 16;
/// Lanes keep a connection alive; this only bounds one that has none.
const IDLE: Duration = Duration::from_secs(30);
/// A peer that is silent for their sum (a pulled cable, a stopped process) is disconnected.
const PING_INTERVAL: Duration = Duration::from_secs(3);
const PING_DEADLINE: Duration = Duration::from_secs(4);
const REDIAL_FIRST: Duration = Duration::from_millis(100);
const REDIAL_MAX: Duration = Duration::from_secs(3);
/// Received messages that wait for the node; more are ignored.
const GOSSIP_EVENTS: usize = 128;
const LANE_REQUESTS: usize = 64;

type Peers = Arc<BTreeMap<NodeId, Arc<Peer>>>;

impl Control {
    pub(in crate::net) async fn start(
        config: NetConfig,
        commands: mpsc::Receiver<Command>,
        events: mpsc::Sender<NetEvent>,
    ) -> Result<(Self, Peers, SocketAddr), NetError> {
        let keypair = identity::keypair(&config.secret);
        let us = keypair.public().to_peer_id();
        let members = peer_ids(&config)?;
        if members.get(&config.node) != Some(&us) {
            return Err(NetError::NotThisMember { node: config.node });
        }
        let others = || members.iter().filter(|(node, _)| **node != config.node);
        let behaviour = behaviour(&config, keypair.clone(), others().map(|(_, id)| *id))?;
        let mut swarm = transport::swarm(keypair, CONNECTION, IDLE, NEGOTIATING_STREAMS, behaviour);
        let bound = transport::listen(&mut swarm, config.listen).await?;

        let (lane_requests, lanes) = mpsc::channel(LANE_REQUESTS);
        let (gossip_events, gossip) = mpsc::channel(GOSSIP_EVENTS);
        let mut sources = SelectAll::new();
        sources.push(into_stream(gossip));
        let mut slots = BTreeMap::new();
        let mut peers = BTreeMap::new();
        for (node, id) in others() {
            let (peer, queue) = Peer::new(*node, *id);
            let peer = Arc::new(peer);
            let (connection, watching) = watch::channel(None);
            let (from_peer, waiting) = mpsc::channel(INBOUND_FRAMES);
            sources.push(into_stream(waiting));
            tokio::spawn(link::run(
                peer.clone(),
                config.node,
                config.incarnation,
                watching,
                queue,
                lane_requests.clone(),
                from_peer.clone(),
            ));
            peers.insert(*node, peer.clone());
            let slot = Slot {
                peer,
                connection,
                events: from_peer,
                ours_to_dial: us < *id,
                dialing: false,
                backoff: Backoff::new(REDIAL_FIRST, REDIAL_MAX),
                next_dial: Instant::now(),
            };
            slots.insert(*id, slot);
        }
        tokio::spawn(forward(sources, events));
        let nodes = peers.keys().copied().collect();
        let control = Self {
            swarm,
            topic: gossip::topic(config.shard),
            slots,
            addresses: AddressBook::new(nodes, config.address_file),
            next_refresh: Instant::now(),
            commands,
            lanes,
            gossip_events,
        };
        Ok((control, Arc::new(peers), bound))
    }
}

fn peer_ids(config: &NetConfig) -> Result<BTreeMap<NodeId, PeerId>, NetError> {
    config
        .members
        .iter()
        .map(|(node, public)| {
            let id =
                identity::peer_id(public).map_err(|_| NetError::BadMemberKey { node: *node })?;
            Ok((*node, id))
        })
        .collect()
}

fn behaviour(
    config: &NetConfig,
    keypair: Keypair,
    others: impl Iterator<Item = PeerId>,
) -> Result<Behaviour, NetError> {
    let us = keypair.public().to_peer_id();
    let mut allowed = allow_block_list::Behaviour::default();
    let mut members = 0;
    for peer in others {
        allowed.allow_peer(peer);
        members += 1;
    }
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_CONNECTIONS))
        .with_max_established(Some(members * CONNECTIONS_PER_PEER))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER));
    let mdns = config
        .mdns
        .then(|| mdns::tokio::Behaviour::new(mdns::Config::default(), us))
        .transpose()
        .map_err(|error| NetError::Mdns {
            reason: error.to_string(),
        })?;
    Ok(Behaviour {
        allowed,
        limits: connection_limits::Behaviour::new(limits),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(PING_INTERVAL)
                .with_timeout(PING_DEADLINE),
        ),
        lanes: streams::Behaviour::new(
            transport::protocol(config.cluster, "raft/1"),
            INBOUND_LANES,
            true,
        ),
        gossip: gossip::behaviour(keypair, config.cluster, config.shard),
        mdns: mdns.into(),
    })
}

type Source = stream::BoxStream<'static, NetEvent>;

fn into_stream(mut queue: mpsc::Receiver<NetEvent>) -> Source {
    stream::poll_fn(move |cx| queue.poll_recv(cx)).boxed()
}

/// Hands the peers' events to the node, taking turns: a peer that floods us fills its own queue
/// and waits, while the others' events pass.
async fn forward(mut sources: SelectAll<Source>, events: mpsc::Sender<NetEvent>) {
    while let Some(event) = sources.next().await {
        if events.send(event).await.is_err() {
            return;
        }
    }
}
