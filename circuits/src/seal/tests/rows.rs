//! The rows as an object: golden digests, budgets, what arkworks sees, what they cost.

use super::*;
use crate::gadget::testing::variables_free_alone;
use crate::matrices::matrix_digest;
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, R1CS_PREDICATE_LABEL, SynthesisMode,
};

#[test]
fn no_private_variable_of_the_whole_circuit_moves_alone() {
    let Sealed {
        statement, witness, ..
    } = sealed(Shape::EIGHT, 3);
    let values = assignment(&statement, &witness).unwrap();
    assert_eq!(
        variables_free_alone(&EIGHT, values.as_slice()),
        Vec::<usize>::new()
    );
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
        assert!(rows[0] == SINGLE.a && rows[1] == SINGLE.b && rows[2] == SINGLE.c);
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
    for (matrices, constraints, digest) in [
        (
            &*SINGLE,
            5_477,
            "0b8a896ee148d0722367b559c1f8654c564add953c7aa6140cf960066cd3a08b",
        ),
        (
            &*EIGHT,
            13_501,
            "435331d120c65edfe8d3dc0aaac8ff1844cb8c2bdb159152c7cbb1ef810c72dd",
        ),
    ] {
        assert_eq!(
            (
                matrices.num_constraints,
                hex::encode(matrix_digest(matrices)).as_str()
            ),
            (constraints, digest)
        );
    }
}

#[test]
fn the_witness_buffer_of_a_shape_never_grows() {
    for shape in [Shape::SINGLE, Shape::EIGHT] {
        let variables = 2 + matrices(shape).num_witness_variables;
        assert!(variables <= crate::seal::circuit::capacity(shape));
    }
}

#[test]
fn budgets_hold() {
    assert!(SINGLE.num_constraints <= 7_000);
    assert!(EIGHT.num_constraints + EIGHT.num_instance_variables <= 1 << 14);
}

/// The least of several runs: the machine is shared.
fn least_time(mut run: impl FnMut()) -> std::time::Duration {
    let mut timed = || {
        let start = std::time::Instant::now();
        run();
        start.elapsed()
    };
    (0..50).map(|_| timed()).min().unwrap()
}

#[test]
#[ignore = "a measurement, not a check"]
fn time_of_synthesis_and_assignment() {
    for (shape, active) in [(Shape::SINGLE, 1), (Shape::EIGHT, 8)] {
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
            "N = {}: {} rows, {} private variables, non-zeros A {} B {} C {}, synthesis {synthesis:?}, assignment {assigning:?}, native check {checking:?}, x {x:?}",
            shape.slots(),
            matrices.num_constraints,
            matrices.num_witness_variables,
            density(&matrices.a),
            density(&matrices.b),
            density(&matrices.c),
        );
    }
}
