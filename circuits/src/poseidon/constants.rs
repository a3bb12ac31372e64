//! Poseidon's round constants and matrices for BN254, as circomlib uses them, derived on first use of a width.
//!
//! The Grain LFSR of the Poseidon paper (eprint 2019/458, appendix E) is run here rather than tables being shipped:
//! a table cannot be reviewed, the generator can. The partial rounds are rewritten in the sparse form of appendix B.
//! Invariant: `Dense` and `Sparse` describe the same permutation (tested for every width).

use super::matrix::Matrix;
use crate::F;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use std::sync::LazyLock;

/// Smallest and largest state width.
pub const MIN_WIDTH: usize = 2;
pub const MAX_WIDTH: usize = 17;

/// Full rounds, at every width: half before the partial rounds, half after.
pub const FULL_ROUNDS: usize = 8;
pub(super) const HALF: usize = FULL_ROUNDS / 2;

/// Partial rounds by width, from width 2.
const PARTIAL_ROUNDS: [usize; 16] = [
    56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68,
];

/// Partial rounds of the permutation of this width.
pub const fn partial_rounds(width: usize) -> usize {
    PARTIAL_ROUNDS[width - MIN_WIDTH]
}

/// The permutation as the paper writes it: every round adds constants, applies S-boxes and one dense matrix.
pub(super) struct Dense {
    /// One vector of `width` constants per round.
    pub round_constants: Vec<Vec<F>>,
    pub mds: Matrix,
}

impl Dense {
    pub(super) fn new(width: usize) -> Self {
        let mut grain = Grain::new(width, partial_rounds(width));
        let round_constants = (0..FULL_ROUNDS + partial_rounds(width))
            .map(|_| (0..width).map(|_| grain.element_by_rejection()).collect())
            .collect();
        let xs: Vec<F> = (0..width).map(|_| grain.element_by_reduction()).collect();
        let ys: Vec<F> = (0..width).map(|_| grain.element_by_reduction()).collect();
        // A Cauchy matrix: every square submatrix of it is invertible, which the gadget relies on.
        let mds = Matrix::from_fn(width, |i, j| {
            (xs[i] + ys[j])
                .inverse()
                .expect("x_i + y_j is not zero in these parameters")
        });
        Dense {
            round_constants,
            mds,
        }
    }
}

/// A partial round: add `constant` to lane 0, S-box on lane 0, then the matrix `[[row], [column, identity]]`.
pub(super) struct PartialRound {
    pub constant: F,
    /// Row 0 of the matrix.
    pub row: Vec<F>,
    /// Column 0, below row 0.
    pub column: Vec<F>,
}

/// The same permutation with sparse partial rounds.
pub(super) struct Sparse {
    pub width: usize,
    pub first: Vec<Vec<F>>,
    pub mds: Matrix,
    /// The matrix of the last full round before the partial ones.
    pub pre_sparse: Matrix,
    pub partial: Vec<PartialRound>,
    pub last: Vec<Vec<F>>,
}

impl Sparse {
    /// The parameters of a width, computed on first use and kept.
    pub(super) fn of(width: usize) -> &'static Sparse {
        static WIDTHS: [LazyLock<Sparse>; 16] = [
            LazyLock::new(|| Sparse::from_dense(&Dense::new(2))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(3))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(4))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(5))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(6))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(7))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(8))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(9))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(10))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(11))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(12))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(13))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(14))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(15))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(16))),
            LazyLock::new(|| Sparse::from_dense(&Dense::new(17))),
        ];
        assert!(
            (MIN_WIDTH..=MAX_WIDTH).contains(&width),
            "Poseidon is defined for widths 2 to 17"
        );
        &WIDTHS[width - MIN_WIDTH]
    }

    fn from_dense(dense: &Dense) -> Self {
        let width = dense.mds.width();
        let rounds = partial_rounds(width);

        // Constants of the lanes without an S-box commute with it: push them through the matrix into the next round.
        let mut constants = Vec::with_capacity(rounds);
        let mut carried = vec![F::ZERO; width];
        for round in &dense.round_constants[HALF..HALF + rounds] {
            let mut total: Vec<F> = round.iter().zip(&carried).map(|(a, b)| *a + b).collect();
            constants.push(std::mem::replace(&mut total[0], F::ZERO));
            carried = dense.mds.apply(&total);
        }
        let mut last = dense.round_constants[HALF + rounds..].to_vec();
        for (constant, carry) in last[0].iter_mut().zip(&carried) {
            *constant += carry;
        }

        // M = sparse · block(1, M̂): the block commutes with the S-box on lane 0, so it moves one round earlier,
        // until it meets the last full round.
        let mut partial = Vec::with_capacity(rounds);
        let mut matrix = dense.mds.clone();
        for constant in constants.iter().rev() {
            let (row, column, block) = matrix.split_sparse();
            partial.push(PartialRound {
                constant: *constant,
                row,
                column,
            });
            matrix = block.multiply(&dense.mds);
        }
        partial.reverse();

        Sparse {
            width,
            first: dense.round_constants[..HALF].to_vec(),
            mds: dense.mds.clone(),
            pre_sparse: matrix,
            partial,
            last,
        }
    }
}

/// The Grain LFSR in its self-shrinking mode, seeded with the parameters of the permutation.
struct Grain {
    state: [bool; 80],
    head: usize,
}

impl Grain {
    fn new(width: usize, partial_rounds: usize) -> Self {
        let mut state = [true; 80];
        let mut at = 0;
        // Prime field (1), S-box x^α (0), field bits, width, full rounds, partial rounds; the last 30 bits stay 1.
        for (value, bits) in [
            (1, 2),
            (0, 4),
            (F::MODULUS_BIT_SIZE as usize, 12),
            (width, 12),
            (FULL_ROUNDS, 10),
            (partial_rounds, 10),
        ] {
            for bit in (0..bits).rev() {
                state[at] = (value >> bit) & 1 == 1;
                at += 1;
            }
        }
        let mut grain = Grain { state, head: 0 };
        for _ in 0..160 {
            grain.step();
        }
        grain
    }

    fn step(&mut self) -> bool {
        let tap = |offset: usize| self.state[(self.head + offset) % 80];
        let bit = tap(62) ^ tap(51) ^ tap(38) ^ tap(23) ^ tap(13) ^ tap(0);
        self.state[self.head] = bit;
        self.head = (self.head + 1) % 80;
        bit
    }

    fn bit(&mut self) -> bool {
        while !self.step() {
            self.step();
        }
        self.step()
    }

    /// The next 254 bits, most significant first.
    fn integer(&mut self) -> <F as PrimeField>::BigInt {
        let bits: Vec<bool> = (0..F::MODULUS_BIT_SIZE).map(|_| self.bit()).collect();
        <F as PrimeField>::BigInt::from_bits_be(&bits)
    }

    fn element_by_rejection(&mut self) -> F {
        loop {
            if let Some(element) = F::from_bigint(self.integer()) {
                return element;
            }
        }
    }

    fn element_by_reduction(&mut self) -> F {
        F::from_le_bytes_mod_order(&self.integer().to_bytes_le())
    }
}
