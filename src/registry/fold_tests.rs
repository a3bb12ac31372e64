use super::*;
use crate::genesis::{
    GATE_VERSION, GenesisAdmins, GenesisEpoch, GenesisKeyspace, GenesisNode, is_policy_name,
};
use crate::ids::{ClusterId, NodeId};
use crate::registry::{
    Change, ChangeFault, ChangeVerifier, EpochOpening, MAX_CELL_AUTHORS, Payload, Unsigned,
    grant_payload_digest,
};
use crate::wire::WireError;
use ukehi_circuits::{F, field};
use ukehi_keys::{AdminKey, AuthorKey, EpochScope, EpochSecret, NodeKey, OperatorKey};
use zeroize::Zeroizing;

const SHARD: ShardId = ShardId(0);
const KEYSPACE: KeyspaceId = KeyspaceId(1);
const CIRCUIT: CircuitId = CircuitId([8; 32]);

fn author(seed: u8) -> AuthorId {
    AuthorKey::from_secret_bytes(&Zeroizing::new([seed; 32])).public()
}

fn admin(seed: u8) -> AdminKey {
    AdminKey::from_secret_bytes(&Zeroizing::new([50 + seed; 32]))
}

fn secret(seed: u8) -> EpochSecret {
    EpochSecret::from_secret_bytes(&Zeroizing::new([seed; 32])).unwrap()
}

