use super::*;
use crate::groth16::{PROOF_BYTES, ProvingKey};
use crate::testing::{self, random_circuit, small};
use ark_bn254::Fr;

fn prove_small(assignment: &[Fr]) -> Result<Groth16Proof, ProveError> {
    prove(&small().key, &small().r1cs, assignment)
}

#[test]
fn proofs_of_gadget_and_random_circuits_verify() {
    for circuit in [small(), random_circuit()] {
        let proof = prove(&circuit.key, &circuit.r1cs, &circuit.assignment).unwrap();
        let inputs = &circuit.assignment[1..3];
        assert_eq!(
            verify(circuit.key.prepared_verifying_key(), inputs, &proof),
            Ok(())
        );
    }
}

#[test]
fn every_element_of_two_proofs_of_one_assignment_differs() {
    let z = &small().assignment;
    let [one, two] = [(); 2].map(|()| prove_small(z).unwrap().to_bytes());
    for element in [0..32, 32..96, 96..PROOF_BYTES] {
        assert_ne!(one[element.clone()], two[element]);
    }
}

#[test]
fn an_unsatisfied_assignment_is_a_typed_error_where_ark_returns_a_proof() {
    for circuit in [small(), random_circuit()] {
        // Every public input and every witness variable in turn.
        for variable in 1..circuit.r1cs.variables().min(20) {
            let mut z = circuit.assignment.clone();
            z[variable] += Fr::from(1u64);
            let constraint = circuit.r1cs.first_unsatisfied(&z).expect("z was broken");
            assert_eq!(
                prove(&circuit.key, &circuit.r1cs, &z),
                Err(ProveError::Unsatisfied { constraint })
            );
        }
    }
}

#[test]
fn an_assignment_of_another_length_is_refused() {
    let z = &small().assignment;
    let longer = [&z[..], &[Fr::from(0u64)]].concat();
    for wrong in [&z[..0], &z[..z.len() - 1], &longer] {
        assert_eq!(
            prove_small(wrong),
            Err(ProveError::AssignmentLength {
                expected: z.len(),
                actual: wrong.len()
            })
        );
    }
}

#[test]
fn an_assignment_that_does_not_start_with_one_is_refused() {
    let mut z = small().assignment.clone();
    z[0] = Fr::from(2u64);
    assert_eq!(prove_small(&z), Err(ProveError::NoConstant));
}

#[test]
fn a_key_of_another_circuit_is_refused_even_when_the_shapes_agree() {
    let (twin, z) = testing::random_r1cs(8, 100, 2, 5);
    let circuit = random_circuit();
    assert_eq!(twin.variables(), circuit.r1cs.variables());
    for (key, r1cs, z) in [
        (&circuit.key, &twin, &z),
        (&small().key, &*circuit.r1cs, &circuit.assignment),
    ] {
        assert_eq!(
            prove(key, r1cs, z),
            Err(ProveError::KeyOfAnotherCircuit {
                key: *key.circuit(),
                circuit: *r1cs.digest()
            })
        );
    }
}

#[test]
fn a_damaged_key_never_yields_a_proof() {
    let circuit = random_circuit();
    type Damage = fn(&mut ark_groth16::ProvingKey<Bn254>);
    let damages: [Damage; 5] = [
        |k| k.l_query.swap(3, 4),
        |k| k.h_query.swap(0, 1),
        |k| k.a_query.swap(5, 6),
        |k| k.b_g1_query[7] = k.a_query[7],
        |k| k.b_g2_query.swap(8, 9),
    ];
    for damage in damages {
        let mut points = circuit.key.points().clone();
        damage(&mut points);
        let key = ProvingKey::new(points, &circuit.r1cs).unwrap();
        assert_eq!(
            prove(&key, &circuit.r1cs, &circuit.assignment),
            Err(ProveError::SelfCheckFailed)
        );
    }
}
