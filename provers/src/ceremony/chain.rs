//! The steps of a key, one after the other: each follows from the one before by a share its contributor knew.

use ark_bn254::G1Affine;
use ark_ec::{AffineRepr, CurveGroup};

use super::combine::same_ratio;
use super::oracle::{
    MAX_BEACON_BYTES, MAX_BEACON_ITERATIONS_LOG2, MIN_BEACON_ITERATIONS_LOG2, beacon_oracle,
    hash_to_g2,
};
use super::transcript::{Transcript, contribution_hash};
use crate::iden3::{Contribution, ContributionKind, PhaseTwo, TRANSCRIPT_BYTES};

/// What is wrong with a contribution; they count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    #[error("contribution {contribution} does not commit to those before it")]
    Transcript { contribution: usize },
    #[error("contribution {contribution} does not prove that its share was known")]
    Knowledge { contribution: usize },
    #[error(
        "the delta of contribution {contribution} does not follow from the one before by its share"
    )]
    Delta { contribution: usize },
    #[error("beacon {contribution} is not what its value gives")]
    Beacon { contribution: usize },
    #[error(
        "beacon {contribution} asks for 2^{found} iterations, 2^{MIN_BEACON_ITERATIONS_LOG2} to 2^{MAX_BEACON_ITERATIONS_LOG2} are followed"
    )]
    BeaconIterations { contribution: usize, found: u8 },
    #[error("contribution {contribution} follows a beacon, which must be last")]
    AfterBeacon { contribution: usize },
}

/// The hash of each contribution, in order, if each follows from the one before.
pub fn verify_chain(phase_two: &PhaseTwo) -> Result<Vec<[u8; TRANSCRIPT_BYTES]>, ChainFault> {
    let mut transcript = Transcript::new(&phase_two.circuit_hash);
    let mut delta = G1Affine::generator();
    let mut hashes = Vec::with_capacity(phase_two.contributions.len());
    let mut closed = false;
    for (contribution, c) in (1..).zip(&phase_two.contributions) {
        if closed {
            return Err(ChainFault::AfterBeacon { contribution });
        }
        if transcript.challenge(&c.g1_s, &c.g1_sx) != c.transcript {
            return Err(ChainFault::Transcript { contribution });
        }
        let g2_sp = hash_to_g2(&c.transcript);
        if !same_ratio(c.g1_s, c.g1_sx, g2_sp, c.g2_spx) {
            return Err(ChainFault::Knowledge { contribution });
        }
        if !same_ratio(delta, c.delta_after, g2_sp, c.g2_spx) {
            return Err(ChainFault::Delta { contribution });
        }
        closed = is_sound_beacon(contribution, c)?;
        transcript.absorb(c);
        hashes.push(contribution_hash(c));
        delta = c.delta_after;
    }
    Ok(hashes)
}

/// Whether it is a beacon; an error if it is one that its value does not give.
fn is_sound_beacon(contribution: usize, c: &Contribution) -> Result<bool, ChainFault> {
    let ContributionKind::Beacon {
        iterations_log2,
        value,
    } = &c.kind
    else {
        return Ok(false);
    };
    let allowed = MIN_BEACON_ITERATIONS_LOG2..=MAX_BEACON_ITERATIONS_LOG2;
    if !allowed.contains(iterations_log2) {
        return Err(ChainFault::BeaconIterations {
            contribution,
            found: *iterations_log2,
        });
    }
    if value.is_empty() || value.len() > MAX_BEACON_BYTES {
        return Err(ChainFault::Beacon { contribution });
    }
    let mut oracle = beacon_oracle(value, *iterations_log2);
    let share = oracle.scalar();
    let g1_s = oracle.g1();
    if c.g1_s != g1_s || c.g1_sx != (g1_s * share).into_affine() {
        return Err(ChainFault::Beacon { contribution });
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::G2Affine;

    #[test]
    fn a_beacon_of_no_value_is_none_however_well_it_fits() {
        let beacon = |value: &[u8]| {
            let mut oracle = beacon_oracle(value, MIN_BEACON_ITERATIONS_LOG2);
            let share = oracle.scalar();
            let g1_s = oracle.g1();
            let contribution = Contribution {
                delta_after: G1Affine::generator(),
                g1_s,
                g1_sx: (g1_s * share).into_affine(),
                g2_spx: G2Affine::generator(),
                transcript: [0; TRANSCRIPT_BYTES],
                name: None,
                kind: ContributionKind::Beacon {
                    iterations_log2: MIN_BEACON_ITERATIONS_LOG2,
                    value: value.to_vec(),
                },
            };
            is_sound_beacon(1, &contribution)
        };
        assert_eq!(beacon(b"drawn"), Ok(true));
        let refused = Err(ChainFault::Beacon { contribution: 1 });
        assert_eq!(beacon(b""), refused);
        assert_eq!(beacon(&[7; MAX_BEACON_BYTES + 1]), refused);
    }
}
