//! Proving and verifying keys, with the facts that make misuse a typed error.
//!
//! Invariants: 1. a proving key names the circuit it belongs to and has that circuit's shape; 2. γ ≠ δ, and
//! no element of a verifying key is the identity: with γ = δ anyone can forge, and a public input whose
//! element is the identity is not bound by the proof. Knows nothing of who ran the set-up.

use std::fmt;

use ark_bn254::Bn254;
use ark_ec::AffineRepr;

use super::PreparedVerifyingKey;
use super::key_codec;
use crate::R1cs;
use crate::iden3::Zkey;

/// Which part of a key an error speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPart {
    Alpha,
    Beta,
    Gamma,
    Delta,
    /// One element per instance variable.
    Inputs,
    AQuery,
    BQueryG1,
    BQueryG2,
    HQuery,
    LQuery,
}

/// Why group elements do not make a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("key part {part:?}, element {index} is the identity")]
    Identity { part: KeyPart, index: usize },
    #[error("gamma and delta are equal: anyone could forge proofs")]
    GammaIsDelta,
    #[error("a verifying key without an element for the constant")]
    NoInputs,
    #[error("key part {part:?} has {actual} elements, its circuit needs {expected}")]
    Shape {
        part: KeyPart,
        expected: usize,
        actual: usize,
    },
}

/// What a verifier needs to know of a circuit.
#[derive(Clone, PartialEq)]
pub struct VerifyingKey {
    points: ark_groth16::VerifyingKey<Bn254>,
    digest: [u8; 32],
}

impl Eq for VerifyingKey {}

impl VerifyingKey {
    /// Takes points already known to be in the subgroups (a set-up's output, a decoder's result).
    pub fn new(points: ark_groth16::VerifyingKey<Bn254>) -> Result<Self, KeyError> {
        if points.gamma_abc_g1.is_empty() {
            return Err(KeyError::NoInputs);
        }
        let singles = [
            (points.alpha_g1.is_zero(), KeyPart::Alpha),
            (points.beta_g2.is_zero(), KeyPart::Beta),
            (points.gamma_g2.is_zero(), KeyPart::Gamma),
            (points.delta_g2.is_zero(), KeyPart::Delta),
        ];
        if let Some(&(_, part)) = singles.iter().find(|(identity, _)| *identity) {
            return Err(KeyError::Identity { part, index: 0 });
        }
        // Element 0 belongs to the constant, which binds nothing; it may be anything.
        let unbound = points.gamma_abc_g1.iter().skip(1).position(|p| p.is_zero());
        if let Some(input) = unbound {
            return Err(KeyError::Identity {
                part: KeyPart::Inputs,
                index: input + 1,
            });
        }
        if points.gamma_g2 == points.delta_g2 {
            return Err(KeyError::GammaIsDelta);
        }
        let digest = key_codec::verifying_key_digest(&points);
        Ok(Self { points, digest })
    }

    /// Field elements in a statement under this key.
    pub fn public_inputs(&self) -> usize {
        self.points.gamma_abc_g1.len() - 1
    }

    /// BLAKE3 of [`VerifyingKey::to_bytes`], in a domain of its own.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    pub fn points(&self) -> &ark_groth16::VerifyingKey<Bn254> {
        &self.points
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("public_inputs", &self.public_inputs())
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// What a prover needs to know of a circuit; public, large, shared read-only by all workers.
pub struct ProvingKey {
    points: ark_groth16::ProvingKey<Bn254>,
    verifying_key: VerifyingKey,
    prepared: PreparedVerifyingKey,
    circuit: [u8; 32],
}

impl ProvingKey {
    /// Binds a key's points, already known to be in the subgroups, to the circuit they were made for.
    pub fn new(points: ark_groth16::ProvingKey<Bn254>, r1cs: &R1cs) -> Result<Self, KeyError> {
        let key = Self::bound_to(points, *r1cs.digest())?;
        key.check_shape(
            r1cs.instance_variables(),
            r1cs.variables(),
            r1cs.domain_size(),
        )?;
        Ok(key)
    }

