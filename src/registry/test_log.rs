//! A log of registry changes alone, for this module's tests.

use super::fold::Registry;
use super::operation::{EpochOpening, Operation};
use super::{Change, ChangeVerifier, Payload, Unsigned};
use crate::batch::{Anchor, Header};
use crate::genesis::{
    GATE_VERSION, Genesis, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode,
};
use crate::ids::{EpochId, KeyspaceId, LogIndex, NodeId, ShardId};
use crate::log::Outcome;
use ukehi_circuits::{F, Point, field};
use ukehi_keys::{
    AdminKey, AuthorId, AuthorKey, CircuitId, EpochScope, EpochSecret, NodeKey, OperatorKey,
};
use zeroize::Zeroizing;

pub(super) const SHARD: ShardId = ShardId(0);
pub(super) const KEYSPACE: KeyspaceId = KeyspaceId(1);
pub(super) const CIRCUIT: CircuitId = CircuitId([8; 32]);

pub(super) fn author(seed: u8) -> AuthorId {
    AuthorKey::from_secret_bytes(&Zeroizing::new([seed; 32])).public()
}

pub(super) fn admin(seed: u8) -> AdminKey {
    AdminKey::from_secret_bytes(&Zeroizing::new([50 + seed; 32]))
}

pub(super) fn secret(seed: u8) -> EpochSecret {
    EpochSecret::from_secret_bytes(&Zeroizing::new([seed; 32])).unwrap()
}

/// Author 1, epoch 1, one circuit; two of the admins 1, 2 and 3 decide.
pub(super) fn genesis() -> Genesis {
    let operator = OperatorKey::from_secret_bytes(&Zeroizing::new([200; 32]));
    let node = NodeKey::from_secret_bytes(&Zeroizing::new([101; 32]));
    let genesis = Genesis {
        name: "registry tests".into(),
        nonce: [1; 32],
        gate_version: GATE_VERSION,
        dev: true,
        nodes: vec![GenesisNode {
            id: NodeId(1),
            key: node.public(),
        }],
        operators: vec![operator.public()],
        admins: GenesisAdmins {
            keys: [1, 2, 3].map(|a| admin(a).public()).to_vec(),
            threshold: 2,
        },
        circuits: vec![CIRCUIT],
        keyspaces: vec![GenesisKeyspace {
            id: KEYSPACE,
            shard: SHARD,
            authors: vec![author(1)],
            epochs: vec![GenesisEpoch {
                id: EpochId(1),
                key: secret(1).public(),
                route_commitment: field::encode(&F::from(77u64)),
                policy: "opaque".into(),
                policy_digest: [0; 32],
                expires: None,
            }],
            families: Vec::new(),
        }],
    };
    genesis.check().unwrap();
    genesis
}

pub(super) fn opening(id: u32, seed: u8) -> EpochOpening {
    let secret = secret(seed);
    let scope = EpochScope {
        cluster: genesis().cluster_id().0,
        keyspace: KEYSPACE.0,
        epoch: id,
    };
    EpochOpening {
        id: EpochId(id),
        key: secret.public(),
        route_commitment: field::encode(&F::from(77u64)),
        policy: "opaque".into(),
        policy_digest: [0; 32],
        expires: None,
        possession: secret.prove_possession(&scope).unwrap(),
    }
}

/// A log of changes alone: the next one stands at the next index.
pub(super) struct Log {
    pub(super) registry: Registry,
    pub(super) verifier: ChangeVerifier,
    next: LogIndex,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            registry: Registry::from_genesis(&genesis(), SHARD),
            verifier: ChangeVerifier::new(&genesis(), SHARD),
            next: 1,
        }
    }

    pub(super) fn change(&self, operation: Operation, by: &[u8]) -> Change {
        let mut change = Unsigned {
            cluster: genesis().cluster_id(),
            shard: SHARD,
            number: self.registry.next_number(),
            operation,
        }
        .unsigned(Vec::new());
        by.iter().for_each(|a| change.sign(&admin(*a)));
        change
    }

    pub(super) fn push(&mut self, change: &Change) -> Outcome {
        let bytes = change.to_bytes().into();
        let verified = self.verifier.verify(&bytes, Payload::MayBePruned).unwrap();
        let (before, at) = (self.registry.clone(), self.next);
        self.next += 1;
        let outcome = self.registry.apply(at, &verified);
        if outcome != Outcome::Applied {
            assert_eq!(self.registry, before, "a refused change consumes nothing");
        }
        outcome
    }

    /// By admins 1 and 2.
    pub(super) fn decide(&mut self, operation: Operation) -> Outcome {
        let change = self.change(operation, &[1, 2]);
        self.push(&change)
    }
}

pub(super) fn register(seed: u8) -> Operation {
    Operation::RegisterAuthor {
        keyspace: KEYSPACE,
        author: author(seed),
    }
}

pub(super) fn revoke(seed: u8) -> Operation {
    Operation::RevokeAuthor {
        keyspace: KEYSPACE,
        author: author(seed),
    }
}

pub(super) fn rotate(id: u32, seed: u8, old: u32, old_expires: LogIndex) -> Operation {
    Operation::RotateEpoch {
        keyspace: KEYSPACE,
        opening: opening(id, seed),
        old: EpochId(old),
        old_expires,
    }
}

/// By author 1 to epoch 1, anchored behind its registration.
pub(super) fn header() -> Header {
    Header {
        cluster: genesis().cluster_id(),
        shard: SHARD,
        keyspace: KEYSPACE,
        circuit: CIRCUIT,
        epoch: EpochId(1),
        epoch_key: Point::from_xy_bytes(&secret(1).public().to_bytes()).unwrap(),
        route_commitment: F::from(77u64),
        policy_digest: F::from(0u64),
        author: author(1),
        author_seq: 1,
        valid_until: 100,
        anchor: Anchor {
            size: 1,
            root: [0; 32],
        },
        slots: 1,
        slot_list: [0; 32],
    }
}
