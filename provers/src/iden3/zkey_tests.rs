use super::*;
use crate::testing;
use ark_ff::{BigInteger, PrimeField};
use proptest::prelude::*;
use std::io::Cursor as Memory;
use std::sync::LazyLock;

static FILE: LazyLock<Vec<u8>> =
    LazyLock::new(|| testing::zkey(&testing::random_r1cs(51, 30, 2, 3).0));

fn read(bytes: &[u8]) -> Result<Zkey, FileError> {
    Zkey::read(Memory::new(bytes))
}

fn read_known(bytes: &[u8]) -> Result<Zkey, FileError> {
    let digest = file_digest(&mut Memory::new(bytes)).unwrap();
    Zkey::read_known(Memory::new(bytes), &digest)
}

/// Where a section's bytes are.
fn section(id: u32) -> std::ops::Range<usize> {
    let mut at = 12;
    loop {
        let found = u32::from_le_bytes(FILE[at..at + 4].try_into().unwrap());
        let length = u64::from_le_bytes(FILE[at + 4..at + 12].try_into().unwrap()) as usize;
        at += 12;
        if found == id {
            return at..at + length;
        }
        at += length;
    }
}

fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = FILE.clone();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    changed
}

#[test]
fn the_matrices_are_the_circuits_and_its_instance_rows() {
    let (r1cs, z) = testing::random_r1cs(51, 30, 2, 3);
    let [a, b] = read(&FILE).unwrap().matrices().unwrap();
    let [of_a, of_b, _] = r1cs.matrices();
    assert_eq!(&a[..30], of_a);
    assert_eq!(&b[..30], of_b);
    let one = Fr::from(1u64);
    assert_eq!(a[30..33], [0, 1, 2].map(|variable| vec![(one, variable)]));
    assert!(a[33..].iter().chain(&b[30..]).all(Vec::is_empty));
    assert_eq!((a.len(), b.len(), z.len()), (64, 64, 33));
}

#[test]
fn a_coefficient_outside_the_matrices_or_above_the_prime_is_refused() {
    let entries = section(4).start + 4;
    // Matrix, row, variable: the first value that is none.
    for (field, first_wrong) in [(0, 2u32), (1, 64), (2, 33)] {
        for wrong in [first_wrong, u32::MAX] {
            let changed = with(entries + 4 * field, &wrong.to_le_bytes());
            let error = read(&changed).unwrap().matrices().unwrap_err();
            assert!(matches!(error, FileError::Malformed { .. }), "{error}");
        }
    }
    let changed = with(entries + 12, &Fr::MODULUS.to_bytes_le());
    let error = read(&changed).unwrap().matrices().unwrap_err();
    assert!(matches!(error, FileError::NotReduced { id: 4 }), "{error}");
}

#[test]
fn every_shortened_or_lengthened_file_is_refused() {
    for length in (0..FILE.len()).step_by(97).chain([FILE.len() - 1]) {
        assert!(read(&FILE[..length]).is_err(), "{length} bytes");
    }
    let longer = [&FILE[..], &[0]].concat();
    assert!(matches!(
        read(&longer),
        Err(FileError::Trailing { excess: 1 })
    ));
}

#[test]
fn counts_that_are_not_the_sections_lengths_are_refused_before_anything_is_allocated() {
    // Variables, public inputs, domain; the number of coefficients.
    let header = section(2).start + 2 * (4 + FIELD_BYTES);
    for at in [header, header + 4, header + 8, section(4).start] {
        for count in [0, 1 << 27, 1 << 31, u32::MAX] {
            assert!(
                read(&with(at, &u32::to_le_bytes(count))).is_err(),
                "{count}"
            );
        }
    }
}

#[test]
fn a_point_off_its_curve_is_named_and_passes_only_in_a_file_known_by_its_digest() {
    for id in [3, 5, 6, 7, 8, 9] {
        let x = section(id).start;
        let changed = with(x, &[FILE[x] ^ 1]);
        let error = read(&changed).err().expect("a point is off its curve");
        assert!(
            matches!(error, FileError::NotInGroup { id: at, index: 0 } if at == id),
            "{error}"
        );
        assert!(read_known(&changed).is_ok());
        let modulus = with(x, &Fq::MODULUS.to_bytes_le());
        assert!(
            read_known(&modulus).is_err(),
            "coordinates are still reduced"
        );
    }
}

#[test]
fn a_known_file_is_read_as_any_other_and_another_is_refused_by_its_digest() {
    let known = read_known(&FILE).unwrap();
    assert!(known.write(Memory::new(Vec::new())).unwrap().into_inner() == *FILE);
    let digest = *blake3::hash(&FILE).as_bytes();
    let at = section(9).start;
    let error = Zkey::read_known(Memory::new(with(at, &[FILE[at] ^ 1])), &digest);
    let error = error.err().expect("the file has another digest");
    assert!(matches!(error, FileError::Digest { expected, .. } if expected == digest));
    assert!(
        error
            .to_string()
            .contains(&blake3::hash(&FILE).to_hex()[..])
    );
}