    /// The key a ceremony ended with. Whoever calls this has verified the file against the circuit and the powers of
    /// τ ([`crate::ceremony::verify_zkey`]): here only its shape is compared with the circuit's.
    pub fn from_zkey(zkey: Zkey, r1cs: &R1cs) -> Result<Self, KeyError> {
        Self::new(points_of(zkey), r1cs)
    }

    /// The key of a circuit of which there is nothing but this file: named by its shape and its coefficients.
    pub(crate) fn from_zkey_alone(zkey: Zkey) -> Result<Self, KeyError> {
        let header = &zkey.header;
        let mut hasher = blake3::Hasher::new_derive_key("ukehi/provers/zkey-circuit/v1");
        for count in [header.variables, header.public_inputs, header.domain_size] {
            hasher.update(&count.to_le_bytes());
        }
        hasher.update(&zkey.coefficients);
        Self::bound_to(points_of(zkey), *hasher.finalize().as_bytes())
    }

    /// For the decoder, which knows the circuit only by its digest and has built the shape itself.
    pub(super) fn bound_to(
        points: ark_groth16::ProvingKey<Bn254>,
        circuit: [u8; 32],
    ) -> Result<Self, KeyError> {
        let verifying_key = VerifyingKey::new(points.vk.clone())?;
        for (identity, part) in [
            (points.beta_g1.is_zero(), KeyPart::Beta),
            (points.delta_g1.is_zero(), KeyPart::Delta),
        ] {
            if identity {
                return Err(KeyError::Identity { part, index: 0 });
            }
        }
        let prepared = PreparedVerifyingKey::new(&verifying_key);
        Ok(Self {
            points,
            verifying_key,
            prepared,
            circuit,
        })
    }

    /// Whether the key was made for this circuit: same digest and same shape.
    pub fn belongs_to(&self, r1cs: &R1cs) -> bool {
        self.circuit == *r1cs.digest()
            && self
                .check_shape(
                    r1cs.instance_variables(),
                    r1cs.variables(),
                    r1cs.domain_size(),
                )
                .is_ok()
    }

    /// [`R1cs::digest`] of the circuit the key was made for.
    pub fn circuit(&self) -> &[u8; 32] {
        &self.circuit
    }

    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.verifying_key
    }

    pub fn prepared_verifying_key(&self) -> &PreparedVerifyingKey {
        &self.prepared
    }

    pub fn points(&self) -> &ark_groth16::ProvingKey<Bn254> {
        &self.points
    }

    fn check_shape(
        &self,
        instance: usize,
        variables: usize,
        domain: usize,
    ) -> Result<(), KeyError> {
        let p = &self.points;
        for (part, actual, expected) in [
            (KeyPart::Inputs, p.vk.gamma_abc_g1.len(), instance),
            (KeyPart::AQuery, p.a_query.len(), variables),
            (KeyPart::BQueryG1, p.b_g1_query.len(), variables),
            (KeyPart::BQueryG2, p.b_g2_query.len(), variables),
            (KeyPart::HQuery, p.h_query.len(), domain),
            (KeyPart::LQuery, p.l_query.len(), variables - instance),
        ] {
            if actual != expected {
                return Err(KeyError::Shape {
                    part,
                    expected,
                    actual,
                });
            }
        }
        Ok(())
    }
}

fn points_of(zkey: Zkey) -> ark_groth16::ProvingKey<Bn254> {
    let header = zkey.header;
    let vk = ark_groth16::VerifyingKey {
        alpha_g1: header.alpha_g1,
        beta_g2: header.beta_g2,
        gamma_g2: header.gamma_g2,
        delta_g2: header.delta_g2,
        gamma_abc_g1: zkey.inputs,
    };
    ark_groth16::ProvingKey {
        vk,
        beta_g1: header.beta_g1,
        delta_g1: header.delta_g1,
        a_query: zkey.a,
        b_g1_query: zkey.b_g1,
        b_g2_query: zkey.b_g2,
        h_query: zkey.h,
        l_query: zkey.l,
    }
}

impl fmt::Debug for ProvingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvingKey")
            .field("circuit", &self.circuit)
            .field("verifying_key", &self.verifying_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
