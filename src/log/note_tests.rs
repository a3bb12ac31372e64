//! Notes against a golden vector, and against every single-byte change of it.

use crate::genesis::Genesis;
use crate::ids::{Hash, NodeId, ShardId};
use crate::log::checkpoint::{Checkpoint, CheckpointError, MAX_TIME, SignedCheckpoint};
use crate::log::fork::{ForkError, ForkEvidence};
use crate::log::note::MAX_NOTE_BYTES;
use crate::log::testing::{genesis, node_key};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// Nodes 1 and 3 of `genesis(3)` over size 256. Rewritten by
/// `cargo test --release --lib -- --ignored rewrite_the_golden_note`, and by nothing else.
const GOLDEN: &str = include_str!("../../tests/vectors/checkpoint.note");

fn checkpoint(trust: &Genesis, size: u64, root: u8) -> Checkpoint {
    Checkpoint {
        cluster: trust.cluster_id(),
        shard: ShardId(0),
        size,
        root: [root; 32],
    }
}

fn signed(checkpoint: Checkpoint, nodes: &[u64], time: u64) -> SignedCheckpoint {
    let mut signed = SignedCheckpoint::new(checkpoint);
    for &id in nodes {
        signed.add(checkpoint.sign(NodeId(id), &node_key(id), time));
    }
    signed
}

fn golden() -> SignedCheckpoint {
    signed(checkpoint(&genesis(3), 256, 0xab), &[3, 1], 1_679_315_147)
}

#[test]
#[ignore = "rewrites a golden file"]
fn rewrite_the_golden_note() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/checkpoint.note");
    std::fs::write(path, golden().to_note()).unwrap();
}

#[test]
fn the_golden_note_is_what_is_written_and_read() {
    let (trust, signed) = (genesis(3), golden());
    assert_eq!(signed.to_note(), GOLDEN);
    assert_eq!(SignedCheckpoint::from_note(GOLDEN, &trust), Ok(signed));
}

#[test]
fn the_golden_signature_is_over_the_message_c2sp_spells_out() {
    let (text, lines) = GOLDEN.split_once("\n\n").unwrap();
    let line = lines.lines().next().unwrap();
    let (name, blob) = line.strip_prefix("— ").unwrap().split_once(' ').unwrap();
    use base64::Engine;
    let blob = base64::engine::general_purpose::STANDARD
        .decode(blob)
        .unwrap();
    let public = node_key(1).public().to_bytes();

    let key_id: Hash = Sha256::digest([name.as_bytes(), b"\n\x04", &public].concat()).into();
    assert_eq!(blob[..4], key_id[..4]);
    assert_eq!(blob[4..12], 1_679_315_147_u64.to_be_bytes());
    let message = format!("cosignature/v1\ntime 1679315147\n{text}\n");
    let signature = Signature::from_slice(&blob[12..]).unwrap();
    let key = VerifyingKey::from_bytes(&public).unwrap();
    assert!(key.verify_strict(message.as_bytes(), &signature).is_ok());
}

#[test]
fn no_single_byte_of_a_note_can_be_changed_dropped_or_doubled() {
    let trust = genesis(3);
    let mut accepted = Vec::new();
    for at in 0..GOLDEN.len() {
        let mut changes = Vec::new();
        for byte in [
            b'0',
            b'A',
            b'b',
            b'\n',
            b' ',
            b'=',
            b'\r',
            GOLDEN.as_bytes()[at] ^ 1,
            GOLDEN.as_bytes()[at] ^ 0x20,
        ] {
            let mut changed = GOLDEN.as_bytes().to_vec();
            changed[at] = byte;
            changes.push(changed);
            let mut longer = GOLDEN.as_bytes().to_vec();
            longer.insert(at, byte);
            changes.push(longer);
        }
        let mut shorter = GOLDEN.as_bytes().to_vec();
        shorter.remove(at);
        changes.push(shorter);
        for change in changes {
            let Ok(text) = String::from_utf8(change) else {
                continue;
            };
            if text != GOLDEN && SignedCheckpoint::from_note(&text, &trust).is_ok() {
                accepted.push((at, text));
            }
        }
    }
    assert!(accepted.is_empty(), "{accepted:?}");
}

