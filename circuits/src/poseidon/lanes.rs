//! The permutation on eight states at once, in AVX-512 IFMA.
//!
//! Bounds are those of `ukehi_kernels::ifma::field`: the constants have bound 1, an S-box takes 9 and gives 2, a lane of a
//! full layer is a sum of at most 17 products of 2 and 1, so at most 1.5. In the partial rounds each lane but the first
//! grows by less than 1.2 a round; all are reduced every eighth round, so none exceeds 12, and the first, a sum of 17
//! products of 12 and 1, stays below 5 with its constant.
//!
//! Invariant: equal to [`super::permute`] in every lane. For public values only.
#![allow(unsafe_code)]

use super::constants::{HALF, MAX_WIDTH, MIN_WIDTH, Sparse};
use super::matrix::Matrix;
use super::{Domain, RATE, width_for};
use crate::F;
use ark_bn254::FrConfig;
use ark_ff::{AdditiveGroup, BigInt};
use std::sync::OnceLock;
use ukehi_kernels::Kernel;
use ukehi_kernels::ifma::constants::limbs;
use ukehi_kernels::ifma::field::{Fp8, LANES, splat};
use ukehi_kernels::ifma::{Ifma, wide::Wide};

type F8 = Fp8<FrConfig>;

/// Partial rounds between two reductions of all lanes.
const REDUCE_EVERY: usize = 8;

/// The proof that this CPU has the instructions, unless the environment asks for portable code. Looked up once.
pub(super) fn available() -> Option<Lanes> {
    static FOUND: OnceLock<Option<Lanes>> = OnceLock::new();
    *FOUND.get_or_init(|| match Kernel::detect() {
        Ok(Kernel::Ifma(ifma)) => Some(Lanes { _proof: ifma }),
        // Whoever proves says that the name is unknown; a digest is the same either way.
        Ok(Kernel::Portable) | Err(_) => None,
    })
}

/// Eight lanes at hand.
#[derive(Clone, Copy)]
pub(super) struct Lanes {
    _proof: Ifma,
}

impl Lanes {
    /// [`super::hash`] of every `length` inputs in turn.
    pub(super) fn hash_each(self, domain: Domain, length: usize, inputs: &[F]) -> Vec<F> {
        let mut digests = Vec::with_capacity(inputs.len() / length);
        let parameters = Parameters::of(width_for(length));
        let capacity = domain.capacity(length);
        for pieces in inputs.chunks(LANES * length) {
            let count = pieces.len() / length;
            // Lanes without a piece repeat the first.
            let piece = |lane: usize| if lane < count { lane } else { 0 };
            let input = |at: usize| -> [F; LANES] {
                std::array::from_fn(|lane| pieces[piece(lane) * length + at])
            };
            // SAFETY: `self` holds the proof that the CPU has the features.
            let digest = unsafe { sponge(parameters, capacity, length, &input) };
            digests.extend_from_slice(&digest[..count]);
        }
        digests
    }
}

/// A constant in limbs, in Montgomery form with R = 2^260, below p.
#[derive(Clone, Copy)]
struct Constant([u64; 5]);

impl Constant {
    fn new(element: &F) -> Self {
        // arkworks keeps x·2^256.
        let BigInt([a, b, c, d]) = (*element * F::from(16u8)).0;
        Self(limbs([a, b, c, d, 0]))
    }

    fn all(elements: &[F]) -> Box<[Self]> {
        elements.iter().map(Self::new).collect()
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn load(&self) -> F8 {
        F8::from_limbs(self.0.map(|limb| splat(limb)))
    }
}

struct PartialRound {
    constant: Constant,
    row: Box<[Constant]>,
    column: Box<[Constant]>,
}

/// [`Sparse`] in limbs.
struct Parameters {
    width: usize,
    first: Vec<Box<[Constant]>>,
    last: Vec<Box<[Constant]>>,
    /// Row-major.
    mds: Box<[Constant]>,
    pre_sparse: Box<[Constant]>,
    partial: Vec<PartialRound>,
}

impl Parameters {
    fn of(width: usize) -> &'static Self {
        static WIDTHS: [OnceLock<Parameters>; MAX_WIDTH - MIN_WIDTH + 1] =
            [const { OnceLock::new() }; MAX_WIDTH - MIN_WIDTH + 1];
        WIDTHS[width - MIN_WIDTH].get_or_init(|| Self::new(Sparse::of(width)))
    }

