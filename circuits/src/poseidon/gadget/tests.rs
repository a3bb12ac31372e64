//! The permutation gadget against its native twin.

use super::*;
use crate::gadget::testing::{element, first_violation, variables_free_alone};
use crate::matrices::Matrices;
use crate::poseidon::{FULL_ROUNDS, partial_rounds};
use proptest::prelude::*;

fn inputs(builder: &mut Builder, values: &[F], constant: &[bool]) -> Vec<Lane> {
    let lane = |(value, constant): (&F, &bool)| match constant {
        true => Lane::Constant(*value),
        false => Lane::Num(builder.witness(*value)),
    };
    values.iter().zip(constant).map(lane).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn the_gadget_permutes_as_the_native_code_does(
        values in prop::collection::vec(element(), 2..=12),
        constants in prop::collection::vec(any::<bool>(), 12),
        alive in 0usize..12,
    ) {
        let mut constants = constants[..values.len()].to_vec();
        constants[alive % values.len()] = false;
        let mut native = values.clone();
        crate::poseidon::permute(&mut native);

        let mut builder = Builder::recording();
        let lanes = inputs(&mut builder, &values, &constants);
        let outputs: Vec<F> = permute(&mut builder, &lanes).iter().map(Num::value).collect();
        prop_assert_eq!(&outputs, &native);
        prop_assert_eq!(first_violation(builder), None);

        let mut assigning = Builder::assigning(0);
        let lanes = inputs(&mut assigning, &values, &constants);
        permute(&mut assigning, &lanes);
        let mut recording = Builder::recording();
        let lanes = inputs(&mut recording, &values, &constants);
        permute(&mut recording, &lanes);
        prop_assert_eq!(assigning.finish().0, recording.finish().0);
    }

    #[test]
    fn the_gadget_hashes_as_the_native_code_does(values in prop::collection::vec(element(), 1..=40)) {
        let mut builder = Builder::recording();
        let lanes = inputs(&mut builder, &values, &vec![false; values.len()]);
        let digest = hash(&mut builder, Domain::Leaf, &lanes);
        prop_assert_eq!(digest.value(), crate::poseidon::hash(Domain::Leaf, &values));
        prop_assert_eq!(first_violation(builder), None);
    }
}

#[test]
fn a_permutation_costs_three_rows_an_sbox_and_no_inner_variable_moves_alone() {
    for (width, constants) in [(4, 0), (9, 1), (8, 6), (12, 3)] {
        let mut builder = Builder::recording();
        let is_constant: Vec<bool> = (0..width).map(|i| i < constants).collect();
        let values: Vec<F> = (0..width as u64).map(|i| F::from(i + 3)).collect();
        let lanes = inputs(&mut builder, &values, &is_constant);
        permute(&mut builder, &lanes);
        let (values, rows) = builder.finish();
        let matrices = Matrices::from_rows(rows.unwrap(), values.len());
        let boxes = FULL_ROUNDS * width - constants + partial_rounds(width);
        assert_eq!(matrices.num_constraints, 3 * boxes);
        assert_eq!(
            variables_free_alone(&matrices, &values),
            Vec::<usize>::new()
        );
    }
}
