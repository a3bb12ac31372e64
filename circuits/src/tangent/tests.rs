//! The check itself, on gadgets small enough to know the answer; then every circuit of the crate.

use super::*;
use crate::curve::Fr;
use crate::gadget::Num;
use crate::gadget::edwards::{self, PointNum, ScalarNum};
use crate::poseidon::{self, Domain, gadget::Lane};
use ark_ec::AffineRepr;
use taceo_ark_babyjubjub::EdwardsAffine;

pub(super) fn random() -> F {
    use ark_ff::PrimeField;
    let mut wide = [0u8; 64];
    getrandom::fill(&mut wide).unwrap();
    F::from_le_bytes_mod_order(&wide)
}

/// `x = H(inputs)`, as every circuit ends.
fn publish(builder: &mut Builder, inputs: &[&Num]) {
    let lanes: Vec<Lane> = inputs.iter().map(|num| Lane::from(*num)).collect();
    let x = poseidon::gadget::hash(builder, Domain::Statement, &lanes);
    let public = builder.public(x.value());
    let one = builder.constant(F::ONE);
    builder.enforce(&x, &one, &public);
}

#[test]
fn a_hash_of_its_inputs_leaves_nothing_loose_and_each_missing_row_shows() {
    let record = || {
        let mut builder = Builder::recording();
        let inputs: Vec<Num> = (0..3).map(|_| builder.input(random())).collect();
        publish(&mut builder, &inputs.iter().collect::<Vec<_>>());
        Recording::of(builder)
    };
    let recording = record();
    assert_eq!(recording.free_given_inputs(), NOTHING);
    assert_eq!(recording.free_given_statement(), NOTHING);
    assert_eq!(recording.inputs_that_miss_x(), NOTHING);
    let rows = recording.matrices().num_constraints;
    for row in 0..rows {
        let loose = record().without_row(row).free_given_inputs();
        assert!(!loose.is_empty(), "row {row} of {rows} is missed by nobody");
    }
}

#[test]
fn a_hint_no_row_fixes_is_found_wherever_it_hides() {
    // Before the last hash: x is held by nothing, so it moves with the hint.
    let mut builder = Builder::recording();
    let given = builder.input(random());
    let hint = builder.witness(random());
    publish(&mut builder, &[&given, &hint]);
    let recording = Recording::of(builder);
    let loose = recording.free_given_inputs();
    assert!(loose.contains(&hint.variable()) && loose.contains(&X));
    assert_eq!(recording.free_given_statement(), NOTHING, "it is published");
}

#[test]
fn a_secret_that_nothing_published_depends_on_is_found() {
    let mut builder = Builder::recording();
    let given = builder.input(random());
    let idle = builder.input(random());
    let square = builder.product(&idle, &idle);
    publish(&mut builder, &[&given]);
    let recording = Recording::of(builder);
    assert_eq!(recording.free_given_inputs(), NOTHING);
    let idle = [idle.variable(), square.variable()];
    assert_eq!(recording.free_given_statement(), idle);
    assert_eq!(recording.inputs_that_miss_x(), idle[..1]);
}

#[test]
fn booleans_and_selections_move_nowhere() {
    let mut builder = Builder::recording();
    let (a, b) = (builder.input(random()), builder.input(random()));
    let bit = builder.boolean(true);
    let picked = builder.select(&bit, &a, &b);
    publish(&mut builder, &[&picked, &a]);
    let recording = Recording::of(builder);
    assert_eq!(recording.free_given_inputs(), NOTHING);
    // The one not picked reaches nothing: a fact about this assignment, which is why tests try both.
    assert_eq!(recording.inputs_that_miss_x(), [b.variable()]);
}

#[test]
fn a_scalar_multiplication_is_fixed_by_its_digits_and_base() {
    let record = || {
        let mut builder = Builder::recording();
        let scalar = ScalarNum::new(&mut builder, &Fr::from(0x0dd_ba11_u64));
        let base = EdwardsAffine::generator();
        let base = PointNum {
            x: builder.input(base.x),
            y: builder.input(base.y),
        };
        let fixed = edwards::multiply_base(&mut builder, &scalar);
        let variable = edwards::multiply(&mut builder, &scalar, &base);
        publish(
            &mut builder,
            &[&fixed.x, &fixed.y, &variable.x, &variable.y],
        );
        Recording::of(builder)
    };
    let recording = record();
    assert_eq!(recording.free_given_inputs(), NOTHING);
    let rows = recording.matrices().num_constraints;
    for row in (0..rows).step_by(97) {
        assert!(!record().without_row(row).free_given_inputs().is_empty());
    }
}
