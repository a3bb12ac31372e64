//! `.r1cs`, version 1 (<https://github.com/iden3/r1csfile/blob/master/doc/r1cs_bin_format.md>): a circuit's matrices.
//!
//! Written: wire 0 is the constant one, then the public inputs (as inputs, none as outputs), then the witness,
//! declared as private inputs because nothing says which of it the others determine; one label per wire. A
//! combination's terms go in ascending order of wires, a wire once, no zero coefficient: snarkjs's own reader keeps
//! one term per wire. Read: sections in any order; custom gates (PLONK only) are refused.

use std::io::{Read, Seek, Write};

use ark_bn254::Fr;
use ark_ff::Zero;

use super::error::{FileError, FileKind};
use super::scalars::{FIELD_BYTES, from_plain, modulus, plain};
use super::sections::{Cursor, SectionFile, SectionWriter};
use crate::R1cs;

const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const LABELS: u32 = 3;
const CUSTOM_GATES: [u32; 2] = [4, 5];
/// Bytes of one term of a combination: a wire (u32) and its coefficient.
const TERM_BYTES: u64 = 4 + FIELD_BYTES as u64;

type Combination = Vec<(Fr, usize)>;

/// Writes `circuit`; the same circuit always gives the same bytes.
pub fn write_r1cs<W: Write + Seek>(circuit: &R1cs, output: W) -> Result<W, FileError> {
    let mut out = SectionWriter::new(output, FileKind::R1cs, 3)?;
    let count = |n: usize| {
        u32::try_from(n)
            .expect("R1cs::new bounds what a circuit has")
            .to_le_bytes()
    };
    out.begin(HEADER)?;
    out.put(&(FIELD_BYTES as u32).to_le_bytes())?;
    out.put(&modulus::<Fr>())?;
    out.put(&count(circuit.variables()))?;
    out.put(&count(0))?;
    out.put(&count(circuit.public_inputs()))?;
    out.put(&count(circuit.witness_variables()))?;
    out.put(&(circuit.variables() as u64).to_le_bytes())?;
    out.put(&count(circuit.constraints()))?;

    out.begin(CONSTRAINTS)?;
    let [a, b, c] = circuit.matrices();
    for rows in a.iter().zip(b).zip(c).map(|((a, b), c)| [a, b, c]) {
        for row in rows {
            let terms = one_term_per_wire(row);
            out.put(&count(terms.len()))?;
            for (coefficient, wire) in terms {
                out.put(&count(wire))?;
                out.put(&plain(&coefficient))?;
            }
        }
    }

    out.begin(LABELS)?;
    for wire in 0..circuit.variables() as u64 {
        out.put(&wire.to_le_bytes())?;
    }
    out.finish()
}

/// By wire, each once, without zeros: a combination has many spellings.
pub(crate) fn one_term_per_wire(row: &[(Fr, usize)]) -> Combination {
    let mut terms = row.to_vec();
    terms.sort_by_key(|(_, wire)| *wire);
    terms.dedup_by(|next, kept| {
        let same = next.1 == kept.1;
        if same {
            kept.0 += next.0;
        }
        same
    });
    terms.retain(|(coefficient, _)| !coefficient.is_zero());
    terms
}

/// Reads a circuit over BN254's scalar field; public outputs and inputs are its public inputs.
pub fn read_r1cs<R: Read + Seek>(input: R) -> Result<R1cs, FileError> {
    let mut file = SectionFile::open(input, FileKind::R1cs)?;
    if CUSTOM_GATES.iter().any(|id| file.has(*id)) {
        return Err(FileError::Malformed {
            what: "it uses custom gates, which Groth16 has not",
        });
    }
    let header = read_header(&mut file)?;
    let mut rows = file.section(CONSTRAINTS)?;
    // Three empty combinations are twelve bytes: what the count may ask to be allocated.
    let plausible = (header.constraints as u64).min(rows.left() / 12) as usize;
    let [mut a, mut b, mut c] = [(); 3].map(|()| Vec::with_capacity(plausible));
    for constraint in 0..header.constraints {
        for matrix in [&mut a, &mut b, &mut c] {
            matrix.push(read_combination(&mut rows, constraint, header.wires)?);
        }
    }
    rows.finish()?;
    let instance = header.public + 1;
    Ok(R1cs::new(a, b, c, instance, header.wires - instance)?)
}

struct Header {
    wires: usize,
    public: usize,
    constraints: usize,
}

fn read_header<R: Read + Seek>(file: &mut SectionFile<R>) -> Result<Header, FileError> {
    let mut header = file.section(HEADER)?;
    if header.u32()? != FIELD_BYTES as u32 || header.array()? != modulus::<Fr>() {
        return Err(FileError::Curve);
    }
    let [wires, outputs, inputs, private] =
        [header.u32()?, header.u32()?, header.u32()?, header.u32()?];
    let _labels = header.u64()?;
    let constraints = header.u32()? as usize;
    header.finish()?;
    let declared = 1 + u64::from(outputs) + u64::from(inputs) + u64::from(private);
    if declared > u64::from(wires) {
        return Err(FileError::Malformed {
            what: "it declares more inputs and outputs than it has wires",
        });
    }
    // What the labels mean is for debuggers; how many there are is part of the format.
    file.expect_length(LABELS, 8 * u64::from(wires))?;
    Ok(Header {
        wires: wires as usize,
        public: outputs as usize + inputs as usize,
        constraints,
    })
}

fn read_combination<R: Read + Seek>(
    rows: &mut Cursor<'_, R>,
    constraint: usize,
    wires: usize,
) -> Result<Combination, FileError> {
    let id = rows.id();
    let count = u64::from(rows.u32()?);
    if count > rows.left() / TERM_BYTES {
        return Err(FileError::Truncated {
            what: "a constraint",
        });
    }
    let mut terms: Combination = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let wire = rows.u32()?;
        let coefficient: Fr =
            from_plain(&rows.array::<FIELD_BYTES>()?).ok_or(FileError::NotReduced { id })?;
        terms.push((coefficient, wire as usize));
    }
    let mut seen: Vec<usize> = terms.iter().map(|(_, wire)| *wire).collect();
    seen.sort_unstable();
    if let Some(twice) = seen.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(FileError::WireTwice {
            constraint,
            wire: twice[0] as u32,
        });
    }
    match seen.last() {
        Some(wire) if *wire >= wires => Err(FileError::Malformed {
            what: "a constraint names a wire that does not exist",
        }),
        _ => Ok(terms),
    }
}

#[cfg(test)]
#[path = "r1cs_tests.rs"]
mod tests;
