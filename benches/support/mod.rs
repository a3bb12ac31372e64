//! Circuits with dev parameters, and commands to seal.

use std::sync::Arc;
use ukehi::params::{self, Circuit};
use ukehi_circuits::route::RouteSecret;
use ukehi_circuits::seal::{SealStatement, SealedCommands, SlotPlaintext, seal};
use ukehi_circuits::shape::Class;
use ukehi_circuits::slot::{Body, SlotKey};
use ukehi_circuits::{F, Scalar, matrices};
use ukehi_provers::groth16::Groth16Proof;
use ukehi_provers::groth16::reference::prove;

pub struct Fixture {
    /// N = 1, N = 8.
    pub circuits: Vec<Arc<Circuit>>,
    reader: Scalar,
    route: RouteSecret,
}

impl Fixture {
    pub fn prepare() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let manifests = params::insecure_dev_params(
            directory.path(),
            &params::CircuitName::opaque_short(),
            |_, _, _| {},
        )
        .expect("set-up");
        let ids: Vec<_> = manifests.iter().map(|m| m.circuit_id()).collect();
        Self {
            circuits: params::load_all(directory.path(), &ids).expect("just written"),
            reader: Scalar::random().expect("randomness"),
            route: RouteSecret::random().expect("randomness"),
        }
    }

    /// Encryption and witness.
    pub fn assignment(&self, circuit: &Circuit) -> (SealStatement, matrices::Assignment) {
        let slots: Vec<SlotPlaintext> = (0..circuit.shape.slots())
            .map(|j| {
                SlotPlaintext::put(
                    SlotKey::new(format!("bench/{j}").as_bytes()).expect("a short key"),
                    Body::new(Class::Short, &[7; 100]).expect("a short body"),
                )
            })
            .collect();
        let SealedCommands {
            statement, witness, ..
        } = seal(
            circuit.policy,
            circuit.shape,
            F::from(1u64),
            &self.reader.public_point(),
            &self.route,
            &slots,
            [0; 32],
        )
        .expect("sealed");
        let assignment =
            matrices::assignment(circuit.policy, &statement, &witness).expect("satisfied");
        (statement, assignment)
    }

    /// Encryption, witness, proof, self-verification.
    pub fn proof(&self, circuit: &Circuit) -> (F, Groth16Proof) {
        let (statement, assignment) = self.assignment(circuit);
        let proof = prove(circuit.key(), circuit.r1cs(), assignment.as_slice()).expect("proven");
        (statement.x(), proof)
    }
}
