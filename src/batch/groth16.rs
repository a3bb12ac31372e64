//! The shipped [`ProofVerifier`]: Groth16 over BN254, many proofs in one pairing product.
//!
//! Invariant: a circuit's verifying key is the one its id commits to. Knows nothing of batches.

use super::verify::{ProofItem, ProofVerifier};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::shape::Shape;
use ukehi_keys::{CircuitId, CircuitShape, Manifest};
use ukehi_provers::batch_verify::{BatchItem, verify_batch};
use ukehi_provers::groth16::{
    Groth16Proof, KeyDecodeError, PreparedVerifyingKey, VerifyingKey, verify,
};

/// The statement's version, part of every circuit id.
pub const STATEMENT: &str = "seal/v1";
/// The one policy of this release.
pub const POLICY: &str = "opaque";
/// The shapes development parameters are made for.
pub const SHAPES: [Shape; 2] = [Shape::SINGLE, Shape::EIGHT];

/// Why a manifest gives no verifier.
#[derive(Debug, Error)]
pub enum UnusableCircuit {
    #[error("circuit {circuit}: its verifying key does not decode: {source}")]
    Key {
        circuit: CircuitId,
        source: KeyDecodeError,
    },
    #[error("circuit {circuit} takes {found} public inputs, seal/v1 has one")]
    Inputs { circuit: CircuitId, found: usize },
    #[error("circuit {circuit}: this release has no circuit of shape {shape}")]
    Shape { circuit: CircuitId, shape: String },
}

/// Prepared verifying keys by circuit.
#[derive(Clone)]
pub struct Groth16Verifier {
    circuits: BTreeMap<CircuitId, Circuit>,
}

#[derive(Clone)]
struct Circuit {
    shape: Shape,
    policy: String,
    key: Arc<PreparedVerifyingKey>,
}

impl Groth16Verifier {
    /// # Errors
    /// [`UnusableCircuit`].
    pub fn new(manifests: &[Manifest]) -> Result<Self, UnusableCircuit> {
        let circuits = manifests
            .iter()
            .map(|manifest| Ok((manifest.circuit_id(), Circuit::new(manifest)?)))
            .collect::<Result<_, _>>()?;
        Ok(Self { circuits })
    }
}

impl Circuit {
    fn new(manifest: &Manifest) -> Result<Self, UnusableCircuit> {
        let circuit = manifest.circuit_id();
        let shape = shape_of(manifest)?;
        let key = VerifyingKey::from_bytes(manifest.verifying_key())
            .map_err(|source| UnusableCircuit::Key { circuit, source })?;
        if key.public_inputs() != 1 {
            return Err(UnusableCircuit::Inputs {
                circuit,
                found: key.public_inputs(),
            });
        }
        Ok(Self {
            shape,
            policy: manifest.shape().policy.clone(),
            key: Arc::new(PreparedVerifyingKey::new(&key)),
        })
    }
}

impl ProofVerifier for Groth16Verifier {
    fn shape(&self, circuit: &CircuitId) -> Option<Shape> {
        self.circuits.get(circuit).map(|c| c.shape)
    }

    fn policy(&self, circuit: &CircuitId) -> Option<&str> {
        self.circuits.get(circuit).map(|c| &c.policy[..])
    }

    fn with_circuit(&self, manifest: &Manifest) -> Option<Arc<dyn ProofVerifier>> {
        let mut more = self.clone();
        let circuit = Circuit::new(manifest).ok()?;
        more.circuits.insert(manifest.circuit_id(), circuit);
        Some(Arc::new(more))
    }

    fn verify_many(&self, items: &[ProofItem<'_>]) -> Vec<bool> {
        let ids: Vec<&CircuitId> = self.circuits.keys().collect();
        let keys: Vec<&PreparedVerifyingKey> = self.circuits.values().map(|c| &*c.key).collect();
        let proofs: Vec<Option<Groth16Proof>> = items
            .iter()
            .map(|item| Groth16Proof::from_bytes(item.proof).ok())
            .collect();
        let mut holds = vec![false; items.len()];
        let (mut positions, mut batch) = (Vec::new(), Vec::new());
        for (position, (item, proof)) in items.iter().zip(&proofs).enumerate() {
            if let (Ok(key), Some(proof)) = (ids.binary_search(&&item.circuit), proof) {
                let inputs = std::slice::from_ref(&item.x);
                positions.push(position);
                batch.push(BatchItem { key, inputs, proof });
            }
        }
        // Without randomness nothing is judged here; the single verifications decide.
        if let Ok(verdict) = verify_batch(&keys, &batch) {
            for position in &positions {
                holds[*position] = true;
            }
            for bad in verdict.bad {
                holds[positions[bad]] = false;
            }
        }
        holds
    }

    fn verify_one(&self, item: &ProofItem<'_>) -> bool {
        let key = self.circuits.get(&item.circuit);
        match (key, Groth16Proof::from_bytes(item.proof)) {
            (Some(c), Ok(proof)) => verify(&c.key, &[item.x], &proof).is_ok(),
            _ => false,
        }
    }
}

/// The shape a manifest names.
///
/// # Errors
/// [`UnusableCircuit::Shape`] for a statement, policy or shape this release has no circuit for.
pub fn shape_of(manifest: &Manifest) -> Result<Shape, UnusableCircuit> {
    let known = Shape::ALL
        .into_iter()
        .find(|s| shape_name(*s) == *manifest.shape());
    known.ok_or_else(|| UnusableCircuit::Shape {
        circuit: manifest.circuit_id(),
        shape: format!("{:?}", manifest.shape()),
    })
}

/// How manifests and circuit ids name a shape.
#[must_use]
pub fn shape_name(shape: Shape) -> CircuitShape {
    CircuitShape {
        statement: STATEMENT.into(),
        policy: POLICY.into(),
        slots: u32::try_from(shape.slots()).expect("at most 64 slots"),
        class: shape.class().name().into(),
    }
}
