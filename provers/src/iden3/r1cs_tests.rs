use super::*;
use crate::testing::{self, small};
use proptest::prelude::*;
use std::io::Cursor as Memory;

fn written(circuit: &R1cs) -> Vec<u8> {
    write_r1cs(circuit, Memory::new(Vec::new()))
        .unwrap()
        .into_inner()
}

fn read(bytes: &[u8]) -> Result<R1cs, FileError> {
    read_r1cs(Memory::new(bytes))
}

#[test]
fn a_circuit_is_read_back_as_it_was_written() {
    for (seed, constraints, public, terms) in [(1, 1, 0, 1), (2, 7, 1, 3), (3, 40, 5, 4)] {
        let (circuit, z) = testing::random_r1cs(seed, constraints, public, terms);
        let bytes = written(&circuit);
        let again = read(&bytes).unwrap();
        assert_eq!(again.instance_variables(), circuit.instance_variables());
        assert_eq!(again.variables(), circuit.variables());
        assert_eq!(again.first_unsatisfied(&z), None);
        assert_eq!(written(&again), bytes);
        let mut wrong = z;
        *wrong.last_mut().unwrap() += Fr::from(1u64);
        assert_eq!(again.first_unsatisfied(&wrong), Some(constraints - 1));
    }
}

#[test]
fn a_wire_named_twice_is_written_once_and_refused_when_read() {
    let one = Fr::from(1u64);
    let twice = vec![(one, 1), (one, 0), (one, 1), (-one, 0)];
    let circuit = R1cs::new(vec![twice], vec![vec![(one, 1)]], vec![vec![]], 1, 1).unwrap();
    let bytes = written(&circuit);
    assert_eq!(
        read(&bytes).unwrap().matrices()[0][0],
        vec![(Fr::from(2u64), 1)]
    );

    let sum = vec![(one, 0), (one, 1)];
    let circuit = R1cs::new(vec![sum], vec![vec![]], vec![vec![]], 1, 1).unwrap();
    let mut bytes = written(&circuit);
    // Before the labels: two empty combinations, then the second term of the first one.
    let second = bytes.len() - (12 + 8 * 2) - 2 * 4 - TERM_BYTES as usize;
    assert_eq!(bytes[second..second + 4], [1, 0, 0, 0]);
    bytes[second] = 0;
    assert!(matches!(
        read(&bytes),
        Err(FileError::WireTwice {
            constraint: 0,
            wire: 0
        })
    ));
}

#[test]
fn every_shortened_or_lengthened_file_is_refused() {
    let bytes = written(&small().r1cs);
    for length in 0..bytes.len() {
        assert!(read(&bytes[..length]).is_err(), "{length} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(matches!(
        read(&longer),
        Err(FileError::Trailing { excess: 1 })
    ));
}

#[test]
fn counts_that_promise_more_than_the_file_holds_allocate_nothing() {
    let bytes = written(&small().r1cs);
    // Wires, outputs, inputs, private inputs, constraints; then the first combination's length.
    let header = 24 + 36;
    for at in [
        header,
        header + 4,
        header + 8,
        header + 12,
        header + 24,
        header + 40,
    ] {
        let mut changed = bytes.clone();
        changed[at..at + 4].fill(0xff);
        assert!(read(&changed).is_err(), "count at {at}");
    }
}

#[test]
fn more_inputs_and_outputs_than_wires_custom_gates_and_wires_that_are_not_there_are_said_as_such() {
    let bytes = written(&small().r1cs);
    let what = |changed: &[u8]| match read(changed) {
        Err(FileError::Malformed { what }) => what,
        other => panic!("{other:?}"),
    };
    let wires = 24 + 36;
    let count = u32::from_le_bytes(bytes[wires..wires + 4].try_into().unwrap());
    // Outputs, public inputs, private inputs: each as many as there are wires, beside the constant.
    for at in [wires + 4, wires + 8, wires + 12] {
        let mut changed = bytes.clone();
        changed[at..at + 4].copy_from_slice(&count.to_le_bytes());
        let expected = "it declares more inputs and outputs than it has wires";
        assert_eq!(what(&changed), expected);
    }
    let labels = bytes.len() - 8 * count as usize - 12;
    let mut gates = bytes.clone();
    gates[labels] = 4;
    assert_eq!(what(&gates), "it uses custom gates, which Groth16 has not");
    // The first term of the first combination, behind the header, a section's head and a count.
    let term = wires + 28 + 12 + 4;
    let mut beyond = bytes.clone();
    beyond[term..term + 4].copy_from_slice(&count.to_le_bytes());
    let expected = "a constraint names a wire that does not exist";
    assert_eq!(what(&beyond), expected);
    let mut short = bytes[..bytes.len() - 8].to_vec();
    let length = (8 * (count - 1)).to_le_bytes();
    short[labels + 4..labels + 8].copy_from_slice(&length);
    let error = read(&short).unwrap_err();
    assert!(
        matches!(error, FileError::SectionLength { id: 3, .. }),
        "{error}"
    );
}

#[test]
fn another_curve_version_or_format_is_named() {
    let bytes = written(&small().r1cs);
    let with = |at: usize| {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        read(&changed).unwrap_err()
    };
    assert!(matches!(with(0), FileError::Kind { .. }));
    assert!(matches!(with(4), FileError::Version { found: 0, .. }));
    assert!(matches!(with(28), FileError::Curve));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn mutated_files_are_taken_or_refused_without_a_panic(
        place in any::<prop::sample::Index>(), new in prop::collection::vec(any::<u8>(), 1..9),
        cut in 0usize..3,
    ) {
        let mut bytes = written(&small().r1cs);
        let at = place.index(bytes.len());
        for (old, new) in bytes[at..].iter_mut().zip(new) {
            *old = new;
        }
        bytes.truncate(bytes.len() - cut);
        if let Ok(circuit) = read(&bytes) {
            prop_assert!(read(&written(&circuit)).is_ok());
        }
    }

    #[test]
    fn arbitrary_bytes_after_a_good_start_are_no_panic(
        start in 0usize..200, bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let good = written(&small().r1cs);
        let _ = read(&[&good[..start.min(good.len())], &bytes].concat());
    }
}
