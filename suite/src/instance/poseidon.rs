//! A chain of Poseidon permutations of width 3, as circomlib and arkworks inline it: three rows an S-box, and every
//! linear layer inside the rows of the next. In the partial rounds two lanes gather one more variable a round, so rows
//! grow to some sixty terms: that is what makes these matrices dense.

use super::builder::{Builder, Row, sum};
use ark_ff::Field;
use ukehi_circuits::poseidon::{DenseParameters, FULL_ROUNDS, dense_parameters, partial_rounds};
use ukehi_provers::Fr;

pub const WIDTH: usize = 3;
/// Rows of one permutation.
const ROWS: usize = 3 * (FULL_ROUNDS * WIDTH + partial_rounds(WIDTH));
/// The chain's first state, any full-width values.
const SEED: u64 = 0x9e37_79b9_7f4a_7c15;

/// As many permutations as fit; the first lane of the last one is public.
pub fn chain(rows: usize) -> Builder {
    let parameters = dense_parameters(WIDTH);
    let mut builder = Builder::new(rows);
    let mut state = start().map(|value| builder.witness(value));
    for _ in 0..links(rows) {
        state = permutation(&mut builder, &parameters, state);
    }
    builder.publish(&state[0]);
    builder
}

/// Permutations of a chain of so many rows, one of which publishes the end.
pub fn links(rows: usize) -> usize {
    (rows - 1) / ROWS
}

pub fn start() -> [Fr; WIDTH] {
    [1u64, 2, 3].map(|lane| Fr::from(SEED ^ lane).pow([5]))
}

fn permutation(
    builder: &mut Builder,
    parameters: &DenseParameters,
    mut state: [Row; WIDTH],
) -> [Row; WIDTH] {
    let partial = FULL_ROUNDS / 2..FULL_ROUNDS / 2 + partial_rounds(WIDTH);
    for (round, constants) in parameters.round_constants.iter().enumerate() {
        let boxes = if partial.contains(&round) { 1 } else { WIDTH };
        for (lane, constant) in state.iter_mut().zip(constants) {
            *lane = sum([(Fr::ONE, &*lane), (*constant, &Builder::constant(Fr::ONE))]);
        }
        for lane in &mut state[..boxes] {
            *lane = sbox(builder, lane);
        }
        let mixed = |i: usize| sum(parameters.mds[i].iter().copied().zip(&state));
        state = [mixed(0), mixed(1), mixed(2)];
    }
    state
}

fn sbox(builder: &mut Builder, input: &Row) -> Row {
    let square = builder.product(input, input);
    let fourth = builder.product(&square, &square);
    builder.product(&fourth, input)
}
