//! The rows as an object: golden digests, budgets, what arkworks sees, what they cost.

use super::*;
use crate::gadget::testing::variables_free_alone;
use crate::gadget::{Builder, Num};
use crate::matrices::matrix_digest;
use crate::policy::{PolicyViolation, SlotNums};
use ark_relations::gr1cs::{
    ConstraintSynthesizer, ConstraintSystem, R1CS_PREDICATE_LABEL, SynthesisMode,
};

#[test]
fn only_the_bodies_of_inactive_slots_can_move_alone() {
    let free = |policy: &dyn Policy, active| {
        let Sealed {
            statement, witness, ..
        } = sealed(policy, Shape::EIGHT, active);
        let values = assignment(policy, &statement, &witness).unwrap();
        variables_free_alone(matrices(policy, Shape::EIGHT), values.as_slice())
    };
    for policy in POLICIES {
        assert_eq!(free(policy, 8), Vec::<usize>::new());
        // A flag of 0 multiplies what would depend on them. Keys are still routed, though the route is not shown.
        assert_eq!(free(policy, 3).len(), 5 * Class::Short.body_elements());
    }
}

/// Sees every slot's flag and demands nothing.
struct Flags {
    cells: CellUse,
    seen: std::sync::Mutex<Vec<usize>>,
}

impl Policy for Flags {
    fn name(&self) -> &str {
        "flags"
    }

    fn cells(&self) -> CellUse {
        self.cells
    }

    fn check(&self, _: &[crate::policy::SlotValues<'_>]) -> Result<(), PolicyViolation> {
        Ok(())
    }

    fn constrain(&self, _: &mut Builder, _: &[Num], slots: &[SlotNums]) {
        // Slot 0 is the constant one.
        let flags = slots[1..].iter().map(|slot| slot.active.variable());
        self.seen.lock().unwrap().extend(flags);
    }
}

/// A flag of another value would scale a route to whatever route one likes, and a ciphertext with it.
#[test]
fn every_slots_flag_is_zero_or_one_by_a_row() {
    for cells in [CellUse::None, CellUse::Allowed] {
        let policy = Flags {
            cells,
            seen: Vec::new().into(),
        };
        let matrices = crate::matrices::circuit_matrices(&policy, Shape::EIGHT);
        let seen = policy.seen.into_inner().unwrap();
        assert_eq!(seen.len(), 7);
        for flag in seen {
            let is_boolean = (0..matrices.num_constraints).any(|row| {
                matrices.a[row] == [(F::ONE, flag)]
                    && matrices.b[row] == [(F::ONE, 0), (-F::ONE, flag)]
                    && matrices.c[row].is_empty()
            });
            assert!(is_boolean, "{cells:?}, variable {flag}");
        }
    }
}

#[test]
fn arkworks_gets_the_same_rows_variables_and_one_public_input() {
    let Sealed {
        statement, witness, ..
    } = sealed(&Opaque, Shape::SINGLE, 1);
    let cs = ConstraintSystem::<F>::new_ref();
    SealCircuit::new(&Opaque, &statement, &witness)
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
    assert_eq!(
        full,
        assignment(&Opaque, &statement, &witness)
            .unwrap()
            .as_slice()
    );

    let setup = ConstraintSystem::<F>::new_ref();
    setup.set_mode(SynthesisMode::Setup);
    SealCircuit::blank(&Opaque, Shape::SINGLE)
        .generate_constraints(setup.clone())
        .unwrap();
    setup.finalize();
    for cs in [cs, setup] {
        let rows = &cs.to_matrices().unwrap()[R1CS_PREDICATE_LABEL];
        let single = matrices(&Opaque, Shape::SINGLE);
        assert!(rows[0] == single.a && rows[1] == single.b && rows[2] == single.c);
    }
    let proving = ConstraintSystem::<F>::new_ref();
    assert!(
        SealCircuit::blank(&Opaque, Shape::SINGLE)
            .generate_constraints(proving)
            .is_err()
    );
}

/// Changing these is changing the circuit: every key and circuit id made before is void.
#[test]
fn golden_circuits() {
    let opaque = [
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
    let ledger = [
        (
            6_697,
            "dfe5ee6eba526eb34d0f38227b3ca3289d8ff8128ce53f54c3e1341c8ceba492",
        ),
        (
            19_304,
            "51f5f2162ca73304bff00139e8f4313f5276458cf742d22736af3b379e185ae2",
        ),
        (
            123_280,
            "fc39b8af3f682b8555b0ceebe137ad6f984455fe6a6f77f4c782cd14c21d98d4",
        ),
        (
            9_256,
            "316afb80349fb6bc2ddd6b8acac429022aff19982ee6f11b09898bfe9a8e939c",
        ),
        (
            38_330,
            "ecace562acd2bb26159a2a32e6b749715d330cb9e9171f444960861309087fdb",
        ),
        (
            275_698,
            "9ae0edb851c2d725b5985871c761122898215e113263c7653db9217c740addc5",
        ),
    ];
    for (policy, golden) in POLICIES.into_iter().zip([opaque, ledger]) {
        let found = Shape::ALL.map(|shape| {
            let matrices = matrices(policy, shape);
            (
                matrices.num_constraints,
                hex::encode(matrix_digest(matrices)),
            )
        });
        assert_eq!(
            found,
            golden.map(|(rows, digest)| (rows, digest.to_owned())),
            "{}",
            policy.name()
        );
    }
}

#[test]
fn the_witness_buffer_is_large_enough_at_once() {
    for policy in POLICIES {
        for shape in [Shape::SINGLE, Shape::EIGHT, Shape::SIXTY_FOUR] {
            let variables = 2 + matrices(policy, shape).num_witness_variables;
            assert!(variables <= crate::seal::circuit::capacity(policy, shape));
        }
    }
}

#[test]
fn budgets_hold() {
    // A domain takes the rows and one more for each of the two instance variables.
    let size = |policy, slots, class| {
        matrices(policy, Shape::new(slots, class).unwrap()).num_constraints + 2
    };
    assert!(size(&Opaque, 1, Class::Short) <= 7_000);
    assert!(size(&Opaque, 8, Class::Short) <= 1 << 14);
    assert!(
        size(&Opaque, 64, Class::Short) <= 1 << 16,
        "64 commands in one domain of 2^16"
    );
    assert!(size(&Ledger, 64, Class::Short) <= 1 << 17);
    assert!(size(&Opaque, 64, Class::Long) <= 1 << 18);
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
    for (policy, shape) in POLICIES
        .into_iter()
        .flat_map(|p| Shape::ALL.map(|shape| (p, shape)))
    {
        let active = shape.slots();
        let start = std::time::Instant::now();
        let matrices = circuit_matrices(policy, shape);
        let synthesis = start.elapsed();
        let density = |rows: &[Vec<(F, usize)>]| rows.iter().map(Vec::len).sum::<usize>();
        let Sealed {
            statement, witness, ..
        } = sealed(policy, shape, active);
        let assigning = least_time(|| drop(assignment(policy, &statement, &witness).unwrap()));
        let checking = least_time(|| witness.check(policy, &statement).unwrap());
        let x = least_time(|| assert_ne!(std::hint::black_box(&statement).x(), F::ZERO));
        println!(
            "{} N = {} {:?}: {} rows, {} private variables, non-zeros A {} B {} C {}, synthesis {synthesis:?}, assignment {assigning:?}, native check {checking:?}, x {x:?}",
            policy.name(),
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
