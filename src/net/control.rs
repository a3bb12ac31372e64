//! The loop that owns the control swarm: who may connect, who dials, and who is told.
//!
//! Invariants: 1. only members connect, and the one with the lower peer id dials; 2. of two
//! connections with one peer the newer lives, since the older may be half open; 3. the loop never
//! waits for the node or a peer: what takes time is handed to a task of that peer.
//! Knows nothing of hellos or frames.

mod start;

use super::backoff::Backoff;
use super::discovery::AddressBook;
use super::gossip::{Gossip, GossipToken, GossipVerdict};
use super::link::{self, LaneRequest, Peer};
use super::{NetEvent, streams};
use futures::StreamExt;
use libp2p::allow_block_list::AllowedPeers;
use libp2p::core::ConnectedPoint;
use libp2p::gossipsub::{self, IdentTopic, PublishError};
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{PeerId, Swarm, allow_block_list, connection_limits, mdns, ping};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};

const TICK: Duration = Duration::from_millis(100);
const ADDRESS_FILE_INTERVAL: Duration = Duration::from_secs(1);

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    ping: ping::Behaviour,
    lanes: streams::Behaviour,
    gossip: Gossip,
    mdns: Toggle<mdns::tokio::Behaviour>,
}

/// What a handle asks for.
pub(super) enum Command {
    Publish(Vec<u8>),
    Verdict(GossipToken, GossipVerdict),
    Shutdown(oneshot::Sender<()>),
}

/// The loop's view of one peer.
struct Slot {
    peer: Arc<Peer>,
    /// The connection its lanes use.
    connection: watch::Sender<Option<ConnectionId>>,
    /// Where what comes from it goes.
    events: mpsc::Sender<NetEvent>,
    /// Whether it is for us to dial.
    ours_to_dial: bool,
    dialing: bool,
    backoff: Backoff,
    next_dial: Instant,
}

pub(super) struct Control {
    swarm: Swarm<Behaviour>,
    topic: IdentTopic,
    slots: BTreeMap<PeerId, Slot>,
    addresses: AddressBook,
    next_refresh: Instant,
    commands: mpsc::Receiver<Command>,
    lanes: mpsc::Receiver<LaneRequest>,
    gossip_events: mpsc::Sender<NetEvent>,
}

