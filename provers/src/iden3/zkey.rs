//! `.zkey` of Groth16 (snarkjs 0.7.6, `zkey_utils.js`): a proving key, the coefficients a snarkjs prover needs,
//! and the contributions that made it.

use std::io::{Read, Seek, Write};

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_relations::gr1cs::Matrix;

use super::coefficients;
use super::contributions::PhaseTwo;
use super::digest::file_digest;
use super::error::{FileError, FileKind};
use super::points::{Checks, Iden3Point};
use super::scalars::{FIELD_BYTES, modulus};
use super::sections::{SectionFile, SectionWriter};

const GROTH16: u32 = 1;
/// As for [`crate::R1cs`].
const MAX_DOMAIN_LOG2: u32 = 27;

/// The sections after the proof system's number, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum ZkeySection {
    ProofSystem = 1,
    Header = 2,
    Inputs = 3,
    Coefficients = 4,
    A = 5,
    BG1 = 6,
    BG2 = 7,
    L = 8,
    H = 9,
    Contributions = 10,
}

use ZkeySection as S;

/// snarkjs writes a new key's sections in the order in which it computes them, any other's by number.
const ORDER_OF_NEW: [S; 10] = [
    S::ProofSystem,
    S::Header,
    S::Coefficients,
    S::Inputs,
    S::H,
    S::L,
    S::A,
    S::BG1,
    S::BG2,
    S::Contributions,
];
const ORDER: [S; 10] = [
    S::ProofSystem,
    S::Header,
    S::Inputs,
    S::Coefficients,
    S::A,
    S::BG1,
    S::BG2,
    S::L,
    S::H,
    S::Contributions,
];

/// The key's shape and its single points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZkeyHeader {
    /// The constant one, the public inputs, the witness.
    pub variables: u32,
    pub public_inputs: u32,
    pub domain_size: u32,
    pub alpha_g1: G1Affine,
    pub beta_g1: G1Affine,
    pub beta_g2: G2Affine,
    pub gamma_g2: G2Affine,
    pub delta_g1: G1Affine,
    pub delta_g2: G2Affine,
}

/// A whole key: every point of it is on the curve and in the subgroup.
///
/// That does not make it anybody's honest key: whoever made it alone can forge proofs under it.
pub struct Zkey {
    pub header: ZkeyHeader,
    /// One per instance variable.
    pub inputs: Vec<G1Affine>,
    /// Section 4 as it lies in the file: the non-zero entries of A and B, and the instance rows.
    pub coefficients: Vec<u8>,
    pub a: Vec<G1Affine>,
    pub b_g1: Vec<G1Affine>,
    pub b_g2: Vec<G2Affine>,
    /// One per witness variable.
    pub l: Vec<G1Affine>,
    /// One per point of the odd coset.
    pub h: Vec<G1Affine>,
    pub phase_two: PhaseTwo,
}

impl Zkey {
    /// Checks every point, on rayon's pool.
    ///
    /// # Errors
    /// [`FileError`] for anything but a complete Groth16 key over BN254.
    pub fn read<R: Read + Seek>(input: R) -> Result<Self, FileError> {
        Self::read_with(input, Checks::Every)
    }

    /// Does not check the points of a file with this BLAKE3 digest: whoever names it has checked them before, or
    /// has the digest from somebody who did. The file is read twice, so it must not be one that others may write to.
    ///
    /// # Errors
    /// [`FileError::Digest`] for another file, and as [`Zkey::read`].
    pub fn read_known<R: Read + Seek>(
        mut input: R,
        expected: &[u8; 32],
    ) -> Result<Self, FileError> {
        let found = file_digest(&mut input)?;
        if found != *expected {
            return Err(FileError::Digest {
                expected: *expected,
                found,
            });
        }
        Self::read_with(input, Checks::None)
    }

    fn read_with<R: Read + Seek>(input: R, checks: Checks) -> Result<Self, FileError> {
        let mut file = SectionFile::open(input, FileKind::Zkey)?;
        let mut system = file.section(S::ProofSystem as u32)?;
        let found = system.u32()?;
        system.finish()?;
        if found != GROTH16 {
            return Err(FileError::ProofSystem { found });
        }
        let header = ZkeyHeader::read(&mut file)?;
        let witness = header.variables - header.public_inputs - 1;
        let mut contributions = file.section(S::Contributions as u32)?;
        let phase_two = PhaseTwo::read(&mut contributions)?;
        contributions.finish()?;
        Ok(Self {
            inputs: points(&mut file, S::Inputs, header.public_inputs + 1, checks)?,
            coefficients: coefficients::read(&mut file, S::Coefficients as u32)?,
            a: points(&mut file, S::A, header.variables, checks)?,
            b_g1: points(&mut file, S::BG1, header.variables, checks)?,
            b_g2: points(&mut file, S::BG2, header.variables, checks)?,
            l: points(&mut file, S::L, witness, checks)?,
            h: points(&mut file, S::H, header.domain_size, checks)?,
            header,
            phase_two,
        })
    }

