//! The rows as an object: golden digests, budgets, what arkworks sees, what they cost.

use super::*;
use crate::gadget::testing::variables_free_alone;
use crate::matrices::matrix_digest;
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, R1CS_PREDICATE_LABEL, SynthesisMode,
};

#[test]
fn only_the_bodies_of_inactive_slots_can_move_alone() {
    let free = |active| {
        let Sealed {
            statement, witness, ..
        } = sealed(Shape::EIGHT, active);
        let values = assignment(&statement, &witness).unwrap();
        variables_free_alone(matrices(Shape::EIGHT), values.as_slice())
    };
    assert_eq!(free(8), Vec::<usize>::new());
    // A flag of 0 multiplies what would depend on them. Keys are still routed, though the route is not shown.
    assert_eq!(free(3).len(), 5 * Class::Short.body_elements());
}

#[test]
fn arkworks_gets_the_same_rows_variables_and_one_public_input() {
    let Sealed {
        statement, witness, ..
    } = sealed(Shape::SINGLE, 1);
    let cs = ConstraintSystem::<F>::new_ref();
    SealCircuit::new(&statement, &witness)
        .unwrap()
        .generate_constraints(cs.clone())
        .unwrap();
    cs.finalize();
    assert!(cs.is_satisfied().unwrap());
    assert_eq!(cs.num_instance_variables(), 2);
    let full = [
        cs.instance_assignment().unwrap(),
        cs.witness_assignment().unwrap(),
    ]
    .concat();
    assert_eq!(full, assignment(&statement, &witness).unwrap().as_slice());

    let setup = ConstraintSystem::<F>::new_ref();
    setup.set_mode(SynthesisMode::Setup);
    SealCircuit::blank(Shape::SINGLE)
        .generate_constraints(setup.clone())
        .unwrap();
    setup.finalize();
    for cs in [cs, setup] {
        let rows = &cs.to_matrices().unwrap()[R1CS_PREDICATE_LABEL];
        let single = matrices(Shape::SINGLE);
        assert!(rows[0] == single.a && rows[1] == single.b && rows[2] == single.c);
    }
    let proving = ConstraintSystem::<F>::new_ref();
    assert!(
        SealCircuit::blank(Shape::SINGLE)
            .generate_constraints(proving)
            .is_err()
    );
}

/// Changing these is changing the circuit: every key and circuit id made before is void.
#[test]
fn golden_shapes() {
    let golden = [
        (
            5_618,
            "f57a2fbc97b3dda13b207c2532875e0b9fac554a75c73797c783d6804ee0ebbb",
        ),
        (
            11_531,
            "290775585d0063eb2923a48a073b1c866b7bf70e4bda0189c2c359fc48e3328c",
        ),
        (
            61_103,
            "0120931e1363f52532575dd377cc609e5c672c78232a27765903785a06c2686c",
        ),
        (
            8_177,
            "d2893b751268e1643dd19cd072eb9cd206916a3858a84f707f3d7b310f6db847",
        ),
        (
            30_557,
            "5bc93b8a3d390b21be7ea874f6e32b1a65e902cc6449e55b44e74403071cd54f",
        ),
        (
            213_521,
            "347ec0d8f6c4393bc4304ce10843200769d78534b96f577343a4ab728fe3fac4",
        ),
    ];
    let found = Shape::ALL.map(|shape| {
        let matrices = matrices(shape);
        (
            matrices.num_constraints,
            hex::encode(matrix_digest(matrices)),
        )
    });
    assert_eq!(
        found,
        golden.map(|(rows, digest)| (rows, digest.to_owned()))
    );
}

#[test]
fn the_witness_buffer_of_a_shape_is_large_enough_at_once() {
    for shape in [Shape::SINGLE, Shape::EIGHT] {
        let variables = 2 + matrices(shape).num_witness_variables;
        assert!(variables <= crate::seal::circuit::capacity(shape));
    }
}

#[test]
fn budgets_hold() {
    let rows = |shape| matrices(shape).num_constraints;
    // A domain takes the rows and one more for each of the two instance variables.
    assert!(rows(Shape::SINGLE) <= 7_000);
    assert!(rows(Shape::EIGHT) + 2 <= 1 << 14);
    assert!(
        rows(Shape::SIXTY_FOUR) + 2 <= 1 << 16,
        "64 commands in one domain of 2^16"
    );
}

/// The least of several runs: the machine is shared.
fn least_time(mut run: impl FnMut()) -> std::time::Duration {
    let mut timed = || {
        let start = std::time::Instant::now();
        run();
        start.elapsed()
    };
    (0..8).map(|_| timed()).min().unwrap()
}

#[test]
#[ignore = "a measurement, not a check"]
fn time_of_synthesis_and_assignment() {
    for shape in Shape::ALL {
        let active = shape.slots();
        let start = std::time::Instant::now();
        let matrices = circuit_matrices(shape);
        let synthesis = start.elapsed();
        let density = |rows: &[Vec<(F, usize)>]| rows.iter().map(Vec::len).sum::<usize>();
        let Sealed {
            statement, witness, ..
        } = sealed(shape, active);
        let assigning = least_time(|| drop(assignment(&statement, &witness).unwrap()));
        let checking = least_time(|| witness.check(&statement).unwrap());
        let x = least_time(|| assert_ne!(std::hint::black_box(&statement).x(), F::ZERO));
        println!(
            "N = {} {:?}: {} rows, {} private variables, non-zeros A {} B {} C {}, synthesis {synthesis:?}, assignment {assigning:?}, native check {checking:?}, x {x:?}",
            shape.slots(),
            shape.class(),
            matrices.num_constraints,
            matrices.num_witness_variables,
            density(&matrices.a),
            density(&matrices.b),
            density(&matrices.c),
        );
    }
}