/// Author 1, epoch 1, one circuit; two of the admins 1, 2 and 3 decide.
fn genesis() -> Genesis {
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

fn opening(id: u32, seed: u8) -> EpochOpening {
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
struct Log {
    registry: Registry,
    verifier: ChangeVerifier,
    next: LogIndex,
}

impl Log {
    fn new() -> Self {
        Self {
            registry: Registry::from_genesis(&genesis(), SHARD),
            verifier: ChangeVerifier::new(&genesis(), SHARD),
            next: 1,
        }
    }

    fn change(&self, operation: Operation, by: &[u8]) -> Change {
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

    fn push(&mut self, change: &Change) -> Outcome {
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
    fn decide(&mut self, operation: Operation) -> Outcome {
        let change = self.change(operation, &[1, 2]);
        self.push(&change)
    }
}

fn register(seed: u8) -> Operation {
    Operation::RegisterAuthor {
        keyspace: KEYSPACE,
        author: author(seed),
    }
}

fn revoke(seed: u8) -> Operation {
    Operation::RevokeAuthor {
        keyspace: KEYSPACE,
        author: author(seed),
    }
}

fn rotate(id: u32, seed: u8, old: u32, old_expires: LogIndex) -> Operation {
    Operation::RotateEpoch {
        keyspace: KEYSPACE,
        opening: opening(id, seed),
        old: EpochId(old),
        old_expires,
    }
}

/// One of each kind that needs no verifying key.
fn operations() -> Vec<Operation> {
    let keyspace = KEYSPACE;
    let mut authors = vec![author(1), author(2)];
    authors.sort();
    let mut keys = vec![admin(1).public(), admin(4).public()];
    keys.sort();
    vec![
        register(2),
        revoke(1),
        Operation::OpenEpoch {
            keyspace,
            opening: EpochOpening {
                expires: Some(900),
                ..opening(2, 2)
            },
        },
        rotate(2, 2, 1, 70),
        Operation::ExpireEpoch {
            keyspace,
            epoch: EpochId(1),
            at: 80,
        },
        Operation::RevokeEpoch {
            keyspace,
            epoch: EpochId(1),
        },
        Operation::EraseEpoch {
            keyspace,
            epoch: EpochId(1),
        },
        Operation::RetireCircuit { circuit: CIRCUIT },
        Operation::SetAdmins { keys, threshold: 2 },
        Operation::Grant {
            keyspace,
            epoch: EpochId(1),
            reader: [4; 32],
            payload_digest: grant_payload_digest(b"wrapped"),
        },
        Operation::RegisterFamily {
            keyspace,
            policy: "ledger".into(),
            authors: authors.clone(),
        },
        Operation::Mint {
            keyspace,
            family: "ledger".into(),
            route: [5; 32],
            value: 12,
            blind: [6; 32],
            authors: authors.clone(),
        },
        Operation::SetCellAuthors {
            keyspace,
            route: [5; 32],
            authors,
        },
    ]
}

#[test]
fn every_change_comes_back_from_its_bytes_and_no_changed_byte_passes_the_gate() {
    let log = Log::new();
    for operation in operations() {
        let mut change = log.change(operation, &[1, 3]);
        if matches!(change.content.operation, Operation::Grant { .. }) {
            change.payload = b"wrapped".to_vec();
        }
        let bytes = change.to_bytes();
        assert_eq!(Change::from_bytes(&bytes).as_ref(), Ok(&change));
        let verify = |bytes: &[u8]| log.verifier.verify(&bytes.into(), Payload::Required);
        assert!(verify(&bytes).is_ok(), "{change:?}");
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(verify(&other).is_err(), "byte {at} of {change:?}");
        }
        for len in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            assert!(verify(&bytes[..len]).is_err());
        }
        assert!(verify(&[&bytes[..], &[0]].concat()).is_err());
    }
}

#[test]
fn the_gate_refuses_a_change_of_another_cluster_or_shard_unsigned_or_without_its_payload() {
    let log = Log::new();
    let verify = |change: &Change| {
        let bytes = change.to_bytes().into();
        log.verifier.verify(&bytes, Payload::Required).map(drop)
    };
    let signed_for = |change: fn(&mut Unsigned)| {
        let mut other = log.change(register(2), &[]);
        change(&mut other.content);
        other.sign(&admin(1));
        verify(&other)
    };
    let cluster = signed_for(|c| c.cluster = ClusterId([9; 32]));
    assert_eq!(cluster, Err(ChangeFault::WrongCluster));
    let shard = signed_for(|c| c.shard = ShardId(3));
    assert!(matches!(shard, Err(ChangeFault::WrongShard { .. })));
    let unsigned = verify(&log.change(register(2), &[]));
    assert_eq!(unsigned, Err(ChangeFault::Unsigned));
    // A proof of possession for another epoch of the same key.
    let other = Operation::OpenEpoch {
        keyspace: KEYSPACE,
        opening: EpochOpening {
            id: EpochId(3),
            ..opening(2, 2)
        },
    };
    let possession = verify(&log.change(other, &[1]));
    assert_eq!(possession, Err(ChangeFault::Possession));
    let garbage = Operation::ActivateCircuit {
        manifest: b"{}".to_vec(),
    };
    let manifest = verify(&log.change(garbage, &[1]));
    assert!(matches!(manifest, Err(ChangeFault::Manifest { .. })));
    // A pruned grant passes in a trail, never at the gate; another payload passes nowhere.
    let grant = operations().into_iter().nth(9).unwrap();
    let mut grant = log.change(grant, &[1, 2]);
    assert_eq!(verify(&grant), Err(ChangeFault::Payload));
    let pruned = log
        .verifier
        .verify(&grant.to_bytes().into(), Payload::MayBePruned);
    assert!(pruned.is_ok());
    grant.payload = b"another".to_vec();
    let other = log
        .verifier
        .verify(&grant.to_bytes().into(), Payload::MayBePruned);
    assert_eq!(other.map(drop), Err(ChangeFault::Payload));
}

#[test]
fn lists_of_keys_ascend_and_names_are_plain() {
    let log = Log::new();
    let mut change = log.change(register(2), &[1, 2]);
    change.signatures.swap(0, 1);
    let refused = Change::from_bytes(&change.to_bytes());
    assert!(matches!(refused, Err(WireError::NonCanonical { .. })));
    for authors in [vec![], vec![author(1), author(1)]] {
        let family = Operation::RegisterFamily {
            keyspace: KEYSPACE,
            policy: "ledger".into(),
            authors,
        };
        assert!(Change::from_bytes(&log.change(family, &[1]).to_bytes()).is_err());
    }
    let set = |threshold| {
        let keys = vec![admin(1).public()];
        let set = Operation::SetAdmins { keys, threshold };
        Change::from_bytes(&log.change(set, &[1]).to_bytes())
    };
    assert!(set(1).is_ok() && set(0).is_err() && set(2).is_err());
    assert!(is_policy_name("ledger_2") && !is_policy_name("Ledger") && !is_policy_name(""));
    const { assert!(MAX_CELL_AUTHORS < 1 << 16) };
}

#[test]
fn a_change_needs_the_threshold_of_present_admins_and_exactly_the_next_number() {
    let mut log = Log::new();
    let alone = log.change(register(2), &[1]);
    assert_eq!(log.push(&alone), Outcome::TooFewSignatures);
    let stranger = log.change(register(2), &[1, 2, 4]);
    assert_eq!(log.push(&stranger), Outcome::UnknownAdmin);
    let mut ahead = log.change(register(2), &[]);
    ahead.content.number = 2;
    ahead.sign(&admin(1));
    ahead.sign(&admin(3));
    assert_eq!(log.push(&ahead), Outcome::WrongNumber);
    let good = log.change(register(2), &[2, 3]);
    assert_eq!(log.push(&good), Outcome::Applied);
    assert_eq!(log.push(&good), Outcome::WrongNumber, "a replay");
    // The same decision signed by others has the same digest, and is a replay as well.
    let mut by_all = good.clone();
    by_all.sign(&admin(1));
    assert_eq!(by_all.digest(), good.digest());
    assert_eq!(log.push(&by_all), Outcome::WrongNumber);
    assert_eq!(log.push(&ahead), Outcome::AuthorExists, "its turn has come");
}

#[test]
fn admins_are_judged_by_the_set_before_the_change() {
    let mut log = Log::new();
    let mut keys = vec![admin(3).public(), admin(4).public()];
    keys.sort();
    let set = Operation::SetAdmins { keys, threshold: 1 };
    assert_eq!(log.decide(set), Outcome::Applied);
    let dropped = log.change(register(2), &[1, 3]);
    assert_eq!(log.push(&dropped), Outcome::UnknownAdmin);
    let new = log.change(register(2), &[4]);
    assert_eq!(log.push(&new), Outcome::Applied);
    let registry = &log.registry;
    assert_eq!(registry.admins_at(1).threshold, 2);
    assert_eq!(registry.admins_at(2).threshold, 1);
    // Who ever was one may send refusable changes; who never was is turned away at the gate.
    assert!(registry.was_admin_before(&admin(1).public(), 9));
    assert!(!registry.was_admin_before(&admin(4).public(), 1));
    assert!(registry.was_admin_before(&admin(4).public(), 2));
    assert!(!registry.was_admin_before(&admin(9).public(), 9));
}

#[test]
fn an_author_is_registered_behind_its_change_and_never_again_after_its_revocation() {
    let mut log = Log::new();
    assert_eq!(log.decide(register(1)), Outcome::AuthorExists);
    assert_eq!(log.decide(revoke(2)), Outcome::UnknownAuthor);
    assert_eq!(log.decide(register(2)), Outcome::Applied);
    assert_eq!(log.decide(revoke(2)), Outcome::Applied);
    assert_eq!(log.decide(revoke(2)), Outcome::AuthorRevoked);
    assert_eq!(log.decide(register(2)), Outcome::AuthorExists);
    let standing = *log.registry.author(KEYSPACE, &author(2)).unwrap();
    assert_eq!((standing.registered_at, standing.revoked_at), (3, Some(4)));
    let at = |i| (standing.is_known_at(i), standing.is_revoked_at(i));
    assert_eq!(
        [3, 4, 5].map(at),
        [(false, false), (true, false), (true, true)]
    );
    let elsewhere = Operation::RegisterAuthor {
        keyspace: KeyspaceId(7),
        author: author(2),
    };
    assert_eq!(log.decide(elsewhere), Outcome::UnknownKeyspace);
}

#[test]
fn an_epoch_opens_with_the_next_id_and_a_fresh_key_and_ends_once() {
    let mut log = Log::new();
    let open = |id, seed| Operation::OpenEpoch {
        keyspace: KEYSPACE,
        opening: opening(id, seed),
    };
    let expire = |epoch, at| Operation::ExpireEpoch {
        keyspace: KEYSPACE,
        epoch: EpochId(epoch),
        at,
    };
    let revoke = |epoch| Operation::RevokeEpoch {
        keyspace: KEYSPACE,
        epoch: EpochId(epoch),
    };
    let erase = |epoch| Operation::EraseEpoch {
        keyspace: KEYSPACE,
        epoch: EpochId(epoch),
    };
    assert_eq!(log.decide(open(1, 2)), Outcome::EpochExists);
    assert_eq!(log.decide(open(3, 2)), Outcome::EpochExists);
    assert_eq!(log.decide(open(2, 1)), Outcome::EpochKeyReused);
    assert_eq!(log.decide(open(2, 2)), Outcome::Applied);
    let newest = |log: &Log, i| {
        log.registry
            .newest_epoch(KEYSPACE, "opaque", i)
            .map(|e| e.id.0)
    };
    assert_eq!((newest(&log, 4), newest(&log, 5)), (Some(1), Some(2)));
    // Neither half of a rotation without the other.
    assert_eq!(log.decide(rotate(3, 3, 9, 50)), Outcome::UnknownEpoch);
    assert_eq!(log.decide(rotate(3, 3, 2, 5)), Outcome::ExpiryInPast);
    assert_eq!(log.decide(rotate(3, 3, 2, 50)), Outcome::Applied);
    let second = log.registry.epoch(KEYSPACE, EpochId(2)).unwrap();
    assert!(second.is_open_at(50) && second.is_expired_at(51));
    assert_eq!(newest(&log, 8), Some(3));
    assert_eq!(
        log.decide(expire(2, 60)),
        Outcome::EpochExpired,
        "never later"
    );
    assert_eq!(log.decide(expire(2, 40)), Outcome::Applied);
    assert_eq!(log.decide(revoke(3)), Outcome::Applied);
    assert_eq!(log.decide(revoke(3)), Outcome::EpochRevoked);
    assert_eq!(newest(&log, 99), Some(1));
    assert_eq!(log.decide(erase(1)), Outcome::Applied);
    assert_eq!(log.decide(erase(1)), Outcome::EpochErased);
    let grant = operations().into_iter().nth(9).unwrap();
    assert_eq!(log.decide(grant), Outcome::EpochErased);
    assert_eq!(newest(&log, 99), None);
    assert_eq!(log.registry.next_epoch(KEYSPACE), Some(EpochId(4)));
}

#[test]
fn a_circuit_retires_once_and_cells_need_their_family() {
    let mut log = Log::new();
    let retire = Operation::RetireCircuit { circuit: CIRCUIT };
    let unknown = Operation::RetireCircuit {
        circuit: CircuitId([1; 32]),
    };
    assert_eq!(log.decide(unknown), Outcome::CircuitUnknownAtIndex);
    assert_eq!(log.decide(retire.clone()), Outcome::Applied);
    assert_eq!(log.decide(retire), Outcome::CircuitRetired);
    let [family, mint, cell_authors] = operations().split_off(10).try_into().unwrap();
    assert_eq!(log.decide(mint.clone()), Outcome::UnknownFamily);
    assert_eq!(log.decide(family.clone()), Outcome::Applied);
    assert_eq!(log.decide(family), Outcome::FamilyExists);
    assert_eq!(log.decide(mint.clone()), Outcome::Applied);
    assert_eq!(log.decide(mint), Outcome::CellExists);
    assert_eq!(log.decide(cell_authors), Outcome::Applied);
    let registry = &log.registry;
    assert_eq!(registry.mint(KEYSPACE, &[5; 32]).unwrap().value, 12);
    assert!(registry.cell_authors(KEYSPACE, &[5; 32], 7).is_none());
    assert!(registry.cell_authors(KEYSPACE, &[5; 32], 8).is_some());
}

#[test]
fn a_longer_registry_answers_for_every_earlier_index_as_the_shorter_one_did() {
    let mut log = Log::new();
    let mut prefixes = vec![log.registry.clone()];
    let operations = [
        register(2),
        rotate(2, 2, 1, 6),
        revoke(1),
        register(3),
        Operation::RevokeEpoch {
            keyspace: KEYSPACE,
            epoch: EpochId(2),
        },
        Operation::RetireCircuit { circuit: CIRCUIT },
    ];
    for operation in operations {
        assert_eq!(log.decide(operation), Outcome::Applied);
        prefixes.push(log.registry.clone());
    }
    let facts = |registry: &Registry, index: LogIndex| {
        let authors = [1, 2, 3].map(|a| {
            let standing = registry.author(KEYSPACE, &author(a));
            let standing = standing.filter(|s| s.is_known_at(index));
            standing.map(|s| s.is_revoked_at(index))
        });
        let epochs = [1, 2].map(|e| {
            let standing = registry.epoch(KEYSPACE, EpochId(e));
            standing.is_some_and(|s| s.is_open_at(index))
        });
        let retired = registry.circuit(&CIRCUIT).unwrap().is_retired_at(index);
        (authors, epochs, retired)
    };
    for (size, prefix) in prefixes.iter().enumerate() {
        for index in 0..=size as u64 + 1 {
            assert_eq!(
                facts(prefix, index),
                facts(&log.registry, index),
                "{size} {index}"
            );
        }
    }
}