#[test]
fn another_format_curve_or_proof_system_is_named() {
    assert!(matches!(
        read(&with(0, b"wtns")),
        Err(FileError::Kind { .. })
    ));
    assert!(matches!(
        read(&with(section(1).start, &[2])),
        Err(FileError::ProofSystem { found: 2 })
    ));
    assert!(matches!(
        read(&with(section(2).start + 4, &[0])),
        Err(FileError::Curve)
    ));
}

/// Without the last `bytes` of a section, whose own length says so.
fn shortened(id: u32, bytes: usize) -> Vec<u8> {
    let range = section(id);
    let mut changed = FILE.clone();
    let length = (range.len() - bytes) as u64;
    changed[range.start - 8..range.start].copy_from_slice(&length.to_le_bytes());
    drop(changed.drain(range.end - bytes..range.end));
    changed
}

#[test]
fn a_section_a_point_short_is_named_with_the_length_its_counts_ask_for() {
    for (id, point) in [(3, 64), (5, 64), (6, 64), (7, 128), (8, 64), (9, 64)] {
        let error = read(&shortened(id, point))
            .err()
            .expect("a point is missing");
        let length = section(id).len() as u64;
        let named = matches!(error, FileError::SectionLength { id: at, expected, found }
            if at == id && expected == length && found == length - point as u64);
        assert!(named, "{error}");
    }
    let error = read(&shortened(4, 1))
        .err()
        .expect("a coefficient is short");
    assert!(
        matches!(error, FileError::SectionLength { id: 4, .. }),
        "{error}"
    );
}

#[test]
fn a_section_twice_or_missing_is_named() {
    // L under the number of H, and under one that nobody knows.
    let number = section(8).start - 12;
    let error = read(&with(number, &[9])).err().expect("H occurs twice");
    assert!(
        matches!(error, FileError::SectionTwice { id: 9 }),
        "{error}"
    );
    let error = read(&with(number, &[30])).err().expect("L is missing");
    assert!(
        matches!(error, FileError::SectionMissing { id: 8 }),
        "{error}"
    );
}

#[test]
fn more_inputs_than_variables_and_a_domain_that_is_no_power_of_two_are_said_as_such() {
    let counts = section(2).start + 2 * (4 + FIELD_BYTES);
    // 33 variables: as many inputs leave none for the constant.
    for inputs in [33u32, 34, u32::MAX] {
        let error = read(&with(counts + 4, &inputs.to_le_bytes()))
            .err()
            .unwrap();
        let what = "it has more public inputs than variables";
        assert!(
            matches!(error, FileError::Malformed { what: found } if found == what),
            "{error}"
        );
    }
    for domain in [0u32, 63, 65, 1 << 28] {
        let error = read(&with(counts + 8, &domain.to_le_bytes()))
            .err()
            .unwrap();
        let what = "its domain is not a power of two up to 2^27";
        assert!(
            matches!(error, FileError::Malformed { what: found } if found == what),
            "{error}"
        );
    }
}

#[test]
fn a_single_point_of_the_header_is_reduced_and_in_its_group() {
    let points = section(2).start + 2 * (4 + FIELD_BYTES) + 12;
    // Alpha and beta in G1, beta and gamma in G2, delta in both: where each starts.
    for at in [0, 64, 128, 256, 384, 448] {
        let x = points + at;
        for bytes in [with(x, &[FILE[x] ^ 1]), with(x, &Fq::MODULUS.to_bytes_le())] {
            for error in [read(&bytes), read_known(&bytes)].map(|r| r.err()) {
                let error = error.expect("the point is none");
                let named = matches!(error, FileError::NotInGroup { id: 2, index: 0 });
                assert!(named, "{at}: {error}");
            }
        }
    }
}

/// Whatever is taken is in its one encoding.
fn taken_or_refused(bytes: &[u8]) {
    for zkey in [read(bytes), read_known(bytes)].into_iter().flatten() {
        let _ = zkey.matrices();
        let again = zkey.write(Memory::new(Vec::new())).unwrap().into_inner();
        // Sections may come in another order than ours.
        assert_eq!(again.len(), bytes.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn mutated_files_are_taken_or_refused_without_a_panic(
        place in any::<prop::sample::Index>(), bytes in prop::collection::vec(any::<u8>(), 1..9),
        in_headers: bool, cut in 0usize..3,
    ) {
        let end = if in_headers { section(2).end } else { FILE.len() };
        let mut changed = FILE.clone();
        let at = place.index(end);
        for (old, new) in changed[at..].iter_mut().zip(&bytes) {
            *old = *new;
        }
        changed.truncate(FILE.len() - cut);
        taken_or_refused(&changed);
    }

    #[test]
    fn arbitrary_bytes_after_a_good_start_are_no_panic(
        start in 0usize..700, bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        taken_or_refused(&[&FILE[..start], &bytes].concat());
    }
}
