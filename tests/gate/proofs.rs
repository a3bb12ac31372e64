//! The proof's own bytes. The author's signature does not cover them, so nobody has to sign anew.

use crate::world::{WORLD, Word, judge_all};
use ukehi::batch::SealedBatch;

/// BN254's base field: the modulus of a proof's coordinates, big-endian.
const BASE_FIELD: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";

#[test]
fn no_proof_with_one_bit_flipped_is_accepted() {
    for (shape, original) in WORLD.subjects() {
        for byte in 0..original.proof.len() {
            let flipped: Vec<SealedBatch> = (0..8)
                .map(|bit| {
                    let mut batch = original.clone();
                    batch.proof[byte] ^= 1 << bit;
                    batch
                })
                .collect();
            for (bit, found) in judge_all(&flipped).into_iter().enumerate() {
                assert_eq!(found, Word::Proof, "{shape}: byte {byte}, bit {bit}");
            }
        }
    }
}

#[test]
fn every_valid_proof_is_refused_beside_every_other_statement() {
    let world = &*WORLD;
    let batches = [&world.one, &world.three, &world.again, &world.others];
    for (a, statement) in batches.iter().enumerate() {
        for (b, donor) in batches.iter().enumerate() {
            let mut batch = (*statement).clone();
            batch.proof = donor.proof;
            let expected = if a == b { Word::Valid } else { Word::Proof };
            assert_eq!(judge_all(&[batch]), [expected], "proof {b} at {a}");
        }
    }
}

/// The same coordinates plus the base field's modulus: a second spelling of a valid proof.
#[test]
fn a_proof_has_one_spelling() {
    let mut modulus = hex::decode(BASE_FIELD).unwrap();
    modulus.reverse();
    // A (32 bytes), B (c0, c1), C; the two top bits of A, B.c1 and C are flags.
    for (shape, original) in WORLD.subjects() {
        for (at, flags) in [(0, 0xc0), (32, 0), (64, 0xc0), (96, 0xc0)] {
            let mut batch = original.clone();
            let field: &mut [u8] = &mut batch.proof[at..at + 32];
            let kept = field[31] & flags;
            field[31] &= !flags;
            add(field, &modulus);
            field[31] |= kept;
            assert_eq!(judge_all(&[batch]), [Word::Proof], "{shape}: at {at}");
        }
    }
}

#[test]
fn parts_of_two_valid_proofs_make_none() {
    let world = &*WORLD;
    for (from, to) in [(0, 32), (32, 96), (96, 128)] {
        let mut batch = world.one.clone();
        batch.proof[from..to].copy_from_slice(&world.again.proof[from..to]);
        assert_eq!(judge_all(&[batch]), [Word::Proof], "{from}..{to}");
    }
}

/// `number += addend`, little-endian.
pub fn add(number: &mut [u8], addend: &[u8]) {
    let mut carry = 0u16;
    for (byte, add) in number.iter_mut().zip(addend) {
        let sum = u16::from(*byte) + u16::from(*add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
}

/// Invalid, not "not yet": a replica would wait for such a batch for ever.
#[test]
fn a_batch_under_the_disclosure_circuit_is_never_accepted() {
    use ukehi::batch::{CircuitKind, kind_of};
    let world = &*WORLD;
    let opening = world
        .manifests
        .iter()
        .find(|m| matches!(kind_of(m), Ok(CircuitKind::Open(_))));
    let circuit = opening.expect("the dev set-up makes one").circuit_id();
    assert!(world.genesis.circuits.contains(&circuit));
    for (shape, original) in world.subjects() {
        let mut batch = original.clone();
        batch.header.circuit = circuit;
        world.resign(&mut batch);
        assert_eq!(judge_all(&[batch]), [Word::OtherStatement], "{shape}");
    }
}
