use super::*;
use crate::genesis::is_policy_name;
use crate::ids::ClusterId;
use crate::registry::test_log::*;
use crate::registry::{
    Change, ChangeFault, EpochOpening, MAX_CELL_AUTHORS, Payload, Unsigned, grant_payload_digest,
};
use crate::wire::WireError;
use ukehi_keys::{CircuitParts, CircuitShape, Setup};

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

/// What no gate would take, but the fold never looks at the key.
fn manifest(number: u32) -> Arc<Manifest> {
    let mut matrix_digest = [0; 32];
    matrix_digest[..4].copy_from_slice(&number.to_le_bytes());
    let parts = CircuitParts {
        shape: CircuitShape {
            statement: "seal/v1".into(),
            policy: "opaque".into(),
            slots: 1,
            class: "short".into(),
        },
        matrix_digest,
        verifying_key: vec![7; 308],
        setup: Setup::insecure_dev(),
    };
    Arc::new(Manifest::new(parts, b"proving key").unwrap())
}

#[test]
fn a_circuit_is_activated_once_and_there_is_room_for_256() {
    let mut registry = Log::new().registry;
    assert_eq!(registry.activate(1, &manifest(1)), Ok(()));
    let id = manifest(1).circuit_id();
    let again = registry.activate(2, &manifest(1));
    assert_eq!(again, Err(Outcome::CircuitExists));
    assert_eq!(registry.circuit(&id).unwrap().activated_at, 1);
    // Asked of an entry before it, or of itself, a registry that knows it says no.
    let sealed = crate::batch::Header {
        circuit: id,
        ..header()
    };
    let judge = |index| registry.judge(index, &sealed, "opaque");
    assert_eq!(
        [1, 2].map(judge),
        [Outcome::CircuitUnknownAtIndex, Outcome::Applied]
    );
    assert!(registry.admit(1, &sealed).is_err() && registry.admit(2, &sealed).is_ok());
    // Genesis has one.
    for number in 2..MAX_REGISTERED_CIRCUITS as u32 {
        let made = registry.activate(u64::from(number), &manifest(number));
        assert_eq!(made, Ok(()));
    }
    let full = registry.activate(999, &manifest(999));
    assert_eq!(full, Err(Outcome::RegistryFull));
    assert_eq!(registry.circuits().count(), 256);
}

#[test]
fn a_void_mint_is_counted_and_kept_out_of_supply_and_lists() {
    let mut log = Log::new();
    let [family, mint, _] = operations().split_off(10).try_into().unwrap();
    assert_eq!(log.decide(family), Outcome::Applied);
    let change = log.change(mint.clone(), &[1, 2]).to_bytes().into();
    let verified = log.verifier.verify(&change, Payload::Required).unwrap();
    // A record can say so of mints that the cells refused, and of nothing else.
    let mut other = log.registry.clone();
    let recorded = other.apply_recorded(2, &verified, Outcome::CellExists);
    assert_eq!(recorded, Outcome::Applied);
    let registry = &mut log.registry;
    let recorded = registry.apply_recorded(2, &verified, Outcome::CellLive);
    assert_eq!(recorded, Outcome::CellLive);
    assert_eq!(registry.next_number(), 3);
    assert_eq!(registry.mint(KEYSPACE, &[5; 32]), None);
    assert_eq!(registry.mints(KEYSPACE, "ledger").count(), 0);
    assert_eq!(registry.cell_authors(KEYSPACE, &[5; 32], 9), None);
    assert_eq!(other.mints(KEYSPACE, "ledger").count(), 1);
}

#[test]
fn epochs_expire_at_the_index_of_the_change_at_the_earliest_and_openings_behind_it() {
    let mut log = Log::new();
    let expire = |at| Operation::ExpireEpoch {
        keyspace: KEYSPACE,
        epoch: EpochId(1),
        at,
    };
    let open = |expires| Operation::OpenEpoch {
        keyspace: KEYSPACE,
        opening: EpochOpening {
            expires: Some(expires),
            policy: "ledger".into(),
            ..opening(2, 2)
        },
    };
    assert_eq!(log.decide(open(1)), Outcome::ExpiryInPast);
    assert_eq!(log.decide(open(3)), Outcome::Applied);
    // What is wrong with the opening is said before what is wrong with the old one.
    assert_eq!(log.decide(rotate(9, 3, 9, 0)), Outcome::EpochExists);
    assert_eq!(log.decide(expire(3)), Outcome::ExpiryInPast);
    assert_eq!(log.decide(expire(5)), Outcome::Applied);
    assert_eq!(log.decide(expire(5)), Outcome::ExpiryInPast);
    assert_eq!(log.decide(rotate(3, 3, 2, 7)), Outcome::EpochExpired);
    let mut later = Log::new();
    assert_eq!(later.decide(expire(50)), Outcome::Applied);
    assert_eq!(later.decide(expire(50)), Outcome::EpochExpired, "as before");
    // Of two open ones, that of the policy asked for.
    let mut two = Log::new();
    assert_eq!(two.decide(open(90)), Outcome::Applied);
    let newest = |policy| two.registry.newest_epoch(KEYSPACE, policy, 2);
    assert_eq!(newest("opaque").map(|e| e.id), Some(EpochId(1)));
    assert_eq!(newest("ledger").map(|e| e.id), Some(EpochId(2)));
}
