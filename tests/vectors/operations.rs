//! Registry operations as the vectors use them.

use crate::audit_support::{Trail, author};
use ukehi::ids::{EpochId, KeyspaceId};
use ukehi::registry::{EpochOpening, Operation, grant_payload_digest};
use ukehi_circuits::field;
use ukehi_circuits::route::RouteSecret;
use ukehi_keys::{AuthorId, EpochScope, EpochSecret};
use zeroize::Zeroizing;

pub const KEYSPACE: KeyspaceId = KeyspaceId(1);

pub fn register(seed: u8) -> Operation {
    Operation::RegisterAuthor {
        keyspace: KEYSPACE,
        author: author(seed).public(),
    }
}

/// Of an epoch: 1 is the fixtures' genesis's.
pub fn secret_of(epoch: u32) -> EpochSecret {
    let seed = 4 + epoch as u8;
    EpochSecret::from_secret_bytes(&Zeroizing::new([seed; 32])).unwrap()
}

/// With a proof of possession for this log, this keyspace and this id.
pub fn opening(trail: &Trail, id: u32, policy: &str, route: &RouteSecret) -> EpochOpening {
    let scope = EpochScope {
        cluster: trail.genesis.cluster_id().0,
        keyspace: KEYSPACE.0,
        epoch: id,
    };
    EpochOpening {
        id: EpochId(id),
        key: secret_of(id).public(),
        route_commitment: field::encode(&route.commitment()),
        policy: policy.to_owned(),
        policy_digest: [0; 32],
        expires: Some(1_000),
        possession: secret_of(id).prove_possession(&scope).unwrap(),
    }
}

pub fn grant(epoch: u32) -> Operation {
    Operation::Grant {
        keyspace: KEYSPACE,
        epoch: EpochId(epoch),
        reader: [4; 32],
        payload_digest: grant_payload_digest(b"wrapped"),
    }
}

/// The keys of these authors as lists in changes have them: ascending.
pub fn sorted(seeds: &[u8]) -> Vec<AuthorId> {
    let mut keys: Vec<AuthorId> = seeds.iter().map(|seed| author(*seed).public()).collect();
    keys.sort();
    keys
}
