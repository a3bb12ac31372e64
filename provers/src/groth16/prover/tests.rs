use super::*;
use crate::kernel::Kernel;
use crate::testing::{Circuit, random_circuit, random_r1cs, small};

/// Stays as it is.
fn cold(kernel: Kernel) -> ProverOptions {
    ProverOptions {
        kernel,
        budget: TableBudget::bytes(0),
        cache: None,
        after_proofs: u32::MAX,
    }
}

/// The circuit's provers, cold and with C folded into L, on every kernel.
fn all(circuit: &Circuit) -> Vec<Prover> {
    let mut provers = Vec::new();
    for kernel in Kernel::all() {
        for folded in [false, true] {
            let (key, r1cs) = (circuit.key.clone(), circuit.r1cs.clone());
            let prover = Prover::new(key, r1cs, cold(kernel)).unwrap();
            if folded {
                assert!(prover.finish_tables().folded);
            }
            provers.push(prover);
        }
    }
    provers
}

#[test]
fn proofs_of_gadget_and_random_circuits_verify_cold_and_folded_on_one_core_and_on_all() {
    for circuit in [small(), random_circuit()] {
        for prover in all(circuit) {
            for cores in [Cores::One, Cores::All] {
                let proof = prover.prove(&circuit.assignment, cores).unwrap();
                let inputs = &circuit.assignment[1..3];
                let key = circuit.key.prepared_verifying_key();
                assert_eq!(verify(key, inputs, &proof), Ok(()));
            }
        }
    }
}

#[test]
fn an_unsatisfied_assignment_is_refused_with_its_row() {
    for circuit in [small(), random_circuit()] {
        for prover in all(circuit) {
            for variable in 1..circuit.r1cs.variables().min(20) {
                let mut z = circuit.assignment.clone();
                z[variable] += Fr::from(1u64);
                let constraint = circuit.r1cs.first_unsatisfied(&z).expect("z was broken");
                assert_eq!(
                    prover.prove(&z, Cores::One),
                    Err(ProveError::Unsatisfied { constraint })
                );
            }
        }
    }
}

#[test]
fn an_assignment_of_another_length_or_without_its_one_is_refused() {
    let circuit = small();
    let z = &circuit.assignment;
    let prover = Prover::new(
        circuit.key.clone(),
        circuit.r1cs.clone(),
        cold(Kernel::Portable),
    )
    .unwrap();
    for wrong in [&z[..0], &z[..z.len() - 1], &[&z[..], &z[..1]].concat()] {
        assert_eq!(
            prover.prove(wrong, Cores::One),
            Err(ProveError::AssignmentLength {
                expected: z.len(),
                actual: wrong.len()
            })
        );
    }
    let mut headless = z.clone();
    headless[0] = Fr::from(2u64);
    assert_eq!(
        prover.prove(&headless, Cores::One),
        Err(ProveError::NoConstant)
    );
}

#[test]
fn a_key_of_another_circuit_is_refused_even_when_the_shapes_agree() {
    let (twin, _) = random_r1cs(8, 100, 2, 5);
    let circuit = random_circuit();
    let expected = ProveError::KeyOfAnotherCircuit {
        key: *circuit.key.circuit(),
        circuit: *twin.digest(),
    };
    let refused =
        Prover::new(circuit.key.clone(), Arc::new(twin), cold(Kernel::Portable)).unwrap_err();
    assert_eq!(refused, expected);
}

#[test]
fn a_damaged_key_never_yields_a_proof() {
    let circuit = random_circuit();
    type Damage = fn(&mut ark_groth16::ProvingKey<ark_bn254::Bn254>);
    let damages: [Damage; 4] = [
        |k| k.l_query.swap(3, 4),
        |k| k.h_query.swap(0, 1),
        |k| k.a_query.swap(5, 6),
        |k| k.b_g2_query.swap(8, 9),
    ];
    for damage in damages {
        let mut points = circuit.key.points().clone();
        damage(&mut points);
        let key = Arc::new(ProvingKey::new(points, &circuit.r1cs).unwrap());
        let prover = Prover::new(key, circuit.r1cs.clone(), cold(Kernel::Portable)).unwrap();
        assert_eq!(
            prover.prove(&circuit.assignment, Cores::One),
            Err(ProveError::SelfCheckFailed)
        );
    }
}

/// What a caller answers to stop a proof.
#[derive(Debug, PartialEq)]
enum Stopped {
    Here,
    Failed(ProveError),
}

impl From<ProveError> for Stopped {
    fn from(error: ProveError) -> Self {
        Self::Failed(error)
    }
}

#[test]
fn a_proof_under_way_stops_at_its_next_stage_and_is_asked_before_each() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let circuit = small();
    let prover = &all(circuit)[0];
    for cores in [Cores::One, Cores::All] {
        for allowed in 0..6 {
            let asked = AtomicUsize::new(0);
            let go_on = || match asked.fetch_add(1, Ordering::Relaxed) {
                before if before >= allowed => Err(Stopped::Here),
                _ => Ok(()),
            };
            let proof = prover.prove_while(&circuit.assignment, cores, &go_on);
            assert_eq!(proof.is_ok(), allowed >= 5, "A, B, h, C, and the end");
            assert_eq!(proof.err(), (allowed < 5).then_some(Stopped::Here));
            if cores == Cores::One {
                assert_eq!(asked.into_inner(), 5.min(allowed + 1));
            }
        }
    }
    let wrong = prover.prove_while(&[], Cores::One, &|| Ok::<(), Stopped>(()));
    assert!(matches!(wrong, Err(Stopped::Failed(_))));
}
