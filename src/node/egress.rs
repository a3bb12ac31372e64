//! Carries out the effects that leave the node: frames, gossip, alarms.
//!
//! Invariant: nothing here waits; a full queue drops the frame and Raft sends it again.

use super::driver::{Effect, Event, GossipToken, GossipVerdict};
use crate::net::{self, NetEvent, NetHandle};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Gossip messages waiting for the driver's verdict; the oldest beyond it is never forwarded.
const MAX_UNJUDGED: usize = 1024;

/// The network side of a node.
#[derive(Clone)]
pub struct Egress {
    net: NetHandle,
    unjudged: Arc<Mutex<BTreeMap<GossipToken, net::GossipToken>>>,
}

impl Egress {
    #[must_use]
    pub fn new(net: NetHandle) -> Self {
        Self {
            net,
            unjudged: Arc::default(),
        }
    }

    /// What the network brings, as the driver takes it.
    pub fn event(&self, event: NetEvent) -> Event {
        match event {
            NetEvent::Frame { from, bytes } => Event::PeerFrame { from, bytes },
            NetEvent::Gossip { data, token, .. } => Event::Gossip {
                data,
                token: self.keep(token),
            },
            NetEvent::PeerUp(node) => Event::PeerUp(node),
            NetEvent::PeerDown(node) => Event::PeerDown(node),
        }
    }

    /// Carries out what the worker does not keep to itself.
    pub fn execute(&self, effect: Effect) {
        match effect {
            Effect::Send { to, frame } => {
                if let Err(error) = self.net.send(to, frame) {
                    tracing::debug!(%to, %error, "frame dropped");
                }
            }
            Effect::Publish(note) => {
                if let Err(error) = self.net.publish(note) {
                    tracing::debug!(%error, "checkpoint not published");
                }
            }
            Effect::GossipVerdict { token, verdict } => {
                if let Some(token) = self.lock().remove(&token) {
                    self.net.gossip_verdict(token, net_verdict(verdict));
                }
            }
            Effect::Alarm(alarm) => tracing::warn!(%alarm, "alarm"),
            Effect::Persist { .. }
            | Effect::Verify { .. }
            | Effect::Reply { .. }
            | Effect::LearnCircuit(_)
            | Effect::Stop(_) => unreachable!("the worker keeps the effects that stay inside"),
        }
    }

    fn keep(&self, token: net::GossipToken) -> GossipToken {
        let mut unjudged = self.lock();
        let id = unjudged.last_key_value().map_or(0, |(id, _)| id + 1);
        unjudged.insert(id, token);
        if unjudged.len() > MAX_UNJUDGED {
            unjudged.pop_first();
        }
        id
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<GossipToken, net::GossipToken>> {
        // A map of tokens is whole after any panic.
        self.unjudged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn net_verdict(verdict: GossipVerdict) -> net::GossipVerdict {
    match verdict {
        GossipVerdict::Accept => net::GossipVerdict::Accept,
        GossipVerdict::Reject => net::GossipVerdict::Reject,
        GossipVerdict::Ignore => net::GossipVerdict::Ignore,
    }
}
