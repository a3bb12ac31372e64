//! Each public and each secret value changed once under an honest prover: native check, prover and rows refuse.

use super::*;
use crate::curve::{Fr, Point};
use crate::matrices::AssignmentError;
use crate::policy::PolicyViolation;
use crate::seal::circuit;
use crate::seal::inputs::Inputs;

/// The row the circuit breaks when run on these, whatever the checks before it say.
fn violated(statement: &SealStatement, witness: &SealWitness) -> Option<usize> {
    let (values, _) = circuit::assign(&Inputs::new(statement, witness).unwrap());
    is_satisfied(matrices(statement.shape), &values)
}

/// Native check, prover entry point and rows all refuse; the native check names the rule.
fn refused(case: &str, statement: &SealStatement, witness: &SealWitness, rule: WitnessError) {
    assert_eq!(witness.check(statement), Err(rule), "{case}");
    assert_eq!(
        assignment(statement, witness).err(),
        Some(AssignmentError::Unsatisfied),
        "{case}"
    );
    assert!(violated(statement, witness).is_some(), "{case}");
}

fn other_point() -> Point {
    Scalar::random().unwrap().public_point()
}

#[test]
fn each_element_of_x_is_bound_for_an_honest_prover() {
    for shape in [Shape::SINGLE, Shape::EIGHT] {
        let Sealed {
            statement, witness, ..
        } = sealed(shape, 1);
        let x = statement.x();
        let tampered = |case: &str, change: &dyn Fn(&mut StatementParts), rule: WitnessError| {
            let mut changed = statement.clone();
            change(&mut changed.0);
            assert_ne!(changed.x(), x, "{case}");
            refused(case, &changed, &witness, rule);
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
            PolicyViolation::Digest.into(),
        );
        tampered(
            "route",
            &|s| s.slots[0].route += F::ONE,
            WitnessError::Route { slot: 0 },
        );
        for at in 0..7 {
            tampered("ct", &|s| s.slots[0].ct[at] += F::ONE, ciphertext);
        }
    }
}

#[test]
fn every_slot_of_a_batch_is_bound_and_slots_do_not_swap() {
    let Sealed {
        statement,
        mut witness,
        ..
    } = sealed(Shape::EIGHT, 8);
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
    } = sealed(Shape::EIGHT, 3);
    let mut fewer = statement.clone();
    fewer.0.slots.truncate(2);
    let mut more = statement.clone();
    more.0.slots.push(statement.slots[0].clone());
    for (changed, count) in [(fewer, 2), (more, 4)] {
        assert_ne!(changed.x(), statement.x());
        assert_eq!(
            witness.check(&changed),
            Err(WitnessError::SlotCount {
                statement: count,
                witness: 3
            })
        );
        assert_eq!(
            assignment(&changed, &witness).err(),
            Some(AssignmentError::SlotCount {
                statement: count,
                witness: 3
            })
        );
        // The honest rows with the other statement's x.
        let mut values = assignment(&statement, &witness)
            .unwrap()
            .as_slice()
            .to_vec();
        values[1] = changed.x();
        assert!(is_satisfied(matrices(Shape::EIGHT), &values).is_some());
    }
}

#[test]
fn a_wrong_secret_is_refused() {
    let wrong = |change: &dyn Fn(&mut SealWitness), rule: WitnessError| {
        let Sealed {
            statement,
            mut witness,
            ..
        } = sealed(Shape::SINGLE, 1);
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
