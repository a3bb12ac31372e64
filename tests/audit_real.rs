//! Real sealing, real Groth16 proofs, the trust root as it is shipped: one-slot circuit, a dev
//! set-up made once.

mod audit_support;

use audit_support::{SHARD, Trail, author, sign};
use std::sync::{Arc, OnceLock};
use ukehi::audit::{AuditError, Options, Report, Start, verify};
use ukehi::batch::{Anchor, Groth16Verifier, Header, NotYet, SealedBatch, shape_name, slot_list};
use ukehi::error::ExitCode;
use ukehi::ids::{EpochId, KeyspaceId, ShardId};
use ukehi::log::Outcome;
use ukehi::trust::TrustRoot;
use ukehi_circuits::matrices::{assignment, circuit_matrices, matrix_digest};
use ukehi_circuits::policy::Opaque;
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{SealedCommands, SlotPlaintext, seal};
use ukehi_circuits::shape::{Class, Shape};
use ukehi_circuits::slot::{Body, Meta, Op, SlotKey};
use ukehi_circuits::{F, Point, field};
use ukehi_keys::{CircuitParts, Manifest, Setup};
use ukehi_provers::R1cs;
use ukehi_provers::groth16::reference::prove;
use ukehi_provers::groth16::{ProvingKey, insecure_dev_setup};

struct World {
    r1cs: R1cs,
    key: ProvingKey,
    trust: TrustRoot,
    trail: Trail,
}

/// Three proven batches, the last of them expired when it came to be applied.
fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let matrices = circuit_matrices(&Opaque, Shape::SINGLE);
        let digest = matrix_digest(&matrices);
        let r1cs = R1cs::new(
            matrices.a,
            matrices.b,
            matrices.c,
            matrices.num_instance_variables,
            matrices.num_witness_variables,
        )
        .unwrap();
        let (key, verifying_key) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
        let parts = CircuitParts {
            shape: shape_name(Shape::SINGLE),
            matrix_digest: digest,
            verifying_key: verifying_key.to_bytes(),
            setup: Setup::insecure_dev(),
        };
        let manifest = Manifest::new(parts, &key.to_bytes()).unwrap();
        let mut genesis = audit_support::genesis(1);
        genesis.circuits = vec![manifest.circuit_id()];
        genesis.keyspaces[0].epochs[0].route_commitment =
            field::encode(&route_secret().commitment());
        genesis.check().unwrap();
        let proofs = Groth16Verifier::new(std::slice::from_ref(&manifest)).unwrap();
        let mut world = World {
            r1cs,
            key,
            trail: Trail::judged_by(genesis.clone(), Arc::new(proofs)),
            trust: TrustRoot {
                genesis,
                circuits: vec![manifest],
            },
        };
        for (seq, valid_until) in [(1, 100), (2, 100), (3, 3)] {
            let batch = world.sealed(seq, valid_until, b"chart opened");
            world.trail.push(&batch);
        }
        world
    })
}

fn route_secret() -> RouteSecret {
    RouteSecret::from_bytes(&field::encode(&F::from(4242u64))).unwrap()
}

impl World {
    fn sealed(&self, seq: u64, valid_until: u64, value: &[u8]) -> SealedBatch {
        let epoch = &self.trust.genesis.keyspaces[0].epochs[0];
        let epoch_key = Point::from_xy_bytes(&epoch.key.to_bytes()).unwrap();
        let size = self.trail.size();
        let header = Header {
            cluster: self.trust.genesis.cluster_id(),
            shard: SHARD,
            keyspace: KeyspaceId(1),
            circuit: self.trust.genesis.circuits[0],
            epoch: EpochId(1),
            epoch_key,
            route_commitment: route_secret().commitment(),
            policy_digest: F::from(0u64),
            author: author(1).public(),
            author_seq: seq,
            valid_until,
            anchor: Anchor {
                size,
                root: self.trail.root(size),
            },
            slots: 1,
            slot_list: [0; 32],
        };
        let meta = Meta {
            op: Op::Put,
            body_len: value.len() as u16,
            cell_count: 0,
        };
        let header = Header {
            slot_list: slot_list([(meta, None)]),
            ..header
        };
        let slot = SlotPlaintext::put(
            SlotKey::new(b"patient/17").unwrap(),
            Body::new(Class::Short, value).unwrap(),
        );
        let SealedCommands {
            statement, witness, ..
        } = seal(
            &Opaque,
            Shape::SINGLE,
            header.ctx(),
            &epoch_key,
            &route_secret(),
            &[slot],
            header.digest(),
        )
        .unwrap();
        let assignment = assignment(&Opaque, &statement, &witness).unwrap();
        let proof = prove(&self.key, &self.r1cs, assignment.as_slice()).unwrap();
        let mut batch = SealedBatch {
            header,
            ephemeral: statement.ephemeral,
            slots: statement.slots.clone(),
            bulk: vec![None],
            proof: proof.to_bytes(),
            signature: [0; 64],
        };
        sign(&mut batch, 1);
        batch
    }
}

fn audit(bundle: &[u8], trust: &TrustRoot) -> Result<Report, AuditError> {
    let options = Options {
        allow_insecure_setup: true,
        ..Options::default()
    };
    verify(bundle, trust, &options, &mut |_| {})
}

fn attacked(attack: impl FnOnce(&mut Trail)) -> AuditError {
    let mut forged = world().trail.clone();
    attack(&mut forged);
    audit(&forged.bundle(), &world().trust).expect_err("the attack goes unnoticed")
}

