//! What the log registered is vouched for by the changes a disclosure carries, and by nothing less.

use crate::audit_support::{admin, author};
use crate::registered::{AUTHOR, ENTRY, Live, register, registered, revoke};
use crate::world::{spelled, world};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use ukehi::audit::disclosure::{
    CheckOptions, DiscloseError, Disclosed, Disclosure, DisclosureError, MAX_DISCLOSED_CHANGES,
    MAX_DISCLOSURE_BYTES, ShownFault, prepare,
};
use ukehi::error::ExitCode;
use ukehi::ids::EpochId;
use ukehi::log::{Outcome, Record};
use ukehi::registry::{Change, Operation};
use ukehi_keys::{
    Attestation, BeaconFacts, CeremonyFacts, CircuitParts, Manifest, ParticipantKey, Setup,
};
use zeroize::Zeroizing;

fn honest() -> &'static Value {
    static HONEST: OnceLock<Value> = OnceLock::new();
    HONEST.get_or_init(|| {
        let json = registered().disclose(ENTRY, 2).to_json();
        serde_json::from_str(&json).unwrap()
    })
}

fn changed(change: impl FnOnce(&mut Vec<Value>)) -> Result<Disclosed, DisclosureError> {
    let mut json = honest().clone();
    change(json["registry"].as_array_mut().unwrap());
    registered().check(&Disclosure::from_json(&spelled(&json))?)
}

fn refused(change: impl FnOnce(&mut Vec<Value>)) -> DisclosureError {
    changed(change).err().expect("the change goes unnoticed")
}

fn fault(change: impl FnOnce(&mut Vec<Value>)) -> (u64, ShownFault) {
    let error = refused(change);
    assert_eq!(error.exit_code(), ExitCode::Tampered, "{error}");
    match error {
        DisclosureError::Change { index, fault } => (index, fault),
        other => panic!("{other}"),
    }
}

#[test]
fn an_author_and_an_epoch_registered_by_the_log_are_vouched_for_by_the_changes_shown() {
    let live = registered();
    // Revoked behind the entry: what stood before it stays written by an author.
    let shown = live.check(&live.disclose(ENTRY, 2)).unwrap();
    assert_eq!(
        (shown.author, shown.epoch),
        (author(3).public(), EpochId(2))
    );
    assert_eq!(shown.value, "chart closed");
    assert_eq!(honest()["registry"].as_array().unwrap().len(), 4);
    // The changes before a range come with it; those behind it are no one's concern here.
    for (from, to, changes) in [(5, 6, 3), (4, 7, 4), (3, 6, 3), (1, 6, 3)] {
        let disclosure = live.disclose_from(&live.trail.range(from, to), ENTRY, 2);
        assert!(live.check(&disclosure).is_ok(), "{from}..{to}");
        let json: Value = serde_json::from_str(&disclosure.to_json()).unwrap();
        assert_eq!(json["registry"].as_array().unwrap().len(), changes);
    }
}

#[test]
fn a_grant_is_shown_without_its_payload() {
    let bytes = hex::decode(honest()["registry"][1]["change"].as_str().unwrap()).unwrap();
    let shown = Change::from_bytes(&bytes).unwrap();
    assert!(matches!(shown.content.operation, Operation::Grant { .. }));
    assert_eq!(shown.payload, b"");
    let logged = Change::from_bytes(&registered().trail.entries[3].payload).unwrap();
    assert_eq!(logged.payload, b"wrapped");
}

#[test]
fn a_change_left_out_is_missed_by_its_number_or_by_what_it_registered() {
    for (at, next) in [(0, 3), (1, 4), (2, 6)] {
        let wrong = ShownFault::NotApplied {
            decided: Outcome::WrongNumber,
            recorded: Outcome::Applied,
        };
        assert_eq!(fault(|r| drop(r.remove(at))), (next, wrong));
    }
    let error = refused(|r| r.truncate(2));
    let stranger = author(AUTHOR).public();
    assert_eq!(error, DisclosureError::UnknownAuthor { author: stranger });
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
    let error = refused(Vec::clear);
    let epoch = EpochId(2);
    assert_eq!(error, DisclosureError::OtherEpoch { epoch });
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
    // Nothing shows that the last was left out, and nothing of the entry hangs on it.
    assert!(changed(|r| r.truncate(3)).is_ok());
}

