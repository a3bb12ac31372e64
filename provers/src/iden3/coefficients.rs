//! Section 4 of a `.zkey`: the non-zero entries of A and B with the instance rows, as snarkjs's prover wants them.

use std::io::{Read, Seek};

use ark_bn254::Fr;
use ark_ff::Field;
use ark_relations::gr1cs::Matrix;

use super::error::FileError;
use super::scalars::{FIELD_BYTES, from_montgomery, montgomery};
use super::sections::SectionFile;

/// Bytes of an entry: matrix (0 is A, 1 is B), row, variable (u32 each), value.
const ENTRY_BYTES: usize = 12 + FIELD_BYTES;
/// Of the number of entries before them.
const COUNT_BYTES: usize = 4;

/// The section's bytes, as many as their count asks for.
pub(super) fn read<R: Read + Seek>(
    file: &mut SectionFile<R>,
    id: u32,
) -> Result<Vec<u8>, FileError> {
    let mut section = file.section(id)?;
    let length = section.left();
    let bytes = section.bytes(length)?;
    let count = bytes.first_chunk().map_or(0, |n| u32::from_le_bytes(*n));
    file.expect_length(id, (COUNT_BYTES + ENTRY_BYTES * count as usize) as u64)?;
    Ok(bytes)
}

/// A and B from the section's bytes.
pub(super) fn decode(
    bytes: &[u8],
    rows: u32,
    variables: u32,
) -> Result<[Matrix<Fr>; 2], FileError> {
    let mut matrices: [Matrix<Fr>; 2] = [(); 2].map(|()| vec![Vec::new(); rows as usize]);
    let unscale = r().inverse().expect("a power of two is not zero");
    for entry in bytes[COUNT_BYTES..].chunks_exact(ENTRY_BYTES) {
        let (place, value) = entry.split_at(ENTRY_BYTES - FIELD_BYTES);
        let (place, _) = place.as_chunks();
        let [matrix, row, variable] = [0, 1, 2].map(|i: usize| u32::from_le_bytes(place[i]));
        if matrix > 1 || row >= rows || variable >= variables {
            return Err(FileError::Malformed {
                what: "a coefficient names a matrix, row or variable that is not there",
            });
        }
        let value: Fr = from_montgomery(value).ok_or(FileError::NotReduced { id: 4 })?;
        matrices[matrix as usize][row as usize].push((value * unscale, variable as usize));
    }
    Ok(matrices)
}

/// The section from its entries: (matrix, row, variable) and the value. snarkjs keeps each value times R², so
/// that its prover's Montgomery product with a plain witness gives Montgomery form.
pub(crate) fn encode_coefficients<'a>(
    entries: impl ExactSizeIterator<Item = ([u32; 3], &'a Fr)>,
) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(COUNT_BYTES + ENTRY_BYTES * entries.len());
    bytes.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    let scale = r();
    for (place, value) in entries {
        place
            .iter()
            .for_each(|n| bytes.extend_from_slice(&n.to_le_bytes()));
        bytes.extend_from_slice(&montgomery(&(*value * scale)));
    }
    bytes
}

/// R as an element: its Montgomery form is R², so the form of a product with it is value · R².
fn r() -> Fr {
    Fr::from(2u64).pow([256])
}
