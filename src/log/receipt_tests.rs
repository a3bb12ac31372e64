//! Receipts: a good one, every single-byte change of it, and each lie with its own error.

use super::*;
use crate::batch::Anchor;
use crate::ids::{ClusterId, EpochId, KeyspaceId, NodeId};
use crate::kv::{Overlay, WriteBatch};
use crate::log::checkpoint::Checkpoint;
use crate::log::record::Outcome;
use crate::log::testing::{Mem, NOW, SHARD, genesis, node_key};
use crate::log::{ledger, tree};
use ukehi_circuits::{F, curve::Point};
use ukehi_keys::{AuthorKey, CircuitId};
use zeroize::Zeroizing;

const INDEX: u64 = 3;
const SIZE: u64 = 7;

fn header(cluster: ClusterId) -> Header {
    Header {
        cluster,
        shard: SHARD,
        keyspace: KeyspaceId(1),
        circuit: CircuitId([4; 32]),
        epoch: EpochId(1),
        epoch_key: Point::base(),
        route_commitment: F::from(5u64),
        policy_digest: F::from(0u64),
        author: AuthorKey::from_secret_bytes(&Zeroizing::new([6; 32])).public(),
        author_seq: 42,
        valid_until: 1_000,
        anchor: Anchor {
            size: 1,
            root: [7; 32],
        },
        slots: 1,
        slot_list: [3; 32],
    }
}

/// A log with `header`'s batch at [`INDEX`], and the receipt under a note by `nodes`.
fn receipt_for(trust: &Genesis, header: &Header, kind: EntryKind, nodes: &[u64]) -> Receipt {
    let mut mem = Mem::default();
    let mut batch = WriteBatch::new();
    let mut store = Overlay::new(&mem, &mut batch);
    for index in 0..SIZE {
        let mut record = Record::no_op(index);
        if index == INDEX {
            record.kind = kind;
            record.header_digest = header.digest();
            record.x = [8; 32];
        }
        ledger::append_record(&mut store, SHARD, &record).unwrap();
    }
    mem.commit(batch);
    let checkpoint = Checkpoint {
        cluster: trust.cluster_id(),
        shard: SHARD,
        size: SIZE,
        root: tree::root(&mem, SHARD, SIZE).unwrap(),
    };
    let mut signed = SignedCheckpoint::new(checkpoint);
    for &id in nodes {
        signed.add(checkpoint.sign(NodeId(id), &node_key(id), NOW));
    }
    let proof = tree::inclusion_proof(&mem, SHARD, INDEX, SIZE).unwrap();
    let record = ledger::record(&mem, SHARD, INDEX).unwrap().unwrap();
    // A sealed batch starts with its header; the rest is not looked at here.
    let payload = [&header.to_bytes()[..], b"slots, proof, signature"].concat();
    Receipt::from_entry(record, &payload, &proof.to_bytes(), &signed.to_note()).unwrap()
}

fn receipt(nodes: &[u64]) -> Receipt {
    let trust = genesis(3);
    let header = header(trust.cluster_id());
    receipt_for(&trust, &header, EntryKind::Batch, nodes)
}