    fn new(sparse: &Sparse) -> Self {
        let matrix = |matrix: &Matrix| -> Box<[Constant]> {
            let rows = (0..sparse.width).flat_map(|i| matrix.row(i));
            rows.map(Constant::new).collect()
        };
        let rounds = |rounds: &[Vec<F>]| rounds.iter().map(|r| Constant::all(r)).collect();
        let partial = sparse.partial.iter().map(|round| PartialRound {
            constant: Constant::new(&round.constant),
            row: Constant::all(&round.row),
            column: Constant::all(&round.column),
        });
        Self {
            width: sparse.width,
            first: rounds(&sparse.first),
            last: rounds(&sparse.last),
            mds: matrix(&sparse.mds),
            pre_sparse: matrix(&sparse.pre_sparse),
            partial: partial.collect(),
        }
    }
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn sponge(
    parameters: &Parameters,
    capacity: F,
    length: usize,
    input: &dyn Fn(usize) -> [F; LANES],
) -> [F; LANES] {
    let width = parameters.width;
    let mut state = [F8::zero(); MAX_WIDTH];
    state[0] = F8::broadcast(&capacity).reduce();
    for start in (0..length).step_by(RATE) {
        let end = length.min(start + RATE);
        for (lane, at) in state[1..].iter_mut().zip(start..end) {
            *lane = lane.add(F8::from_ark(&input(at))).reduce();
        }
        permute(parameters, &mut state[..width]);
    }
    let mut digests = [F::ZERO; LANES];
    state[0].to_ark(&mut digests);
    digests
}

/// Lanes of bound 2 in and out.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn permute(parameters: &Parameters, state: &mut [F8]) {
    for (round, constants) in parameters.first.iter().enumerate() {
        let matrix = match round == HALF - 1 {
            true => &parameters.pre_sparse,
            false => &parameters.mds,
        };
        full_round(state, constants, matrix);
    }
    for (number, round) in parameters.partial.iter().enumerate() {
        let first = sbox(state[0].add(round.constant.load()));
        state[0] = first;
        let mixed = dot(&round.row, state);
        for (lane, coefficient) in state[1..].iter_mut().zip(&round.column) {
            *lane = lane.add(first.mul(coefficient.load()));
        }
        state[0] = mixed;
        if number % REDUCE_EVERY == REDUCE_EVERY - 1 {
            reduce_all(state);
        }
    }
    reduce_all(state);
    for constants in &parameters.last {
        full_round(state, constants, &parameters.mds);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn reduce_all(state: &mut [F8]) {
    for lane in state {
        *lane = lane.reduce();
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn full_round(state: &mut [F8], constants: &[Constant], matrix: &[Constant]) {
    let mut boxed = [F8::zero(); MAX_WIDTH];
    for ((out, lane), constant) in boxed.iter_mut().zip(state.iter()).zip(constants) {
        *out = sbox(lane.add(constant.load()));
    }
    let width = state.len();
    for (lane, row) in state.iter_mut().zip(matrix.chunks_exact(width)) {
        *lane = dot(row, &boxed[..width]);
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn sbox(value: F8) -> F8 {
    value.square().square().mul(value)
}

#[inline]
#[target_feature(enable = "avx512f,avx512dq,avx512ifma,avx512vbmi2")]
fn dot(row: &[Constant], state: &[F8]) -> F8 {
    let mut sum = Wide::zero();
    for (constant, lane) in row.iter().zip(state) {
        sum = sum.mul_add(*lane, constant.load());
    }
    sum.reduce()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gadget::testing::element;
    use ark_ff::PrimeField;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn eight_lanes_hash_as_one_at_every_width(pool in prop::collection::vec(element(), 8 * 16)) {
            let Some(lanes) = Ifma::detect().map(|_proof| Lanes { _proof }) else {
                println!("skipped: this CPU has no AVX-512 IFMA");
                return Ok(());
            };
            for length in 1..=16 {
                let inputs = &pool[..8 * length];
                let alone: Vec<F> = inputs.chunks(length).map(|piece| super::super::hash(Domain::Node, piece)).collect();
                prop_assert_eq!(lanes.hash_each(Domain::Node, length, inputs), alone);
            }
        }
    }

    /// Every lane at p − 1 in Montgomery form: the largest canonical representations.
    #[test]
    fn the_largest_elements_hash_as_alone() {
        let mut largest = F::MODULUS;
        largest.0[0] -= 1;
        let largest = F::new_unchecked(largest);
        for length in [16, 37] {
            let inputs = vec![largest; 8 * length];
            let alone = super::super::hash(Domain::Leaf, &inputs[..length]);
            assert_eq!(
                super::super::hash_each(Domain::Leaf, length, &inputs),
                [alone; 8]
            );
        }
    }

    #[test]
    #[ignore = "a measurement, not a check"]
    fn time_of_eight_hashes() {
        for length in [3, 8, 16] {
            let inputs = vec![F::from(7u8); 8 * length];
            let run = || {
                let start = std::time::Instant::now();
                (0..20).for_each(|_| {
                    drop(std::hint::black_box(super::super::hash_each(
                        Domain::Node,
                        length,
                        &inputs,
                    )))
                });
                start.elapsed() / 160
            };
            println!(
                "t = {}: {:?} each of eight",
                length + 1,
                (0..100).map(|_| run()).min().unwrap()
            );
        }
    }
}
