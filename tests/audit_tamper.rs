//! Forgeries with every outer hash made anew: frame checksums, records, tree and, as if all nodes
//! colluded, the cosigned checkpoint. What is left to catch them is the inner check.

mod audit_support;

use audit_support::{Trail, author, prove, sign, x};
use ukehi::audit::AuditError;
use ukehi::batch::Fault;
use ukehi::error::ExitCode;
use ukehi::log::{EntryKind, Outcome, Record};
use ukehi_circuits::{F, field};

fn assert_entry(error: &AuditError, index: u64, code: ExitCode, part: &str) {
    let text = error.to_string();
    assert!(text.starts_with(&format!("entry {index}:")), "{text}");
    assert!(text.contains(part), "{text} does not say {part:?}");
    assert_eq!(error.exit_code(), code, "{text}");
    assert!(!error.next().is_empty());
}

#[test]
fn an_altered_ciphertext_fails_the_authors_signature() {
    for slot in 0..3 {
        let error = Trail::with_batches(4).attacked(|t| {
            let mut batch = t.entries[3].batch();
            batch.slots[slot].ct[6] += F::from(1u64);
            t.entries[3].replace(&batch);
        });
        assert_entry(&error, 3, ExitCode::Tampered, "signature");
    }
}

#[test]
fn a_ciphertext_altered_in_the_batch_alone_fails_as_well() {
    let error = Trail::with_batches(4).attacked(|t| {
        let mut batch = t.entries[3].batch();
        batch.slots[0].ct[0] += F::from(1u64);
        t.entries[3].payload = batch.to_bytes();
    });
    assert_entry(&error, 3, ExitCode::Tampered, "signature");
}

#[test]
fn an_altered_ciphertext_that_its_own_author_signed_fails_the_proof() {
    let error = Trail::with_batches(4).attacked(|t| {
        let mut batch = t.entries[3].batch();
        batch.slots[1].ct[2] += F::from(1u64);
        sign(&mut batch, 2);
        t.entries[3].replace(&batch);
    });
    assert_entry(&error, 3, ExitCode::ProofInvalid, "proof");
}

#[test]
fn altered_public_parts_of_a_batch_fail_the_signature() {
    type Attack = fn(&mut ukehi::batch::SealedBatch);
    let attacks: [(&str, Attack); 9] = [
        ("route", |b| b.slots[0].route += F::from(500u64)),
        ("body length", |b| {
            b.slots[0].meta.body_len += 1;
            b.header.slot_list = b.slot_list();
        }),
        ("ephemeral point", |b| b.ephemeral = b.header.epoch_key),
        ("route commitment", |b| {
            b.header.route_commitment += F::from(1u64)
        }),
        ("sequence", |b| b.header.author_seq += 100),
        ("valid_until", |b| b.header.valid_until += 1),
        ("anchor size", |b| b.header.anchor.size -= 1),
        ("anchor root", |b| b.header.anchor.root[0] ^= 1),
        ("epoch", |b| b.header.epoch.0 += 1),
    ];
    for (what, attack) in attacks {
        let error = Trail::with_batches(4).attacked(|t| {
            let mut batch = t.entries[3].batch();
            attack(&mut batch);
            t.entries[3].replace(&batch);
        });
        let AuditError::Batch { index: 3, fault } = &error else {
            panic!("{what}: {error}");
        };
        assert_eq!(*fault, Fault::Signature, "{what}");
    }
}

#[test]
fn an_altered_author_signature_is_refused() {
    for byte in [0, 31, 32, 63] {
        let error = Trail::with_batches(2).attacked(|t| {
            let mut batch = t.entries[2].batch();
            batch.signature[byte] ^= 1;
            t.entries[2].replace(&batch);
        });
        assert_entry(&error, 2, ExitCode::Tampered, "signature");
    }
}

#[test]
fn an_altered_proof_is_refused() {
    for byte in [0, 64, 127] {
        let error = Trail::with_batches(2).attacked(|t| {
            let mut batch = t.entries[2].batch();
            batch.proof[byte] ^= 1;
            t.entries[2].replace(&batch);
        });
        assert_entry(&error, 2, ExitCode::ProofInvalid, "proof");
    }
}

#[test]
fn swapped_slots_are_refused_even_if_their_author_signed_them() {
    let swap = |signed: bool| {
        Trail::with_batches(4).attacked(|t| {
            let mut batch = t.entries[3].batch();
            batch.slots.swap(0, 2);
            if signed {
                sign(&mut batch, 2);
            }
            t.entries[3].replace(&batch);
        })
    };
    assert_entry(&swap(false), 3, ExitCode::Tampered, "signature");
    assert_entry(&swap(true), 3, ExitCode::ProofInvalid, "proof");
}

