//! Checkpoint gossip: gossipsub, one topic per shard.
//!
//! Invariants: 1. nothing is forwarded before the node has judged it; 2. every message is signed
//! by its author (`Strict`); 3. the message id is the content's hash, so one text travels once,
//! whoever repeats it.
//! Peer scoring is off: only members connect, all of them are in the mesh, and a member that a
//! score would prune is one whose checkpoints must still be heard. Misbehaviour is answered by
//! evidence, above this layer. (Were it switched on, loopback addresses would have to be exempted
//! from the colocation penalty.)

use super::transport::protocol;
use crate::ids::{ClusterId, ShardId};
use libp2p::PeerId;
use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, IdentityTransform, Message, MessageAcceptance,
    MessageAuthenticity, MessageId, ValidationMode, WhitelistSubscriptionFilter,
};
use libp2p::identity::Keypair;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The longest message that is published, in bytes.
pub const MAX_GOSSIP: usize = 16 << 10;
/// Author, sequence number, topic, signature and lengths around a message.
const ENVELOPE: usize = 1 << 10;
const HEARTBEAT: Duration = Duration::from_secs(1);
/// Until the first heartbeat there is no mesh.
const FIRST_HEARTBEAT: Duration = Duration::from_millis(500);

pub(super) type Gossip = Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// What the node finds in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GossipVerdict {
    /// Valid: forward it.
    Accept,
    /// Invalid: drop it.
    Reject,
    /// Neither, or too late to matter: drop it.
    Ignore,
}

/// Names one received message in [`super::NetHandle::gossip_verdict`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GossipToken {
    pub(super) id: MessageId,
    pub(super) forwarder: PeerId,
}

impl From<GossipVerdict> for MessageAcceptance {
    fn from(verdict: GossipVerdict) -> Self {
        match verdict {
            GossipVerdict::Accept => Self::Accept,
            GossipVerdict::Reject => Self::Reject,
            GossipVerdict::Ignore => Self::Ignore,
        }
    }
}

pub(super) fn topic(shard: ShardId) -> IdentTopic {
    IdentTopic::new(format!("checkpoints/{shard}"))
}

pub(super) fn behaviour(keypair: Keypair, cluster: ClusterId, shard: ShardId) -> Gossip {
    let topic = topic(shard);
    let config = ConfigBuilder::default()
        .protocol_id_prefix(protocol(cluster, "meshsub").to_string())
        .validation_mode(ValidationMode::Strict)
        .validate_messages()
        .message_id_fn(message_id)
        .max_transmit_size(MAX_GOSSIP + ENVELOPE)
        .heartbeat_interval(HEARTBEAT)
        .heartbeat_initial_delay(FIRST_HEARTBEAT)
        .build()
        .expect("constants that fit together");
    let only_ours = WhitelistSubscriptionFilter([topic.hash()].into());
    let mut gossip = Behaviour::new_with_subscription_filter(
        MessageAuthenticity::Signed(keypair),
        config,
        only_ours,
    )
    .expect("signed and strict go together");
    gossip
        .subscribe(&topic)
        .expect("the filter allows the one topic");
    gossip
}

/// SHA-256(topic ‖ data). A swarm carries one topic, so the join cannot be read in two ways.
fn message_id(message: &Message) -> MessageId {
    let mut hasher = Sha256::new();
    hasher.update(message.topic.as_str().as_bytes());
    hasher.update(&message.data);
    MessageId::new(hasher.finalize().as_slice())
}
