//! Proofs of `open/v1`: which circuit of a set of manifests, and does the proof hold.
//!
//! Invariant: the key is the one the circuit id commits to. Knows nothing of disclosures.

use crate::batch::{CircuitKind, kind_of};
use ukehi_circuits::F;
use ukehi_circuits::shape::{Class, Form};
use ukehi_keys::{CircuitId, Manifest};
use ukehi_provers::groth16::{Groth16Proof, PreparedVerifyingKey, VerifyingKey, verify};

/// The form of a batch circuit, if the manifests have it.
pub(super) fn seal_form(manifests: &[Manifest], circuit: &CircuitId) -> Option<Form> {
    match kind_of(find(manifests, circuit)?).ok()? {
        CircuitKind::Seal(form) => Some(form),
        CircuitKind::Open(_) => None,
    }
}

/// The manifest of a disclosure circuit, if it is of this class.
pub(super) fn open_circuit<'a>(
    manifests: &'a [Manifest],
    circuit: &CircuitId,
    class: Class,
) -> Option<&'a Manifest> {
    let manifest = find(manifests, circuit)?;
    let kind = kind_of(manifest).ok()?;
    (kind == CircuitKind::Open(class)).then_some(manifest)
}

/// Whether the proof holds for x_o. Anything that does not decode does not hold.
pub(super) fn holds(manifest: &Manifest, x: F, proof: &[u8; 128]) -> bool {
    let key = VerifyingKey::from_bytes(manifest.verifying_key());
    match (key, Groth16Proof::from_bytes(proof)) {
        (Ok(key), Ok(proof)) if key.public_inputs() == 1 => {
            verify(&PreparedVerifyingKey::new(&key), &[x], &proof).is_ok()
        }
        _ => false,
    }
}

fn find<'a>(manifests: &'a [Manifest], circuit: &CircuitId) -> Option<&'a Manifest> {
    manifests.iter().find(|m| m.circuit_id() == *circuit)
}
