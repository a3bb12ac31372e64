//! Vectors of headers, batches and records.

use crate::audit_support::{author, sign};
use crate::crypto::plus_p;
use crate::file::Vectors;
use crate::world::World;
use ukehi::batch::{HEADER_BYTES, SealedBatch};
use ukehi::ids::{ClusterId, ShardId};
use ukehi::log::{EntryKind, Outcome, Record};
use ukehi_circuits::F;
use ukehi_keys::CircuitId;

pub fn write(world: &World) {
    write_headers(world);
    write_batches(world);
    write_records();
}

fn patched(bytes: &[u8], at: usize, patch: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + patch.len()].copy_from_slice(patch);
    bytes
}

fn field_plus_p(bytes: &[u8], at: usize) -> Vec<u8> {
    patched(bytes, at, &plus_p(bytes[at..at + 32].try_into().unwrap()))
}

/// (0, 1) and (0, -1) of BabyJubJub.
fn identity() -> [u8; 64] {
    let mut bytes = [0; 64];
    bytes[32] = 1;
    bytes
}

fn order_two() -> [u8; 64] {
    let minus_one = hex::decode("000000f093f5e1439170b97948e833285d588181b64550b829a031e1724e6430");
    let mut bytes = [0; 64];
    bytes[32..].copy_from_slice(&minus_one.unwrap());
    bytes
}

fn write_headers(world: &World) {
    let mut vectors = Vectors::new("header");
    let batch = world.trail.entries[2].batch();
    let good = batch.header.to_bytes();
    vectors.accept("a header", good.clone());
    vectors.accept("of another cluster", patched(&good, 1, &[9; 32]));
    vectors.refuse("version 2", "this is version 1", patched(&good, 0, &[2]));
    vectors.refuse(
        "PK off the curve",
        "a point is on BabyJubJub",
        patched(&good, 77, &[good[77] ^ 1]),
    );
    vectors.refuse(
        "PK the identity",
        "a point is not the identity",
        patched(&good, 77, &identity()),
    );
    vectors.refuse(
        "PK of order 2",
        "a point has prime order",
        patched(&good, 77, &order_two()),
    );
    vectors.refuse(
        "x of PK plus p",
        "a field element is below p",
        field_plus_p(&good, 77),
    );
    vectors.refuse(
        "C_route plus p",
        "a field element is below p",
        field_plus_p(&good, 141),
    );
    vectors.refuse(
        "P is p",
        "a field element is below p",
        field_plus_p(&good, 173),
    );
    let mut small = [0; 32];
    small[0] = 1;
    vectors.refuse(
        "an author of small order",
        "such a key takes forged signatures",
        patched(&good, 205, &small),
    );
    let mut second = [0xff; 32];
    (second[0], second[31]) = (0xf0, 0x7f);
    vectors.refuse(
        "an author's key in a second encoding",
        "y is below 2^255 - 19",
        patched(&good, 205, &second),
    );
    small[0] = 2;
    vectors.refuse(
        "an author's key that is no point",
        "no x has this y",
        patched(&good, 205, &small),
    );
    vectors.refuse(
        "a byte short",
        "a header has 326",
        good[..HEADER_BYTES - 1].to_vec(),
    );
    vectors.refuse(
        "a byte long",
        "a header has 326",
        [&good[..], &[0]].concat(),
    );
    vectors.save("header.json");
}

/// Every digest and the signature made anew over what `edit` did; only the proof is the old one.
fn resigned(batch: &SealedBatch, edit: impl FnOnce(&mut SealedBatch)) -> Vec<u8> {
    let mut batch = batch.clone();
    edit(&mut batch);
    batch.header.slots = batch.slots.len() as u8;
    batch.header.slot_list = batch.slot_list();
    sign(&mut batch, 1);
    batch.to_bytes()
}

