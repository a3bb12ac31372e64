//! The worked example of a policy written outside the library (examples/dose/policy.rs): what breaks a rule is found
//! natively and by the rows alone.

#[path = "../../examples/dose/policy.rs"]
mod dose;

use dose::{DoseRange, OUT_OF_RANGE, TOO_FAR};
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

/// The policy with its native check left out: what an attacker runs.
struct RowsOnly(DoseRange);

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

const POLICY: DoseRange = DoseRange {
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
    for (old, value, broken) in [
        (Some(50), 70, None),
        (Some(50), 30, None),
        (Some(50), 50, None),
        (Some(90), 100, None),
        (Some(20), 10, None),
        (None, 10, None),
        (None, 100, None),
        (Some(50), 71, Some(TOO_FAR)),
        (Some(50), 29, Some(TOO_FAR)),
        (Some(u64::MAX), 50, Some(TOO_FAR)),
        (Some(95), 101, Some(OUT_OF_RANGE)),
        (Some(12), 9, Some(OUT_OF_RANGE)),
        (None, 9, Some(OUT_OF_RANGE)),
        (None, 101, Some(OUT_OF_RANGE)),
        (None, u64::MAX, Some(OUT_OF_RANGE)),
    ] {
        let native = batch(&POLICY, old, value);
        let Some(rule) = broken else {
            let sealed = native.unwrap();
            let assigned = assignment(&POLICY, &sealed.statement, &sealed.witness).unwrap();
            assert_eq!(is_satisfied(&matrices, assigned.as_slice()), None);
            continue;
        };
        let violation = PolicyViolation {
            slot: Some(0),
            rule,
        };
        assert!(
            matches!(native.err(), Some(SealError::Rule(WitnessError::Policy(v))) if v == violation),
            "{old:?} to {value}"
        );
        // The same policy without its native half: only its rows are left to object.
        let sealed = batch(&RowsOnly(POLICY), old, value).unwrap();
        let assigned = assignment(&POLICY, &sealed.statement, &sealed.witness);
        assert_eq!(assigned.err(), Some(AssignmentError::Unsatisfied));
    }
}

#[test]
fn parameters_change_their_digest_and_not_the_circuit() {
    let other = DoseRange { step: 21, ..POLICY };
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