impl Control {
    pub(super) async fn run(mut self) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                request = self.lanes.recv() => {
                    if let Some(request) = request {
                        self.on_lane_request(request);
                    }
                }
                command = self.commands.recv() => match command {
                    Some(Command::Publish(data)) => self.publish(data),
                    Some(Command::Verdict(token, verdict)) => self.judge(&token, verdict),
                    Some(Command::Shutdown(done)) => {
                        drop(self);
                        let _ = done.send(());
                        return;
                    }
                    None => return,
                },
                _ = tick.tick() => {
                    // The forwarder of events has ended, so the node has dropped its receiver.
                    if self.gossip_events.is_closed() {
                        return;
                    }
                    self.on_tick(Instant::now());
                }
            }
        }
    }

    fn on_tick(&mut self, now: Instant) {
        if now >= self.next_refresh {
            self.refresh_addresses(false, now);
        }
        let due: Vec<PeerId> = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.wants_dial(now))
            .map(|(id, _)| *id)
            .collect();
        for peer in due {
            self.dial(peer, now);
        }
    }

    fn refresh_addresses(&mut self, force: bool, now: Instant) {
        self.next_refresh = now + ADDRESS_FILE_INTERVAL;
        let changed = self.addresses.refresh(force);
        for slot in self.slots.values_mut() {
            if changed.contains(&slot.peer.node) {
                slot.backoff.reset();
                slot.next_dial = now;
            }
        }
    }

    fn dial(&mut self, peer: PeerId, now: Instant) {
        let Some(slot) = self.slots.get_mut(&peer) else {
            return;
        };
        slot.next_dial = now + slot.backoff.next();
        let addresses = self.addresses.of(slot.peer.node);
        if addresses.is_empty() {
            return;
        }
        let opts = DialOpts::peer_id(peer)
            .addresses(addresses)
            // Not `Disconnected`: one we gave up may still be closing.
            .condition(PeerCondition::NotDialing)
            // From the listening port, a redial would meet its predecessor's TIME_WAIT.
            .allocate_new_port()
            .build();
        match self.swarm.dial(opts) {
            Ok(()) => slot.dialing = true,
            Err(error) => tracing::debug!(node = %slot.peer.node, %error, "cannot dial"),
        }
    }

    fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour_event(event),
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => self.on_connected(peer_id, connection_id, &endpoint),
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                cause,
                ..
            } => {
                if let Some(slot) = self.slots.get(&peer_id) {
                    tracing::debug!(node = %slot.peer.node, ?cause, "connection closed");
                    slot.forget(connection_id);
                }
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } => {
                let now = Instant::now();
                if let Some(slot) = self.slots.get_mut(&peer) {
                    tracing::debug!(node = %slot.peer.node, %error, "dialling failed");
                    slot.dialing = false;
                }
                // It may have moved.
                self.refresh_addresses(true, now);
            }
            SwarmEvent::IncomingConnectionError { error, peer_id, .. } => {
                tracing::debug!(?peer_id, %error, "an incoming connection was refused");
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, peer: PeerId, new: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(slot) = self.slots.get_mut(&peer) else {
            self.swarm.close_connection(new);
            return;
        };
        if endpoint.is_dialer() {
            slot.dialing = false;
        } else if slot.ours_to_dial {
            tracing::warn!(node = %slot.peer.node, "dialled us, which is ours to do");
            self.swarm.close_connection(new);
            return;
        }
        // The backoff is reset only by a lane: who refuses us right after the handshake is not
        // to be dialled ten times a second.
        if let Some(old) = slot.connection.send_replace(Some(new)) {
            self.swarm.close_connection(old);
        }
    }

    /// Closes a connection, and goes on as if it were closed: to a peer that is silent the goodbye
    /// may sit in a full TCP buffer for a quarter of an hour.
    fn give_up(&mut self, peer: PeerId, connection: ConnectionId) {
        if let Some(slot) = self.slots.get(&peer) {
            slot.forget(connection);
        }
        self.swarm.close_connection(connection);
    }

    fn on_lane_request(&mut self, request: LaneRequest) {
        match request {
            LaneRequest::Open {
                peer,
                connection,
                reply,
            } => self
                .swarm
                .behaviour_mut()
                .lanes
                .open(peer, connection, reply),
            LaneRequest::Close { peer, connection } => self.give_up(peer, connection),
            LaneRequest::Up { peer } => {
                if let Some(slot) = self.slots.get_mut(&peer) {
                    slot.backoff.reset();
                }
            }
        }
    }

    fn on_behaviour_event(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Lanes(inbound) => {
                if let Some(slot) = self.slots.get(&inbound.peer) {
                    let (peer, events) = (slot.peer.clone(), slot.events.clone());
                    tokio::spawn(link::accept(peer, inbound, events));
                }
            }
            BehaviourEvent::Gossip(gossipsub::Event::Message {
                propagation_source,
                message_id,
                message,
            }) => {
                let token = GossipToken {
                    id: message_id,
                    forwarder: propagation_source,
                };
                self.on_gossip(token, message);
            }
            BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Err(error),
            }) if !matches!(error, ping::Failure::Unsupported) => {
                tracing::debug!(%peer, %error, "the peer is silent");
                self.give_up(peer, connection);
            }
            BehaviourEvent::Mdns(mdns::Event::Discovered(found)) => {
                for (peer, address) in found {
                    if let Some(slot) = self.slots.get(&peer) {
                        self.addresses.learn(slot.peer.node, address);
                    }
                }
            }
            BehaviourEvent::Mdns(mdns::Event::Expired(lost)) => {
                for (peer, address) in lost {
                    if let Some(slot) = self.slots.get(&peer) {
                        self.addresses.forget(slot.peer.node, &address);
                    }
                }
            }
            _ => {}
        }
    }

    fn on_gossip(&mut self, token: GossipToken, message: gossipsub::Message) {
        let author = message.source.and_then(|source| self.slots.get(&source));
        let event = NetEvent::Gossip {
            from: author.map(|slot| slot.peer.node),
            data: message.data,
            token: token.clone(),
        };
        // Judged at once when the node is behind, so that gossipsub does not keep it either.
        if self.gossip_events.try_send(event).is_err() {
            self.judge(&token, GossipVerdict::Ignore);
        }
    }

    fn judge(&mut self, token: &GossipToken, verdict: GossipVerdict) {
        self.swarm
            .behaviour_mut()
            .gossip
            .report_message_validation_result(&token.id, &token.forwarder, verdict.into());
    }

    fn publish(&mut self, data: Vec<u8>) {
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        match gossip.publish(self.topic.clone(), data) {
            Ok(_) | Err(PublishError::Duplicate | PublishError::NoPeersSubscribedToTopic) => {}
            Err(error) => tracing::warn!(%error, "gossip was not published"),
        }
    }
}

impl Slot {
    fn wants_dial(&self, now: Instant) -> bool {
        self.ours_to_dial
            && !self.dialing
            && now >= self.next_dial
            && self.connection.borrow().is_none()
    }

    /// Its lanes end, if they use `closed`.
    fn forget(&self, closed: ConnectionId) {
        self.connection.send_if_modified(|current| {
            let was_it = *current == Some(closed);
            if was_it {
                *current = None;
            }
            was_it
        });
    }
}
