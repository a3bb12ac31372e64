//! The shipped [`ProofVerifier`]: Groth16 over BN254, many proofs in one pairing product.
//!
//! Invariant: a circuit's verifying key is the one its id commits to. Knows nothing of batches.

use super::kind::{CircuitKind, kind_of};
use super::verify::{ProofItem, ProofVerifier};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use thiserror::Error;
use ukehi_circuits::policy::{Opaque, Policy};
use ukehi_circuits::shape::{CellUse, Class, Form, Shape};
use ukehi_keys::{CircuitId, CircuitShape, Manifest};
use ukehi_provers::batch_verify::{BatchItem, verify_batch};
use ukehi_provers::groth16::{
    Groth16Proof, KeyDecodeError, PreparedVerifyingKey, VerifyingKey, verify,
};

/// The statement's version, part of every circuit id.
pub const STATEMENT: &str = "seal/v1";
/// The same with operations and cells in the leaves. It is in the id, so a node that does not have a policy's code
/// still knows how x is made.
pub const STATEMENT_WITH_CELLS: &str = "seal_cells/v1";

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
    /// Circuits of other statements than a batch's.
    others: BTreeSet<CircuitId>,
}

#[derive(Clone)]
struct Circuit {
    form: Form,
    policy: String,
    key: Arc<PreparedVerifyingKey>,
}

impl Groth16Verifier {
    /// # Errors
    /// [`UnusableCircuit`].
    pub fn new(manifests: &[Manifest]) -> Result<Self, UnusableCircuit> {
        let mut verifier = Self {
            circuits: BTreeMap::new(),
            others: BTreeSet::new(),
        };
        for manifest in manifests {
            verifier.add(manifest)?;
        }
        Ok(verifier)
    }

    fn add(&mut self, manifest: &Manifest) -> Result<(), UnusableCircuit> {
        let id = manifest.circuit_id();
        match kind_of(manifest)? {
            CircuitKind::Seal(form) => {
                self.circuits.insert(id, Circuit::new(manifest, form)?);
            }
            CircuitKind::Open(_) => {
                self.others.insert(id);
            }
        }
        Ok(())
    }
}

impl Circuit {
    fn new(manifest: &Manifest, form: Form) -> Result<Self, UnusableCircuit> {
        let circuit = manifest.circuit_id();
        let key = VerifyingKey::from_bytes(manifest.verifying_key())
            .map_err(|source| UnusableCircuit::Key { circuit, source })?;
        if key.public_inputs() != 1 {
            return Err(UnusableCircuit::Inputs {
                circuit,
                found: key.public_inputs(),
            });
        }
        Ok(Self {
            form,
            policy: manifest.shape().policy.clone(),
            key: Arc::new(PreparedVerifyingKey::new(&key)),
        })
    }
}

impl ProofVerifier for Groth16Verifier {
    fn form(&self, circuit: &CircuitId) -> Option<Form> {
        self.circuits.get(circuit).map(|c| c.form)
    }

    fn policy(&self, circuit: &CircuitId) -> Option<&str> {
        self.circuits.get(circuit).map(|c| &c.policy[..])
    }

    fn with_circuit(&self, manifest: &Manifest) -> Option<Arc<dyn ProofVerifier>> {
        let mut more = self.clone();
        more.add(manifest).ok()?;
        Some(Arc::new(more))
    }

    fn is_not_for_batches(&self, circuit: &CircuitId) -> bool {
        self.others.contains(circuit)
    }

    fn verify_many(&self, items: &[ProofItem<'_>]) -> Vec<bool> {
        let ids: Vec<&CircuitId> = self.circuits.keys().collect();
        let keys: Vec<&PreparedVerifyingKey> = self.circuits.values().map(|c| &*c.key).collect();
        let encoded: Vec<&[u8]> = items.iter().map(|item| &item.proof[..]).collect();
        let proofs = Groth16Proof::from_bytes_many(&encoded);
        let mut holds = vec![false; items.len()];
        let (mut positions, mut batch) = (Vec::new(), Vec::new());
        for (position, (item, proof)) in items.iter().zip(&proofs).enumerate() {
            if let (Ok(key), Ok(proof)) = (ids.binary_search(&&item.circuit), proof) {
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

/// The form a manifest names, whatever its policy: the policy's rules are in the proof.
///
/// # Errors
/// [`UnusableCircuit::Shape`] for a statement or shape this release does not know.
pub fn form_of(manifest: &Manifest) -> Result<Form, UnusableCircuit> {
    let named = manifest.shape();
    let cells = match named.statement.as_str() {
        STATEMENT => Some(CellUse::None),
        STATEMENT_WITH_CELLS => Some(CellUse::Allowed),
        _ => None,
    };
    let class = Class::ALL.into_iter().find(|c| c.name() == named.class);
    let shape = class.and_then(|class| Shape::new(named.slots as usize, class).ok());
    let form = shape.zip(cells).map(|(shape, cells)| Form { shape, cells });
    form.ok_or_else(|| UnusableCircuit::Shape {
        circuit: manifest.circuit_id(),
        shape: format!("{named:?}"),
    })
}

/// How manifests and circuit ids name a policy's circuit.
#[must_use]
pub fn circuit_shape(policy: &str, form: Form) -> CircuitShape {
    let Form { shape, cells } = form;
    let statement = match cells {
        CellUse::None => STATEMENT,
        CellUse::Allowed => STATEMENT_WITH_CELLS,
    };
    CircuitShape {
        statement: statement.into(),
        policy: policy.into(),
        slots: u32::try_from(shape.slots()).expect("at most 64 slots"),
        class: shape.class().name().into(),
    }
}

/// How they name the circuit of policy `opaque`.
#[must_use]
pub fn shape_name(shape: Shape) -> CircuitShape {
    circuit_shape(Opaque.name(), Form::without_cells(shape))
}
