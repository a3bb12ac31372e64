//! The transform of [`crate::ntt`] transposed and on points of G1: the map that turns H, a basis for values on the
//! odd coset, into a basis for values on the domain.
//!
//! The coset map is M = F·D·F⁻¹ with F the transform and D the shift; F is symmetric, so Mᵀ = F⁻¹·D·F: a forward
//! transform, the same shift, an inverse transform, each with the other's twiddles. About n·log n multiplications of a
//! point by a root of unity, on the rayon pool it is called in.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::CurveGroup;
use rayon::prelude::*;

use super::work::{Cancelled, Work};
use crate::kernel::Kernel;
use crate::msm::batch_mul;
use crate::ntt::Domain;

/// Points multiplied between two looks at whether the work is still wanted.
const CHUNK: usize = 2048;

/// Point multiplications of [`transposed_coset_map`].
pub(super) fn multiplications(size: usize) -> usize {
    // In every layer but the twiddles that are one, in both directions, and the shift.
    let layers = size.ilog2() as usize;
    size * layers + size - 2 * (size - 1)
}

/// C'_i = Σ_j L_i(ζ·ω^j)·H_j, L_i the Lagrange basis of the domain.
pub(super) fn transposed_coset_map(
    domain: &Domain,
    mut points: Vec<G1Affine>,
    work: &Work,
) -> Result<Vec<G1Affine>, Cancelled> {
    let (size, kernel) = (points.len(), domain.kernel());
    assert_eq!(size, domain.size(), "one point of H per point of the coset");
    let mut half = size / 2;
    while half > 0 {
        butterflies(&mut points, half);
        multiply(
            kernel,
            &mut points,
            |i| twiddle(domain.roots(), i, half),
            work,
        )?;
        half /= 2;
    }
    multiply(kernel, &mut points, |i| Some(domain.shifts()[i]), work)?;
    half = 1;
    while half < size {
        multiply(
            kernel,
            &mut points,
            |i| twiddle(domain.inverse_roots(), i, half),
            work,
        )?;
        butterflies(&mut points, half);
        half *= 2;
    }
    Ok(points)
}

/// What element `i` is multiplied by in the layer of blocks of 2·half, if it is not one.
fn twiddle(roots: &[Fr], i: usize, half: usize) -> Option<Fr> {
    let (high, place) = (i & half != 0, i & (half - 1));
    (high && place != 0).then(|| roots[place * (roots.len() / half)])
}

/// (u, v) becomes (u + v, u − v) for every pair `half` apart.
fn butterflies(points: &mut [G1Affine], half: usize) {
    points.par_chunks_mut(2 * half).for_each(|block| {
        let (low, high) = block.split_at_mut(half);
        low.par_chunks_mut(CHUNK)
            .zip(high.par_chunks_mut(CHUNK))
            .for_each(|(low, high)| {
                let pairs = low.iter().zip(high.iter());
                let both: Vec<G1Projective> = pairs.flat_map(|(u, v)| [*u + *v, *u - *v]).collect();
                let both = G1Projective::normalize_batch(&both);
                for ((u, v), pair) in low.iter_mut().zip(high).zip(both.as_chunks::<2>().0) {
                    [*u, *v] = *pair;
                }
            });
    });
}

fn multiply(
    kernel: Kernel,
    points: &mut [G1Affine],
    factor: impl Fn(usize) -> Option<Fr> + Sync,
    work: &Work,
) -> Result<(), Cancelled> {
    let (places, factors): (Vec<usize>, Vec<Fr>) = (0..points.len())
        .filter_map(|i| factor(i).map(|factor| (i, factor)))
        .unzip();
    let chosen: Vec<G1Affine> = places.iter().map(|i| points[*i]).collect();
    let products = multiply_all(kernel, &chosen, &factors, work)?;
    for (place, product) in places.into_iter().zip(products) {
        points[place] = product;
    }
    Ok(())
}

/// Each point times its own factor.
pub(super) fn multiply_all(
    kernel: Kernel,
    points: &[G1Affine],
    factors: &[Fr],
    work: &Work,
) -> Result<Vec<G1Affine>, Cancelled> {
    let chunks: Vec<Vec<G1Affine>> = points
        .par_chunks(CHUNK)
        .zip(factors.par_chunks(CHUNK))
        .map(|(points, factors)| {
            work.step(points.len())?;
            Ok(batch_mul(kernel, points, factors))
        })
        .collect::<Result<_, Cancelled>>()?;
    Ok(chunks.concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::AffineRepr;
    use ark_ff::{UniformRand, Zero};
    use ark_std::rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn the_map_is_the_transpose_of_the_coset_transform_and_its_work_is_counted() {
        let mut rng = StdRng::seed_from_u64(1);
        for log2 in 0..=6 {
            let size = 1 << log2;
            let domain = Domain::new(Kernel::Portable, size);
            let logs: Vec<Fr> = (0..size).map(|_| Fr::rand(&mut rng)).collect();
            let g = G1Affine::generator();
            let h: Vec<G1Affine> = logs.iter().map(|h| (g * h).into_affine()).collect();
            let work = Work::default();
            work.begin(multiplications(size));
            let mapped = transposed_coset_map(&domain, h, &work).unwrap();
            assert_eq!(work.progress().0, work.progress().1, "2^{log2}");
            for (i, point) in mapped.iter().enumerate() {
                let mut unit = vec![Fr::zero(); size];
                unit[i] = Fr::from(1u64);
                domain.to_odd_coset(&mut unit);
                let log: Fr = unit.iter().zip(&logs).map(|(l, h)| *l * h).sum();
                assert_eq!(*point, (g * log).into_affine(), "2^{log2}, point {i}");
            }
        }
    }

    #[test]
    fn cancelled_work_stops() {
        let (domain, work) = (Domain::new(Kernel::Portable, 8), Work::default());
        work.cancel();
        let h = vec![G1Affine::generator(); 8];
        assert_eq!(transposed_coset_map(&domain, h, &work), Err(Cancelled));
    }
}
