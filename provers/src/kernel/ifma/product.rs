//! A sparse matrix times a vector, eight rows at a time.
//!
//! Rows of like length share a group, one lane a row; shorter ones are filled up with zeros. The products of a row are
//! summed as they are and reduced once. Coefficients (R = 2^260) and vector (arkworks' R = 2^256) are canonical, so a
//! product is below p² and a sum of 256 far below what [`Wide`] takes.

use core::arch::x86_64::*;

use ark_bn254::{Fr, FrConfig};
use zeroize::Zeroizing;

use super::Ifma;
use super::field::{Fp8, LANES};
use super::wide::Wide;

type V = Fp8<FrConfig>;

/// Products summed between two reductions.
const RUN: usize = 256;
/// Limbs of an element.
const LIMBS: usize = 5;

/// One term of each of eight rows: places of the coefficients and of the variables, in words.
#[repr(align(64))]
#[derive(Clone, Copy)]
struct Terms {
    coefficients: [u32; LANES],
    variables: [u32; LANES],
}

/// A sum of terms never named: coefficient 0, which is zero, times variable 0.
const NONE: Terms = Terms {
    coefficients: [0; LANES],
    variables: [0; LANES],
};

struct Group {
    rows: [u32; LANES],
    /// Rows there are; the last group may have fewer than eight.
    used: usize,
    terms: core::ops::Range<usize>,
}

/// A matrix in groups of rows.
pub struct Product {
    ifma: Ifma,
    rows: usize,
    variables: usize,
    /// Canonical limbs, R = 2^260; zero first.
    coefficients: Vec<[u64; LIMBS]>,
    groups: Vec<Group>,
    terms: Vec<Terms>,
}

impl Product {
    /// `row(i)` gives row i's terms, as places in `coefficients` and of variables.
    ///
    /// # Panics
    /// If a place does not exist.
    pub fn new<'a, T: Iterator<Item = (u32, u32)>>(
        ifma: Ifma,
        coefficients: &[Fr],
        rows: usize,
        variables: usize,
        row: impl Fn(usize) -> T + 'a,
    ) -> Self {
        let places = |count: usize| u32::try_from(LIMBS * (count + 1)).is_ok();
        assert!(
            places(coefficients.len()) && places(variables),
            "places in words are 32-bit numbers"
        );
        let mut by_length: Vec<(u32, u32)> = (0..rows)
            .map(|i| (row(i).count() as u32, i as u32))
            .collect();
        by_length.sort_unstable();
        let mut product = Self {
            ifma,
            rows,
            variables,
            coefficients: vec![[0; LIMBS]],
            groups: Vec::new(),
            terms: Vec::new(),
        };
        product
            .coefficients
            .extend(coefficients.iter().map(limbs_times_16));
        for group in by_length.chunks(LANES) {
            let start = product.terms.len();
            let longest = group.iter().map(|(length, _)| *length).max().unwrap_or(0);
            product.terms.resize(start + longest as usize, NONE);
            let mut rows = [0; LANES];
            for (lane, (_, i)) in group.iter().enumerate() {
                rows[lane] = *i;
                for (terms, (coefficient, variable)) in
                    product.terms[start..].iter_mut().zip(row(*i as usize))
                {
                    assert!((coefficient as usize) < coefficients.len());
                    assert!((variable as usize) < variables);
                    terms.coefficients[lane] = LIMBS as u32 * (coefficient + 1);
                    terms.variables[lane] = LIMBS as u32 * variable;
                }
            }
            product.groups.push(Group {
                rows,
                used: group.len(),
                terms: start..product.terms.len(),
            });
        }
        product
    }

    /// The matrix times `vector`, into the first values of `out`.
    ///
    /// # Panics
    /// If the vector has another length than the matrix has variables, or `out` fewer values than it has rows.
    pub fn apply(&self, vector: &Vector, out: &mut [Fr]) {
        assert_eq!(vector.0.len(), self.variables, "one value per variable");
        assert!(out.len() >= self.rows, "one value per row");
        let _: Ifma = self.ifma;
        // SAFETY: `self.ifma` proves that the CPU has the features.
        unsafe { self.run(vector, out) }
    }

    #[target_feature(enable = "avx512f,avx512ifma,avx512vbmi2")]
    fn run(&self, vector: &Vector, out: &mut [Fr]) {
        let mut values = Zeroizing::new([Fr::default(); LANES]);
        for group in &self.groups {
            let mut sum = V::zero();
            for run in self.terms[group.terms.clone()].chunks(RUN) {
                let mut products = Wide::zero();
                for terms in run {
                    // SAFETY: `new` checked that every place is that of an element, and `apply` that the
                    // vector has the length it was checked against.
                    let (c, z) = unsafe {
                        (
                            gather(&self.coefficients, &terms.coefficients),
                            gather(&vector.0, &terms.variables),
                        )
                    };
                    products = products.mul_add(c, z);
                }
                sum = sum.add(products.reduce()).reduce();
            }
            sum.to_ark_as_is(&mut values);
            for (value, row) in values.iter().zip(group.rows).take(group.used) {
                out[row as usize] = *value;
            }
        }
    }
}

/// A vector's elements as limbs; zeroised on drop.
pub struct Vector(Zeroizing<Vec<[u64; LIMBS]>>);

impl Vector {
    pub fn new(elements: &[Fr]) -> Self {
        let mut limbs = Zeroizing::new(Vec::with_capacity(elements.len()));
        limbs.extend(elements.iter().map(|e| split(e.0.0)));
        Self(limbs)
    }
}

/// Words to limbs of 52 bits.
fn split([a, b, c, d]: [u64; 4]) -> [u64; LIMBS] {
    const MASK: u64 = (1 << 52) - 1;
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        d >> 16,
    ]
}

/// The canonical limbs of an element with R = 2^260.
fn limbs_times_16(element: &Fr) -> [u64; LIMBS] {
    split((*element * Fr::from(16u64)).0.0)
}

/// Eight elements, by the places of their first words.
///
/// # Safety
/// Every place is that of an element's first word.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn gather(elements: &[[u64; LIMBS]], places: &[u32; LANES]) -> V {
    let base = elements.as_ptr().cast::<i64>();
    // SAFETY: the array is 32 bytes; the places are inside the elements, whose limbs follow one another, and
    // 2^32 words are below what a 64-bit offset holds.
    unsafe {
        let offsets = _mm512_cvtepu32_epi64(_mm256_loadu_si256(places.as_ptr().cast()));
        V::from_limbs([
            _mm512_i64gather_epi64::<8>(offsets, base),
            _mm512_i64gather_epi64::<8>(offsets, base.add(1)),
            _mm512_i64gather_epi64::<8>(offsets, base.add(2)),
            _mm512_i64gather_epi64::<8>(offsets, base.add(3)),
            _mm512_i64gather_epi64::<8>(offsets, base.add(4)),
        ])
    }
}