fn write_batches(world: &World) {
    let mut vectors = Vectors::new("batch");
    let [one, three, late, bulk] = [2, 3, 4, 5].map(|at| world.trail.entries[at].batch());
    let good = one.to_bytes();
    vectors.accept("one command", good.clone());
    vectors.accept("three commands in a circuit for eight", three.to_bytes());
    vectors.accept("a bulk put", bulk.to_bytes());
    vectors.accept("one that will be refused at its index", late.to_bytes());
    let again = world.sealed(&[b"chart opened"], |header| header.author_seq = 1);
    vectors.accept("the same command sealed again", again.to_bytes());

    let plain = "it does not decode";
    for (name, from) in [
        ("E off the curve", [good[326] ^ 1].to_vec()),
        ("E the identity", identity().to_vec()),
        ("E of order 2", order_two().to_vec()),
    ] {
        vectors.refuse(name, plain, patched(&good, 326, &from));
    }
    vectors.refuse("operation 0", plain, patched(&good, 390, &[0]));
    vectors.refuse("operation 9", plain, patched(&good, 390, &[9]));
    vectors.refuse(
        "has_bulk 2",
        "a boolean is 0 or 1",
        patched(&good, 394, &[2]),
    );
    vectors.refuse(
        "the route plus p",
        "a field element is below p",
        field_plus_p(&good, 395),
    );
    vectors.refuse(
        "a ciphertext element plus p",
        "a field element is below p",
        field_plus_p(&good, 429),
    );
    vectors.refuse(
        "38 ciphertext elements",
        "at most 37",
        patched(&good, 427, &[38]),
    );
    vectors.refuse("no active slot", "at least one", patched(&good, 293, &[0]));
    vectors.refuse("65 active slots", "at most 64", patched(&good, 293, &[65]));
    vectors.refuse("a byte short", plain, good[..good.len() - 1].to_vec());
    vectors.refuse("a byte long", plain, [&good[..], &[0]].concat());

    let proof = good.len() - 192;
    vectors.refuse(
        "another batch's proof",
        "the proof is of another x",
        patched(&good, proof, &late.proof),
    );
    vectors.refuse(
        "a proof of the same plaintext",
        "the proof is of another x",
        patched(&good, proof, &again.proof),
    );
    let mut identity = [0; 32];
    identity[31] = 0x40;
    vectors.refuse(
        "A the identity",
        "no element of a proof is the identity",
        patched(&good, proof, &identity),
    );
    vectors.refuse(
        "another signature",
        "it is of another header",
        patched(&good, good.len() - 64, &late.signature),
    );
    vectors.refuse("another author's signature", "the header names author 1", {
        let mut batch = one.clone();
        sign(&mut batch, 2);
        batch.to_bytes()
    });
    vectors.refuse(
        "S not reduced",
        "a signature has one encoding",
        patched(&good, good.len() - 32, &plus_l(&one.signature)),
    );

    let altered = "x changes with it, and the proof is not of the new x";
    for element in 0..7 {
        vectors.refuse(
            &format!("ciphertext element {element}, signed again"),
            altered,
            resigned(&one, |b| b.slots[0].ct[element] += F::from(1u64)),
        );
    }
    vectors.refuse(
        "the route, signed again",
        altered,
        resigned(&one, |b| b.slots[0].route += F::from(1u64)),
    );
    vectors.refuse(
        "valid_until, signed again",
        altered,
        resigned(&late, |b| b.header.valid_until = 100),
    );
    vectors.refuse(
        "author_seq, signed again",
        altered,
        resigned(&one, |b| b.header.author_seq += 1),
    );
    vectors.refuse(
        "the anchor's root, signed again",
        altered,
        resigned(&one, |b| b.header.anchor.root[0] ^= 1),
    );
    vectors.refuse(
        "E, signed again",
        altered,
        resigned(&one, |b| b.ephemeral = late.ephemeral),
    );
    vectors.refuse(
        "the body's length, signed again",
        altered,
        resigned(&one, |b| b.slots[0].meta.body_len -= 1),
    );
    vectors.refuse(
        "a bulk digest, signed again",
        altered,
        resigned(&bulk, |b| b.bulk[0].as_mut().unwrap().digest[0] ^= 1),
    );
    vectors.refuse(
        "two slots exchanged, signed again",
        altered,
        resigned(&three, |b| b.slots.swap(0, 1)),
    );
    vectors.refuse(
        "a slot dropped, signed again",
        altered,
        resigned(&three, |b| drop((b.slots.pop(), b.bulk.pop()))),
    );
    vectors.refuse("a policy digest", "the signature is of another header", {
        let mut batch = one.clone();
        batch.header.policy_digest = F::from(1u64);
        batch.to_bytes()
    });
    vectors.refuse(
        "another body length than the slot list's",
        "the header vouches for the slot list",
        patched(&good, 391, &[1]),
    );
    vectors.refuse("a body of 156 bytes", "the class holds 155", {
        let mut batch = one.clone();
        batch.slots[0].meta.body_len = 156;
        batch.header.slot_list = batch.slot_list();
        batch.to_bytes()
    });
    vectors.refuse("a cell under opaque", "opaque has none", {
        let mut batch = one.clone();
        batch.slots[0].meta.cell_count = 1;
        batch.header.slot_list = batch.slot_list();
        batch.to_bytes()
    });
    vectors.refuse("a bulk put without a reference", "a bulk put has one", {
        let mut batch = bulk.clone();
        batch.bulk[0] = None;
        batch.header.slot_list = batch.slot_list();
        batch.to_bytes()
    });
    vectors.refuse("six ciphertext elements", "the class has seven", {
        let mut batch = one.clone();
        batch.slots[0].ct.pop();
        batch.to_bytes()
    });
    vectors.refuse("a route twice", "routes of a batch differ", {
        let mut batch = three.clone();
        batch.slots[1].route = batch.slots[0].route;
        batch.to_bytes()
    });
    vectors.refuse("a route of 0", "inactive slots have it", {
        let mut batch = one.clone();
        batch.slots[0].route = F::from(0u64);
        batch.to_bytes()
    });
    vectors.refuse("three slots in a circuit for one", "more than it has", {
        let mut batch = three.clone();
        batch.header.circuit = one.header.circuit;
        batch.to_bytes()
    });

    // Really proven and signed, and still not of this log.
    let proven =
        |edit: fn(&mut ukehi::batch::Header)| world.sealed(&[b"chart opened"], edit).to_bytes();
    vectors.refuse(
        "of another cluster",
        "the trust root's cluster only",
        proven(|h| h.cluster = ClusterId([9; 32])),
    );
    vectors.refuse(
        "of another shard",
        "shard 0 only",
        proven(|h| h.shard = ShardId(1)),
    );
    vectors.refuse(
        "of an unknown circuit",
        "circuits of the trust root only",
        proven(|h| h.circuit = CircuitId([9; 32])),
    );
    vectors.refuse("of an unknown author", "authors of the trust root only", {
        let mut batch = world.sealed(&[b"chart opened"], |h| h.author = author(3).public());
        sign(&mut batch, 3);
        batch.to_bytes()
    });
    vectors.save("batch.json");
}

