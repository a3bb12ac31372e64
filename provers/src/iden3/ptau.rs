//! `.ptau` (snarkjs 0.7.6, `powersoftau_utils.js`): the powers of τ of phase 1, their contributions, and, once
//! prepared for phase 2, the same powers in the Lagrange bases of every domain up to the file's own.
//!
//! Nothing here says that the points are powers: that is the ceremony's check.

use std::io::{Read, Seek};

use ark_bn254::{Fq, G1Affine, G2Affine};

use super::contributions::{ContributionKind, TRANSCRIPT_BYTES, read_all, read_kind};
use super::error::{FileError, FileKind};
use super::points::Iden3Point;
use super::scalars::{FIELD_BYTES, modulus};
use super::sections::{Cursor, SectionFile};

pub(super) const HEADER: u32 = 1;
pub(super) const CONTRIBUTIONS: u32 = 7;
/// 2-adicity of the scalar field.
pub const MAX_POWER: u32 = 28;
/// snarkjs keeps a hasher's state: 128 bytes of block, eight words of state, length and position.
pub const PARTIAL_HASH_BYTES: usize = 216;

/// A section of points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum PtauSection {
    TauG1 = 2,
    TauG2 = 3,
    AlphaTauG1 = 4,
    BetaTauG1 = 5,
    BetaG2 = 6,
    LagrangeTauG1 = 12,
    LagrangeTauG2 = 13,
    LagrangeAlphaTauG1 = 14,
    LagrangeBetaTauG1 = 15,
}

use PtauSection as S;

impl PtauSection {
    /// Points of the section in a file of 2^`power`.
    pub fn points(self, power: u32) -> u64 {
        match self {
            S::TauG1 => (1 << (power + 1)) - 1,
            S::TauG2 | S::AlphaTauG1 | S::BetaTauG1 => 1 << power,
            S::BetaG2 => 1,
            // Domains 2^0 to 2^(power + 1): twice the file's own, for the odd coset.
            S::LagrangeTauG1 => (1 << (power + 2)) - 1,
            S::LagrangeTauG2 | S::LagrangeAlphaTauG1 | S::LagrangeBetaTauG1 => {
                (1 << (power + 1)) - 1
            }
        }
    }

    /// Where the basis of the domain of 2^`power` starts in a Lagrange section, in points.
    pub fn lagrange_start(power: u32) -> u64 {
        (1 << power) - 1
    }

    pub(super) fn bytes_per_point(self) -> u64 {
        let bytes = match self {
            S::TauG2 | S::BetaG2 | S::LagrangeTauG2 => <G2Affine as Iden3Point>::BYTES,
            _ => <G1Affine as Iden3Point>::BYTES,
        };
        bytes as u64
    }
}

pub(super) const MONOMIAL: [S; 5] = [S::TauG1, S::TauG2, S::AlphaTauG1, S::BetaTauG1, S::BetaG2];
pub(super) const LAGRANGE: [S; 4] = [
    S::LagrangeTauG1,
    S::LagrangeTauG2,
    S::LagrangeAlphaTauG1,
    S::LagrangeBetaTauG1,
];

/// What a contributor proves to have known: its shares of τ, α and β, each by (s, s·x) in G1 and sp·x in G2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtauPublicKey {
    /// Of τ, α, β.
    pub g1: [(G1Affine, G1Affine); 3],
    pub g2_spx: [G2Affine; 3],
}

/// One step of phase 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PtauContribution {
    pub tau_g1: G1Affine,
    pub tau_g2: G2Affine,
    pub alpha_g1: G1Affine,
    pub beta_g1: G1Affine,
    pub beta_g2: G2Affine,
    pub key: PtauPublicKey,
    /// The response's hasher before the public key was put into it.
    pub partial_hash: [u8; PARTIAL_HASH_BYTES],
    pub next_challenge: [u8; TRANSCRIPT_BYTES],
    pub name: Option<String>,
    pub kind: ContributionKind,
}

/// An open file.
pub struct Ptau<R> {
    file: SectionFile<R>,
    power: u32,
    ceremony_power: u32,
    contributions: Vec<PtauContribution>,
}

impl<R: Read + Seek> Ptau<R> {
    /// Reads the header and the contributions, and checks that all sections have the lengths they must have.
    ///
    /// # Errors
    /// [`FileError`]; a file not prepared for phase 2 lacks section 12.
    pub fn open(input: R) -> Result<Self, FileError> {
        let mut file = SectionFile::open(input, FileKind::Ptau)?;
        let mut header = file.section(HEADER)?;
        if header.u32()? != FIELD_BYTES as u32 || header.array()? != modulus::<Fq>() {
            return Err(FileError::Curve);
        }
        let (power, ceremony_power) = (header.u32()?, header.u32()?);
        header.finish()?;
        for (what, found) in [
            ("its power", power),
            ("its ceremony's power", ceremony_power),
        ] {
            if found == 0 || found > MAX_POWER {
                return Err(FileError::Limit {
                    what,
                    found: found.into(),
                    limit: MAX_POWER.into(),
                });
            }
        }
        for section in MONOMIAL.iter().chain(&LAGRANGE) {
            let expected = section.points(power) * section.bytes_per_point();
            file.expect_length(*section as u32, expected)?;
        }
        let mut section = file.section(CONTRIBUTIONS)?;
        let contributions = read_all(&mut section, read_contribution)?;
        section.finish()?;
        Ok(Self {
            file,
            power,
            ceremony_power,
            contributions,
        })
    }

    /// log2 of the largest domain a circuit may have under this file.
    pub fn power(&self) -> u32 {
        self.power
    }

    /// The power of the ceremony this file was cut from, if it was cut.
    pub fn ceremony_power(&self) -> u32 {
        self.ceremony_power
    }

    pub fn contributions(&self) -> &[PtauContribution] {
        &self.contributions
    }

    /// `count` points of a section from its `first`.
    ///
    /// # Panics
    /// If the section is of the other group.
    pub fn points<P: Iden3Point>(
        &mut self,
        section: PtauSection,
        first: u64,
        count: u64,
    ) -> Result<Vec<P>, FileError> {
        let size = <P as Iden3Point>::BYTES as u64;
        assert_eq!(size, section.bytes_per_point(), "the section's own group");
        let part = self.file.part(section as u32, first * size, count * size);
        part?.points(count)
    }

    /// The Lagrange basis of the domain of 2^`power` at τ.
    pub fn lagrange<P: Iden3Point>(
        &mut self,
        section: PtauSection,
        power: u32,
    ) -> Result<Vec<P>, FileError> {
        self.points(section, PtauSection::lagrange_start(power), 1 << power)
    }
}

fn read_contribution<R: Read + Seek>(
    section: &mut Cursor<'_, R>,
) -> Result<PtauContribution, FileError> {
    let (tau_g1, tau_g2) = (section.point()?, section.point()?);
    let (alpha_g1, beta_g1) = (section.point()?, section.point()?);
    let beta_g2 = section.point()?;
    let mut pair = || Ok::<_, FileError>((section.point()?, section.point()?));
    let g1 = [pair()?, pair()?, pair()?];
    let key = PtauPublicKey {
        g1,
        g2_spx: [section.point()?, section.point()?, section.point()?],
    };
    let partial_hash = section.array()?;
    let next_challenge = section.array()?;
    let (kind, name) = read_kind(section)?;
    Ok(PtauContribution {
        tau_g1,
        tau_g2,
        alpha_g1,
        beta_g1,
        beta_g2,
        key,
        partial_hash,
        next_challenge,
        name,
        kind,
    })
}

#[cfg(test)]
#[path = "ptau_tests.rs"]
mod tests;