#[test]
fn another_spelling_of_the_same_note_is_refused() {
    let trust = genesis(3);
    let good = signed(checkpoint(&trust, 7, 1), &[1, 2], 5).to_note();
    let lines: Vec<&str> = good.lines().collect();
    let respelled = [
        format!("{good}\n"),
        good.trim_end().to_owned(),
        good.replace('\n', "\r\n"),
        good.replace("\n7\n", "\n07\n"),
        good.replace("\n7\n", "\n+7\n"),
        good.replacen(
            &trust.cluster_id().to_string(),
            &trust.cluster_id().to_string().to_uppercase(),
            9,
        ),
        good.replace("node-1", "node-01"),
        good.replace("\n\n", "\nan extension\n\n"),
        // Cosignatures in another order, and one twice.
        [lines[0], lines[1], lines[2], "", lines[5], lines[4], ""].join("\n"),
        [lines[0], lines[1], lines[2], "", lines[4], lines[4], ""].join("\n"),
        [lines[0], lines[1], lines[2], "", ""].join("\n"),
    ];
    for note in respelled {
        let refused = SignedCheckpoint::from_note(&note, &trust);
        assert!(
            matches!(refused, Err(CheckpointError::Malformed { .. })),
            "{note} {refused:?}"
        );
    }
}

#[test]
fn a_note_is_refused_with_the_reason_that_fits() {
    let trust = genesis(3);
    let of_others = genesis(4);
    let note = signed(checkpoint(&of_others, 7, 1), &[1], 5).to_note();
    assert!(matches!(
        SignedCheckpoint::from_note(&note, &trust),
        Err(CheckpointError::WrongCluster { .. })
    ));
    let unknown = signed(checkpoint(&trust, 7, 1), &[1, 4], 5).to_note();
    assert_eq!(
        SignedCheckpoint::from_note(&unknown, &trust),
        Err(CheckpointError::UnknownNode { node: NodeId(4) })
    );
    // Node 2's key under node 1's name.
    let checkpoint = checkpoint(&trust, 7, 1);
    let mut forged = SignedCheckpoint::new(checkpoint);
    forged.add(checkpoint.sign(NodeId(1), &node_key(2), 5));
    assert!(matches!(
        SignedCheckpoint::from_note(&forged.to_note(), &trust),
        Err(CheckpointError::WrongKeyId {
            node: NodeId(1),
            ..
        })
    ));
    // A signature made for another time.
    let mut moved = checkpoint.sign(NodeId(1), &node_key(1), 5);
    moved.time = 6;
    let mut forged = SignedCheckpoint::new(checkpoint);
    forged.add(moved);
    assert_eq!(
        SignedCheckpoint::from_note(&forged.to_note(), &trust),
        Err(CheckpointError::BadSignature { node: NodeId(1) })
    );
    moved.time = MAX_TIME + 1;
    let mut forged = SignedCheckpoint::new(checkpoint);
    forged.add(moved);
    assert!(matches!(
        SignedCheckpoint::from_note(&forged.to_note(), &trust),
        Err(CheckpointError::Time { .. })
    ));
    let long = "x".repeat(MAX_NOTE_BYTES + 1);
    assert!(matches!(
        SignedCheckpoint::from_note(&long, &trust),
        Err(CheckpointError::TooLong { .. })
    ));
}

#[test]
fn the_largest_cluster_fits_the_bound() {
    let trust = genesis(64);
    let mut largest = checkpoint(&trust, u64::MAX, 0xff);
    largest.shard = ShardId(u32::MAX);
    let all: Vec<u64> = (1..=64).collect();
    let note = signed(largest, &all, MAX_TIME).to_note();
    // Node ids of 20 digits would take another 18 bytes each.
    assert!(note.len() + 64 * 18 <= MAX_NOTE_BYTES, "{}", note.len());
    assert!(SignedCheckpoint::from_note(&note, &trust).is_ok());
}

