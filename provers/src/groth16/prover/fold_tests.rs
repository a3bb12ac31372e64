use super::*;
use crate::groth16::insecure_dev_setup;
use crate::kernel::Kernel;
use crate::testing::{random_circuit, random_r1cs, small};
use ark_ec::AffineRepr;
use proptest::prelude::*;

fn derived(key: &ProvingKey, r1cs: &R1cs) -> (Fold, Domain) {
    let domain = Domain::new(Kernel::Portable, r1cs.domain_size());
    let fold = Fold::derive(key, r1cs, &domain, &Work::default()).unwrap();
    (fold, domain)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// For every witness, satisfying or not, L' stands for L and for C on the coset.
    #[test]
    fn the_fold_is_l_less_c_on_the_coset_for_every_circuit_and_assignment(
        seed in any::<u64>(), constraints in 1usize..40, inputs in 0usize..4, terms in 1usize..4,
    ) {
        let (r1cs, mut z) = random_r1cs(seed, constraints, inputs, terms);
        let (key, _) = insecure_dev_setup(&r1cs, |_| {}).unwrap();
        let (fold, domain) = derived(&key, &r1cs);
        for broken in [false, true] {
            if broken {
                *z.last_mut().unwrap() += Fr::one();
            }
            let mut c = vec![Fr::zero(); domain.size()];
            for (value, row) in c.iter_mut().zip(&r1cs.matrices()[2]) {
                *value = evaluate_constraint(row, &z);
            }
            domain.to_odd_coset(&mut c);
            let points = key.points();
            let witness = &z[r1cs.instance_variables()..];
            prop_assert_eq!(
                G1Projective::msm_unchecked(fold.l(), &z),
                G1Projective::msm_unchecked(&points.l_query, witness)
                    - G1Projective::msm_unchecked(&points.h_query, &c)
            );
        }
        prop_assert!(fold.check(&key, &r1cs, &domain).unwrap());
    }
}

#[test]
fn the_check_refuses_a_fold_with_any_one_point_changed_and_another_keys() {
    let circuit = random_circuit();
    let (fold, domain) = derived(&circuit.key, &circuit.r1cs);
    assert!(fold.check(&circuit.key, &circuit.r1cs, &domain).unwrap());
    for place in (0..fold.0.len()).step_by(9) {
        let mut wrong = fold.0.clone();
        wrong[place] = (wrong[place] + G1Affine::generator()).into_affine();
        let wrong = Fold::from_cache(wrong, &circuit.r1cs).unwrap();
        assert!(!wrong.check(&circuit.key, &circuit.r1cs, &domain).unwrap());
    }
    let (other, _) = insecure_dev_setup(&circuit.r1cs, |_| {}).unwrap();
    assert!(!fold.check(&other, &circuit.r1cs, &domain).unwrap());
}

#[test]
fn a_fold_of_another_length_is_no_fold() {
    let r1cs = &small().r1cs;
    for count in [0, r1cs.variables() - 1, r1cs.variables() + 1] {
        assert!(Fold::from_cache(vec![G1Affine::identity(); count], r1cs).is_none());
    }
}
