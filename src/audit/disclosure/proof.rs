//! Whether a Groth16 proof holds under a circuit of one public input.
//!
//! Invariant: the key is the one the circuit id commits to. Knows nothing of disclosures.

use ukehi_circuits::F;
use ukehi_keys::Manifest;
use ukehi_provers::groth16::{Groth16Proof, PreparedVerifyingKey, VerifyingKey, verify};

/// Whether the proof holds for x. Anything that does not decode does not hold.
pub(super) fn holds(manifest: &Manifest, x: F, proof: &[u8; 128]) -> bool {
    let key = VerifyingKey::from_bytes(manifest.verifying_key());
    match (key, Groth16Proof::from_bytes(proof)) {
        (Ok(key), Ok(proof)) if key.public_inputs() == 1 => {
            verify(&PreparedVerifyingKey::new(&key), &[x], &proof).is_ok()
        }
        _ => false,
    }
}
