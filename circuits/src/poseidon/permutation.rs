//! The native permutation, partial rounds in sparse form.
//!
//! Invariant: equal to the paper's dense permutation at every width (the tests hold a plain copy of it).
//! Knows nothing of domains, lengths or sponges.

use super::constants::{HALF, MAX_WIDTH, PartialRound, Sparse};
use super::lazy::dot;
use super::matrix::Matrix;
use crate::F;
use ark_ff::{AdditiveGroup, Field};
use zeroize::Zeroize;

/// Permutes a state of 2 to 17 lanes in place. Panics at any other width.
pub fn permute(state: &mut [F]) {
    let parameters = Sparse::of(state.len());
    for (round, constants) in parameters.first.iter().enumerate() {
        let matrix = if round == HALF - 1 {
            &parameters.pre_sparse
        } else {
            &parameters.mds
        };
        full_round(state, constants, matrix);
    }
    for round in &parameters.partial {
        partial_round(state, round);
    }
    for constants in &parameters.last {
        full_round(state, constants, &parameters.mds);
    }
}

fn full_round(state: &mut [F], constants: &[F], matrix: &Matrix) {
    let width = state.len();
    let mut boxed = [F::ZERO; MAX_WIDTH];
    for ((out, lane), constant) in boxed.iter_mut().zip(state.iter()).zip(constants) {
        *out = sbox(*lane + constant);
    }
    for (i, lane) in state.iter_mut().enumerate() {
        *lane = dot(matrix.row(i), &boxed[..width]);
    }
    boxed.zeroize();
}

fn partial_round(state: &mut [F], round: &PartialRound) {
    state[0] = sbox(state[0] + round.constant);
    let mixed = dot(&round.row, state);
    let first = state[0];
    for (lane, coefficient) in state[1..].iter_mut().zip(&round.column) {
        *lane += first * coefficient;
    }
    state[0] = mixed;
}

#[inline]
pub(super) fn sbox(value: F) -> F {
    value.square().square() * value
}

#[cfg(test)]
mod tests {
    use super::super::constants::{Dense, FULL_ROUNDS, MIN_WIDTH, partial_rounds};
    use super::*;
    use crate::gadget::testing::element;
    use ark_ff::MontFp;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    static DENSE: LazyLock<Vec<Dense>> =
        LazyLock::new(|| (MIN_WIDTH..=MAX_WIDTH).map(Dense::new).collect());

    /// The permutation as the paper defines it.
    fn permute_densely(state: &mut [F]) {
        let dense = &DENSE[state.len() - MIN_WIDTH];
        let partial = HALF..HALF + partial_rounds(state.len());
        for (round, constants) in dense.round_constants.iter().enumerate() {
            state
                .iter_mut()
                .zip(constants)
                .for_each(|(lane, constant)| *lane += constant);
            let boxes = if partial.contains(&round) {
                1
            } else {
                state.len()
            };
            state[..boxes]
                .iter_mut()
                .for_each(|lane| *lane = sbox(*lane));
            state.copy_from_slice(&dense.mds.apply(state));
        }
        assert_eq!(dense.round_constants.len(), FULL_ROUNDS + partial.len());
    }

    /// circomlib's hash: capacity lane zero, inputs, lane 0 out.
    fn circomlib(inputs: &[F]) -> F {
        let mut state = vec![F::ZERO];
        state.extend_from_slice(inputs);
        permute(&mut state);
        state[0]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]
        #[test]
        fn the_sparse_form_is_the_dense_permutation_at_every_width(lanes in prop::collection::vec(element(), MAX_WIDTH)) {
            for width in MIN_WIDTH..=MAX_WIDTH {
                let (mut sparse, mut dense) = (lanes[..width].to_vec(), lanes[..width].to_vec());
                permute(&mut sparse);
                permute_densely(&mut dense);
                prop_assert_eq!(sparse, dense);
            }
        }

        #[test]
        fn light_poseidon_agrees_at_every_width_it_has(lanes in prop::collection::vec(element(), 12)) {
            use light_poseidon::{Poseidon, PoseidonHasher};
            for inputs in 1..=12 {
                let expected = Poseidon::<F>::new_circom(inputs).unwrap().hash(&lanes[..inputs]).unwrap();
                prop_assert_eq!(circomlib(&lanes[..inputs]), expected);
            }
        }
    }

    #[test]
    fn published_vectors_of_circomlib_hold() {
        let count = |n: u64| (1..=n).map(F::from).collect::<Vec<_>>();
        assert_eq!(
            circomlib(&count(2)),
            MontFp!("7853200120776062878684798364095072458815029376092732009249414926327459813530")
        );
        // go-iden3-crypto's vectors for the widths light-poseidon lacks.
        assert_eq!(
            circomlib(&count(14)),
            MontFp!("8354478399926161176778659061636406690034081872658507739535256090879947077494")
        );
        assert_eq!(
            circomlib(&count(16)),
            MontFp!("9989051620750914585850546081941653841776809718687451684622678807385399211877")
        );
    }

    #[test]
    #[ignore = "a measurement, not a check"]
    fn time_of_one_permutation() {
        for width in [4, 8, 9, 12, 17] {
            let mut state = vec![F::from(7u8); width];
            permute(&mut state);
            let batch = |state: &mut [F]| {
                let start = std::time::Instant::now();
                (0..50).for_each(|_| permute(state));
                start.elapsed() / 50
            };
            // The least of many short batches: the machine is shared.
            println!(
                "t = {width}: {:?}",
                (0..100).map(|_| batch(&mut state)).min().unwrap()
            );
        }
    }
}