#[test]
fn a_batch_that_names_one_route_twice_is_refused() {
    let error = Trail::with_batches(4).attacked(|t| {
        let mut batch = t.entries[3].batch();
        batch.slots[2].route = batch.slots[0].route;
        t.entries[3].payload = batch.to_bytes();
    });
    assert_entry(&error, 3, ExitCode::Tampered, "route");
}

#[test]
fn bytes_behind_a_batch_or_missing_from_it_are_refused() {
    let error = Trail::with_batches(2).attacked(|t| t.entries[2].payload.push(0));
    assert_entry(&error, 2, ExitCode::Tampered, "1 bytes follow");
    let error = Trail::with_batches(2).attacked(|t| t.entries[2].payload.clear());
    assert_entry(&error, 2, ExitCode::Tampered, "too early");
}

#[test]
fn a_valid_proof_of_another_batch_is_refused() {
    let error = Trail::with_batches(4).attacked(|t| {
        let mut batch = t.entries[4].batch();
        batch.proof = t.entries[2].batch().proof;
        t.entries[4].replace(&batch);
    });
    assert_entry(&error, 4, ExitCode::ProofInvalid, "proof");
}

#[test]
fn a_valid_signature_of_another_batch_is_refused() {
    let error = Trail::with_batches(4).attacked(|t| {
        let mut batch = t.entries[4].batch();
        batch.signature = t.entries[2].batch().signature;
        t.entries[4].replace(&batch);
    });
    assert_entry(&error, 4, ExitCode::Tampered, "signature");
}

#[test]
fn a_signature_by_an_author_the_genesis_does_not_know_is_untrusted() {
    let error = Trail::with_batches(2).attacked(|t| {
        let mut batch = t.entries[2].batch();
        batch.header.author = author(9).public();
        prove(&mut batch);
        sign(&mut batch, 9);
        t.entries[2].replace(&batch);
    });
    assert_entry(&error, 2, ExitCode::Untrusted, "not registered");
}

#[test]
fn a_circuit_the_genesis_does_not_know_is_untrusted() {
    let error = Trail::with_batches(2).attacked(|t| {
        let mut batch = t.entries[2].batch();
        batch.header.circuit.0 = [7; 32];
        t.entries[2].payload = batch.to_bytes();
        t.entries[2].record.header_digest = batch.header.digest();
    });
    assert_entry(&error, 2, ExitCode::Untrusted, "circuit");
}

#[test]
fn a_batch_of_another_cluster_is_refused() {
    let error = Trail::with_batches(2).attacked(|t| {
        let mut batch = t.entries[2].batch();
        batch.header.cluster.0[0] ^= 1;
        prove(&mut batch);
        sign(&mut batch, 1);
        t.entries[2].replace(&batch);
    });
    assert_entry(&error, 2, ExitCode::Tampered, "another cluster");
}

#[test]
fn a_header_digest_or_x_that_is_not_the_batchs_is_named() {
    let error = Trail::with_batches(2).attacked(|t| t.entries[2].record.header_digest[0] ^= 1);
    assert_entry(&error, 2, ExitCode::Tampered, "header digest should be");
    let error = Trail::with_batches(2).attacked(|t| t.entries[2].record.x[0] ^= 1);
    assert_entry(&error, 2, ExitCode::Tampered, "x should be");
}

#[test]
fn a_valid_batch_in_anothers_place_is_named_by_its_header_digest() {
    let error = Trail::with_batches(4).attacked(|t| {
        t.entries[2].payload = t.entries[4].payload.clone();
    });
    assert_entry(&error, 2, ExitCode::Tampered, "header digest");
}

#[test]
fn an_outcome_that_apply_does_not_decide_is_refused() {
    let error = Trail::with_batches(4).attacked(|t| {
        t.entries[3].record.outcome = Outcome::Expired;
    });
    assert_entry(&error, 3, ExitCode::Tampered, "outcome");
    assert!(error.to_string().contains("should be applied"), "{error}");
}

#[test]
fn a_refusal_made_to_look_applied_is_refused() {
    let mut trail = Trail::with_batches(2);
    let mut late = trail.sealed(1, 50, 1);
    late.header.valid_until = 3;
    prove(&mut late);
    sign(&mut late, 1);
    trail.push(&late);
    assert_eq!(trail.entries[4].record.outcome, Outcome::Expired);
    assert!(trail.verify(&trail.bundle()).is_ok());
    let error = trail.attacked(|t| t.entries[4].record.outcome = Outcome::Applied);
    assert_entry(&error, 4, ExitCode::Tampered, "outcome");
}