#[test]
fn a_trail_of_proven_batches_verifies_with_the_trust_root_alone() {
    let World { trail, trust, .. } = world();
    assert_eq!(trail.entries[4].record.outcome, Outcome::Expired);
    let report = audit(&trail.bundle(), trust).unwrap();
    assert_eq!(
        (report.tally.batches, report.tally.commands_applied),
        (3, 2)
    );
    assert_eq!(report.insecure_circuits, trust.genesis.circuits);
    assert!(
        report
            .limits
            .iter()
            .any(|limit| limit.starts_with("INSECURE"))
    );
    assert!(audit(&trail.range(3, 5), trust).is_ok());
}

#[test]
fn an_insecure_setup_is_untrusted_before_the_file_is_looked_at() {
    let World { trail, trust, .. } = world();
    for file in [&trail.bundle()[..], b"not a bundle"] {
        let error = verify(file, trust, &Options::default(), &mut |_| {}).unwrap_err();
        assert!(matches!(error, AuditError::InsecureSetup { .. }), "{error}");
        assert_eq!(error.exit_code(), ExitCode::Untrusted);
        assert!(error.next().contains("--allow-insecure-setup"));
    }
}

#[test]
fn a_circuit_the_trust_root_holds_no_key_for_is_untrusted() {
    let World { trail, trust, .. } = world();
    let blind = TrustRoot {
        circuits: Vec::new(),
        ..trust.clone()
    };
    let error = audit(&trail.bundle(), &blind).unwrap_err();
    let circuit = trail.entries[2].batch().header.circuit;
    let reason = NotYet::UnknownCircuit { circuit };
    assert_eq!(error, AuditError::NoVerdict { index: 2, reason });
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

#[test]
fn a_trust_root_of_another_cluster_is_refused() {
    let World { trail, trust, .. } = world();
    let mut other = trust.clone();
    other.genesis.nonce[0] ^= 1;
    let error = audit(&trail.bundle(), &other).unwrap_err();
    assert!(matches!(error, AuditError::OtherCluster { .. }), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

#[test]
fn a_shard_no_keyspace_lives_in_is_refused() {
    let World { trail, trust, .. } = world();
    let start = Start {
        shard: ShardId(3),
        ..trail.start(0, trail.size())
    };
    let error = audit(&trail.bundle_with(&start, &trail.note()), trust).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Tampered);
    assert!(
        error
            .to_string()
            .contains("its shard should be one of 0, it is 3"),
        "{error}"
    );
}

#[test]
fn a_ciphertext_altered_by_its_own_author_fails_the_real_proof() {
    for element in 0..7 {
        let error = attacked(|t| {
            let mut batch = t.entries[3].batch();
            batch.slots[0].ct[element] += F::from(1u64);
            sign(&mut batch, 1);
            t.entries[3].replace(&batch);
        });
        assert_eq!(error.exit_code(), ExitCode::ProofInvalid, "{error}");
        assert!(error.to_string().starts_with("entry 3:"), "{error}");
    }
}

#[test]
fn a_header_altered_by_its_own_author_fails_the_real_proof() {
    let error = attacked(|t| {
        let mut batch = t.entries[4].batch();
        batch.header.valid_until = 100;
        sign(&mut batch, 1);
        t.entries[4].replace(&batch);
        t.entries[4].record.outcome = Outcome::Applied;
    });
    assert_eq!(error.exit_code(), ExitCode::ProofInvalid, "{error}");
    assert!(error.to_string().starts_with("entry 4:"), "{error}");
}

#[test]
fn a_real_proof_of_another_batch_is_refused() {
    let error = attacked(|t| {
        let mut batch = t.entries[3].batch();
        batch.proof = t.entries[2].batch().proof;
        t.entries[3].replace(&batch);
    });
    assert_eq!(error.exit_code(), ExitCode::ProofInvalid, "{error}");
    assert!(error.to_string().starts_with("entry 3:"), "{error}");
}

#[test]
fn a_flip_in_any_byte_of_a_real_proof_is_refused() {
    for byte in 0..128 {
        let error = attacked(|t| {
            let mut batch = t.entries[2].batch();
            batch.proof[byte] ^= 1 << (byte % 8);
            t.entries[2].replace(&batch);
        });
        assert_eq!(
            error.exit_code(),
            ExitCode::ProofInvalid,
            "byte {byte}: {error}"
        );
        assert!(error.to_string().starts_with("entry 2:"), "{error}");
    }
}

#[test]
fn the_proof_of_a_fresh_seal_of_the_same_plaintext_is_refused() {
    let again = world().sealed(1, 100, b"chart opened");
    let error = attacked(|t| {
        let mut batch = t.entries[2].batch();
        batch.proof = again.proof;
        t.entries[2].replace(&batch);
    });
    assert_eq!(error.exit_code(), ExitCode::ProofInvalid, "{error}");
}

#[test]
fn an_insecure_circuit_counts_once_it_was_activated_and_not_where_that_was_refused() {
    use ukehi::registry::Operation;
    let manifest = &world().trust.circuits[0];
    let activation = || Operation::ActivateCircuit {
        manifest: manifest.to_json(),
    };
    let mut trail = Trail::with_batches(1);
    let mut early = trail.change(activation());
    early.content.number += 1;
    early.signatures.clear();
    early.sign(&audit_support::admin(1));
    assert_eq!(trail.push_change(&early), Outcome::WrongNumber);
    let size = trail.size();
    for bundle in [trail.bundle(), trail.range(size - 1, size)] {
        let report = trail.verify(&bundle).unwrap();
        assert_eq!(report.insecure_circuits, []);
    }

    let change = trail.change(activation());
    assert_eq!(trail.push_change(&change), Outcome::Applied);
    for bundle in [trail.bundle(), trail.range(size, size + 1)] {
        let error = trail.verify(&bundle).unwrap_err();
        let expected = vec![manifest.circuit_id()];
        assert!(
            matches!(&error, AuditError::InsecureSetup { circuits } if *circuits == expected),
            "{error}"
        );
    }
}
