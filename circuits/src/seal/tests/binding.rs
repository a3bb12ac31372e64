//! Each public and each secret value changed once under an honest prover: native check, prover and rows refuse.

use super::*;
use crate::curve::{Fr, Point};
use crate::matrices::AssignmentError;
use crate::seal::circuit;
use crate::seal::inputs::Inputs;
use crate::slot::Op;

/// The row the circuit breaks when run on these, whatever the checks before it say.
fn violated(
    policy: &dyn Policy,
    statement: &SealStatement,
    witness: &SealWitness,
) -> Option<usize> {
    let inputs = Inputs::new(policy, statement, witness).unwrap();
    let (values, _) = circuit::assign(policy, &inputs);
    is_satisfied(matrices(policy, statement.form.shape), &values)
}

/// The policy a test statement was made for.
fn policy_of(statement: &SealStatement) -> &'static dyn Policy {
    POLICIES[usize::from(statement.form.cells == CellUse::Allowed)]
}

/// The honest rows of one statement under the x of another: what a proof shown with a changed statement would need.
fn refused_with(changed: &SealStatement, statement: &SealStatement, witness: &SealWitness) {
    let policy = policy_of(statement);
    let mut values = assignment(policy, statement, witness)
        .unwrap()
        .as_slice()
        .to_vec();
    values[1] = changed.x();
    assert!(is_satisfied(matrices(policy, statement.form.shape), &values).is_some());
}

/// Native check, prover entry point and rows all refuse; the native check names the rule.
fn refused(case: &str, statement: &SealStatement, witness: &SealWitness, rule: WitnessError) {
    let policy = policy_of(statement);
    assert_eq!(witness.check(policy, statement), Err(rule), "{case}");
    assert_eq!(
        assignment(policy, statement, witness).err(),
        Some(AssignmentError::Unsatisfied),
        "{case}"
    );
    assert!(violated(policy, statement, witness).is_some(), "{case}");
}

fn other_point() -> Point {
    Scalar::random().unwrap().public_point()
}

#[test]
fn each_element_of_x_is_bound_for_an_honest_prover() {
    let shapes = [
        Shape::SINGLE,
        Shape::EIGHT,
        Shape::new(1, Class::Long).unwrap(),
    ];
    for (policy, shape) in POLICIES.into_iter().flat_map(|p| shapes.map(|s| (p, s))) {
        let Sealed {
            statement, witness, ..
        } = sealed(policy, shape, 1);
        let x = statement.x();
        let tampered = |case: &str, change: &dyn Fn(&mut StatementParts), rule: WitnessError| {
            let mut changed = statement.clone();
            change(&mut changed.0);
            assert_ne!(changed.x(), x, "{case}");
            refused(case, &changed, &witness, rule);
            refused_with(&changed, &statement, &witness);
        };
        let ciphertext = WitnessError::Ciphertext { slot: 0 };
        tampered("ctx", &|s| s.ctx += F::ONE, ciphertext);
        tampered(
            "E",
            &|s| s.ephemeral = other_point(),
            WitnessError::Ephemeral,
        );
        tampered(
            "E negated",
            &|s| s.ephemeral = Point::from_xy(-s.ephemeral.x(), s.ephemeral.y()).unwrap(),
            WitnessError::Ephemeral,
        );
        tampered("PK", &|s| s.epoch_key = other_point(), ciphertext);
        tampered(
            "C_route",
            &|s| s.route_commitment += F::ONE,
            WitnessError::RouteCommitment,
        );
        tampered(
            "P",
            &|s| s.policy_digest += F::ONE,
            WitnessError::PolicyDigest,
        );
        tampered(
            "route",
            &|s| s.slots[0].route += F::ONE,
            WitnessError::Route { slot: 0 },
        );
        for at in 0..shape.class().ct_elements() {
            tampered("ct", &|s| s.slots[0].ct[at] += F::ONE, ciphertext);
        }
        if policy.cells() == CellUse::Allowed {
            let cell = |rule| WitnessError::Cell { slot: 0, rule };
            let op = WitnessError::Operation { slot: 0 };
            tampered("op", &|s| s.slots[0].meta.op = Op::Guard, op);
            tampered(
                "old",
                &|s| s.slots[0].cell[0] += F::ONE,
                cell(CellRule::Old),
            );
            tampered(
                "new",
                &|s| s.slots[0].cell[1] += F::ONE,
                cell(CellRule::New),
            );
        }
    }
}

#[test]
fn every_slot_of_a_batch_is_bound_and_slots_do_not_swap() {
    let Sealed {
        statement,
        mut witness,
        ..
    } = sealed(&Opaque, Shape::EIGHT, 8);
    for slot in 0..8 {
        let mut changed = statement.clone();
        changed.0.slots[slot].route += F::ONE;
        refused("route", &changed, &witness, WitnessError::Route { slot });
        let mut changed = statement.clone();
        changed.0.slots[slot].ct[6] += F::ONE;
        refused("ct", &changed, &witness, WitnessError::Ciphertext { slot });
    }
    let mut swapped = statement.clone();
    swapped.0.slots.swap(2, 5);
    refused(
        "public slots swapped",
        &swapped,
        &witness,
        WitnessError::Route { slot: 2 },
    );
    // The plaintexts follow: keystreams are bound to the slot number, so the ciphertexts still do not match.
    witness.slots.swap(2, 5);
    refused(
        "slots swapped whole",
        &swapped,
        &witness,
        WitnessError::Ciphertext { slot: 2 },
    );
}

#[test]
fn the_number_of_active_slots_is_bound() {
    let Sealed {
        statement, witness, ..
    } = sealed(&Opaque, Shape::EIGHT, 3);
    let mut fewer = statement.clone();
    fewer.0.slots.truncate(2);
    let mut more = statement.clone();
    more.0.slots.push(statement.slots[0].clone());
    for (changed, count) in [(fewer, 2), (more, 4)] {
        assert_ne!(changed.x(), statement.x());
        assert_eq!(
            witness.check(&Opaque, &changed),
            Err(WitnessError::SlotCount {
                statement: count,
                witness: 3
            })
        );
        assert_eq!(
            assignment(&Opaque, &changed, &witness).err(),
            Some(AssignmentError::SlotCount {
                statement: count,
                witness: 3
            })
        );
        refused_with(&changed, &statement, &witness);
    }
}

#[test]
fn a_wrong_secret_is_refused() {
    let wrong = |change: &dyn Fn(&mut SealWitness), rule: WitnessError| {
        let Sealed {
            statement,
            mut witness,
            ..
        } = sealed(&Opaque, Shape::SINGLE, 1);
        change(&mut witness);
        refused("secret", &statement, &witness, rule);
    };
    wrong(&|w| w.e = Scalar(w.e.0 + Fr::ONE), WitnessError::Ephemeral);
    wrong(&|w| w.e = Scalar(-w.e.0), WitnessError::Ephemeral);
    wrong(&|w| w.k_route += F::ONE, WitnessError::RouteCommitment);
    wrong(
        &|w| w.slots[0].key[0] += F::ONE,
        WitnessError::Route { slot: 0 },
    );
    wrong(
        &|w| w.slots[0].key[1] += F::ONE,
        WitnessError::Route { slot: 0 },
    );
    for at in 0..5 {
        wrong(
            &|w| w.slots[0].body[at] += F::ONE,
            WitnessError::Ciphertext { slot: 0 },
        );
    }
}
