//! The number-theoretic transform the prover needs: from values on a domain of 2^k points to values on its odd
//! coset, that is, the points between them in the domain twice as large.
//!
//! The inverse transform runs by decimation in frequency and leaves its result in bit-reversed order, the shift is
//! applied there, and the forward transform runs by decimation in time from that order back to the natural one; so no
//! element is ever moved to its reversed place. All twiddles are computed once per domain.
//! Knows nothing of circuits; buffers are the caller's to erase.

mod portable;

#[cfg(target_arch = "x86_64")]
use crate::kernel::ifma::transform::{SMALLEST, Transform};

use ark_bn254::Fr;
use ark_ff::{FftField, Field, One};

use crate::kernel::Kernel;

/// Largest domain: its odd coset lies in one twice as large, and BN254's scalar field has 2-adicity 28.
const MAX_LOG2: u32 = 27;

/// A domain with its twiddles.
pub struct Domain {
    kernel: Kernel,
    size: usize,
    /// ω^i for i < size/2, ω of order `size`.
    roots: Vec<Fr>,
    /// ω^−i for i < size/2.
    inverse_roots: Vec<Fr>,
    /// ζ^k/size in bit-reversed order, ζ of order 2·size: the shift to the coset and the inverse's scale in one.
    shifts: Vec<Fr>,
    #[cfg(target_arch = "x86_64")]
    vectors: Option<Transform>,
}

impl Domain {
    /// # Panics
    /// If `size` is no power of two up to 2^27: [`crate::R1cs`] bounds it.
    pub fn new(kernel: Kernel, size: usize) -> Self {
        assert!(
            size.is_power_of_two() && size.ilog2() <= MAX_LOG2,
            "a circuit's domain is a power of two up to 2^27"
        );
        let zeta = Fr::get_root_of_unity(2 * size as u64).expect("2·size divides 2^28");
        let omega = zeta * zeta;
        let inverse = omega.inverse().expect("a root of unity is not zero");
        let scale = Fr::from(size as u64)
            .inverse()
            .expect("a power of two is not zero in a field of odd order");
        let in_order: Vec<Fr> = powers(zeta, scale).take(size).collect();
        let roots: Vec<Fr> = powers(omega, Fr::one()).take(size / 2).collect();
        let inverse_roots: Vec<Fr> = powers(inverse, Fr::one()).take(size / 2).collect();
        let shifts: Vec<Fr> = (0..size).map(|k| in_order[bit_reversed(k, size)]).collect();
        Self {
            kernel,
            size,
            #[cfg(target_arch = "x86_64")]
            vectors: match kernel {
                Kernel::Ifma(ifma) if size >= SMALLEST => {
                    Some(Transform::new(ifma, &inverse_roots, &roots, &shifts))
                }
                _ => None,
            },
            roots,
            inverse_roots,
            shifts,
        }
    }

    pub(crate) fn kernel(&self) -> Kernel {
        self.kernel
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// From values on the domain to values of the same polynomial on the odd coset, in order.
    ///
    /// # Panics
    /// If `values` are not as many as the domain has points.
    pub fn to_odd_coset(&self, values: &mut [Fr]) {
        assert_eq!(values.len(), self.size, "one value per point of the domain");
        #[cfg(target_arch = "x86_64")]
        if let Some(vectors) = &self.vectors {
            return vectors.to_odd_coset(values);
        }
        portable::transform(values, &self.inverse_roots, &self.shifts, &self.roots);
    }

    /// ω^i for i below half the size.
    pub(crate) fn roots(&self) -> &[Fr] {
        &self.roots
    }

    /// ω^−i for i below half the size.
    pub(crate) fn inverse_roots(&self) -> &[Fr] {
        &self.inverse_roots
    }

    /// What [`Domain::to_odd_coset`] multiplies by between its two transforms.
    pub(crate) fn shifts(&self) -> &[Fr] {
        &self.shifts
    }
}

fn powers(base: Fr, first: Fr) -> impl Iterator<Item = Fr> {
    std::iter::successors(Some(first), move |power| Some(*power * base))
}

/// `index` with the bits below `size` in reverse order.
pub(crate) fn bit_reversed(index: usize, size: usize) -> usize {
    match size.ilog2() {
        0 => 0,
        bits => index.reverse_bits() >> (usize::BITS - bits),
    }
}

#[cfg(test)]
mod tests;
