//! Contributions as `.zkey` (section 10) and `.ptau` (section 7) files list them, with their parameters: name, and
//! for a beacon the number of iterations and the value (snarkjs 0.7.6, `zkey_utils.js`).

use std::io::{Read, Seek, Write};

use ark_bn254::{G1Affine, G2Affine};

use super::error::FileError;
use super::sections::{Cursor, SectionWriter};

/// Ceremonies have tens of contributions; the largest public one has under 200.
pub const MAX_CONTRIBUTIONS: u32 = 1024;
/// A length is one byte in the file.
pub const MAX_NAME_BYTES: usize = 255;
/// BLAKE2b-512, in bytes.
pub const TRANSCRIPT_BYTES: usize = 64;

/// One party's step, or the beacon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contribution {
    /// δ·G1 after this step.
    pub delta_after: G1Affine,
    /// A point of the contributor's choice, and the same times its share: with `g2_spx` the proof that the
    /// contributor knew the share (Bowe, Gabizon, Miers, <https://eprint.iacr.org/2017/1050>).
    pub g1_s: G1Affine,
    pub g1_sx: G1Affine,
    /// The transcript's hash to G2, times the share.
    pub g2_spx: G2Affine,
    pub transcript: [u8; TRANSCRIPT_BYTES],
    pub name: Option<String>,
    pub kind: ContributionKind,
}

/// Whose share it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContributionKind {
    /// A party's secret.
    Participant,
    /// Everybody's: SHA-256 iterated 2^`iterations_log2` times over a public value.
    Beacon { iterations_log2: u8, value: Vec<u8> },
}

/// Section 10 of a `.zkey`: which circuit the steps are for, and the steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhaseTwo {
    /// snarkjs calls it the circuit hash: BLAKE2b over the initial key's points.
    pub circuit_hash: [u8; TRANSCRIPT_BYTES],
    pub contributions: Vec<Contribution>,
}

impl PhaseTwo {
    pub(super) fn read<R: Read + Seek>(section: &mut Cursor<'_, R>) -> Result<Self, FileError> {
        let circuit_hash = section.array()?;
        let contributions = read_all(section, |section| {
            let points = (section.point()?, section.point()?, section.point()?);
            let g2_spx = section.point()?;
            let transcript = section.array()?;
            let (kind, name) = read_kind(section)?;
            Ok(Contribution {
                delta_after: points.0,
                g1_s: points.1,
                g1_sx: points.2,
                g2_spx,
                transcript,
                name,
                kind,
            })
        })?;
        Ok(Self {
            circuit_hash,
            contributions,
        })
    }

    pub(super) fn write<W: Write + Seek>(
        &self,
        out: &mut SectionWriter<W>,
    ) -> Result<(), FileError> {
        out.put(&self.circuit_hash)?;
        out.put(&(self.contributions.len() as u32).to_le_bytes())?;
        for contribution in &self.contributions {
            let c = contribution;
            out.put_points(&[c.delta_after, c.g1_s, c.g1_sx])?;
            out.put_points(&[c.g2_spx])?;
            out.put(&c.transcript)?;
            out.put(&kind_bytes(&c.kind, c.name.as_deref()))?;
        }
        Ok(())
    }
}

/// A count, then as many contributions.
pub(super) fn read_all<R: Read + Seek, T>(
    section: &mut Cursor<'_, R>,
    mut one: impl FnMut(&mut Cursor<'_, R>) -> Result<T, FileError>,
) -> Result<Vec<T>, FileError> {
    let count = section.u32()?;
    if count > MAX_CONTRIBUTIONS {
        return Err(FileError::Limit {
            what: "its number of contributions",
            found: count.into(),
            limit: MAX_CONTRIBUTIONS.into(),
        });
    }
    (0..count).map(|_| one(section)).collect()
}

const NAME: u8 = 1;
const ITERATIONS: u8 = 2;
const VALUE: u8 = 3;

/// The kind's number, then its parameters: their length, and each by a number of its own, ascending.
pub(super) fn read_kind<R: Read + Seek>(
    section: &mut Cursor<'_, R>,
) -> Result<(ContributionKind, Option<String>), FileError> {
    let malformed = |what| FileError::Malformed { what };
    let kind = section.u32()?;
    let length = u64::from(section.u32()?);
    let (mut name, mut iterations, mut value) = (None, None, None);
    let end = section
        .left()
        .checked_sub(length)
        .ok_or(FileError::Truncated {
            what: "a contribution's parameters",
        })?;
    let mut last = 0;
    while section.left() > end {
        let parameter = section.u8()?;
        if parameter <= last {
            return Err(malformed("a contribution's parameters are not ascending"));
        }
        last = parameter;
        match parameter {
            NAME => {
                let length = section.u8()?;
                let text = String::from_utf8(section.bytes(length.into())?);
                name = Some(text.map_err(|_| malformed("a contribution's name is not UTF-8"))?);
            }
            ITERATIONS => iterations = Some(section.u8()?),
            VALUE => {
                let length = section.u8()?;
                value = Some(section.bytes(length.into())?);
            }
            _ => return Err(malformed("a contribution has an unknown parameter")),
        }
    }
    if section.left() != end {
        return Err(malformed(
            "a contribution's parameters overrun their length",
        ));
    }
    let kind = match (kind, iterations, value) {
        (0, None, None) => ContributionKind::Participant,
        (1, Some(iterations_log2), Some(value)) => ContributionKind::Beacon {
            iterations_log2,
            value,
        },
        _ => return Err(malformed("a contribution is of no known kind")),
    };
    Ok((kind, name))
}

pub(super) fn kind_bytes(kind: &ContributionKind, name: Option<&str>) -> Vec<u8> {
    let mut parameters = Vec::new();
    let mut put = |number, bytes: &[u8]| {
        parameters.push(number);
        parameters.push(u8::try_from(bytes.len()).expect("lengths were checked when taken"));
        parameters.extend_from_slice(bytes);
    };
    if let Some(name) = name {
        put(NAME, name.as_bytes());
    }
    let number: u32 = match kind {
        ContributionKind::Participant => 0,
        ContributionKind::Beacon {
            iterations_log2,
            value,
        } => {
            // The one parameter without a length.
            parameters.extend_from_slice(&[ITERATIONS, *iterations_log2]);
            parameters.extend_from_slice(&[VALUE, value.len() as u8]);
            parameters.extend_from_slice(value);
            1
        }
    };
    let length = parameters.len() as u32;
    let head = [number.to_le_bytes(), length.to_le_bytes()].concat();
    [head, parameters].concat()
}

#[cfg(test)]
#[path = "contributions_tests.rs"]
mod tests;
