//! Stage (b): authors and circuits are judged by exactly the changes before an entry.

use crate::world::{SHARD, WORLD, Word, admin, author, judge, word};
use std::sync::Arc;
use ukehi::batch::{BatchVerifier, Fault, Groth16Verifier, Verdict};
use ukehi::ids::KeyspaceId;
use ukehi::log::Outcome;
use ukehi::registry::{
    Change, ChangeFault, ChangeVerifier, Operation, Payload, Registry, Unsigned, VerifiedChange,
};
#[cfg(feature = "node")]
use ukehi::replica::tail::Tail;

fn change(registry: &Registry, operation: Operation) -> Change {
    let mut change = Unsigned {
        cluster: WORLD.genesis.cluster_id(),
        shard: SHARD,
        number: registry.next_number(),
        operation,
    }
    .unsigned(Vec::new());
    change.sign(&admin(1));
    change
}

fn verified(change: &Change) -> Result<VerifiedChange, ChangeFault> {
    let verifier = ChangeVerifier::new(&WORLD.genesis, SHARD);
    verifier.verify(&change.to_bytes().into(), Payload::Required)
}

#[test]
fn a_batch_by_somebody_no_entry_registers_is_invalid_whatever_its_proof() {
    let stranger = &WORLD.strangers;
    assert_eq!(word(&judge(stranger)), Word::Author);
    let first_stage = WORLD.verifier.verify(&[stranger.to_bytes().into()]);
    assert_eq!(word(&first_stage[0]), Word::Valid, "all else holds");
}

#[cfg(feature = "node")]
#[test]
fn an_author_registered_in_the_tail_is_admitted_behind_that_entry_until_it_is_truncated() {
    let header = &WORLD.strangers.header;
    let mut tail = Tail::new(WORLD.registry.clone());
    let register = Operation::RegisterAuthor {
        keyspace: KeyspaceId(1),
        author: author(3).public(),
    };
    let register = verified(&change(tail.head(), register)).unwrap();
    assert_eq!(tail.append(5, register.clone()), Outcome::Applied);
    assert!(tail.head().admit(6, header).is_ok());
    assert!(tail.head().admit(5, header).is_err());
    assert!(tail.at(4).admit(6, header).is_err(), "of another log");
    // It may enter the log for ever, though not be applied for ever.
    let revoke = Operation::RevokeAuthor {
        keyspace: KeyspaceId(1),
        author: author(3).public(),
    };
    let revoke = verified(&change(tail.head(), revoke)).unwrap();
    assert_eq!(tail.append(7, revoke), Outcome::Applied);
    assert!(tail.head().admit(8, header).is_ok());
    let judged = |index| tail.head().judge(index, header, "opaque");
    assert_eq!(judged(8), Outcome::AuthorRevoked);
    // Registered by entry 5, anchored to a log of one.
    assert_eq!(judged(7), Outcome::AuthorAfterAnchor);
    assert_eq!(judged(5), Outcome::ForeignAuthor);
    tail.decided(Outcome::Applied);
    tail.truncate(6);
    assert_eq!(tail.head(), tail.applied());
    assert_eq!(tail.head().changes().len(), 1);
    tail.truncate(6);
    let mut replaced = Tail::new(WORLD.registry.clone());
    replaced.append(5, register);
    replaced.truncate(5);
    assert!(replaced.head().admit(6, header).is_err());
}