    /// The matrices A and B: a row for each point of the domain, the instance rows among them. A .zkey has no C.
    ///
    /// # Errors
    /// [`FileError`] if an entry names a matrix, row or variable that is not there, or its value is not reduced.
    pub fn matrices(&self) -> Result<[Matrix<Fr>; 2], FileError> {
        let (rows, variables) = (self.header.domain_size, self.header.variables);
        coefficients::decode(&self.coefficients, rows, variables)
    }

    /// Writes exactly what snarkjs writes for this content.
    pub fn write<W: Write + Seek>(&self, output: W) -> Result<W, FileError> {
        let order = match self.phase_two.contributions.is_empty() {
            true => ORDER_OF_NEW,
            false => ORDER,
        };
        let mut out = SectionWriter::new(output, FileKind::Zkey, order.len() as u32)?;
        for section in order {
            out.begin(section as u32)?;
            match section {
                S::ProofSystem => out.put(&GROTH16.to_le_bytes())?,
                S::Header => self.header.write(&mut out)?,
                S::Inputs => out.put_points(&self.inputs)?,
                S::Coefficients => out.put(&self.coefficients)?,
                S::A => out.put_points(&self.a)?,
                S::BG1 => out.put_points(&self.b_g1)?,
                S::BG2 => out.put_points(&self.b_g2)?,
                S::L => out.put_points(&self.l)?,
                S::H => out.put_points(&self.h)?,
                S::Contributions => self.phase_two.write(&mut out)?,
            }
        }
        out.finish()
    }
}

impl ZkeyHeader {
    fn read<R: Read + Seek>(file: &mut SectionFile<R>) -> Result<Self, FileError> {
        let mut header = file.section(S::Header as u32)?;
        for modulus in [modulus::<Fq>(), modulus::<Fr>()] {
            if header.u32()? != FIELD_BYTES as u32 || header.array()? != modulus {
                return Err(FileError::Curve);
            }
        }
        let [variables, public_inputs, domain_size] = [header.u32()?, header.u32()?, header.u32()?];
        if !domain_size.is_power_of_two() || domain_size > 1 << MAX_DOMAIN_LOG2 {
            return Err(FileError::Malformed {
                what: "its domain is not a power of two up to 2^27",
            });
        }
        if public_inputs >= variables {
            return Err(FileError::Malformed {
                what: "it has more public inputs than variables",
            });
        }
        let (alpha_g1, beta_g1) = (header.point()?, header.point()?);
        let (beta_g2, gamma_g2) = (header.point()?, header.point()?);
        let (delta_g1, delta_g2) = (header.point()?, header.point()?);
        header.finish()?;
        Ok(Self {
            variables,
            public_inputs,
            domain_size,
            alpha_g1,
            beta_g1,
            beta_g2,
            gamma_g2,
            delta_g1,
            delta_g2,
        })
    }

    fn write<W: Write + Seek>(&self, out: &mut SectionWriter<W>) -> Result<(), FileError> {
        for modulus in [modulus::<Fq>(), modulus::<Fr>()] {
            out.put(&(FIELD_BYTES as u32).to_le_bytes())?;
            out.put(&modulus)?;
        }
        for count in [self.variables, self.public_inputs, self.domain_size] {
            out.put(&count.to_le_bytes())?;
        }
        out.put_points(&[self.alpha_g1, self.beta_g1])?;
        out.put_points(&[self.beta_g2, self.gamma_g2])?;
        out.put_points(&[self.delta_g1])?;
        out.put_points(&[self.delta_g2])
    }
}

fn points<R: Read + Seek, P: Iden3Point>(
    file: &mut SectionFile<R>,
    section: ZkeySection,
    count: u32,
    checks: Checks,
) -> Result<Vec<P>, FileError> {
    let id = section as u32;
    file.expect_length(id, u64::from(count) * <P as Iden3Point>::BYTES as u64)?;
    file.section(id)?.points_with(count.into(), checks)
}

#[cfg(test)]
#[path = "zkey_tests.rs"]
mod tests;
