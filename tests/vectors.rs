//! The vectors of tests/vectors: this code's readers judge each as it says. `write_vectors` makes them anew, from real
//! sealing, proofs, signatures and trees, with fresh keys for the proofs:
//!
//!     cargo test --release --test vectors -- --ignored write_vectors

mod audit_support;
#[path = "vectors/bundles.rs"]
mod bundles;
#[path = "vectors/bytes.rs"]
mod bytes;
#[path = "vectors/changes.rs"]
mod changes;
#[path = "vectors/checkpoints.rs"]
mod checkpoints;
#[path = "vectors/crypto.rs"]
mod crypto;
#[path = "vectors/disclosures.rs"]
mod disclosures;
#[path = "vectors/evidence.rs"]
mod evidence;
#[path = "vectors/file.rs"]
mod file;
#[path = "vectors/ledger.rs"]
mod ledger;
#[path = "vectors/ledger_bundles.rs"]
mod ledger_bundles;
#[path = "vectors/ledger_disclosures.rs"]
mod ledger_disclosures;
#[path = "vectors/operations.rs"]
mod operations;
#[path = "vectors/receipts.rs"]
mod receipts;
#[path = "vectors/world.rs"]
mod world;

use file::{Content, Vectors, Verdict};
use std::sync::Arc;
use ukehi::audit::disclosure::{CheckOptions, Disclosure};
use ukehi::audit::{Options, verify};
use ukehi::batch::{Header, Verdict as GateVerdict};
use ukehi::ids::ShardId;
use ukehi::log::{Receipt, Record, SignedCheckpoint, fork::ForkEvidence};
use ukehi::registry::{ChangeVerifier, Payload, Registry};
use ukehi::trust::TrustRoot;
use ukehi::wire::Reader;

const SHARD: ShardId = ShardId(0);
/// Format and file; the trust root itself has the plain name.
const FILES: [(&str, &str); 15] = [
    ("batch", "batch.json"),
    ("bundle", "bundle.json"),
    ("bundle", "bundle-ledger.json"),
    ("bundle", "bundle-registry.json"),
    ("change", "change.json"),
    ("checkpoint", "checkpoint.json"),
    ("disclosure", "disclosure.json"),
    ("disclosure", "disclosure-registry.json"),
    ("evidence", "evidence.json"),
    ("groth16", "groth16.json"),
    ("header", "header.json"),
    ("poseidon", "poseidon.json"),
    ("receipt", "receipt.json"),
    ("record", "record.json"),
    ("trust", "trust-roots.json"),
];

fn trust_of(text: &str) -> Result<TrustRoot, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let trust = TrustRoot::load(file.path()).map_err(|e| e.to_string())?;
    trust.batch_verifier(SHARD).map_err(|e| e.to_string())?;
    Ok(trust)
}

/// What this code says of a content.
fn judged(format: &str, content: &Content, trust: &TrustRoot) -> Result<(), String> {
    fn said<T, E: ToString>(result: Result<T, E>) -> Result<(), String> {
        result.map(drop).map_err(|e| e.to_string())
    }
    let genesis = &trust.genesis;
    match format {
        "poseidon" => crypto::poseidon(content.text()),
        "groth16" => crypto::groth16(content.text()),
        "trust" => said(trust_of(content.text())),
        "header" => {
            let mut r = Reader::new(content.bytes());
            said(Header::read(&mut r).and_then(|_| r.end()))
        }
        "batch" => {
            let verifier = trust.batch_verifier(SHARD).map_err(|e| e.to_string())?;
            match verifier.verify(&[Arc::from(content.bytes())]).pop() {
                // As the first entry behind genesis.
                Some(GateVerdict::Valid(batch)) => {
                    said(Registry::from_genesis(genesis, SHARD).admit(1, &batch.batch().header))
                }
                other => Err(format!("{other:?}")),
            }
        }
        "change" => {
            let verifier = ChangeVerifier::new(genesis, SHARD);
            said(verifier.verify(&Arc::from(content.bytes()), Payload::MayBePruned))
        }
        "record" => said(Record::from_bytes(content.bytes())),
        "checkpoint" => said(SignedCheckpoint::from_note(content.text(), genesis)),
        "evidence" => said(ForkEvidence::from_json(content.text(), genesis)),
        "receipt" => {
            let receipt = Receipt::from_json(content.text()).map_err(|e| e.to_string())?;
            said(receipt.verify(genesis, SHARD))
        }
        "disclosure" => {
            let options = CheckOptions {
                allow_insecure_setup: true,
                audience: None,
            };
            let disclosure = Disclosure::from_json(content.text()).map_err(|e| e.to_string())?;
            said(disclosure.check(trust, &options))
        }
        "bundle" => {
            let options = Options {
                allow_insecure_setup: true,
                ..Options::default()
            };
            said(verify(content.bytes(), trust, &options, &mut |_| {}))
        }
        other => panic!("a format without a reader: {other}"),
    }
}

#[test]
fn every_vector_is_judged_as_it_says() {
    let directory = file::directory();
    let trust = trust_of(&std::fs::read_to_string(directory.join("trust.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for (format, name) in FILES {
        let (found, cases) = Vectors::load(&directory.join(name));
        assert_eq!(found, format);
        let of = |verdict| {
            cases
                .iter()
                .filter(|(case, _)| case.verdict == verdict)
                .count()
        };
        let (good, bad) = (of(Verdict::Accept), of(Verdict::Refuse));
        assert!(good > 0 && bad > 0, "{format}: {good} good and {bad} bad");
        for (case, content) in &cases {
            let result = judged(format, content, &trust);
            let right = result.is_ok() == (case.verdict == Verdict::Accept);
            eprintln!("{format}: {}: {result:?} [{:?}]", case.name, case.reason);
            if !right {
                wrong.push(format!("{format}: {}: {result:?}", case.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "writes tests/vectors anew"]
fn write_vectors() {
    let mut world = world::World::new();
    world
        .trust
        .save(&file::directory().join("trust.json"))
        .unwrap();
    crypto::write(&world);
    bytes::write(&world);
    checkpoints::write(&world.trail);
    evidence::write(&world.trail);
    receipts::write(&world.trail);
    bundles::write(&world);
    disclosures::write(&world);
    let ledger = ledger::Ledger::new(&world);
    ledger_bundles::write(&ledger);
    ledger_disclosures::write(&ledger);
    changes::write(&mut world);
}