#[test]
fn an_altered_change_is_noticed_whatever_part_of_it() {
    let flip = |text: &mut Value, at: usize| {
        let mut bytes = hex::decode(text.as_str().unwrap()).unwrap();
        bytes[at] ^= 1;
        *text = json!(hex::encode(bytes));
    };
    let length = honest()["registry"][2]["change"].as_str().unwrap().len() / 2;
    for at in 0..length {
        let (index, fault) = fault(|r| flip(&mut r[2]["change"], at));
        assert_eq!(index, 4, "byte {at}");
        let of_the_change = matches!(fault, ShownFault::Invalid(_));
        assert!(of_the_change, "byte {at}: {fault}");
    }
    let (_, found) = fault(|r| flip(&mut r[2]["inclusion"]["path"][0], 0));
    assert!(matches!(found, ShownFault::NotIncluded(_)), "{found}");
    let (_, found) = fault(|r| r[2]["inclusion"]["size"] = json!(6));
    assert!(matches!(found, ShownFault::NotIncluded(_)), "{found}");
    let (_, found) = fault(|r| r[2]["record"]["index"] = json!(5));
    assert!(matches!(found, ShownFault::NotIncluded(_)), "{found}");
    let (_, found) = fault(|r| r[2]["record"]["outcome"] = json!("author_exists"));
    assert!(matches!(found, ShownFault::NotIncluded(_)), "{found}");
    let (_, found) = fault(|r| flip(&mut r[2]["record"]["header_digest"], 0));
    assert_eq!(found, ShownFault::OtherRecord);
    let (_, found) = fault(|r| {
        let again = r[0].clone();
        r.push(again);
    });
    assert_eq!(found, ShownFault::OutOfOrder { last: 6 });
    let (_, found) = fault(|r| r.insert(1, r[0].clone()));
    assert_eq!(found, ShownFault::OutOfOrder { last: 2 });
    let error = refused(|r| {
        let upper = r[0]["change"].as_str().unwrap().to_uppercase();
        r[0]["change"] = json!(upper);
    });
    assert_eq!(error.exit_code(), ExitCode::Tampered);
    assert!(matches!(error, DisclosureError::Undecodable { .. }));
}

#[test]
fn nobody_but_the_admins_registers_an_author_even_if_the_nodes_collude() {
    let mut live = Live::new(world().trust.circuits.clone());
    let mut change = live.trail.change(register());
    change.signatures.clear();
    change.sign(&admin(2));
    assert_eq!(live.trail.push_change(&change), Outcome::UnknownAdmin);
    live.trail.entries[2].record.outcome = Outcome::Applied;
    let entry = live.put_in_collusion(AUTHOR, 1, 1);
    let error = live.refuses(&live.disclose(entry, 1));
    let fault = ShownFault::NotApplied {
        decided: Outcome::UnknownAdmin,
        recorded: Outcome::Applied,
    };
    assert_eq!(error, DisclosureError::Change { index: 2, fault });
}