#[test]
fn a_command_applied_twice_is_refused() {
    let mut trail = Trail::with_batches(2);
    let again = trail.entries[2].batch();
    trail.push(&again);
    assert_eq!(trail.entries[4].record.outcome, Outcome::Duplicate);
    assert!(trail.verify(&trail.bundle()).is_ok());
    let error = trail.attacked(|t| t.entries[4].record.outcome = Outcome::Applied);
    assert_entry(&error, 4, ExitCode::Tampered, "outcome");
}

/// Colluding authors, nodes and prover: only the anchor still ties the batch to its history.
#[test]
fn a_batch_moved_behind_a_rewritten_history_fails_its_anchor() {
    let error = Trail::with_batches(4).attacked(|t| {
        let other = t.sealed(1, 1, 1);
        let mut other = other.clone();
        other.header.anchor = t.entries[2].batch().header.anchor;
        other.slots[0].ct[0] += F::from(9u64);
        prove(&mut other);
        sign(&mut other, 1);
        t.entries[2].replace(&other);
    });
    // Entry 2 is a valid batch of its author; entry 3 was anchored behind the one it displaced.
    assert_entry(&error, 3, ExitCode::Tampered, "outcome");
    assert!(error.to_string().contains("anchor"), "{error}");
}

#[test]
fn two_entries_in_each_others_place_are_refused() {
    let error = Trail::with_batches(4).attacked(|t| {
        t.entries.swap(2, 3);
        t.entries[2].record.index = 2;
        t.entries[3].record.index = 3;
    });
    assert_entry(&error, 2, ExitCode::Tampered, "outcome");
}

#[test]
fn a_record_whose_index_is_not_its_place_is_refused() {
    let trail = Trail::with_batches(2);
    let mut bundle = trail.bundle();
    let (_, from, to) = audit_support::frames::frames(&bundle)
        .into_iter()
        .find(|(name, ..)| name == "entry 2")
        .unwrap();
    let mut payload = bundle[from + 29..to - 32].to_vec();
    payload[0] = 3;
    let forged = audit_support::frame(5, 2, payload.len() as u32, &payload);
    bundle.splice(from..to, forged);
    let error = trail.verify(&bundle).unwrap_err();
    assert_entry(&error, 2, ExitCode::Tampered, "index should be 2, it is 3");
}

#[test]
fn genesis_and_no_ops_have_one_record_and_no_payload() {
    let trail = Trail::with_batches(2);
    let error = trail.attacked(|t| t.entries[0].record.header_digest[5] ^= 1);
    assert_entry(&error, 0, ExitCode::Tampered, "record");
    let error = trail.attacked(|t| t.entries[1].record.x[5] ^= 1);
    assert_entry(&error, 1, ExitCode::Tampered, "record");
    let error = trail.attacked(|t| t.entries[1].payload = b"hidden".to_vec());
    assert_entry(&error, 1, ExitCode::Tampered, "payload");
    let error = trail.attacked(|t| t.entries[0].record.kind = EntryKind::NoOp);
    assert_entry(&error, 0, ExitCode::Tampered, "");
    let error = trail.attacked(|t| {
        t.entries[0].record = Record::no_op(0);
    });
    assert_entry(&error, 0, ExitCode::Tampered, "kind should be Genesis");
    let error = trail.attacked(|t| {
        t.entries[2].record = Record::no_op(2);
        t.entries[2].payload.clear();
    });
    // Dropping a batch for a no-op shows in the next anchor.
    assert_entry(&error, 3, ExitCode::Tampered, "outcome");
}

#[test]
fn an_entry_of_a_reserved_kind_is_not_vouched_for() {
    let kind = EntryKind::Membership;
    let error = Trail::with_batches(2).attacked(|t| t.entries[3].record.kind = kind);
    assert_eq!(error, AuditError::UnknownKind { index: 3, kind });
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

#[test]
fn a_batch_called_a_registry_change_is_none() {
    let error = Trail::with_batches(2).attacked(|t| t.entries[3].record.kind = EntryKind::Registry);
    assert_entry(&error, 3, ExitCode::Tampered, "registry change");
}

#[test]
fn every_field_of_x_comes_from_the_batch_that_was_logged() {
    let trail = Trail::with_batches(4);
    for entry in &trail.entries[2..] {
        assert_eq!(entry.record.x, field::encode(&x(&entry.batch())));
    }
}
