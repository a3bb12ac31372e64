//! The bytes of a batch: one encoding, nothing missing, nothing behind, no second spelling.

use crate::proofs::add;
use crate::world::{WORLD, Word, judge_bytes, word};
use ark_ff::{AdditiveGroup, BigInteger, Field, MontFp, PrimeField};
use ukehi::batch::{Fault, HEADER_BYTES, MAX_BATCH_BYTES, SealedBatch, Verdict};
use ukehi::wire::WireError;
use ukehi_circuits::{F, Point, field};

/// Where the header's field elements stand. Counted anew here: this pins the layout.
const EPOCH_KEY: usize = 1 + 32 + 4 + 4 + 32 + 4;
const ROUTE_COMMITMENT: usize = EPOCH_KEY + 64;
const POLICY_DIGEST: usize = ROUTE_COMMITMENT + 32;
const AUTHOR: usize = POLICY_DIGEST + 32;
const EPHEMERAL: usize = HEADER_BYTES;
const SLOTS: usize = EPHEMERAL + 64;
/// meta, no bulk reference.
const PUBLIC: usize = 4 + 1;
/// Route, count, seven elements.
const SLOT: usize = PUBLIC + 32 + 2 + 7 * 32;

fn refused(bytes: &[u8]) -> WireError {
    match judge_bytes(bytes) {
        Verdict::Invalid(Fault::Undecodable(error)) => error,
        other => panic!("{other:?} for bytes that should not decode"),
    }
}

#[test]
fn every_prefix_is_refused_as_truncated() {
    for (shape, batch) in WORLD.subjects() {
        let bytes = batch.to_bytes();
        for len in 0..bytes.len() {
            let error = SealedBatch::from_bytes(&bytes[..len]).unwrap_err();
            let cut = matches!(error, WireError::Truncated { missing, .. } if missing > 0);
            assert!(cut, "{shape}: {len} bytes: {error}");
        }
        assert_eq!(
            word(&judge_bytes(&bytes[..bytes.len() - 1])),
            Word::Undecodable
        );
        assert_eq!(word(&judge_bytes(&[])), Word::Undecodable);
    }
}

#[test]
fn what_follows_the_end_is_refused_and_so_is_what_is_too_long() {
    for (_, batch) in WORLD.subjects() {
        let mut bytes = batch.to_bytes();
        bytes.push(0);
        assert_eq!(refused(&bytes), WireError::Trailing { count: 1 });
        bytes.resize(MAX_BATCH_BYTES + 1, 0);
        assert!(matches!(
            refused(&bytes),
            WireError::TooLong { field: "batch", .. }
        ));
    }
}

#[test]
fn an_element_plus_the_modulus_is_refused_in_each_place() {
    let modulus = F::MODULUS.to_bytes_le();
    for (shape, batch) in WORLD.subjects() {
        let good = batch.to_bytes();
        assert_eq!(good.len(), SLOTS + SLOT * batch.slots.len() + 128 + 64);
        let mut places = vec![
            ("epoch_key", EPOCH_KEY),
            ("epoch_key", EPOCH_KEY + 32),
            ("route_commitment", ROUTE_COMMITMENT),
            ("policy_digest", POLICY_DIGEST),
            ("ephemeral", EPHEMERAL),
            ("ephemeral", EPHEMERAL + 32),
        ];
        for j in 0..batch.slots.len() {
            let slot = SLOTS + SLOT * j;
            places.push(("route", slot + PUBLIC));
            places.extend((0..7).map(|i| ("ciphertext", slot + PUBLIC + 32 + 2 + 32 * i)));
        }
        for (field, at) in places {
            let mut bytes = good.clone();
            add(&mut bytes[at..at + 32], &modulus);
            let error = refused(&bytes);
            assert_eq!(error, WireError::NonCanonical { field }, "{shape}: at {at}");
            // And the largest number there is.
            bytes[at..at + 32].fill(0xff);
            assert_eq!(refused(&bytes), WireError::NonCanonical { field });
        }
    }
}

/// Points that are none: EIP-2494's curve with its cofactor 8.
fn bad_points() -> Vec<(&'static str, F, F)> {
    let base = Point::base();
    let order_4 = F::from(168_700u32).inverse().unwrap().sqrt().unwrap();
    vec![
        ("the identity", F::ZERO, F::ONE),
        ("off the curve", base.x(), base.y() + F::ONE),
        ("zero", F::ZERO, F::ZERO),
        ("of order 2", F::ZERO, -F::ONE),
        ("of order 4", order_4, F::ZERO),
        ("moved by one of order 2", -base.x(), -base.y()),
        (
            "of order 8·l, the curve's generator",
            MontFp!("995203441582195749578291179787384436505546430278305826713579947235728471134"),
            MontFp!("5472060717959818805561601436314318772137091100104008585924551046643952123905"),
        ),
    ]
}

#[test]
fn no_bad_point_passes_as_e_or_pk() {
    for (shape, batch) in WORLD.subjects() {
        for (what, x, y) in bad_points() {
            for (field, at) in [("epoch_key", EPOCH_KEY), ("ephemeral", EPHEMERAL)] {
                let mut bytes = batch.to_bytes();
                bytes[at..at + 32].copy_from_slice(&field::encode(&x));
                bytes[at + 32..at + 64].copy_from_slice(&field::encode(&y));
                let error = refused(&bytes);
                assert_eq!(error, WireError::NonCanonical { field }, "{shape}: {what}");
            }
        }
    }
}

#[test]
fn an_author_key_of_small_order_or_in_a_second_spelling_is_refused() {
    let mut bytes = WORLD.one.to_bytes();
    let identity = {
        let mut key = [0; 32];
        key[0] = 1;
        key
    };
    let second_spelling = {
        let mut key = [0xff; 32];
        key[0] = 0xf0;
        key[31] = 0x7f;
        key
    };
    for key in [identity, [0; 32], second_spelling] {
        bytes[AUTHOR..AUTHOR + 32].copy_from_slice(&key);
        let expected = WireError::NonCanonical { field: "author" };
        assert_eq!(refused(&bytes), expected);
    }
}

#[test]
fn a_signature_with_an_unreduced_scalar_is_refused() {
    // S + l is the same scalar: RFC 8032 §5.1.7 wants S below l.
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut batch = WORLD.one.clone();
    add(&mut batch.signature[32..], &order.unwrap());
    assert_eq!(word(&judge_bytes(&batch.to_bytes())), Word::Signature);
}

#[test]
fn an_unknown_version_operation_or_count_is_refused() {
    let good = WORLD.one.to_bytes();
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        refused(&bytes)
    };
    for version in [0, 2, 0xff] {
        let found = u64::from(version);
        let expected = WireError::Unknown {
            field: "header version",
            found,
        };
        assert_eq!(with(0, version), expected);
    }
    // 1 to 4: put, update, guard, bulk put.
    for op in [0, 5, 0xff] {
        assert!(matches!(
            with(SLOTS, op),
            WireError::Unknown { field: "meta", .. }
        ));
    }
    // 65 slots, then a ciphertext of 38 elements: more than any shape or class has.
    assert!(matches!(
        with(HEADER_BYTES - 33, 65),
        WireError::Unknown { field: "slots", .. }
    ));
    assert!(matches!(
        with(SLOTS + PUBLIC + 32, 38),
        WireError::TooLong {
            field: "ciphertext elements",
            ..
        }
    ));
}
