//! One Groth16 proof and its one encoding.
//!
//! Invariants: 1. A, B and C are in the prime-order subgroups and none is the identity; 2. a proof has
//! exactly one encoding of 128 bytes. Whoever sees a proof can re-randomise it, so its bytes are no identity,
//! no key for de-duplication and no log leaf.

use ark_bn254::{Bn254, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_serialize::CanonicalSerialize;

use super::key_codec::{PointError, decode_point};

/// Encoded size: A 32, B 64, C 32 bytes, each point compressed in arkworks' form (little-endian x, flags in
/// the top two bits of the last byte).
pub const PROOF_BYTES: usize = 128;

/// Which element of a proof an error speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofElement {
    A,
    B,
    C,
}

/// Why bytes are not a proof. Nothing was said about any statement yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofDecodeError {
    #[error("a proof is 128 bytes, not {actual}")]
    Length { actual: usize },
    #[error("proof element {0:?} is not a point of the prime-order subgroup")]
    NotInGroup(ProofElement),
    #[error("proof element {0:?} is not in its canonical encoding")]
    NonCanonical(ProofElement),
    #[error("proof element {0:?} is the identity")]
    Identity(ProofElement),
}

/// A proof whose points have been checked; not a proof *of* anything until verified.
#[derive(Debug, Clone, PartialEq)]
pub struct Groth16Proof(ark_groth16::Proof<Bn254>);

impl Eq for Groth16Proof {}

impl Groth16Proof {
    /// Decodes exactly 128 bytes, checking curve, subgroup, canonical form and non-identity.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofDecodeError> {
        let bytes: &[u8; PROOF_BYTES] = bytes.try_into().map_err(|_| ProofDecodeError::Length {
            actual: bytes.len(),
        })?;
        let a = decode::<G1Affine>(&bytes[..32], ProofElement::A)?;
        let b = decode::<G2Affine>(&bytes[32..96], ProofElement::B)?;
        let c = decode::<G1Affine>(&bytes[96..], ProofElement::C)?;
        Self::new(ark_groth16::Proof { a, b, c })
    }

    /// The one encoding.
    pub fn to_bytes(&self) -> [u8; PROOF_BYTES] {
        let mut bytes = [0u8; PROOF_BYTES];
        self.0
            .serialize_compressed(bytes.as_mut_slice())
            .expect("A, B and C compress to 32, 64 and 32 bytes");
        bytes
    }

    /// Wraps points that are already known to be in the subgroups; refuses identities.
    pub(crate) fn new(proof: ark_groth16::Proof<Bn254>) -> Result<Self, ProofDecodeError> {
        // An honest prover's elements are uniform; the identity only ever comes from someone probing.
        let element = if proof.a.is_zero() {
            ProofElement::A
        } else if proof.b.is_zero() {
            ProofElement::B
        } else if proof.c.is_zero() {
            ProofElement::C
        } else {
            return Ok(Self(proof));
        };
        Err(ProofDecodeError::Identity(element))
    }

    pub(crate) fn points(&self) -> &ark_groth16::Proof<Bn254> {
        &self.0
    }
}

fn decode<G: AffineRepr>(bytes: &[u8], element: ProofElement) -> Result<G, ProofDecodeError> {
    decode_point(bytes, ark_serialize::Compress::Yes).map_err(|error| match error {
        PointError::NotInGroup => ProofDecodeError::NotInGroup(element),
        PointError::NonCanonical => ProofDecodeError::NonCanonical(element),
    })
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
