//! What the contributions hash (snarkjs 0.7.6, `zkey_utils.js`): BLAKE2b-512 over points in their uncompressed form.

use ark_bn254::G1Affine;
use blake2::{Blake2b512, Digest};

use crate::iden3::{Contribution, Iden3Point, PhaseTwo, TRANSCRIPT_BYTES};

/// Follows the steps of a key; its state after step i is what step i + 1 commits to.
#[derive(Clone)]
pub(super) struct Transcript(Blake2b512);

impl Transcript {
    pub(super) fn new(circuit_hash: &[u8; TRANSCRIPT_BYTES]) -> Self {
        Self(Blake2b512::new_with_prefix(circuit_hash))
    }

    /// After all steps of a key.
    pub(super) fn of(phase_two: &PhaseTwo) -> Self {
        let mut transcript = Self::new(&phase_two.circuit_hash);
        for contribution in &phase_two.contributions {
            transcript.absorb(contribution);
        }
        transcript
    }

    pub(super) fn absorb(&mut self, contribution: &Contribution) {
        absorb(&mut self.0, contribution);
    }

    /// What the next step, with these points, is challenged by.
    pub(super) fn challenge(&self, g1_s: &G1Affine, g1_sx: &G1Affine) -> [u8; TRANSCRIPT_BYTES] {
        let mut hasher = self.0.clone();
        put_point(&mut hasher, g1_s);
        put_point(&mut hasher, g1_sx);
        hasher.finalize().into()
    }
}

/// The hash both tools print for a contribution, and participants announce and sign.
pub fn contribution_hash(contribution: &Contribution) -> [u8; TRANSCRIPT_BYTES] {
    let mut hasher = Blake2b512::new();
    absorb(&mut hasher, contribution);
    hasher.finalize().into()
}

fn absorb(hasher: &mut Blake2b512, contribution: &Contribution) {
    put_point(hasher, &contribution.delta_after);
    put_point(hasher, &contribution.g1_s);
    put_point(hasher, &contribution.g1_sx);
    put_point(hasher, &contribution.g2_spx);
    hasher.update(contribution.transcript);
}

pub(super) fn put_point<P: Iden3Point>(hasher: &mut Blake2b512, point: &P) {
    put_points(hasher, std::slice::from_ref(point));
}

pub(super) fn put_points<P: Iden3Point>(hasher: &mut Blake2b512, points: &[P]) {
    let mut bytes = Vec::with_capacity(points.len() * <P as Iden3Point>::BYTES);
    points.iter().for_each(|p| p.put_uncompressed(&mut bytes));
    hasher.update(&bytes);
}
