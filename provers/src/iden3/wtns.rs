//! `.wtns`, version 2 (snarkjs 0.7.6, `wtns_utils.js`): a full assignment of a circuit, the constant one first.
//!
//! Invariants: 1. every value is below the modulus, and there are as many as the file's length has room for;
//! 2. no buffer that held a value is left unerased. Knows nothing of the circuit: whose assignment it is, and
//! whether it satisfies anything, only a proof tells.

use std::io::{Read, Seek, Write};

use ark_bn254::Fr;
use ark_ff::Zero;
use zeroize::Zeroizing;

use super::error::{FileError, FileKind};
use super::scalars::{FIELD_BYTES, from_plain, modulus, plain};
use super::sections::{SectionFile, SectionWriter};
use crate::groth16::Assignment;

const HEADER: u32 = 1;
const VALUES: u32 = 2;
/// Values read or written at a time: 512 KiB.
const CHUNK: usize = 1 << 14;

/// Reads an assignment over BN254's scalar field.
///
/// # Errors
/// [`FileError`]; none of them says anything about a value but its place.
pub fn read_wtns<R: Read + Seek>(input: R) -> Result<Assignment, FileError> {
    let mut file = SectionFile::open_secret(input, FileKind::Wtns)?;
    let mut header = file.section(HEADER)?;
    if header.u32()? != FIELD_BYTES as u32 || header.array()? != modulus::<Fr>() {
        return Err(FileError::Curve);
    }
    let count = header.u32()?;
    header.finish()?;
    // What the count may ask to be allocated is what the file has.
    file.expect_length(VALUES, FIELD_BYTES as u64 * u64::from(count))?;
    let count = count as usize;
    let mut section = file.section(VALUES)?;
    // At its full size from the start: a vector that grows leaves what it held behind.
    let mut values = Zeroizing::new(vec![Fr::zero(); count]);
    let mut buffer = Zeroizing::new(vec![0; FIELD_BYTES * CHUNK.min(count)]);
    for chunk in values.chunks_mut(CHUNK) {
        let bytes = &mut buffer[..FIELD_BYTES * chunk.len()];
        section.fill(bytes)?;
        for (value, bytes) in chunk.iter_mut().zip(bytes.chunks_exact(FIELD_BYTES)) {
            *value = from_plain(bytes).ok_or(FileError::NotReduced { id: VALUES })?;
        }
    }
    section.finish()?;
    Ok(Assignment::new(std::mem::take(&mut *values)))
}

/// Writes an assignment as snarkjs does; the file is as secret as the witness in it.
///
/// # Panics
/// If there are 2^32 values or more.
pub fn write_wtns<W: Write + Seek>(assignment: &[Fr], output: W) -> Result<W, FileError> {
    let count = u32::try_from(assignment.len()).expect("fewer values than 2^32");
    let mut out = SectionWriter::new_secret(output, FileKind::Wtns, 2)?;
    out.begin(HEADER)?;
    out.put(&(FIELD_BYTES as u32).to_le_bytes())?;
    out.put(&modulus::<Fr>())?;
    out.put(&count.to_le_bytes())?;
    out.begin(VALUES)?;
    let mut buffer = Zeroizing::new(vec![0; FIELD_BYTES * CHUNK.min(assignment.len())]);
    for chunk in assignment.chunks(CHUNK) {
        let bytes = &mut buffer[..FIELD_BYTES * chunk.len()];
        for (value, bytes) in chunk.iter().zip(bytes.chunks_exact_mut(FIELD_BYTES)) {
            bytes.copy_from_slice(&*Zeroizing::new(plain(value)));
        }
        out.put(bytes)?;
    }
    out.finish()
}

#[cfg(test)]
#[path = "wtns_tests.rs"]
mod tests;