#[cfg(feature = "node")]
#[test]
fn the_tail_takes_a_mint_that_the_cells_refused_as_void() {
    let mut tail = Tail::new(WORLD.registry.clone());
    let family = Operation::RegisterFamily {
        keyspace: KeyspaceId(1),
        policy: "ledger".into(),
        authors: vec![author(1).public()],
    };
    let family = verified(&change(tail.head(), family)).unwrap();
    assert_eq!(tail.append(5, family), Outcome::Applied);
    let mint = Operation::Mint {
        keyspace: KeyspaceId(1),
        family: "ledger".into(),
        route: [7; 32],
        value: 1_000,
        blind: [8; 32],
        authors: Vec::new(),
    };
    let mint = verified(&change(tail.head(), mint)).unwrap();
    // Foreseen without the cells.
    assert_eq!(tail.append(6, mint), Outcome::Applied);
    tail.decided(Outcome::Applied);
    tail.decided(Outcome::CellLive);
    for registry in [tail.applied(), tail.head()] {
        assert_eq!(registry.mint(KeyspaceId(1), &[7; 32]), None);
        let outcomes: Vec<_> = registry.changes().iter().map(|c| c.outcome).collect();
        assert_eq!(outcomes, [Outcome::Applied, Outcome::CellLive]);
        assert_eq!(registry.next_number(), 3);
    }
}

#[test]
fn a_circuit_the_log_activates_is_verified_from_its_manifest() {
    // A cluster that was born with the eight-slot circuit alone, judging a one-slot batch.
    let mut genesis = (*WORLD.genesis).clone();
    genesis.circuits.remove(0);
    let mut registry = Registry::from_genesis(&genesis, SHARD);
    let eight = Groth16Verifier::new(&WORLD.manifests[1..]).unwrap();
    let verifier = BatchVerifier::new(WORLD.genesis.clone(), SHARD, Arc::new(eight));
    let batch = &WORLD.one;
    let bytes = [batch.to_bytes().into()];
    let circuit = batch.header.circuit;
    assert_eq!(word(&verifier.verify(&bytes)[0]), Word::NotYet);
    let unknown = Err(Fault::UnknownCircuit { circuit });
    assert_eq!(registry.admit(4, &batch.header), unknown);
    let manifest = WORLD.manifests[0].to_json();
    let activate = change(&registry, Operation::ActivateCircuit { manifest });
    let activate = verified(&activate).unwrap();
    assert_eq!(registry.apply(4, &activate), Outcome::Applied);
    assert!(registry.admit(5, &batch.header).is_ok());
    assert_eq!(
        registry.judge(4, &batch.header, "opaque"),
        Outcome::CircuitUnknownAtIndex
    );
    assert_eq!(registry.judge(5, &batch.header, "opaque"), Outcome::Applied);
    assert_eq!(
        registry.judge(5, &batch.header, "ledger"),
        Outcome::WrongPolicyFamily
    );
    let learned = verifier.with_circuit(activate.manifest().unwrap());
    let verdict = learned.verify(&bytes).remove(0);
    let Verdict::Valid(valid) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(valid.policy(), "opaque");
    // The same twice is a refusal, and so is an edited manifest.
    let twice = change(
        &registry,
        Operation::ActivateCircuit {
            manifest: WORLD.manifests[0].to_json(),
        },
    );
    let twice = verified(&twice).unwrap();
    assert_eq!(registry.apply(5, &twice), Outcome::CircuitExists);
    let json = String::from_utf8(WORLD.manifests[0].to_json()).unwrap();
    let manifest = json.replace("\"slots\": 1", "\"slots\": 8").into_bytes();
    let edited = verified(&change(&registry, Operation::ActivateCircuit { manifest }));
    assert!(
        matches!(edited, Err(ChangeFault::Manifest { .. })),
        "{edited:?}"
    );
}

#[test]
fn a_development_circuit_is_refused_by_a_cluster_that_is_none() {
    let mut genesis = (*WORLD.genesis).clone();
    genesis.dev = false;
    let manifest = WORLD.manifests[0].to_json();
    let mut change = Unsigned {
        cluster: genesis.cluster_id(),
        shard: SHARD,
        number: 1,
        operation: Operation::ActivateCircuit { manifest },
    }
    .unsigned(Vec::new());
    change.sign(&admin(1));
    let verifier = ChangeVerifier::new(&genesis, SHARD);
    let refused = verifier.verify(&change.to_bytes().into(), Payload::Required);
    assert_eq!(refused.map(drop), Err(ChangeFault::InsecureSetup));
}