/// S + l of an Ed25519 signature: the same scalar, and another spelling of it.
pub fn plus_l(signature: &[u8; 64]) -> [u8; 32] {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut sum: [u8; 32] = signature[32..].try_into().unwrap();
    let mut carry = 0;
    for (byte, add) in sum.iter_mut().zip(order.unwrap()) {
        let total = u16::from(*byte) + u16::from(add) + carry;
        *byte = total as u8;
        carry = total >> 8;
    }
    sum
}

fn write_records() {
    let mut vectors = Vectors::new("record");
    let good = Record {
        index: 5,
        kind: EntryKind::Batch,
        header_digest: [1; 32],
        x: [2; 32],
        outcome: Outcome::Expired,
    };
    let bytes = good.to_bytes();
    vectors.accept("a batch that came too late", bytes.to_vec());
    vectors.accept(
        "genesis",
        Record::genesis(ClusterId([3; 32])).to_bytes().to_vec(),
    );
    vectors.accept("a no-op", Record::no_op(1).to_bytes().to_vec());
    vectors.refuse("kind 5", "unknown", patched(&bytes, 8, &[5]));
    vectors.refuse("kind 255", "unknown", patched(&bytes, 8, &[255]));
    vectors.refuse(
        "outcome 999",
        "unknown",
        patched(&bytes, 73, &999u16.to_le_bytes()),
    );
    vectors.refuse("74 bytes", "a record has 75", bytes[..74].to_vec());
    vectors.refuse("76 bytes", "a record has 75", [&bytes[..], &[0]].concat());
    vectors.save("record.json");
}
