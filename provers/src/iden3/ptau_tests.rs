use super::super::ptau_write::{PtauContent, write_ptau};
use super::*;
use crate::ceremony::insecure_dev_powers;
use ark_ff::{BigInteger, PrimeField};
use std::io::Cursor as Memory;
use std::sync::LazyLock;

const POWER: u32 = 2;

/// A prepared file of 2^2 without contributions: the smallest that has everything.
static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| written(&content()));

fn content() -> PtauContent {
    insecure_dev_powers(POWER, &mut |_, _| {}).unwrap()
}

fn written(content: &PtauContent) -> Vec<u8> {
    let file = write_ptau(content, Memory::new(Vec::new()));
    file.unwrap().into_inner()
}

fn open(bytes: &[u8]) -> Result<Ptau<Memory<&[u8]>>, FileError> {
    Ptau::open(Memory::new(bytes))
}

fn refusal(bytes: &[u8]) -> FileError {
    open(bytes).err().expect("the file is none")
}

fn with(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = FILE.clone();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    changed
}

/// Where a section's head is: its number, then its length.
fn head(id: u32) -> usize {
    let mut at = 12;
    loop {
        let number = u32::from_le_bytes(FILE[at..at + 4].try_into().unwrap());
        if number == id {
            return at;
        }
        let length = u64::from_le_bytes(FILE[at + 4..at + 12].try_into().unwrap());
        at += 12 + length as usize;
    }
}

/// Of the file: the header's content behind the field's size and modulus.
fn power_at() -> usize {
    head(HEADER) + 12 + 4 + FIELD_BYTES
}

#[test]
fn a_whole_file_says_its_power_and_gives_its_points() {
    let mut file = open(&FILE).unwrap();
    assert_eq!((file.power(), file.ceremony_power()), (POWER, POWER));
    let content = content();
    assert_eq!(content.tau_g1.len(), 7);
    let points: Vec<G1Affine> = file.points(PtauSection::TauG1, 0, 7).unwrap();
    assert_eq!(points.len(), 7);
    let basis: Vec<G2Affine> = file.lagrange(PtauSection::LagrangeTauG2, POWER).unwrap();
    assert_eq!(basis.len(), 4);
}

#[test]
fn a_power_that_is_not_that_of_the_sections_is_refused_by_the_first_of_them() {
    for power in [1u32, 3, 20] {
        let error = refusal(&with(power_at(), &power.to_le_bytes()));
        let first = PtauSection::TauG1 as u32;
        assert!(
            matches!(error, FileError::SectionLength { id, .. } if id == first),
            "{power}: {error}"
        );
    }
}

#[test]
fn a_power_of_zero_or_beyond_the_field_is_refused_before_lengths_are_computed() {
    for (at, what) in [
        (power_at(), "its power"),
        (power_at() + 4, "its ceremony's power"),
    ] {
        for power in [0, MAX_POWER + 1, 64, u32::MAX] {
            let error = refusal(&with(at, &power.to_le_bytes()));
            let limited = matches!(error, FileError::Limit { what: w, found, .. }
                if w == what && found == u64::from(power));
            assert!(limited, "{error}");
        }
    }
}

#[test]
fn a_section_with_a_point_too_few_or_missing_is_named() {
    let last = head(PtauSection::LagrangeBetaTauG1 as u32);
    let mut changed = FILE[..FILE.len() - 64].to_vec();
    let length = (changed.len() - last - 12) as u64;
    changed[last + 4..last + 12].copy_from_slice(&length.to_le_bytes());
    let short = refusal(&changed);
    // Under a number nobody asks for: a file not prepared that far.
    let missing = refusal(&with(last, &[60]));
    assert!(
        matches!(short, FileError::SectionLength { id: 15, .. }),
        "{short}"
    );
    assert!(
        matches!(missing, FileError::SectionMissing { id: 15 }),
        "{missing}"
    );
}

#[test]
fn another_format_or_curve_is_named() {
    let zkey = refusal(&with(0, b"zkey"));
    assert!(matches!(zkey, FileError::Kind { .. }), "{zkey}");
    let header = head(HEADER) + 12;
    // The field's size, and its modulus.
    for (at, bytes) in [(header, &[48][..]), (header + 4, &[0])] {
        let error = refusal(&with(at, bytes));
        assert!(matches!(error, FileError::Curve), "{error}");
    }
}

#[test]
fn a_point_with_a_coordinate_of_q_or_more_or_off_its_curve_is_named_when_it_is_read() {
    for (section, id) in [(PtauSection::TauG1, 2), (PtauSection::TauG2, 3)] {
        let second = head(id) + 12 + section.bytes_per_point() as usize;
        let off = with(second, &[FILE[second] ^ 1]);
        let not_reduced = with(second, &Fq::MODULUS.to_bytes_le());
        for bytes in [off, not_reduced] {
            let mut file = open(&bytes).unwrap();
            let error = match section {
                PtauSection::TauG1 => file.points::<G1Affine>(section, 0, 4).err(),
                _ => file.points::<G2Affine>(section, 0, 4).err(),
            };
            let error = error.expect("the second point is none");
            assert!(
                matches!(error, FileError::NotInGroup { id: at, index: 1 } if at == id),
                "{error}"
            );
        }
    }
}
