//! What the trust root does not vouch for, and what the gate never takes.

use crate::altered::{changed, honest};
use crate::audit_support::sign;
use crate::world::{AUDIENCE, ENTRY, options, spelled, world};
use serde_json::json;
use std::sync::Arc;
use ukehi::audit::disclosure::{CheckOptions, Disclosure, DisclosureError};
use ukehi::batch::{Fault, Groth16Verifier, Header, ProofVerifier, Verdict};
use ukehi::error::ExitCode;
use ukehi::ids::{EpochId, KeyspaceId};
use ukehi::trust::TrustRoot;

#[test]
fn a_circuit_of_another_statement_or_of_no_trust_root_is_untrusted() {
    let circuits = &world().trust.genesis.circuits;
    for circuit in [circuits[0].to_string(), "ab".repeat(32)] {
        let error = changed(|d| d["open_circuit"] = json!(circuit));
        assert!(
            matches!(error, DisclosureError::UnknownCircuit { .. }),
            "{error}"
        );
        assert_eq!(error.exit_code(), ExitCode::Untrusted);
    }
}

#[test]
fn another_trust_root_vouches_for_nothing() {
    let world = world();
    let disclosure = Disclosure::from_json(&spelled(honest())).unwrap();
    let refused = |change: &dyn Fn(&mut TrustRoot)| {
        let mut trust = world.trust.clone();
        change(&mut trust);
        disclosure.check(&trust, &options(None)).err().unwrap()
    };
    let error = refused(&|t| t.genesis.nonce[0] ^= 1);
    assert!(
        matches!(error, DisclosureError::OtherCluster { .. }),
        "{error}"
    );
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
    // Facts a cluster id covers, so a trust root read from a file could not lack them alone.
    let error = refused(&|t| t.circuits.truncate(1));
    assert!(
        matches!(error, DisclosureError::UnknownCircuit { .. }),
        "{error}"
    );
    let error = refused(&|t| drop(t.circuits.remove(0)));
    assert!(
        matches!(error, DisclosureError::UnknownCircuit { .. }),
        "{error}"
    );
    let strict = disclosure.check(&world.trust, &CheckOptions::default());
    let error = strict.err().unwrap();
    assert!(
        matches!(error, DisclosureError::InsecureSetup { .. }),
        "{error}"
    );
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

/// What the checker says of a batch that colluding nodes recorded as applied, though its header
/// names what the trust root does not.
fn collusion(by: u8, change: impl FnOnce(&mut Header)) -> Option<DisclosureError> {
    let world = world();
    let batch = world.sealed_as(by, &[b"forged".to_vec(), b"too".to_vec()], change);
    let mut trail = world.trail.clone();
    let index = trail.size();
    let mut entry = trail.entries[ENTRY as usize].clone();
    entry.record.index = index;
    entry.replace(&batch);
    trail.entries.push(entry);
    let disclosure = world
        .disclose_from(&trail.bundle(), index, 1, AUDIENCE)
        .unwrap();
    world.check(&disclosure).err()
}

#[test]
fn colluding_nodes_cannot_vouch_for_what_the_trust_root_does_not() {
    let errors = [
        collusion(3, |_| {}),
        collusion(1, |header| header.epoch = EpochId(9)),
        collusion(1, |header| header.keyspace = KeyspaceId(7)),
        collusion(1, |header| {
            header.circuit = world().trust.genesis.circuits[1];
        }),
    ];
    let errors = errors.map(|e| e.expect("the attack goes unnoticed"));
    let [author, epoch, keyspace, circuit] = &errors;
    assert!(
        matches!(author, DisclosureError::UnknownAuthor { .. }),
        "{author}"
    );
    assert!(
        matches!(epoch, DisclosureError::OtherEpoch { .. }),
        "{epoch}"
    );
    assert!(
        matches!(keyspace, DisclosureError::UnknownKeyspace { .. }),
        "{keyspace}"
    );
    assert!(
        matches!(circuit, DisclosureError::UnknownCircuit { .. }),
        "{circuit}"
    );
    assert!(errors.iter().all(|e| e.exit_code() == ExitCode::Untrusted));
    // Forged in nothing that the trust root could tell: the cases above fail for their own reasons.
    assert_eq!(collusion(1, |header| header.author_seq = 77), None);
}

#[test]
fn the_gate_never_takes_a_batch_under_a_disclosure_circuit() {
    let world = world();
    let mut batch = world.trail.entries[ENTRY as usize].batch();
    let circuit = world.trust.genesis.circuits[1];
    batch.header.circuit = circuit;
    sign(&mut batch, 1);
    let bytes: Arc<[u8]> = batch.to_bytes().into();
    // Never "not yet", whatever comes later: a replica would wait for it for ever.
    match world.trail.verifier().verify(&[bytes]).pop() {
        Some(Verdict::Invalid(fault)) => assert_eq!(fault, Fault::OtherStatement { circuit }),
        other => panic!("{other:?}"),
    }
    let proofs = Groth16Verifier::new(&world.trust.circuits).unwrap();
    assert_eq!(proofs.form(&circuit), None);
}
