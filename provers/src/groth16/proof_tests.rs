use super::*;
use crate::groth16::verify;
use crate::testing::{self, small};
use ark_bn254::{Fq, Fq2, G2Affine};
use ark_ff::{BigInteger, PrimeField, UniformRand, Zero};
use ark_std::rand::{SeedableRng, rngs::StdRng};

const A: std::ops::Range<usize> = 0..32;
const B: std::ops::Range<usize> = 32..96;
const C: std::ops::Range<usize> = 96..128;

fn encoded() -> [u8; PROOF_BYTES] {
    testing::proven(5).1.to_bytes()
}

fn error_with(range: std::ops::Range<usize>, element: &[u8]) -> ProofDecodeError {
    let mut bytes = encoded();
    bytes[range].copy_from_slice(element);
    Groth16Proof::from_bytes(&bytes).unwrap_err()
}

#[test]
fn a_proof_survives_its_encoding() {
    let (_, proof) = testing::proven(5);
    let decoded = Groth16Proof::from_bytes(&proof.to_bytes()).unwrap();
    assert_eq!(decoded, proof);
    assert_eq!(decoded.to_bytes(), proof.to_bytes());
}

#[test]
fn only_exactly_128_bytes_are_a_proof() {
    let bytes = encoded();
    let longer = [&bytes[..], &[0]].concat();
    for wrong in [&bytes[..0], &bytes[..127], &longer] {
        assert_eq!(
            Groth16Proof::from_bytes(wrong),
            Err(ProofDecodeError::Length {
                actual: wrong.len()
            })
        );
    }
}

#[test]
fn every_flipped_bit_makes_an_undecodable_or_a_false_proof() {
    let (inputs, proof) = testing::proven(5);
    let key = small().key.prepared_verifying_key();
    let bytes = proof.to_bytes();
    let (mut undecodable, mut refused) = (0, 0);
    for bit in 0..8 * PROOF_BYTES {
        let mut flipped = bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        match Groth16Proof::from_bytes(&flipped) {
            Err(_) => undecodable += 1,
            Ok(other) => {
                assert_eq!(other.to_bytes(), flipped, "bit {bit}: two encodings");
                assert!(verify(key, &inputs, &other).is_err(), "bit {bit} ignored");
                refused += 1;
            }
        }
    }
    assert_eq!(undecodable + refused, 1024);
    assert!(
        undecodable > 500 && refused > 100,
        "both ways are exercised"
    );
}

#[test]
fn identity_elements_are_refused() {
    let identity = |length: usize| {
        let mut bytes = vec![0; length];
        bytes[length - 1] = 0x40;
        bytes
    };
    for (range, element) in [
        (A, ProofElement::A),
        (B, ProofElement::B),
        (C, ProofElement::C),
    ] {
        let bytes = identity(range.len());
        assert_eq!(
            error_with(range, &bytes),
            ProofDecodeError::Identity(element)
        );
    }
}

#[test]
fn an_identity_that_hides_coordinates_is_not_canonical() {
    for (range, element) in [
        (A, ProofElement::A),
        (B, ProofElement::B),
        (C, ProofElement::C),
    ] {
        let mut bytes = vec![0; range.len()];
        bytes[0] = 7;
        bytes[range.len() - 1] = 0x40;
        assert_eq!(
            error_with(range, &bytes),
            ProofDecodeError::NonCanonical(element)
        );
    }
}

#[test]
fn a_coordinate_of_p_or_more_is_refused() {
    let p = Fq::MODULUS.to_bytes_le();
    assert_eq!(
        error_with(A, &p),
        ProofDecodeError::NotInGroup(ProofElement::A)
    );
    // A's own x, written as x + p, where that still fits beside the flags.
    let mut rng = StdRng::seed_from_u64(1);
    let mut x_plus_p = loop {
        let x = ark_bn254::G1Affine::rand(&mut rng).x.into_bigint();
        let mut sum = x;
        if !sum.add_with_carry(&Fq::MODULUS) && sum.num_bits() <= 254 {
            break sum.to_bytes_le();
        }
    };
    for sign in [0, 0x80] {
        x_plus_p[31] = (x_plus_p[31] & 0x3f) | sign;
        assert_eq!(
            error_with(C, &x_plus_p),
            ProofDecodeError::NotInGroup(ProofElement::C)
        );
    }
}

#[test]
fn a_g2_point_on_the_curve_but_outside_the_subgroup_is_refused() {
    let mut rng = StdRng::seed_from_u64(2);
    let outside = loop {
        let x = Fq2::rand(&mut rng);
        if let Some(point) = G2Affine::get_point_from_x_unchecked(x, true)
            && !point.is_in_correct_subgroup_assuming_on_curve()
        {
            break point;
        }
    };
    assert!(outside.is_on_curve() && !outside.x.is_zero());
    let mut bytes = Vec::new();
    outside.serialize_compressed(&mut bytes).unwrap();
    assert_eq!(
        error_with(B, &bytes),
        ProofDecodeError::NotInGroup(ProofElement::B)
    );
}
