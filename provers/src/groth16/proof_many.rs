//! Decoding many proofs at once.
//!
//! Invariant: every answer is the one that [`Groth16Proof::from_bytes`] gives. Eight lanes only find good points sooner;
//! what they do not find, that function judges.

use ark_bn254::{Bn254, Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInt, PrimeField};

use super::{Groth16Proof, PROOF_BYTES, ProofDecodeError};
use crate::lanes::{self, Abscissas, Lanes};

/// Below this many, eight lanes bring nothing.
const FEW: usize = 2;
/// arkworks' flags, in the last byte of a compressed point.
const LARGER_Y: u8 = 0x80;
const IDENTITY: u8 = 0x40;

impl Groth16Proof {
    /// One answer for each encoding, in order: that of [`Groth16Proof::from_bytes`].
    pub fn from_bytes_many(encoded: &[&[u8]]) -> Vec<Result<Self, ProofDecodeError>> {
        let lanes = lanes::available().filter(|_| encoded.len() >= FEW);
        let mut found = match lanes {
            Some(lanes) => lift(lanes, encoded),
            None => vec![None; encoded.len()],
        };
        let judge = |(bytes, proof): (&&[u8], &mut Option<Self>)| match proof.take() {
            Some(proof) => Ok(proof),
            None => Self::from_bytes(bytes),
        };
        encoded.iter().zip(&mut found).map(judge).collect()
    }
}

/// The proofs that eight lanes can vouch for.
fn lift(lanes: Lanes, encoded: &[&[u8]]) -> Vec<Option<Groth16Proof>> {
    let parsed: Vec<_> = encoded
        .iter()
        .map(|bytes| Compressed::parse(bytes))
        .collect();
    let xs: Vec<_> = parsed.iter().flatten().map(|proof| proof.x).collect();
    let mut lifted = lanes.lift(&xs).into_iter();
    parsed
        .into_iter()
        .map(|proof| {
            let proof = proof?;
            let y = lifted
                .next()
                .expect("one answer for each that was parsed")?;
            Some(proof.with(y))
        })
        .collect()
}

/// A proof whose coordinates are canonical and whose flags say that no point is the identity.
struct Compressed {
    x: Abscissas,
    /// Of A, B, C: whether y is the larger of the two.
    larger: [bool; 3],
}

impl Compressed {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; PROOF_BYTES] = bytes.try_into().ok()?;
        let (a, a_larger) = flagged(&bytes[..32])?;
        let b0 = canonical(&bytes[32..64])?;
        let (b1, b_larger) = flagged(&bytes[64..96])?;
        let (c, c_larger) = flagged(&bytes[96..])?;
        let b = Fq2::new(b0, b1);
        Some(Self {
            x: Abscissas { a, b, c },
            larger: [a_larger, b_larger, c_larger],
        })
    }

    fn with(self, y: Abscissas) -> Groth16Proof {
        let Self { x, larger } = self;
        let points = ark_groth16::Proof::<Bn254> {
            // Sound: the lanes answer only for points of the curve and the subgroup.
            a: G1Affine::new_unchecked(x.a, either(y.a, larger[0])),
            b: G2Affine::new_unchecked(x.b, either(y.b, larger[1])),
            c: G1Affine::new_unchecked(x.c, either(y.c, larger[2])),
        };
        Groth16Proof::new(points).expect("a point with coordinates is not the identity")
    }
}

/// y or −y, whichever is the larger or the smaller.
fn either<T: Copy + Ord + std::ops::Neg<Output = T>>(y: T, larger: bool) -> T {
    let other = -y;
    match (y > other) == larger {
        true => y,
        false => other,
    }
}

fn flagged(bytes: &[u8]) -> Option<(Fq, bool)> {
    let mut x: [u8; 32] = bytes.try_into().expect("32 bytes");
    let flags = x[31] & (LARGER_Y | IDENTITY);
    x[31] ^= flags;
    match flags & IDENTITY {
        0 => Some((canonical(&x)?, flags == LARGER_Y)),
        _ => None,
    }
}

fn canonical(bytes: &[u8]) -> Option<Fq> {
    let word = |i: usize| {
        let word = bytes[8 * i..8 * i + 8].try_into().expect("eight bytes");
        u64::from_le_bytes(word)
    };
    Fq::from_bigint(BigInt(std::array::from_fn(word)))
}

#[cfg(test)]
#[path = "proof_many_tests.rs"]
mod tests;
