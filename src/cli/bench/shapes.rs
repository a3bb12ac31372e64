//! The circuits of batches as instances: a full batch of each shape, sealed here.

use super::paper::value;
use crate::params::{self, CircuitName};
use ukehi_circuits::cells::CellOpening;
use ukehi_circuits::matrices;
use ukehi_circuits::policy::Policy;
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{Command, SealedCommands, SlotPlaintext, seal};
use ukehi_circuits::shape::{CellUse, Shape};
use ukehi_circuits::slot::{Body, SlotKey};
use ukehi_circuits::{F, Scalar};
use ukehi_provers::groth16::Assignment;
use ukehi_suite::instance::Instance;

/// The seal circuits of this release, all or by name; others have no batch.
pub fn named(names: &[String]) -> Result<Vec<CircuitName>, String> {
    let mut found = Vec::new();
    for name in names {
        match name.as_str() {
            "none" => {}
            "all" => found.extend(
                CircuitName::all()
                    .into_iter()
                    .filter(|c| c.policy().is_some()),
            ),
            name => {
                let circuit: CircuitName = name.parse().map_err(|e| format!("{e}"))?;
                if circuit.policy().is_none() {
                    return Err(format!("{name} is no circuit of batches"));
                }
                found.push(circuit);
            }
        }
    }
    Ok(found)
}

/// A circuit with the assignment of a full batch.
pub fn instance(name: &CircuitName) -> Result<Instance, String> {
    let (policy, shape) = of_batches(name)?;
    let (r1cs, _) = params::constraints(name);
    let assignment = assignment(policy, shape)?;
    Ok(Instance {
        r1cs,
        assignment: Assignment::new(assignment.as_slice().to_vec()),
    })
}

pub fn of_batches(name: &CircuitName) -> Result<(&'static dyn Policy, Shape), String> {
    let (policy, shape) = (name.policy(), name.shape());
    policy
        .zip(shape)
        .ok_or_else(|| format!("{name} is no circuit of batches"))
}

/// Seals a full batch: puts under a policy without cells, else transfers between two cells, as many as fit.
pub fn assignment(policy: &dyn Policy, shape: Shape) -> Result<matrices::Assignment, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let slots: Vec<SlotPlaintext> = (0..shape.slots())
        .map(|j| command(policy, shape, j))
        .collect::<Result<_, _>>()?;
    let reader = Scalar::random().map_err(|e| text(&e))?;
    let route = RouteSecret::random().map_err(|e| text(&e))?;
    let sealed = seal(
        policy,
        shape,
        F::from(1u64),
        &reader.public_point(),
        &route,
        &slots,
        [0; 32],
    );
    let SealedCommands {
        statement, witness, ..
    } = sealed.map_err(|e| text(&e))?;
    matrices::assignment(policy, &statement, &witness).map_err(|e| text(&e))
}

fn command(policy: &dyn Policy, shape: Shape, slot: usize) -> Result<SlotPlaintext, String> {
    let key = SlotKey::new(format!("bench/{slot}").as_bytes()).map_err(|e| e.to_string())?;
    if policy.cells() == CellUse::None {
        let body = Body::new(shape.class(), value(shape.class())).map_err(|e| e.to_string())?;
        return Ok(SlotPlaintext::put(key, body));
    }
    // Pairs move 30 from the first to the second; a slot that is left over keeps what it has.
    let alone = slot.is_multiple_of(2) && slot + 1 == shape.slots();
    let (before, after) = match (slot % 2, alone) {
        (_, true) => (100, 100),
        (0, false) => (100, 70),
        _ => (10, 40),
    };
    let old = CellOpening::new(before, 6, F::from(12_345u64));
    let command = Command::Update {
        old: Some(old),
        value: after,
        memo: b"bench".to_vec().into(),
    };
    Ok(SlotPlaintext { key, command })
}
