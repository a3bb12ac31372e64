//! A policy written outside the library, as a user would: a cell's value stays between two parameters and moves by at
//! most a third. What breaks a bound is found natively and by the rows.

use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::gadget::{Builder, Num};
use ukehi_circuits::matrices::{
    AssignmentError, assignment, circuit_matrices, is_satisfied, matrix_digest,
};
use ukehi_circuits::policy::{self, Policy, PolicyViolation, SlotNums, SlotValues};
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{Command, SealError, SealedCommands, SlotPlaintext, WitnessError, seal};
use ukehi_circuits::slot::SlotKey;
use ukehi_circuits::{CellUse, F, Scalar, Shape};

struct Bounded {
    least: u64,
    most: u64,
    step: u64,
}

impl Policy for Bounded {
    fn name(&self) -> &str {
        "bounded"
    }

    fn cells(&self) -> CellUse {
        CellUse::Allowed
    }

    fn parameters(&self) -> Vec<F> {
        [self.least, self.most, self.step].map(F::from).to_vec()
    }

    fn check(&self, slots: &[SlotValues<'_>]) -> Result<(), PolicyViolation> {
        for slot in slots {
            let cell = slot.cell();
            if !cell.op.has_cell() {
                continue;
            }
            let broken = |rule| PolicyViolation {
                slot: Some(slot.slot),
                rule,
            };
            if cell.new_value < self.least || cell.new_value > self.most {
                return Err(broken("the value is out of bounds"));
            }
            if !cell.created && cell.new_value.abs_diff(cell.value) > self.step {
                return Err(broken("the value moves too far"));
            }
        }
        Ok(())
    }

    fn constrain(&self, builder: &mut Builder, parameters: &[Num], slots: &[SlotNums]) {
        let [least, most, step] = parameters else {
            unreachable!("three parameters")
        };
        for cell in slots.iter().map(SlotNums::cell) {
            let present = cell.present();
            builder.enforce_at_most(least, &cell.new_value, 64, &present);
            builder.enforce_at_most(&cell.new_value, most, 64, &present);
            let existed = &present - &cell.created;
            // Both sums are below 2^65.
            builder.enforce_at_most(&cell.new_value, &(&cell.value + step), 65, &existed);
            builder.enforce_at_most(&cell.value, &(&cell.new_value + step), 65, &existed);
        }
    }
}

/// The policy with its native check left out: what an attacker runs.
struct RowsOnly(Bounded);

impl Policy for RowsOnly {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn cells(&self) -> CellUse {
        self.0.cells()
    }

    fn parameters(&self) -> Vec<F> {
        self.0.parameters()
    }

    fn check(&self, _: &[SlotValues<'_>]) -> Result<(), PolicyViolation> {
        Ok(())
    }

    fn constrain(&self, builder: &mut Builder, parameters: &[Num], slots: &[SlotNums]) {
        self.0.constrain(builder, parameters, slots);
    }
}

const POLICY: Bounded = Bounded {
    least: 10,
    most: 100,
    step: 20,
};

fn batch(policy: &dyn Policy, old: Option<u64>, value: u64) -> Result<SealedCommands, SealError> {
    let opening = |value| CellOpening::new(value, 1, F::from(5u64));
    let command = SlotPlaintext {
        key: SlotKey::new(b"morphine/17").unwrap(),
        command: Command::Update {
            old: old.map(opening),
            value,
            memo: Vec::new().into(),
        },
    };
    let reader = Scalar::random().unwrap().public_point();
    let route = RouteSecret::random().unwrap();
    let commands = [command];
    seal(
        policy,
        Shape::SINGLE,
        F::from(1u64),
        &reader,
        &route,
        &commands,
        [0; 32],
    )
}

#[test]
fn a_policy_from_outside_takes_what_it_allows_and_refuses_the_rest() {
    let matrices = circuit_matrices(&POLICY, Shape::SINGLE);
    for (old, value, allowed) in [
        (Some(50), 70, true),
        (Some(50), 30, true),
        (Some(50), 71, false),
        (Some(50), 29, false),
        (Some(95), 101, false),
        (Some(12), 9, false),
        (None, 100, true),
        (None, 9, false),
        (None, u64::MAX, false),
    ] {
        let native = batch(&POLICY, old, value);
        if allowed {
            let sealed = native.unwrap();
            let assigned = assignment(&POLICY, &sealed.statement, &sealed.witness).unwrap();
            assert_eq!(is_satisfied(&matrices, assigned.as_slice()), None);
            continue;
        }
        assert!(matches!(
            native.err(),
            Some(SealError::Rule(WitnessError::Policy(PolicyViolation {
                slot: Some(0),
                ..
            })))
        ));
        // The same policy without its native half: only its rows are left to object.
        let sealed = batch(&RowsOnly(POLICY), old, value).unwrap();
        let assigned = assignment(&POLICY, &sealed.statement, &sealed.witness);
        assert_eq!(assigned.err(), Some(AssignmentError::Unsatisfied));
    }
}

#[test]
fn parameters_change_their_digest_and_not_the_circuit() {
    let other = Bounded { step: 21, ..POLICY };
    assert_ne!(policy::digest(&POLICY), policy::digest(&other));
    let digest = |policy| matrix_digest(&circuit_matrices(policy, Shape::SINGLE));
    assert_eq!(digest(&POLICY), digest(&other));
    // The statement carries P: a batch under one digest is none under another.
    let mut parts = (*batch(&other, Some(50), 50).unwrap().statement).clone();
    parts.policy_digest = policy::digest(&POLICY);
    let sealed = batch(&other, Some(50), 50).unwrap();
    let changed = ukehi_circuits::SealStatement::new(parts).unwrap();
    assert!(assignment(&other, &changed, &sealed.witness).is_err());
}
