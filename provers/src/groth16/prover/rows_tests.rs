use super::*;
use crate::testing::random_r1cs;
use ark_ff::UniformRand;
use ark_groth16::r1cs_to_qap::evaluate_constraint;
use ark_std::rand::{Rng, SeedableRng, rngs::StdRng};

fn agrees(r1cs: &R1cs, z: &[Fr]) {
    let size = r1cs.domain_size();
    let [a, b, _] = r1cs.matrices();
    let values = |matrix: &[Vec<(Fr, usize)>], instance: &[Fr]| {
        let rows = matrix.iter().map(|row| evaluate_constraint(row, z));
        let mut values: Vec<Fr> = rows.chain(instance.iter().copied()).collect();
        values.resize(size, Fr::zero());
        values
    };
    let expected = [values(a, &z[..r1cs.instance_variables()]), values(b, &[])];
    for kernel in Kernel::all() {
        let mut actual = [(); 2].map(|()| vec![Fr::zero(); size]);
        let [a, b] = &mut actual;
        Rows::of(kernel, r1cs).evaluate(z, a, b);
        assert!(actual == expected, "{}", kernel.name());
    }
}

#[test]
fn both_kernels_multiply_random_matrices_as_ark_does() {
    for (seed, constraints) in [(1, 1), (2, 7), (3, 8), (4, 100)] {
        let (r1cs, z) = random_r1cs(seed, constraints, 2, 5);
        agrees(&r1cs, &z);
    }
}

/// Empty rows, signs, zeros, repeated variables, and rows too long for one run of sums.
#[test]
fn both_kernels_multiply_uneven_matrices_with_edge_coefficients_as_ark_does() {
    let mut rng = StdRng::seed_from_u64(5);
    let variables = 700;
    let edge = [0, 1, 2].map(Fr::from);
    let mut term = |i: usize| match i % 3 {
        0 => (edge[rng.gen_range(0..3)], rng.gen_range(0..variables)),
        1 => (Fr::rand(&mut rng), 0),
        _ => (-Fr::one(), rng.gen_range(0..variables)),
    };
    let lengths = [0, 1, 2, 0, 255, 256, 257, 3, 650, 1, 5, 0, 9];
    let mut matrix = || -> Vec<Vec<(Fr, usize)>> {
        let rows = lengths.iter();
        rows.map(|length| (0..*length).map(&mut term).collect())
            .collect()
    };
    let (a, b) = (matrix(), matrix());
    let c = vec![vec![]; lengths.len()];
    let r1cs = R1cs::new(a, b, c, 3, variables - 3).unwrap();
    let random = (0..variables).map(|_| Fr::rand(&mut rng)).collect();
    for mut z in [random, vec![-Fr::one(); variables]] {
        z[0] = Fr::one();
        agrees(&r1cs, &z);
    }
}
