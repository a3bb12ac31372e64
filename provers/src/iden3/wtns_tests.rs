use super::*;
use crate::testing;
use ark_ff::BigInteger;
use proptest::prelude::*;
use std::io::Cursor as Memory;

fn written(values: &[Fr]) -> Vec<u8> {
    write_wtns(values, Memory::new(Vec::new()))
        .unwrap()
        .into_inner()
}

fn read(bytes: &[u8]) -> Result<Vec<Fr>, FileError> {
    read_wtns(Memory::new(bytes)).map(|assignment| assignment.as_slice().to_vec())
}

/// Where the first value starts: after the file's header, section 1 and section 2's header.
const FIRST: usize = 12 + 12 + 40 + 12;

#[test]
fn an_assignment_is_read_back_as_it_was_written_whatever_its_length() {
    let (_, z) = testing::random_r1cs(1, 2 * CHUNK + 7, 3, 1);
    for length in [0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, z.len()] {
        let bytes = written(&z[..length]);
        assert_eq!(bytes.len(), FIRST + FIELD_BYTES * length);
        assert_eq!(read(&bytes).unwrap(), z[..length], "{length} values");
    }
}

#[test]
fn every_shortened_or_lengthened_file_is_refused() {
    let bytes = written(&testing::small_assignment(3));
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
fn a_count_that_is_not_the_files_length_is_refused_before_anything_is_allocated() {
    let bytes = written(&testing::small_assignment(3));
    let count = FIRST - 12 - 4;
    for changed in [[0; 4], [0xff; 4], [0, 0, 0, 0x80]] {
        let mut wrong = bytes.clone();
        wrong[count..count + 4].copy_from_slice(&changed);
        let error = read(&wrong).unwrap_err();
        assert!(
            matches!(error, FileError::SectionLength { id: 2, .. }),
            "{error}"
        );
    }
}

#[test]
fn another_format_version_prime_or_a_value_above_the_prime_is_named() {
    let bytes = written(&testing::small_assignment(3));
    let with = |at: usize, byte: u8| {
        let mut changed = bytes.clone();
        changed[at] = byte;
        read(&changed).unwrap_err()
    };
    assert!(matches!(with(0, b'z'), FileError::Kind { .. }));
    assert!(matches!(
        with(4, 1),
        FileError::Version {
            found: 1,
            known: 2,
            ..
        }
    ));
    // Section 1: the length of a field element, then the prime.
    assert!(matches!(with(24, 31), FileError::Curve));
    assert!(matches!(with(28, 2), FileError::Curve));
    let mut modulus = bytes.clone();
    modulus[FIRST..FIRST + FIELD_BYTES]
        .copy_from_slice(&<Fr as ark_ff::PrimeField>::MODULUS.to_bytes_le());
    assert!(matches!(
        read(&modulus),
        Err(FileError::NotReduced { id: 2 })
    ));
}

proptest! {
    #[test]
    fn whatever_is_read_is_written_back_as_it_was(
        at in 0usize..FIRST + 7 * FIELD_BYTES, byte: u8, cut in 0usize..8,
    ) {
        let mut bytes = written(&testing::small_assignment(3));
        let at = at.min(bytes.len() - 1);
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut);
        if let Ok(values) = read(&bytes) {
            prop_assert_eq!(written(&values), bytes);
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        for (at, byte) in written(&[]).iter().take(12).enumerate() {
            if let Some(b) = bytes.get_mut(at) { *b = *byte; }
        }
        let _ = read(&bytes);
    }
}