#[test]
fn a_majority_counts_valid_signers_of_genesis_only() {
    let trust = genesis(3);
    let checkpoint = checkpoint(&trust, 7, 1);
    assert!(!signed(checkpoint, &[2], 5).has_majority(&trust));
    assert!(signed(checkpoint, &[2, 3], 5).has_majority(&trust));
    assert!(!signed(checkpoint, &[2, 4], 5).has_majority(&trust));
    let mut broken = signed(checkpoint, &[2, 3], 5);
    broken.cosignatures[1].signature[0] ^= 1;
    assert_eq!(broken.valid_signers(&trust), [NodeId(2)]);
    assert!(!broken.has_majority(&trust));
    assert!(!signed(checkpoint, &[1, 2, 3], 5).has_majority(&genesis(4)));
}

#[test]
fn merging_keeps_each_node_once_in_order_and_the_later_signature() {
    let trust = genesis(3);
    let checkpoint = checkpoint(&trust, 7, 1);
    let mut merged = signed(checkpoint, &[3], 5);
    merged.merge(&signed(checkpoint, &[1, 3], 6)).unwrap();
    merged.merge(&signed(checkpoint, &[1], 4)).unwrap();
    let held: Vec<_> = merged
        .cosignatures()
        .iter()
        .map(|c| (c.node.0, c.time))
        .collect();
    assert_eq!(held, [(1, 6), (3, 6)]);
    let mut other = checkpoint;
    other.size = 8;
    assert_eq!(
        merged.merge(&signed(other, &[2], 5)),
        Err(CheckpointError::OtherCheckpoint)
    );
    assert_eq!(
        SignedCheckpoint::from_bytes(&merged.to_bytes()),
        Ok(merged.clone())
    );
    merged.cosignatures.swap(0, 1);
    assert!(SignedCheckpoint::from_bytes(&merged.to_bytes()).is_err());
}

#[test]
fn two_roots_of_one_size_by_one_node_are_portable_evidence() {
    let trust = genesis(3);
    let one = signed(checkpoint(&trust, 7, 2), &[1, 2], 5);
    let other = signed(checkpoint(&trust, 7, 1), &[2, 3], 9);
    let found = ForkEvidence::find(&one, &other);
    assert_eq!(found, ForkEvidence::find(&other, &one));
    let [evidence] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!(evidence.verify(&trust), Ok(NodeId(2)));
    assert_eq!(
        ForkEvidence::from_bytes(&evidence.to_bytes()).as_ref(),
        Ok(evidence)
    );
    let json = evidence.to_json();
    assert_eq!(
        ForkEvidence::from_json(&json, &trust).as_ref(),
        Ok(evidence)
    );

    assert!(ForkEvidence::from_json(&json, &genesis(4)).is_err());
    assert!(ForkEvidence::from_json(&json.replace("\"node\": 2", "\"node\": 1"), &trust).is_err());
    assert!(ForkEvidence::from_json(&json.replace("evidence/v1", "evidence/v2"), &trust).is_err());
    let mut bytes = evidence.to_bytes();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let forged = ForkEvidence::from_bytes(&bytes).unwrap();
    assert!(matches!(
        forged.verify(&trust),
        Err(ForkError::Checkpoint(_))
    ));
}

#[test]
fn what_honest_nodes_sign_is_never_evidence() {
    let trust = genesis(3);
    let one = signed(checkpoint(&trust, 7, 1), &[1, 2], 5);
    let grown = signed(checkpoint(&trust, 8, 2), &[1, 2], 5);
    let again = signed(checkpoint(&trust, 7, 1), &[1, 2], 6);
    let mut elsewhere = checkpoint(&trust, 7, 2);
    elsewhere.shard = ShardId(1);
    let elsewhere = signed(elsewhere, &[1, 2], 5);
    let by_another = signed(checkpoint(&trust, 7, 2), &[3], 5);
    for other in [&grown, &again, &elsewhere, &by_another, &one] {
        assert_eq!(ForkEvidence::find(&one, other), []);
    }
    // Glued together by hand, they are refused all the same.
    for other in [&grown, &again, &elsewhere, &by_another] {
        let alone = |signed: &SignedCheckpoint| {
            let mut alone = SignedCheckpoint::new(signed.checkpoint);
            alone.add(signed.cosignatures()[0]);
            alone.to_bytes()
        };
        let glued = [alone(&one), alone(other)].concat();
        let refused = ForkEvidence::from_bytes(&glued);
        assert!(
            matches!(refused, Err(ForkError::NotAFork { .. })),
            "{refused:?}"
        );
    }
}
