//! The matrices A and B as the prover multiplies them: from a witness to the values of both on the domain.
//!
//! Each distinct coefficient is kept once (a hash permutation's constants return in every permutation), a term is
//! two 32-bit indices, the coefficients 1 and −1 cost no multiplication, and the products of a row are summed as they are. The instance rows, which keep the
//! public inputs' polynomials linearly independent, are rows of A like the others. Knows nothing of C.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use ukehi_kernels::portable::field::{CANONICAL_PRODUCTS, Lazy, Unreduced};

use crate::R1cs;
use crate::kernel::Kernel;
#[cfg(target_arch = "x86_64")]
use crate::kernel::ifma::product::{Product, Vector};

/// `coefficient · z[variable]`, the coefficient by its place in the table.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub(super) coefficient: u32,
    pub(super) variable: u32,
}

/// One row's terms: by coefficient 1, −1 and any other; ends are places in the list of all terms.
#[derive(Clone, Copy)]
struct RowEnds {
    ones: u32,
    minus_ones: u32,
    others: u32,
}

#[derive(Default)]
struct Matrix {
    rows: Vec<RowEnds>,
    terms: Vec<Term>,
}

/// A and B of one circuit.
pub(super) struct Rows {
    /// 1 and −1 first.
    coefficients: Vec<Fr>,
    a: Matrix,
    b: Matrix,
    #[cfg(target_arch = "x86_64")]
    vectors: Option<[Product; 2]>,
}

impl Rows {
    pub(super) fn of(kernel: Kernel, r1cs: &R1cs) -> Self {
        let [a, b, _] = r1cs.matrices();
        let instance: Vec<_> = (0..r1cs.instance_variables())
            .map(|variable| vec![(Fr::one(), variable)])
            .collect();
        let rows = a.iter().chain(&instance);
        Self::from_rows(kernel, rows, b.iter(), r1cs.variables())
    }

    /// From A, its instance rows last, and B.
    pub(super) fn from_rows<'a>(
        kernel: Kernel,
        a: impl Iterator<Item = &'a Vec<(Fr, usize)>>,
        b: impl Iterator<Item = &'a Vec<(Fr, usize)>>,
        variables: usize,
    ) -> Self {
        let mut table = Table::new();
        let matrices = [table.matrix(a), table.matrix(b)];
        Self::new(kernel, table.coefficients, matrices, variables)
    }

    #[cfg(target_arch = "x86_64")]
    fn new(kernel: Kernel, coefficients: Vec<Fr>, matrices: [Matrix; 2], variables: usize) -> Self {
        let product = |ifma, matrix: &Matrix| {
            Product::new(ifma, &coefficients, matrix.rows.len(), variables, |row| {
                let terms = matrix.row(row).iter();
                terms.map(|t| (t.coefficient, t.variable))
            })
        };
        let vectors = match kernel {
            Kernel::Ifma(ifma) => Some(matrices.each_ref().map(|m| product(ifma, m))),
            Kernel::Portable => None,
        };
        // One form of the matrices is enough.
        let [a, b] = match vectors {
            Some(_) => Default::default(),
            None => matrices,
        };
        Self {
            coefficients,
            a,
            b,
            vectors,
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn new(_: Kernel, coefficients: Vec<Fr>, [a, b]: [Matrix; 2], _: usize) -> Self {
        Self { coefficients, a, b }
    }

    /// A·z and B·z on the domain, into buffers of zeros.
    ///
    /// # Panics
    /// If `z` has another length than the circuit's variables or a buffer fewer values than there are rows.
    pub(super) fn evaluate(&self, z: &[Fr], a: &mut [Fr], b: &mut [Fr]) {
        #[cfg(target_arch = "x86_64")]
        if let Some(products) = &self.vectors {
            let z = Vector::new(z);
            products[0].apply(&z, a);
            products[1].apply(&z, b);
            return;
        }
        self.a.evaluate(&self.coefficients, z, a);
        self.b.evaluate(&self.coefficients, z, b);
    }
}

impl Matrix {
    #[cfg(target_arch = "x86_64")]
    fn row(&self, row: usize) -> &[Term] {
        let start = row
            .checked_sub(1)
            .map_or(0, |before| self.rows[before].others);
        &self.terms[start as usize..self.rows[row].others as usize]
    }

    fn evaluate(&self, coefficients: &[Fr], z: &[Fr], values: &mut [Fr]) {
        let mut start = 0;
        for (row, value) in self.rows.iter().zip(values) {
            let terms = |from: u32, to: u32| &self.terms[from as usize..to as usize];
            let variable = |term: &Term| z[term.variable as usize];
            let ones: Fr = terms(start, row.ones).iter().map(variable).sum();
            let minus: Fr = terms(row.ones, row.minus_ones).iter().map(variable).sum();
            *value = ones - minus;
            for run in terms(row.minus_ones, row.others).chunks(CANONICAL_PRODUCTS) {
                let mut sum = Unreduced::ZERO;
                for term in run {
                    let coefficient = Lazy::from_ark(&coefficients[term.coefficient as usize]);
                    let variable = Lazy::from_ark(&z[term.variable as usize]);
                    sum = sum.add(&Unreduced::product(&coefficient, &variable));
                }
                *value += sum.reduce().to_ark();
            }
            start = row.others;
        }
    }
}

struct Table {
    coefficients: Vec<Fr>,
    places: HashMap<Fr, u32>,
}

impl Table {
    fn new() -> Self {
        let coefficients = vec![Fr::one(), -Fr::one()];
        let places = coefficients.iter().copied().zip(0..).collect();
        Self {
            coefficients,
            places,
        }
    }

    fn matrix<'a>(&mut self, rows: impl Iterator<Item = &'a Vec<(Fr, usize)>>) -> Matrix {
        let mut matrix = Matrix::default();
        for row in rows {
            let part = |wanted: fn(&Fr) -> bool| row.iter().filter(move |(c, _)| wanted(c));
            let mut ends = [0; 3];
            let kinds: [fn(&Fr) -> bool; 3] = [
                Fr::is_one,
                |c| (-*c).is_one(),
                |c| !c.is_zero() && !c.is_one() && !(-*c).is_one(),
            ];
            for (end, kind) in ends.iter_mut().zip(kinds) {
                for (coefficient, variable) in part(kind) {
                    matrix.terms.push(Term {
                        coefficient: self.place(coefficient),
                        variable: u32::try_from(*variable)
                            .expect("a circuit has at most 2^28 variables"),
                    });
                }
                *end = u32::try_from(matrix.terms.len()).expect("a matrix has under 2^32 terms");
            }
            let [ones, minus_ones, others] = ends;
            matrix.rows.push(RowEnds {
                ones,
                minus_ones,
                others,
            });
        }
        matrix
    }

    fn place(&mut self, coefficient: &Fr) -> u32 {
        *self.places.entry(*coefficient).or_insert_with(|| {
            self.coefficients.push(*coefficient);
            self.coefficients.len() as u32 - 1
        })
    }
}

#[cfg(test)]
#[path = "rows_tests.rs"]
mod tests;