fn what_is_wrong(receipt: &Receipt) -> &'static str {
    match receipt.verify(&genesis(3), SHARD) {
        Err(ReceiptError::Tampered { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_receipt_shows_author_sequence_outcome_and_cosigners() {
    let receipt = receipt(&[1, 3]);
    assert_eq!(receipt.tree_size(), SIZE);
    let read = Receipt::from_json(&receipt.to_json()).unwrap();
    assert_eq!(read, receipt);
    let shown = read.verify(&genesis(3), SHARD).unwrap();
    assert_eq!((shown.author_seq, shown.record.index), (42, INDEX));
    assert_eq!(shown.author, header(genesis(3).cluster_id()).author);
    assert_eq!(shown.record.outcome, Outcome::Applied);
    assert_eq!((shown.checkpoint_size, shown.cosigners), (SIZE, 2));
}

#[test]
fn white_space_is_all_that_may_change() {
    let receipt = receipt(&[1, 2, 3]);
    let text = receipt.to_json();
    let dense = serde_json::to_string(&receipt).unwrap();
    let airy = text.replace('\n', "\r\n\t ");
    for respelled in [&dense, &airy, &format!("\n {text} ")] {
        assert_eq!(Receipt::from_json(respelled), Ok(receipt.clone()));
    }
    for (from, to) in [
        ("\"seq\"", "\"\\u0073eq\""),
        ("42", "42.0"),
        ("42", "042"),
        ("42", "4.2e1"),
        ("\"applied\"", "\"Applied\""),
        ("{\n  \"schema\"", "{\n  \"more\": 1,\n  \"schema\""),
        ("\"seq\": 42", "\"seq\": 42,\n  \"seq\": 42"),
    ] {
        let respelled = text.replacen(from, to, 1);
        assert_ne!(respelled, text, "{from}");
        assert!(Receipt::from_json(&respelled).is_err(), "{from} {to}");
    }
}

fn visible(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn every_changed_dropped_or_added_byte_is_refused_or_white_space() {
    let trust = genesis(3);
    let text = receipt(&[1, 2]).to_json();
    let good = Receipt::from_json(&text).unwrap();
    let mut accepted = Vec::new();
    for at in 0..text.len() {
        let byte = text.as_bytes()[at];
        let mut shorter = text.as_bytes().to_vec();
        shorter.remove(at);
        let mut changes = vec![shorter];
        for new in [byte ^ 1, byte ^ 0x20, b'0', b' '] {
            let mut changed = text.as_bytes().to_vec();
            changed[at] = new;
            let mut longer = text.as_bytes().to_vec();
            longer.insert(at, new);
            changes.extend([changed, longer]);
        }
        for changed in changes
            .into_iter()
            .filter_map(|c| String::from_utf8(c).ok())
        {
            let Ok(read) = Receipt::from_json(&changed) else {
                continue;
            };
            let airy = read == good && visible(&changed) == visible(&text);
            if !airy && read.verify(&trust, SHARD).is_ok() {
                accepted.push((at, changed));
            }
        }
    }
    assert!(accepted.is_empty(), "{accepted:?}");
}

#[test]
fn each_lie_is_named() {
    let good = receipt(&[1, 2]);
    let with = |change: &dyn Fn(&mut Receipt)| {
        let mut changed = good.clone();
        change(&mut changed);
        what_is_wrong(&changed)
    };
    let root = "root, recomputed from its record,";
    assert_eq!(with(&|r| r.seq = 43), "sequence");
    let other = AuthorKey::from_secret_bytes(&Zeroizing::new([7; 32])).public();
    assert_eq!(with(&|r| r.author = other), "author");
    assert_eq!(with(&|r| r.record.outcome = Outcome::Expired), root);
    assert_eq!(with(&|r| r.record.x[0] ^= 1), root);
    assert_eq!(with(&|r| r.record.header_digest[0] ^= 1), root);
    assert_eq!(with(&|r| r.record.kind = EntryKind::NoOp), root);
    assert_eq!(with(&|r| r.record.index = 4), "inclusion proof's index");
    assert_eq!(with(&|r| r.inclusion.index = 4), "inclusion proof's index");
    assert_eq!(with(&|r| r.inclusion.size = 8), "inclusion proof's size");
    assert_eq!(with(&|r| r.inclusion.path[0][0] ^= 1), root);
    assert_eq!(with(&|r| r.inclusion.path.truncate(1)), "inclusion proof");
    assert_eq!(with(&|r| r.header.truncate(10)), "header");
    assert_eq!(with(&|r| r.header = r.header.to_uppercase()), "header");
    assert_eq!(with(&|r| r.header.push_str("00")), "header");
    assert_eq!(
        with(&|r| r.note = r.note.replacen("\n7\n", "\n8\n", 1)),
        "note"
    );
    // Another header of the same author: only its digest tells.
    let mut other = header(genesis(3).cluster_id());
    other.valid_until += 1;
    let other = hex::encode(other.to_bytes());
    assert_eq!(with(&|r| r.header = other.clone()), "header digest");
}

#[test]
fn a_batch_of_another_cluster_or_shard_is_refused_wherever_it_was_logged() {
    let trust = genesis(3);
    let mut elsewhere = header(ClusterId([9; 32]));
    let receipt = receipt_for(&trust, &elsewhere, EntryKind::Batch, &[1, 2]);
    assert_eq!(what_is_wrong(&receipt), "header's cluster");
    elsewhere.cluster = trust.cluster_id();
    elsewhere.shard = ShardId(1);
    let receipt = receipt_for(&trust, &elsewhere, EntryKind::Batch, &[1, 2]);
    assert_eq!(what_is_wrong(&receipt), "header's shard");
    elsewhere.shard = SHARD;
    let receipt = receipt_for(&trust, &elsewhere, EntryKind::Registry, &[1, 2]);
    assert_eq!(what_is_wrong(&receipt), "record");
    let good = receipt_for(&trust, &elsewhere, EntryKind::Batch, &[1, 2]);
    let refused = good.verify(&trust, ShardId(1));
    let what = "checkpoint's shard";
    assert!(matches!(refused, Err(ReceiptError::Tampered { what: w, .. }) if w == what));
}

#[test]
fn too_few_cosigners_are_incomplete_and_strangers_untrusted() {
    let trust = genesis(3);
    assert_eq!(
        receipt(&[2]).verify(&trust, SHARD),
        Err(ReceiptError::Incomplete {
            found: 1,
            needed: 2
        })
    );
    for untrusted in [
        receipt(&[1, 2]).verify(&genesis(4), SHARD),
        receipt(&[1, 2, 4]).verify(&trust, SHARD),
    ] {
        let refused = matches!(untrusted, Err(ReceiptError::Untrusted { .. }));
        assert!(refused, "{untrusted:?}");
    }
}

#[test]
fn an_entry_that_is_no_batch_or_has_no_proof_makes_no_receipt() {
    let good = receipt(&[1, 2]);
    let header = hex::decode(&good.header).unwrap();
    let proof = good.inclusion.to_bytes();
    let long = "x".repeat(MAX_NOTE_BYTES + 1);
    for refused in [
        Receipt::from_entry(good.record, &[], &proof, &good.note),
        Receipt::from_entry(good.record, &header, &proof[1..], &good.note),
        Receipt::from_entry(good.record, &header, &proof, &long),
        Receipt::from_json(&" ".repeat(MAX_RECEIPT_BYTES + 1)),
        Receipt::from_json(&good.to_json().replace("receipt/v1", "receipt/v2")),
    ] {
        assert!(matches!(refused, Err(ReceiptError::Undecodable { .. })));
    }
}