#[test]
fn colluding_nodes_cannot_apply_what_the_registry_before_the_entry_refuses() {
    // Registered behind the entry, which then is nobody's.
    let mut live = Live::new(world().trust.circuits.clone());
    let entry = live.put_in_collusion(AUTHOR, 1, 1);
    live.change(register());
    let error = live.refuses(&live.disclose(entry, 1));
    let author = author(AUTHOR).public();
    assert_eq!(error, DisclosureError::UnknownAuthor { author });
    // Revoked before it.
    live.change(revoke());
    let index = live.put_in_collusion(AUTHOR, 1, 2);
    let error = live.refuses(&live.disclose(index, 1));
    let outcome = Outcome::AuthorRevoked;
    assert_eq!(error, DisclosureError::NotRegistered { index, outcome });
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

#[test]
fn a_batch_circuit_counts_from_its_activation_on() {
    let [sealing, opening] = &world().trust.circuits[..] else {
        panic!("a batch circuit and a disclosure circuit")
    };
    let mut live = Live::new(vec![opening.clone()]);
    let early = live.put_in_collusion(1, 1, 1);
    live.activate(sealing);
    let entry = live.put(1, 1, 2);
    let shown = live.check(&live.disclose(entry, 1)).unwrap();
    assert_eq!(shown.seal_circuit, sealing.circuit_id());
    assert!(shown.insecure_circuits.contains(&sealing.circuit_id()));
    let circuit = sealing.circuit_id();
    live.change(Operation::RetireCircuit { circuit });
    // Retired behind the entry.
    assert!(live.check(&live.disclose(entry, 1)).is_ok());
    let error = live.refuses(&live.disclose(early, 1));
    let statement = "seal/v1";
    assert_eq!(
        error,
        DisclosureError::UnknownCircuit { circuit, statement }
    );
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

#[test]
fn a_disclosure_circuit_may_be_activated_behind_the_entry_and_counts_until_it_is_retired() {
    let [sealing, opening] = &world().trust.circuits[..] else {
        panic!("a batch circuit and a disclosure circuit")
    };
    let circuit = opening.circuit_id();
    let mut live = Live::new(vec![sealing.clone()]);
    let entry = live.put(1, 1, 1);
    let present = |live: &Live| {
        let prepared = prepare(&live.trail.bundle()[..], entry).unwrap();
        prepared.present_circuits(&live.trust).unwrap()
    };
    assert_eq!(present(&live), [sealing.circuit_id()]);
    let error = live.refuses(&live.disclose(entry, 1));
    assert!(matches!(error, DisclosureError::UnknownCircuit { .. }));
    live.activate(opening);
    assert!(present(&live).contains(&circuit));
    let shown = live.check(&live.disclose(entry, 1)).unwrap();
    assert_eq!(shown.open_circuit, circuit);
    live.change(Operation::RetireCircuit { circuit });
    assert_eq!(present(&live), [sealing.circuit_id()]);
    let error = live.refuses(&live.disclose(entry, 1));
    assert_eq!(error, DisclosureError::RetiredCircuit { circuit });
    assert_eq!(error.exit_code(), ExitCode::Untrusted);
}

/// The same circuit, said to be from a ceremony of one.
fn from_a_ceremony(manifest: &Manifest) -> Manifest {
    let key = ParticipantKey::from_secret_bytes(&Zeroizing::new([9; 32]));
    let verifying_key = manifest.verifying_key();
    let facts = CeremonyFacts {
        announcement: [5; 32],
        r1cs: [1; 32],
        ptau: [2; 32],
        circuit_hash: [3; 64],
        contributions: vec![Attestation::sign(&key, "ada", &[5; 32], 1, [7; 64])],
        beacon: BeaconFacts {
            source: "a draw".into(),
            iterations_log2: 10,
            value: vec![9, 9],
            contribution: [4; 64],
        },
        verifying_key: blake3::hash(verifying_key).into(),
    };
    let parts = CircuitParts {
        shape: manifest.shape().clone(),
        matrix_digest: [8; 32],
        verifying_key: verifying_key.to_vec(),
        setup: Setup::Ceremony(Box::new(facts)),
    };
    Manifest::new(parts, b"proving key").unwrap()
}

#[test]
fn an_insecure_circuit_that_the_log_activated_needs_the_same_consent() {
    let [sealing, opening] = &world().trust.circuits[..] else {
        panic!("a batch circuit and a disclosure circuit")
    };
    let opening = from_a_ceremony(opening);
    let mut live = Live::new(vec![opening.clone()]);
    assert_eq!(live.trust.insecure_circuits(), []);
    live.activate(sealing);
    let entry = live.put(1, 1, 1);
    let mut json: Value = serde_json::from_str(&live.disclose(entry, 1).to_json()).unwrap();
    json["open_circuit"] = json!(opening.circuit_id().to_string());
    let disclosure = Disclosure::from_json(&spelled(&json)).unwrap();
    let shown = live.check(&disclosure).unwrap();
    assert_eq!(shown.insecure_circuits, [sealing.circuit_id()]);
    let strict = disclosure.check(&live.trust, &CheckOptions::default());
    let circuits = vec![sealing.circuit_id()];
    let error = strict.err().unwrap();
    assert_eq!(error, DisclosureError::InsecureSetup { circuits });
}

#[test]
fn what_a_disclosure_may_carry_is_bounded_and_stays_below_the_bound_of_the_file() {
    let many = |changes: usize, bytes: usize| {
        let mut json = honest().clone();
        let mut one = json["registry"][0].clone();
        one["change"] = json!("ab".repeat(bytes));
        one["inclusion"]["path"] = json!(vec!["cd".repeat(32); 64]);
        one["inclusion"]["size"] = json!(u64::MAX);
        json["registry"] = json!(vec![one; changes]);
        Disclosure::from_json(&spelled(&json))
    };
    let most = many(MAX_DISCLOSED_CHANGES, 1024).unwrap();
    let length = most.to_json().len();
    assert!(length + 192 * 1024 < MAX_DISCLOSURE_BYTES, "{length}");
    for (changes, bytes) in [(MAX_DISCLOSED_CHANGES + 1, 1), (16, 64 * 1024 + 1)] {
        let error = many(changes, bytes).err().unwrap();
        assert!(matches!(error, DisclosureError::Undecodable { .. }));
    }
    // Nor is one made that nobody would read.
    let mut trail = registered().trail.clone();
    let entry = trail.entries[2].clone();
    for index in trail.size()..trail.size() + MAX_DISCLOSED_CHANGES as u64 {
        let mut more = entry.clone();
        more.record = Record {
            index,
            ..entry.record
        };
        trail.entries.push(more);
    }
    let error = prepare(&trail.bundle()[..], ENTRY).err().unwrap();
    let changes = MAX_DISCLOSED_CHANGES + 1;
    assert!(matches!(error, DiscloseError::TooManyChanges { changes: c, .. } if c == changes));
}

/// tests/independent, written from docs/formats.md alone.
fn second_verifier(file: &Path, trust: &Path) -> (Option<i32>, String) {
    let venv = std::env::var_os("UKEHI_VENV").map(PathBuf::from);
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ukehi/venv");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/independent/verify.py");
    let ran = Command::new(venv.unwrap_or_else(home).join("bin/python"))
        .arg(script)
        .arg("disclosure")
        .arg(file)
        .arg("--trust")
        .arg(trust)
        .arg("--allow-insecure-setup")
        .output()
        .expect("the second verifier runs: make tools");
    let said = [ran.stdout, ran.stderr].concat();
    (ran.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn the_second_verifier_agrees() {
    let scratch = tempfile::tempdir().unwrap();
    let (file, trust) = (scratch.path().join("d.json"), scratch.path().join("t.json"));
    let says = |json: &Value, code: i32, text: &str| {
        std::fs::write(&file, spelled(json)).unwrap();
        let (found, said) = second_verifier(&file, &trust);
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains(text), "{said}");
    };
    registered().trust.save(&trust).unwrap();
    says(honest(), 0, "chart closed");
    let edited = |edit: &dyn Fn(&mut Vec<Value>)| {
        let mut json = honest().clone();
        edit(json["registry"].as_array_mut().unwrap());
        json
    };
    says(&edited(&|r| r.truncate(3)), 0, "VERIFIED");
    says(&edited(&|r| drop(r.remove(1))), 1, "wrong_number");
    says(&edited(&|r| r.truncate(2)), 1, "foreign_author");
    says(&edited(&Vec::clear), 1, "unknown_epoch");
    let path = |r: &mut Vec<Value>| r[2]["inclusion"]["path"][0] = json!("ab".repeat(32));
    says(&edited(&path), 1, "not in the tree");
    // The batch's circuit from the log, then that of disclosures, activated behind the entry.
    let [sealing, opening] = &world().trust.circuits[..] else {
        panic!("a batch circuit and a disclosure circuit")
    };
    let json = |live: &Live, entry| {
        live.trust.save(&trust).unwrap();
        serde_json::from_str(&live.disclose(entry, 1).to_json()).unwrap()
    };
    let mut live = Live::new(vec![opening.clone()]);
    live.activate(sealing);
    let entry = live.put(1, 1, 1);
    says(&json(&live, entry), 0, &sealing.circuit_id().to_string());
    let mut live = Live::new(vec![sealing.clone()]);
    let entry = live.put(1, 1, 1);
    says(&json(&live, entry), 1, "not activated");
    live.activate(opening);
    says(&json(&live, entry), 0, "VERIFIED");
    let circuit = opening.circuit_id();
    live.change(Operation::RetireCircuit { circuit });
    says(&json(&live, entry), 1, "retired");
}
