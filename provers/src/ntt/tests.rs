use super::*;
use ark_ff::{UniformRand, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use ark_std::rand::{SeedableRng, rngs::StdRng};

/// ark-poly's way: coefficients, times the powers of ζ, values.
fn reference(values: &[Fr]) -> Vec<Fr> {
    let domain = Radix2EvaluationDomain::<Fr>::new(values.len()).unwrap();
    let zeta = Fr::get_root_of_unity(2 * values.len() as u64).unwrap();
    let coset = domain.get_coset(zeta).unwrap();
    coset.fft(&domain.ifft(values))
}

#[test]
fn values_on_the_odd_coset_are_ark_polys_for_every_size_and_for_edge_values() {
    let mut rng = StdRng::seed_from_u64(3);
    for (kernel, log2) in Kernel::all()
        .into_iter()
        .flat_map(|k| (0..=13).map(move |l| (k, l)))
    {
        let size = 1 << log2;
        let domain = Domain::new(kernel, size);
        let random: Vec<Fr> = (0..size).map(|_| Fr::rand(&mut rng)).collect();
        let mut one_point = vec![Fr::zero(); size];
        one_point[size - 1] = -Fr::one();
        let largest = vec![-Fr::one(); size];
        for values in [random, vec![Fr::zero(); size], one_point, largest] {
            let mut transformed = values.clone();
            domain.to_odd_coset(&mut transformed);
            assert!(
                transformed == reference(&values),
                "2^{log2} {}",
                kernel.name()
            );
        }
    }
}

#[test]
fn bits_are_reversed_below_the_size_only() {
    assert_eq!(bit_reversed(0, 1), 0);
    assert_eq!(bit_reversed(1, 8), 4);
    assert_eq!(bit_reversed(6, 8), 3);
}
