//! Small square matrices over the field: what deriving Poseidon's sparse form and inverting its layers needs.

use super::lazy::dot;
use crate::F;
use ark_ff::{AdditiveGroup, Field};

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Matrix {
    width: usize,
    /// Row-major.
    entries: Vec<F>,
}

impl Matrix {
    pub(super) fn from_fn(width: usize, entry: impl Fn(usize, usize) -> F) -> Self {
        let entries = (0..width * width)
            .map(|at| entry(at / width, at % width))
            .collect();
        Matrix { width, entries }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn row(&self, i: usize) -> &[F] {
        &self.entries[i * self.width..(i + 1) * self.width]
    }

    pub(super) fn get(&self, i: usize, j: usize) -> F {
        self.entries[i * self.width + j]
    }

    pub(super) fn apply(&self, vector: &[F]) -> Vec<F> {
        (0..self.width).map(|i| dot(self.row(i), vector)).collect()
    }

    pub(super) fn multiply(&self, right: &Matrix) -> Matrix {
        Matrix::from_fn(self.width, |i, j| {
            (0..self.width)
                .map(|k| self.get(i, k) * right.get(k, j))
                .sum()
        })
    }

    /// The inverse, or `None` for a singular matrix (Gauss-Jordan).
    pub(super) fn inverse(&self) -> Option<Matrix> {
        let n = self.width;
        let mut left = self.clone();
        let mut right = Matrix::from_fn(n, |i, j| if i == j { F::ONE } else { F::ZERO });
        for column in 0..n {
            let pivot = (column..n).find(|&row| left.get(row, column) != F::ZERO)?;
            for matrix in [&mut left, &mut right] {
                for j in 0..n {
                    matrix.entries.swap(pivot * n + j, column * n + j);
                }
            }
            let scale = left
                .get(column, column)
                .inverse()
                .expect("the pivot is not zero");
            for matrix in [&mut left, &mut right] {
                matrix.entries[column * n..(column + 1) * n]
                    .iter_mut()
                    .for_each(|entry| *entry *= scale);
            }
            for row in (0..n).filter(|&row| row != column) {
                let factor = left.get(row, column);
                for matrix in [&mut left, &mut right] {
                    for j in 0..n {
                        let term = factor * matrix.get(column, j);
                        matrix.entries[row * n + j] -= term;
                    }
                }
            }
        }
        Some(right)
    }

    /// `self = [[row], [column, I]] · block`, with `block = [[1, 0], [0, M̂]]`.
    pub(super) fn split_sparse(&self) -> (Vec<F>, Vec<F>, Matrix) {
        let n = self.width;
        let hat = Matrix::from_fn(n - 1, |i, j| self.get(i + 1, j + 1));
        let hat_inverse = hat
            .inverse()
            .expect("every submatrix met on the way is invertible for these parameters");
        let mut row = vec![self.get(0, 0)];
        row.extend((0..n - 1).map(|j| {
            (0..n - 1)
                .map(|k| self.get(0, k + 1) * hat_inverse.get(k, j))
                .sum::<F>()
        }));
        let column = (1..n).map(|i| self.get(i, 0)).collect();
        let block = Matrix::from_fn(n, |i, j| match (i, j) {
            (0, 0) => F::ONE,
            (0, _) | (_, 0) => F::ZERO,
            _ => hat.get(i - 1, j - 1),
        });
        (row, column, block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inverse_undoes_and_a_singular_matrix_has_none() {
        let cauchy = Matrix::from_fn(5, |i, j| F::from((i + j + 1) as u64).inverse().unwrap());
        let identity = Matrix::from_fn(5, |i, j| F::from(u8::from(i == j)));
        assert_eq!(cauchy.multiply(&cauchy.inverse().unwrap()), identity);
        assert!(
            Matrix::from_fn(3, |i, _| F::from(i as u64))
                .inverse()
                .is_none()
        );
    }
}
