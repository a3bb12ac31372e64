//! Poseidon over BN254 with circomlib's constants, domain-separated: `H(domain, inputs)`.
//!
//! Invariants: 1. the capacity lane fixes (domain, input length), injectively, so no two uses and no two lengths can
//! collide without a collision of the permutation itself; 2. output is lane 0, as in circomlib (ark returns lane 1).
//! Knows nothing of what is hashed.

mod constants;
pub(crate) mod gadget;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod lazy;
mod many;
mod matrix;
mod permutation;

pub use constants::{FULL_ROUNDS, MAX_WIDTH, MIN_WIDTH, partial_rounds};
pub use many::hash_each;
pub use permutation::permute;

/// The permutation's parameters as the paper and circomlib have them: for circuits that are written another way.
pub struct DenseParameters {
    /// A vector of `width` constants for each round, full and partial.
    pub round_constants: Vec<Vec<F>>,
    /// The mixing matrix, by rows.
    pub mds: Vec<Vec<F>>,
}

/// The parameters of a width of 2 to 17, derived anew. Panics at any other width.
#[must_use]
pub fn dense_parameters(width: usize) -> DenseParameters {
    assert!((MIN_WIDTH..=MAX_WIDTH).contains(&width));
    let dense = constants::Dense::new(width);
    DenseParameters {
        mds: (0..width).map(|i| dense.mds.row(i).to_vec()).collect(),
        round_constants: dense.round_constants,
    }
}

use crate::F;
use ark_ff::{AdditiveGroup, BigInt, PrimeField};
use zeroize::Zeroize;

/// Lanes a sponge absorbs at a time.
pub const RATE: usize = MAX_WIDTH - 1;

/// What a hash is for. Each use has its own tag in the capacity lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Domain {
    Key = 1,
    Keystream = 2,
    Route = 3,
    RouteCommitment = 4,
    Cell = 5,
    CellLeaf = 6,
    Leaf = 7,
    Node = 8,
    Statement = 9,
    Open = 10,
    Policy = 11,
}

impl Domain {
    /// The capacity lane: the integer `"ukehi/seal/v1" ‖ tag (1 byte) ‖ length (4 bytes)`, big-endian.
    ///
    /// 18 bytes, hence below the modulus, hence injective. Panics at 2^32 inputs or more.
    pub fn capacity(self, length: usize) -> F {
        let length = u32::try_from(length).expect("a hash has fewer than 2^32 inputs");
        let mut bytes = [0u8; 32];
        bytes[14..27].copy_from_slice(b"ukehi/seal/v1");
        bytes[27] = self as u8;
        bytes[28..].copy_from_slice(&length.to_be_bytes());
        let limb = |i: usize| u64::from_be_bytes(bytes[i..i + 8].try_into().expect("eight bytes"));
        F::from_bigint(BigInt::new([limb(24), limb(16), limb(8), limb(0)]))
            .expect("18 bytes are below the modulus")
    }
}

/// `H(domain, inputs)`: one permutation of width `inputs + 1` up to 16 inputs, a rate-16 sponge above.
///
/// The sponge adds each block into lanes 1..=16 and pads the last with zeros; the length in the capacity lane makes
/// that unambiguous. No inputs: the permutation of width 2 over a zero lane.
pub fn hash(domain: Domain, inputs: &[F]) -> F {
    let mut state = [F::ZERO; MAX_WIDTH];
    state[0] = domain.capacity(inputs.len());
    let width = width_for(inputs.len());
    if inputs.is_empty() {
        permute(&mut state[..width]);
    }
    for block in inputs.chunks(RATE) {
        state[1..]
            .iter_mut()
            .zip(block)
            .for_each(|(lane, input)| *lane += input);
        permute(&mut state[..width]);
    }
    let digest = state[0];
    state.zeroize();
    digest
}

/// State width for so many inputs.
pub(crate) fn width_for(inputs: usize) -> usize {
    (inputs + 1).clamp(MIN_WIDTH, MAX_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const DOMAINS: [Domain; 11] = [
        Domain::Key,
        Domain::Keystream,
        Domain::Route,
        Domain::RouteCommitment,
        Domain::Cell,
        Domain::CellLeaf,
        Domain::Leaf,
        Domain::Node,
        Domain::Statement,
        Domain::Open,
        Domain::Policy,
    ];

    #[test]
    fn no_two_domains_or_lengths_share_a_capacity_or_a_digest() {
        let mut capacities = HashSet::new();
        let mut digests = HashSet::new();
        for domain in DOMAINS {
            for length in 0..40 {
                assert!(capacities.insert(domain.capacity(length)));
                assert!(
                    digests.insert(hash(domain, &vec![F::ZERO; length])),
                    "{domain:?} of {length} zeros collides"
                );
            }
        }
    }

    #[test]
    fn a_long_hash_depends_on_every_input() {
        let inputs: Vec<F> = (0..37u64).map(F::from).collect();
        let digest = hash(Domain::Leaf, &inputs);
        for at in 0..inputs.len() {
            let mut changed = inputs.clone();
            changed[at] += F::from(1u8);
            assert_ne!(hash(Domain::Leaf, &changed), digest);
        }
    }
}
